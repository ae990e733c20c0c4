"""Host patterns: everything that can be asked of them, and a name that shows a difference.

The patterns themselves, and what two of them have to do with each other, stand in ``host_patterns``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.host_index import HostIndex
from egressc.host_patterns import HostPattern, apex, contains, intersects, matches, tails_agree
from egressc.host_search import LONGEST_NAME, search

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["HostPattern", "apex", "contains", "covered", "example", "intersects", "matches", "minimise"]

_READABLE: tuple[str, ...] = ("a", "host", *"bcdefghijklmnopqrstuvwxyz0123456789")
"""Labels that an example tries first."""


def example(inside: Sequence[HostPattern], outside: Sequence[HostPattern] = ()) -> str | None:
    """A host name that all of ``inside`` match and none of ``outside``; ``None`` when there is none.

    Exact for every pattern, within the limits on labels and names; deterministic. Linear in ``outside`` for names and
    ``*.`` patterns. Without ``inside`` any name of two or more labels will do.
    """
    first = _narrowest(inside)
    if first is None:
        return None
    if first.is_exact:
        host = first.text
        if all(matches(p, host) for p in inside) and not any(matches(p, host) for p in outside):
            return host
        return None
    left = []
    for pattern in outside:
        if tails_agree(pattern, first):
            if pattern.is_tree and contains(pattern, first):
                return None
            left.append(pattern)
    if all(p.is_tree for p in inside):
        below = f".{'.'.join(first.labels)}" if inside and first.labels else ".example"
        for label in _READABLE:
            host = label + below
            if len(host) <= LONGEST_NAME and not any(matches(p, host) for p in left):
                return host
    wanted = inside or (first,)
    return search([(p.labels, p.deep) for p in wanted], [(p.labels, p.deep) for p in left])


def covered(pattern: HostPattern, by: Sequence[HostPattern]) -> bool:
    """True if every host that the pattern matches is matched by one of ``by``."""
    return example((pattern,), by) is None


def minimise(patterns: Iterable[HostPattern]) -> tuple[HostPattern, ...]:
    """The patterns without those that another one contains, sorted. Near-linear for names and ``*.`` patterns."""
    ordered = sorted(set(patterns), key=lambda p: p.sort_key)
    if len(ordered) < 2:
        return tuple(ordered)
    index = HostIndex([(p, p) for p in ordered])
    rank = {p: i for i, p in enumerate(ordered)}
    kept = []
    for pattern in ordered:
        for other in index.containing(pattern):
            # Two spellings of the same hosts contain each other: the first of them stays.
            if other != pattern and not (rank[other] > rank[pattern] and contains(pattern, other)):
                break
        else:
            kept.append(pattern)
    return tuple(kept)


def _narrowest(patterns: Sequence[HostPattern]) -> HostPattern | None:
    """The pattern that names most of the host; ``None`` when two of them are known to share no host."""
    if not patterns:
        return HostPattern(("*",), deep=True)
    best = patterns[0]
    for pattern in patterns[1:]:
        if not tails_agree(best, pattern):
            return None
        if not best.is_exact and (pattern.is_exact or len(pattern.tail) > len(best.tail)):
            best = pattern
    return best
