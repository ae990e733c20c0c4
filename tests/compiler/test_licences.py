"""A step changes what its reason has a licence for, and nothing else: for every reason, every other change is stopped."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support import everything_of
from test_fidelity import grading

from egressc.addresses import EMPTY, parse_addresses
from egressc.anything import ANY
from egressc.fidelity import assess
from egressc.hosts import HostPattern
from egressc.licences import Licensing, breach
from egressc.lowering import BrokenLoweringError, Lowering, Step
from egressc.meaning import Block, Outcome, Ruling
from egressc.parts import parts_of
from egressc.policy import AddressEndpoint, HostEndpoint
from egressc.reasons import FACTS, Reason
from egressc.services import PortSet

INVENTORY = """
groups:
  one: {networks: [10.0.0.1, "2001:db8::1"]}
  two: {networks: [10.0.0.2]}
"""

POLICY = """
service-account acc "A" { linux-user u }
service-account bcc "B" { linux-user w }
endpoints shop "Shop" { www.example.com/a *.shop.example.com api-*.example.net fallback { 192.0.2.0/24 198.51.100.7 } }
policy p "P" {
    from one two
    as   acc
    allow r "R" { to shop except old.shop.example.com api-old.example.net ports 443 8443/https }
    allow n "N" { to 192.0.2.0/24 2001:db8:9::/48 ports 443/tcp }
    deny d "D" { to *.shop.example.com ports 443 }
    allow wide "W" { to 203.0.113.0/24 ports any/tcp }
}
"""


@pytest.fixture(scope="module")
def site():
    return replace(everything_of(POLICY, INVENTORY), name="fw", firewall="fw", target="fake")


def rule_of(site, name):
    return next(rule for rule in site.rules if rule.identity == f"p/{name}")


def host(text, path=None):
    deep = text.startswith("*.")
    return HostEndpoint(HostPattern(tuple(text.removeprefix("*.").split(".")), deep=deep), path)


WWW, SHOP, API = host("www.example.com", "/a"), host("*.shop.example.com"), host("api-*.example.net")


def addresses(text):
    return AddressEndpoint(parse_addresses(text))


LICENSED = {
    Reason.ACCOUNT: ("r", {"accounts": ANY}),
    Reason.SOURCE: ("r", {"groups": ANY}),
    Reason.PATH: ("r", {"endpoints": (host("www.example.com"), SHOP, API)}),
    Reason.RESOLVED_ADDRESS: ("r", {"shared": True}),
    Reason.APEX: ("r", {"endpoints": (WWW, SHOP, host("shop.example.com"), API)}),
    Reason.DEPTH: ("r", {"endpoints": (WWW, host("*.www.example.com", "/a"), SHOP, API)}),
    Reason.LABEL_WILDCARD: ("r", {"endpoints": (WWW, SHOP, host("*.example.net"))}),
    Reason.EXCEPT: ("r", {"exceptions": ()}),
    Reason.FALLBACK: ("r", {"endpoints": (addresses("192.0.2.0/24"),)}),
    Reason.FAMILY: ("n", {"source_families": frozenset({4}), "endpoints": (addresses("192.0.2.0/24"),)}),
    Reason.NO_NAMES: ("r", None),
    Reason.PORTS: ("r", None),
    Reason.ORDER: ("d", None),
}
"""For each reason a change that it may make: of which rule, and what becomes of it (``None``: it is gone)."""

ALSO = {
    "a port is lost": {"ports": PortSet(tcp=((443, 443),))},
    "a port is added": {"ports": PortSet(tcp=((443, 443), (8443, 8444)))},
    "the transport is another": {"ports": PortSet(udp=((443, 443),))},
    "the account is another": {"accounts": frozenset({"bcc"})},
    "an account is added": {"accounts": frozenset({"acc", "bcc"})},
    "a group is lost": {"groups": frozenset({"one"})},
    "an endpoint is lost": {"endpoints": (SHOP, API)},
    "an endpoint is added": {"endpoints": (WWW, SHOP, API, host("evil.example.org"))},
    "a name is widened": {"endpoints": (WWW, host("*.example.com"), API)},
    "names become addresses": {"endpoints": (addresses("0.0.0.0/0"),)},
    "an exception is lost": {"exceptions": (host("old.shop.example.com"),)},
    "an exception is added": {
        "exceptions": (host("old.shop.example.com"), host("api-old.example.net"), host("new.shop.example.com"))
    },
    "an IP version is lost": {"source_families": frozenset({6})},
}

MAY = {
    (Reason.EXCEPT, "an exception is lost"),
    (Reason.FAMILY, "an IP version is lost"),
    (Reason.FALLBACK, "an IP version is lost"),
}
"""What looks like another change and is the reason's own, or does not show beside it."""


