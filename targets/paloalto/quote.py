"""Quoting: how a text stands in XML and in a `set` command, and which texts PAN-OS can hold at all.

The CLI of PAN-OS has two kinds of quotes and no escape in either (kevinsteves/pan-python issue 50 shows what the device
itself prints; batfish/batfish pull request 5273 the same). So a text with both kinds cannot be said, and ``held_text``
gives what can be said instead; both files then carry the same text.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_PLAIN = re.compile(r"[ !#-&(-\[\]-~]*")
"""Printable ASCII without quotes and backslashes: nothing to replace."""

_BARE = re.compile(r"[A-Za-z0-9._:/@^*$\\+,=~%-]+")
"""What stands in a command without quotes, and means itself."""

_TICKET = re.compile(r"[^A-Za-z0-9 ._:/#@+=,-]")

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that show a line in another order than it is read (UAX 9, section 2)."""

_UNSAID = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""General categories of characters that XML 1.0 (section 2.2) or a command line cannot carry.

They hold the same characters in every version of Unicode.
"""


@lru_cache(maxsize=8192)
def held_text(text: str) -> str:
    """The text as both files carry it.

    A tab becomes a space; a control, line-separating or direction-changing character, or one that is none, the
    replacement character; where both kinds of quotes stand, double quotes become single ones; a backslash at the end
    gets a space after it, so that it cannot be taken for an escape of the closing quote. Everything else stays.
    """
    if _PLAIN.fullmatch(text):
        return text
    said = "".join([" " if c == "\t" else "\ufffd" if _cannot_be_said(c) else c for c in text])
    if '"' in said and "'" in said:
        said = said.replace('"', "'")
    return f"{said} " if said.endswith("\\") else said


def tag_text(text: str) -> str:
    """The text with every character that a tag should not hold replaced by an underscore.

    PAN-OS refuses ``[``, ``]`` and ``'`` in tags (its configuration schema, `tag/entry`); the rest is left out so that
    no tag needs more than plain quotes.
    """
    return _TICKET.sub("_", text)


def set_word(text: str) -> str:
    """The text as one word of a `set` command. Expects what ``held_text`` gives."""
    if _BARE.fullmatch(text):
        return text
    return f"'{text}'" if '"' in text else f'"{text}"'


def xml_text(text: str) -> str:
    """The text as the content of an XML element or of an attribute in double quotes."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    return text.replace('"', "&quot;") if '"' in text else text


def _cannot_be_said(char: str) -> bool:
    return char in _BIDI or unicodedata.category(char) in _UNSAID or _is_noncharacter(ord(char))


def _is_noncharacter(code: int) -> bool:
    return 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE
