"""Small policies and inventories for the tests of this target, and what becomes of them."""

from iptables_machine import Machine, Packet
from support import artefacts_of, compilation_of, lowering_of

from egressc.diagnostics import has_errors

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
