"""IPv4 addresses match networks of IPv6 ([D] PAN-OS administrator's guide, Policy): `::/0` is `any`."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from ipaddress import IPv6Address, ip_address, ip_network

import pytest
from paloalto_live import address, does, one, section
from paloalto_reading import inventory, written
from support import compilation_of

from egressc.diagnostics import Level

OUTSIDE = ["192.0.2.1", "10.1.2.3", "203.0.113.9", "2001:db8::1", "2606:4700::1", "64:ff9b::1"]
"""One address each in what the policies here speak of, and outside of it."""


def matches(network, address):
    """As the guide has it: an IPv4 address is also an IPv6 address that begins with 96 zeros."""
    network, address = ip_network(network), ip_address(address)
    if network.version == address.version:
        return address in network
    return network.version == 6 and IPv6Address(int(address)) in network


@pytest.mark.parametrize(
    ("words", "inside"),
    [
        ("any-address except 10.0.0.0/8 203.0.113.0/24", {"192.0.2.1", "2001:db8::1", "2606:4700::1", "64:ff9b::1"}),
        ("any-address except 2001:db8::/32", {*OUTSIDE} - {"2001:db8::1"}),
        ("::/0", {a for a in OUTSIDE if ":" in a}),
        ("any-address except ::/0", {a for a in OUTSIDE if ":" not in a}),
        ("::/3", {"64:ff9b::1"}),
        ("192.0.0.0/2 ::/0 except 203.0.113.0/24", {a for a in OUTSIDE if a not in {"203.0.113.9", "10.1.2.3"}}),
        ("0.0.0.0/0 ::/0", {*OUTSIDE}),
        ("*.example.com except ::/0", {a for a in OUTSIDE if ":" not in a}),
        ("*.example.com except 0.0.0.0/0", {a for a in OUTSIDE if ":" in a}),
    ],
)
def test_a_rule_matches_the_addresses_of_the_policy_and_no_others(words, inside):
    policy = f'policy p "P" {{\n from connectors\n allow a "A" {{ to {words} ports 443/https }}\n}}\n'
    _, config, _ = written(policy, inventory(groups='connectors: {networks: ["10.20.0.0/24", "2001:db8:20::/64"]}'))
    (rule,) = [r for r in ET.fromstring(config).iterfind(".//security/rules/entry") if r.findtext("action") == "allow"]
    members = [m.text for m in rule.iterfind("destination/member")]
    negated = rule.findtext("negate-destination") == "yes"
    found = {a for a in OUTSIDE if members == ["any"] or any(matches(m, a) for m in members) is not negated}
    assert found == inside


@pytest.mark.parametrize(("network", "answers"), [
    ("::/0", ("allow", "allow", "allow")), ("::/96", ("allow", "allow", "deny")), ("::/8", ("allow", "allow", "deny")),
    ("::cb00:7100/120", ("allow", "deny", "deny")), ("2000::/3", ("deny", "deny", "allow")),
    ("0.0.0.0/0", ("allow", "allow", "deny")),
])  # fmt: skip
def test_networks_of_ipv6_match_ipv4(network, answers):
    flows = (("203.0.113.10", "10.1.0.5"), ("192.0.2.7", "10.1.0.5"), ("2606:4700::1", "2001:db8:1::5"))
    objects = section("address", address("n", "ip-netmask", network))
    for meaning in (one(destination=network), one(objects, destination="n")):
        assert tuple(does(meaning, address=to, source=by) for to, by in flows) == answers
    not_there = one(destination=network, more="<negate-destination>yes</negate-destination>")
    assert {does(not_there, address=to, source=by) for to, by in flows} <= {"allow", "deny"}
    assert all(does(not_there, address=to, source=by) != a for (to, by), a in zip(flows, answers, strict=True))
    senders = one(source=network)
    assert does(senders, source="10.1.0.5") == ("deny" if network in {"2000::/3", "::cb00:7100/120"} else "allow")


@pytest.mark.parametrize(
    ("networks", "codes"),
    [
        ('"::/0"', ["E0709"]),
        ('"10.20.0.0/24", "::/64"', ["E0709"]),
        ('"::a14:0/120"', ["E0709"]),
        # All that such a network takes in is in the group anyway.
        ('"10.20.0.0/24", "::a14:0/120"', []),
        ('"0.0.0.0/0", "::/0"', []),
        ('"::1:0:0/96"', []),
        ('"10.20.0.0/24", "2001:db8::/32"', []),
    ],
)
def test_a_group_that_would_take_in_other_sources_is_refused(networks, codes):
    policy = 'policy p "P" {\n from connectors\n allow a "A" { to www.example.com ports 443/https }\n}\n'
    found = compilation_of(policy, inventory(groups=f"connectors: {{networks: [{networks}]}}"))
    assert [d.code for d in found.diagnostics if d.level is Level.ERROR] == codes
