"""URL entries: how a host pattern stands in a custom URL category, and which patterns cannot stand there.

Tokens are separated by ``.`` and ``/``; a wildcard is a whole token: ``*`` one or more labels, ``^`` exactly one. Every
entry ends with a slash, which PAN-OS 10.1 and older need and later releases add themselves (Guidelines for URL category
exceptions: "Append Ending Token"): without it ``example.com`` would match ``example.com.evil.example`` there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.hosts import HostPattern
from egressc.policy import HostEndpoint
from egressc.targets.paloalto.capabilities import CARETS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.policy import Endpoint


def entries_of(endpoints: Iterable[Endpoint]) -> tuple[str, ...]:
    """The entries of a category that matches exactly these hosts and paths; none twice.

    A path is written with and without a slash at its end, for itself and for what is below it. Raises ``ValueError``
    for a pattern that ``sayable`` refuses.
    """
    found: dict[str, None] = {}
    for endpoint in endpoints:
        if not isinstance(endpoint, HostEndpoint):
            continue
        host = host_entry(endpoint.pattern)
        if endpoint.path is None:
            found[f"{host}/"] = None
        else:
            found[f"{host}{endpoint.path}"] = None
            found[f"{host}{endpoint.path}/"] = None
    return tuple(found)


def host_entry(pattern: HostPattern) -> str:
    """The host part of an entry: ``*.x.com`` for any depth, ``a.^.x.com`` for one label."""
    if pattern.is_tree:
        return pattern.text
    if not sayable(pattern):
        raise ValueError(f"`{pattern.text}` cannot stand in a URL category")
    labels = ".".join(["^" if label == "*" else label for label in pattern.labels])
    return f"*.{labels}" if pattern.deep else labels


def sayable(pattern: HostPattern) -> bool:
    """True if a URL category can say the pattern exactly."""
    return pattern.is_tree or (has_whole_wildcards(pattern) and longest_run(pattern) <= CARETS)


def has_whole_wildcards(pattern: HostPattern) -> bool:
    """True if every wildcard of the pattern stands for whole labels."""
    return pattern.is_tree or all("*" not in label or label == "*" for label in pattern.labels)


def longest_run(pattern: HostPattern) -> int:
    """How many one-label wildcards stand side by side at most."""
    longest = run = 0
    for label in pattern.labels:
        run = run + 1 if label == "*" else 0
        longest = max(longest, run)
    return longest


def with_whole_labels(pattern: HostPattern) -> tuple[HostPattern, ...]:
    """The mapping of ``label-wildcard``: a wildcard inside a label becomes the whole label."""
    if has_whole_wildcards(pattern):
        return (pattern,)
    return (HostPattern(tuple("*" if "*" in label else label for label in pattern.labels), pattern.deep),)


def with_short_runs(pattern: HostPattern) -> tuple[HostPattern, ...]:
    """The mapping of ``depth``: with too many one-label wildcards side by side, all names below what follows them.

    PAN-OS takes at most nine ``^`` in a row; one ``*`` instead stands for one or more labels.
    """
    if longest_run(pattern) <= CARETS:
        return (pattern,)
    run = after = 0
    for at, label in enumerate(pattern.labels):
        run = run + 1 if label == "*" else 0
        if run > CARETS:
            after = at + 1
    return (HostPattern(pattern.labels[after:], deep=True),)
