"""An index over sets of flows, for overlap questions without comparing every one with every other.

Names are found through a host tree, addresses through sorted intervals. Between the two kinds everything overlaps (any
name may resolve to any address), so there they are met by *signature*: what they share besides the endpoint.
"""

from __future__ import annotations

from bisect import bisect_left
from heapq import merge
from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet, parse_addresses, union_of
from egressc.flows import Box, boxes
from egressc.flows_blocks import blocks_of
from egressc.flows_intervals import Intervals
from egressc.flows_search import common, in_both, witness
from egressc.flows_signature import Signature, Signatures, differ_in_addresses
from egressc.flows_spots import at, holes, unnamed_in
from egressc.host_index import HostIndex
from egressc.reach import BOTH_FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from egressc.flows import Flow
    from egressc.flows_index_left import Remaining
    from egressc.hosts import HostPattern
    from egressc.meaning import Block
    from egressc.reach import Reach
    from egressc.services import PortSet


class BlockIndex:
    """Entries (each a union of blocks) by their number, found by what they overlap.

    Immutable once built; near-linear to build.
    """

    def __init__(self, entries: Iterable[Sequence[Block]]) -> None:
        self._entries = tuple(entries)
        names: list[tuple[HostPattern, int]] = []
        intervals: list[tuple[int, int, int, int]] = []
        named: list[AddressSet] = []
        everywhere: dict[int, None] = {}
        self.aside: dict[HostPattern, None] = {}
        self._crossing: set[int] = set()
        self.has_shared = False
        with_names: dict[tuple[object, ...], Signature] = {}
        with_addresses: dict[tuple[object, ...], Signature] = {}
        for number, blocks in enumerate(self._entries):
            for block in blocks:
                if block.names is not None:
                    names.extend([(pattern, number) for pattern, _ in block.names])
                    self.has_shared = self.has_shared or block.by_address
                    table = with_names
                else:
                    table = with_addresses
                    if block.names_out:
                        self._crossing.add(number)
                    addresses = block.addresses
                    if block.tags or addresses is ALL or addresses == ALL:
                        everywhere[number] = None
                    else:
                        named.append(addresses)
                        intervals.extend((4, first, last, number) for first, last in addresses.v4)
                        intervals.extend((6, first, last, number) for first, last in addresses.v6)
                self.aside.update(dict.fromkeys(block.aside()))
                key = (block.objects, block.accounts, block.sources, block.processes, block.ports)
                signature = table.get(key)
                if signature is None:
                    signature = table[key] = Signature(block)
                if not signature.numbers or signature.numbers[-1] != number:
                    signature.numbers.append(number)
                    if number not in self._crossing:
                        signature.plain.append(number)
        self.everywhere = list(everywhere)
        self.names: HostIndex[int] = HostIndex(names)
        self._with_names = Signatures(with_names.values())
        self._with_addresses = Signatures(with_addresses.values())
        self._intervals = Intervals(intervals)
        self.unnamed = ALL.difference(union_of(named)) if named else ALL
        self._boxes: dict[int, tuple[Box, ...]] = {}
        self._over: dict[tuple[bool, PortSet], tuple[Signature, ...]] = {}
        self._unions: dict[int, Box] = {}
        self._named: dict[int, tuple[list[int], HostIndex[int]]] = {}
        self.whole = self
        self.spots: dict[tuple[BlockIndex, ...], tuple[AddressSet, AddressSet]] = {}

    def boxes_of(self, number: int) -> tuple[Box, ...]:
        """The boxes of an entry."""
        found = self._boxes.get(number)
        if found is None:
            found = self._boxes[number] = tuple([box for block in self._entries[number] for box in block.boxes()])
        return found

    def signatures_over(self, ports: PortSet, *, names: bool) -> tuple[Signature, ...]:
        """The signatures of the entries by name (or else by address) whose ports overlap these."""
        key = (names, ports)
        found = self._over.get(key)
        if found is None:
            found = self._over[key] = (self._with_names if names else self._with_addresses).over(ports)
        return found

    def by_address(self, addresses: AddressSet) -> list[int]:
        """The entries with an address endpoint that overlaps the addresses, those for every address included."""
        found = list(self.everywhere)
        for family, ranges in ((4, addresses.v4), (6, addresses.v6)):
            for first, last in ranges:
                found += self._intervals.meeting(family, first, last)
        return found

    def _same_kind(self, mine: Iterable[Box]) -> set[int]:
        """The entries with an endpoint that overlaps one of the boxes', both by name or both by address; a superset."""
        found: set[int] = set()
        for box in mine:
            for pattern in (*[p for p, _ in box.inside[:1]], *box.shared_inside[:1]):
                found.update(self.names.intersecting(pattern))
            if box.inside or box.shared_inside:
                continue
            if box.tags:
                found.update(number for signature in self._with_addresses.every for number in signature.numbers)
            else:
                found.update(self.by_address(box.addresses))
        return found

    def _other_kind(self, mine: Sequence[Box]) -> Iterator[Signature]:
        """The signatures of the entries that overlap boxes because one names hosts and the other addresses."""
        by_name = any(box.inside or box.shared_inside for box in mine)
        # A name that is shared is another than the host: what names only the one overlaps whatever names the other.
        anything = self.has_shared or not all(box.inside for box in mine)
        for ports in dict.fromkeys(box.ports for box in mine):
            if by_name:
                yield from self.signatures_over(ports, names=False)
            if anything:
                yield from self.signatures_over(ports, names=True)

    def meeting_boxes(self, mine: Sequence[Box]) -> list[int]:
        """The entries that overlap one of the boxes, in order (exact)."""
        found = self._same_kind(mine)
        for signature in self._other_kind(mine):
            if any(common(box, signature.box) for box in mine):
                found.update(signature.numbers)
        return [
            n for n in sorted(found) if any(common(box, other) for box in mine for other in self._near_name(n, box))
        ]

    def around(self, flow: Flow) -> list[int]:
        """The entries that may hold the flow of an example, in order; a superset."""
        found = set(self.everywhere)
        for name in (flow.host, flow.shared):
            if name is not None:
                found.update(self.names.matching(name))
        one = parse_addresses(flow.address) if flow.address is not None else None
        if isinstance(one, AddressSet):
            found.update(self.by_address(one))
        return sorted(found)

    def near(self, mine: Sequence[Box]) -> Iterator[int]:
        """The entries that may overlap one of the boxes, in order; a superset, the next one found when it is asked."""
        met = [s.numbers for s in self._other_kind(mine) if any(common(box, s.box) for box in mine)]
        last = -1
        for number in merge(sorted(self._same_kind(mine)), *met):
            if number != last:
                yield number
            last = number

    def meets_boxes(self, mine: Sequence[Box]) -> bool:
        """True if one of the entries overlaps one of the boxes."""
        for number in self._same_kind(mine):
            if any(common(box, other) for other in self.boxes_of(number) for box in mine):
                return True
        for signature in self._other_kind(mine):
            if not any(common(box, signature.box) for box in mine):
                continue
            for number in signature.numbers:
                if any(common(box, other) for other in self.boxes_of(number) for box in mine):
                    return True
        return False

    def first_inside(
        self,
        mine: Sequence[Box],
        minus: Sequence[Box],
        without: Sequence[BlockIndex | Prefix],
        left: Remaining | None = None,
    ) -> tuple[Flow, int] | None:
        """A flow of the boxes that is in one of these entries, with the number of that entry.

        It is not in ``minus`` and in no entry of the indexes ``without`` (exact). ``left`` knows entries that
        ``minus`` and ``without`` hold.
        """
        done = self._same_kind(mine)
        for number in sorted(done):
            flow = self._flow_in(mine, number, minus, without)
            if flow is not None:
                return flow, number
        for signature in self._other_kind(mine):
            some = in_both(mine, (signature.box,))
            if witness(some, minus) is None or (without and uncovered(some, minus, without) is None):
                continue
            for number in signature.numbers if left is None else left.numbers(signature):
                if number in done or (left is not None and left.is_gone(number)):
                    continue
                flow = self._flow_in(mine, number, minus, without)
                if flow is not None:
                    return flow, number
                if left is not None:
                    left.missed(number)
        return None

    def _flow_in(
        self, mine: Sequence[Box], number: int, minus: Sequence[Box], without: Sequence[BlockIndex | Prefix]
    ) -> Flow | None:
        for both in in_both(mine, self.boxes_of(number)):
            if witness((both,), minus) is None:
                continue
            flow = uncovered((both,), minus, without)
            if flow is not None:
                return flow
        return None

    def over_names(self, box: Box, aside: Iterable[HostPattern], limit: int | None = None) -> list[Box]:
        """The boxes that may cover a part of the box at an address that no entry names; of the first entries only.

        ``aside`` are the names that other boxes leave out where they cover addresses.
        """
        numbers = set(self.everywhere)
        if box.inside:
            numbers.update(self.names.intersecting(box.inside[0][0]))
            if not self.has_shared:
                return [b for n in sorted(numbers) if limit is None or n < limit for b in self._near_name(n, box)]
        else:
            # A flow without a name is in no reach by name; one that a box for addresses leaves out by its name may be.
            for pattern in aside:
                numbers.update(self.names.intersecting(pattern))
        if self.has_shared:
            for pattern in box.shared_inside[:1] or aside:
                numbers.update(self.names.intersecting(pattern))
        return [b for n in sorted(numbers) if limit is None or n < limit for b in self.boxes_of(n)]

    def _near_name(self, number: int, box: Box) -> Iterable[Box]:
        """The boxes of an entry but for those that name other hosts than the box."""
        every = self.boxes_of(number)
        if len(every) <= _MANY or not box.inside:
            return every
        rest, named = self._by_name(number)
        return [every[at] for at in sorted((*rest, *named.intersecting(box.inside[0][0])))]

    def boxes_about(self, number: int, host: str | None) -> Iterable[Box]:
        """The boxes of an entry that may hold a flow to a host; a superset."""
        every = self.boxes_of(number)
        if len(every) <= _MANY or host is None:
            return every
        rest, named = self._by_name(number)
        return [every[at] for at in sorted((*rest, *named.matching(host)))]

    def _by_name(self, number: int) -> tuple[list[int], HostIndex[int]]:
        """Which boxes of an entry name no host, and the others by name; an entry may name thousands."""
        found = self._named.get(number)
        if found is None:
            every = self.boxes_of(number)
            rest = [at for at, box in enumerate(every) if not box.inside]
            found = rest, HostIndex([(box.inside[0][0], at) for at, box in enumerate(every) if box.inside])
            self._named[number] = found
        return found

    def over_addresses(self, box: Box) -> list[Box]:
        """The boxes by address that may cover a part of the box; those of one signature as one box."""
        if box.addresses is not ALL:
            numbers = set(self.by_address(box.addresses))
            if len(numbers) <= _MANY:
                return [b for number in sorted(numbers) for b in self.boxes_of(number)]
        found: list[Box] = []
        for signature in self.signatures_over(box.ports, names=False):
            found.append(self._union(signature))
            found.extend(b for number in signature.numbers for b in self._not_in_union(number))
        return found

    def _union(self, signature: Signature) -> Box:
        """The plain addresses of a signature's entries together (``everywhere`` and subtracting ones are not in it)."""
        found = self._unions.get(id(signature))
        if found is None:
            held = signature.box
            merged = union_of(
                [
                    b.addresses
                    for n in signature.plain
                    for b in self.boxes_of(n)
                    if not self._is_apart(b) and not b.outside and differ_in_addresses(b, held)
                ]
            )
            found = Box(
                held.groups,
                held.families,
                held.accounts,
                held.ports,
                merged,
                sources=held.sources,
                processes=held.processes,
            )
            self._unions[id(signature)] = found
        return found

    def _not_in_union(self, number: int) -> Iterator[Box]:
        crosses = number in self._crossing
        for box in self.boxes_of(number):
            if not box.inside and not box.shared_inside and (crosses or self._is_apart(box)):
                yield box

    @staticmethod
    def _is_apart(box: Box) -> bool:
        return bool(box.inside or box.shared_inside or box.tags or box.no_tags or box.families != BOTH_FAMILIES)


