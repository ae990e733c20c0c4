"""Many host patterns with a value each, found by host or by pattern without going through all of them."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Generic, TypeVar

from egressc.host_patterns import contains, intersects, matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from egressc.host_patterns import HostPattern

T = TypeVar("T")


class HostIndex(Generic[T]):
    """Values by host pattern: the tree of reversed labels, held flat by the text of each node.

    A pattern hangs at the node of its literal tail: an exact name at its own, ``*.x.com`` and ``a*.x.com`` at
    ``x.com``. Answers come in the order of insertion; a value that was put in twice comes twice.
    """

    __slots__ = ("_below", "_exact", "_inner", "_nodes", "_patterns", "_values")

    def __init__(self, items: Iterable[tuple[HostPattern, T]]) -> None:
        self._patterns: list[HostPattern] = []
        self._values: list[T] = []
        self._exact: dict[str, list[int]] = {}
        self._below: dict[str, list[int]] = {}
        self._inner: dict[str, _Inner] = {}
        self._nodes: list[tuple[str, int]] | None = None
        for i, (pattern, value) in enumerate(items):
            self._patterns.append(pattern)
            self._values.append(value)
            if pattern.is_exact:
                self._exact.setdefault(pattern.text, []).append(i)
            elif pattern.is_tree:
                self._below.setdefault(pattern.text[2:], []).append(i)
            else:
                tail = pattern.tail
                node = ".".join(tail)
                if node not in self._inner:
                    self._inner[node] = _Inner()
                self._inner[node].add(pattern.labels[-1 - len(tail)], i)

    def __len__(self) -> int:
        return len(self._values)

    def matching(self, host: str) -> list[T]:
        """The values whose pattern matches a host name (in normal form)."""
        found = list(self._exact.get(host, ()))
        below, inner = self._below, self._inner
        at = len(host)
        while at >= 0:
            # The nodes above the host, from the root; `label` is the one that stands before the node's name.
            dot = host.rfind(".", 0, at)
            node = host[at + 1 :]
            if node in below:
                found += below[node]
            if node in inner:
                patterns = self._patterns
                found += [i for i in inner[node].before(host[dot + 1 : at]) if matches(patterns[i], host)]
            at = dot
        if len(found) > 1:
            found.sort()
        values = self._values
        return [values[i] for i in found]

    def intersecting(self, pattern: HostPattern) -> list[T]:
        """The values whose pattern shares a host with this one."""
        if pattern.is_exact:
            return self.matching(pattern.text)
        patterns = self._patterns
        tail = pattern.tail
        node = ".".join(tail)
        found, inner = self._above(pattern)
        found += [i for i in inner if intersects(patterns[i], pattern)]
        below = self._under(node)
        if not pattern.is_tree:
            glob = pattern.labels[-1 - len(tail)]
            at_node = self._inner[node].like(glob) if node in self._inner else ()
            found += [i for i in (*at_node, *below) if intersects(patterns[i], pattern)]
        else:
            # A `*.` pattern meets everything that hangs at its node or below it.
            found += below
            if node in self._inner:
                found += self._inner[node].everything()
        return [self._values[i] for i in sorted(found)]

    def containing(self, pattern: HostPattern) -> list[T]:
        """The values whose pattern contains this one.

        A containment that only the limits on lengths bring about (a name of 253 characters has no name below it) may be
        left out.
        """
        if pattern.is_exact:
            return self.matching(pattern.text)
        patterns = self._patterns
        found, inner = self._above(pattern)
        if not pattern.is_tree:
            tail = pattern.tail
            node = ".".join(tail)
            if node in self._inner:
                inner += self._inner[node].wider(pattern.labels[-1 - len(tail)])
        found += [i for i in inner if contains(patterns[i], pattern)]
        return [self._values[i] for i in sorted(found)]

    def _above(self, pattern: HostPattern) -> tuple[list[int], list[int]]:
        """The ``*.`` patterns at or above a pattern's node, which contain it, and those with inner wildcards above it.

        Of the latter only those whose first wildcard may match the label of the node's name that meets it.
        """
        found: list[int] = []
        inner: list[int] = []
        node, label = ".".join(pattern.tail), ""
        while True:
            found += self._below.get(node, ())
            if label and node in self._inner:
                inner += self._inner[node].before(label)
            if not node:
                return found, inner
            label, _, node = node.partition(".")

    def _under(self, node: str) -> list[int]:
        """The patterns that hang strictly below a node."""
        nodes = self._nodes
        if nodes is None:
            # From the right, each label with a dot behind it: what is below a node begins with the node's text.
            nodes = [("".join([f"{x}." for x in reversed(p.tail)]), i) for i, p in enumerate(self._patterns)]
            nodes.sort()
            self._nodes = nodes
        key = "".join([f"{label}." for label in reversed(node.split("."))]) if node else ""
        # Behind `com.` comes `com/`: no label has the character that follows the dot.
        first = bisect_left(nodes, (key, len(nodes)))
        last = bisect_left(nodes, (f"{key[:-1]}/", -1)) if key else len(nodes)
        return [i for _, i in nodes[first:last]]


class _Inner:
    """The patterns that hang at one node with a wildcard in the label before it, by how that label begins or ends."""

    __slots__ = ("begins", "ends", "ordered")

    def __init__(self) -> None:
        self.begins: dict[str, list[int]] = {}
        self.ends: dict[str, list[int]] = {}
        self.ordered: tuple[list[str], list[str]] | None = None

    def add(self, glob: str, i: int) -> None:
        """Put a pattern in: under what its label begins with, or if it begins with ``*`` under what it ends with."""
        begin, _, rest = glob.partition("*")
        if begin:
            self.begins.setdefault(begin, []).append(i)
        else:
            self.ends.setdefault(rest.rpartition("*")[2], []).append(i)

    def before(self, label: str) -> Iterator[int]:
        """The patterns whose label may match a literal label."""
        begins, ends = self.begins, self.ends
        if begins:
            for end in range(1, len(label) + 1):
                yield from begins.get(label[:end], ())
        if ends:
            for start in range(len(label) + 1):
                yield from ends.get(label[start:], ())

    def wider(self, glob: str) -> Iterator[int]:
        """The patterns whose label may match everything that a glob with ``*`` matches."""
        begin = glob.partition("*")[0]
        end = glob.rpartition("*")[2]
        for i in range(1, len(begin) + 1):
            yield from self.begins.get(begin[:i], ())
        for i in range(len(end) + 1):
            yield from self.ends.get(end[i:], ())

    def like(self, glob: str) -> Iterator[int]:
        """The patterns whose label may share a label with a glob that holds ``*``."""
        if self.ordered is None:
            self.ordered = (sorted(self.begins), sorted(end[::-1] for end in self.ends))
        for begin in _comparable(self.ordered[0], glob.partition("*")[0]):
            yield from self.begins[begin]
        for end in _comparable(self.ordered[1], glob.rpartition("*")[2][::-1]):
            yield from self.ends[end[::-1]]

    def everything(self) -> Iterator[int]:
        """All patterns."""
        for ids in (*self.begins.values(), *self.ends.values()):
            yield from ids


def _comparable(ordered: list[str], text: str) -> list[str]:
    """The strings of a sorted list that begin with ``text``, or that ``text`` begins with."""
    first = bisect_left(ordered, text)
    last = bisect_left(ordered, f"{text}\uffff")
    found = ordered[first:last]
    for end in range(len(text)):
        at = bisect_left(ordered, text[:end])
        if at < len(ordered) and ordered[at] == text[:end]:
            found.append(text[:end])
    return found
