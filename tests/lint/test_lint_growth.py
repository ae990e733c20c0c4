"""What the rules about hosts, dates and definitions cost: near-linear in the rules of a policy."""

from __future__ import annotations

import random
from functools import cache

import pytest
from growth import assert_near_linear
from lint_support import subject

from egressc.lint.registry import load_rule

WORDS = ("registration", "enterprise", "management", "certificates", "telemetry", "storage", "backup")
RULES = ("public-suffix-wildcard", "plain-http", "revocation-over-tls", "look-alike-host")


def policy(size):
    """Rules of a policy, of which each fourth names a set; sets name other sets."""
    chance = random.Random(7)
    lines = []
    for number in range(size // 10):
        hosts = [f"{chance.choice(WORDS)}{n}.{chance.choice(WORDS)}{number}.com" for n in range(8)]
        inner = [f"s{number - 1}"] if number % 5 else []
        lines.append(f"endpoints s{number} {{ {' '.join([*hosts, *inner])} }}")
    for number in range(size):
        word = chance.choice(WORDS)
        to = (f"s{number // 10}", f"{word}{number}.com", f"*.{word}.b{number}.com", "*.github.io except *.x.github.io")
        if number % 100 == 0:
            lines.append(f'{"}" if number else ""} policy p{number} "P" {{ from g')
        lines.append(f'allow r{number} "R" {{ to {to[number % 4]} ports 443/https 80/http }}')
    return "\n".join([*lines, "}"])


@cache
def ready(size):
    """What is linted, with everything made that the rules share."""
    what = subject(policy(size))
    assert what.scopes
    assert what.written
    return what


@pytest.mark.parametrize("name", RULES)
def test_near_linear(name):
    rule = load_rule(name)
    assert_near_linear(lambda size: lambda: list(rule.check(ready(size))), 500, 4_000)


def at_one_place(place, size):
    """Rules for one place that differ in their ports, and denies on the ports of some of them."""
    lines = [f'allow r{number} "R" {{ to {place} ports {number + 1000}/tcp }}' for number in range(size)]
    lines += [f'deny d{number} "D" {{ to *.example.com ports {number + 1000}/tcp }}' for number in range(0, size, 2)]
    return "\n".join(['policy p "P" { from g', *lines, "}"])


@cache
def ready_at(place, size):
    what = subject(at_one_place(place, size))
    assert what.bound
    return what


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("redundant-rule", "a.example.com"),
        ("redundant-rule", "*.example.com"),
        ("redundant-rule", "192.0.2.1"),
        ("redundant-rule", "any-address"),
        ("shadowed-rule", "any-address"),
        ("overlapping-deny", "a.example.com"),
        ("idle-deny", "192.0.2.1"),
    ],
)
def test_near_linear_where_thousands_of_rules_for_one_place_differ_in_their_ports(name, place):
    rule = load_rule(name)
    assert_near_linear(lambda size: lambda: list(rule.check(ready_at(place, size))), 500, 4_000)