_MANY = 32
"""So many entries at the addresses of a box are better looked at together, those of one signature as one."""


class Prefix:
    """The first entries of an index, as far as ``uncovered`` asks."""

    def __init__(self, index: BlockIndex, limit: int) -> None:
        self._index = index
        self._limit = limit
        self.has_shared = index.has_shared
        self.aside = index.aside
        self.whole = index

    def signatures_over(self, ports: PortSet, *, names: bool) -> tuple[Signature, ...]:
        """As of the whole index; a superset."""
        return self._index.signatures_over(ports, names=names)

    def over_names(self, box: Box, aside: Iterable[HostPattern]) -> list[Box]:
        """The boxes that may cover a part of the box at an address that no entry names."""
        return self._index.over_names(box, aside, self._limit)

    def over_addresses(self, box: Box) -> list[Box]:
        """The boxes by address that may cover a part of the box."""
        index, limit = self._index, self._limit
        if box.addresses is not ALL:
            found = set(index.by_address(box.addresses))
        else:
            found = {n for s in index.signatures_over(box.ports, names=False) for n in s.numbers}
        return [each for number in sorted(found) if number < limit for each in index.boxes_of(number)]


class FlowIndex(BlockIndex):
    """An index over reaches, in the policy's own view."""

    def __init__(self, reaches: Sequence[Reach], tags: Mapping[str, AddressSet]) -> None:
        super().__init__([blocks_of(reach, tags) for reach in reaches])
        self._tags = tags

    def meeting(self, reach: Reach) -> list[int]:
        """The entries that overlap the reach, in order (exact)."""
        return self.meeting_boxes(tuple(boxes(reach, self._tags)))

    def meets(self, reach: Reach) -> bool:
        """True if one of the entries overlaps the reach."""
        return self.meets_boxes(tuple(boxes(reach, self._tags)))


