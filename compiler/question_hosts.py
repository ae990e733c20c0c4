"""How a pattern misses a host by little, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.hosts import HostPattern, intersects, matches
from egressc.labels import glob_matches
from egressc.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class HostMiss:
    """Why a pattern does not match a host, in words; ``is_far`` if its one other label looks nothing like the other.

    ``meant`` are the hosts of the pattern that are one step away.
    """

    sentence: str
    meant: HostPattern
    is_far: bool = False


def why_not(pattern: HostPattern, host: HostPattern) -> HostMiss | None:
    """Why a pattern does not match a host (an exact one) though it nearly does.

    ``None`` if it does match, or is not near: near is the name that a ``*.`` stands below, a name below an exact one,
    one other label of the same number (no registered domain of another name, unless it looks like a slip), or a slip of
    the whole.
    """
    if intersects(pattern, host):
        return None
    asked = host.text
    if pattern.deep and matches(HostPattern(pattern.labels), asked):
        return HostMiss(f"`{asked}` itself is not below it, as `{pattern.text}` asks for", pattern)
    labels, globs = host.labels, pattern.labels
    if not pattern.deep and len(labels) > len(globs) and pattern.is_exact and asked.endswith(f".{pattern.text}"):
        return HostMiss(f"`{asked}` is below `{pattern.text}`, which is that one host", pattern)
    if "*" in globs and not pattern.deep and len(labels) > len(globs) and _ends_alike(labels, globs):
        return HostMiss(f"an inner `*` of `{pattern.text}` is one label, and `{asked}` has more", pattern)
    return _one_label(pattern, labels) or _slip(pattern, asked)


def _ends_alike(labels: Sequence[str], globs: Sequence[str]) -> bool:
    tail = list(globs[max(i for i, glob in enumerate(globs) if "*" in glob) + 1 :])
    return bool(tail) and list(labels[-len(tail) :]) == tail and glob_matches(globs[0], labels[0])


def _one_label(pattern: HostPattern, labels: Sequence[str]) -> HostMiss | None:
    """A sentence if all labels but one agree, counted from the right."""
    globs = pattern.labels
    if len(labels) < len(globs) + pattern.deep or (not pattern.deep and len(labels) != len(globs)):
        return None
    own = labels[len(labels) - len(globs) :]
    wrong = [at for at, glob in enumerate(globs) if not glob_matches(glob, own[at])]
    if len(wrong) != 1:
        return None
    at = wrong[0]
    # Another name in the place of the registered domain is another site: near only if it looks like a slip.
    is_far = "*" not in globs[at] and nearest(own[at], [globs[at]]) is None
    if at >= len(globs) - 2 and is_far:
        return None
    meant = (*labels[: len(labels) - len(globs)], *own[:at], globs[at], *own[at + 1 :])
    return HostMiss(f"label `{own[at]}` is not `{globs[at]}` as in `{pattern.text}`", HostPattern(meant), is_far)


def _slip(pattern: HostPattern, asked: str) -> HostMiss | None:
    """A sentence if a name is the other but for a few characters in one place."""
    near = pattern.is_exact and _alike(pattern.text, asked)
    return HostMiss(f"`{asked}` is not `{pattern.text}`", pattern) if near else None


def _alike(one: str, other: str) -> bool:
    """True if the two have a beginning and an end in common, and little between them."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return max(len(one), len(other)) - start - end <= 2
