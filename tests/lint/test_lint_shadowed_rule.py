"""`shadowed-rule`: allows that denies hide, denies that other denies hold."""

from __future__ import annotations

import pytest
from lint_support import told

RULE = "shadowed-rule"


def policy(*rules):
    return 'policy p "P" {\n    from g h\n' + "".join(f"    {rule}\n" for rule in rules) + "}\n"


def one(action, name, to, ports="443/https", more=""):
    return f'{action} {name} "R" {{ to {to} ports {ports} {more} }}'


def test_an_allow_below_one_deny():
    found = told(policy(one("allow", "a", "x.example.com"), one("deny", "d", "*.example.com")), RULE)
    assert found == [(3, "a", "every flow of `p/a` is denied by `p/d`")]


def test_an_allow_below_several_denies_together():
    text = policy(
        one("allow", "a", "10.0.0.0/24", "1-20/tcp"),
        one("deny", "low", "10.0.0.0/8", "1-12/tcp"),
        one("deny", "high", "10.0.0.0/25", "10-30/tcp"),
        one("deny", "rest", "10.0.0.128/25", "any/tcp"),
        one("deny", "elsewhere", "192.0.2.0/24", "any/tcp"),
    )
    assert told(text, RULE) == [(3, "a", "every flow of `p/a` is denied by `p/low`, `p/high` and `p/rest` together")]


@pytest.mark.parametrize(
    "deny",
    [
        one("deny", "d", "x.example.com", "444/https"),
        one("deny", "d", "*.x.example.com"),
        one("deny", "d", "x.example.com", more="from g"),
        one("deny", "d", "x.example.com", more="feature f"),
        one("deny", "d", "x.example.com", more="expires 2027-01-01"),
        one("deny", "d", "*.example.com except x.example.com"),
        one("deny", "d", "0.0.0.0/0"),
    ],
)
def test_near_cases(deny):
    assert told(policy(one("allow", "a", "x.example.com"), deny), RULE, inventory=INVENTORY) == []


INVENTORY = """\
groups:
  g: {networks: [10.0.0.1], features: [f]}
  h: {networks: [10.0.0.2], features: [f]}
"""


def test_a_feature_of_both_and_an_end_of_both_count():
    text = policy(
        one("allow", "a", "x.example.com", more="feature f"),
        one("deny", "d", "*.example.com", more="feature f"),
        one("allow", "b", "x.example.net", more="expires 2027-01-01"),
        one("deny", "e", "*.example.net", more="expires 2027-01-01"),
    )
    assert [place for place, *_ in told(text, RULE, inventory=INVENTORY)] == [3, 5]


def test_a_deny_that_lasts_longer_hides_what_is_for_a_time():
    text = policy(
        one("allow", "a", "x.example.com", more="feature f expires 2027-06-01"),
        one("deny", "d", "*.example.com"),
        one("allow", "b", "x.example.net", more="expires 2027-06-01"),
        one("deny", "e", "*.example.net", more="expires 2027-05-31"),
    )
    assert [place for place, *_ in told(text, RULE, inventory=INVENTORY)] == [3]


def test_of_two_equal_denies_the_second_is_told():
    text = policy(one("deny", "d", "x.example.com"), one("deny", "e", "x.example.com"))
    assert told(text, RULE) == [(4, "e", "every flow of `p/e` is denied by `p/d` too")]


def test_a_deny_below_a_union_of_denies():
    text = policy(
        one("deny", "d", "10.0.0.0/24"),
        one("deny", "e", "10.0.0.0/25"),
        one("deny", "f", "10.0.0.128-10.0.1.255"),
    )
    assert told(text, RULE) == [(4, "e", "every flow of `p/e` is denied by `p/d` too")]


def test_denies_that_overlap_in_a_circle_leave_the_flows_denied():
    """Any two of the three hold the third: only one of them may be called superfluous."""
    text = policy(
        one("deny", "d", "10.0.0.0/24 10.0.1.0/24"),
        one("deny", "e", "10.0.1.0/24 10.0.2.0/24"),
        one("deny", "f", "10.0.0.0/24 10.0.2.0/24"),
    )
    assert told(text, RULE) == [(5, "f", "every flow of `p/f` is denied by `p/d` and `p/e` together too")]


def test_a_rule_that_is_hidden_in_one_policy_only_is_no_finding():
    template = 'template policy t "T" {\n    ' + one("allow", "a", "x.example.com") + "\n}\n"
    both = (
        'policy p "P" { from g include t '
        + one("deny", "d", "x.example.com")
        + ' }\npolicy q "Q" { from h include t }\n'
    )
    assert told(template + both, RULE) == []
    hidden = 'policy p "P" { from g include t ' + one("deny", "d", "x.example.com", more="from any-group") + " }\n"
    assert [place for place, *_ in told(template + hidden + 'policy q "Q" { from h include t }\n', RULE)] == [2]


def test_what_waits_for_a_parameter_is_not_judged():
    text = 'parameter p "P"\n' + policy(
        one("allow", "a", "x.example.com ${p}.example.net"), one("deny", "d", "x.example.com")
    )
    assert told(text, RULE) == []
