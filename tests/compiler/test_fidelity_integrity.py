"""What every lowering must keep, case by case: where parts begin, where steps lead, what is closed and left out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support import everything_of

from egressc.anything import ANY
from egressc.approximate import with_endpoints
from egressc.fidelity_integrity import check_lowering
from egressc.lowering import BrokenLoweringError, Lowering, SiteStep, Step
from egressc.meaning import Block, Outcome, Ruling
from egressc.parts import parts_of
from egressc.policy import HostEndpoint
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
policy p "P" {
    from one two
    allow r "R" { to *.example.com except old.example.com ports 443 8443/https as acc }
    allow s "S" { to www.example.net ports 443 }
    deny d "D" { to *.example.org except ok.example.org ports 443 }
}
"""


@pytest.fixture(scope="module")
def site():
    return replace(everything_of(POLICY, INVENTORY), name="fw", firewall="fw", target="fake")


def parts_by(site):
    return {rule.identity.removeprefix("p/"): parts_of(rule) for rule in site.rules}


def checked(site, name=None, *parts, **options):
    """The check of a lowering in which one rule has these parts; the text of the defect, if it is one."""
    held = parts_by(site)
    if name is not None:
        held[name] = parts
    made = Lowering(None, tuple(part for some in held.values() for part in some), **options)
    try:
        return check_lowering(site, made)
    except BrokenLoweringError as broken:
        return str(broken)


def one(site, name):
    (part,) = parts_by(site)[name]
    return part


def begun(part, **changes):
    """The part with another start, at which it stays."""
    start = replace(part.start, **changes)
    return replace(part, start=start, reach=start)


def taken(part, reason, reach, before=None):
    """The part one step further."""
    step = Step(reason, FACTS[reason].effect, "test", before or part.reach, reach)
    return replace(part, reach=reach, steps=(*part.steps, step))


def host(text):
    return next(e for e in everything_of(f'policy x "X" {{ from one allow a "A" {{ to {text} ports 443 }} }}', INVENTORY)
                .rules[0].endpoints)  # fmt: skip


def test_a_lowering_that_keeps_everything(site):
    found = checked(site)
    assert list(found) == list(site.rules)
    assert {rule.identity: [part.rule for part in parts] for rule, parts in found.items()} == {
        rule.identity: [rule] for rule in site.rules
    }


def test_a_rule_without_a_part_is_told_with_a_flow_of_it(site):
    assert checked(site, "s") == "`p/s` on `fw` (fake): it has no part: one → www.example.net:443"


BEGINS = {
    "groups": (frozenset({"one"}), "no part begins with this flow: two"),
    "accounts": (frozenset({"acc", "bcc"}), "which the rule does not match: one as bcc"),
    "ports": (PortSet(tcp=((443, 443),)), ".example.com:8443"),
    "exceptions": ((), "which the rule does not match: one as acc → old.example.com:443"),
    "shared": (True, "(an address that a.example.com shares)"),
    "source_families": (frozenset({4}), "no part begins with this flow: one (IPv6)"),
}


@pytest.mark.parametrize("field", BEGINS)
def test_a_part_begins_with_what_the_rule_matches(site, field):
    value, told = BEGINS[field]
    assert told in checked(site, "r", begun(one(site, "r"), **{field: value}))


def test_a_part_beside_one_that_begins_with_everything_may_not_begin_beyond_the_rule(site):
    whole = one(site, "r")
    beyond = begun(whole, endpoints=(*whole.start.endpoints, *one(site, "s").start.endpoints))
    assert "a part begins with `www.example.net`, which the rule lacks" in checked(site, "r", whole, beyond)


def test_parts_may_begin_with_the_rule_together(site):
    part = one(site, "r")
    assert set(checked(site, "r", *(begun(part, groups=frozenset({name})) for name in ("one", "two")))) == set(
        site.rules
    )
    assert set(checked(site, "r", *(begun(part, ports=PortSet(tcp=((p, p),))) for p in (443, 8443)))) == set(site.rules)


def test_an_endpoint_of_which_no_part_begins_is_told_although_others_are_there(site):
    rule = next(rule for rule in site.rules if rule.identity == "p/s")
    more = with_endpoints(rule.reach, (*rule.reach.endpoints, host("also.example.net")))
    wider = replace(rule, endpoints=more.endpoints, reach=more)
    parts = [replace(each, rule=wider) for each in parts_of(wider)]
    changed = replace(site, rules=(wider,))
    assert check_lowering(changed, Lowering(None, tuple(parts))) == {wider: parts}
    with pytest.raises(BrokenLoweringError, match=r"no part begins with this flow: one → also\.example\.net:443"):
        check_lowering(changed, Lowering(None, (begun(parts[0], endpoints=rule.reach.endpoints),)))


def test_only_a_deny_behind_which_everything_is_denied_is_left_out(site):
    deny, allow = (replace(one(site, name), reach=None, left_out=True) for name in ("d", "s"))
    assert list(checked(site, "d", deny)) == list(site.rules)
    told = "it is left out, and no closing deny makes up for it"
    assert told in checked(site, "d", replace(deny, reach=deny.start))
    assert told in checked(site, "s", allow)
    assert told in checked(replace(site, closing_deny=False), "d", deny)


