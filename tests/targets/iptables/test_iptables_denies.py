"""Denies and exceptions: what the files decide, read by a machine that knows nothing of egressc."""

import pytest
from iptables_machine import Packet
from iptables_policies import errors, inventory, machine, policy, verdict
from support import compilation_of, lowering_of

from egressc.diagnostics import Level


def test_a_deny_by_address_stands_above_the_allows():
    m = machine(
        'allow r "R" { to 203.0.113.0/24 y.com ports 443 80 }\ndeny s "S" { to 203.0.113.7 198.51.100.6 ports 443 53/udp }'
    )
    assert m.decide(Packet("203.0.113.7", 443)) == "REJECT --reject-with tcp-reset"
    assert m.decide(Packet("203.0.113.7", 53, proto="udp")) == "REJECT --reject-with icmp-admin-prohibited"
    assert m.comment(Packet("203.0.113.7", 443)) == "p/s: S"
    assert m.decide(Packet("203.0.113.7", 80)).startswith("ACCEPT")
    assert verdict(m, "y.com") == "REJECT"
    assert verdict(m, "y.com", 80) == "ACCEPT"


DENY = 'allow r "R" { to x.com *.x.com ports 443 80 }\n'


@pytest.mark.parametrize("family", [4, 6])
def test_a_deny_by_name_cuts_its_names_out_of_the_allows(family):
    m = machine(DENY + 'deny s "S" { to a.x.com *.a.x.com ports 443 80 }', family=family)
    for host, word in (("x.com", "ACCEPT"), ("c.x.com", "ACCEPT"), ("a.x.com", "REJECT"), ("b.a.x.com", "REJECT")):
        assert verdict(m, host) == word
        assert verdict(m, host, 80) == word


def test_a_deny_by_name_cuts_only_what_it_covers():
    rules = DENY + 'deny s "S" { to a.x.com *.a.x.com ports 443 as one }'
    m = machine(rules)
    for host, port, uid, word in [
        ("a.x.com", 443, "alice", "REJECT"), ("a.x.com", 443, "bob", "ACCEPT"), ("a.x.com", 80, "alice", "ACCEPT"),
        ("b.a.x.com", 443, "alice", "REJECT"), ("c.x.com", 443, "alice", "ACCEPT"), ("c.x.com", 80, "bob", "ACCEPT"),
        ("y.com", 443, "bob", "REJECT"),
    ]:  # fmt: skip
        assert verdict(m, host, port, uid=uid) == word, (host, port, uid)


def test_denies_of_accounts_with_several_kinds():
    rules = 'allow r "R" { to x.com *.x.com ports 443 }\ndeny s "S" { to a.x.com *.a.x.com ports 443 as two }'
    m = machine(rules)
    for uid, cgroup, word in [("bob", "s.slice", "REJECT"), ("carol", "s.slice/x", "REJECT"), ("bob", "", "ACCEPT"),
                              ("root", "s.slice", "ACCEPT"), ("alice", "", "ACCEPT")]:  # fmt: skip
        assert verdict(m, "a.x.com", uid=uid, cgroup=cgroup) == word, (uid, cgroup)
        assert verdict(m, "c.x.com", uid=uid, cgroup=cgroup) == "ACCEPT"


def test_a_process_of_two_accounts_is_denied_what_either_is():
    rules = 'allow r "R" { to x.com *.x.com ports 443 as three }\ndeny s "S" { to a.x.com *.a.x.com ports 443 as one }'
    m = machine(rules)
    # The two accounts are disjoint in the policy, so the deny meets no allow there; on the host one process may be both.
    assert verdict(m, "a.x.com", uid="alice", cgroup="t.slice") == "REJECT"
    assert verdict(m, "a.x.com", uid="root", cgroup="t.slice") == "ACCEPT"


def test_a_deny_below_a_widened_allow_still_denies():
    rules = 'allow r "R" { to x.com ports 443 }\ndeny s "S" { to a.x.com ports 443 }'
    m = machine(rules)
    assert verdict(m, "x.com") == "ACCEPT"
    assert verdict(m, "a.x.com") == "REJECT"
    assert verdict(m, "c.x.com") == "ACCEPT", "announced as depth"


