"""The formatter: one canonical layout for every policy, and the proof that nothing else has changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.format_layout import file_lines
from egressc.format_meaning import meaning
from egressc.parse import parse, read_tokens
from egressc.source import Source

if TYPE_CHECKING:
    from egressc.diagnostics import Diagnostic
    from egressc.syntax import File


class FormatDefectError(Exception):
    """The formatter would have changed more than the layout: a defect of egressc, and nothing may be written."""


@dataclass(frozen=True, slots=True)
class FormatResult:
    """``text`` is the source in its canonical layout; ``None`` if it has syntax errors, which are the diagnostics."""

    text: str | None
    diagnostics: tuple[Diagnostic, ...]


def format_source(file: File) -> str:
    """A file without syntax errors in its canonical layout; every line ends in LF, and an empty file stays empty."""
    return "".join(f"{line}\n" for line in file_lines(file))


def check_format(source: Source) -> FormatResult:
    """The canonical layout of a source, proved: same words in the same order, same meaning, same comments, stable.

    :raises FormatDefectError: the proof fails.
    """
    file, diagnostics = parse(source)
    if file is None or diagnostics:
        return FormatResult(None, diagnostics)
    text = format_source(file)
    written = Source.of(source.name, text, source.shown)
    again, errors = parse(written)
    if again is None or errors:
        raise FormatDefectError(f"the formatted text of {source.name} cannot be read")
    words, comments = read_tokens(source)
    words_again, comments_again = read_tokens(written)
    if words != words_again or meaning(file) != meaning(again):
        raise FormatDefectError(f"the formatted text of {source.name} has another meaning")
    if comments != comments_again:
        raise FormatDefectError(f"the formatted text of {source.name} has other comments")
    if format_source(again) != text:
        raise FormatDefectError(f"the formatted text of {source.name} would be formatted again")
    return FormatResult(text, ())
