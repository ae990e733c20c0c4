"""What is left of the entries of an index while more and more is decided before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.flows_index import uncovered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from egressc.flows import Box, Flow
    from egressc.flows_index import BlockIndex, Prefix
    from egressc.flows_signature import Signature


class Remaining:
    """An index that is asked again and again while what is taken away from its entries only grows.

    An entry of which nothing is left is not looked at any more: between names and addresses everything overlaps, so
    that each question would look at all of them. ``counting`` gives the flows of some boxes that count at all.
    """

    def __init__(self, index: BlockIndex, counting: Callable[[Sequence[Box]], Sequence[Box]]) -> None:
        self._index = index
        self._counting = counting
        self._minus: Sequence[Box] = ()
        self._without: Sequence[BlockIndex | Prefix] = ()
        self._numbers: dict[Signature, list[int]] = {}
        self._gone: set[int] = set()
        self._misses: dict[int, int] = {}

    def less(self, minus: Sequence[Box], without: Sequence[BlockIndex | Prefix]) -> Remaining:
        """The same with this taken away from now on, which holds all that was taken away before."""
        self._minus, self._without = minus, without
        return self

    def first_inside(
        self, mine: Sequence[Box], minus: Sequence[Box], without: Sequence[BlockIndex | Prefix]
    ) -> tuple[Flow, int] | None:
        """As of the index, where ``minus`` and ``without`` hold at least what is taken away."""
        return self._index.first_inside(mine, minus, without, self)

    def numbers(self, signature: Signature) -> list[int]:
        """The entries of the signature of which something may be left, and maybe as many others."""
        held = self._numbers.get(signature, signature.numbers)
        gone = self._gone
        if gone and 2 * sum(number in gone for number in held) > len(held):
            held = self._numbers[signature] = [number for number in held if number not in gone]
        return held

    def is_gone(self, number: int) -> bool:
        """True if it is known that nothing is left of the entry."""
        return number in self._gone

    def missed(self, number: int) -> None:
        """Note that a question found nothing in the entry: if that happens often, it is asked what is left of it."""
        misses = self._misses[number] = self._misses.get(number, 0) + 1
        # At the first, second, fourth, eighth … miss, so that an entry of which something stays costs twice at most.
        if misses & (misses - 1):
            return
        some = self._counting(self._index.boxes_of(number))
        if uncovered(some, self._minus, self._without) is None:
            self._gone.add(number)
