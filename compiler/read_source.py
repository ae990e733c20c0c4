"""Turns the bytes of a policy file into a source."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from typing import Final

from egressc.diagnostics import Diagnostic
from egressc.source import Source, Span

_UTF16_MARKS: Final = (BOM_UTF16_LE, BOM_UTF16_BE)


def read_source(data: bytes, *, name: str, shown: str | None = None) -> Source | Diagnostic:
    """The source that the bytes of a file are, without its byte order mark; a diagnostic if they are not UTF-8.

    ``name`` and ``shown`` are those of ``Source``. The diagnostic points at the first byte that is not UTF-8.
    """
    if data.startswith(_UTF16_MARKS):
        return _not_utf8(data, 0, name, shown, help_text="this looks like UTF-16; save the file as UTF-8")
    body = data.removeprefix(BOM_UTF8)
    try:
        return Source.of(name, body.decode("utf-8"), shown)
    except UnicodeDecodeError as error:
        return _not_utf8(body, error.start, name, shown, help_text="save the file as UTF-8")


def _not_utf8(data: bytes, start: int, name: str, shown: str | None, *, help_text: str) -> Diagnostic:
    """What to say of the byte at ``start``; every byte before it is UTF-8."""
    source = Source.of(name, data.decode("utf-8", errors="replace"), shown)
    at = len(data[:start].decode("utf-8"))
    return Diagnostic(
        code="E0100",
        message=f"the byte 0x{data[start]:02X} is not UTF-8",
        span=Span(source, at, at + 1),
        label="not a character of any text in UTF-8",
        help=help_text,
    )
