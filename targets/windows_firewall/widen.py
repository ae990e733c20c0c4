"""Names that a dynamic keyword cannot say, widened to ones that it can: a name, or all names below one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egressc.approximate import map_hosts
from egressc.hosts import HostPattern
from egressc.policy import HostEndpoint
from egressc.reasons import Reason

if TYPE_CHECKING:
    from egressc.lowering import Part

_LABEL: Final = "a dynamic keyword has no `*` inside a label: every name below that label's parent is meant"
_DEPTH: Final = "a dynamic keyword has no `*` for one label: every name below that label's parent is meant"


def widened(part: Part) -> Part:
    """The part with host patterns that keywords can say (reasons ``label-wildcard``, then ``depth``)."""
    if part.reach is None or all(e.pattern.is_tree for e in part.reach.endpoints if isinstance(e, HostEndpoint)):
        return part
    part = map_hosts(part, Reason.LABEL_WILDCARD, _without_partial_labels, _LABEL)
    return map_hosts(part, Reason.DEPTH, _without_whole_labels, _DEPTH)


def _without_partial_labels(pattern: HostPattern) -> tuple[HostPattern, ...]:
    """``a*.b.x`` becomes ``*.b.x``: everything up to the last label with characters beside its ``*`` is any name."""
    for i in range(len(pattern.labels) - 1, -1, -1):
        if "*" in pattern.labels[i] and pattern.labels[i] != "*":
            return (HostPattern(pattern.labels[i + 1 :], deep=True),)
    return (pattern,)


def _without_whole_labels(pattern: HostPattern) -> tuple[HostPattern, ...]:
    """``a.*.x`` becomes ``*.x``: everything up to the last ``*`` label is any name."""
    return (pattern,) if pattern.is_tree else (HostPattern(pattern.tail, deep=True),)
