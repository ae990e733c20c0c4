"""What a fidelity report says, and what it must not pass over: each claim from the table of approximation reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from support import everything_of

from egressc.announce import announcements
from egressc.approximate import (
    by_address,
    change,
    default_steps,
    drop_account,
    drop_exceptions,
    gone,
    left_out,
    map_hosts,
    note,
    use_fallback,
    with_apex,
    with_depth,
    with_endpoints,
)
from egressc.diagnostics import Level
from egressc.fidelity import Grading, Verdict, assess
from egressc.inventory import Acceptance
from egressc.lowering import BrokenLoweringError, Lowering, SiteStep
from egressc.parts import parts_of
from egressc.policy import AddressEndpoint
from egressc.reasons import Effect, Reason
from egressc.services import ALL_PORTS

INVENTORY = """
groups:
  one: {networks: [10.0.0.1, "2001:db8::1"], parameters: {region: north}}
  two: {networks: [10.0.0.2], parameters: {region: south}}
firewalls:
  fw: {target: iptables, settings: {mode: gateway}}
"""
TODAY = date(2026, 11, 22)


def policy(*rules):
    return "\n".join(
        [
            'service-account acc "A" { linux-user u }',
            'service-account bcc "B" { linux-user w }',
            'parameter region "R"',
            'policy p "P" { from one two',
            *rules,
            "}",
        ]
    )


def keep_family(part, family, sentence):
    """What a target does that carries one IP version only."""
    reach = part.reach
    endpoints = []
    for endpoint in reach.endpoints:
        if isinstance(endpoint, AddressEndpoint):
            left = endpoint.addresses.family(family)
            if left.is_empty:
                continue
            endpoint = AddressEndpoint(left)  # noqa: PLW2901
        endpoints.append(endpoint)
    if not endpoints:
        return gone(part, Reason.FAMILY, sentence)
    after = replace(with_endpoints(reach, tuple(endpoints)), source_families=frozenset({family}))
    return change(part, Reason.FAMILY, after, sentence)


def site_of(*rules, **changes):
    return replace(everything_of(policy(*rules), INVENTORY), name="fw", firewall="fw", target="fake", **changes)


def lowering(site, *steps, only=None, **options):
    """All parts, each taken through the steps (those of the rules named ``only``)."""
    parts = []
    for rule in site.rules:
        for part in parts_of(rule):
            some = [part]
            if only is None or rule.identity in only:
                for step in steps:
                    some = [new for each in some for new in _tuple(step(each))]
            parts += some
    return Lowering(None, tuple(parts), **options)


def _tuple(value):
    return value if isinstance(value, tuple) else (value,)


def grading(*acceptances, everywhere=(), strict=False, enforced=lambda *_: False):
    return Grading(acceptances, frozenset(everywhere), strict, TODAY, enforced)


def report_of(site, made, grade=None):
    report = assess(site, made, grade or grading())
    return {rule.rule.identity.removeprefix("p/"): rule for rule in report.rules}, report


def no_account(part):
    return drop_account(part, "no accounts")


def depth(part):
    return map_hosts(part, Reason.DEPTH, with_depth, "names below")


def reasons(rule):
    return {a.reason.value: a for a in rule.approximations}


WEB = 'allow web "W" { to a.test.io ports 443 as acc }'


def test_a_step_that_changes_a_decision_is_reported_with_a_flow():
    rules, _ = report_of(*_with(site_of(WEB), no_account))
    (found,) = rules["web"].approximations
    assert (found.reason, found.effect, found.level, found.accepted) == (
        Reason.ACCOUNT,
        Effect.WIDER,
        Level.WARNING,
        False,
    )
    flow = found.example
    assert (flow.account, flow.host, flow.port, flow.transport) == (None, "a.test.io", 443, "tcp")
    assert flow.group in {"one", "two"}
    assert rules["web"].verdict is Verdict.WIDER


def _with(site, *steps, **options):
    return site, lowering(site, *steps, **options)


def test_a_step_that_changes_nothing_is_not_reported():
    everybody = 'allow all "A" { to *.test.io ports 1-1024/tcp }'
    rules, report = report_of(*_with(site_of(WEB, everybody), no_account))
    assert rules["web"].approximations == ()
    assert rules["web"].verdict is Verdict.EXACT
    assert not list(announcements(report))
    # What a deny stops anyway is not let through either.
    rules, _ = report_of(*_with(site_of(WEB, 'deny not "N" { to a.test.io ports 443 }'), no_account))
    assert rules["web"].approximations == ()


def test_only_part_of_what_is_added_need_be_new():
    # The example that comes to mind first, a.test.io, is one that the rule itself allows.
    rules, _ = report_of(*_with(site_of('allow web "W" { to test.io a*.test.io ports 443 }'), depth))
    host = reasons(rules["web"])["depth"].example.host
    assert host.endswith(".test.io")
    assert not (host.count(".") == 2 and host.startswith("a"))


def test_what_a_left_out_deny_would_have_stopped_counts_as_let_through():
    site = site_of('allow web "W" { to test.io ports 443 }', 'deny below "D" { to *.test.io ports 443 }')
    made = lowering(site, depth, only=("p/web",))
    parts = tuple(left_out(p) if p.rule.is_deny else p for p in made.parts)
    rules, report = report_of(site, Lowering(None, parts))
    assert reasons(rules["web"])["depth"].example.host.endswith(".test.io")
    assert rules["below"].verdict is Verdict.OMITTED
    assert "N0623" not in [d.code for d in announcements(report)]
    (told,) = [d for d in announcements(report) if d.code == "E0621"]
    assert "`p/below`" in told.message
    assert "`p/web`" in told.message
    assert ".test.io" in told.label
    # With the deny written, nothing is let through.
    rules, _ = report_of(site, made)
    assert rules["web"].approximations == ()


def test_what_two_rules_lose_together_is_lost():
    both = ['allow r1 "R" { to "x" ports 443/tcp }', 'allow r2 "R" { to "x" ports 443/tcp }']
    site = site_of(*(r.replace('"x"', "2001:db8:1::/48") for r in both))
    made = lowering(site, lambda part: keep_family(part, 4, "no IPv6"))
    rules, _ = report_of(site, made)
    for name in ("r1", "r2"):
        (found,) = rules[name].approximations
        assert (found.reason, found.effect, found.level) == (Reason.FAMILY, Effect.NARROWER, Level.WARNING)
        assert found.example.address.startswith("2001:db8:1:")
        assert rules[name].verdict is Verdict.OMITTED
    # While the other still says it, nothing is lost.
    made = lowering(site, lambda part: keep_family(part, 4, "no IPv6"), only=("p/r1",))
    rules, _ = report_of(site, made)
    assert rules["r1"].approximations == ()
    assert rules["r1"].verdict is Verdict.OMITTED


def test_a_part_that_another_part_of_the_rule_covers_is_not_lost():
    site = site_of('allow r "R" { to a.test.io any-address ports 443 }')
    made = lowering(site, lambda p: gone(p, Reason.NO_NAMES, "no names") if p.kind.value == "names" else p)
    rules, _ = report_of(site, made)
    assert rules["r"].approximations == ()
    assert rules["r"].verdict is Verdict.EXACT


def test_the_loss_that_is_shown_is_one_of_the_policy():
    site = site_of('allow r "R" { to a.test.io ports 443 as acc }')
    made = lowering(site, no_account, lambda part: keep_family(part, 4, "no IPv6"))
    rules, _ = report_of(site, made)
    lost = reasons(rules["r"])["family"].example
    assert (lost.account, lost.family, lost.group) == ("acc", 6, "one")
    assert rules["r"].verdict is Verdict.BOTH


def test_a_widened_part_that_is_gone_adds_nothing():
    site = site_of(WEB)
    rules, _ = report_of(site, lowering(site, no_account, lambda p: gone(p, Reason.PORTS, "cannot be said")))
    (found,) = rules["web"].approximations
    assert (found.reason, found.effect, found.level) == (Reason.PORTS, Effect.NARROWER, Level.ERROR)
    assert found.example.account == "acc"
    assert rules["web"].verdict is Verdict.OMITTED


def test_a_deny_that_takes_in_an_allowed_flow_is_an_error_whatever_is_accepted():
    site = site_of('allow web "W" { to a.test.io ports 443 as acc }', 'deny not "N" { to a.test.io ports 443 as bcc }')
    grade = grading(Acceptance(reason="account", span=None), everywhere=("account",))
    rules, report = report_of(site, lowering(site, no_account, only=("p/not",)), grade)
    (cut,) = report.cuts
    assert (cut.deny.identity, cut.allow.identity, cut.reason) == ("p/not", "p/web", Reason.ACCOUNT)
    assert (cut.example.account, cut.example.host) == ("acc", "a.test.io")
    (told,) = announcements(report)
    assert (told.code, told.level) == ("E0621", Level.ERROR)
    assert told.related[0].span == site.rules[1].rule.span
    assert rules["not"].approximations == ()


def test_a_deny_is_held_against_the_allows_of_accounts_that_share_processes_with_its_own():
    allow, deny = 'allow web "W" { to a.test.io ports 443 as acc }', 'deny not "N" { to *.a.test.io ports 443 as bcc }'
    site = site_of(allow, deny)

    def apart(*overlapping):
        made = lowering(site, lambda p: map_hosts(p, Reason.APEX, with_apex, "with its base"), only=("p/not",))
        return report_of(site, replace(made, overlapping=overlapping))[1].cuts

    assert apart() == ()
    (cut,) = apart(("acc", frozenset({"bcc"})), ("bcc", frozenset({"acc"})))
    assert (cut.deny.identity, cut.allow.identity, cut.reason) == ("p/not", "p/web", Reason.APEX)
    assert (cut.example.account, cut.example.host) == ("acc", "a.test.io")


def test_a_deny_that_is_lost_is_missed_by_every_account_that_shares_its_processes():
    allow, deny = 'allow web "W" { to a.test.io ports 443 as acc }', 'deny not "N" { to a.test.io ports 443 as bcc }'
    site = site_of(allow, deny)
    both = (("acc", frozenset({"bcc"})), ("bcc", frozenset({"acc"})))
    lost = lowering(site, lambda p: gone(p, Reason.ORDER, "cannot stand first"), only=("p/not",))
    rules, _ = report_of(site, lost)
    assert rules["not"].left_out
    rules, _ = report_of(site, replace(lost, overlapping=both))
    (found,) = rules["not"].approximations
    assert (found.effect, found.example.account) == (Effect.WIDER, "acc")
    with pytest.raises(BrokenLoweringError, match="an allow lets this through"):
        report_of(site, replace(lowering(site, left_out, only=("p/not",)), overlapping=both))


def test_a_deny_that_is_widened_without_meeting_an_allow_changes_nothing_behind_a_closing_deny():
    site = site_of('allow web "W" { to b.test.io ports 443 }', 'deny not "N" { to a.test.io ports 443 as bcc }')
    made = lowering(site, no_account, only=("p/not",))
    rules, report = report_of(site, made)
    assert rules["not"].verdict is Verdict.EXACT
    assert not report.cuts
    # Without one, it decides flows that no rule of the policy matches.
    open_site = replace(site, closing_deny=False)
    rules, _ = report_of(open_site, lowering(open_site, no_account, only=("p/not",)))
    assert reasons(rules["not"])["account"].effect is Effect.NARROWER


def test_a_deny_that_is_lost_lets_an_allow_through():
    allow, deny = 'allow web "W" { to *.test.io ports 443 }', 'deny not "N" { to a.test.io ports 443 }'
    site = site_of(allow, deny)
    rules, _ = report_of(site, lowering(site, lambda p: gone(p, Reason.ORDER, "cannot stand first"), only=("p/not",)))
    (found,) = rules["not"].approximations
    assert (found.reason, found.effect, found.level) == (Reason.ORDER, Effect.WIDER, Level.ERROR)
    assert found.example.host == "a.test.io"
    # If it meets no allow, nothing is decided otherwise: it is left out, with a note.
    site = site_of(allow.replace("*.test.io", "b.test.io"), deny)
    rules, report = report_of(site, lowering(site, lambda p: gone(p, Reason.ORDER, "x"), only=("p/not",)))
    assert rules["not"].approximations == ()
    assert rules["not"].left_out
    assert [d.code for d in announcements(report)] == ["N0623"]


def test_a_deny_of_a_family_that_the_target_does_not_carry_is_only_noted():
    site = site_of(
        'deny not "N" { to 2001:db8:1::/48 192.0.2.1 ports 443/tcp }', 'allow a "A" { to any-address ports 443/tcp }'
    )
    rules, _ = report_of(site, lowering(site, lambda part: keep_family(part, 4, "no IPv6"), only=("p/not",)))
    (found,) = rules["not"].approximations
    assert (found.effect, found.level) == (Effect.NONE, Level.NOTE)
    assert rules["not"].verdict is Verdict.EXACT


def test_a_rule_that_a_target_forgets_is_a_defect():
    site = site_of(WEB, 'allow other "O" { to b.test.io ports 443 }')
    parts = lowering(site).parts
    with pytest.raises(BrokenLoweringError, match=r"`p/other` on `fw` \(fake\): it has no part"):
        assess(site, Lowering(None, tuple(p for p in parts if p.rule.identity != "p/other")), grading())
    other = site_of(WEB)
    with pytest.raises(BrokenLoweringError, match="is no rule of `fw`"):
        assess(site, Lowering(None, (*parts, *lowering(other).parts)), grading())


def test_a_part_that_a_target_forgets_is_a_defect():
    site = site_of('allow r "R" { to a.test.io 192.0.2.1 ports 443 80 }')
    parts = lowering(site).parts
    assert len(parts) == 3
    for missing in parts:
        with pytest.raises(BrokenLoweringError, match=r"`p/r` on `fw` \(fake\): no part begins with this flow"):
            assess(site, Lowering(None, tuple(p for p in parts if p is not missing)), grading())


def test_a_part_that_begins_beyond_its_rule_is_a_defect():
    site = site_of('allow r "R" { to a.test.io ports 443 }', 'allow s "S" { to b.test.io ports 443 }')
    one, two = lowering(site).parts
    more = with_endpoints(one.start, (*one.start.endpoints, *two.start.endpoints))
    with pytest.raises(BrokenLoweringError, match=r"a part begins with `b.test.io`, which the rule lacks"):
        assess(site, Lowering(None, (replace(one, start=more, reach=more), two)), grading())


def test_a_change_without_a_step_is_a_defect():
    site = site_of(WEB)
    (part,) = lowering(site).parts
    wider = no_account(part)
    with pytest.raises(BrokenLoweringError, match="a part changed without a step that says so"):
        assess(site, Lowering(None, (replace(part, reach=wider.reach),)), grading())
    with pytest.raises(BrokenLoweringError, match="a part changed without a step that says so"):
        assess(site, Lowering(None, (replace(wider, reach=None),)), grading())
    with pytest.raises(BrokenLoweringError, match="does not begin where the part stands"):
        assess(site, Lowering(None, (replace(wider, steps=(*wider.steps, *wider.steps)),)), grading())


def test_a_deny_that_decides_something_cannot_be_left_out():
    deny = 'deny not "N" { to a.test.io ports 443 }'
    site = site_of('allow web "W" { to *.test.io ports 443 }', deny)
    with pytest.raises(BrokenLoweringError, match=r"an allow lets this through: one → a\.test\.io:443"):
        assess(site, lowering(site, left_out, only=("p/not",)), grading())
    open_site = site_of(deny, closing_deny=False)
    with pytest.raises(BrokenLoweringError, match="no closing deny makes up for it"):
        assess(open_site, lowering(open_site, left_out), grading())
    allow = site_of(WEB)
    with pytest.raises(BrokenLoweringError, match="no closing deny makes up for it"):
        assess(allow, lowering(allow, left_out), grading())
    inside = site_of('deny not "N" { to 10.1.0.0/16 ports 443/tcp as acc }')
    with pytest.raises(BrokenLoweringError, match=r"the closing deny leaves 10\.0\.0\.0/8"):
        assess(inside, lowering(inside, left_out), grading())


def test_another_deny_may_stop_what_a_left_out_one_is_for():
    site = site_of(
        'allow web "W" { to *.test.io ports 443 }',
        'deny not "N" { to a.test.io ports 443 as acc }',
        'deny all "N" { to a.test.io ports 443 }',
    )
    rules, _ = report_of(site, lowering(site, left_out, only=("p/not",)))
    assert rules["not"].verdict is Verdict.OMITTED


@pytest.mark.parametrize(
    ("acceptance", "accepted", "why"),
    [
        (Acceptance(reason="account", span=None), True, ""),
        (Acceptance(reason="account", span=None, rules="p/web", why="RISK-1"), True, "RISK-1"),
        (Acceptance(reason="account", span=None, rules="p/*", why="RISK-1"), True, "RISK-1"),
        (Acceptance(reason="account", span=None, rules="q/*"), False, ""),
        (Acceptance(reason="account", span=None, rules="web"), False, ""),
        (Acceptance(reason="path", span=None), False, ""),
        (Acceptance(reason="account", span=None, until=TODAY), True, ""),
        (Acceptance(reason="account", span=None, until=date(2026, 11, 21)), False, ""),
    ],
)
def test_acceptance_has_a_scope_a_why_and_an_end(acceptance, accepted, why):
    site = site_of(WEB)
    rules, _ = report_of(site, lowering(site, no_account), grading(acceptance))
    (found,) = rules["web"].approximations
    assert (found.accepted, found.why) == (accepted, why)
    assert found.level is (Level.NOTE if accepted else Level.WARNING)
    rules, _ = report_of(site, lowering(site, no_account), grading(acceptance, strict=True))
    assert rules["web"].approximations[0].level is (Level.NOTE if accepted else Level.ERROR)


def test_errors_can_be_accepted_and_notes_stay_notes():
    site = site_of('allow r "R" { to *.test.io except a.test.io ports 443 }')
    made = lowering(site, lambda p: drop_exceptions(p, "cannot subtract"), lambda p: by_address(p, "by address"))
    rules, _ = report_of(site, made, grading(strict=True))
    assert reasons(rules["r"])["except"].level is Level.ERROR
    assert reasons(rules["r"])["resolved-address"].level is Level.NOTE
    rules, _ = report_of(site, made, grading(everywhere=("except",)))
    assert reasons(rules["r"])["except"].level is Level.NOTE
    assert reasons(rules["r"])["except"].accepted


def test_the_account_is_only_a_note_where_a_host_firewall_enforces_it_for_the_whole_group():
    site = site_of(WEB)
    for enforced, level in (
        (lambda rule, group: rule == "p/web", Level.NOTE),
        (lambda rule, group: rule == "p/web" and group == "one", Level.WARNING),
        (lambda rule, group: False, Level.WARNING),
    ):
        rules, _ = report_of(site, lowering(site, no_account), grading(enforced=enforced))
        assert reasons(rules["web"])["account"].level is level
        assert not reasons(rules["web"])["account"].accepted


def test_of_several_parts_the_most_serious_level_is_kept():
    site = site_of('allow web "W" { to x-${region}.test.io ports 443 as acc }')
    assert [rule.part for rule in site.rules] == ["one", "two"]
    made = lowering(site, no_account)
    rules, _ = report_of(site, made, grading(enforced=lambda _, group: group == "one"))
    (found,) = rules["web"].approximations
    assert found.level is Level.WARNING
    assert found.example.group == "two"


def test_the_whole_artefact_is_graded_too():
    site = site_of(WEB, default_deny=False, closing_deny=False)
    steps = (*default_steps(site), SiteStep(Reason.INFRASTRUCTURE, "its resolver"))
    _, report = report_of(site, lowering(site, site_steps=steps))
    assert [(a.reason.value, a.level) for a in report.whole] == [
        ("default", Level.NOTE),
        ("infrastructure", Level.NOTE),
    ]
    unbound = site_of(WEB, closing_deny=False)
    made = lowering(unbound, site_steps=default_steps(unbound))
    assert [a.level for a in report_of(unbound, made)[1].whole] == [Level.WARNING]
    scoped = Acceptance(reason="default", span=None, rules="p/*")
    assert [a.level for a in report_of(unbound, made, grading(scoped))[1].whole] == [Level.WARNING]
    every = Acceptance(reason="default", span=None, why="pilot")
    assert [(a.level, a.why) for a in report_of(unbound, made, grading(every))[1].whole] == [(Level.NOTE, "pilot")]
    assert [a.level for a in report_of(unbound, made, grading(strict=True))[1].whole] == [Level.ERROR]
    assert default_steps(site_of(WEB)) == ()


def test_a_remark_changes_no_flow():
    site = site_of(WEB)
    rules, _ = report_of(site, lowering(site, lambda p: note(p, Reason.LOG, "no log there")))
    (found,) = rules["web"].approximations
    assert (found.effect, found.level, found.example) == (Effect.NONE, Level.NOTE, None)
    assert rules["web"].verdict is Verdict.EXACT
    rules, _ = report_of(site, lowering(site, lambda p: note(p, Reason.APPLICATION, "a filter")))
    assert rules["web"].verdict is Verdict.NARROWER
    assert rules["web"].approximations[0].level is Level.NOTE


def test_a_fallback_adds_the_addresses():
    text = policy('allow r "R" { to names ports 443 }').replace(
        "policy p", 'endpoints names "N" { a.test.io fallback { 192.0.2.0/24 } }\npolicy p'
    )
    site = everything_of(text, INVENTORY)
    rules, _ = report_of(site, lowering(site, lambda p: use_fallback(p, "no names")))
    (found,) = rules["r"].approximations
    assert (found.reason, found.effect) == (Reason.FALLBACK, Effect.WIDER)
    assert found.example.host is None
    assert found.example.address.startswith("192.0.2.")


def test_a_fallback_never_stands_in_for_the_names_of_a_deny():
    text = policy('deny d "D" { to names ports 443/tcp }', 'allow a "A" { to 203.0.113.0/24 ports 443/tcp }').replace(
        "policy p", 'endpoints names "N" { a.test.io fallback { 192.0.2.0/24 } }\npolicy p'
    )
    site = everything_of(text, INVENTORY)
    rules, report = report_of(site, lowering(site, lambda p: use_fallback(p, "no names"), only=("p/d",)))
    (found,) = rules["d"].approximations
    assert (found.reason, found.effect, found.level) == (Reason.NO_NAMES, Effect.WIDER, Level.ERROR)
    # What the deny is for, at an address that only the allow names.
    assert (found.example.host, found.example.address) == ("a.test.io", "203.0.113.10")
    (told,) = announcements(report)
    assert "name addresses in the deny" in told.help


def test_an_opaque_tag_that_is_no_longer_excepted_is_reported():
    site = site_of('allow r "R" { to any-address except service-tag Storage ports 443/tcp }')
    rules, _ = report_of(site, lowering(site, lambda p: drop_exceptions(p, "unknown addresses")))
    assert reasons(rules["r"])["except"].level is Level.ERROR


def test_names_and_assumptions_of_all_parts_are_collected():
    site = site_of('allow r "R" { to a.test.io 192.0.2.1 ports 443 80 }')
    made = lowering(site)
    parts = tuple(
        replace(p, names=(f"n{i}", "shared"), assumptions=("b", "a")[i % 2 :]) for i, p in enumerate(made.parts)
    )
    rules, _ = report_of(site, Lowering(None, parts))
    assert rules["r"].names == ("n0", "shared", "n1", "n2")
    assert rules["r"].assumptions == ("a", "b")
    assert [r.value for r in rules["r"].recognised_by] == ["sni", "host", "none"]


def test_the_flow_that_shows_a_change_is_not_one_of_an_address_rule():
    addresses = 'allow net "N" { to 192.0.2.0/24 ports 443/tcp }'
    rules, _ = report_of(*_with(site_of(WEB, addresses), no_account))
    assert not reasons(rules["web"])["account"].example.address.startswith("192.0.2.")
    every = 'allow net "N" { to any-address ports 443/tcp }'
    rules, _ = report_of(*_with(site_of(WEB, every), no_account))
    assert rules["web"].approximations == ()
    other = 'allow net "N" { to any-address ports 444/tcp }'
    rules, _ = report_of(*_with(site_of(WEB, other), no_account))
    assert reasons(rules["web"])["account"].example.address is None


def test_a_change_of_ports_that_no_reason_of_ours_makes_is_still_compared(monkeypatch):
    monkeypatch.setattr("egressc.fidelity_integrity.breach", lambda *_: None)
    site = site_of('allow r "R" { to a.test.io ports 443 }')

    def every_port(part):
        reach = part.reach
        wider = type(reach)(reach.groups, reach.accounts, reach.endpoints, reach.exceptions, ALL_PORTS)
        return change(part, Reason.DEPTH, wider, "every port")

    rules, _ = report_of(site, lowering(site, every_port))
    assert reasons(rules["r"])["depth"].example.port != 443
