"""Sources, destinations and ports of rules, as a flow has them. Lists that many rules share are looked at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from egressc import ranges
from egressc.addresses import ALL, AddressSet, parse_addresses, union_of
from egressc.flows import EVERY, Choice
from egressc.services import ALL_PORTS, FIRST_PORT, LAST_PORT, PortSet
from egressc.targets.azure_firewall.live import HERE, last_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.ranges import Ranges
    from egressc.site import Site
    from egressc.targets.azure_firewall.live import LiveIpGroup
    from egressc.targets.azure_firewall.settings import Settings

_TAG: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_PORT: Final = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")

Senders = tuple[tuple[AddressSet, Choice], ...]
"""Sources as alternatives: addresses, and the IP groups of which the source must be in one."""
ANY_SENDER: Final[Senders] = ((ALL, EVERY),)
"""Any source."""

Texts = tuple[str, ...]
_Known = tuple[AddressSet, frozenset[str], str]
"""Addresses, opaque service tags, and a doubt."""


class Matcher:
    """What lists of texts mean on one firewall; ``home`` is the identifier of the policy's resource group, if known."""

    def __init__(self, site: Site[Settings], ip_groups: Iterable[LiveIpGroup], home: str) -> None:
        self._tags = site.tags
        self._home = home
        self._objects = {group.object_name for group in site.groups if group.object_name is not None}
        self._by_name: dict[str, list[LiveIpGroup]] = {}
        for group in ip_groups:
            self._by_name.setdefault(last_name(group.identifier), []).append(group)
        self._sets: dict[AddressSet, AddressSet] = {ALL: ALL}
        self._senders: dict[tuple[Texts, Texts], tuple[Senders, str]] = {}
        self._places: dict[tuple[Texts, Texts], _Known] = {}
        self._ports: dict[tuple[Texts, Texts], tuple[PortSet, str]] = {}

    def senders(self, addresses: Texts, ip_groups: Texts) -> tuple[Senders, str]:
        """Who sends, and what is not clear about that; nobody where no list has anything in it."""
        key = (addresses, ip_groups)
        found = self._senders.get(key)
        if found is None:
            found = self._senders[key] = self._worked_out_senders(addresses, ip_groups)
        return found

    def destinations(self, addresses: Texts, ip_groups: Texts) -> _Known:
        """The addresses and opaque service tags of a network rule, and what is not clear about them."""
        key = (addresses, ip_groups)
        found = self._places.get(key)
        if found is None:
            doubts: dict[str, None] = {}
            held, tags = self._addresses(addresses, doubts, takes_tags=True)
            for reference in ip_groups:
                if self._object(reference) is not None:
                    doubts[f"nobody says which networks are in the IP group `{last_name(reference)}`"] = None
                    held = ALL
                    continue
                held = held.union(self._ip_group(reference, doubts))
            found = self._places[key] = self._same(held), tags, "; ".join(doubts)
        return found

    def ports(self, protocols: Texts, ports: Texts) -> tuple[PortSet, str]:
        """The ports of a network rule, and what is not clear about them.

        `Any` is every IP protocol, and TCP and UDP where a port is given (rule-processing.md).
        """
        key = (protocols, ports)
        found = self._ports.get(key)
        if found is None:
            found = self._ports[key] = _ports(protocols, ports)
        return found

    # --

    def _worked_out_senders(self, addresses: Texts, ip_groups: Texts) -> tuple[Senders, str]:
        doubts: dict[str, None] = {}
        if addresses and ip_groups:
            doubts["what addresses and IP groups together mean is not documented"] = None
        held, _ = self._addresses(addresses, doubts, takes_tags=False)
        objects = set()
        for reference in ip_groups:
            known = self._object(reference)
            if known is not None:
                objects.add(known)
            else:
                held = held.union(self._ip_group(reference, doubts))
        senders: list[tuple[AddressSet, Choice]] = []
        if not held.is_empty:
            senders.append((self._same(held), EVERY))
        if objects:
            senders.append((ALL, Choice(frozenset(objects))))
        if not addresses and not ip_groups:
            return ANY_SENDER, "it names no source"
        return tuple(senders), "; ".join(doubts)

    def _addresses(
        self, entries: Texts, doubts: dict[str, None], *, takes_tags: bool
    ) -> tuple[AddressSet, frozenset[str]]:
        if "*" in entries:
            return ALL, frozenset()
        known: list[AddressSet] = []
        tags: set[str] = set()
        for entry in entries:
            found = parse_addresses(entry)
            if isinstance(found, AddressSet):
                known.append(found)
            elif takes_tags and _TAG.fullmatch(entry):
                tag = self._tags.get(entry.lower())
                if tag is None:
                    tags.add(entry.lower())
                else:
                    known.append(tag)
            else:
                doubts[f"what `{entry[:80]}` stands for is not understood"] = None
                known.append(ALL)
        return known[0] if len(known) == 1 else union_of(known), frozenset(tags)

    def _same(self, addresses: AddressSet) -> AddressSet:
        return self._sets.setdefault(addresses, addresses)

    def _object(self, reference: str) -> str | None:
        """The object of the inventory that an IP group is, if it is one."""
        low, name = reference.lower(), last_name(reference)
        for known in self._objects:
            if known.startswith("/"):
                if known.lower() == low:
                    return known
            elif known.lower() == name and self._is_at_home(low):
                return known
        return None

    def _is_at_home(self, reference: str) -> bool:
        """True if an identifier is one of the resource group of the policy."""
        place = resource_group(reference)
        return place in {"", _HERE} or (self._home not in {"", _HERE} and place == self._home)

    def _ip_group(self, reference: str, doubts: dict[str, None]) -> AddressSet:
        """The networks of an IP group; all, and a doubt, where the files do not hold it."""
        low = reference.lower()
        found = [g for g in self._by_name.get(last_name(reference), ()) if may_be_one(g.identifier, reference)]
        exact = [g for g in found if g.identifier.lower() == low]
        if len(exact or found) != 1:
            word = "is not in the files" if not found else "is in the files several times"
            doubts[f"the IP group `{last_name(reference)}` {word}"] = None
            return ALL
        group = (exact or found)[0]
        if group.doubt:
            doubts[f"the IP group `{last_name(reference)}`: {group.doubt}"] = None
        held, _ = self._addresses(group.addresses, doubts, takes_tags=False)
        return held