def step_of(site, reason, name, change):
    reach = rule_of(site, name).reach
    after = None if change is None else replace(reach, **change)
    return Step(reason, FACTS[reason].effect, "test", reach, after), rule_of(site, name)


def problem(site, reason, name, change):
    step, rule = step_of(site, reason, name, change)
    return breach(step, rule, Licensing(site.tags, [part for r in site.rules for part in parts_of(r)]))


@pytest.mark.parametrize("reason", LICENSED)
def test_what_the_reason_is_for_is_licensed(site, reason):
    name, change = LICENSED[reason]
    assert problem(site, reason, name, change) is None


@pytest.mark.parametrize("also", ALSO)
@pytest.mark.parametrize("reason", [r for r in LICENSED if LICENSED[r][1] is not None and r is not Reason.FAMILY])
def test_a_reason_that_also_changes_something_else_is_stopped(site, reason, also):
    name, change = LICENSED[reason]
    extra = ALSO[also]
    if set(extra) & set(change) and (reason, also) not in MAY:
        # Both in one field: what the reason does, and what it has no licence for.
        both = {
            "endpoints": lambda: (
                (*change["endpoints"], *[e for e in extra["endpoints"] if e not in (WWW, SHOP, API)])
                if len(extra["endpoints"]) > 2
                else extra["endpoints"]
            ),
        }.get(next(iter(extra)), lambda: extra[next(iter(extra))])
        extra = {next(iter(extra)): both()}
    if (reason, also) in MAY and set(extra) <= set(change):
        return
    assert problem(site, reason, name, {**change, **extra}) is not None


@pytest.mark.parametrize("also", ["a port is lost", "the account is another", "a group is lost"])
def test_family_takes_one_ip_version_and_nothing_else(site, also):
    name, change = LICENSED[Reason.FAMILY]
    assert problem(site, Reason.FAMILY, name, {**change, **ALSO[also], "ports": PortSet(tcp=((80, 80),))}) is not None


def test_family_does_not_lose_the_other_version(site):
    assert problem(site, Reason.FAMILY, "n", {"endpoints": (addresses("2001:db8:9::/49"),)}) is not None
    assert problem(site, Reason.FAMILY, "n", {"endpoints": (addresses("192.0.2.0/25"),)}) is not None


@pytest.mark.parametrize("reason", [r for r in Reason if r not in LICENSED])
@pytest.mark.parametrize("also", ALSO)
def test_a_reason_that_changes_no_flow_may_change_nothing(site, reason, also):
    assert problem(site, reason, "r", ALSO[also]) is not None


@pytest.mark.parametrize("reason", [r for r in Reason if r not in {Reason.NO_NAMES, Reason.PORTS, Reason.ORDER}])
def test_no_other_reason_takes_a_rule_away(site, reason):
    assert problem(site, reason, "r", None) is not None


def test_family_takes_a_rule_away_only_where_it_is_of_one_version(site):
    assert problem(site, Reason.FAMILY, "n", None) is not None
    assert problem(site, Reason.FAMILY, "wide", None) is None


def test_order_takes_from_a_deny_what_an_allow_has_and_no_more(site):
    reach = rule_of(site, "d").reach
    licensed = {"exceptions": (*reach.exceptions, addresses("203.0.113.0/24"))}
    assert problem(site, Reason.ORDER, "d", licensed) is None
    too_much = {"exceptions": (*reach.exceptions, addresses("203.0.113.0/24"), addresses("198.18.0.0/15"))}
    assert problem(site, Reason.ORDER, "d", too_much) is not None


def test_order_asks_for_no_ip_version_that_the_groups_lack():
    # What is under a tag without addresses may be of both versions; the sources of `two` are of one.
    policy = """
    policy p "P" {
        allow a "A" { from one two to service-tag Sql ports 443/tcp }
        deny d "D" { from two to x.example.com ports 443 }
        deny e "E" { from one to x.example.com ports 443 }
    }
    """
    site = everything_of(policy, INVENTORY)
    allow, sql = rule_of(site, "a"), rule_of(site, "a").endpoints
    (part,) = parts_of(allow)
    written = replace(part, reach=replace(part.reach, source_families=frozenset({4})))
    for name, licensed in (("d", True), ("e", False)):
        rule = rule_of(site, name)
        step = Step(Reason.ORDER, FACTS[Reason.ORDER].effect, "", rule.reach, replace(rule.reach, exceptions=sql))
        assert (breach(step, rule, Licensing(site.tags, (written,))) is None) is licensed


