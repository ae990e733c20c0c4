"""Random policies with inventories over the whole language, and flows at the borders of what they say.

Few labels, few addresses and few ports, so that rules overlap. Everything follows from the random number generator.

* ``random_case(rng, firewall)``: a ``Case``. ``firewall(rng)`` gives the inventory entry of the firewall `fw` without its
  ``groups``, as YAML in one line: ``target: paloalto, settings: {…}``.
* ``compiled(case)``: the sites of `fw` with their lowering and report as ``Build`` objects; ``None`` if it is refused.
* ``boundary_flows(site, rng, count, kinds)``: flows of which many are just inside or just outside of a rule. With
  ``kinds`` (the kinds of binding that the platform sees) each flow has a ``process``, and belongs to the accounts that
  follow from it; without, it belongs to one of the accounts, or to none.
* ``seed()``, ``scale()``: ``EGRESSC_SEED`` and ``EGRESSC_SCALE`` of the environment.

A flow and its source are of one IP version. Group `d` is known on the device alone, as the object `OBJ D`
(``OBJECTS``); group `e` has neither networks nor an object.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from policy_verdict import SHOWN, Flow, among, number, service_holds, within
from support import AS_OF, write_project

from egressc.anything import ANY
from egressc.api import Request, lowered_request
from egressc.diagnostics import has_errors
from egressc.policy import AddressEndpoint, HostEndpoint, TagEndpoint
from egressc.reasons import Reason

TAGS = {"sql": ("203.0.113.64/28", "2001:db8:9::/48"), "storage": ("203.0.113.72-203.0.113.99",)}
"""The truth about the service tags: ``Case.tags_known`` says whether the inventory names the file that holds it."""

OBJECTS = {"OBJ D": ("10.88.0.0/24",)}
"""What the objects hold that exist on the device."""

_TAGS_FILE = (
    '{"changeNumber": 1, "cloud": "Public", "values": ['
    '{"name": "Sql", "id": "Sql", "properties": {"changeNumber": 1, "region": "", "platform": "Azure",'
    ' "systemService": "", "addressPrefixes": ["203.0.113.64/28", "2001:db8:9::/48"]}},'
    '{"name": "Storage", "id": "Storage", "properties": {"changeNumber": 1, "region": "", "platform": "Azure",'
    ' "systemService": "", "addressPrefixes": ["203.0.113.72/29", "203.0.113.80/28", "203.0.113.96/30"]}}]}'
)

_ACCOUNTS = """
service-account one "One" {
    windows-account "CORP\\one" windows-service "OneSvc" linux-user one directory-user "CORP\\one"
}
service-account two "Two" {
    windows-service "OneSvc" windows-service "TwoSvc" linux-user two linux-user 902 directory-user "CORP\\two"
}
service-account three "Three" {
    windows-program "C:\\three.exe" linux-user one linux-cgroup "three.slice"
    directory-user "CORP\\three" directory-user "CORP\\one"
}
"""

_SUFFIXES = ("x.io", "x.io", "x.io", "y.net")
_LABELS = ("a", "b", "a1", "b-p")
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
_OTHER_PORTS = (1, 22, 53, 80, 443, 5671, 8050, 8443, 64000, 64001, 65535)
_ELSEWHERE = ("198.18.0.9", "2001:db8:aaaa::9")


def seed():
    """The seed of this run, from the environment or fixed."""
    return int(os.environ.get("EGRESSC_SEED", "20261126"))


def scale():
    """How many times as many cases as usual."""
    return int(os.environ.get("EGRESSC_SCALE", "1"))


@dataclass(frozen=True)
class Case:
    """A policy and an inventory with one firewall, `fw`."""

    policy: str
    inventory: str
    tags_known: bool

    @property
    def text(self):
        """All of it, for a report."""
        return f"{self.policy}\n--- inventory.yaml\n{self.inventory}"


def random_case(rng, firewall):
    """A random policy with an inventory whose one firewall is what ``firewall`` says."""
    tags_known = rng.random() < 0.5
    return Case(_Writer(rng).policy(), _inventory(rng, firewall(rng), tags_known=tags_known), tags_known)


def compiled(case, accept=tuple(reason.value for reason in Reason)):
    """The builds of the firewall, every approximation accepted; ``None`` where the compilation is refused."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        write_project(folder, case.policy, case.inventory, tags__json=_TAGS_FILE)
        result = lowered_request(Request(paths=(folder,), as_of=AS_OF, accept=accept))
    return None if has_errors(result.diagnostics) else result.builds


