"""Policies without an owner."""

from __future__ import annotations

import pytest
from lint_support import told

RULE = "missing-owner"
BODY = '    allow a "A" {\n        to    a.example.com\n        ports 443/https\n    }\n}\n'


@pytest.mark.parametrize("owner", ["", '    owner ""\n', '    owner "  "\n'])
def test_no_owner(owner):
    text = f'policy p "P" {{\n    from g\n{owner}{BODY}'
    assert told(text, RULE) == [(1, "p", "the policy `p` has no owner")]


def test_an_owner():
    assert told(f'policy p "P" {{\n    from g\n    owner "o@example.com"\n{BODY}', RULE) == []


def test_a_template_needs_none_and_who_includes_it_does():
    template = f'template policy t "T" {{\n{BODY}'
    owned = 'policy p "P" {\n    owner "o@example.com"\n    from  g\n    include t\n}\n'
    assert told(template + owned, RULE) == []
    assert [line for line, _, _ in told(template + owned.replace('    owner "o@example.com"\n', ""), RULE)] == [7]
