"""TLS inspection: what the firewall opens.

Only an application rule with `terminateTLS` opens TLS, and only where it is the one that matches: what a network rule
lets through is never opened, nor what an application rule before it lets through (premium-features.md, "TLS
inspection"; rule-processing.md). What is not opened is said by nothing: so of each rule that opens exactly that is
left which nothing before it lets through.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from egressc import ranges
from egressc.addresses import ALL, union_of
from egressc.flows import EVERY, NO_TAGS
from egressc.host_index import HostIndex
from egressc.hosts import intersects
from egressc.meaning import Block, Handling, InspectionRuling, Outcome
from egressc.services import PortSet
from egressc.targets.azure_firewall.meaning_shown import Entry, senders_meet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from egressc.addresses import AddressSet
    from egressc.flows import Choice, Test
    from egressc.meaning import Ruling
    from egressc.targets.azure_firewall.meaning_names import Tests


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of what a rule opens: without some addresses, names and service tags; ``sure`` if surely all of it."""

    ports: PortSet
    sources: AddressSet
    objects: Choice
    addresses: AddressSet = ALL
    no_tags: frozenset[str] = NO_TAGS
    names_out: Tests = ()
    sure: bool = True


def inspections(
    entries: Sequence[Entry],
    network: Sequence[Ruling],
    can_inspect: bool | None,  # noqa: FBT001
) -> tuple[InspectionRuling, ...]:
    """The rulings on inspection; one for all rules of a collection that open the same ports for the same sources."""
    opening = [at for at, entry in enumerate(entries) if entry.terminates is not False and entry.https]
    if not opening:
        return ()
    closed = _Closed(entries, network, _all_ports([entries[at] for at in opening]))
    found: dict[tuple[object, ...], tuple[list[str], dict[Test, None], Block, str]] = {}
    for at in opening:
        entry = entries[at]
        if entry.allows is False and not entry.has_urls:
            continue  # whatever it opens is denied
        doubt = entry.doubt
        if entry.terminates is None:
            doubt = f"{doubt}; whether it terminates TLS is not known"
        if can_inspect is False:
            doubt = f"{doubt}; the policy has no certificate authority, or is not of the Premium tier"
        doubt = doubt.removeprefix("; ")
        hosts = tuple(dict.fromkeys([(pattern, None) for pattern, _ in entry.tests]))
        for piece in closed.left(at):
            # To see a path, the firewall has to open all connections to the host.
            shades = [(entry.tests, piece.sure and entry.allows is True)]
            if hosts != entry.tests:
                shades.append((hosts, False))
            for tests, sure in shades:
                key = (entry.collection, id(piece), tests is hosts, sure, doubt)
                block = Block(
                    None, piece.addresses, piece.ports, piece.sources, (), False, piece.names_out, piece.objects,  # noqa: FBT003
                    NO_TAGS, piece.no_tags,
                )  # fmt: skip
                names, held, _, _ = found.setdefault(key, ([], {}, block, entry.place))
                names.append(entry.name)
                held.update(dict.fromkeys(tests))
    return tuple(
        [
            InspectionRuling(
                _name(names), Handling.INSPECT, (replace(block, names=tuple(held)),), bool(key[-2]), place, str(key[-1])
            )
            for key, (names, held, block, place) in found.items()
        ]
    )


def _name(names: list[str]) -> str:
    different = list(dict.fromkeys(names))
    return different[0] if len(different) == 1 else f"{different[0]} and {len(different) - 1} more"


def _all_ports(entries: Iterable[Entry]) -> PortSet:
    return PortSet(ranges.merged([each for held in {entry.https for entry in entries} for each in held]))


class _Closed:
    """What is let through without being opened, found by the rule that would open it."""

    def __init__(self, entries: Sequence[Entry], network: Sequence[Ruling], ports: PortSet) -> None:
        self._entries = entries
        self._network = tuple(_network(network, ports))
        unopened = [
            (at, entry)
            for at, entry in enumerate(entries)
            if entry.allows is not False and entry.terminates is not True and ranges.overlap(entry.https, ports.tcp)
        ]
        self._index = HostIndex([(pattern, at) for at, entry in unopened for pattern, _ in entry.tests])
        self._pieces: dict[tuple[int, object], tuple[_Piece, ...]] = {}
        self._kept: list[_Piece] = []

    def left(self, at: int) -> tuple[_Piece, ...]:
        """What the rule with that number opens, in pieces."""
        entry = self._entries[at]
        key = (id(entry.senders), entry.https)
        pieces = self._pieces.get(key)
        if pieces is None:
            whole = [_Piece(PortSet(entry.https), sources, objects) for sources, objects in entry.senders]
            for block, is_sure in self._network:
                whole = [part for piece in whole for part in _less_addresses(piece, block, is_sure=is_sure)]
            pieces = self._pieces[key] = tuple(whole)
        before = {number for pattern, _ in entry.tests for number in self._index.intersecting(pattern) if number < at}
        for number in sorted(before):
            other = self._entries[number]
            if senders_meet(entry.senders, other.senders) and ranges.overlap(entry.https, other.https):
                pieces = tuple([part for piece in pieces for part in _less_names(piece, entry, other)])
                self._kept.extend(pieces)  # whoever knows them by their identity must not meet another one
        return pieces