def test_a_deny_that_takes_in_more_and_meets_an_allow_is_an_error():
    found = errors('allow r "R" { to *.x.com ports 443 }\ndeny s "S" { to *.a.x.com ports 443 }')
    assert [d.code for d in found] == ["E0621"]


def test_a_deny_that_meets_no_allow_is_left_to_the_closing_deny():
    rules = 'allow r "R" { to y.com ports 443 }\ndeny s "S" { to a.x.com ports 443 }'
    lowering = lowering_of(policy(rules), inventory(), "f")
    (part,) = [p for p in lowering.parts if p.rule.is_deny]
    assert part.left_out
    assert part.reach is None
    assert verdict(machine(rules), "a.x.com") == "REJECT"


def test_without_a_closing_deny_a_deny_by_name_is_rejected_below_the_allows():
    m = machine('allow r "R" { to c.x.com ports 443 }\ndeny s "S" { to x.com *.x.com ports 443 }'.replace("c.x.com", "y.com"),
                settings="{default-deny: false}")  # fmt: skip
    assert verdict(m, "a.x.com") == "REJECT"
    assert m.comment(Packet("198.51.100.2", 443)) == "p/s: S"
    assert verdict(m, "y.com") == "ACCEPT"
    assert verdict(m, "evilx.com") == "RETURN"
    assert verdict(m, "a.x.com", 80) == "RETURN"


def test_without_a_closing_deny_a_cut_name_is_rejected():
    m = machine(DENY + 'deny s "S" { to a.x.com *.a.x.com ports 443 }', settings="{default-deny: false}")
    assert [verdict(m, h) for h in ("x.com", "a.x.com", "b.a.x.com", "evilx.com")] == [
        "ACCEPT",
        "REJECT",
        "REJECT",
        "RETURN",
    ]
    assert [verdict(m, h, 80) for h in ("x.com", "a.x.com")] == ["ACCEPT", "ACCEPT"]


def test_a_deny_by_name_cannot_be_placed_before_an_allow_by_address():
    found = errors('allow r "R" { to 198.51.100.0/24 ports 443 }\ndeny s "S" { to x.com *.x.com ports 443 }')
    assert [d.code for d in found] == ["E0613"]
    assert errors('allow r "R" { to 198.51.100.0/24 ports 80 }\ndeny s "S" { to x.com *.x.com ports 443 }') == []


@pytest.mark.parametrize("family", [4, 6])
def test_exceptions_of_names(family):
    m = machine('allow r "R" { to *.x.com x.com except a.x.com *.a.x.com ports 443 }', family=family)
    assert [verdict(m, h) for h in ("x.com", "c.x.com", "a.x.com", "b.a.x.com")] == [
        "ACCEPT",
        "ACCEPT",
        "REJECT",
        "REJECT",
    ]


def test_an_exception_of_one_rule_is_none_of_another():
    m = machine(
        'allow r "R" { to *.x.com x.com except a.x.com *.a.x.com ports 443 }\nallow s "S" { to b.a.x.com ports 443 80 }'
    )
    assert [verdict(m, h) for h in ("c.x.com", "a.x.com", "b.a.x.com")] == ["ACCEPT", "REJECT", "ACCEPT"]
    assert [verdict(m, h, 80) for h in ("c.x.com", "b.a.x.com")] == ["REJECT", "ACCEPT"]


def test_an_exception_of_a_deny_gives_the_name_back():
    m = machine(DENY + 'deny s "S" { to a.x.com *.a.x.com except b.a.x.com *.b.a.x.com ports 443 80 }')
    assert [verdict(m, h) for h in ("c.x.com", "a.x.com", "b.a.x.com")] == ["ACCEPT", "REJECT", "ACCEPT"]


@pytest.mark.parametrize("to", ["*.x.com except a.x.com", "*.x.com except *.a.x.com", "*.x.com except a*.x.com",
                                "198.51.100.0/24 except a.x.com"])  # fmt: skip
def test_an_exception_that_cannot_be_said_is_an_error(to):
    found = errors(f'allow r "R" {{ to {to} ports 443 }}')
    assert "E0608" in [d.code for d in found]


