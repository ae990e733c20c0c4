"""Endpoint sets: flattening, fallbacks, circles."""

from __future__ import annotations

import pytest
from resolve_support import codes_of, resolve_texts, rules_of


def rule(sets, to):
    return f'parameter region\n{sets}\npolicy p "d" {{ from g allow r "d" {{ to {to} ports 443 80 }} }}'


def test_every_form_of_endpoint(tmp_path):
    found = rules_of(
        tmp_path,
        rule(
            "endpoints x { LOGIN.windows.net *.msappproxy.net autodiscover.*.onmicrosoft.com www.microsoft.com/pkiops "
            "10.0.0.0/8 2001:db8::1 10.0.0.1-10.0.0.9 any-address service-tag AzureMonitor bücher.example host.com/ "
            "san-${region}.azurewebsites.net }",
            "x",
        ),
    )
    # Hosts by their labels from the right, templates, addresses, any-address, tags.
    assert found["p/r"]["to"] == [
        "host.com", "www.microsoft.com/pkiops", "autodiscover.*.onmicrosoft.com", "xn--bcher-kva.example",
        "*.msappproxy.net", "login.windows.net", "san-${region}.azurewebsites.net",
        "10.0.0.0/8", "10.0.0.1-10.0.0.9", "2001:db8::1", "any-address", "service-tag AzureMonitor",
    ]  # fmt: skip


def test_sets_in_sets_are_flattened_and_each_endpoint_counts_once(tmp_path):
    sets = (
        "endpoints a { b c x.example.com } endpoints b { c y.example.com } endpoints c { z.example.com x.example.com }"
    )
    assert rules_of(tmp_path, rule(sets, "a b"))["p/r"]["to"] == ["x.example.com", "y.example.com", "z.example.com"]


NAMES = "n.example.com"


@pytest.mark.parametrize(
    ("sets", "to", "expected"),
    [
        (
            f"endpoints a {{ {NAMES} fallback {{ 10.0.0.0/8 service-tag Sql }} }}",
            "a",
            ["10.0.0.0/8", "service-tag Sql"],
        ),
        (f"endpoints a {{ {NAMES} }}", "a", None),
        # One set that lacks it, and names outside of a set, leave the rule without any.
        (f"endpoints a {{ {NAMES} fallback {{ 10.0.0.0/8 }} }} endpoints b {{ m.example.com }}", "a b", None),
        (f"endpoints a {{ {NAMES} fallback {{ 10.0.0.0/8 }} }}", "a m.example.com", None),
        (f"endpoints a {{ {NAMES} fallback {{ 10.0.0.0/8 }} }}", "a ${region}.example.com", None),
        # Addresses need none.
        (f"endpoints a {{ {NAMES} fallback {{ 10.0.0.0/8 }} }}", "a 192.0.2.1 service-tag Sql", ["10.0.0.0/8"]),
        (f"endpoints a {{ {NAMES} fallback {{ 10.0.0.0/8 }} }} endpoints b {{ 192.0.2.1 }}", "a b", ["10.0.0.0/8"]),
        ("endpoints b { 192.0.2.1 }", "b", None),
        # A fallback is for a set's own names, not for those of the sets that it names.
        (
            f"endpoints a {{ b {NAMES} fallback {{ 10.0.0.0/8 }} }} endpoints b {{ m.example.com }}",
            "a",
            None,
        ),
        (
            f"endpoints a {{ b {NAMES} fallback {{ 10.0.0.0/8 }} }} endpoints b {{ {NAMES} fallback {{ 10.1.0.0/16 }} }}",
            "a",
            ["10.0.0.0/8", "10.1.0.0/16"],
        ),
        # A set that only names others has no names of its own, and needs no fallback.
        (f"endpoints a {{ b }} endpoints b {{ {NAMES} fallback {{ 10.1.0.0/16 }} }}", "a", ["10.1.0.0/16"]),
        ("endpoints a { ${region}.example.com fallback { any-address } }", "a", ["any-address"]),
        # What is excepted needs none either.
        ("endpoints a { *.example.com fallback { 10.0.0.0/8 } }", f"a except {NAMES}", ["10.0.0.0/8"]),
    ],
)
def test_fallback_of_a_rule(tmp_path, sets, to, expected):
    assert rules_of(tmp_path, rule(sets, to))["p/r"]["fallback"] == expected


def test_fallback_of_a_set_without_names_of_its_own_is_a_warning(tmp_path):
    sets = f"endpoints a {{ b fallback {{ 10.0.0.0/8 }} }} endpoints b {{ {NAMES} }}"
    policy, (found,) = resolve_texts(tmp_path, rule(sets, "a"))
    assert (found.code, found.span.text) == ("W0244", "fallback")
    assert policy.rules[0].to.fallback is None


def test_circle_shows_its_chain_and_is_reported_once(tmp_path):
    sets = "endpoints a { b } endpoints b { c n.example.com } endpoints c { a } endpoints d { a b c }"
    _, (found,) = resolve_texts(tmp_path, rule(sets, "a b c d"))
    assert found.code == "E0216"
    assert found.message == "endpoint sets name each other: `a` → `b` → `c` → `a`"
    assert [related.span.text for related in found.related] == ["a", "b", "c"]


def test_two_circles_are_two_errors(tmp_path):
    sets = "endpoints a { b } endpoints b { a c } endpoints c { c }"
    assert codes_of(tmp_path, rule(sets, "a")) == ["E0216", "E0216"]


def test_chain_of_sets_longer_than_the_stack(tmp_path):
    sets = "\n".join(f"endpoints s{i} {{ s{i + 1} }}" for i in range(2000)) + "\nendpoints s2000 { n.example.com }"
    assert rules_of(tmp_path, rule(sets, "s0"))["p/r"]["to"] == ["n.example.com"]


def test_sets_of_two_files_with_one_name_do_not_meet(tmp_path):
    found = rules_of(
        tmp_path,
        'import "b.egress"\nendpoints x { own.example.com }\n'
        'policy p "d" { from g allow r "d" { to x theirs ports 443 } include t }',
        b='import "c.egress"\nendpoints theirs { x }\ntemplate policy t "d" { allow r "d" { to x ports 443 } }',
        c="endpoints x { their.example.com }",
    )
    assert found["p/r"]["to"] == ["own.example.com", "their.example.com"]
    assert found["p/t/r"]["to"] == ["their.example.com"]
