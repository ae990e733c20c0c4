"""The hosts that two patterns share, said as patterns."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from egressc.hosts import HostPattern, contains, example, intersects
from egressc.labels import glob_contains

if TYPE_CHECKING:
    from collections.abc import Iterator

_MANY: Final = 64
"""So many patterns are not written for one pair."""

_LONGEST_LABEL: Final = 63
"""RFC 1035, section 2.3.4."""


def common(a: HostPattern, b: HostPattern) -> tuple[HostPattern, ...] | None:
    """The patterns that together match just the hosts which both match; none if there is no such host.

    ``None`` where this module finds no patterns that say it: that is never a guess.
    """
    if not intersects(a, b):
        return ()
    if contains(a, b):
        return (b,)
    if contains(b, a):
        return (a,)
    longer, other = (a, b) if len(a.labels) >= len(b.labels) else (b, a)
    # They share a host, so what stands before the shorter one's labels is what its leading `*.` matches.
    first = len(longer.labels) - len(other.labels)
    globs = [_both(x, y) for x, y in zip(longer.labels[first:], other.labels, strict=True)]
    choices: list[tuple[str, ...]] = []
    count = 1
    for found in globs:
        if found is None:
            return None
        choices.append(found)
        count *= len(found)
    if count > _MANY:
        return None
    some = [HostPattern((*longer.labels[:first], *labels), longer.deep) for labels in product(*choices)]
    patterns = tuple([p for p in some if example((p,)) is not None])
    if not all(contains(a, p) and contains(b, p) for p in patterns) or example((a, b), patterns) is not None:
        return None
    return patterns


def _both(x: str, y: str) -> tuple[str, ...] | None:
    """The globs that together match just the labels which both match; ``None`` where that is not known."""
    if glob_contains(x, y):
        return (y,)
    if glob_contains(y, x):
        return (x,)
    if x.count("*") != 1 or y.count("*") != 1:
        return None
    (start, end), (other_start, other_end) = x.split("*"), y.split("*")
    prefix = max(start, other_start, key=len)
    suffix = max(end, other_end, key=len)
    if not (prefix.startswith(start) and prefix.startswith(other_start)):
        return ()
    if not (suffix.endswith(end) and suffix.endswith(other_end)):
        return ()
    shortest = max(len(start) + len(end), len(other_start) + len(other_end))
    found = list(_overlapping(prefix, suffix, shortest))
    if len(prefix) + len(suffix) <= _LONGEST_LABEL:
        found.append(f"{prefix}*{suffix}")
    return tuple(found)


def _overlapping(prefix: str, suffix: str, shortest: int) -> Iterator[str]:
    """The labels of at least that length in which the end of the prefix is the beginning of the suffix."""
    for size in range(1, min(len(prefix), len(suffix)) + 1):
        label = prefix + suffix[size:]
        if prefix[-size:] == suffix[:size] and shortest <= len(label) <= _LONGEST_LABEL:
            yield label
