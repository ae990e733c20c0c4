"""One form for sets of blocks that say the same in different pieces: cheap to compare, good enough for nearly all.

Two sets with one form hold the same flows. Two that hold the same flows may have two forms; whoever finds them
different asks the exact search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet, union_of
from egressc.proof_sight import either

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from egressc.flows import Processes, Test
    from egressc.meaning import Block
    from egressc.services import PortSet

OUTSIDE = AddressSet(
    v4=((0x7F000000, 0x7FFFFFFF), (0xE0000000, 0xEFFFFFFF)),
    v6=((0, 1), (0xFF << 120, (1 << 128) - 1)),
)
"""Destinations that are no part of a flow: loopback, multicast, `::` (127.0.0.0/8, 224.0.0.0/4, ::/127, ff00::/8)."""

INSIDE = ALL.difference(OUTSIDE)
"""Every destination of a flow."""

Form = frozenset[tuple[object, ...]]
"""The form of a set of blocks; equal forms hold the same flows."""

_Piece = list[object]
"""family, names, addresses, ports, sources, processes, by_address, names_out, objects, tags, no_tags."""

_PORTS, _NAMES, _ADDRESSES, _SOURCES, _PROCESSES = 3, 1, 2, 4, 5


class Canon:
    """Makes forms. Address sets are known by number, so that large ones are looked at once."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int], int] = {}
        self._split: dict[tuple[int, bool], tuple[int, int]] = {}
        self._kept: list[AddressSet] = []
        self._sets: list[AddressSet] = []
        self._by_value: dict[AddressSet, int] = {}
        self._names: dict[tuple[Test, ...], frozenset[Test]] = {}

    def form(self, blocks: Iterable[Block]) -> Form:
        """The form of the blocks together."""
        pieces: list[tuple[object, ...]] = []
        for block in blocks:
            names = None if block.names is None else frozenset(block.names)
            out = frozenset(block.names_out) if block.names_out else None
            sources = self._families(block.sources, sent_to=False)
            addresses = self._families(block.addresses, sent_to=True)
            rest = (block.processes, block.by_address, out, block.objects, block.tags, block.no_tags)
            pieces += [
                (family, names, addresses[family], block.ports, sources[family], *rest)
                for family in (0, 1)
                if sources[family] and addresses[family]
            ]
        if len(pieces) > 2 or (len(pieces) == 2 and pieces[0][0] == pieces[1][0]):
            for at, join in (
                (_PORTS, _join_ports),
                (_NAMES, _join_names),
                (_ADDRESSES, self._join_sets),
                (_SOURCES, self._join_sets),
                (_PROCESSES, _join_processes),
            ):
                pieces = _merged(pieces, at, join)
        return frozenset(pieces)

    def _families(self, addresses: AddressSet, *, sent_to: bool) -> tuple[int, int]:
        """The numbers of the IPv4 and the IPv6 part of a set, 0 for an empty one; destinations without `OUTSIDE`."""
        key = (id(addresses), sent_to)
        found = self._split.get(key)
        if found is None:
            self._kept.append(addresses)  # so that no other set gets its identity
            inside = addresses
            if sent_to:
                inside = INSIDE if addresses is ALL else addresses.difference(OUTSIDE)
            found = self._split[key] = (self._number(inside.family(4)), self._number(inside.family(6)))
        return found

    def _number(self, addresses: AddressSet) -> int:
        if addresses.is_empty:
            return 0
        found = self._by_value.get(addresses)
        if found is None:
            self._sets.append(addresses)
            found = self._by_value[addresses] = len(self._sets)
        return found

    def _join_sets(self, numbers: list[int]) -> int:
        if len(set(numbers)) == 1:
            return numbers[0]
        return self._number(union_of([self._sets[number - 1] for number in numbers]))


def _merged(
    pieces: list[tuple[object, ...]],
    at: int,
    join: Callable[[list], object | None],  # type: ignore[type-arg]
) -> list[tuple[object, ...]]:
    """The pieces with those that differ in one field only joined there."""
    if len(pieces) < 2:
        return pieces
    groups: dict[tuple[object, ...], list[object]] = {}
    for piece in pieces:
        groups.setdefault((*piece[:at], *piece[at + 1 :]), []).append(piece[at])
    if len(groups) == len(pieces):
        return pieces
    out: list[tuple[object, ...]] = []
    for rest, values in groups.items():
        joined = values[0] if len(values) == 1 else join(values)
        if joined is _APART:
            out.extend((*rest[:at], value, *rest[at:]) for value in dict.fromkeys(values))
        else:
            out.append((*rest[:at], joined, *rest[at:]))
    return out


_APART = object()
"""What a join answers when the values are no single value together."""


def _join_ports(ports: list[PortSet]) -> PortSet:
    joined = ports[0]
    for other in ports[1:]:
        joined = joined.union(other)
    return joined


def _join_names(names: list[frozenset[Test] | None]) -> frozenset[Test] | None:
    if None in names:
        return None
    return frozenset().union(*[each for each in names if each is not None])


def _join_processes(processes: list[Processes]) -> object:
    if () in processes:
        return ()
    if len({tuple([kind for kind, _ in each]) for each in processes}) != 1:
        return _APART
    first = processes[0]
    apart = [at for at in range(len(first)) if any(each[at] != first[at] for each in processes)]
    if not apart:
        return first
    if len(apart) > 1:
        return _APART
    at = apart[0]
    choice = first[at][1]
    for each in processes[1:]:
        choice = either(choice, each[at][1])
    return (*first[:at], (first[at][0], choice), *first[at + 1 :])
