"""The last lines of a compilation."""

from __future__ import annotations

from support import compilation_of

from egressc.summary import counts, summary_lines

POLICY = """
service-account acc "A" { windows-service S }
policy p "P" {
    from one two
    allow web "W" { to a.test.io b.test.io/p ports 443 as acc }
    allow net "N" { to 192.0.2.0/24 ports 443/tcp }
}
"""
INVENTORY = """
groups:
  one: {networks: [10.0.0.1]}
  two: {networks: [10.0.0.2]}
firewalls:
  cloud: {target: azure-firewall, accept: [account], settings: {policy: p, location: l}}
  hosts-of-ours: {target: windows-firewall}
"""


def test_one_line_for_each_firewall_in_columns():
    found = compilation_of(POLICY, INVENTORY)
    lines = summary_lines([build.fidelity for build in found.builds])
    assert len(found.builds) == 3
    assert len(lines) == 2
    cloud, hosts = lines
    assert cloud.split() == [
        "cloud",
        "azure-firewall",
        "2",
        "rules",
        "exact",
        "1",
        "wider",
        "1",
        "account",
        "1",
        "(accepted",
        "1),",
        "path",
        "1",
        "proved",
    ]
    assert hosts.startswith("hosts-of-ours  windows-firewall  2 rules  ")
    assert "path 1, resolved-address 1" in hosts, (
        "the most rules first, then the order of the table; a rule counts once"
    )
    assert cloud.index("2 rules") == hosts.index("2 rules")
    assert cloud.index("wider") == hosts.index("wider")
    assert cloud.index("proved") == hosts.index("proved")


def test_the_numbers_for_machines():
    found = compilation_of(POLICY, INVENTORY, firewalls=("cloud",))
    (build,) = found.builds
    assert counts(build.fidelity) == {
        "firewall": "cloud",
        "target": "azure-firewall",
        "rules": 2,
        "verdicts": {"exact": 1, "wider": 1},
        "reasons": {"account": {"rules": 1, "accepted": 1}, "path": {"rules": 1, "accepted": 0}},
        "proved": True,
        "assumptions": sorted({a for rule in build.fidelity.rules for a in rule.assumptions}),
    }


def test_nothing_compiled():
    assert summary_lines([]) == []