_HERE = f"/subscriptions/{HERE}/resourcegroups/{HERE}"


def resource_group(identifier: str) -> str:
    """The resource group of an identifier, as an identifier in lower case; empty for a name alone."""
    return identifier.lower().partition("/providers/")[0] if identifier.startswith("/") else ""


def may_be_one(one: str, other: str) -> bool:
    """True if two identifiers (or names) may be those of one resource: where a template goes, nobody knows."""
    if last_name(one) != last_name(other):
        return False
    places = {resource_group(one), resource_group(other)}
    return len(places) == 1 or bool(places & {"", _HERE})


def _ports(protocols: Texts, ports: Texts) -> tuple[PortSet, str]:
    doubts: dict[str, None] = {}
    held: list[tuple[int, int]] = []
    for text in ports:
        if text == "*":
            held.append((FIRST_PORT, LAST_PORT))
            continue
        shape = _PORT.fullmatch(text.strip())
        first, last = (int(shape[1]), int(shape[2] or shape[1])) if shape else (0, -1)
        if first > last or last > LAST_PORT:
            doubts[f"`{text[:80]}` is no port"] = None
            held.append((FIRST_PORT, LAST_PORT))
        elif last >= FIRST_PORT:
            held.append((max(first, FIRST_PORT), last))
    if not ports:
        doubts["it names no port"] = None
        held.append((FIRST_PORT, LAST_PORT))
    merged: Ranges = ranges.merged(held)
    tcp = udp = False
    for protocol in protocols:
        match protocol:
            case "any":
                tcp = udp = True
            case "tcp":
                tcp = True
            case "udp":
                udp = True
            case "icmp":
                pass
            case _:
                doubts[f"the protocol `{protocol[:80]}` is not understood"] = None
                tcp = udp = True
    if not protocols:
        doubts["it names no protocol"] = None
        tcp = udp = True
    found = PortSet(merged if tcp else (), merged if udp else ())
    return ALL_PORTS if found == ALL_PORTS else found, "; ".join(doubts)
