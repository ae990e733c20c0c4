"""Rules that expire soon: the days that count, and those of W0506 and W0507 that do not."""

from __future__ import annotations

from datetime import date

import pytest
from lint_support import findings, told

RULE = "expiring-rule"


def policy(day, action="allow"):
    expires = f"        expires {day}\n" if day else ""
    return (
        'policy p "P" {\n    from g\n    allow b "B" {\n        to    b.example.com\n        ports 443/https\n    }\n'
        f'    {action} a "A" {{\n        to    a.example.com\n        ports 443/https\n{expires}    }}\n}}\n'
    )


@pytest.mark.parametrize(
    ("day", "when"),
    [("2026-11-22", "today"), ("2026-11-23", "tomorrow"), ("2026-11-27", "in 5 days"), ("2026-12-22", "in 30 days")],
)
def test_within_thirty_days(day, when):
    assert told(policy(day), RULE) == [(10, day, f"`p/a` expires {when}")]


@pytest.mark.parametrize("day", [None, "2026-12-23", "2028-01-01", "2026-11-21", "2020-01-01"])
def test_later_and_past_days_are_not_told(day):
    assert told(policy(day), RULE) == []


@pytest.mark.parametrize("action", ["allow", "deny"])
def test_what_has_ended_is_told_by_another_diagnostic(action):
    assert told(policy("2026-11-21", action), RULE) == []


def test_the_date_that_is_checked_for_counts():
    assert len(told(policy("2020-01-15"), RULE, as_of=date(2020, 1, 1))) == 1


@pytest.mark.parametrize(("action", "then"), [("allow", "left out"), ("deny", "stays in force")])
def test_what_happens_then(action, then):
    (found,) = findings(policy("2026-12-01", action), RULE)
    assert then in found.label


def test_a_rule_that_two_policies_include_is_told_once():
    template = policy("2026-12-01").replace("policy p", "template policy t").replace("    from g\n", "")
    users = "".join(f'policy {name} "P" {{\n    from g\n    include t\n}}\n' for name in "pq")
    assert [(word, message) for _, word, message in told(template + users, RULE)] == [
        ("2026-12-01", "`t/a` expires in 9 days")
    ]
