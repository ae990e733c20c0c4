"""Rows of the lowering table: what the files decide, read by a machine that knows nothing of egressc."""

from datetime import date

import pytest
from iptables_machine import Packet
from iptables_policies import WORLD, errors, inventory, machine, policy, reasons, verdict
from support import artefacts_of, compilation_of, lowering_of

from egressc.diagnostics import has_errors
from egressc.reasons import Reason
from egressc.targets.iptables.set_table import SetTable


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


def test_ranges_take_two_places():
    ranges = " ".join(f"{n}-{n + 1}/tcp" for n in range(2000, 2100, 4))
    m = machine(f'allow r "R" {{ to y.com ports {ranges} }}')
    for port in range(2000, 2100):
        assert verdict(m, "y.com", port) == ("ACCEPT" if port % 4 < 2 else "REJECT")


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
    assert m.decide(Packet("224.0.0.251", 5353, proto="udp")).startswith("RETURN")


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
    (problem,) = errors(
        rules, policy_settings='from g }\nservice-account w "W" { windows-account "X" }\npolicy q "Q" { from g'
    )
    assert problem.code == "E0501"
    assert problem.message == "`w` has no `linux-user` or `linux-cgroup` binding for `f` (iptables)"
    assert problem.span.text == "r"


@pytest.mark.parametrize("user", ["0-65535", "0x0-0xffffffff", "1-2-3", "0777", "-1", "12:13"])
def test_a_binding_that_iptables_would_take_for_many_users(user):
    settings = f'from g }}\nservice-account w "W" {{ linux-user "{user}" }}\npolicy q "Q" {{ from g'
    assert len(errors('allow r "R" { to y.com ports 443 as w }', policy_settings=settings)) == 1


def test_the_error_for_a_user_stands_at_the_account():
    settings = 'from g }\nservice-account w "W" { linux-user "0x0-0xff" }\npolicy q "Q" { from g'
    (found,) = errors(
        'allow r "R" { to y.com ports 443 as w }\nallow s "S" { to x.com ports 443 as w }', policy_settings=settings
    )
    assert (found.code, found.span.text) == ("E0762", "w")


def test_the_inventory_says_what_an_account_is_called():
    m = machine(
        'allow r "R" { to y.com ports 443 as one }', more="service-accounts: {one: {linux-user: [61001, 61002]}}"
    )
    assert [verdict(m, "y.com", uid=u) for u in ("61001", "61002", "alice")] == ["ACCEPT", "ACCEPT", "REJECT"]


def test_users_and_control_groups_are_named_for_the_script():
    files = artefacts_of(
        policy('allow r "R" { to y.com ports 443 as one two }'), inventory("{dnsmasq: {user: dns}}"), "f"
    )
    facts = [line for line in files["rules.v4"].decode().splitlines() if line.startswith("#: ")]
    assert facts == [
        "#: format 1", "#: chain EGRESSC", "#: hook filter OUTPUT", "#: user alice", "#: user bob", "#: user carol",
        "#: user dns", "#: cgroup s.slice",
    ]  # fmt: skip


def test_internal_networks_are_left_to_others_unless_a_rule_names_them():
    m = machine('allow r "R" { to *.x.com ports 443 }\nallow s "S" { to 10.1.0.0/16 ports 443 }\n'
                'deny t "T" { to 10.1.2.3 10.5.0.0/16 ports 443 }')  # fmt: skip
    for address, word in [("10.1.9.9", "ACCEPT"), ("10.1.2.3", "REJECT"), ("10.5.5.5", "REJECT"), ("10.9.9.9", "RETURN"),
                          ("192.168.1.1", "RETURN"), ("198.51.100.99", "REJECT")]:  # fmt: skip
        assert m.decide(Packet(address, 443)).split()[0] == word, address
    assert m.decide(Packet("10.1.9.9", 80)) == "RETURN -m comment"[:6] or m.decide(Packet("10.1.9.9", 80)).startswith(
        "RETURN"
    )
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
    text = 'from g }\nendpoints s "S" { *.x.com fallback { 198.51.100.0/24 2001:db8:f::/48 } }\npolicy q "Q" { from g'
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
    m = machine(
        'allow r "R" { to y.com ports 443 expires 2026-01-01 }\nallow t "T" { to y.com ports 80 }',
        as_of=date(2026, 1, 2),
    )
    assert verdict(m, "y.com") == "REJECT"


