"""Days to come and days past, as the lint rules about dates tell them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from egressc.lint.hosts import setting_of
from egressc.syntax import Policy
from egressc.words import date_word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.lint.subject import Subject
    from egressc.source import Span
    from egressc.syntax import Rule

SOON: Final = 30
"""A day is told of from so many days before it on."""


def day_in(node: Rule | Policy, keyword: str) -> tuple[date, Span] | None:
    """The day that a setting names, and the place of the word; ``None`` without that setting."""
    setting = setting_of(node, keyword)
    if setting is None:
        return None
    span = setting.values[0].span
    day = date_word(span.text)
    return (day, span) if isinstance(day, date) else None


def in_words(days: int) -> str:
    """How far away a day is: ``today``, ``tomorrow``, ``in 5 days``, ``yesterday``, ``5 days ago``."""
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    return near.get(days) or (f"in {days} days" if days > 0 else f"{-days} days ago")


def reviews(subject: Subject) -> Iterator[tuple[Policy, Span, int]]:
    """The policies that state ``review-by``: the place of the day, and how many days are left to it.

    Those of the files that the PATHs stand for, and those of other files that have a rule in effect.
    """
    in_effect = {rule.span for rule in subject.policy.rules}
    compiled = {file.source for file in subject.files}
    for file in subject.every_file:
        for item in file.items:
            if not isinstance(item, Policy):
                continue
            found = day_in(item, "review-by")
            if found and (file.source in compiled or any(rule.name.span in in_effect for rule in item.rules)):
                day, span = found
                yield item, span, (day - subject.as_of).days
