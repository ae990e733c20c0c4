"""Sources, users, destinations and services of rules, as a flow has them. Lists that rules share are looked at once."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from egressc import ranges
from egressc.addresses import ALL, EMPTY, AddressSet, parse_addresses, union_of
from egressc.anything import Anything
from egressc.flows import EVERY, Choice
from egressc.hosts import HostPattern
from egressc.services import ALL_PORTS, FIRST_PORT, LAST_PORT, NO_PORTS, PortSet
from egressc.targets.paloalto.live import WIDEST, LiveService
from egressc.targets.paloalto.meaning_names import joined
from egressc.targets.paloalto.processes import USER, user_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from egressc.flows import Processes, Test
    from egressc.site import Site
    from egressc.targets.paloalto.live import Live, Texts
    from egressc.targets.paloalto.settings import Settings

Senders = tuple[tuple[AddressSet, Choice], ...]
"""Sources as alternatives: addresses, and the objects of which the source must be in one."""

Wheres = tuple[tuple[AddressSet, "tuple[Test, ...] | None"], ...]
"""Destinations as alternatives: addresses, or names that are known by the addresses that they resolve to."""

ANY_SENDER: Final[Senders] = ((ALL, EVERY),)
ANYWHERE: Final[Wheres] = ((ALL, None),)

_NEGATED_ANY: Final = "what the negation of `any` matches is not documented"

_LAST_V4: Final = 2**32 - 1

_PORT: Final = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_NAME: Final = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}")

_PREDEFINED: Final = {
    "service-http": LiveService("tcp", "80,8080"),
    "service-https": LiveService("tcp", "443"),
}
"""Services that every device has (paloalto.md, section 1)."""


@dataclass(frozen=True, slots=True)
class _Held:
    """What members of an address list stand for."""

    addresses: AddressSet = EMPTY
    names: tuple[Test, ...] = ()
    objects: frozenset[str] = frozenset()
    doubt: str = ""


class Matcher:
    """What lists of names mean in one configuration, for one site."""

    def __init__(self, live: Live, site: Site[Settings]) -> None:
        self._live = live
        self._objects = frozenset([g.object_name for g in site.groups if g.object_name is not None])
        self._users = frozenset(
            user_name(value)
            for rule in site.rules
            if not isinstance(rule.accounts, Anything)
            for account in rule.accounts
            for value in account.values(USER)
        )
        self._shared = _asked_for_twice(live)
        self._sets: dict[AddressSet, AddressSet] = {ALL: ALL}
        self._members: dict[tuple[str, bool], _Held] = {}
        self._senders: dict[tuple[Texts, bool], tuple[Senders, str]] = {}
        self._wheres: dict[tuple[Texts, bool], tuple[Wheres, str]] = {}
        self._ports: dict[Texts, tuple[PortSet, str]] = {}
        self._whom: dict[Texts, tuple[Processes, str]] = {WIDEST: ((), "")}

    def senders(self, members: Texts, *, negated: bool) -> tuple[Senders, str]:
        """Who sends, and what is not clear about that; nobody where nothing is left."""
        key = (members, negated)
        found = self._senders.get(key)
        if found is None:
            found = self._senders[key] = self._worked_out_senders(members, negated=negated)
        return found

    def wheres(self, members: Texts, *, negated: bool) -> tuple[Wheres, str]:
        """The destinations, and what is not clear about them; none where nothing is left."""
        key = (members, negated)
        found = self._wheres.get(key)
        if found is None:
            found = self._wheres[key] = self._worked_out_wheres(members, negated=negated)
        return found

    def ports(self, members: Texts) -> tuple[PortSet, str]:
        """The ports of services, and what is not clear about them."""
        found = self._ports.get(members)
        if found is None:
            found = self._ports[members] = self._worked_out_ports(members)
        return found

    def processes(self, members: Texts) -> tuple[Processes, str]:
        """Whose processes, and what is not clear about that."""
        found = self._whom.get(members)
        if found is None:
            found = self._whom[members] = self._worked_out_users(members)
        return found

    # -- addresses

    def _worked_out_senders(self, members: Texts, *, negated: bool) -> tuple[Senders, str]:
        if members == WIDEST:
            return ANY_SENDER, _NEGATED_ANY if negated else ""
        held = self._together(members, is_source=True)
        if held.doubt:
            return (ANY_SENDER if negated else self._as_senders(held)), held.doubt
        if not negated:
            return self._as_senders(held), ""
        left = self._same(ALL.difference(held.addresses))
        objects = Choice(held.objects, True) if held.objects else EVERY  # noqa: FBT003
        return (() if left.is_empty else ((left, objects),)), ""

    def _as_senders(self, held: _Held) -> Senders:
        found: list[tuple[AddressSet, Choice]] = []
        if not held.addresses.is_empty:
            found.append((self._same(held.addresses), EVERY))
        if held.objects:
            found.append((ALL, Choice(held.objects)))
        return tuple(found)

    def _worked_out_wheres(self, members: Texts, *, negated: bool) -> tuple[Wheres, str]:
        if members == WIDEST:
            return ANYWHERE, _NEGATED_ANY if negated else ""
        held = self._together(members, is_source=False)
        if negated:
            if held.doubt or held.names:
                return ANYWHERE, held.doubt or "which addresses a negated name has, only the firewall knows"
            left = self._same(ALL.difference(held.addresses))
            return (() if left.is_empty else ((left, None),)), ""
        found: list[tuple[AddressSet, tuple[Test, ...] | None]] = []
        if not held.addresses.is_empty:
            found.append((self._same(held.addresses), None))
        if held.names:
            found.append((ALL, held.names))
        return tuple(found), held.doubt

    def _together(self, members: Texts, *, is_source: bool) -> _Held:
        every = [self._member(name, is_source=is_source) for name in members]
        if len(every) == 1:
            return every[0]
        return _Held(
            self._same(_union([each.addresses for each in every])),
            tuple(dict.fromkeys([test for each in every for test in each.names])),
            frozenset().union(*[each.objects for each in every]),
            joined([each.doubt for each in every]),
        )

    def _member(self, name: str, *, is_source: bool) -> _Held:
        found = self._members.get((name, is_source))
        if found is None:
            known = self._members
            for each in _inner_first(name, self._live.address_groups, lambda at: (at, is_source) in known):
                if each == name or each in self._shared:
                    found = known[each, is_source] = self._worked_out(each, is_source=is_source)
            assert found is not None, "the name itself comes last"
        return found

    def _worked_out(self, name: str, *, is_source: bool) -> _Held:
        """What one member stands for; groups in it are gone through once each, however they hold one another.

        What a group in it stands for is known already if others ask for it too, unless the groups go in a circle.
        """
        live = self._live
        known: list[AddressSet] = []
        names: dict[Test, None] = {}
        objects: set[str] = set()
        doubts: dict[str, None] = {}
        waiting, seen = [name], {name}
        while waiting:
            at = waiting.pop()
            if at in self._objects and (is_source or not self._is_written(at)):
                if is_source:
                    objects.add(at)
                else:
                    doubts[f"which networks are in `{at[:80]}`, only the firewall knows"] = None
                    known.append(ALL)
                continue
            if at in live.twice:
                doubts[f"`{at[:80]}` stands in several places and says different things"] = None
                known.append(ALL)
                continue
            held = self._members.get((at, is_source)) if at in live.address_groups else None
            if held is not None:
                known.append(held.addresses)
                names.update(dict.fromkeys(held.names))
                objects |= held.objects
                doubts.update({held.doubt: None} if held.doubt else {})
                continue
            members = live.address_groups.get(at, ())
            if members:
                waiting += [each for each in members if each not in seen]
                seen.update(members)
                continue
            text, doubt = self._object(at, is_source=is_source)
            if doubt:
                doubts[doubt] = None
                known.append(ALL)
            elif isinstance(text, AddressSet):
                known.append(text)
            else:
                names[HostPattern(tuple(text.split("."))), None] = None
        addresses = self._same(_union(known))
        return _Held(addresses, tuple(names), frozenset(objects), joined(doubts))

    def _is_written(self, name: str) -> bool:
        return name in self._live.addresses or name in self._live.address_groups

    def _object(self, name: str, *, is_source: bool) -> tuple[AddressSet | str, str]:
        """The addresses or the host name of an object that is no group, or of an address; else why it has none."""
        live = self._live
        if name in live.address_groups:
            what = "is dynamic: its members change" if live.address_groups[name] is None else "is empty"
            return "", f"the address group `{name[:80]}` {what}"
        held = live.addresses.get(name)
        kind, value = ("", name) if held is None else (held.kind, held.value)
        if kind == "fqdn":
            lowered = value.lower()
            if is_source:
                return "", f"which addresses `{lowered[:80]}` has as a source, only the firewall knows"
            return (lowered, "") if _NAME.fullmatch(lowered) else ("", f"`{lowered[:80]}` is no host name")
        if held is not None and kind not in {"ip-netmask", "ip-range"}:
            return "", f"the address object `{name[:80]}` is of a kind that is not understood"
        found = _literal(value)
        if found is not None:
            return found, ""
        if held is None and name in live.external_lists:
            return "", f"what is in the external list `{name[:80]}` is not known"
        return "", f"what `{name[:80]}` stands for is not in the files"

    def _same(self, addresses: AddressSet) -> AddressSet:
        return self._sets.setdefault(addresses, addresses)

    # -- services and users

    def _worked_out_ports(self, members: Texts) -> tuple[PortSet, str]:
        if members == WIDEST:
            return ALL_PORTS, ""
        live = self._live
        for name in members:
            for each in _inner_first(name, live.service_groups, lambda at: (at,) in self._ports):
                if (each,) != members and each in self._shared:
                    self._ports[(each,)] = self._ports_together((each,))
        return self._ports_together(members)

    def _ports_together(self, members: Texts) -> tuple[PortSet, str]:
        """The ports of services; those of groups in them are known already, unless the groups go in a circle."""
        live = self._live
        found = NO_PORTS
        doubts: dict[str, None] = {}
        waiting, seen = list(members), set(members)
        tcp: list[tuple[int, int]] = []
        udp: list[tuple[int, int]] = []
        while waiting:
            name = waiting.pop()
            if name in live.twice:
                doubts[f"the service `{name[:80]}` stands in several places and says different things"] = None
                found = ALL_PORTS
                continue
            group = live.service_groups.get(name)
            inner = self._ports.get((name,)) if group is not None else None
            if inner is not None:
                doubts.update({inner[1]: None} if inner[1] else {})
                if inner[0] is ALL_PORTS:
                    found = ALL_PORTS
                tcp.extend(inner[0].tcp)
                udp.extend(inner[0].udp)
                continue
            if group:
                waiting += [each for each in group if each not in seen]
                seen.update(group)
                continue
            service = live.services.get(name) or _PREDEFINED.get(name)
            ports = None if service is None else _ports(service.ports)
            if service is None or ports is None or service.transport not in {"tcp", "udp", "sctp"}:
                what = "means the ports that the application uses" if name == "application-default" else "is not known"
                doubts[f"the service `{name[:80]}` {what}"] = None
                found = ALL_PORTS
                continue
            if service.has_source_port:
                doubts[f"the service `{name[:80]}` asks for a source port"] = None
            if service.transport != "sctp":
                (tcp if service.transport == "tcp" else udp).extend(ports)
        if found is not ALL_PORTS:
            found = PortSet(ranges.merged(tcp), ranges.merged(udp))
        return (ALL_PORTS if found == ALL_PORTS else found), joined(doubts)

    def _worked_out_users(self, members: Texts) -> tuple[Processes, str]:
        users: set[str] = set()
        doubts: list[str] = []
        for member in members:
            name = user_name(member)
            if name not in self._users:
                # `domain\name` may be a user or a group of users, and who is in a group stands in the directory.
                doubts.append(f"whether `{member[:80]}` is a group, and who is in it, is not known")
            users.add(name)
        if doubts:
            return (), joined(doubts)
        return ((USER, Choice(frozenset(users))),), ""


def _asked_for_twice(live: Live) -> frozenset[str]:
    """The groups that more than one group or rule asks for."""
    asked: Counter[str] = Counter()
    for members in (*live.address_groups.values(), *live.service_groups.values()):
        asked.update(members or ())
    for rule in (*live.security, *live.decryption):
        asked.update((*rule.sources, *rule.destinations, *rule.services))
    groups = live.address_groups.keys() | live.service_groups.keys()
    return frozenset([name for name, count in asked.items() if count > 1 and name in groups])


def _inner_first(name: str, groups: Mapping[str, Texts | None], is_known: Callable[[str], bool]) -> Iterator[str]:
    """A name behind the groups that it holds at any depth, each behind those in it, without those that are known."""
    waiting = [(name, False)]
    seen: set[str] = set()
    while waiting:
        at, is_done = waiting.pop()
        if is_done:
            yield at
        elif at not in seen:
            seen.add(at)
            waiting.append((at, True))
            waiting += [(each, False) for each in groups.get(at) or () if each in groups and not is_known(each)]


def _union(known: list[AddressSet]) -> AddressSet:
    if len(known) == 1:
        return known[0]
    return ALL if any(each is ALL for each in known) else union_of(known)


def _literal(text: str) -> AddressSet | None:
    """The addresses of an address, network or range; bits behind the prefix length do not count."""
    found = parse_addresses(text)
    if not isinstance(found, AddressSet) and "/" in text:
        try:
            found = parse_addresses(str(ipaddress.ip_interface(text).network))
        except ValueError:
            return None
    return _with_v4(found) if isinstance(found, AddressSet) else None


def _with_v4(addresses: AddressSet) -> AddressSet:
    """The same, and the IPv4 addresses that networks of IPv6 match, too.

    An IPv4 address is taken for an IPv6 address whose first 96 bits are 0, so that `::/0` is the same as `any`
    ([D] PAN-OS administrator's guide, Policy, 9.1 to 10.2).
    """
    if not addresses.v6 or addresses.v6[0][0] > _LAST_V4:
        return addresses
    held = [(first, min(last, _LAST_V4)) for first, last in addresses.v6 if first <= _LAST_V4]
    return addresses.union(AddressSet(v4=tuple(held)))


def _ports(text: str) -> list[tuple[int, int]] | None:
    """The ports of a service object, such as `80,443,8000-8080`; ``None`` if they are not understood."""
    found = []
    for piece in text.split(","):
        shape = _PORT.fullmatch(piece.strip())
        if shape is None:
            return None
        first, last = int(shape[1]), int(shape[2] or shape[1])
        if first > last or last > LAST_PORT:
            return None
        if last >= FIRST_PORT:
            found.append((max(first, FIRST_PORT), last))
    return found
