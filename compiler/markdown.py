"""Text that other people wrote, inside Markdown: the one place that quotes for it."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~&@$])")
_PLAIN = re.compile(r"[A-Za-z0-9 .,:;/()→-]*")
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """The text with control and direction marks spelled out as ``U+202E``, so that none can act on the page."""
    if text.isascii() and text.isprintable():
        return text
    return _INVISIBLE.sub(lambda m: f"U+{ord(m[0]):04X}", text)


def table_cell(text: str) -> str:
    """The text as a table cell shows it literally: nothing in it is markup, a link, a mention or a cell border."""
    return text if _PLAIN.fullmatch(text) else _SPECIAL.sub(r"\\\1", visible(text))


def code(text: str) -> str:
    """The text as inline code that fits in a table cell."""
    shown = visible(text).replace("|", r"\|")
    if "`" not in shown:
        return f"`{shown}`"
    ticks = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (ticks + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
