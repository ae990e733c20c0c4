"""The lines of a source that a diagnostic is about, with what is meant underlined."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.markdown import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.diagnostics import Diagnostic
    from egressc.source import Source, Span

_TAB = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an excerpt.

    ``number`` is the line that it shows; 0 for a row of underlines (``mark`` is ``^`` for what is wrong, ``-`` for what
    belongs to it), and for the dots that stand for lines left out.
    """

    number: int
    text: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Rows of one source; ``place`` is where to look, as ``FILE:LINE:COLUMN``."""

    place: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class _Mark:
    span: Span
    sign: str
    text: str

    @property
    def line(self) -> int:
        return self.span.line


def excerpts(diagnostic: Diagnostic, width: int) -> tuple[Excerpt, ...]:
    """The excerpts of a diagnostic that has a span: first that of the place itself, then those of other files.

    ``width`` is the number of columns for the source lines; longer lines are cut to what is marked.
    """
    span = diagnostic.span
    if span is None:
        return ()
    marks = [_Mark(span, "^", diagnostic.label), *(_Mark(r.span, "-", r.text) for r in diagnostic.related)]
    by_source: dict[Source, list[_Mark]] = {}
    for mark in marks:
        by_source.setdefault(mark.span.source, []).append(mark)
    result = []
    for source, some in by_source.items():
        first = some[0].span
        lines = {mark.line for mark in some}
        if source is span.source and diagnostic.context is not None and diagnostic.context.source is source:
            lines.add(min(diagnostic.context.line, span.line))
        rows = tuple(_rows(source, sorted(lines), some, width))
        result.append(Excerpt(place_of(first), rows))
    return tuple(result)


def place_of(span: Span) -> str:
    """Where a span begins, as ``FILE:LINE:COLUMN``."""
    line, column = span.source.line_column(span.start)
    return f"{visible(span.source.shown)}:{line}:{column}"


def _rows(source: Source, lines: Sequence[int], marks: Sequence[_Mark], width: int) -> Iterator[Row]:
    before = lines[0] - 1
    for line in lines:
        if line == before + 2:
            yield Row(before + 1, _shown(source.line_text(before + 1), 0)[:width].rstrip())
        elif line > before + 2:
            yield Row(0, "...")
        before = line
        here = sorted((mark for mark in marks if mark.line == line), key=lambda m: (m.sign != "^", m.span.start))
        shown = None
        for mark in here:
            text, underline = _marked(mark, width)
            if text != shown:
                yield Row(line, text)
                shown = text
            label = f" {visible(mark.text)}" if mark.text else ""
            yield Row(0, f"{underline}{label}", mark.sign)
        if not here:
            text = _shown(source.line_text(line), 0)
            yield Row(line, text if _columns(text) <= width else f"{_cut(text, width - 1)}…")


def _marked(mark: _Mark, width: int) -> tuple[str, str]:
    """The line on which a mark begins and the underline below it, cut to a window around the mark."""
    span = mark.span
    line, column = span.source.line_column(span.start)
    text = span.source.line_text(line)
    start = min(column - 1, len(text))
    end = max(min(start + span.end - span.start, len(text)), start)
    far = 4 * width  # Of a line that is much longer only what is near the mark can be shown.
    before = _shown(text[max(start - far, 0) : start], 0)
    under = _shown(text[start : min(end, start + far)], _columns(before))
    after = _shown(text[end : end + far], _columns(before) + _columns(under))
    if _columns(before) + _columns(under) + _columns(after) > width:
        if _columns(under) > width - 2:
            under = f"{_cut(under, max(width - 3, 1))}…"
            after = ""
        room = max(width - _columns(under), 2)
        least = min(_columns(after), room // 3)
        if _columns(before) > room - least:
            before = f"…{_cut_left(before, room - least - 1)}"
        room -= _columns(before)
        if _columns(after) > room:
            after = f"{_cut(after, room - 1)}…" if room > 0 else ""
    return (before + under + after).rstrip(), " " * _columns(before) + mark.sign * max(_columns(under), 1)


def _cut(text: str, width: int) -> str:
    """The text cut at the right to so many columns."""
    if text.isascii():
        return text[: max(width, 0)]
    used = 0
    for at, char in enumerate(text):
        used += _columns(char)
        if used > width:
            return text[:at]
    return text


def _cut_left(text: str, width: int) -> str:
    """The text cut at the left to so many columns."""
    if text.isascii():
        return text[len(text) - width :] if width > 0 else ""
    used = 0
    for at in range(len(text) - 1, -1, -1):
        used += _columns(text[at])
        if used > width:
            return text[at + 1 :]
    return text


def _shown(text: str, column: int) -> str:
    """The text without tabs and control characters, as it stands in a terminal from a column on."""
    if text.isascii() and text.isprintable():
        return text
    pieces = []
    for char in text:
        piece = " " * (_TAB - column % _TAB) if char == "\t" else visible(char)
        column += _columns(piece)
        pieces.append(piece)
    return "".join(pieces)


def _columns(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