def test_the_fallback_is_the_rules_own_and_never_a_denys(site):
    assert problem(site, Reason.FALLBACK, "r", {"endpoints": (addresses("203.0.113.0/24"),)}) is not None
    assert problem(site, Reason.FALLBACK, "d", {"endpoints": (addresses("192.0.2.0/24"),)}) is not None


def test_the_compilation_stops_and_names_the_rule_and_a_flow(site):
    parts = []
    for rule in site.rules:
        for part in parts_of(rule):
            if rule.identity == "p/r":
                after = replace(part.reach, accounts=ANY, ports=PortSet(tcp=((443, 443),)))
                step = Step(Reason.ACCOUNT, FACTS[Reason.ACCOUNT].effect, "no accounts", part.reach, after)
                part = replace(part, reach=after, steps=(step,))  # noqa: PLW2901
            parts.append(part)
    with pytest.raises(BrokenLoweringError) as caught:
        assess(site, Lowering(None, tuple(parts)), grading())
    text = str(caught.value)
    assert "`p/r` on `fw` (fake)" in text
    assert "`account` has no licence to change the ports" in text
    assert ":8443" in text


def broken(site, change, **options):
    """The text of the defect that a lowering is, in which the part of `p/r` was changed."""
    parts = [change(part) if rule.identity == "p/r" else part for rule in site.rules for part in parts_of(rule)]
    with pytest.raises(BrokenLoweringError) as caught:
        assess(site, Lowering(None, tuple(parts), **options), grading())
    return str(caught.value)


def test_what_is_closed_below_the_allows_is_what_was_excepted(site):
    reach = rule_of(site, "r").reach
    excepted = replace(reach, endpoints=reach.exceptions, exceptions=())
    assess(site, Lowering(None, tuple(replace(p, closes=(excepted,)) if p.rule.identity == "p/r" else p
                                      for rule in site.rules for p in parts_of(rule))), grading())  # fmt: skip
    more = replace(excepted, endpoints=(*reach.exceptions, host("*.example.org")))
    text = broken(site, lambda part: replace(part, closes=(more,)))
    assert "it denies more below the allows than it excepts" in text
    assert ".example.org:443" in text
    assert "is gone" in broken(site, lambda part: replace(part, closes=(excepted,), reach=None, steps=(
        Step(Reason.NO_NAMES, FACTS[Reason.NO_NAMES].effect, "test", part.reach, None),)))  # fmt: skip


def test_what_is_let_through_first_is_announced(site):
    first = Ruling("first", Outcome.ALLOW, (Block(),))
    assert "does not say so" in broken(site, lambda part: part, opening=(first,))


@pytest.mark.parametrize(
    ("reason", "endpoints", "licensed"),
    [
        # Any name under the parent of `api-*.example.net`, but not the parent itself.
        (Reason.LABEL_WILDCARD, (WWW, SHOP, API, host("other.example.net")), True),
        (Reason.LABEL_WILDCARD, (WWW, SHOP, API, host("a.b.example.net")), True),
        (Reason.LABEL_WILDCARD, (WWW, SHOP, API, host("*-x.example.net")), True),
        (Reason.LABEL_WILDCARD, (WWW, SHOP, API, host("example.net")), False),
        (Reason.LABEL_WILDCARD, (WWW, SHOP, API, host("*.net")), False),
        # A name in the place of another holds it whole: all its hosts, and its paths.
        (Reason.LABEL_WILDCARD, (WWW, SHOP, host("api-1.example.net")), False),
        (Reason.LABEL_WILDCARD, (WWW, SHOP, host("*.example.net", "/b")), False),
        (Reason.LABEL_WILDCARD, (WWW, SHOP, host("*.example.net", "/b"), host("*.example.net")), True),
        # What is below a name does not hold the name itself.
        (Reason.DEPTH, (host("*.www.example.com", "/a"), SHOP, API), False),
    ],
)
def test_names_may_take_the_place_of_names_that_they_hold(site, reason, endpoints, licensed):
    assert (problem(site, reason, "r", {"endpoints": endpoints}) is None) is licensed


