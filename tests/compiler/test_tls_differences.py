"""Inspection: N∩X and M∖Y are `tls-unenforced`, what is exempted beyond N is `tls-scope`; only on flows that are allowed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from support import compilation_of, everything_of

from egressc.anything import ANY
from egressc.approximate import drop_account, gone, note
from egressc.fidelity import Grading, Verdict, assess
from egressc.lowering import Lowering
from egressc.parts import parts_of
from egressc.reach import Reach
from egressc.reasons import Effect, Reason

INVENTORY = """
groups:
  one: {networks: [10.0.0.1]}
  two: {networks: [10.0.0.2]}
firewalls:
  fw: {target: iptables, settings: {mode: gateway}}
"""
GRADING = Grading((), frozenset(), False, date(2026, 11, 22), lambda *_: False)


def site_of(*rules):
    text = "\n".join(['service-account acc "A" { linux-user u }', 'policy p "P" { from one', *rules, "}"])
    return everything_of(text, INVENTORY)


def report(site, change, *, inspects=True):
    """The report when each allow part is changed by a function of the rule's name and the part."""
    parts = tuple(change(rule.identity.removeprefix("p/"), part) for rule in site.rules for part in parts_of(rule))
    found = assess(site, Lowering(None, parts, inspects=inspects), GRADING)
    return {rule.rule.identity.removeprefix("p/"): rule for rule in found.rules}


def reasons(rule):
    return {a.reason.value: a for a in rule.approximations}


def exempt_itself(_, part):
    wanted = part.rule.rule.inspection.value
    if part.rule.is_deny or wanted == "may":
        return part
    return replace(part, exempt=part.reach) if wanted == "must-not" else replace(part, inspect=part.reach)


NOT = 'allow not "N" { to a.test.io ports 443 as acc no-tls-inspection }'
MUST = 'allow must "M" { to m.test.io ports 443 tls-inspection }'
MAY = 'allow free "F" { to a.test.io b.test.io ports 443 }'


def test_an_exemption_of_just_what_asked_for_it_is_exact():
    rules = report(site_of(NOT, MUST, MAY), exempt_itself)
    assert all(rule.verdict is Verdict.EXACT for rule in rules.values())


def test_no_exemption_is_unenforced():
    rules = report(site_of(NOT), lambda _, part: part)
    found = reasons(rules["not"])["tls-unenforced"]
    assert (found.effect, found.level.value) == (Effect.EXEMPTION_LOST, "error")
    assert found.example.host == "a.test.io"
    assert rules["not"].verdict is Verdict.NARROWER


def test_an_exemption_that_misses_some_of_it_is_unenforced():
    site = site_of('allow not "N" { to a.test.io b.test.io ports 443 as acc no-tls-inspection }')

    def half(_, part):
        reach = part.reach
        return replace(part, exempt=Reach(reach.groups, reach.accounts, reach.endpoints[1:], (), reach.ports))

    found = reasons(report(site, half)["not"])["tls-unenforced"]
    assert found.example.host == "a.test.io"


def test_another_exemption_may_cover_it():
    site = site_of(NOT, 'allow all "A" { to *.test.io ports 443 no-tls-inspection }')
    rules = report(site, lambda name, part: exempt_itself(name, part) if name == "all" else part)
    assert rules["not"].verdict is Verdict.EXACT
    rules = report(site, lambda name, part: exempt_itself(name, part) if name == "not" else part)
    assert rules["not"].verdict is Verdict.EXACT
    assert reasons(rules["all"])["tls-unenforced"].example.account is None


def any_account(_, part):
    reach = part.reach
    wider = Reach(reach.groups, ANY, reach.endpoints, (), reach.ports)
    return replace(part, exempt=wider) if part.rule.rule.inspection.value == "must-not" else part


def test_an_exemption_beyond_what_asked_for_it_is_scope_where_the_policy_allows_something_there():
    found = reasons(report(site_of(NOT, MAY), any_account)["not"])["tls-scope"]
    assert (found.effect, found.level.value) == (Effect.EXEMPTION_WIDER, "warning")
    assert (found.example.host, found.example.account) == ("a.test.io", None)
    # What the policy does not allow is not compared, nor what another rule exempts anyway, nor what is denied.
    assert report(site_of(NOT), any_account)["not"].verdict is Verdict.EXACT
    same = 'allow too "T" { to a.test.io ports 443 no-tls-inspection }'
    assert report(site_of(NOT, MAY, same), any_account)["not"].verdict is Verdict.EXACT
    deny = 'deny stop "S" { to a.test.io ports 443 }'
    assert report(site_of(NOT, MAY, deny), any_account)["not"].verdict is Verdict.EXACT


