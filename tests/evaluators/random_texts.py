"""The texts of random policies and inventories over the whole language, and what is behind their names.

``Writer(rng).policy()`` and ``inventory(rng, firewall, tags_known=…)`` are one case of ``random_cases``.
"""

from __future__ import annotations

TAGS = {"sql": ("203.0.113.64/28", "2001:db8:9::/48"), "storage": ("203.0.113.72-203.0.113.99",)}
"""The truth about the service tags: ``Case.tags_known`` says whether the inventory names the file that holds it."""

OBJECTS = {"OBJ D": ("10.88.0.0/24",), "obj_d": ("10.88.0.0/24",)}
"""What the objects hold that exist on the device."""

TAGS_FILE = (
    '{"changeNumber": 1, "cloud": "Public", "values": ['
    '{"name": "Sql", "id": "Sql", "properties": {"changeNumber": 1, "region": "", "platform": "Azure",'
    ' "systemService": "", "addressPrefixes": ["203.0.113.64/28", "2001:db8:9::/48"]}},'
    '{"name": "Storage", "id": "Storage", "properties": {"changeNumber": 1, "region": "", "platform": "Azure",'
    ' "systemService": "", "addressPrefixes": ["203.0.113.72/29", "203.0.113.80/28", "203.0.113.96/30"]}}]}'
)

_ACCOUNTS = """
service-account one "One" {
    windows-account "CORP\\one" windows-account "NT AUTHORITY\\NETWORK SERVICE" windows-service "OneSvc"
    linux-user one directory-user "CORP\\one"
}
service-account two "Two" {
    windows-service "OneSvc" windows-service "TwoSvc" linux-user two linux-user 902 directory-user "CORP\\two"
}
service-account three "Three" {
    windows-account "NT SERVICE\\ThreeSvc" windows-program "C:\\three.exe" linux-user one linux-cgroup "three.slice"
    directory-user "CORP\\three" directory-user "CORP\\one"
}
"""

_SUFFIXES = ("x.io", "x.io", "x.io", "y.net")
LABELS = ("a", "b", "a1", "b-p")
_GLOBS = ("a*", "*-p", "*", "b*p")
_PATHS = ("/p", "/p/q", "/r")
_ADDRESSES = (
    "192.0.2.0/24", "192.0.2.7", "192.0.2.8-192.0.2.20", "198.51.100.0/25", "198.51.100.64/26", "203.0.113.70",
    "203.0.113.0/24", "10.1.0.0/16", "10.1.2.3", "192.168.0.0/15", "2001:db8::/40", "2001:db8:9:1::7", "fd00::/8",
    "2001:db8:f::1-2001:db8:f::9", "any-address", "service-tag Sql", "service-tag Storage",
)  # fmt: skip
_PORTS = {
    "https": ("443", "443", "443", "443", "8443", "440-444", "8000-8100", "64990-65000"),
    "http": ("80", "80", "8080", "79-81"),
    "tls": ("5671", "5671-5672", "636"),
    "tcp": ("443", "25", "8000-8100", "any", "22", "5671"),
    "udp": ("53", "443", "123", "1-1023"),
}
_APPLICATIONS = (
    ("https",), ("https",), ("https",), ("http",), ("http",), ("http",), ("http", "https"), ("http", "https"), ("tls",),
    ("https", "tls"), ("tcp",), ("udp",), ("tcp", "udp"), ("https", "tcp"),
)  # fmt: skip