def uncovered(positive: Iterable[Box], minus: Sequence[Box], indexes: Sequence[BlockIndex | Prefix]) -> Flow | None:
    """A flow in one of the positive boxes that is in none of ``minus`` and in no entry of the indexes (exact)."""
    aside = dict.fromkeys(pattern for box in minus if not box.inside for pattern, _ in box.outside)
    aside.update((pattern, None) for box in minus if not box.shared_inside for pattern in box.shared_outside)
    for index in indexes:
        aside.update(index.aside)
    for box in positive:
        near = [*minus, *(b for index in indexes for b in index.over_names(box, aside))]
        if not any(index.signatures_over(box.ports, names=False) for index in indexes):
            flow = witness((box,), near)
            if flow is not None:
                return flow
            continue
        rest = box
        if box.inside or box.shared_inside:
            # At an address that no entry names, fewer entries cover the name than anywhere else of that IP version;
            # unless one of them leaves a hole somewhere. One such address is as good as another.
            spots = unnamed_in(box, indexes)
            if not spots.is_empty:
                flow = witness((at(box, spots),), near)
                if flow is not None:
                    return flow
                left = holes(box, spots, near)
                if left.is_empty:
                    continue
                rest = at(box, left)
        placed = [b for index in indexes for b in index.over_addresses(rest)]
        # What takes away whole addresses, whoever asks for them on whatever port, leaves less for all the others.
        placed.sort(key=lambda b: bool(b.processes) or not b.ports.contains(rest.ports))
        clean = bisect_left(placed, True, key=lambda b: bool(b.processes) or not b.ports.contains(rest.ports))  # noqa: FBT003
        flow = witness((rest,), [*placed[:clean], *near, *placed[clean:]])
        if flow is not None:
            return flow
    return None