def _network(network: Sequence[Ruling], ports: PortSet) -> Iterator[tuple[Block, bool]]:
    """What network rules let through on some ports, blocks that differ in their addresses only as one."""
    addresses: dict[tuple[object, ...], tuple[Block, list[AddressSet]]] = {}
    others: dict[tuple[object, ...], tuple[Block, bool]] = {}
    for ruling in network:
        if ruling.outcome is not Outcome.ALLOW:
            continue
        for block in ruling.blocks:
            if not block.ports.overlaps(ports):
                continue
            key = (block.ports, block.sources, block.objects)
            if not ruling.doubt and block.names is None and not block.tags:
                addresses.setdefault(key, (block, []))[1].append(block.addresses)
            else:
                others[(*key, block.tags, bool(ruling.doubt or block.names))] = (block, not ruling.doubt)
    for block, held in addresses.values():
        yield replace(block, addresses=_union(held)), True
    yield from others.values()


def _union(held: list[AddressSet]) -> AddressSet:
    return ALL if any(each is ALL for each in held) else union_of(held)


def _divided(piece: _Piece, ports: PortSet, sources: AddressSet, objects: Choice) -> tuple[list[_Piece], _Piece | None]:
    """The parts of a piece outside of some ports and sources, and the part inside."""
    inside = piece.ports.intersection(ports)
    if inside.is_empty:
        return [piece], None
    outside: list[_Piece] = []
    rest = piece.ports.difference(ports)
    if not rest.is_empty:
        outside.append(replace(piece, ports=rest))
    piece = replace(piece, ports=inside)
    held = piece.sources if sources is ALL else piece.sources.intersection(sources)
    if held.is_empty:
        return [*outside, piece], None
    if sources is not ALL:
        beyond = piece.sources.difference(sources)
        if not beyond.is_empty:
            outside.append(replace(piece, sources=beyond))
        piece = replace(piece, sources=held)
    if objects is not EVERY:
        within = piece.objects.within(objects)
        if within.is_empty:
            return [*outside, piece], None
        beyond_objects = piece.objects.minus(objects)
        if not beyond_objects.is_empty:
            outside.append(replace(piece, objects=beyond_objects))
        piece = replace(piece, objects=within)
    return outside, piece


def _less_addresses(piece: _Piece, block: Block, *, is_sure: bool) -> Iterator[_Piece]:
    """What is left of a piece behind a network rule that lets a block through."""
    outside, inside = _divided(piece, block.ports, block.sources, block.objects)
    yield from outside
    if inside is None:
        return
    if not is_sure or block.names is not None:
        # Which names share the addresses of a resolved one, only the resolver knows.
        yield replace(inside, sure=False)
    elif block.tags:
        yield replace(inside, no_tags=inside.no_tags | block.tags)
    else:
        addresses = inside.addresses.difference(block.addresses)
        if not addresses.is_empty:
            yield replace(inside, addresses=addresses)


def _less_names(piece: _Piece, entry: Entry, other: Entry) -> Iterator[_Piece]:
    """What is left of a piece behind an application rule that lets names through without opening TLS."""
    names = tuple(
        dict.fromkeys([test for test in other.tests if any(intersects(test[0], pattern) for pattern, _ in entry.tests)])
    )
    is_sure = not other.doubt and other.terminates is False and all(path is None for _, path in names)
    pieces = [piece]
    for sources, objects in other.senders:
        following: list[_Piece] = []
        for each in pieces:
            outside, inside = _divided(each, PortSet(other.https), sources, objects)
            following.extend(outside)
            if inside is not None and is_sure:
                following.append(replace(inside, names_out=tuple(dict.fromkeys((*inside.names_out, *names)))))
            elif inside is not None:
                following.append(replace(inside, sure=False))
        pieces = following
    yield from pieces