def test_steps_lead_from_where_a_part_begins_to_where_it_ends(site):
    part = one(site, "r")
    wide = replace(part.reach, accounts=ANY)
    step = taken(part, Reason.ACCOUNT, wide)
    assert isinstance(checked(site, "r", step), dict)
    # The same flows in other words are the same place, at the beginning of a step and at the end of the part.
    twice = replace(wide, endpoints=wide.endpoints * 2)
    assert isinstance(checked(site, "r", replace(step, reach=twice)), dict)
    again = replace(part.reach, endpoints=part.reach.endpoints * 2)
    assert isinstance(checked(site, "r", taken(part, Reason.ACCOUNT, replace(again, accounts=ANY), again)), dict)

    told = checked(site, "r", replace(part, reach=wide))
    assert "a part changed without a step that says so: one as another account → a.example.com:443" in told
    told = checked(site, "r", replace(part, reach=replace(part.reach, ports=PortSet(tcp=((443, 443),)))))
    assert "a part changed without a step that says so: one as acc → a.example.com:8443" in told
    told = checked(site, "r", replace(part, reach=None))
    assert "a part changed without a step that says so: one as acc → a.example.com:443" in told
    lost = taken(part, Reason.NO_NAMES, None)
    assert isinstance(checked(site, "r", lost), dict)
    assert "a part changed without a step that says so" in checked(site, "r", replace(lost, reach=part.reach))
    after = taken(replace(lost, reach=part.reach), Reason.ACCOUNT, wide)
    assert "the step `account` does not begin where the part stands" in checked(site, "r", after)
    assert "the step `account` does not begin where the part stands" in checked(
        site, "r", taken(step, Reason.ACCOUNT, wide, part.reach)
    )


def test_a_step_without_a_licence_is_told_with_a_flow(site):
    part = one(site, "r")
    fewer = replace(part.reach, ports=PortSet(tcp=((443, 443),)))
    told = checked(site, "r", taken(part, Reason.ACCOUNT, fewer))
    assert "`account` has no licence to change the ports: one as acc → a.example.com:8443" in told


def test_what_a_step_may_take_from_a_deny_is_asked_of_the_allows_that_are_written(site):
    deny = one(site, "d")
    less = replace(deny.reach, exceptions=(*deny.reach.exceptions, host("www.example.org")))
    asked = "takes away flows that no allow has"
    assert asked in checked(site, "d", taken(deny, Reason.ORDER, less))
    known = everything_of(POLICY.replace("to www.example.net", "to www.example.net www.example.org"), INVENTORY)
    known = replace(known, name="fw", firewall="fw", target="fake")
    assert isinstance(checked(known, "d", taken(one(known, "d"), Reason.ORDER, less)), dict)


def test_what_an_allow_closes_is_within_its_exceptions(site):
    part = one(site, "r")
    excepted = replace(with_endpoints(part.reach, part.reach.exceptions), exceptions=())
    assert isinstance(checked(site, "r", replace(part, closes=(excepted,))), dict)
    more = with_endpoints(excepted, (*excepted.endpoints, host("new.example.com")))
    for closes in ((more,), (excepted, more)):
        told = checked(site, "r", replace(part, closes=closes))
        assert "it denies more below the allows than it excepts: one as acc → new.example.com:443" in told
    other = one(site, "s")
    told = checked(site, "s", replace(other, closes=(other.reach,)))
    assert "an allow without exceptions denies something" in told
    gone = replace(taken(part, Reason.NO_NAMES, None), closes=(excepted,))
    assert "a part that is gone denies something below the allows" in checked(site, "r", gone)


def test_what_a_deny_closes_is_within_what_it_matches_by_name_or_by_address(site):
    part = one(site, "d")
    whole = replace(part.reach, exceptions=(), shared=True)
    assert isinstance(checked(site, "d", replace(part, closes=(whole,))), dict)
    more = with_endpoints(whole, (*whole.endpoints, host("new.example.com")))
    told = checked(site, "d", replace(part, closes=(more,)))
    assert "it denies more below the allows than it excepts: one → new.example.com:443" in told


def test_what_is_let_through_first_is_announced_as_what_the_device_needs(site):
    first = Ruling("first", Outcome.ALLOW, (Block(),))
    silent = "`fw` (fake) lets something through first, and does not say so"
    assert checked(site, opening=(first,)) == silent
    assert checked(site, opening=(first,), site_steps=(SiteStep(Reason.DEFAULT, "test"),)) == silent
    said = (SiteStep(Reason.DEFAULT, "test"), SiteStep(Reason.INFRASTRUCTURE, "test"))
    assert isinstance(checked(site, opening=(first,), site_steps=said), dict)
    assert isinstance(checked(site), dict), "nothing is let through first, and nobody need say so"


def test_a_part_of_another_policy_is_told(site):
    other = everything_of(POLICY, INVENTORY)
    stranger = one(other, "s")
    assert isinstance(stranger.start.endpoints[0], HostEndpoint)
    assert checked(site, "s", one(site, "s"), stranger) == "`p/s` is no rule of `fw` (fake)"
