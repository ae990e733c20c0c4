"""Every row of the lowering table: what the files decide, read by a machine that knows nothing of egressc."""

from datetime import date

import pytest
from iptables_machine import Machine, Packet
from support import artefacts_of, compilation_of, lowering_of

from egressc.diagnostics import has_errors
from egressc.reasons import Reason

WORLD = {
    "x.com": ["198.51.100.1", "2001:db8:f::1"],
    "a.x.com": ["198.51.100.2", "2001:db8:f::2"],
    "b.a.x.com": ["198.51.100.3", "2001:db8:f::3"],
    "c.x.com": ["198.51.100.4", "2001:db8:f::4"],
    "evilx.com": ["198.51.100.5", "2001:db8:f::5"],
    "y.com": ["198.51.100.6", "2001:db8:f::6"],
    "inside.x.com": ["10.9.9.9"],
}
GROUPS = """
groups:
  g: {networks: [10.20.0.0/24, "2001:db8:20::/64"]}
  h: {networks: [10.30.0.0/24]}
  open: {}
"""
ACCEPT = "accept: [path, apex, depth, label-wildcard, source, account, tls-scope]"
ACCOUNTS = """
service-account one "One" { linux-user alice }
service-account two "Two" { linux-user bob carol linux-cgroup "s.slice" windows-account "X" }
service-account three "Three" { linux-cgroup "t.slice" }
"""


def inventory(settings="{}", groups="[g]", more=""):
    return f"{GROUPS}{more}\nfirewalls:\n  f: {{target: iptables, groups: {groups}, {ACCEPT}, settings: {settings}}}\n"


def policy(rules, settings="from g"):
    return f'{ACCOUNTS}\npolicy p "P" {{\n{settings}\n{rules}\n}}\n'


def machine(rules, settings="{}", groups="[g]", family=4, policy_settings="from g", more="", **options):
    files = artefacts_of(policy(rules, policy_settings), inventory(settings, groups, more), "f", **options)
    return Machine.of(files, family, WORLD)


def verdict(m, host, port=443, **how):
    address = next(a for a in WORLD[host] if (":" in a) is (m.family == 6))
    if m.family == 6:
        how.setdefault("src", "2001:db8:20::5")
    return m.decide(Packet(address, port, **how)).split()[0]


def verdict_in_nat(m, host):
    return m.decide(Packet(WORLD[host][0], 443), "nat").split()[0]


def reasons(rules, settings="{}", groups="[g]", policy_settings="from g"):
    lowering = lowering_of(policy(rules, policy_settings), inventory(settings, groups), "f")
    return [step.reason.value for part in lowering.parts for step in part.steps]


def errors(rules, settings="{}", groups="[g]", policy_settings="from g", more=""):
    result = compilation_of(policy(rules, policy_settings), inventory(settings, groups, more), firewalls=("f",))
    return [d for d in result.diagnostics if has_errors([d])]


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(("to", "allowed", "why"), [
    ("a.x.com", "a.x.com b.a.x.com", ["depth", "resolved-address"]),
    ("*.x.com", "x.com a.x.com b.a.x.com c.x.com", ["apex", "resolved-address"]),
    ("x.com *.x.com", "x.com a.x.com b.a.x.com c.x.com", ["resolved-address"]),
    ("b.*.x.com", "x.com a.x.com b.a.x.com c.x.com", ["label-wildcard", "apex", "resolved-address"]),
    ("a*.x.com", "x.com a.x.com b.a.x.com c.x.com", ["label-wildcard", "apex", "resolved-address"]),
    ("a.x.com/p", "a.x.com b.a.x.com", ["path", "depth", "resolved-address"]),
])  # fmt: skip
def test_hosts(to, allowed, why, family):
    rules = f'allow r "R" {{ to {to} ports 443/https }}'
    m = machine(rules, family=family)
    outside = [host for host in WORLD if host != "inside.x.com"]
    assert {host for host in outside if verdict(m, host) == "ACCEPT"} == set(allowed.split())
    assert {verdict(m, host, port=80) for host in outside} == {"REJECT"}
    assert reasons(rules) == why


