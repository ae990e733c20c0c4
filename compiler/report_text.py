"""Diagnostics as text for people: the line, the underline, the label and the help."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from egressc.diagnostics import Level
from egressc.markdown import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.diagnostics import Diagnostic
    from egressc.source import Span

_COLOURS = {Level.ERROR: "\x1b[1;31m", Level.WARNING: "\x1b[1;33m", Level.NOTE: "\x1b[1;36m"}
_BOLD, _BLUE, _RESET = "\x1b[1m", "\x1b[1;34m", "\x1b[0m"
_SUBJECTS_SHOWN = 4
_TAB = 4


def render(diagnostics: Iterable[Diagnostic], *, colour: bool, width: int) -> str:
    """All diagnostics as text, those that belong to one group shown as one; ends with a line that counts errors.

    ``width`` is the number of columns that a source line may take. Empty when there is nothing to say.
    """
    blocks = []
    counts = {level: 0 for level in Level}
    for some in _grouped(diagnostics):
        counts[some[0].level] += len(some)
        if some[0].level is Level.NOTE and some[0].group:
            blocks.append(_line(some, colour=colour))
        else:
            blocks.append(_block(some, colour=colour, width=width))
    if not blocks:
        return ""
    text = "\n".join(blocks) + "\n"
    errors = counts[Level.ERROR]
    if errors:
        warnings = counts[Level.WARNING]
        also = f", {_count(warnings, 'warning')}" if warnings else ""
        text += f"{_count(errors, 'error')}{also}\n"
    return text


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def _grouped(diagnostics: Iterable[Diagnostic]) -> list[list[Diagnostic]]:
    """Diagnostics of one group, code and level together, where the first of them stands; errors each alone."""
    groups: dict[tuple[str, str, Level], list[Diagnostic]] = {}
    order: list[list[Diagnostic]] = []
    for diagnostic in diagnostics:
        if not diagnostic.group or diagnostic.level is Level.ERROR:
            order.append([diagnostic])
            continue
        key = (diagnostic.group, diagnostic.code, diagnostic.level)
        if key not in groups:
            groups[key] = []
            order.append(groups[key])
        groups[key].append(diagnostic)
    return order


def _head(diagnostic: Diagnostic, message: str, *, colour: bool) -> str:
    level = diagnostic.level
    if not colour:
        return f"{level.value}[{diagnostic.code}]: {message}"
    return f"{_COLOURS[level]}{level.value}[{diagnostic.code}]{_RESET}{_BOLD}: {message}{_RESET}"


def _line(some: Sequence[Diagnostic], *, colour: bool) -> str:
    """A group of notes in one line."""
    first = some[0]
    others = f" (and {len(some) - 1} more like it)" if len(some) > 1 else ""
    return _head(first, visible(first.message) + others, colour=colour)


def _block(some: Sequence[Diagnostic], *, colour: bool, width: int) -> str:
    first = some[0]
    lines = [_head(first, visible(first.message), colour=colour)]
    gutter = ""
    if first.span is not None:
        number, column = first.span.source.line_column(first.span.start)
        gutter = " " * len(str(number))
        bar = _blue("|", colour=colour)
        shown, underline = _excerpt(first.span, max(width - len(gutter) - 3, 20))
        mark = f"{underline} {visible(first.label)}".rstrip()
        lines += [
            f"{gutter}{_blue('-->', colour=colour)} {visible(first.span.source.shown)}:{number}:{column}",
            f"{gutter} {bar}",
            f"{_blue(str(number), colour=colour)} {bar} {shown}".rstrip(),
            f"{gutter} {bar} {_tint(mark, first.level, colour=colour)}",
            f"{gutter} {bar}",
        ]
    elif first.file:
        lines.append(f"{_blue('-->', colour=colour)} {visible(first.file)}")
    equals = _blue("=", colour=colour)
    if len(some) > 1:
        subjects = ", ".join(f"`{d.subject}`" for d in some[1 : _SUBJECTS_SHOWN + 1])
        more = ", …" if len(some) > _SUBJECTS_SHOWN + 1 else ""
        lines.append(f"{gutter} {equals} also: {subjects}{more} ({len(some)} rules in all)")
    for related in first.related:
        line, column = related.span.source.line_column(related.span.start)
        place = f"{visible(related.span.source.shown)}:{line}:{column}"
        lines.append(f"{gutter} {equals} see: {visible(related.text)} ({place})")
    if first.help:
        help_lines = first.help.split("\n")
        lines.append(f"{gutter} {equals} help: {visible(help_lines[0])}")
        lines += [f"{gutter}         {visible(line)}" for line in help_lines[1:]]
    lines.append("")
    return "\n".join(lines)


def _excerpt(span: Span, width: int) -> tuple[str, str]:
    """The line on which a span begins and the underline below it, cut to a window around the span."""
    line, column = span.source.line_column(span.start)
    text = span.source.line_text(line)
    start = min(column - 1, len(text))
    end = max(min(start + span.end - span.start, len(text)), start)
    before, under, after = _shown(text[:start], 0), "", ""
    under = _shown(text[start:end], _columns(before))
    after = _shown(text[end:], _columns(before) + _columns(under))
    if _columns(before) + _columns(under) + _columns(after) > width:
        room = max(width - min(_columns(under), width) - 2, 0)
        if _columns(before) > room:
            before = "…" + before[len(before) - max(room - 1, 0) :] if room else "…"
        if _columns(under) > width:
            under = under[: width - 1] + "…"
        after = after[: max(width - _columns(before) - _columns(under) - 1, 0)] + "…" if after else ""
    return before + under + after, " " * _columns(before) + "^" * max(_columns(under), 1)


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
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def _blue(text: str, *, colour: bool) -> str:
    return f"{_BLUE}{text}{_RESET}" if colour else text


def _tint(text: str, level: Level, *, colour: bool) -> str:
    return f"{_COLOURS[level]}{text}{_RESET}" if colour else text
