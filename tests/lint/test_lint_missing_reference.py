"""Policies of which nothing says why."""

from __future__ import annotations

import pytest
from lint_support import findings, told

RULE = "missing-reference"


def rule(name, says=""):
    return f'    allow {name} "A" {{\n        to    {name}.example.com\n        ports 443/https\n{says}    }}\n'


def policy(*rules, head="", template=False):
    start = "template policy" if template else "policy"
    source = "" if template else "    from g\n"
    return f'{start} p "P" {{\n{source}{head}{"".join(rules)}}}\n'


TICKET = '        ticket "T-1"\n'


@pytest.mark.parametrize("template", [False, True])
def test_neither_in_the_policy_nor_in_a_rule(template):
    text = policy(rule("a"), rule("b"), template=template) + policy(rule("c", TICKET)).replace(" p ", " q ")
    assert told(text, RULE) == [(1, "p", "the policy `p` has neither a reference nor a ticket")]


@pytest.mark.parametrize("head", ['    reference "https://x.example"\n', '    ticket "T-1"\n'])
def test_the_policy_says_it(head):
    assert told(policy(rule("a"), head=head), RULE) == []


def test_each_rule_says_it():
    assert told(policy(rule("a", TICKET), rule("b", '        reference "R"\n')), RULE) == []


def test_some_rules_do_not():
    (found,) = findings(policy(rule("a", TICKET), rule("b"), rule("c")), RULE)
    assert (found.span.text, found.label) == ("b", "nothing says why, nor of 1 more")
    assert found.message == "`p/b` has neither a reference nor a ticket, nor has its policy (missing-reference)"


def test_a_policy_that_only_includes_has_what_it_includes():
    template = policy(rule("a"), head='    reference "R"\n', template=True)
    user = 'policy q "Q" {\n    from g\n    include p\n}\n'
    assert told(template + user, RULE) == []


def test_empty_is_missing():
    assert len(told(policy(rule("a"), head='    reference ""\n'), RULE)) == 1