@pytest.mark.parametrize("family", [4, 6])
def test_ports_and_transports(family):
    odd = " ".join(f"{n}/tcp" for n in range(1001, 1060, 2))
    m = machine(f'allow r "R" {{ to y.com ports 443 80 8000-8010/tls 53/udp {odd} 5000-5001/udp }}', family=family)
    for port in (443, 80, 8000, 8005, 8010, *range(1001, 1060, 2)):
        assert verdict(m, "y.com", port) == "ACCEPT", port
    for port in (442, 81, 7999, 8011, 1000, 1002, 1060, 53, 5000):
        assert verdict(m, "y.com", port) == "REJECT", port
    for port, word in ((53, "ACCEPT"), (443, "REJECT"), (5000, "ACCEPT"), (5001, "ACCEPT"), (5002, "REJECT")):
        assert verdict(m, "y.com", port, proto="udp") == word


def test_any_port_of_one_transport():
    m = machine('allow r "R" { to y.com ports any/tcp }')
    assert verdict(m, "y.com", 65535) == "ACCEPT"
    assert verdict(m, "y.com", 53, proto="udp") == "REJECT"


def test_how_the_rest_is_refused():
    for family, word in ((4, "icmp-admin-prohibited"), (6, "icmp6-adm-prohibited")):
        m = machine('allow r "R" { to y.com ports 443 }', family=family)
        dst = "198.51.100.99" if family == 4 else "2001:db8:f::99"
        assert m.decide(Packet(dst, 443)) == "REJECT --reject-with tcp-reset"
        assert m.decide(Packet(dst, 443, proto="udp")) == f"REJECT --reject-with {word}"
        assert m.decide(Packet(dst, 0, proto="icmp")) == f"REJECT --reject-with {word}"


def test_what_is_no_flow_is_let_through_or_left_to_others():
    m = machine('deny r "R" { to any-address ports any/tcp any/udp }')
    assert m.decide(Packet("198.51.100.99", 1, out="lo")).startswith("ACCEPT")
    assert m.decide(Packet("198.51.100.99", 1, state="ESTABLISHED")).startswith("ACCEPT")
    assert m.decide(Packet("198.51.100.99", 1, state="RELATED")).startswith("ACCEPT")
    assert m.decide(Packet("224.0.0.251", 5353, proto="udp")) .startswith("RETURN")


@pytest.mark.parametrize(("to", "inside", "outside"), [
    ("203.0.113.0/24", "203.0.113.0 203.0.113.255", "203.0.112.255 203.0.114.0"),
    ("203.0.113.7", "203.0.113.7", "203.0.113.6 203.0.113.8"),
    ("203.0.113.3-203.0.113.9", "203.0.113.3 203.0.113.9", "203.0.113.2 203.0.113.10"),
    ("203.0.113.0/24 except 203.0.113.64/26", "203.0.113.63 203.0.113.128", "203.0.113.64 203.0.113.127"),
    ("any-address", "203.0.113.0 1.1.1.1 10.1.1.1", ""),
    ("any-address except 203.0.113.0/24", "1.1.1.1 255.255.255.254", "203.0.113.9"),
    ("0.0.0.0/0", "1.1.1.1 255.255.255.254", ""),
    ("2001:db8:5::/48", "", "203.0.113.7"),
])  # fmt: skip
def test_addresses(to, inside, outside):
    m = machine(f'allow r "R" {{ to {to} ports 443/https }}')
    for address in inside.split():
        assert m.decide(Packet(address, 443)).startswith("ACCEPT"), address
    for address in outside.split():
        assert m.decide(Packet(address, 443)).startswith("REJECT"), address
    six = machine(f'allow r "R" {{ to {to} ports 443/https }}', family=6)
    word = "ACCEPT" if to in {"any-address", "any-address except 203.0.113.0/24", "2001:db8:5::/48"} else "REJECT"
    assert six.decide(Packet("2001:db8:5::1", 443)).startswith(word)


def test_every_address_is_two_halves_in_a_set():
    files = artefacts_of(policy('allow r "R" { to 0.0.0.0/0 ports 443 }'), inventory(), "f")
    assert b"add egn_" in files["sets.ipset"]
    assert b"/0" not in files["sets.ipset"]


def test_service_tags_are_their_addresses_or_an_error(tmp_path):
    (problem,) = errors('allow r "R" { to service-tag AzureCloud ports 443 }')
    assert problem.code == "E0502"


