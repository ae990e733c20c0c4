"""`redundant-rule`: allows whose flows other allows let through."""

from __future__ import annotations

import pytest
from lint_support import findings, told

RULE = "redundant-rule"
INVENTORY = """\
groups:
  g: {networks: [10.0.0.1], features: [f]}
  h: {networks: [10.0.0.2], features: [f]}
"""


def policy(*rules, head="from g h"):
    return f'policy p "P" {{\n    {head}\n' + "".join(f"    {rule}\n" for rule in rules) + "}\n"


def allow(name, to, ports="443/https", more=""):
    return f'allow {name} "R" {{ to {to} ports {ports} {more} }}'


def test_a_host_below_a_wildcard():
    text = policy(allow("a", "x.example.com"), allow("b", "*.example.com"))
    assert told(text, RULE, INVENTORY) == [(3, "a", "every flow of `p/a` is allowed by `p/b` too")]
    (found,) = findings(text, RULE, INVENTORY)
    assert [(related.span.text, related.text) for related in found.related] == [("b", "allows its flows too")]


def test_a_union_of_ports_groups_and_addresses():
    text = policy(
        allow("a", "10.0.0.0/24", "1-100/tcp"),
        allow("b", "10.0.0.0/25", "1-60/tcp 200/tcp"),
        allow("c", "10.0.0.0/24", "50-101/tcp", "from g"),
        allow("d", "10.0.0.0/24", "50-101/tcp", "from h"),
        allow("e", "10.0.0.128-10.0.1.255", "1-49/tcp"),
        allow("elsewhere", "10.0.9.0/24", "1-100/tcp"),
    )
    assert told(text, RULE, INVENTORY) == [
        (3, "a", "every flow of `p/a` is allowed by `p/b`, `p/c`, `p/d` and 1 more together too")
    ]


def test_a_union_that_lacks_one_port():
    text = policy(
        allow("a", "10.0.0.0/24", "1-100/tcp"),
        allow("b", "10.0.0.0/8", "1-49/tcp"),
        allow("c", "10.0.0.0/8", "51-100/tcp"),
    )
    assert told(text, RULE, INVENTORY) == []


@pytest.mark.parametrize(
    "by",
    [
        allow("b", "*.example.com", "444/https"),
        allow("b", "*.x.example.com"),
        allow("b", "*.example.com except x.example.com"),
        allow("b", "*.example.com", more="from g"),
        allow("b", "*.example.com", more="feature f"),
        allow("b", "*.example.com", more="expires 2027-01-01"),
        allow("b", "*.example.com", more="no-tls-inspection"),
        allow("b", "*.example.com", more="tls-inspection"),
        allow("b", "*.example.com", "443/tcp"),
        allow("b", "0.0.0.0/0"),
    ],
)
def test_near_cases(by):
    assert told(policy(allow("a", "x.example.com"), by), RULE, INVENTORY) == []


@pytest.mark.parametrize(
    ("mine", "other", "is_told"),
    [
        ("log", "log", True),
        ("log", "", False),
        ("log", "log off", False),
        ("", "log off", True),
        ("log off", "log", True),
        ("feature f", "feature f", True),
        ("feature f", "", True),
        ("expires 2027-01-01", "expires 2027-01-01", True),
        ("expires 2027-01-01", "expires 2026-12-31", False),
    ],
)
def test_the_other_must_be_as_good(mine, other, is_told):
    text = policy(allow("a", "x.example.com", more=mine), allow("b", "*.example.com", more=other))
    assert [name for _, name, _ in told(text, RULE, INVENTORY)] == (["a"] if is_told else [])


def test_what_is_denied_needs_no_cover():
    text = policy(
        allow("a", "x.example.com y.example.com"),
        allow("b", "x.example.com", more="log"),
        'deny d "D" { to y.example.com ports 443/https }',
    )
    assert [place for place, *_ in told(text, RULE, INVENTORY)] == [3]
    assert told(text.replace("443/https }\n}", "443/https feature f }\n}"), RULE, INVENTORY) == []


def test_an_allow_that_denies_hide_is_another_finding():
    deny = 'deny d "D" { to x.example.com ports 443/https }'
    assert told(policy(allow("a", "x.example.com"), deny), RULE, INVENTORY) == []
    assert told(policy(allow("a", "x.example.com"), allow("b", "*.example.com"), deny), RULE, INVENTORY) == []


def test_of_equal_rules_the_first_stays():
    text = policy(*(allow(name, "x.example.com") for name in "abc"))
    assert [(name, message) for _, name, message in told(text, RULE, INVENTORY)] == [
        ("b", "every flow of `p/b` is allowed by `p/a` too"),
        ("c", "every flow of `p/c` is allowed by `p/a` too"),
    ]


def test_rules_of_which_any_two_hold_the_third():
    text = policy(
        allow("a", "a.example.com b.example.com"),
        allow("b", "b.example.com c.example.com"),
        allow("c", "c.example.com a.example.com"),
    )
    assert told(text, RULE, INVENTORY) == [(5, "c", "every flow of `p/c` is allowed by `p/a` and `p/b` together too")]


def test_addresses_are_recognised_in_every_way():
    text = policy(allow("a", "10.0.0.0/24"), allow("b", "10.0.0.0/8", "any/tcp"))
    assert [name for _, name, _ in told(text, RULE, INVENTORY)] == ["a"]


def test_any_address_holds_names_only_as_they_are_recognised():
    text = policy(allow("a", "x.example.com"), allow("b", "any-address"))
    assert [name for _, name, _ in told(text, RULE, INVENTORY)] == ["a"]


def test_the_same_inspection_on_both():
    text = policy(
        allow("a", "x.example.com", more="tls-inspection"), allow("b", "*.example.com", more="tls-inspection")
    )
    assert [name for _, name, _ in told(text, RULE, INVENTORY)] == ["a"]


