"""How a host name reads: which characters and pairs of characters people take for one another."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

# Letters of other scripts that look like a Latin one: from confusables.txt of Unicode UTS #39, those with a single
# lower-case ASCII letter as their prototype that can stand in a host name.
_CYRILLIC: Final = {
    0x0430: "a", 0x0441: "c", 0x0501: "d", 0x0435: "e", 0x04BB: "h", 0x0456: "i", 0x0458: "j", 0x04CF: "l",
    0x043E: "o", 0x0440: "p", 0x051B: "q", 0x0455: "s", 0x0475: "v", 0x051D: "w", 0x0445: "x", 0x0443: "y",
    0x050D: "g",
}  # fmt: skip
_GREEK: Final = {
    0x03B1: "a", 0x03BF: "o", 0x03B3: "y", 0x03B9: "i", 0x03C1: "p", 0x03C5: "u", 0x03BD: "v", 0x03C3: "o",
}  # fmt: skip
_ARMENIAN: Final = {
    0x0585: "o", 0x0578: "n", 0x057D: "u", 0x0570: "h", 0x0581: "g", 0x0566: "q",
}  # fmt: skip
_LATIN: Final = {
    0x0131: "i", 0x0251: "a", 0x0261: "g", 0x0269: "i", 0x028B: "u", 0x026A: "i",
}  # fmt: skip
_SCRIPTS: Final = (_CYRILLIC, _GREEK, _ARMENIAN)
_LETTERS: Final = {**_CYRILLIC, **_GREEK, **_ARMENIAN, **_LATIN}

_ALIKE: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"))
"""What looks like one other character in the typefaces of terminals and browsers, from left to right."""


@lru_cache(maxsize=1 << 16)
def shape_of(name: str) -> str:
    """The name with all that looks alike written alike: two names with one shape are easily taken for each other."""
    text = latin(name)
    for written, seen in _ALIKE:
        text = text.replace(written, seen)
    return text


def latin(name: str) -> str:
    """The name with letters that look like Latin ones, accents and ``xn--`` written as plain letters."""
    if name.isascii() and "xn--" not in name:
        return name
    folded = "".join(_LETTERS.get(ord(char), char) for char in shown(name))
    return "".join(char for char in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(char))


def shown(name: str) -> str:
    """The name as a browser would show it: ``xn--`` labels decoded."""
    return ".".join([_decoded(label) for label in name.split(".")])


def poses_as(name: str) -> str:
    """The ASCII name that a name with letters of another script is made to look like; empty if it does not.

    A label does if it mixes them with Latin letters, or consists of nothing else under a Latin top-level domain.
    """
    if "xn--" not in name:
        return ""
    labels = shown(name).split(".")
    plain = latin(name)
    if not plain.isascii():
        return ""
    for label in labels:
        letters = [char for char in label if char.isalpha()]
        other = [char for char in letters if any(ord(char) in script for script in _SCRIPTS)]
        mixed = any(char.isascii() for char in letters)
        if other and (mixed or (len(other) == len(letters) and labels[-1].isascii())):
            return plain
    return ""


def _decoded(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label