class _Writer:
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
            return rng.choice((f"{rng.choice(_LABELS)}.{below}", f"*.{rng.choice(_LABELS)}.{below}"))
        return self.host(paths=paths)

    def host(self, *, paths):
        rng = self.rng
        suffix = rng.choice(_SUFFIXES)
        path = rng.choice(_PATHS) if paths and rng.random() < 0.4 else ""
        form = rng.random()
        if form < (0.6 if path else 0.3):
            host = ".".join([*self.some(_LABELS, 0, 2), suffix])
        elif form < 0.65:
            host = ".".join(["*", *self.some(_LABELS, 0, 1), suffix])
        elif form < 0.78:
            host = ".".join([rng.choice((*_LABELS, "*")), "*", *self.some(_LABELS, 0, 1), suffix])
        elif form < 0.93:
            host = ".".join([rng.choice(_GLOBS[:2]), *self.some((*_LABELS, *_GLOBS[:3]), 0, 1), suffix])
        else:
            host = f"${{part}}.{suffix}"
        return host + path

    def some(self, words, least, most):
        return self.rng.sample(words, self.rng.randint(least, most))


def _inventory(rng, firewall, *, tags_known):
    lines = [
        "groups:",
        '  a: {networks: [10.0.0.0/24, "2001:db8:1::/64"], parameters: {part: [a, zz]}, features: [extra]}',
        "  b: {networks: [10.0.1.7, 10.0.1.9-10.0.1.30], parameters: {part: b}}",
        '  c: {networks: ["2001:db8:3::/64"], parameters: {part: a}}',
        f"  d: {{objects: {{paloalto: OBJ D}}, {rng.choice(('', 'networks: [10.88.0.0/24], '))}parameters: {{part: b}}}}",
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


def boundary_flows(site, rng, count, kinds=()):
    """Flows about the rules of a site: some inside, many beside a border, of every dimension."""
    if site.rules:
        borders = _Borders(site, rng, kinds)
        found = 0
        for _ in range(20 * count):
            flow = borders.flow()
            if flow is not None:
                yield flow
                found += 1
                if found == count:
                    return


class _Borders:
    def __init__(self, site, rng, kinds):
        self.site, self.rng, self.kinds = site, rng, kinds
        every = [e for rule in site.rules for e in (*rule.endpoints, *rule.exceptions, *(rule.fallback or ()))]
        self.patterns = [e for e in every if isinstance(e, HostEndpoint)]
        self.places = [*_ELSEWHERE]
        for endpoint in every:
            self.places.extend(_ends(endpoint))
        for family in (4, 6):
            self.places.extend(text for pair in site.internal.ranges(family) for text in pair if _usable(text))
        self.accounts = {
            account.name: account for rule in site.rules if rule.accounts is not ANY for account in rule.accounts
        }

    def flow(self):
        """A flow inside of a rule with up to two things changed; ``None`` if there is no such flow."""
        rng = self.rng
        rule = rng.choice(self.site.rules)
        service = rng.choice(rule.services)
        endpoint = rng.choice((*rule.endpoints, *rule.endpoints, *rule.exceptions, *(rule.fallback or ())))
        host = path = None
        if isinstance(endpoint, HostEndpoint):
            host = self.instance(endpoint.pattern)
            path = self.path(endpoint.path)
            address = rng.choice((*_ELSEWHERE, *_ELSEWHERE, rng.choice(self.places)))
        else:
            address = rng.choice((*_ends(endpoint), *_ELSEWHERE[: not _ends(endpoint)]))
            host = rng.choice((None, self.a_host()))
            path = self.path(None)
        flow = Flow(
            rng.choice(rule.groups).name,
            "",
            frozenset(),
            host,
            path,
            address,
            rng.choice((None, None, self.a_host())),
            service.transport,
            rng.choice((service.first, service.last)),
        )
        account = None if rule.accounts is ANY else rng.choice(rule.accounts)
        changes = rng.sample(range(7), rng.choice((0, 0, 1, 1, 1, 2)))
        for change in changes:
            flow = self.changed(flow, change, endpoint)
        return self.completed(flow, None if 6 in changes and rng.random() < 0.7 else account, beside=5 in changes)

    def changed(self, flow, change, endpoint):
        rng = self.rng
        match change:
            case 0:
                return replace(flow, port=min(65535, max(1, rng.choice((flow.port - 1, flow.port + 1, *_OTHER_PORTS)))))
            case 1:
                other = "udp" if flow.transport == "tcp" else "tcp"
                return replace(flow, transport=other) if rng.random() < 0.3 else replace(flow, shared=self.a_host())
            case 2:
                return replace(flow, address=rng.choice((_beside(flow.address, rng), rng.choice(self.places))))
            case 3:
                return replace(flow, host=self.other_host(flow.host))
            case 4:
                prefix = endpoint.path if isinstance(endpoint, HostEndpoint) else None
                return replace(flow, path=self.other_path(prefix))
        return flow

    def completed(self, flow, account, *, beside):
        """The flow with a source, a process and what it shows."""
        rng = self.rng
        version = number(flow.address)[0]
        groups = {group.name: group for group in self.site.groups}
        if beside:
            name = rng.choice([*groups, None])
            flow = replace(flow, group=name)
        sources = self.sources(None if flow.group is None else groups[flow.group], version)
        if not sources:
            return None
        flow = replace(flow, source=rng.choice(sources), path=None if flow.host is None else flow.path)
        flow = self.shown(flow)
        if self.kinds:
            process = self.process(account)
            accounts = {n for n, each in self.accounts.items() if belongs(each, process, self.kinds)}
            return replace(flow, process=process, accounts=frozenset(accounts))
        if account is None and self.accounts and rng.random() < 0.5:
            account = rng.choice(list(self.accounts.values()))
        return replace(flow, accounts=frozenset(() if account is None else (account.name,)))

    def shown(self, flow):
        """What the flow shows: what a rule on its port says, as a rule."""
        rng = self.rng
        if flow.transport == "udp":
            return replace(flow, path=None)
        said = [
            service.application.value
            for rule in self.site.rules
            for service in rule.services
            if service_holds(service, flow)
        ]
        shown = {SHOWN[each] for each in said if SHOWN[each] is not None}
        shows = rng.choice(sorted(shown)) if shown else rng.choice(("tls", "http", None))
        path = flow.path
        if shows is None or (shows == "tls" and "tls" in said):
            path = None  # TLS that carries no HTTP
        elif shows == "http" and flow.host is not None:
            path = path or "/"
        return replace(flow, shows=shows, path=path)

    def sources(self, group, version):
        """Addresses of a group at its ends, or of no group: beside the groups and elsewhere."""
        if group is not None and group.object_name is not None:
            return [_next_to(text.partition("/")[0], 1) for text in OBJECTS[group.object_name] if version == 4]
        if group is not None and group.addresses is not ANY:
            return [text for pair in group.addresses.ranges(version) for text in pair]
        known = [each.addresses for each in self.site.groups if each.addresses is not ANY]
        ends = [text for held in known for pair in held.ranges(version) for text in pair]
        near = [_next_to(text, by) for text in ends for by in (-1, 1)]
        near.append("10.99.0.1" if version == 4 else "2001:db8:99::1")
        held_there = [text for each in self.site.groups for text in OBJECTS.get(each.object_name, ())]
        return [text for text in near if not any(within(held, text) for held in known) and not among(held_there, text)]

    def process(self, account):
        """A process of an account, of none, or of parts of several."""
        rng = self.rng
        values = {}
        for kind in self.kinds:
            whose = account if account is not None and rng.random() < 0.9 else None
            if whose is None and self.accounts and rng.random() < 0.5:
                whose = rng.choice(list(self.accounts.values()))
            known = () if whose is None else whose.values(kind)
            values[kind] = rng.choice(known) if known else ""
        return tuple(sorted((kind, value) for kind, value in values.items() if value))

    def a_host(self):
        return self.instance(self.rng.choice(self.patterns).pattern) if self.patterns else "a.x.io"

    def instance(self, pattern):
        """A name that the pattern matches."""
        rng = self.rng
        labels = [self.rng.choice(_LABELS)] * pattern.deep
        labels += [rng.choice(_LABELS)] * (pattern.deep and rng.random() < 0.3)
        for glob in pattern.labels:
            labels.append(
                rng.choice(_LABELS) if glob == "*" else glob.replace("*", rng.choice(("", "k", "1"))).strip("-")
            )
        if any(not label for label in labels):
            labels = [label or "k" for label in labels]
        return ".".join(labels)

    def other_host(self, host):
        """A look-alike: the apex, one more label, one less, another ending, another beginning, none."""
        rng = self.rng
        if host is None:
            return self.a_host()
        labels = host.split(".")
        return rng.choice(
            (
                None,
                ".".join(labels[1:]) if len(labels) > 2 else host,
                f"{rng.choice(_LABELS)}.{host}",
                f"{rng.choice(_LABELS)}.{rng.choice(_LABELS)}.{host}",
                f"evil{host}",
                f"evil.{host}",
                f"{host}.evil.example",
                ".".join([*labels[:-2], f"evil{labels[-2]}", labels[-1]]),
                ".".join([f"{labels[0]}-p", *labels[1:]]),
                ".".join([f"a{labels[0]}", *labels[1:]]),
                ".".join([rng.choice(_LABELS), *labels[1:]]) if len(labels) > 2 else host,
                ".".join([*labels[:1], "b", *labels[1:]]),
                self.a_host(),
            )
        )

    def path(self, prefix):
        rng = self.rng
        if prefix is None:
            return rng.choice((None, "/", "/p", "/p/q/1", "/r"))
        return rng.choice((prefix, f"{prefix}/", f"{prefix}/x", f"{prefix}/x/y"))

    def other_path(self, prefix):
        if prefix is None:
            return self.path(None)
        return self.rng.choice(
            (prefix[:-1] or "/", f"{prefix}x", f"{prefix}-/x", "/", f"/x{prefix}", None, f"{prefix}.html")
        )


def belongs(account, process, kinds):
    """True if a process is one of an account, as far as a platform sees these kinds of binding: all kinds, any value."""
    has = dict(process)
    known = [kind for kind in kinds if account.values(kind)]
    return bool(known) and all(has.get(kind) in account.values(kind) for kind in known)


def _ends(endpoint):
    """The first and last addresses of what an endpoint names."""
    match endpoint:
        case AddressEndpoint(addresses):
            return [text for family in (4, 6) for pair in addresses.ranges(family) for text in pair]
        case TagEndpoint(name):
            return [re.split("[/-]", text)[0] for text in TAGS[name.lower()]]
    return []


def _next_to(text, by):
    """The address so many further, or the same at an end of all addresses."""
    version, value = number(text)
    kind = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    other = value + by
    return str(kind(other)) if 0 <= other < 2 ** (32 if version == 4 else 128) else text


def _beside(text, rng):
    other = _next_to(text, rng.choice((-1, 1)))
    return other if _usable(other) else text


def _usable(text):
    """False for what no flow goes to: loopback, multicast, no address at all."""
    version, value = number(text)
    if version == 4:
        return value >> 24 not in {0, 127} and value >> 28 < 0xE
    return value > 1 and value >> 120 != 0xFF