def test_accounts_are_all_of_their_kinds_and_one_value_of_each():
    m = machine('allow r "R" { to y.com ports 443 as one two three }')
    for uid, cgroup, word in [
        ("alice", "", "ACCEPT"), ("bob", "s.slice", "ACCEPT"), ("carol", "s.slice/x", "ACCEPT"), ("bob", "", "REJECT"),
        ("dave", "s.slice", "REJECT"), ("root", "", "REJECT"), ("root", "t.slice/y", "ACCEPT"), ("root", "tt.slice", "REJECT"),
    ]:  # fmt: skip
        assert verdict(m, "y.com", uid=uid, cgroup=cgroup) == word, (uid, cgroup)


def test_an_account_that_has_no_name_here_is_one_error():
    rules = 'allow r "R" { to y.com ports 443 as w }\nallow s "S" { to y.com ports 80 as w }'
    (problem,) = errors(rules, policy_settings='from g }\nservice-account w "W" { windows-account "X" }\npolicy q "Q" { from g')
    assert problem.code == "E0501"
    assert problem.message == "`w` has no `linux-user` or `linux-cgroup` binding for `f` (iptables)"
    assert problem.span.text == "r"


@pytest.mark.parametrize("user", ["0-65535", "0x0-0xffffffff", "1-2-3", "0777", "-1", "12:13"])
def test_a_binding_that_iptables_would_take_for_many_users(user):
    settings = f'from g }}\nservice-account w "W" {{ linux-user "{user}" }}\npolicy q "Q" {{ from g'
    assert len(errors('allow r "R" { to y.com ports 443 as w }', policy_settings=settings)) == 1


def test_the_error_for_a_user_stands_at_the_account():
    settings = 'from g }\nservice-account w "W" { linux-user "0x0-0xff" }\npolicy q "Q" { from g'
    (found,) = errors('allow r "R" { to y.com ports 443 as w }\nallow s "S" { to x.com ports 443 as w }', policy_settings=settings)
    assert (found.code, found.span.text) == ("E0762", "w")


def test_the_inventory_says_what_an_account_is_called():
    m = machine('allow r "R" { to y.com ports 443 as one }', more="service-accounts: {one: {linux-user: [61001, 61002]}}")
    assert [verdict(m, "y.com", uid=u) for u in ("61001", "61002", "alice")] == ["ACCEPT", "ACCEPT", "REJECT"]


def test_users_and_control_groups_are_named_for_the_script():
    files = artefacts_of(policy('allow r "R" { to y.com ports 443 as one two }'), inventory("{dnsmasq: {user: dns}}"), "f")
    facts = [line for line in files["rules.v4"].decode().splitlines() if line.startswith("#: ")]
    assert facts == [
        "#: format 1", "#: chain EGRESSC", "#: hook filter OUTPUT", "#: user alice", "#: user bob", "#: user carol",
        "#: user dns", "#: cgroup s.slice",
    ]  # fmt: skip


def test_a_deny_by_address_stands_above_the_allows():
    m = machine('allow r "R" { to 203.0.113.0/24 y.com ports 443 80 }\ndeny s "S" { to 203.0.113.7 198.51.100.6 ports 443 53/udp }')
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
    assert [verdict(m, h) for h in ("x.com", "a.x.com", "b.a.x.com", "evilx.com")] == ["ACCEPT", "REJECT", "REJECT", "RETURN"]
    assert [verdict(m, h, 80) for h in ("x.com", "a.x.com")] == ["ACCEPT", "ACCEPT"]


def test_a_deny_by_name_cannot_be_placed_before_an_allow_by_address():
    found = errors('allow r "R" { to 198.51.100.0/24 ports 443 }\ndeny s "S" { to x.com *.x.com ports 443 }')
    assert [d.code for d in found] == ["E0613"]
    assert errors('allow r "R" { to 198.51.100.0/24 ports 80 }\ndeny s "S" { to x.com *.x.com ports 443 }') == []


@pytest.mark.parametrize("family", [4, 6])
def test_exceptions_of_names(family):
    m = machine('allow r "R" { to *.x.com x.com except a.x.com *.a.x.com ports 443 }', family=family)
    assert [verdict(m, h) for h in ("x.com", "c.x.com", "a.x.com", "b.a.x.com")] == ["ACCEPT", "ACCEPT", "REJECT", "REJECT"]


