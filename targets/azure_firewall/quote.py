"""The quoting of the target: any text as a literal of an ARM template."""

from __future__ import annotations

from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

json_string: Callable[[str], str] = encode_basestring_ascii
"""A text as a JSON string in pure ASCII, for texts that no template engine reads (names of fixed form, expressions)."""


def literal(text: str) -> str:
    """A text as a JSON string in pure ASCII that Resource Manager takes for itself.

    A value that begins with ``[`` and ends with ``]`` is an expression there; with ``[[`` it stands for the text less
    one bracket. A value that does not end with ``]`` is never one, and a second bracket would stay in it
    (template-expressions.md, "Escape characters").
    """
    if text[:1] == "[" and text[-1:] == "]":
        return encode_basestring_ascii(f"[{text}")
    return encode_basestring_ascii(text)


def argument(text: str) -> str:
    """A text as a string inside a template expression: in single quotes, a quote doubled (the same document)."""
    return "'" + text.replace("'", "''") + "'"
