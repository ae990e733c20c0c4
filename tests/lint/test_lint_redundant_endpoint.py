"""`redundant-endpoint`: entries of a list that other entries of the same list hold."""

from __future__ import annotations

import pytest
from lint_support import findings, subject, told

from egressc.lint.driver import lint

RULE = "redundant-endpoint"


def policy(to, ports="443/https", head=""):
    return (
        f'{head}policy p "P" {{\n    from g\n    allow a "A" {{\n        to {to}\n        ports {ports}\n    }}\n}}\n'
    )


def words(to, **more):
    return [(text, message) for _, text, message in told(policy(to, **more), RULE)]


@pytest.mark.parametrize(
    ("to", "entry", "by"),
    [
        ("*.example.com a.example.com", "a.example.com", "`*.example.com`"),
        ("a.example.com *.example.com", "a.example.com", "`*.example.com`"),
        ("*.example.com *.b.example.com", "*.b.example.com", "`*.example.com`"),
        ("*.example.com c*.example.com", "c*.example.com", "`*.example.com`"),
        ("a.example.com/x a.example.com", "a.example.com/x", "`a.example.com`"),
        ("a.example.com/x a.example.com/x/y", "a.example.com/x/y", "`a.example.com/x`"),
        ("10.0.0.0/8 10.1.0.0/16", "10.1.0.0/16", "`10.0.0.0/8`"),
        ("10.0.0.0/9 10.128.0.0/9 10.127.0.0-10.128.0.5", "10.127.0.0-10.128.0.5", "`10.0.0.0/9`, `10.128.0.0/9`"),
        ("any-address a.example.com", "a.example.com", "`any-address`"),
        ("any-address service-tag AzureCloud", "service-tag AzureCloud", "`any-address`"),
        ("10.0.0.0/8 *.example.com except *.x.example.com a.x.example.com", "a.x.example.com", "`*.x.example.com`"),
    ],
)
def test_an_entry_that_others_hold(to, entry, by):
    assert words(to) == [(entry, f"`{entry}` is held by {by} in the same list")]


@pytest.mark.parametrize(
    "to",
    [
        "*.example.com example.com",
        "a.example.com b.example.com",
        "*.example.com a.example.net",
        "a.example.com/x a.example.com/y",
        "10.0.0.0/9 10.127.0.0-10.128.0.5",
        "10.0.0.0/8 a.example.com",
        "service-tag AzureCloud service-tag Storage",
        "service-tag AzureCloud 10.0.0.0/8",
        "*.example.com except a.example.com",
        "a*.example.com *b.example.com",
        "a*.example.com aa.b.example.com",
    ],
)
def test_near_cases(to):
    assert words(to) == []


def test_the_same_twice_is_told_once_and_elsewhere():
    assert words("a.example.com A.example.com *.example.net") == []
    assert [text for text, _ in words("a.example.com A.example.com *.example.com")] == ["a.example.com"]


SETS = """\
endpoints vendor "V" {
    a.example.com
    b.example.com
}
endpoints more "M" {
    vendor
    c.example.com
}
"""


def test_a_host_of_a_set_that_stands_beside_it():
    (found,) = findings(policy("vendor b.example.com c.example.com", head=SETS), RULE)
    assert found.message == "`b.example.com` is held by `vendor` in the same list (redundant-endpoint)"
    assert [related.span.text for related in found.related] == ["vendor"]


def test_a_set_in_another():
    assert words("vendor more", head=SETS) == [("vendor", "`vendor` is held by `more` in the same list")]


def test_a_set_of_what_stands_beside_it_stays():
    assert [text for text, _ in words("a.example.com vendor b.example.com", head=SETS)] == [
        "a.example.com",
        "b.example.com",
    ]


def test_entries_of_sets_and_fallbacks():
    text = """\
endpoints s "S" {
    *.example.com
    a.example.com
    fallback {
        10.0.0.0/8
        10.0.0.1
    }
}
""" + policy("s")
    assert [(line, word) for line, word, _ in told(text, RULE)] == [(3, "a.example.com"), (6, "10.0.0.1")]


