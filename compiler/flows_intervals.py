"""Numbered intervals, found by what they overlap."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Intervals:
    """Intervals (kind, first, last, number): kinds are apart. Immutable once built.

    They are kept by the magnitude of their length, so that a long one makes nobody look at all the short ones.
    """

    __slots__ = ("_by_kind",)

    def __init__(self, items: Iterable[tuple[int | str, int, int, int]]) -> None:
        held: dict[int | str, dict[int, list[tuple[int, int, int]]]] = {}
        for kind, first, last, number in items:
            held.setdefault(kind, {}).setdefault((last - first).bit_length(), []).append((first, last, number))
        for lengths in held.values():
            for some in lengths.values():
                some.sort()
        self._by_kind = held

    def meeting(self, kind: int | str, first: int, last: int) -> list[int]:
        """The numbers of the intervals of the kind that overlap this one, in any order, some maybe repeatedly."""
        found: list[int] = []
        for bits, some in self._by_kind.get(kind, {}).items():
            # None of these is longer than that.
            start = bisect_left(some, (first - (1 << bits),))
            end = bisect_left(some, (last + 1,))
            found += [number for _, until, number in some[start:end] if until >= first]
        return found
