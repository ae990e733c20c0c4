"""The hosts that two patterns share, as patterns: by example, and against every short name."""

from __future__ import annotations

from itertools import product

import pytest

from egressc.host_syntax import host_pattern
from egressc.hosts import HostPattern, matches
from egressc.hosts_common import common


def pattern(text):
    found = host_pattern(text)
    assert isinstance(found, HostPattern), found
    return found


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("a.example.net", "b.example.net", ""),
        ("a.example.net", "*.example.net", "a.example.net"),
        ("example.net", "*.example.net", ""),
        ("*.example.net", "*.media.example.net", "*.media.example.net"),
        ("a*.example.net", "*.example.net", "a*.example.net"),
        ("a*.example.net", "*b.example.net", "a*b.example.net"),
        # `abc` begins with `ab` and ends with `bc`, though it has no room for both side by side.
        ("ab*.example.net", "*bc.example.net", "ab*bc.example.net abc.example.net"),
        ("ab*.example.net", "ac*.example.net", ""),
        ("a*.*.example.net", "*.b.example.net", "a*.b.example.net"),
        ("autodiscover.*.example.net", "*.b*.example.net", "autodiscover.b*.example.net"),
        # A `*.` stands for one label or more, so the longer pattern may be deeper still.
        ("*.a*.example.net", "*.*b.c.example.net", ""),
        ("*.a*.c.example.net", "*.c.example.net", "*.a*.c.example.net"),
        ("*.a*.example.net", "*.*b.example.net", "*.a*b.example.net"),
    ],
)
def test_what_two_patterns_share(one, other, both):
    wanted = {pattern(text) for text in both.split()}
    assert set(common(pattern(one), pattern(other))) == wanted
    assert set(common(pattern(other), pattern(one))) == wanted


def test_what_no_pattern_says_is_not_guessed():
    # With two stars in each, the pieces between them may come in either order, or overlap.
    assert common(pattern("*a*-1.example.net"), pattern("b*c*1.example.net")) is None


GLOBS = ("a", "ab", "a*", "*b", "ab*", "*ba", "a*b", "aba*", "*aba", "aa*a", "a*aa", "*a*", "*", "-a*")
LABELS = tuple("".join(word) for size in (1, 2, 3, 4) for word in product("ab", repeat=size))
PATTERNS = [
    HostPattern((*labels, "x", "test"), deep)
    for labels in (*((g,) for g in GLOBS), ("a*", "*b"), ("ab", "*"), ("*ba", "a"), ())
    for deep in (False, True)
    if not (labels and labels[0] == "*" and not deep)
]
HOSTS = [f"{one}.x.test" for one in LABELS] + [f"{one}.{other}.x.test" for one, other in product(LABELS[:14], repeat=2)]
HOSTS += [".".join((*labels, "x", "test")) for labels in product(LABELS[:6], repeat=3)]


def test_against_every_short_name():
    said = 0
    for one, other in product(PATTERNS, repeat=2):
        both = common(one, other)
        if both is None:
            assert "*a*" in one.labels + other.labels
            continue
        said += bool(both)
        for host in HOSTS:
            wanted = matches(one, host) and matches(other, host)
            assert any(matches(each, host) for each in both) is wanted, (one.text, other.text, host)
    assert said > 200
