"""Lint where groups are behind a proxy: what the inventory's `bypass` uses is used, and tells rules apart."""

from __future__ import annotations

import pytest
from lint_support import told

SET = "endpoints s {\n    *.media.example.com\n}\n"


def inventory(bypass):
    return (
        f"groups: {{g: {{networks: [10.20.0.0/24], proxy: {{address: 10.1.1.5, port: 8080, bypass: [{bypass}]}}}}}}\n"
    )


def policy(*rules):
    return 'policy p "P" {\n    from g\n' + "".join(f"    {rule}\n" for rule in rules) + "}\n"


WIDE = 'allow wide "Wide" { to *.example.com ports 443/https }'
NARROW = 'allow narrow "Narrow" { to www.example.com ports 443/https }'


@pytest.mark.parametrize(("bypass", "unused"), [("s", []), ("p/wide", ["s"]), ("s, p/wide", [])])
def test_a_set_that_a_bypass_names_is_used(bypass, unused):
    found = told(SET + policy(WIDE), "unused-definition", inventory(bypass))
    assert [word for _, word, _ in found] == unused


def test_so_is_what_it_names_and_the_import_that_brings_it():
    text = 'import "sets.egress"\nendpoints s {\n    inner\n}\n' + policy(WIDE)
    sets = "endpoints inner {\n    *.media.example.com\n}\n"
    assert told(text, "unused-definition", inventory("s"), sets__egress=sets) == []
    text = 'import "sets.egress"\n' + policy(WIDE)
    assert told(text, "unused-definition", inventory("inner"), sets__egress=sets) == []
    ((_, word, _),) = told(text, "unused-definition", inventory("p/wide"), sets__egress=sets)
    assert word == '"sets.egress"'


@pytest.mark.parametrize(
    ("bypass", "redundant"),
    [("p/narrow", []), ("p/wide", ["narrow"]), ("'p/*'", ["narrow"]), ("", ["narrow"])],
)
def test_a_rule_that_goes_directly_is_not_held_by_one_that_does_not(bypass, redundant):
    assert [word for _, word, _ in told(policy(WIDE, NARROW), "redundant-rule", inventory(bypass))] == redundant


@pytest.mark.parametrize(
    ("deny", "idle"),
    [("to 10.1.1.5 ports 8080/tcp", False), ("to 10.1.1.5 ports 8081/tcp", True), ("to 10.1.1.6 ports 8080/tcp", True)],
)
def test_a_deny_that_is_in_the_way_to_the_proxy_is_not_idle(deny, idle):
    account = 'service-account a "A" {\n    linux-user a\n}\n'
    text = account + policy(WIDE, f'deny d "D" {{ as a {deny} }}')
    assert [word for _, word, _ in told(text, "idle-deny", inventory("p/wide"))] == ["d"] * idle
