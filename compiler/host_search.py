"""The search for a host name that some patterns match and others do not.

Exact for every pattern, wildcards inside names and inside labels included. A pattern is given as its label globs and
whether further labels stand before them. Read from the right, every pattern takes one label per step, so a search state
is only how many labels there are and which of the patterns to avoid still match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.labels import choices

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_NAME = 253
"""The most characters that a host name may have, dots counted (RFC 1035, section 2.3.4, less the root)."""

Shape = tuple[tuple[str, ...], bool]
"""The label globs of a pattern from left to right, and whether one or more labels stand before them."""

_State = tuple[int, int, tuple[str, ...]]
"""Which patterns to avoid are still alive (bits), the length of the labels so far, the labels from right to left."""


def search(inside: Sequence[Shape], outside: Sequence[Shape]) -> str | None:
    """A host name that all of ``inside`` match and none of ``outside``, with few labels; ``None`` if there is none."""
    found = _search(inside, outside, bounded=False)
    if found is not None and len(found) > LONGEST_NAME:
        # The shortest name on the first way is too long: look again, weighing lengths against patterns avoided.
        found = _search(inside, outside, bounded=True)
    return found


def _search(inside: Sequence[Shape], outside: Sequence[Shape], *, bounded: bool) -> str | None:
    states: list[_State] = [((1 << len(outside)) - 1, 0, ())]
    deepest = max((len(labels) for labels, _ in (*inside, *outside)), default=0) + 1
    for depth in range(1, deepest + 1):
        step = _Step(inside, outside, depth)
        if not step.possible:
            return None
        states = _pruned([s for state in states for s in step.moves(state, bounded=bounded)], bounded=bounded)
        if step.may_end:
            ended = [s for s in states if not s[0] & step.ending]
            if ended:
                return ".".join(reversed(min(ended, key=lambda s: (s[1], s[2]))[2]))
        if not states:
            return None
    return None


class _Step:
    """What the label at one depth, counted from the right and from 1, means to each pattern."""

    def __init__(self, inside: Sequence[Shape], outside: Sequence[Shape], depth: int) -> None:
        self.possible = all(deep or len(labels) >= depth for labels, deep in inside)
        self.inside = tuple(dict.fromkeys(labels[-depth] for labels, _ in inside if len(labels) >= depth))
        self.may_end = all(len(labels) == depth if not deep else len(labels) < depth for labels, deep in inside)
        self.groups: dict[str, int] = {}
        self.beyond = 0  # patterns whose own labels are all matched, and that take any label before them
        self.ending = 0  # patterns that match a name that ends here
        for i, (labels, deep) in enumerate(outside):
            bit = 1 << i
            if len(labels) >= depth:
                self.groups[labels[-depth]] = self.groups.get(labels[-depth], 0) | bit
                if len(labels) == depth and not deep:
                    self.ending |= bit
            elif deep:
                self.beyond |= bit
                self.ending |= bit

    def moves(self, state: _State, *, bounded: bool) -> list[_State]:
        """The states after one more label that are worth keeping."""
        alive, length, labels = state
        relevant = tuple(glob for glob, mask in self.groups.items() if mask & alive)
        out = []
        for label, matched in choices(self.inside, relevant, shortest_too=bounded):
            longer = length + len(label) + (length > 0)
            if bounded and longer > LONGEST_NAME:
                continue
            kept = self.beyond
            for glob in matched:
                kept |= self.groups[glob]
            out.append((alive & kept, longer, (*labels, label)))
        return out


def _pruned(states: list[_State], *, bounded: bool) -> list[_State]:
    """The states without those that another one beats: fewer patterns alive and, if it counts, not longer."""
    states.sort(key=lambda s: (s[1], s[0].bit_count(), s[2]))
    kept: list[_State] = []
    for state in states:
        if not any(other[0] & ~state[0] == 0 for other in kept):
            if not bounded:
                kept = [other for other in kept if state[0] & ~other[0] != 0]
            kept.append(state)
    return kept