@pytest.mark.parametrize("reason", [Reason.APEX, Reason.DEPTH])
def test_addresses_beside_widened_names_stay(reason):
    policy = 'policy p "P" { allow r "R" { to *.x.example.com y.example.com 192.0.2.9 from one ports 443/tcp } }'
    site = everything_of(policy, INVENTORY)
    held = rule_of(site, "r").reach.endpoints
    added = host("x.example.com") if reason is Reason.APEX else host("*.y.example.com")
    assert problem(site, reason, "r", {"endpoints": (*held, added)}) is None
    names = tuple(each for each in held if isinstance(each, HostEndpoint))
    assert problem(site, reason, "r", {"endpoints": (*names, added)}) is not None


@pytest.mark.parametrize("reason", [Reason.FAMILY, Reason.ORDER])
def test_an_ip_version_that_was_taken_away_does_not_come_back(site, reason):
    rule = rule_of(site, "n" if reason is Reason.FAMILY else "d")
    less = replace(rule.reach, source_families=frozenset({4}))
    step = Step(reason, FACTS[reason].effect, "test", less, rule.reach)
    parts = [part for each in site.rules for part in parts_of(each)]
    assert breach(step, rule, Licensing(site.tags, parts)) is not None


def test_except_takes_exceptions_away_and_puts_none_in_their_place(site):
    old = host("old.shop.example.com")
    assert problem(site, Reason.EXCEPT, "r", {"exceptions": (old,)}) is None
    assert problem(site, Reason.EXCEPT, "r", {"exceptions": (host("new.shop.example.com"),)}) is not None
    assert problem(site, Reason.EXCEPT, "r", {"exceptions": (old, addresses("192.0.2.0/24"))}) is not None


def test_except_may_keep_a_part_of_the_addresses_that_were_excepted():
    policy = 'policy p "P" { allow r "R" { to *.example.com except 192.0.2.0/24 x.example.com from one ports 443 } }'
    site = everything_of(policy, INVENTORY)
    name = host("x.example.com")
    assert problem(site, Reason.EXCEPT, "r", {"exceptions": (addresses("192.0.2.0/25"), name)}) is None
    assert problem(site, Reason.EXCEPT, "r", {"exceptions": (name, addresses("192.0.2.7"))}) is None
    found = problem(site, Reason.EXCEPT, "r", {"exceptions": (addresses("192.0.0.0/16"), name)})
    assert found == "`except` adds the exception `192.0.0.0/16`"


def test_only_an_allow_that_has_a_fallback_uses_one(site):
    lacks = "`fallback` uses a fallback that the rule does not have"
    instead = {"endpoints": (addresses("192.0.2.0/24"),)}
    assert problem(site, Reason.FALLBACK, "wide", instead) == lacks, "an allow without one"
    step, deny = step_of(site, Reason.FALLBACK, "d", instead)
    assert breach(step, replace(deny, fallback=instead["endpoints"]), Licensing(site.tags, ())) == lacks


BOTH, ADDS = "`family` takes away flows of both IP versions", "`family` adds flows"
NEITHER = {"source_families": frozenset()}


def of_senders(change, **senders):
    """What is wrong with a family step of a rule with one group, which has these addresses, or whose reach is changed."""
    site = everything_of('policy p "P" { allow r "R" { from one to x.example.com ports 443 } }', INVENTORY)
    rule = rule_of(site, "r")
    (group,) = rule.groups
    before = replace(rule.reach, groups=senders.pop("groups", rule.reach.groups))
    rule = replace(rule, groups=(replace(group, **senders),))
    step = Step(Reason.FAMILY, FACTS[Reason.FAMILY].effect, "test", before, change and replace(before, **change))
    return breach(step, rule, Licensing(site.tags, ()))


@pytest.mark.parametrize(
    ("senders", "lost"),
    [
        ({}, BOTH),
        ({"addresses": parse_addresses("10.0.0.1")}, None),
        ({"addresses": parse_addresses("2001:db8::1")}, None),
        # Who sends is not known, so of which IP version neither: any source, an unbound group, an object of the device.
        ({"groups": ANY}, BOTH),
        ({"addresses": ANY}, BOTH),
        ({"addresses": EMPTY, "object_name": "clients"}, BOTH),
    ],
)
def test_family_takes_away_one_of_the_ip_versions_of_the_sources(senders, lost):
    assert of_senders(None, **senders) == of_senders(NEITHER, **senders) == lost
    for family in (4, 6):
        assert of_senders({"source_families": frozenset({family})}, **senders) is None
    assert of_senders({"endpoints": (host("y.example.com"),)}, **senders) == ADDS