def test_addresses_taken_out_of_names():
    m = machine('allow r "R" { to *.x.com x.com except 198.51.100.2 2001:db8:f::/127 ports 443 }')
    assert [verdict(m, h) for h in ("x.com", "a.x.com", "c.x.com")] == ["ACCEPT", "REJECT", "ACCEPT"]
    six = machine('allow r "R" { to *.x.com x.com except 198.51.100.2 2001:db8:f::/127 ports 443 }', family=6)
    assert [verdict(six, h) for h in ("x.com", "a.x.com", "c.x.com")] == ["REJECT", "ACCEPT", "ACCEPT"]


ANOTHER = 'from g }\nservice-account other "Other" { linux-user other }\npolicy q "Q" { from g'
OTHERS = 'allow r "R" { to any-address ports 22/tcp as three }\n'


def test_a_process_of_two_accounts_makes_two_rules_meet():
    # `one` is a user and `three` a control group, so one process may be both: what is denied to the one must not be let
    # through to the other. Two users are two.
    deny = 'deny s "S" { to x.com *.x.com ports 22/tcp as one }'
    for settings in ("{}", "{default-deny: false}"):
        assert [d.code for d in errors(OTHERS + deny, settings)] == ["E0613"]
        assert errors(OTHERS.replace("three", "other") + deny, settings, policy_settings=ANOTHER) == []


def test_a_deny_is_not_left_out_where_a_process_of_two_accounts_would_need_it():
    rules = (
        'deny s "S" { to a.x.com ports 443 as one }\nallow r "R" { to b.a.x.com ports 443 as one }\n'
        'allow t "T" { to *.x.com x.com ports 443 as three }'
    )
    assert [d.code for d in errors(rules)] == ["E0621"]


def test_what_is_refused_beyond_a_deny_is_said_as_narrower():
    def effects(rules, settings):
        result = compilation_of(policy(rules), inventory(settings))
        (build,) = result.builds
        (report,) = [each for each in build.fidelity.rules if each.rule.identity == "p/s"]
        return [(each.reason.value, each.effect.value) for each in report.approximations]

    deny = 'deny s "S" { to a.x.com *.a.x.com ports 443 }'
    narrower, wider = ("resolved-address", "narrower"), ("resolved-address", "wider")
    assert effects(deny, "{default-deny: false}") == [narrower]
    assert effects(DENY + deny, "{default-deny: false}") == [narrower, wider]
    assert effects(DENY + deny, "{}") == [wider]


def test_a_deny_that_takes_a_domain_along_is_held_against_another_account_of_the_same_process():
    """A process of that user in that control group would lose `a.x.com`, which only the other account is allowed."""
    text = """
service-account one "One" { linux-user one }
service-account two "Two" { linux-cgroup system.slice/two.service }
policy p "P" { from g
    deny d "D" { to *.a.x.com ports 80 as one }
    allow a "A" { to x.com *.x.com ports 80 as %s }
}"""
    place = "groups: {g: {networks: [10.0.0.1]}}\nfirewalls: {l: {target: iptables}}\n"
    cut = [d for d in compilation_of(text % "two", place).diagnostics if d.code == "E0621"]
    assert ["g as two → a.x.com:80" in d.label for d in cut] == [True]
    apart = text.replace("linux-cgroup system.slice/two.service", "linux-user two")
    assert not [d for d in compilation_of(apart % "two", place).diagnostics if d.level is Level.ERROR]


def test_what_a_deny_by_name_leaves_open_at_an_address_is_shown_and_hides_no_other_difference():
    rules = (
        'allow a "A" { to 203.0.113.70 except *.x.com ports 443 }\n'
        'deny d "D" { to x.com ports 443 }'  # here that is the whole domain
    )
    result = compilation_of(policy(rules), inventory(), firewalls=("f",), accept=("except", "order"))
    (build,) = result.builds
    shown = {
        (found.rule.identity, each.reason.value): each.example
        for found in build.fidelity.rules
        for each in found.approximations
    }
    order, left = shown["p/d", "order"], shown["p/a", "except"]
    assert (order.address, order.host) == ("203.0.113.70", "x.com")
    assert (left.address, left.host.endswith(".x.com")) == ("203.0.113.70", True)
