"""Changes of texts: what a fix consists of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.lint.rule import Edit
from egressc.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable


def removal(span: Span) -> Edit:
    """Takes a word, or what stands on lines of its own, out of a text with the white space that belongs to it."""
    text = span.source.text
    start, end = span.start, span.end
    while start and text[start - 1] in " \t":
        start -= 1
    after = end
    while after < len(text) and text[after] in " \t\r":
        after += 1
    begins = start == 0 or text[start - 1] == "\n"
    ends = after == len(text) or text[after] == "\n"
    if begins and ends:
        return Edit(Span(span.source, start, min(after + 1, len(text))), "")
    if ends:
        return Edit(Span(span.source, start, end), "")
    return Edit(Span(span.source, span.start, after), "")


def changed(text: str, edits: Iterable[Edit]) -> str:
    """A text after edits of it. Removals that overlap are one; another edit that overlaps one before is left out."""
    merged: list[tuple[int, int, str]] = []
    for start, end, new in sorted((e.span.start, e.span.end, e.text) for e in set(edits)):
        if not merged or start >= merged[-1][1]:
            merged.append((start, end, new))
        elif not merged[-1][2] and not new:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]), "")
    result: list[str] = []
    at = 0
    for start, end, new in merged:
        kept = text[at:start]
        if not new and (end == len(text) or text[end] in "\r\n"):
            # Of several words at the end of a line no space must stay.
            kept = kept.rstrip(" \t")
        result += (kept, new)
        at = end
    result.append(text[at:])
    return "".join(result)
