"""Source files and positions in them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from egressc.quick_init import quick_init


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The text of one file that a user wrote.

    ``name`` is the path below the root with forward slashes: it is what artefacts and machine forms carry, and does not
    depend on the working directory. ``shown`` is the path as the person who called sees it. Compared by identity.
    """

    name: str
    shown: str
    text: str = field(repr=False)
    line_starts: tuple[int, ...] = field(repr=False)

    @classmethod
    def of(cls, name: str, text: str, shown: str | None = None) -> Source:
        """A source with its line table; ``text`` has no byte order mark; lines end at LF (CR belongs to the line)."""
        starts = [0]
        find = text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return cls(name, name if shown is None else shown, text, tuple(starts))

    def line_column(self, offset: int) -> tuple[int, int]:
        """The line and column of a character offset, both counted from 1, columns in characters."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        """The text of a line (counted from 1) without its line end."""
        start = self.line_starts[line - 1]
        end = self.line_starts[line] if line < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


@quick_init
@dataclass(frozen=True, slots=True)
class Span:
    """A range of characters of one source: from ``start`` up to but without ``end``."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        """The text that the span covers."""
        return self.source.text[self.start : self.end]

    @property
    def line(self) -> int:
        """The line on which the span begins, counted from 1."""
        return self.source.line_column(self.start)[0]

    @property
    def column(self) -> int:
        """The column at which the span begins, counted from 1."""
        return self.source.line_column(self.start)[1]

    @property
    def begins_line(self) -> bool:
        """True if nothing but white space stands before the span on its line."""
        start = self.source.line_starts[self.line - 1]
        return not self.source.text[start : self.start].strip()

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of ``other`` (same source)."""
        return Span(self.source, self.start, other.end)

    def part(self, start: int, end: int) -> Span:
        """The sub-span from ``start`` up to ``end``, both counted from the start of this span."""
        return Span(self.source, self.start + start, self.start + end)
