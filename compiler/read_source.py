"""Turns the bytes of a policy file into a source."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from typing import Final

from egressc.diagnostics import Diagnostic
from egressc.source import Source, Span

_UTF16_MARKS: Final = (BOM_UTF16_LE, BOM_UTF16_BE)


_AS_UTF8: Final = "this looks like UTF-16; save the file as UTF-8"
_SAMPLE: Final = 64


def read_source(data: bytes, *, name: str, shown: str | None = None) -> Source | Diagnostic:
    """The source that the bytes of a file are, without its byte order mark; a diagnostic if they are not UTF-8.

    ``name`` and ``shown`` are those of ``Source``. The diagnostic points at the first byte that is not UTF-8.
    """
    if data.startswith(_UTF16_MARKS):
        return _not_utf8(data, 0, name, shown, help_text=_AS_UTF8)
    body = data.removeprefix(BOM_UTF8)
    if _is_utf16(body):
        return _not_utf8(body, body.index(0), name, shown, help_text=_AS_UTF8)
    try:
        return Source.of(name, body.decode("utf-8"), shown)
    except UnicodeDecodeError as error:
        return _not_utf8(body, error.start, name, shown, help_text="save the file as UTF-8")


def _is_utf16(data: bytes) -> bool:
    """True if a file begins with ASCII in which every second byte is a NUL: UTF-16 without a byte order mark."""
    sample = data[:_SAMPLE]
    halves = (sample[::2], sample[1::2])
    return len(sample) > 3 and any(
        not any(nuls) and all(0 < byte < 128 for byte in characters) for nuls, characters in (halves, halves[::-1])
    )


def _not_utf8(data: bytes, start: int, name: str, shown: str | None, *, help_text: str) -> Diagnostic:
    """What to say of the byte at ``start``; every byte before it is UTF-8."""
    source = Source.of(name, data.decode("utf-8", errors="replace"), shown)
    at = len(data[:start].decode("utf-8"))
    byte = data[start]
    return Diagnostic(
        code="E0100",
        message=f"the byte 0x{byte:02X} is not UTF-8" if byte else "every second byte is a NUL",
        span=Span(source, at, at + 1),
        label="not a character of any text in UTF-8" if byte else "the first of them",
        help=help_text,
    )