def test_an_exception_of_one_rule_is_none_of_another():
    m = machine('allow r "R" { to *.x.com x.com except a.x.com *.a.x.com ports 443 }\nallow s "S" { to b.a.x.com ports 443 80 }')
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


def test_internal_networks_are_left_to_others_unless_a_rule_names_them():
    m = machine('allow r "R" { to *.x.com ports 443 }\nallow s "S" { to 10.1.0.0/16 ports 443 }\n'
                'deny t "T" { to 10.1.2.3 10.5.0.0/16 ports 443 }')  # fmt: skip
    for address, word in [("10.1.9.9", "ACCEPT"), ("10.1.2.3", "REJECT"), ("10.5.5.5", "REJECT"), ("10.9.9.9", "RETURN"),
                          ("192.168.1.1", "RETURN"), ("198.51.100.99", "REJECT")]:  # fmt: skip
        assert m.decide(Packet(address, 443)).split()[0] == word, address
    assert m.decide(Packet("10.1.9.9", 80)) == "RETURN -m comment"[:6] or m.decide(Packet("10.1.9.9", 80)).startswith("RETURN")
    total = machine('allow r "R" { to *.x.com ports 443 }', more="internal-networks: []")
    assert total.decide(Packet("10.9.9.8", 443)).startswith("REJECT")
    assert verdict(total, "inside.x.com") == "ACCEPT"


def test_the_resolver_may_ask_its_servers_and_nobody_else_may():
    m = machine('allow r "R" { to y.com ports 443 }', settings="{dnsmasq: {user: dns, servers: [192.0.2.53]}}")
    for proto in ("udp", "tcp"):
        assert m.decide(Packet("192.0.2.53", 53, proto=proto, uid="dns")).startswith("ACCEPT")
        assert m.decide(Packet("192.0.2.53", 53, proto=proto)).startswith("REJECT")
        assert m.decide(Packet("192.0.2.54", 53, proto=proto, uid="dns")).startswith("REJECT")
        assert m.decide(Packet("192.0.2.53", 853, proto=proto, uid="dns")).startswith("REJECT")
    free = machine('allow r "R" { to y.com ports 443 }')
    assert free.decide(Packet("192.0.2.54", 53, uid="dnsmasq")).startswith("ACCEPT")
    lowering = lowering_of(policy('allow r "R" { to y.com ports 443 }'), inventory(), "f")
    assert [s.reason for s in lowering.site_steps] == [Reason.INFRASTRUCTURE]
    off = lowering_of(policy('allow r "R" { to y.com ports 443 }'), inventory("{default-deny: false}"), "f")
    assert [s.reason for s in off.site_steps] == [Reason.DEFAULT]


def test_without_a_resolver_the_fallback_stands_in():
    text = ('from g }\nendpoints s "S" { *.x.com fallback { 198.51.100.0/24 2001:db8:f::/48 } }\npolicy q "Q" { from g')
    rules = 'allow r "R" { to s ports 443 80 }'
    m = machine(rules, settings="{dns: none}", policy_settings=text, accept=("fallback",))
    assert m.decide(Packet("198.51.100.99", 443)).startswith("ACCEPT")
    assert m.decide(Packet("198.51.101.1", 443)).startswith("REJECT")
    assert m.lines == {}
    assert [d.code for d in errors('allow r "R" { to x.com ports 443 }', settings="{dns: none}")] == ["E0610"]


def test_an_allow_ends_by_itself_and_a_deny_does_not():
    m = machine('allow r "R" { to y.com ports 443 expires 2027-06-30 }\nallow u "U" { to y.com ports 80 expires 2040-01-01 }\n'
                'deny s "S" { to 203.0.113.1 ports 443 expires 2027-06-30 }\nallow t "T" { to 203.0.113.0/24 ports 443 }')  # fmt: skip
    assert verdict(m, "y.com", today="2027-06-30T23:59:59") == "ACCEPT"
    assert verdict(m, "y.com", today="2027-07-01T00:00:00") == "REJECT"
    assert m.decide(Packet("203.0.113.1", 443, today="2030-01-01T00:00:00")).startswith("REJECT")
    assert verdict(m, "y.com", 80, today="2041-01-01T00:00:00") == "ACCEPT", "iptables cannot count so far"
    lowering = lowering_of(policy('allow u "U" { to y.com ports 80 expires 2038-01-01 }'), inventory(), "f")
    assert Reason.EXPIRY in [s.reason for p in lowering.parts for s in p.steps]
    assert "expiry" not in reasons('allow u "U" { to y.com ports 80 expires 2037-12-31 }')