def test_logs_are_limited_and_stand_above_the_verdict():
    files = artefacts_of(
        policy('allow r "R" { to y.com ports 443 log }\nallow q "Q" { to y.com ports 80 log off }'),
        inventory("{nflog-group: 7}"),
        "f",
    )
    lines = files["rules.v4"].decode().splitlines()
    logs = [i for i, line in enumerate(lines) if "-j NFLOG" in line]
    assert [lines[i].split("--nflog-prefix ")[1] for i in logs] == [
        '"allow-p-r-f0b5d1"'.replace("f0b5d1", lines[logs[0]][-7:-1]),
        '"egressc default deny"',
    ]
    assert all(
        "-m limit --limit 10/second --limit-burst 20" in lines[i] and "--nflog-group 7" in lines[i] for i in logs
    )
    assert lines[logs[0] + 1].endswith("-j ACCEPT")
    assert lines[logs[0]].split(" -m limit")[0] == lines[logs[0] + 1].split(" -m comment")[0]
    assert reasons('allow r "R" { to y.com ports 443 log }')[-1] == "log"


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
        return {
            line.split(" ")[1]
            for line in artefacts_of(policy(rules), inventory(), "f")["sets.ipset"].decode().splitlines()
            if line[:6] == "create"
        }

    one = 'allow r "R" { to x.com 203.0.113.9 ports 443 }'
    assert stems(one) < stems(one + '\nallow a "A" { to y.com ports 443 }')
    assert stems(one) == stems(one.replace("x.com", "y.com").replace('"R"', '"other"'))


def test_more_sets_than_a_kernel_holds_is_an_error():
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


def test_a_rule_too_long_for_a_restore_file_is_an_error():
    def found(number):
        users = " ".join(f"user-of-this-machine-{n}" for n in range(number))
        settings = f'from g }}\nservice-account many "M" {{ linux-user {users} }}\npolicy q "Q" {{ from g'
        rules = 'allow r "R" { to *.x.com x.com ports 443 }\ndeny d "D" { to a.x.com *.a.x.com ports 443 as many }'
        return errors(rules, policy_settings=settings), policy(rules, settings)

    problems, text = found(100)
    assert problems == []
    assert max(map(len, artefacts_of(text, inventory(), "f")["rules.v4"].split(b"\n"))) > 4_000
    (problem,) = found(200)[0]
    assert problem.code == "E0768"


def test_one_artefact_for_each_group_of_hosts():
    result = compilation_of(policy('allow r "R" { to y.com ports 443 from g h }'), inventory(groups="[g, h]"))
    assert not has_errors(result.diagnostics)
    assert [build.site.name for build in result.builds] == ["f/g", "f/h"]


def test_all_parts_of_all_rules_are_there():
    rules = (
        'allow r "R" { to x.com *.x.com ports 443 80 }\n'
        'deny s "S" { to a.x.com *.a.x.com ports 443 }\nallow n "N" { to 203.0.113.0/24 x.com ports 443 80 22/tcp }'
    )
    lowering = lowering_of(policy(rules), inventory(), "f")
    assert sorted({p.rule.identity for p in lowering.parts}) == ["p/n", "p/r", "p/s"]
    assert all(p.names for p in lowering.parts if p.reach is not None)
    for part in lowering.parts:
        at = part.start
        for step in part.steps:
            assert step.before == at
            at = step.after
        assert at == part.reach


def test_a_fallback_that_adds_nothing_still_loses_the_names():
    names = 'endpoints n "N" { x.com fallback { 203.0.113.7 } }\n'
    rules = policy('allow r "R" { to n 203.0.113.7 ports 443 }')
    result = compilation_of(names + rules, inventory("{dns: none}"), firewalls=("f",), accept=("fallback",))
    (found,) = result.builds[0].fidelity.rules
    (lost,) = found.approximations
    assert (lost.reason, lost.effect.value, lost.example.host) == (Reason.FALLBACK, "narrower", "x.com")