def test_an_exemption_that_covers_what_must_be_inspected_is_unenforced_there():
    must = 'allow must "M" { to a.test.io ports 443 tls-inspection }'
    site = site_of(NOT.replace("ports 443", "ports 8443/https"), must)
    both = site.rules[0].reach.ports.union(site.rules[1].reach.ports)

    def whole_host(name, part):
        reach = part.reach
        if name == "not":
            return replace(part, exempt=Reach(reach.groups, ANY, reach.endpoints, (), both))
        return replace(part, inspect=reach)

    rules = report(site, whole_host)
    found = reasons(rules["must"])["tls-unenforced"]
    assert found.example.port == 443
    assert "`p/not`" in found.sentence
    assert "tls-scope" in reasons(rules["not"])


def test_what_must_be_inspected_and_is_not_surely_is_unenforced():
    assert "tls-unenforced" in reasons(report(site_of(MUST), lambda _, part: part)["must"])
    smaller = site_of('allow must "M" { to m.test.io n.test.io ports 443 tls-inspection }')

    def half(_, part):
        reach = part.reach
        return replace(part, inspect=Reach(reach.groups, reach.accounts, reach.endpoints[:1], (), reach.ports))

    assert reasons(report(smaller, half)["must"])["tls-unenforced"].example.host == "n.test.io"


def test_only_tls_counts():
    site = site_of('allow not "N" { to a.test.io ports 443 80 no-tls-inspection }')
    rules = report(site, lambda _, p: replace(p, exempt=p.reach) if p.recognition.value == "sni" else p)
    assert rules["not"].verdict is Verdict.EXACT


def test_what_a_target_says_itself_is_not_said_again():
    site = site_of(NOT)
    rules = report(site, lambda _, part: note(part, Reason.TLS_UNENFORCED, "cannot be said"))
    (found,) = rules["not"].approximations
    assert found.sentence == "cannot be said"


def test_what_is_denied_or_gone_needs_no_exemption():
    deny = 'deny stop "S" { to *.test.io ports 443 }'
    assert report(site_of(NOT, deny), lambda _, part: part)["not"].verdict is Verdict.EXACT
    rules = report(site_of(NOT), lambda _, part: gone(part, Reason.PORTS, "x"))
    assert set(reasons(rules["not"])) == {"ports"}


def test_a_widened_rule_needs_its_exemption_only_for_what_asked():
    site = site_of(NOT)
    rules = report(site, lambda _, p: replace(drop_account(p, "no accounts"), exempt=p.reach))
    assert set(reasons(rules["not"])) == {"account"}


def test_a_device_that_never_inspects_fulfils_must_not_exactly_and_must_is_not_applicable():
    rules = report(site_of(NOT, MUST), lambda _, part: part, inspects=False)
    assert rules["not"].verdict is Verdict.EXACT
    assert rules["must"].verdict is Verdict.NOT_APPLICABLE
    assert rules["must"].inspection_idle
    assert rules["must"].approximations == ()
    rules = report(
        site_of(MUST.replace("ports 443", "ports 443 as acc")), lambda _, p: drop_account(p, "none"), inspects=False
    )
    assert rules["must"].verdict is Verdict.WIDER, "that it lets more through is not hidden"
    assert rules["must"].inspection_idle


TWO = """
groups:
  one: {networks: [10.0.0.1]}
  two: {networks: [10.0.0.2]}
firewalls:
  edge: {target: paloalto, groups: [%s], settings: {from-zone: a, to-zone: b}}
  net: {target: azure-firewall, settings: {policy: p, location: l}}
"""


@pytest.mark.parametrize("governed", ["one, two", "one"])
@pytest.mark.parametrize("chosen", [(), ("net",)])
def test_must_is_an_error_only_where_no_firewall_of_the_group_inspects(governed, chosen):
    policy = 'policy p "P" { from one two allow must "M" { to m.test.io ports 443 tls-inspection } }'
    found = compilation_of(policy, TWO % governed, firewalls=chosen, accept=("tls-unenforced",))
    told = [d for d in found.diagnostics if d.code == "E0622"]
    if governed == "one":
        assert ["`two`" in d.message for d in told] == [True]
        assert not found.builds
    else:
        assert told == []
        verdicts = {b.site.name: b.fidelity.rules[0].verdict for b in found.builds}
        assert verdicts["net"] is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize("wish", ["no-tls-inspection", "tls-inspection"])
def test_what_another_rule_lets_through_of_a_rule_that_is_gone_is_told(wish):
    by_name = f'allow a "A" {{ to a.example.com ports 443 {wish} }}'

    def change(name, part):
        return gone(part, Reason.NO_NAMES, "no names here") if name == "a" else part

    lost = report(site_of(by_name, 'allow b "B" { to 192.0.2.0/24 ports 443 }'), change)
    found = reasons(lost["a"])["tls-unenforced"]
    assert (found.example.host, found.example.port) == ("a.example.com", 443)
    # Nothing lets these flows through: there is nothing to inspect.
    for other in ("192.0.2.0/24 ports 80", "b.example.com ports 443"):
        assert "tls-unenforced" not in reasons(report(site_of(by_name, f'allow b "B" {{ to {other} }}'), change)["a"])
