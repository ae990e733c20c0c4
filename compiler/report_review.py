"""What `egressc diff` says, as text."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from egressc.markdown import visible
from egressc.report_review_words import (
    SECTIONS,
    Places,
    edit_kind,
    edit_names,
    edits_sentence,
    every_change,
    example,
    firewall_sums,
    flows,
    turn,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.report_review_words import Section
    from egressc.review import Change, Review

WIDTH: Final = 120
"""Columns where there is no terminal that has a width."""

_COLOURS: Final = {"+": "\x1b[32m", "-": "\x1b[31m", "~": "\x1b[33m"}
_BOLD: Final = "\x1b[1m"
_PLAIN: Final = "\x1b[0m"
_MOST_NAMES: Final = 6
_LEAST: Final = 40
"""Columns below which nothing is wrapped any further."""


def review_text(review: Review, title: str, *, width: int = WIDTH, colour: bool = False, one_file: bool = True) -> str:
    """The review as text for a terminal of that width; ``one_file``: all rules of both sides stand in one file."""
    text = _Text(review, max(width, _LEAST), colour=colour, one_file=one_file)
    return "".join(f"{line}\n" for line in text.lines(title))


class _Text:
    def __init__(self, review: Review, width: int, *, colour: bool, one_file: bool) -> None:
        self._review = review
        self._width = width
        self._colour = colour
        self._places = Places(review, one_file=one_file)
        # The second column stands where most lines leave room for it.
        lefts = [len(flows(change)) for change in every_change(review)]
        self._column = max([length for length in lefts if length <= width * 2 // 3], default=0) + 2

    def lines(self, title: str) -> Iterator[str]:
        review = self._review
        yield self._bold(visible(title))
        yield ""
        for section in SECTIONS:
            changes = section.of(review)
            if changes:
                yield self._bold(section.heading)
            for change in changes:
                yield from self._change(section, change)
        if every_change(review):
            yield ""
        else:
            yield "no flow is decided otherwise"
        if review.edits:
            yield from self._wrapped(edits_sentence(review.edits), "", "  ")
            yield from self._edits()
        if review.per_firewall:
            sums = " · ".join(f"{each.name} {firewall_sums(each)}" for each in review.per_firewall)
            yield from self._wrapped(f"firewalls: {sums}", "", "  ")
            yield from self._firewalls()
        for remark in review.remarks:
            yield from self._wrapped(f"note: {remark}", "", "  ")

    def _change(self, section: Section, change: Change) -> Iterator[str]:
        left, is_inspection = visible(flows(change)), section.sign == "~"
        rules = visible(self._places.sides(change))
        right = turn(change) if is_inspection else rules
        head = f"  {section.sign} {left}"
        if not right:
            yield from self._wrapped(head, "", "      ", section.sign)
        elif len(left) < self._column and 4 + self._column + len(right) <= self._width:
            yield self._coloured(f"  {section.sign} {left.ljust(self._column)}", section.sign) + right
        else:
            yield from self._wrapped(head, "", "      ", section.sign)
            yield from self._wrapped(right, "      ", "        ")
        if is_inspection and rules:
            yield from self._wrapped(rules, "      ", "        ")
        yield from self._wrapped(f"e.g. {example(change)}", "      ", "        ")
        for note in change.notes:
            yield from self._wrapped(f"note: {note}", "      ", "        ")

    def _edits(self) -> Iterator[str]:
        by_kind: dict[str, list[str]] = {}
        for edit in self._review.edits:
            by_kind.setdefault(edit_kind(edit), []).append(edit_names(edit))
        for kind, names in by_kind.items():
            yield from self._wrapped(f"{kind}: {_some(names)}", "  ", "    ")

    def _firewalls(self) -> Iterator[str]:
        """The names of artefact rules where only firewalls change, and all notes."""
        alone = not every_change(self._review)
        for each in self._review.per_firewall:
            for sign, names in (("+", each.added), ("-", each.removed), ("~", each.changed)):
                if alone and names:
                    yield from self._wrapped(f"{each.name} {sign} {_some(names)}", "  ", "    ", sign)
            for note in each.notes:
                yield from self._wrapped(f"{each.name}: {note}", "  ", "    ")

    def _wrapped(self, text: str, first: str, further: str, sign: str = "") -> Iterator[str]:
        lines = textwrap.wrap(
            visible(text),
            self._width,
            initial_indent=first,
            subsequent_indent=further,
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
        )
        for line in lines:
            yield self._coloured(line, sign)

    def _coloured(self, text: str, sign: str) -> str:
        colour = _COLOURS.get(sign) if self._colour else None
        return f"{colour}{text}{_PLAIN}" if colour else text

    def _bold(self, text: str) -> str:
        return f"{_BOLD}{text}{_PLAIN}" if self._colour else text


def _some(names: list[str] | tuple[str, ...]) -> str:
    left = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {left} more" if left > 0 else "")
