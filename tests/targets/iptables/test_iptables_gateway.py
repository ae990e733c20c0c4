"""Gateways and TLS: what the files decide, read by a machine that knows nothing of egressc."""

import pytest
from iptables_machine import Machine, Packet
from iptables_policies import errors, inventory, machine, policy, reasons, verdict, verdict_in_nat
from support import artefacts_of, compilation_of, lowering_of

from egressc.reasons import Reason

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
    m = machine(
        'allow r "R" { to y.com ports 443 }', settings=GATEWAY, groups="[h]", policy_settings="from h", family=6
    )
    assert m.decide(Packet("2001:db8:f::6", 443, src="2001:db8:99::1")).startswith("RETURN")
    lowering = lowering_of(policy('allow r "R" { to y.com ports 443 }', "from h"), inventory(GATEWAY, "[h]"), "f")
    assert any("`h` send no IPv6" in sentence for sentence in lowering.assumes)


def test_an_unbound_group_is_any_source_and_has_no_closing_deny():
    m = machine(
        'allow r "R" { to y.com ports 443 }', settings="{mode: gateway}", groups="[open]", policy_settings="from open"
    )
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
    m = machine(
        'allow r "R" { to x.com *.x.com ports 443 no-tls-inspection }\nallow s "S" { to y.com *.y.com ports 443 }',
        settings=PROXY,
    )
    assert [verdict_in_nat(m, h) for h in ("a.x.com", "y.com", "evilx.com")] == ["ACCEPT", "RETURN", "RETURN"]


def test_an_exemption_by_name_and_a_demand_by_name_are_in_each_others_way():
    found = errors('allow r "R" { to x.com *.x.com ports 443 no-tls-inspection }\nallow s "S" { to y.com *.y.com ports 443 tls-inspection }',
                   settings=PROXY)  # fmt: skip
    assert [d.code for d in found] == ["E0615"], "two names may share an address"


def test_where_both_meet_at_an_address_the_exemption_goes_first():
    rules = (
        'allow r "R" { to y.com *.y.com ports 443 tls-inspection }\n'
        'allow s "S" { to x.com *.x.com ports 443 no-tls-inspection }'
    )
    files = artefacts_of(policy(rules), inventory(PROXY), "f", accept=("tls-unenforced",))
    m = Machine.of(files, world={"x.com": ["198.51.100.1"], "y.com": ["198.51.100.1", "198.51.100.6"]})
    assert m.decide(Packet("198.51.100.1", 443), "nat").startswith("ACCEPT")
    assert m.decide(Packet("198.51.100.6", 443), "nat").startswith("REDIRECT")


def test_an_exemption_goes_before_what_names_addresses_inside_the_house():
    # The sources of `open` are not known, so its exemption holds for those of `g`, too.
    rules = (
        'allow r "R" { to any-address ports 443 from g tls-inspection }\n'
        'allow s "S" { to x.com *.x.com ports 443 from open no-tls-inspection }'
    )
    m = machine(rules, settings=PROXY, groups="[g, open]", accept=("tls-unenforced", "tls-scope", "source"))
    assert verdict_in_nat(m, "x.com") == "ACCEPT"
    assert verdict_in_nat(m, "y.com") == "REDIRECT"


def test_names_count_inside_the_house_where_a_rule_names_the_address():
    # The rule for addresses lets `inside.x.com` at 10.9.9.9 through, so what another says of that name holds there.
    rules = 'allow a "A" { to 10.9.9.0/24 ports 443 }\nallow r "R" { to x.com *.x.com ports 443 %s }'
    for word, verdict_of_nat in (("tls-inspection", "REDIRECT"), ("no-tls-inspection", "ACCEPT"), ("", "RETURN")):
        m = machine(rules % word, settings=PROXY, accept=("tls-scope",))
        assert verdict_in_nat(m, "inside.x.com") == verdict_of_nat
    # No rule names the address on that port: what goes there is left to others.
    m = machine(rules.replace("443 }", "80 }", 1) % "tls-inspection", settings=PROXY)
    assert verdict_in_nat(m, "inside.x.com") == "RETURN"


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


@pytest.mark.parametrize(("family", "loopback"), [(4, "127.0.0.1"), (6, "::1")])
def test_what_a_host_redirects_gets_through_and_what_stays_inside_is_left_alone(family, loopback):
    rules = 'allow r "R" { to any-address ports 443 tls-inspection as one }'
    m = machine(rules, settings="{tls-proxy-port: 3129}", family=family)
    there = "203.0.113.9" if family == 4 else "2001:db8:5::9"
    assert m.decide(Packet(there, 443, uid="alice"), "nat").startswith("REDIRECT")
    assert m.decide(Packet(loopback, 443, uid="alice", out="lo"), "nat").startswith("RETURN")
    # Behind REDIRECT the chain in `filter` still sees the interface that the packet was going to leave by.
    assert m.decide(Packet(loopback, 3129, uid="alice", out="eth0")).startswith("ACCEPT")
    assert m.decide(Packet(there, 3129, uid="alice", out="eth0")).startswith("REJECT")
    assert m.decide(Packet(loopback, 3130, uid="alice", out="eth0")).startswith("REJECT")