class Writer:
    """Writes one policy."""

    def __init__(self, rng):
        self.rng = rng
        # One inspection setting for most policies: both at once for one flow is an error.
        self.inspections = rng.choice((("no-tls-inspection",), ("no-tls-inspection",), ("tls-inspection",),
                                       ("no-tls-inspection", "tls-inspection"), ("",)))  # fmt: skip
        self.accounts = rng.random() < 0.5
        self.sets = []

    def policy(self):
        rng = self.rng
        lines = [_ACCOUNTS, 'parameter part "A part of the name"']
        for name in ("names", "mixed"):
            if rng.random() < 0.5:
                content = [self.host(paths=False) for _ in range(rng.randint(1, 3))]
                content += [rng.choice(_ADDRESSES[:14])] if name == "mixed" else []
                content += [rng.choice(self.sets)] if self.sets and rng.random() < 0.4 else []
                if rng.random() < 0.6:
                    content.append(f"fallback {{ {' '.join(self.some(_ADDRESSES[:-3], 1, 2))} }}")
                lines.append(f'endpoints {name} "Set" {{ {" ".join(dict.fromkeys(content))} }}')
                self.sets.append(name)
        if rng.random() < 0.25:
            lines.append(self.statement("template policy lib", (0, 2), [], groups=False))
            lines.append(self.statement("policy p", (0, 5), ["include lib"], groups=True))
        else:
            lines.append(self.statement("policy p", (1, 6), [], groups=True))
        if rng.random() < 0.3:
            lines.append(self.statement("policy q", (1, 2), [], groups=True))
        return "\n".join(lines)

    def statement(self, head, count, settings, *, groups):
        rng = self.rng
        settings = [*settings]
        if groups:
            settings.append(f"from {self.groups()}")
        if self.accounts and rng.random() < 0.3:
            settings.append(f"as {self.whom()}")
        if rng.random() < 0.15 and self.inspections != ("",):
            settings.append("no-tls-inspection")
        if rng.random() < 0.1:
            settings.append("feature extra")
        rules = [self.rule(n, groups=groups) for n in range(rng.randint(*count) or 1)]
        return "\n".join([f'{head} "Policy" {{', *settings, *rules, "}"])

    def groups(self):
        return self.rng.choice(("a", "b", "a b", "both", "any-group", "any-group", "a c", "d", "e"))

    def whom(self):
        return self.rng.choice(("one", "one", "two", "three", "one two"))

    def rule(self, position, *, groups):
        rng = self.rng
        deny = rng.random() < 0.27
        applications = rng.choice(_APPLICATIONS)
        ports = list(dict.fromkeys(f"{rng.choice(_PORTS[each])}/{each}" for each in applications))
        visible = set(applications) <= {"https", "http"}
        to = list(dict.fromkeys(self.endpoint(paths=visible) for _ in range(rng.choice((1, 1, 2, 2, 3)))))
        words = [f"to {' '.join(to)}"]
        if rng.random() < 0.3:
            words.append(
                f"except {' '.join(dict.fromkeys(self.excepted(to, paths=visible) for _ in range(rng.choice((1, 1, 2)))))}"
            )
        words.append(f"ports {' '.join(ports)}")
        if groups and rng.random() < 0.3:
            words.append(f"from {self.groups()}")
        if self.accounts and rng.random() < 0.4:
            words.append(f"as {self.whom()}")
        if not deny and {"https", "tls"} & set(applications) and rng.random() < 0.5:
            words.append(rng.choice((*self.inspections, *self.inspections, "tls-inspection may")))
        words.append(rng.choice(("", "", "", "", "log", "log off", 'ticket "T-1"', "feature extra", "feature other")))
        if rng.random() < 0.12:
            words.append(rng.choice(("expires 2027-01-31", "expires 2026-11-22", "expires 2026-11-21")))
        return f'{"deny" if deny else "allow"} r{position} "Rule" {{ {" ".join(words)} }}'

    def endpoint(self, *, paths):
        rng = self.rng
        kind = rng.random()
        if self.sets and kind < 0.2:
            return rng.choice(self.sets)
        return rng.choice(_ADDRESSES) if kind < 0.42 else self.host(paths=paths)

    def excepted(self, to, *, paths):
        """Something that often cuts into what is there."""
        rng = self.rng
        if rng.random() < 0.35:
            return rng.choice(_ADDRESSES[:14])
        wild = [word for word in to if word.startswith("*.")]
        if wild and rng.random() < 0.7:
            below = rng.choice(wild).partition("/")[0][2:]
            return rng.choice((f"{rng.choice(LABELS)}.{below}", f"*.{rng.choice(LABELS)}.{below}"))
        return self.host(paths=paths)

    def host(self, *, paths):
        rng = self.rng
        suffix = rng.choice(_SUFFIXES)
        path = rng.choice(_PATHS) if paths and rng.random() < 0.4 else ""
        form = rng.random()
        if form < (0.6 if path else 0.3):
            host = ".".join([*self.some(LABELS, 0, 2), suffix])
        elif form < 0.65:
            host = ".".join(["*", *self.some(LABELS, 0, 1), suffix])
        elif form < 0.78:
            host = ".".join([rng.choice((*LABELS, "*")), "*", *self.some(LABELS, 0, 1), suffix])
        elif form < 0.93:
            host = ".".join([rng.choice(_GLOBS[:2]), *self.some((*LABELS, *_GLOBS[:3]), 0, 1), suffix])
        else:
            host = f"${{part}}.{suffix}"
        return host + path

    def some(self, words, least, most):
        return self.rng.sample(words, self.rng.randint(least, most))


def inventory(rng, firewall, *, tags_known):
    lines = [
        "groups:",
        '  a: {networks: [10.0.0.0/24, "2001:db8:1::/64"], parameters: {part: [a, zz]}, features: [extra]}',
        "  b: {networks: [10.0.1.7, 10.0.1.9-10.0.1.30], parameters: {part: b}}",
        '  c: {networks: ["2001:db8:3::/64"], parameters: {part: a}}',
        f"  d: {{objects: {{paloalto: OBJ D, iptables: obj_d}}, {rng.choice(('', 'networks: [10.88.0.0/24], '))}parameters: {{part: b}}}}",
        "  e: {parameters: {part: a}}",
        "  both: {members: [a, b]}",
    ]
    internal = rng.choice(("[]", "[10.0.0.0/8]", '[10.0.0.0/8, 192.168.0.0/16, "fc00::/7"]', None))
    if internal:
        lines.append(f"internal-networks: {internal}")
    if tags_known:
        lines.append("service-tags: tags.json")
    groups = rng.choice(("[a]", "[a]", "[both]", "[both]", "[a, b, c]", "[both, d]", "[b]", "[a, e]", "[e]"))
    unbound = rng.choice(("", ", unbound: allowed"))
    lines.append(f"firewalls: {{fw: {{groups: {groups}{unbound}, {firewall}}}}}")
    return "\n".join(lines) + "\n"
