"""Policies of any size that stay inside every target's own limits, for the benchmark.

Rules look as people write them: most name one to three hosts of their own below a handful of domains, some a wildcard,
a few a network or a deny; accounts and groups are few.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

INVENTORY = """\
groups:
  servers-a: {networks: [10.1.0.0/24, 10.2.0.0/24]}
  servers-b: {networks: [10.3.0.0/24]}
  behind-gateway: {networks: [10.9.0.0/24]}
service-accounts:
  agent: {linux-user: 901}
  updater: {linux-user: 902}
firewalls:
  edge: {target: paloalto, groups: [servers-a, servers-b], accept: [account], settings: {from-zone: trust, to-zone: untrust}}
  cloud:
    target: azure-firewall
    groups: [servers-a, servers-b]
    accept: [account, depth, path, no-names]
    settings: {policy: bench, location: westeurope, ip-groups: true, max-rule-collection-groups: 1000}
  gateway:
    target: iptables
    groups: [behind-gateway]
    accept: [account, apex, depth, path]
    settings: {mode: gateway}
  hosts: {target: windows-firewall, groups: [servers-a], accept: [path]}
"""

_HEAD = """\
service-account agent "Agent" {
    windows-account "NT AUTHORITY\\NETWORK SERVICE"
    windows-service "BenchAgent"
}

service-account updater "Updater" {
    windows-account "NT AUTHORITY\\SYSTEM"
    windows-service "BenchUpdater"
}
"""

_POLICIES = 100
"""At most: firewalls limit the number of containers, not only that of rules."""

_BEHIND_GATEWAY = 30_000
"""A kernel holds 65,534 ipsets, and a rule by name has two: more rules than this are not for the iptables gateway."""

_WORDS = ("api", "login", "data", "cdn", "queue", "store", "mail", "telemetry", "update", "media")


def policy_text(rules: int, seed: int = 1) -> str:
    """The text of a policy file with that many rules; the same for the same numbers."""
    random_ = random.Random(seed)
    each = max(rules // _POLICIES, _POLICIES)
    lines = [_HEAD]
    for number in range(rules):
        if number % each == 0:
            if number:
                lines.append("}\n")
            name = f"policy-{number // each}"
            lines.append(f'policy {name} "Service area {number // each}" {{')
            lines.append('    owner "team@example.net"')
            behind = " behind-gateway" if number + each <= max(_BEHIND_GATEWAY, each) else ""
            lines.append(f"    from  servers-a servers-b{behind}\n")
        lines.append(_rule(number, each, random_))
    lines.append("}\n")
    return "\n".join(lines)


def _rule(number: int, each: int, random_: random.Random) -> str:
    area = f"area{number // each}"
    kind = random_.random()
    account = random_.choice(("agent", "updater", "agent updater"))
    extra = ""
    action = "allow"
    ports = "443/https"
    if kind < 0.70:
        hosts = [f"{random_.choice(_WORDS)}{number}-{i}.{area}.example.net" for i in range(random_.randint(1, 3))]
        if random_.random() < 0.2:
            ports = "80/http"
        elif random_.random() < 0.2:
            extra = "\n        no-tls-inspection"
    elif kind < 0.90:
        hosts = [f"*.{random_.choice(_WORDS)}{number}.{area}.example.net"]
    elif kind < 0.97:
        hosts = [f"198.{18 + number % 2}.{number // 2 % 256}.{(number * 8) % 256 // 8 * 8}/29"]
        ports = f"{8000 + number % 50}/tcp"
        account = ""
    else:
        hosts = [f"blocked{number}.{area}.example.org"]
        action = "deny"
        account = ""
    as_line = f"\n        as    {account}" if account else ""
    return (
        f'    {action} rule-{number} "What service {number} of {area} needs" {{\n'
        f"        to    {' '.join(hosts)}\n        ports {ports}{as_line}{extra}\n    }}\n"
    )


def write(folder: Path, rules: int) -> Path:
    """Write a policy of that size and its inventory into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.egress").write_text(policy_text(rules), encoding="utf-8")
    (folder / "inventory.yaml").write_text(INVENTORY, encoding="utf-8")
    return folder
