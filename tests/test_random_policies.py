"""Random policies through every room and every target: no defect, and errors leave nothing behind."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from support import compilation_of

from egressc.diagnostics import has_errors
from egressc.fidelity_files import fidelity_json, fidelity_markdown

HOSTS = (
    "x.test.io", "*.x.test.io", "*.test.io", "b*.x.test.io", "a.*.test.io", "*-s.test.io", "y.other.net",
    "w.test.io/pki", "*.other.net", "stores", "names",
)  # fmt: skip
ADDRESSES = ("192.0.2.0/24", "2001:db8::/40", "10.1.0.0/16", "198.51.100.7", "any-address", "service-tag Sql", "nets")
PORTS = ("443/https", "80/http", "5671/tls", "8000-8010/tcp", "53/udp", "1-2000/https", "443/https 80/http", "any/tcp")

HEAD = """
service-account one "One" { windows-account "NT AUTHORITY\\NETWORK SERVICE" windows-service "One" linux-user one directory-user "CORP\\one" }
service-account two "Two" { windows-program "C:\\two.exe" linux-cgroup "two.slice" linux-user 902 directory-user "CORP\\two" }
endpoints stores "Stores" { *.stores.test.io c.stores.net fallback { 203.0.113.0/24 } }
endpoints names "Names" { n1.test.io *.n2.test.io fallback { service-tag Sql 203.0.113.77 } }
endpoints nets "Nets" { 198.51.100.0/24 2001:db8:5::/48 }
"""

INVENTORY = """
groups:
  a: {{networks: [10.0.0.0/24, "2001:db8:1::/64"]}}
  b: {{networks: [10.0.1.7]}}
  c: {{}}
  both: {{members: [a, b]}}
service-tags: tags.json
internal-networks: {internal}
firewalls:
  pan: {{target: paloalto, groups: {gateway}, settings: {{from-zone: t, to-zone: u, user-id: {flag}, default-deny: {closing}, decryption-profile: dp}}}}
  az: {{target: azure-firewall, groups: {gateway}, settings: {{policy: p1, location: x, tier: {tier}, dns-proxy: {dns}, ip-groups: {flag}, default-deny: {closing}{ca}}}}}
  gw: {{target: iptables, groups: {gateway}, settings: {{mode: gateway, interface: lan0, default-deny: {closing}{proxy}}}}}
  host: {{target: iptables, groups: [a], settings: {{mode: host, dns: {resolver}}}}}
  win: {{target: windows-firewall, groups: [both], settings: {{dynamic-keywords: {keywords}, default-deny: {closing}}}}}
"""

TAGS = (
    '{"changeNumber": 7, "cloud": "Public", "values": [{"name": "Sql", "id": "Sql", "properties": {"changeNumber": 1,'
    ' "region": "", "platform": "Azure", "systemService": "", "addressPrefixes": ["203.0.113.64/28", "2001:db8:9::/48"]}}]}'
)


def random_policy(r):
    lines = [HEAD, 'policy p "P" { owner "O" from ' + r.choice(("a", "both", "any-group"))]
    for number in range(r.randint(1, 7)):
        action = r.choice(("allow", "allow", "allow", "deny"))
        to = " ".join(dict.fromkeys(r.choice(HOSTS + ADDRESSES) for _ in range(r.randint(1, 3))))
        if r.random() < 0.25:
            to += " except " + r.choice((*HOSTS[:4], *ADDRESSES[:2]))
        ports = r.choice(PORTS if "w.test.io/pki" not in to else PORTS[:2])
        extra = r.choice(
            ("", "", "as one", "as two", "as one two", "log", "log off", "expires 2027-01-31", 'ticket "T-1"')
        )
        if action == "allow" and "https" in ports and r.random() < 0.4:
            extra += " " + r.choice(("no-tls-inspection", "no-tls-inspection", "tls-inspection"))
        lines.append(f'{action} r{number} "Rule {number}" {{ to {to} ports {ports} {extra} }}')
    return "\n".join([*lines, "}"])


def random_inventory(r):
    flag = lambda: r.choice(("true", "false"))  # noqa: E731
    tier = r.choice(("Basic", "Standard", "Premium"))
    ca = ", tls-inspection: true, certificate-authority: {name: ca, key-vault-secret-id: 'https://kv.vault.azure.net/secrets/x'}"
    return INVENTORY.format(
        internal=r.choice(("[]", "[10.0.0.0/8]", '[10.0.0.0/8, "fc00::/7"]')),
        gateway=r.choice(("[a]", "[both]", "[a, c]", "[b]")),
        flag=flag(),
        closing=r.choice(("true", "true", "false")),
        dns="false" if tier == "Basic" else flag(),
        tier=tier,
        ca=ca if tier == "Premium" and r.random() < 0.7 else "",
        proxy=r.choice(("", ", tls-proxy-port: 3129")),
        resolver=r.choice(("dnsmasq", "none")),
        keywords=r.choice(("true", "true", "false")),
    )


@pytest.mark.parametrize("seed", range(4))
def test_no_random_policy_shows_a_defect(seed):
    r = random.Random(seed)
    outcomes = Counter()
    for _ in range(40):
        policy, inventory = random_policy(r), random_inventory(r)
        accepted = ("account", "except", "label-wildcard", "ports", "no-names", "order", "tls-unenforced", "family")
        result = compilation_of(policy, inventory, accept=r.choice(((), accepted)), tags__json=TAGS)
        if has_errors(result.diagnostics):
            assert result.builds == ()
            outcomes["refused"] += 1
            continue
        outcomes["compiled"] += 1
        for build in result.builds:
            rendered = build.render()
            assert rendered
            assert all(isinstance(artefact.content, bytes) for artefact in rendered)
            assert fidelity_json(build.fidelity, build.target)
            assert fidelity_markdown(build.fidelity, build.target)
            written = {rule.rule.identity for rule in build.fidelity.rules}
            assert written == {rule.identity for rule in build.site.rules}, "a rule is missing in the report"
    assert outcomes["compiled"] >= 3, outcomes
