"""Reviews that are overdue or due soon: every day belongs to one of the two, or to none."""

from __future__ import annotations

from datetime import date

import pytest
from lint_support import told


def policy(day, template=False):
    review = f"    review-by {day}\n" if day else ""
    head = 'template policy p "P" {\n' if template else 'policy p "P" {\n    from g\n'
    return f'{head}{review}    allow a "A" {{\n        to    a.example.com\n        ports 443/https\n    }}\n}}\n'


@pytest.mark.parametrize(("day", "when"), [("2026-11-21", "yesterday"), ("2026-11-12", "10 days ago")])
def test_overdue(day, when):
    assert told(policy(day), "overdue-review") == [(3, day, f"the review of `p` was due {when}")]
    assert told(policy(day), "due-review") == []


@pytest.mark.parametrize(("day", "when"), [("2026-11-22", "today"), ("2026-12-22", "in 30 days")])
def test_due(day, when):
    assert told(policy(day), "due-review") == [(3, day, f"the review of `p` is due {when}")]
    assert told(policy(day), "overdue-review") == []


@pytest.mark.parametrize("day", [None, "2026-12-23", "2030-01-01"])
@pytest.mark.parametrize("rule", ["due-review", "overdue-review"])
def test_far_or_no_review(day, rule):
    assert told(policy(day), rule) == []


def test_the_date_that_is_checked_for_counts():
    assert told(policy("2026-11-21"), "overdue-review", as_of=date(2026, 11, 21)) == []
    assert len(told(policy("2026-12-23"), "due-review", as_of=date(2026, 12, 1))) == 1


def test_a_template_of_the_files_named_is_told():
    other = policy(None).replace(" p ", " q ")
    assert [line for line, _, _ in told(policy("2026-01-01", template=True) + other, "overdue-review")] == [2]
