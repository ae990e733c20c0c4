"""The rulings of a configuration in their order, found by the flows that they decide."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from egressc.flows_index import BlockIndex, Prefix
from egressc.flows_search import difference
from egressc.meaning import Block, Meaning, Outcome, Ruling
from egressc.proof_question import boxes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from egressc.flows import Box
    from egressc.hosts import HostPattern


class Rulings:
    """All rulings by position; those that surely decide, by outcome, as indexes over any first part of the list."""

    def __init__(self, meaning: Meaning, closing: tuple[Block, ...]) -> None:
        """``closing`` is what the default of the device is asked for; nothing where it is not to be relied on."""
        every = list(meaning.rulings)
        if closing and meaning.default is not Outcome.LEFT:
            every.append(Ruling(DEFAULT, meaning.default, closing))
        self.every: tuple[Ruling, ...] = tuple(every)
        self._at: dict[Outcome, list[int]] = {outcome: [] for outcome in Outcome}
        self._doubtful: dict[Outcome, list[int]] = {outcome: [] for outcome in Outcome}
        for position, ruling in enumerate(self.every):
            self._at[ruling.outcome].append(position)
            if ruling.doubt or not _is_exact(ruling):
                self._doubtful[ruling.outcome].append(position)
        self._indexes: dict[Outcome, tuple[list[int], BlockIndex]] = {}
        self._prefixes: dict[tuple[Outcome, int], BlockIndex | Prefix] = {}
        self._perhaps: dict[Outcome, Perhaps] = {}

    def of(self, outcome: Outcome) -> Sequence[int]:
        """The positions of the rulings with that outcome, in order."""
        return self._at[outcome]

    def sure(self, outcome: Outcome, before: int | None = None) -> BlockIndex | Prefix:
        """The rulings with that outcome that surely match what they hold; those before a position, or all."""
        positions, index = self._index(outcome)
        limit = len(positions) if before is None else bisect_left(positions, before)
        if limit == len(positions):
            return index
        key = (outcome, limit)
        found = self._prefixes.get(key)
        if found is None:
            found = self._prefixes[key] = Prefix(index, limit)
        return found

    def before(self, position: int, *outcomes: Outcome) -> list[BlockIndex | Prefix]:
        """The sure rulings with these outcomes before a position; an outcome that has none is left out."""
        return [
            self.sure(outcome, position)
            for outcome in outcomes
            if self._at[outcome] and self._at[outcome][0] < position and self._index(outcome)[0]
        ]

    def perhaps(self, outcome: Outcome) -> Perhaps:
        """The rulings with that outcome that may match less than they hold."""
        found = self._perhaps.get(outcome)
        if found is None:
            found = self._perhaps[outcome] = Perhaps(self.every, self._doubtful[outcome])
        return found

    def _index(self, outcome: Outcome) -> tuple[list[int], BlockIndex]:
        found = self._indexes.get(outcome)
        if found is None:
            vague = set(self._doubtful[outcome])
            positions = [p for p in self._at[outcome] if p not in vague]
            found = positions, BlockIndex([_blocks(self.every[p]) for p in positions])
            self._indexes[outcome] = found
        return found


class Perhaps:
    """Rulings that may match less than they hold, and what they hold at most: together, and one by one.

    Of some what they hold cannot be said in blocks; they are ``odd``.
    """

    def __init__(self, every: Sequence[Ruling], positions: Sequence[int]) -> None:
        self._every = every
        self._positions = [p for p in positions if _is_exact(every[p])]
        self._index = BlockIndex([_blocks(every[p]) for p in self._positions])
        self._odd = [
            (p, difference(boxes_of(every[p].blocks), boxes_of(every[p].but)))
            for p in positions
            if not _is_exact(every[p])
        ]
        self._odd_at = dict(self._odd)
        self._prefixes: dict[int, BlockIndex | Prefix] = {len(self._positions): self._index}

    def held(self, before: int, *, odd: bool) -> tuple[list[Box], list[BlockIndex | Prefix]]:
        """What those before a position hold: as boxes, and as indexes. Of the odd ones all, or those with a doubt."""
        boxes = [box for p, some in self._odd if p < before and (odd or self._every[p].doubt) for box in some]
        limit = bisect_left(self._positions, before)
        if not limit:
            return boxes, []
        found = self._prefixes.get(limit)
        if found is None:
            found = self._prefixes[limit] = Prefix(self._index, limit)
        return boxes, [found]

    def at(self, positions: Sequence[int]) -> Iterator[tuple[Ruling, Sequence[Box]]]:
        """Those at these positions, each with what it holds."""
        for position in positions:
            number = bisect_left(self._positions, position)
            if position in self._odd_at:
                yield self._every[position], self._odd_at[position]
            elif number < len(self._positions) and self._positions[number] == position:
                yield self._every[position], self._index.boxes_of(number)

    def meeting(self, some: Sequence[Box], before: int, *, odd: bool) -> Iterator[tuple[Ruling, Sequence[Box]]]:
        """Those before a position that overlap the boxes, in order, each with what it holds."""
        apart = iter([(p, held) for p, held in self._odd if p < before and (odd or self._every[p].doubt)])
        waiting = next(apart, None)
        for number in self._index.near(some):
            position = self._positions[number]
            if position >= before:
                break
            while waiting is not None and waiting[0] < position:
                yield self._every[waiting[0]], waiting[1]
                waiting = next(apart, None)
            yield self._every[position], self._index.boxes_of(number)
        while waiting is not None:
            yield self._every[waiting[0]], waiting[1]
            waiting = next(apart, None)


DEFAULT = "(default)"
"""What the device's own default is called among the rulings."""


def _is_exact(ruling: Ruling) -> bool:
    """True if what the ruling matches can be said in blocks, although it lets some flows go by."""
    return not any(block.by_address for block in ruling.but)


def _blocks(ruling: Ruling) -> Sequence[Block]:
    """What a ruling matches, in blocks."""
    if not ruling.but:
        return ruling.blocks
    out = [box for block in ruling.but for box in block.boxes()]
    return [Piece(box) for block in ruling.blocks for box in difference(block.boxes(), out)]


class Piece(Block):
    """One box in the place of a block: what is left of a block of which something was taken away."""

    __slots__ = ("_piece",)
    _piece: Box

    def __init__(self, box: Box) -> None:
        shared = bool(box.shared_inside)
        names = tuple([(pattern, None) for pattern in box.shared_inside]) if shared and not box.inside else box.inside
        super().__init__(
            names[:1] or None,
            box.addresses,
            box.ports,
            box.sources,
            box.processes,
            shared,
            box.outside,
            box.groups,
            box.tags,
            box.no_tags,
        )
        object.__setattr__(self, "_piece", box)

    def aside(self) -> Iterable[HostPattern]:
        """The names that the box leaves out without asking for one."""
        box = self._piece
        out = [pattern for pattern, _ in box.outside] if not box.inside else []
        return out if box.shared_inside else [*out, *box.shared_outside]

    def boxes(self) -> Iterator[Box]:
        """The box."""
        yield self._piece
