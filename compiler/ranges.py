"""Sets of integers as ranges: sorted, disjoint, not adjacent, both ends included.

Every function takes and returns such tuples (only ``merged`` takes any order) and runs in time linear in their length.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Ranges = tuple[tuple[int, int], ...]
"""Ranges from the first number up to and with the last."""


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The union of ranges that come in any order and may overlap or touch."""
    ordered = sorted(ranges)
    if len(ordered) < 2:
        return tuple(ordered)
    out: list[tuple[int, int]] = []
    first, last = ordered[0]
    for low, high in ordered:
        if low > last + 1:
            out.append((first, last))
            first, last = low, high
        elif high > last:
            last = high
    out.append((first, last))
    return tuple(out)


def union(a: Ranges, b: Ranges) -> Ranges:
    """What is in either."""
    if not b or a == b:
        return a
    return merged((*a, *b)) if a else b


def intersection(a: Ranges, b: Ranges) -> Ranges:
    """What is in both."""
    if a == b:
        return a
    out = []
    i = j = 0
    while i < len(a) and j < len(b):
        (a_first, a_last), (b_first, b_last) = a[i], b[j]
        low = max(a_first, b_first)
        high = min(a_last, b_last)
        if low <= high:
            out.append((low, high))
        if a_last < b_last:
            i += 1
        else:
            j += 1
    return tuple(out)


def difference(a: Ranges, b: Ranges) -> Ranges:
    """What is in the first and not in the second."""
    if not b or not a:
        return a
    out = []
    j = 0
    for first, last in a:
        low = first
        while j < len(b) and b[j][1] < low:
            j += 1
        k = j
        while k < len(b) and b[k][0] <= last:
            if b[k][0] > low:
                out.append((low, b[k][0] - 1))
            low = b[k][1] + 1
            k += 1
        if low <= last:
            out.append((low, last))
        j = max(j, k - 1)
    return tuple(out)


def overlap(a: Ranges, b: Ranges) -> bool:
    """True if some number is in both. Logarithmic when one of them is a single range."""
    if len(a) > len(b):
        a, b = b, a
    if len(a) == 1:
        first, last = a[0]
        at = bisect_right(b, (last, float("inf")))
        return at > 0 and b[at - 1][1] >= first
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i][1] < b[j][0]:
            i += 1
        elif b[j][1] < a[i][0]:
            j += 1
        else:
            return True
    return False


def contain(a: Ranges, b: Ranges) -> bool:
    """True if everything in the second is in the first."""
    if a == b or not b:
        return True
    if len(b) == 1:
        first, last = b[0]
        at = bisect_right(a, (first, float("inf")))
        return at > 0 and a[at - 1][1] >= last
    i = 0
    for first, last in b:
        while i < len(a) and a[i][1] < first:
            i += 1
        if i == len(a) or a[i][0] > first or a[i][1] < last:
            return False
    return True


def size(a: Ranges) -> int:
    """How many numbers are in it."""
    return sum(last - first + 1 for first, last in a)
