"""Groups with a single address: which count, and how they are allowed in the inventory."""

from __future__ import annotations

import pytest
from lint_support import findings, told

RULE = "single-connector"


def policy(groups):
    return f'policy p "P" {{\n    from {groups}\n    allow a "A" {{\n        to    a.example.com\n        ports 443/https\n    }}\n}}\n'


def inventory(networks, more=""):
    return f"groups:\n  g:\n    networks: {networks}\n{more}"


@pytest.mark.parametrize("networks", ["[10.0.0.1]", '["2001:db8::1"]', '[10.0.0.1, "2001:db8::1"]', "[10.0.0.1/32]"])
def test_one_host(networks):
    (found,) = findings(policy("g"), RULE, inventory(networks))
    assert (found.span.source.name, found.span.line, found.span.text) == ("inventory.yaml", 2, "g")
    assert found.message == "the group `g` has a single address (single-connector)"
    assert [(each.span.source.name, each.span.line) for each in found.related] == [("policy.egress", 2)]


@pytest.mark.parametrize(
    "networks", ["[10.0.0.1, 10.0.0.2]", "[10.0.0.0/31]", '["2001:db8::/64"]', "[10.0.0.1-10.0.0.9]"]
)
def test_more_hosts(networks):
    assert told(policy("g"), RULE, inventory(networks)) == []


def test_only_groups_that_rules_name():
    other = "  other: {networks: [10.0.1.0/24]}\n"
    assert told(policy("other"), RULE, inventory("[10.0.0.1]", other)) == []
    assert told(policy("any-group"), RULE, inventory("[10.0.0.1]")) == []


def test_a_union_counts_with_its_members():
    more = "  h: {networks: [10.0.1.1]}\n  both: {members: [g, h]}\n  one: {members: [g]}\n"
    assert told(policy("both"), RULE, inventory("[10.0.0.1]", more)) == []
    assert [word for _, word, _ in told(policy("both one"), RULE, inventory("[10.0.0.1]", more))] == ["one"]


def test_what_is_not_known_is_not_counted():
    assert told(policy("g"), RULE, "groups:\n  g: {objects: {paloalto: AG}}\n") == []
    assert told(policy("g"), RULE, "groups:\n  g: {description: unbound}\n") == []
    assert told(policy("g"), RULE) == []
    union = inventory("[10.0.0.1]", "  h: {objects: {paloalto: AG}}\n  both: {members: [g, h]}\n")
    assert told(policy("both"), RULE, union) == []


@pytest.mark.parametrize(
    ("comment", "allowed"),
    [
        ('# egressc: allow single-connector "a test site"', True),
        ('# EGRESSC: Allow single-connector  "a test site"', True),
        ("# egressc: allow single-connector", False),
        ('# egressc: allow single-connector ""', False),
        ('# egressc: allow missing-owner "a test site"', False),
        ("# a test site", False),
    ],
)
def test_it_is_allowed_in_the_inventory(comment, allowed):
    expected = 0 if allowed else 1
    before = inventory("[10.0.0.1]").replace("  g:", f"  {comment}\n  g:")
    assert len(told(policy("g"), RULE, before)) == expected
    behind = inventory("[10.0.0.1]").replace("  g:", f"  g: {comment}")
    assert len(told(policy("g"), RULE, behind)) == expected
    elsewhere = inventory("[10.0.0.1]", f"  h: {comment}\n    networks: [10.0.1.1]\n")
    assert len(told(policy("g"), RULE, elsewhere)) == 1


def test_a_comment_at_the_group_before_is_not_about_this_one():
    text = 'groups:\n  h: {networks: [10.0.1.1]} # egressc: allow single-connector "a test site"\n  g: {networks: [10.0.0.1]}\n'
    assert [word for _, word, _ in told(policy("g h"), RULE, text)] == ["g"]


def test_what_is_only_denied_connects_nothing():
    single = inventory("[10.0.0.1]")
    assert len(told(policy("g"), RULE, single)) == 1
    assert told(policy("g").replace("allow ", "deny "), RULE, single) == []