def test_an_expired_allow_is_not_there():
    m = machine('allow r "R" { to y.com ports 443 expires 2026-01-01 }\nallow t "T" { to y.com ports 80 }', as_of=date(2026, 1, 2))
    assert verdict(m, "y.com") == "REJECT"


def test_logs_are_limited_and_stand_above_the_verdict():
    files = artefacts_of(
        policy('allow r "R" { to y.com ports 443 log }\nallow q "Q" { to y.com ports 80 log off }'), inventory("{nflog-group: 7}"), "f"
    )
    lines = files["rules.v4"].decode().splitlines()
    logs = [i for i, line in enumerate(lines) if "-j NFLOG" in line]
    assert [lines[i].split("--nflog-prefix ")[1] for i in logs] == ['"allow-p-r-f0b5d1"'.replace("f0b5d1", lines[logs[0]][-7:-1]), '"egressc default deny"']
    assert all("-m limit --limit 10/second --limit-burst 20" in lines[i] and "--nflog-group 7" in lines[i] for i in logs)
    assert lines[logs[0] + 1].endswith("-j ACCEPT")
    assert lines[logs[0]].split(" -m limit")[0] == lines[logs[0] + 1].split(" -m comment")[0]
    assert reasons('allow r "R" { to y.com ports 443 log }')[-1] == "log"


GATEWAY = "{mode: gateway, interface: lan0}"


def test_a_gateway_knows_sources_and_no_accounts():
    rules = 'allow r "R" { to y.com ports 443 as one }'
    m = machine(rules, settings=GATEWAY, groups="[g, h]", policy_settings="from g")
    assert verdict(m, "y.com", uid="anybody") == "ACCEPT"
    assert verdict(m, "y.com", src="10.30.0.1") == "REJECT", "governed, and not in the rule"
    assert verdict(m, "y.com", src="10.77.0.1") == "RETURN", "not governed"
    assert verdict(m, "evilx.com", src="10.77.0.1") == "RETURN"
    assert verdict(m, "evilx.com", interface="lan1") == "RETURN"
    assert reasons(rules, GATEWAY)[0] == "account"


def test_answers_come_back_through_a_gateway():
    m = machine('allow r "R" { to y.com ports 443 }', settings=GATEWAY)
    answer = Packet("10.20.0.10", 50000, src="198.51.100.6", interface="wan0", state="ESTABLISHED")
    assert m.decide(answer).startswith("ACCEPT")
    foreign = Packet("10.77.0.1", 50000, src="198.51.100.6", interface="wan0", state="ESTABLISHED")
    assert m.decide(foreign) == "RETURN -m comment"[:6] or m.decide(foreign).startswith("RETURN")


def test_a_family_that_no_source_has_is_left_alone():
    m = machine('allow r "R" { to y.com ports 443 }', settings=GATEWAY, groups="[h]", policy_settings="from h", family=6)
    assert m.decide(Packet("2001:db8:f::6", 443, src="2001:db8:99::1")).startswith("RETURN")
    lowering = lowering_of(policy('allow r "R" { to y.com ports 443 }', "from h"), inventory(GATEWAY, "[h]"), "f")
    assert any("`h` send no IPv6" in sentence for sentence in lowering.assumes)


def test_an_unbound_group_is_any_source_and_has_no_closing_deny():
    m = machine('allow r "R" { to y.com ports 443 }', settings="{mode: gateway}", groups="[open]", policy_settings="from open")
    assert verdict(m, "y.com", src="203.0.113.200") == "ACCEPT"
    assert verdict(m, "evilx.com", src="203.0.113.200") == "RETURN"


def test_a_deny_for_some_sources_of_a_gateway():
    m = machine('allow r "R" { to x.com *.x.com ports 443 from g h }\ndeny s "S" { to a.x.com *.a.x.com ports 443 from h }',
                settings=GATEWAY, groups="[g, h]")  # fmt: skip
    assert [verdict(m, "a.x.com", src=s) for s in ("10.20.0.1", "10.30.0.1")] == ["ACCEPT", "REJECT"]
    assert [verdict(m, "c.x.com", src=s) for s in ("10.20.0.1", "10.30.0.1")] == ["ACCEPT", "ACCEPT"]


