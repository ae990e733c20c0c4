"""The near name for a name that nobody defined."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that ``name`` is most likely a slip of, or ``None`` when none is near.

    Near is: the same but for letter case, hyphens, dots and underscores; the same words in another order; or at most a
    third of the characters inserted, left out, replaced or swapped with their neighbour. Of two equally near candidates
    the one that sorts first is returned, so the order of ``candidates`` does not matter.
    """
    folded = _folded(name)
    words = _words(name)
    limit = max(1, max(len(name), 3) // 3)
    best: tuple[int, str] | None = None
    for candidate in candidates:
        if candidate == name:
            continue
        if _folded(candidate) == folded:
            rank = 0
        elif abs(len(candidate) - len(name)) <= limit:
            rank = _distance(name.lower(), candidate.lower(), limit)
            if rank > limit:
                rank = 1 if len(words) > 1 and _words(candidate) == words else -1
        else:
            rank = -1
        if rank >= 0 and (best is None or (rank, candidate) < best):
            best = (rank, candidate)
            limit = min(limit, max(rank, 1))
    return None if best is None else best[1]


def _folded(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(".", "")


def _words(name: str) -> list[str]:
    return sorted(name.lower().replace("_", "-").split("-"))


def _distance(a: str, b: str, limit: int) -> int:
    """The number of edits (a swap of neighbours is one) from ``a`` to ``b``, or ``limit + 1`` if it is more."""
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    skip = 0
    while skip < len(a) and skip < len(b) and a[skip] == b[skip]:
        skip += 1
    a, b = a[skip:], b[skip:]
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        earlier, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > limit and (not before or min(before) > limit):
            return limit + 1
    return row[-1]