def test_inspection_concerns_tls_only():
    text = policy(
        allow("a", "x.example.com", "443/https 80/http", "no-tls-inspection"),
        allow("b", "*.example.com", "443/https", "no-tls-inspection"),
        allow("c", "*.example.com", "80/http"),
    )
    assert [name for _, name, _ in told(text, RULE, INVENTORY)] == ["a"]


def test_a_template_does_without_what_others_allow():
    template = 'template policy t "T" {\n' + allow("a", "x.example.com") + "\n}\n"
    text = template + 'policy p "P" { from g include t ' + allow("b", "*.example.com") + " }\n"
    assert told(text, RULE, INVENTORY) == []
    own = template.replace("\n}", "\n" + allow("c", "x.example.com") + "\n}")
    assert [name for _, name, _ in told(own + 'policy p "P" { from g include t }', RULE, INVENTORY)] == ["c"]


def test_a_rule_beside_a_template_that_holds_it():
    template = 'template policy t "T" {\n' + allow("a", "x.example.com") + "\n}\n"
    text = template + 'policy p "P" { from g include t ' + allow("b", "x.example.com") + " }\n"
    assert [name for _, name, _ in told(text, RULE, INVENTORY)] == ["b"]


def test_policies_of_other_owners_do_without_each_other():
    one = policy(allow("a", "x.example.com"), head='owner "a@example.com" from g')
    other = policy(allow("b", "x.example.com"), head='owner "b@example.com" from g').replace("policy p", "policy q")
    assert told(one + other, RULE, INVENTORY) == []
    assert [name for _, name, _ in told(one + other.replace("b@", "a@"), RULE, INVENTORY)] == ["b"]


def test_what_waits_for_a_parameter_is_not_judged():
    text = 'parameter p "P"\n' + policy(allow("a", "x.example.com ${p}.example.net"), allow("b", "x.example.com"))
    assert [name for _, name, _ in told(text, RULE)] == []


def test_a_fallback_of_its_own_is_something():
    sets = (
        "endpoints s { x.example.com fallback { 10.0.0.0/8 } }\nendpoints t { x.example.com fallback { 10.0.0.0/9 } }\n"
    )
    assert told(sets + policy(allow("a", "s"), allow("b", "x.example.com")), RULE, INVENTORY)[0][1] == "b"
    assert told(sets + policy(allow("a", "s"), allow("b", "*.example.com")), RULE, INVENTORY) == []
    assert told(sets + policy(allow("a", "s"), allow("b", "t")), RULE, INVENTORY) == []
    assert [name for _, name, _ in told(sets + policy(allow("a", "s"), allow("b", "s")), RULE, INVENTORY)] == ["b"]


MANY = [f"m{n}" for n in range(6)]
ACCOUNTS = "".join(f"service-account {name} {{ linux-user {n + 1} }}\n" for n, name in enumerate(MANY))


@pytest.mark.parametrize("word", ["from", "as"])
def test_many_groups_and_accounts_on_either_side(word):
    whole = f"{word} {' '.join(MANY)}"

    def found(*rules):
        head = "" if word == "from" else "from g"
        return [name for _, name, _ in told(ACCOUNTS + policy(*rules, head=head), RULE)]

    each = [allow(name, f"x.example.com {name}.example.net", more=f"{word} {name}") for name in MANY]
    assert found(allow("a", "x.example.com", more=whole), *each) == ["a"]
    assert found(allow("a", "x.example.com", more=whole), *each[1:]) == []
    assert found(allow("a", "x.example.com", more=f"{word} m3"), allow("b", "*.example.com", more=whole)) == ["a"]
    assert (
        found(allow("a", "x.example.com", more=f"{word} m3"), allow("b", "*.example.com", more=whole.replace("m3", "")))
        == []
    )
    assert found(allow("a", "x.example.com", more=whole), allow("b", "*.example.com", more=whole)) == ["a"]
    some = f"{word} m1 m2"
    assert found(allow("a", "x.example.com", more=some), each[1], each[2]) == ["a"]
    assert found(allow("a", "x.example.com", more=some), each[1], each[3]) == []


def test_any_account_is_held_by_any_account_only():
    text = ACCOUNTS + policy(
        allow("a", "x.example.com"), *(allow(name, "*.example.com", more=f"as {name}") for name in MANY)
    )
    assert told(text, RULE, INVENTORY) == []
    text = ACCOUNTS + policy(allow("a", "x.example.com", more=f"as {' '.join(MANY)}"), allow("b", "*.example.com"))
    assert [name for _, name, _ in told(text, RULE, INVENTORY)] == ["a"]


def test_only_rules_that_are_needed_are_named():
    text = policy(
        allow("a", "10.0.0.0/24", "1-100/tcp"),
        allow("b", "10.0.0.0/8", "1-60/tcp"),
        allow("c", "10.0.0.0/8", "61-100/tcp"),
        allow("d", "8.0.0.0/6", "50-70/tcp"),
        allow("e", "10.0.0.0/8", "101/tcp"),
    )
    assert told(text, RULE, INVENTORY) == [(3, "a", "every flow of `p/a` is allowed by `p/b` and `p/c` together too")]


def test_of_a_wide_rule_and_its_parts_the_wide_one_stays():
    parts = [allow(name, net, "any/tcp") for name, net in (("b", "10.0.0.0/9"), ("c", "10.128.0.0/9"))]
    for rules in ([*parts, allow("a", "10.0.0.0/8", "any/tcp")], [allow("a", "10.0.0.0/8", "any/tcp"), *parts]):
        assert {name for _, name, _ in told(policy(*rules), RULE, INVENTORY)} == {"b", "c"}