def test_hosts_that_wait_for_parameters():
    head = 'parameter q "Q"\nendpoints s "S" { ${q}.example.com }\n'
    assert [text for text, _ in words("s ${q}.example.com", head=head)] == ["${q}.example.com"]
    assert words("x.example.com ${q}.example.com", head=head) == []
    assert [text for text, _ in words("any-address ${q}.example.com", head=head)] == ["${q}.example.com"]


def test_of_three_in_a_circle_one_is_told():
    to = "10.0.0.0-10.0.0.9 10.0.0.5-10.0.0.15 10.0.0.10-10.0.0.20 10.0.0.0-10.0.0.4"
    gone = [text for text, _ in words(to)]
    assert gone == ["10.0.0.5-10.0.0.15", "10.0.0.0-10.0.0.4"]


FALLBACKS = """\
endpoints with "W" { a.example.com b.example.com fallback { 10.0.0.0/8 } }
endpoints without "O" { a.example.com }
"""


@pytest.mark.parametrize(
    ("to", "gone"),
    [
        # Without the host the fallback of the set would stand in.
        ("with a.example.com", []),
        ("with without", []),
        ("with a.example.com 192.0.2.1 192.0.2.0/24", ["192.0.2.1"]),
        # Another host keeps it out, or there is none.
        ("with a.example.com c.example.com", ["a.example.com"]),
        ("without a.example.com", ["a.example.com"]),
        ("with without c.example.com", ["without"]),
        # No names of its own: nothing changes.
        ("with 192.0.2.1 192.0.2.0/24", ["192.0.2.1"]),
    ],
)
def test_a_host_that_keeps_a_fallback_out_is_needed(to, gone):
    assert [text for text, _ in words(to, head=FALLBACKS)] == gone


def test_a_set_whose_own_fallback_would_stand_in_for_nothing():
    head = FALLBACKS + 'endpoints all "A" { with a.example.com fallback { 192.0.2.1 } }\n'
    assert words("all", head=head) == []


def test_a_host_with_parameters_beside_any_address_has_no_fix():
    head = 'parameter q "Q"\nendpoints s "S" { ${q}.example.com }\n'
    (found,) = lint(subject(policy("any-address ${q}.example.com", head=head)), [RULE])
    assert found.finding.fix == ()
    (found,) = lint(subject(policy("s ${q}.example.com x.example.net", head=head)), [RULE])
    assert len(found.finding.fix) == 1


def test_what_can_go_only_together_with_a_set_has_no_fix():
    found = lint(subject(policy("with any-address a.example.com", head=FALLBACKS)), [RULE])
    assert [(each.finding.span.text, each.finding.fix) for each in found] == [("with", ()), ("a.example.com", ())]


@pytest.mark.parametrize("to", ["10.0.0.0/9 10.128.0.0/9 10.0.0.0/8", "10.0.0.0/8 10.0.0.0/9 10.128.0.0/9"])
def test_of_a_network_and_its_parts_the_network_stays(to):
    assert [text for text, _ in words(to)] == ["10.0.0.0/9", "10.128.0.0/9"]


def test_of_many_that_hold_it_three_are_named():
    head = "".join(f"endpoints s{n} {{ 10.0.{n}.0/24 192.0.2.{n} }}\n" for n in range(4))
    by = "`s0`, `s1`, `s2`"
    assert words("s0 s1 s2 10.0.0.5-10.0.2.5", head=head) == [
        ("10.0.0.5-10.0.2.5", f"`10.0.0.5-10.0.2.5` is held by {by} in the same list")
    ]
    assert words("s0 s1 s2 s3 10.0.0.5-10.0.3.5", head=head) == [
        ("10.0.0.5-10.0.3.5", f"`10.0.0.5-10.0.3.5` is held by {by} and 1 more in the same list")
    ]


def test_a_plain_host_beside_any_address_has_a_fix():
    (found,) = lint(subject(policy("any-address a.example.com")), [RULE])
    assert len(found.finding.fix) == 1
