"""Quoting: how a text of the policy stands in a file that iptables-restore reads.

Double quotes only; inside them a backslash makes the next character stand for itself (iptables 1.8.9,
iptables/xshared.c, `add_param_to_argv`). An unclosed quote would swallow the rest of the line without an error, so
nothing that comes from a policy is written by any other way than ``quoted`` and ``remark``.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

COMMENT: Final = 255
"""Bytes in a comment; what is longer is cut without a word (XT_MAX_COMMENT_LEN is 256 with its NUL)."""

_REMARK: Final = 110
"""Characters on a line of a remark: at most 440 bytes, far below the buffer of iptables-restore (10,240 bytes; what is
longer is read as two lines, and the second would be a command: iptables/iptables-restore.c)."""

_PLAIN = re.compile(r"[ -~]*")

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that show a line in another order than it is read (UAX 9, section 2)."""

_UNSAID = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""General categories of control, surrogate and line-separating characters."""


@lru_cache(maxsize=8192)
def held_text(text: str) -> str:
    """The text as the files carry it: one line, shown in the order in which it is read.

    A tab becomes a space; a control, line-separating or direction-changing character the replacement character.
    Everything else stays.
    """
    if _PLAIN.fullmatch(text):
        return text
    return "".join([" " if c == "\t" else "\ufffd" if _cannot_be_said(c) else c for c in text])


def cut_text(text: str, size: int = COMMENT) -> str:
    """The text, cut at the end of a character so that it has at most ``size`` bytes of UTF-8."""
    if len(text) * 4 <= size:
        return text
    data = text.encode()
    return text if len(data) <= size else data[:size].decode(errors="ignore")


def quoted(text: str) -> str:
    """The text as one word of a restore file. Expects what ``held_text`` gives."""
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def remark(text: str) -> list[str]:
    """The text as comment lines, which no program reads, each short. Expects what ``held_text`` gives."""
    lines = []
    while len(text) > _REMARK:
        at = text.rfind(" ", 1, _REMARK)
        at = at if at > 0 else _REMARK
        lines.append(f"# {text[:at]}")
        text = text[at:].lstrip(" ")
    lines.append(f"# {text}")
    return lines


def _cannot_be_said(char: str) -> bool:
    return char in _BIDI or unicodedata.category(char) in _UNSAID