def test_an_object_that_exists_is_named_and_never_written():
    more = "\n".join(["groups:", "  g: {objects: {iptables: connectors}}", "firewalls:",
                      f"  f: {{target: iptables, settings: {GATEWAY}}}"])  # fmt: skip
    files = artefacts_of(policy('allow r "R" { to y.com ports 443 }'), more, "f")
    assert "--match-set connectors_4 src" in files["rules.v4"].decode()
    assert "--match-set connectors_6 src" in files["rules.v6"].decode()
    assert "connectors_" not in files["sets.ipset"].decode()
    assert "#: foreign connectors_4 inet\n#: foreign connectors_6 inet6\n" in files["rules.v4"].decode()
    lowering = lowering_of(policy('allow r "R" { to y.com ports 443 }'), more, "f")
    assert "the ipsets `connectors_4` and `connectors_6` hold the networks of `g`" in lowering.assumes
    result = compilation_of(policy('allow r "R" { to y.com ports 443 }'), more.replace("connectors", "egc_0123456789"))
    assert "E0769" in [d.code for d in result.diagnostics]


PROXY = "{mode: gateway, interface: lan0, tls-proxy-port: 3129}"


def test_what_must_not_be_inspected_is_accepted_before_what_must_be_is_redirected():
    rules = ('allow r "R" { to 198.51.100.0/28 203.0.113.0/24 ports 443 80 no-tls-inspection }\n'
             'allow s "S" { to 192.0.2.0/24 ports 443 8443/tls tls-inspection }\n'
             'allow t "T" { to 198.18.0.0/24 ports 443 }\ndeny u "U" { to 192.0.2.7 ports 443 }')  # fmt: skip
    m = machine(rules, settings=PROXY)
    for address, port, word in [
        ("198.51.100.2", 443, "ACCEPT"), ("203.0.113.9", 443, "ACCEPT"), ("203.0.113.9", 80, "RETURN"),
        ("192.0.2.1", 443, "REDIRECT"), ("192.0.2.1", 8443, "REDIRECT"), ("192.0.2.1", 80, "RETURN"),
        ("192.0.2.7", 443, "ACCEPT"), ("198.18.0.1", 443, "RETURN"), ("10.1.1.1", 443, "RETURN"),
    ]:  # fmt: skip
        assert m.decide(Packet(address, port), "nat").split()[0] == word, (address, port)
    assert m.decide(Packet("192.0.2.1", 443), "nat") == "REDIRECT --to-ports 3129"
    assert m.decide(Packet("192.0.2.1", 443, src="10.77.0.1"), "nat") == "RETURN"
    assert m.decide(Packet("192.0.2.7", 443)).startswith("REJECT"), "accepted in nat, so that it gets here"
    lowering = lowering_of(policy(rules), inventory(PROXY), "f")
    assert lowering.inspects
    by_rule = {}
    for part in lowering.parts:
        by_rule.setdefault(part.rule.identity, []).append(part)
    assert {p.exempt.ports.text for p in by_rule["p/r"] if p.exempt} == {"443/tcp"}
    assert {p.inspect.ports.text for p in by_rule["p/s"] if p.inspect} == {"443/tcp 8443/tcp"}
    assert all(p.exempt is None and p.inspect is None for p in (*by_rule["p/t"], *by_rule["p/u"]))


def test_an_exemption_by_name_is_a_set_by_name():
    m = machine('allow r "R" { to x.com *.x.com ports 443 no-tls-inspection }\nallow s "S" { to y.com *.y.com ports 443 }', settings=PROXY)
    assert [verdict_in_nat(m, h) for h in ("a.x.com", "y.com", "evilx.com")] == ["ACCEPT", "RETURN", "RETURN"]


def test_an_exemption_by_name_and_a_demand_by_name_are_in_each_others_way():
    found = errors('allow r "R" { to x.com *.x.com ports 443 no-tls-inspection }\nallow s "S" { to y.com *.y.com ports 443 tls-inspection }',
                   settings=PROXY)  # fmt: skip
    assert [d.code for d in found] == ["E0615"], "two names may share an address"


def test_nothing_intercepts_without_a_proxy():
    files = artefacts_of(policy('allow r "R" { to y.com ports 443 no-tls-inspection }'), inventory(GATEWAY), "f")
    assert b"*nat" not in files["rules.v4"]
    assert not lowering_of(policy('allow r "R" { to y.com ports 443 }'), inventory(GATEWAY), "f").inspects


def test_a_host_redirects_only_what_names_an_account():
    rules = 'allow r "R" { to y.com ports 443 tls-inspection }'
    lowering = lowering_of(policy(rules), inventory("{tls-proxy-port: 3129}"), "f")
    assert [s.reason for p in lowering.parts for s in p.steps][-1] is Reason.TLS_UNENFORCED
    m = machine('allow r "R" { to y.com ports 443 tls-inspection as one }', settings="{tls-proxy-port: 3129}")
    assert m.decide(Packet("198.51.100.6", 443, uid="alice"), "nat").startswith("REDIRECT")
    assert m.decide(Packet("198.51.100.6", 443, uid="bob"), "nat") == "RETURN"


def test_many_rules_for_one_domain():
    rules = "\n".join(f'allow r{n} "R" {{ to *.x.com x.com ports {1000 + n}/tcp }}' for n in range(60))
    rules += '\nallow own "O" { to a.x.com *.a.x.com ports 2000/tcp }\ndeny d "D" { to c.x.com *.c.x.com ports 1000-1009/tcp }'
    m = machine(rules)
    for n in (0, 9, 10, 59):
        assert verdict(m, "a.x.com", 1000 + n) == "ACCEPT"
        assert verdict(m, "c.x.com", 1000 + n) == ("REJECT" if n < 10 else "ACCEPT")
    assert [verdict(m, h, 2000) for h in ("a.x.com", "b.a.x.com", "x.com")] == ["ACCEPT", "ACCEPT", "REJECT"]


def test_names_of_sets_stay_when_other_rules_change():
    def stems(rules):
        return {line.split(" ")[1] for line in artefacts_of(policy(rules), inventory(), "f")["sets.ipset"].decode().splitlines() if line[:6] == "create"}

    one = 'allow r "R" { to x.com 203.0.113.9 ports 443 }'
    assert stems(one) < stems(one + '\nallow a "A" { to y.com ports 443 }')
    assert stems(one) == stems(one.replace("x.com", "y.com").replace('"R"', '"other"'))


def test_more_sets_than_a_kernel_holds_is_an_error():
    from egressc.targets.iptables.set_table import SetTable

    class Site:
        name, span = "f", None

    table = SetTable(Site())
    table.check_number(32_767)
    assert not table.diagnostics
    table.check_number(32_768)
    assert [d.code for d in table.diagnostics] == ["E0766"]


def test_one_name_for_two_rules_is_an_error(monkeypatch):
    monkeypatch.setattr("egressc.targets.iptables.set_table.digest", lambda text, length: "0" * length)
    found = errors('allow r "R" { to x.com ports 443 }\nallow s "S" { to y.com ports 443 }')
    assert "E0767" in [d.code for d in found]


def test_an_allow_in_too_many_pieces_is_an_error():
    denies = "\n".join(f'deny d{n} "D" {{ to n{n}.x.com *.n{n}.x.com ports {2 * n + 1}/tcp }}' for n in range(70))
    found = errors('allow r "R" { to *.x.com x.com ports 1-1000/tcp }\n' + denies)
    assert [d.code for d in found] == ["E0768"]


def test_one_artefact_for_each_group_of_hosts():
    result = compilation_of(policy('allow r "R" { to y.com ports 443 from g h }'), inventory(groups="[g, h]"))
    assert not has_errors(result.diagnostics)
    assert [build.site.name for build in result.builds] == ["f/g", "f/h"]


def test_all_parts_of_all_rules_are_there():
    rules = DENY + 'deny s "S" { to a.x.com *.a.x.com ports 443 }\nallow n "N" { to 203.0.113.0/24 x.com ports 443 80 22/tcp }'
    lowering = lowering_of(policy(rules), inventory(), "f")
    assert sorted({p.rule.identity for p in lowering.parts}) == ["p/n", "p/r", "p/s"]
    assert all(p.names for p in lowering.parts if p.reach is not None)
    for part in lowering.parts:
        at = part.start
        for step in part.steps:
            assert step.before == at
            at = step.after
        assert at == part.reach
