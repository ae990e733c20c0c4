"""Random policies and inventories for an Azure Firewall."""

from __future__ import annotations

NAMES = ("x.net", "a.x.net", "b.x.net", "*.x.net", "*.a.x.net", "a.*.net.y.org", "*-z.y.org", "q*-z.y.org", "*.y.org", "w.com",
         "w.com/one", "a.x.net/one", "*.x.net/one", "*.q-z.y.org", "a.*.org.w.com", "*.*.x.net")  # fmt: skip
WHERE = ("198.51.100.0/24", "203.0.113.7", "20.0.0.1-20.0.0.9", "any-address", "service-tag Storage",
         "service-tag AzureCloud", "10.77.0.0/16", "2001:db8::/32")  # fmt: skip
SERVICES = ("443/https", "443/https", "443/https", "80/http", "5671/tls", "22/tcp", "53/udp", "443/tcp", "64999/https",
            "1000-1100/https", "any/tcp", "5671/http", "80/https")  # fmt: skip


def random_policy(random_):
    """A small policy with something of everything; it may have errors of its own."""
    lines = [
        'endpoints backed "b" { a.y.org *.q-z.y.org fallback { 203.0.113.0/24 service-tag Storage } }',
        'service-account robot "r" { linux-user robot }',
        'policy p "P" {',
    ]
    for number in range(random_.randint(2, 7)):
        deny = random_.random() < 0.3
        services = sorted(set(random_.sample(SERVICES, random_.randint(1, 2))))
        seen = all(s.endswith(("/https", "/http")) for s in services)
        names = tuple(n for n in NAMES if seen or "/" not in n)
        kinds = random_.choice((names, names, WHERE, names + WHERE))
        to = random_.sample(kinds, random_.randint(1, 3))
        if random_.random() < 0.15:
            to = ["backed"]
        extra = ""
        if random_.random() < 0.35:
            extra = " except " + " ".join(random_.sample(random_.choice((names, names, WHERE)), random_.randint(1, 2)))
        words = [f"to {' '.join(to)}{extra}", f"ports {' '.join(services)}"]
        words.append(random_.choice(("from one", "from two", "from one two", "from any-group")))
        if random_.random() < 0.15:
            words.append("as robot")
        if not deny and any(s.endswith(("/https", "/tls")) for s in services):
            words.append(random_.choice(("", "", "no-tls-inspection", "tls-inspection")))
        lines.append(f'{"deny" if deny else "allow"} r{number} "R" {{ {chr(10).join(words)} }}')
    return "\n".join((*lines, "}"))


def random_inventory(random_):
    """An inventory for it: any tier, known and unbound groups, and those that are an IP group already."""
    tier = random_.choice(("Basic", "Standard", "Premium", "Premium"))
    extra = []
    if tier == "Premium" and random_.random() < 0.8:
        extra.append("certificate-authority: {name: ca, key-vault-secret-id: 'https://v.vault.azure.net/secrets/ca'}")
        extra.append(f"tls-inspection: {random_.choice(('true', 'false'))}")
    if tier != "Basic":
        extra.append(f"dns-proxy: {random_.choice(('true', 'false'))}")
    extra.append(f"ip-groups: {random_.choice(('true', 'false'))}")
    extra.append(f"default-deny: {random_.choice(('true', 'true', 'true', 'false'))}")
    two = random_.choice(
        (
            "networks: [10.2.0.0/24]",
            "networks: [10.2.0.0/24, '2001:db8:2::/64']",
            "objects: {azure-firewall: ipg-two}",
            "description: unbound",
        )
    )
    unbound = "unbound: allowed, " if random_.random() < 0.5 else ""
    return f"""
groups:
  one: {{networks: [10.1.0.5, 10.1.0.6]}}
  two: {{{two}}}
internal-networks: {random_.choice(("[]", "[10.0.0.0/8]"))}
firewalls:
  f: {{target: azure-firewall, {unbound}settings: {{policy: p, location: x, tier: {tier}, {", ".join(extra)}}}}}
"""
