"""What `egressc diff` says, as Markdown: the text of a comment on a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egressc.markdown import code, table_cell
from egressc.report_review_mermaid import picture
from egressc.report_review_words import (
    SECTIONS,
    Places,
    edit_kind,
    edit_names,
    edits_sentence,
    every_change,
    example,
    firewall_sums,
    plural,
    turn,
    where,
    who,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.review import Change, Review

LIMIT: Final = 60_000
"""Bytes of one comment. GitHub takes 65,536 characters ("body is too long (maximum is 65536 characters)"), GitLab
1,000,000 (docs.gitlab.com, "Maximum size of comments"); the rest is for what the place of the comment adds."""

_OPEN: Final = 10
"""Rows of a table that are seen at once; the others are folded away."""

_ROWS: Final = (1000, 300, 100, 30, _OPEN, 3, 1, 0)
"""How many rows a table may have, tried one after the other until the whole fits."""

_CELL: Final = 300
"""Characters of one cell."""

_HEADS: Final = {
    "newly_allowed": ("Newly allowed", "who", "may now reach"),
    "no_longer_allowed": ("No longer allowed", "who", "no longer reaches"),
    "inspection_changed": ("Inspection", "who", "reaches"),
}


def review_markdown(review: Review, title: str) -> str:
    """The review as Markdown that fits a comment; where rows are left out, it says how many."""
    text = ""
    for most in _ROWS:
        text = "\n".join(_Markdown(review, most).lines(title)) + "\n"
        if len(text.encode()) <= LIMIT:
            break
    return text


class _Markdown:
    def __init__(self, review: Review, most: int) -> None:
        self._review = review
        self._most = most
        self._places = Places(review, in_full=True)

    def lines(self, title: str) -> Iterator[str]:
        review = self._review
        yield f"### Egress policy: {table_cell(_short(title))}"
        yield ""
        yield self._sums()
        for section in SECTIONS:
            changes = section.of(review)
            if changes:
                yield from self._section(section.key, changes)
        drawn = picture(review)
        if drawn:
            yield from ("", "<details><summary>Picture</summary>", "", "```mermaid", drawn, "```", "", "</details>")
        yield from self._firewalls()
        if review.edits:
            names = [f"- {edit_kind(edit)}: {code(_short(edit_names(edit)))}" for edit in review.edits]
            yield from self._folded(table_cell(edits_sentence(review.edits)), names)
        if review.remarks:
            yield ""
            yield from self._cut([f"- {table_cell(_short(remark))}" for remark in review.remarks])

    def _sums(self) -> str:
        review = self._review
        if review.is_empty:
            return "**Nothing changes**: every flow is decided as before, on every firewall." + (
                f" {plural(len(review.edits), 'edit', 'edits')} without effect." if review.edits else ""
            )
        if not every_change(review):
            return "**No flow is decided otherwise by the policy**; the rules of firewalls change."
        parts = [
            (len(review.newly_allowed), "newly allowed", "newly allowed"),
            (len(review.no_longer_allowed), "no longer allowed", "no longer allowed"),
            (len(review.inspection_changed), "change of inspection", "changes of inspection"),
        ]
        told = [f"**{plural(*part)}**" for part in parts if part[0]]
        if review.edits:
            told.append(plural(len(review.edits), "edit without effect", "edits without effect"))
        return " · ".join(told)

    def _section(self, key: str, changes: Sequence[Change]) -> Iterator[str]:
        heading, left, right = _HEADS[key]
        last = "was → is" if key == "inspection_changed" else ""
        columns = [left, right, *([last] if last else []), "rules", "for example"]
        head = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
        rows = [self._row(change, with_turn=bool(last)) for change in changes[: self._most]]
        yield from ("", f"#### {heading}", "", *head, *rows[:_OPEN])
        if len(rows) > _OPEN:
            yield from ("", f"<details><summary>{len(rows) - _OPEN} more</summary>", "", *head, *rows[_OPEN:])
            yield from ("", "</details>")
        yield from _left_out(len(changes) - len(rows))

    def _row(self, change: Change, *, with_turn: bool) -> str:
        notes = "".join(f"<br>{table_cell(_short(note))}" for note in change.notes)
        cells = [
            code(_short(who(change))),
            code(_short(where(change))) + notes,
            *([turn(change)] if with_turn else []),
            table_cell(_short(self._places.sides(change))) or "–",
            code(_short(example(change))),
        ]
        return f"| {' | '.join(cells)} |"

    def _firewalls(self) -> Iterator[str]:
        firewalls = self._review.per_firewall
        if not firewalls:
            return
        yield from ("", "#### Firewalls", "", "| firewall | target | rules |", "| --- | --- | --- |")
        yield from self._cut(
            [
                f"| {code(_short(each.name))} | {table_cell(_short(each.target))} | {table_cell(firewall_sums(each))} |"
                for each in firewalls
            ]
        )
        notes = [f"- {code(_short(e.name))}: {table_cell(_short(note))}" for e in firewalls for note in e.notes]
        if notes:
            yield ""
            yield from self._cut(notes)
        names = [
            f"- {code(_short(each.name))} {word}: {code(_short(name))}"
            for each in firewalls
            for word, some in (("gets", each.added), ("loses", each.removed), ("changes", each.changed))
            for name in some
        ]
        if names:
            yield from self._folded("Rules of the firewalls", names)

    def _folded(self, summary: str, lines: Sequence[str]) -> Iterator[str]:
        yield from ("", f"<details><summary>{summary}</summary>", "")
        yield from self._cut(lines)
        yield from ("", "</details>")

    def _cut(self, lines: Sequence[str]) -> Iterator[str]:
        kept = lines[: max(self._most, _OPEN)] if self._most else lines[:3]
        yield from kept
        yield from _left_out(len(lines) - len(kept))


def _left_out(count: int) -> Iterator[str]:
    if count > 0:
        yield from ("", f"**{count} more** did not fit in here; `--format html` or `json` has them all.")


def _short(text: str) -> str:
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"
