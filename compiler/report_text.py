"""Diagnostics as text for people: the line, the underline, the label and the help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diagnostics import Level
from egressc.markdown import visible
from egressc.report_excerpt import excerpts, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from egressc.diagnostics import Diagnostic
    from egressc.report_excerpt import Row

_COLOURS = {Level.ERROR: "\x1b[1;31m", Level.WARNING: "\x1b[1;33m", Level.NOTE: "\x1b[1;36m"}
_BOLD, _BLUE, _RESET = "\x1b[1m", "\x1b[1;34m", "\x1b[0m"

_SUBJECTS_SHOWN = 4
"""How many others of a group of warnings or notes are named."""

_ERRORS_IN_FULL = 10
"""How many errors of one group are shown in full; of the others, each with its place and message."""

_LEAST_WIDTH = 20


def render(diagnostics: Iterable[Diagnostic], *, colour: bool, width: int) -> str:
    """All diagnostics as text, those that belong to one group shown as one; ends with a line that counts errors.

    ``width`` is the number of columns of the terminal; messages are not wrapped. Empty when there is nothing to say.
    """
    pieces: list[str] = []
    counts = dict.fromkeys(Level, 0)
    after_note = False
    for some in _grouped(diagnostics):
        first = some[0]
        counts[first.level] += len(some)
        is_note = first.level is Level.NOTE and bool(first.group)
        if after_note and not is_note:
            pieces.append("")
        after_note = is_note
        if is_note:
            pieces.append(_head(first, visible(first.message) + _more(some), colour=colour))
        else:
            pieces.extend(_block(some, colour=colour, width=width))
            pieces.append("")
    if not pieces:
        return ""
    errors, warnings = counts[Level.ERROR], counts[Level.WARNING]
    if errors:
        if after_note:
            pieces.append("")
        pieces.append(_count(errors, "error") + (f", {_count(warnings, 'warning')}" if warnings else ""))
    return "\n".join(pieces) + "\n"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def _grouped(diagnostics: Iterable[Diagnostic]) -> list[list[Diagnostic]]:
    """Diagnostics of one group, code and level together, where the first of them stands.

    Errors stand alone, but for a group of more than can be read: then those beyond the first few stand with the last.
    """
    groups: dict[tuple[str, str, Level], list[Diagnostic]] = {}
    order: list[list[Diagnostic]] = []
    alone: dict[tuple[str, str, Level], int] = {}
    for diagnostic in diagnostics:
        if not diagnostic.group:
            order.append([diagnostic])
            continue
        key = (diagnostic.group, diagnostic.code, diagnostic.level)
        if diagnostic.level is Level.ERROR and alone.get(key, 0) < _ERRORS_IN_FULL:
            alone[key] = alone.get(key, 0) + 1
            order.append([diagnostic])
            continue
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


def _more(some: Sequence[Diagnostic]) -> str:
    others = len({d.subject for d in some}) - 1
    return f" (and {_count(others, 'more rule')})" if others else ""


def _block(some: Sequence[Diagnostic], *, colour: bool, width: int) -> Iterator[str]:
    first = some[0]
    yield _head(first, visible(first.message), colour=colour)
    spans = [s for s in (first.span, *(r.span for r in first.related)) if s is not None]
    gutter = len(str(max((span.line for span in spans), default=1)))
    found = excerpts(first, max(width - gutter - 3, _LEAST_WIDTH))
    if not found and first.file:
        yield f"{' ' * gutter}{_blue('-->', colour=colour)} {visible(first.file)}"
    for number, excerpt in enumerate(found):
        arrow = ":::" if number else "-->"
        yield f"{' ' * gutter}{_blue(arrow, colour=colour)} {excerpt.place}"
        yield f"{' ' * gutter} {_blue('|', colour=colour)}"
        for row in excerpt.rows:
            yield _row(row, gutter, first.level, colour=colour)
    notes = list(_notes(some))
    if notes:
        if found:
            yield f"{' ' * gutter} {_blue('|', colour=colour)}"
        for name, text in notes:
            own = text.split("\n")
            yield f"{' ' * gutter} {_blue('=', colour=colour)} {name}: {visible(own[0])}"
            yield from (f"{' ' * gutter}   {' ' * len(name)}  {visible(line)}" for line in own[1:])


def _notes(some: Sequence[Diagnostic]) -> Iterator[tuple[str, str]]:
    first = some[0]
    if len(some) > 1 and first.level is Level.ERROR:
        places = [f"{place_of(d.span)}: {d.message}" if d.span is not None else d.message for d in some[1:]]
        yield "also", "\n".join(places)
    elif len(some) > 1:
        subjects = list(dict.fromkeys(d.subject for d in some))
        if len(subjects) > 1:
            shown = ", ".join(f"`{subject}`" for subject in subjects[1 : _SUBJECTS_SHOWN + 1])
            more = ", …" if len(subjects) > _SUBJECTS_SHOWN + 1 else ""
            yield "also", f"{shown}{more} ({len(subjects)} rules in all)"
    if first.help:
        yield "help", first.help


def _row(row: Row, gutter: int, level: Level, *, colour: bool) -> str:
    number = str(row.number) if row.number else ""
    if not row.number and not row.mark:
        return _blue(row.text, colour=colour)
    text = row.text
    if row.mark and colour:
        text = f"{_COLOURS[level] if row.mark == '^' else _BLUE}{text}{_RESET}"
    return f"{_blue(number.rjust(gutter), colour=colour)} {_blue('|', colour=colour)} {text}".rstrip()


def _blue(text: str, *, colour: bool) -> str:
    return f"{_BLUE}{text}{_RESET}" if colour and text.strip() else text
