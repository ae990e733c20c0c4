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
from random_texts import LABELS, OBJECTS, TAGS, TAGS_FILE, Writer, inventory
from support import AS_OF, write_project

from egressc.anything import ANY
from egressc.api import Request, lowered_request
from egressc.diagnostics import has_errors
from egressc.policy import AddressEndpoint, HostEndpoint, TagEndpoint
from egressc.reasons import Reason

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
    return Case(Writer(rng).policy(), inventory(rng, firewall(rng), tags_known=tags_known), tags_known)


def compiled(case, accept=tuple(reason.value for reason in Reason)):
    """The builds of the firewall, every approximation accepted; ``None`` where the compilation is refused."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        write_project(folder, case.policy, case.inventory, tags__json=TAGS_FILE)
        result = lowered_request(Request(paths=(folder,), as_of=AS_OF, accept=accept))
    return None if has_errors(result.diagnostics) else result.builds


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
        labels = [self.rng.choice(LABELS)] * pattern.deep
        labels += [rng.choice(LABELS)] * (pattern.deep and rng.random() < 0.3)
        for glob in pattern.labels:
            labels.append(
                rng.choice(LABELS) if glob == "*" else glob.replace("*", rng.choice(("", "k", "1"))).strip("-")
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
                f"{rng.choice(LABELS)}.{host}",
                f"{rng.choice(LABELS)}.{rng.choice(LABELS)}.{host}",
                f"evil{host}",
                f"evil.{host}",
                f"{host}.evil.example",
                ".".join([*labels[:-2], f"evil{labels[-2]}", labels[-1]]),
                ".".join([f"{labels[0]}-p", *labels[1:]]),
                ".".join([f"a{labels[0]}", *labels[1:]]),
                ".".join([rng.choice(LABELS), *labels[1:]]) if len(labels) > 2 else host,
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
