"""A plain value (as JSON knows it), and for each key and value in it the place where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from egressc.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"
"""A value as JSON knows it."""


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """A value and its place. Compared by identity.

    ``value`` is shared and must not be changed. ``span`` covers it as written, quotes included; for a value that is
    left out it is the key. ``key_span`` is the key under which it stands; ``None`` at the top and for list items.
    ``children`` holds the same for each key of a mapping or each index of a list.
    """

    value: Plain
    span: Span
    key_span: Span | None = None
    children: Mapping[str | int, Located] = field(default_factory=dict)

    @classmethod
    def empty(cls, span: Span | None = None, key_span: Span | None = None) -> Located:
        """An empty mapping that stands nowhere, or at ``span``."""
        return cls({}, span or Span(Source.of("", ""), 0, 0), key_span)

    def at(self, path: Iterable[str | int]) -> Located:
        """The value at a path of keys and indexes; ``KeyError`` if there is none."""
        node = self
        for step in path:
            node = node.children[step]
        return node

    def get(self, key: str | int) -> Located | None:
        """The value of one key or index, or ``None``."""
        return self.children.get(key)

    def span_of(self, path: Iterable[str | int]) -> Span:
        """Where the value at a path stands."""
        return self.at(path).span

    def key_span_of(self, path: Iterable[str | int]) -> Span:
        """Where the key of the value at a path stands; for a list item and for the top, the value."""
        node = self.at(path)
        return node.key_span or node.span

    def entries(self) -> tuple[tuple[str, Located], ...]:
        """Keys and values of a mapping, in the order of the file; nothing for anything else."""
        return tuple((str(key), node) for key, node in self.children.items()) if isinstance(self.value, dict) else ()

    def elements(self) -> tuple[Located, ...]:
        """The items of a list; nothing for anything else."""
        return tuple(self.children.values()) if isinstance(self.value, list) else ()

    def part(self, start: int, end: int) -> Span:
        """Where a part of a text stands; the whole value if it is not written as it reads (escapes, line breaks)."""
        written = self.span.text
        if written == self.value:
            return self.span.part(start, end)
        if written[1:-1] == self.value:
            return self.span.part(start + 1, end + 1)
        return self.span
