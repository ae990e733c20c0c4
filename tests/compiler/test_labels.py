"""Label globs: the readable cases; the exact ones stand in `tests/property`."""

from __future__ import annotations

import itertools
import re

import pytest

from egressc.labels import choices, glob_contains, glob_matches, globs_intersect, is_label, shortest


@pytest.mark.parametrize("text", ["a", "a-b", "_a", "a_", "9", "a" * 63, "a--b"])
def test_labels(text):
    assert is_label(text)


@pytest.mark.parametrize("text", ["", "-", "-a", "a-", "a.b", "A", "*", "a" * 64, "é", "a\n"])
def test_no_labels(text):
    assert not is_label(text)


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("*", ["a", "a-b"], []),
        ("a*", ["a", "ab"], ["ba"]),
        ("*a", ["a", "ba"], ["ab"]),
        ("a*a", ["aa", "aba"], ["a", "ab"]),
        ("*a*", ["a", "bab"], ["b"]),
        ("a*b*c", ["abc", "aXbXc".lower()], ["acb"]),
        ("*ab*b*", ["abb", "xabyb"], ["ab", "bba"]),
        ("abc", ["abc"], ["ab", "abcd"]),
    ],
)
def test_glob_matches(glob, yes, no):
    assert [x for x in yes + no if glob_matches(glob, x)] == yes


@pytest.mark.parametrize(
    ("glob", "length"),
    [("*", 1), ("a*", 1), ("a*b", 2), ("*-a", 3), ("a-*", 3), ("*-*", 3), ("-*", 0), ("*-", 0), ("abc", 3), ("-a", 0)],
)
def test_shortest(glob, length):
    assert shortest(glob) == length


@pytest.mark.parametrize(
    ("a", "b", "meet", "holds"),
    [
        ("*", "a*", True, True),
        ("a*", "*b", True, False),
        ("a*", "b*", False, False),
        ("*-b", "a*", True, False),
        ("a*", "a-*", True, True),
        ("*a*", "ba*", True, True),
        ("a*", "-*", False, True),  # nothing matches `-*`
        ("ab", "a*", True, False),
        ("a*", "ab", True, True),
    ],
)
def test_two_globs(a, b, meet, holds):
    assert globs_intersect(a, b) == globs_intersect(b, a) == meet
    assert glob_contains(a, b) == holds


@pytest.mark.parametrize("none", ["-a", "a-", "a" * 64])
def test_what_is_no_label_meets_nothing_and_is_within_everything(none):
    for glob in ("*", "*a*", "-*", none):
        assert not globs_intersect(none, glob)
        assert not globs_intersect(glob, none)
        assert glob_contains(glob, none)


def test_choices_avoid_what_can_be_avoided():
    assert choices(("*",), ()) == (("a", frozenset()),)
    assert choices(("*",), ("a", "host")) == (("b", frozenset()),)
    assert choices(("a*",), ("a*",)) == (("a", frozenset({"a*"})),)
    assert choices(("ab",), ("a*", "b*")) == (("ab", frozenset({"a*"})),)
    assert choices(("ab",), ()) == (("ab", frozenset()),)
    assert choices(("a*", "b*"), ()) == ()


def test_choices_between_two_evils():
    # Every label that begins with `a` matches one of the two: it ends with `a`, or with something else.
    others = tuple(f"a*{c}" for c in "bcdefghijklmnopqrstuvwxyz0123456789_")
    found = choices(("a*",), ("a*a", "a", *others))
    assert all(len(matched) == 1 for _, matched in found)
    assert {next(iter(matched)) for _, matched in found} == {"a", "a*a", *others}


def test_a_glob_stands_for_what_the_pattern_language_says():
    # A star is any run of characters, also none; what stands between the stars follows one another.
    labels = ["".join(each) for size in range(1, 6) for each in itertools.product("ab", repeat=size)]
    for size in range(1, 6):
        for each in itertools.product("ab*", repeat=size):
            glob = "".join(each)
            pattern = re.compile(glob.replace("*", ".*"))
            for label in labels:
                assert glob_matches(glob, label) is (pattern.fullmatch(label) is not None), (glob, label)
