"""`idle-deny`: denies that meet no allow."""

from __future__ import annotations

import pytest
from lint_support import findings, told

RULE = "idle-deny"
INVENTORY = """\
groups:
  g: {networks: [10.0.0.1]}
  h: {networks: [10.0.0.2]}
"""


def policy(*rules, head="from g"):
    return (
        f'service-account s "S" {{ linux-user 5 }}\npolicy p "P" {{\n    {head}\n'
        + "".join(f"    {rule}\n" for rule in rules)
        + "}\n"
    )


ALLOW = 'allow a "A" { to *.example.com ports 443/https as s }'


def test_a_deny_that_meets_no_allow():
    text = policy(ALLOW, 'deny d "D" { to x.example.net ports 443/https }')
    assert told(text, RULE, INVENTORY) == [(5, "d", "no allow meets `p/d`: what it denies is denied anyway")]
    (found,) = findings(text, RULE, INVENTORY)
    assert (found.level, found.label, found.related) == ("note", "changes nothing today", ())


@pytest.mark.parametrize(
    ("deny", "by"),
    [
        ('deny d "D" { to x.example.com ports 444/https }', "its ports"),
        ('deny d "D" { to x.example.com ports 443/https from h }', "its groups"),
        ('service-account t "T" { linux-user 6 }', "its accounts"),
    ],
)
def test_it_says_what_it_misses(deny, by):
    if by == "its accounts":
        text = deny + "\n" + policy(ALLOW, 'deny d "D" { to x.example.com ports 443/https as t }')
    else:
        text = policy(ALLOW, deny)
    (found,) = findings(text, RULE, INVENTORY)
    assert found.label == f"misses `p/a` by {by}"
    assert [related.span.text for related in found.related] == ["a"]


@pytest.mark.parametrize(
    "deny",
    [
        'deny d "D" { to x.example.com ports 443/https }',
        'deny d "D" { to 10.0.0.0/8 ports any/tcp }',
        'deny d "D" { to x.example.net ports 443/https from any-group }',
    ],
)
def test_near_cases(deny):
    assert told(policy(ALLOW, deny), RULE, INVENTORY) == []


def test_a_policy_of_denies_is_a_guard_rail():
    rails = 'policy rails "R" { from h deny d "D" { to x.example.net ports 443/https } }\n'
    assert told(policy(ALLOW) + rails, RULE, INVENTORY) == []
    with_allow = rails.replace("deny d", 'allow b "B" { to y.example.net ports 443/https }\n deny d')
    assert len(told(policy(ALLOW) + with_allow, RULE, INVENTORY)) == 1


def test_the_apex_is_not_below_its_wildcard():
    text = policy(ALLOW, 'deny d "D" { to example.com ports 443/https }')
    assert len(told(text, RULE, INVENTORY)) == 1


def test_an_allow_that_waits_for_a_parameter_may_be_what_it_is_for():
    text = 'parameter p "P"\n' + policy(
        'allow a "A" { to ${p}.example.net ports 443/https }', 'deny d "D" { to x.example.net ports 443/https }'
    )
    assert told(text, RULE) == []


def test_an_allow_that_is_switched_off_today_counts():
    off = 'allow a "A" { to *.example.com ports 443/https feature maintenance }'
    deny = 'deny d "D" { to x.example.com ports 443/https }'
    other = 'allow b "B" { to y.example.net ports 443/https }'
    assert told(policy(off, other, deny), RULE, INVENTORY) == []
    assert len(told(policy(off.replace("443", "444"), other, deny), RULE, INVENTORY)) == 1
    assert len(told(policy(off, other, deny.replace("443/https", "443/https from h")), RULE, INVENTORY)) == 1
    assert len(told(policy(off.replace("allow", "deny"), other, deny), RULE, INVENTORY)) == 1


def test_an_allow_that_is_switched_on_for_one_group_counts_for_its_others():
    inventory = INVENTORY.replace("[10.0.0.1]}", "[10.0.0.1], features: [f]}")
    some = policy(
        'allow a "A" { to *.example.com ports 443/https feature f }',
        'deny d "D" { to x.example.com ports 443/https from h }',
        head="from g h",
    )
    assert told(some, RULE, inventory) == []
    assert len(told(some.replace("from g h", "from g"), RULE, inventory)) == 1


def test_a_deny_that_waits_for_a_parameter_keeps_no_other_from_being_told():
    text = 'parameter p "P"\n' + policy(
        ALLOW,
        'deny d "D" { to x.example.net ports 443/https }',
        'deny e "E" { to ${p}.example.net ports 443/https }',
    )
    assert [name for _, name, _ in told(text, RULE)] == ["d"]


def test_without_any_allow_denies_are_guard_rails():
    template = 'template policy t "T" { deny d "D" { to x.example.net ports 443/https } }\n'
    plain = 'deny e "E" { to y.example.net ports 443/https }'
    assert told(template + policy("include t", plain), RULE, INVENTORY) == []
    assert len(told(template + policy("include t", plain, ALLOW), RULE, INVENTORY)) == 1


def test_a_policy_that_includes_allows_is_no_policy_of_denies():
    template = 'template policy t "T" { allow a "A" { to x.example.com ports 443/https } }\n'
    text = template + policy("include t", 'deny d "D" { to x.example.net ports 443/https }')
    assert [name for _, name, _ in told(text, RULE, INVENTORY)] == ["d"]
