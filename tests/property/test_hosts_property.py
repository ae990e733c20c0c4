"""Host patterns against brute force: every host of a small world, matched by an independent matcher."""

from __future__ import annotations

import itertools
import re
from contextlib import contextmanager
from functools import cache, wraps

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from egressc import host_patterns, host_search, hosts, labels
from egressc.host_index import HostIndex
from egressc.hosts import HostPattern, contains, covered, example, intersects, matches, minimise

pytestmark = pytest.mark.property

# The world: labels of up to two characters over three letters, and a few longer ones. Patterns use `a`, `b` and `-`
# only, so that `c` and `a-b` are there to tell them apart.
LABELS = [*"abc", *map("".join, itertools.product("abc", repeat=2)), "aca", "bcb", "acb", "a-b", "b-a", "abcab"]
FEW = ["a", "b", "c", "ab", "acb"]
HOSTS = [".".join(h) for n in (1, 2, 3) for h in itertools.product(LABELS if n < 3 else LABELS[:12], repeat=n)]
HOSTS += [".".join(h) for h in itertools.product(FEW, repeat=4)]
LABEL = "[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"


@cache
def reference(pattern: HostPattern) -> frozenset[str]:
    """What a pattern matches in the world, by a regular expression of its definition."""
    globs = [re.escape(g).replace(r"\*", "[a-z0-9_-]*") for g in pattern.labels]
    expression = re.compile(rf"(?:{LABEL}\.)+" * pattern.deep + r"\.".join(globs))
    return frozenset(h for h in HOSTS if expression.fullmatch(h))


def matched_by_definition(pattern: HostPattern, host: str) -> bool:
    globs = [re.escape(g).replace(r"\*", "[a-z0-9_-]*") for g in pattern.labels]
    expression = rf"(?:{LABEL}\.)+" * pattern.deep + r"\.".join(globs)
    return re.fullmatch(expression, host) is not None


def is_host(host: str) -> bool:
    return len(host) <= 253 and all(len(x) <= 63 and re.fullmatch(LABEL, x) for x in host.split("."))


globs = st.sampled_from(
    ["a", "b", "ab", "*", "*", "a*", "*a", "b*", "*b*", "a*b", "*-*", "a-*", "*-a", "a*b*a", "**b"][:-1]
)
exact_labels = st.sampled_from(["a", "b", "ab"])
patterns = st.builds(HostPattern, st.lists(globs, min_size=1, max_size=3).map(tuple), st.booleans())
trees = st.builds(HostPattern, st.lists(exact_labels, min_size=1, max_size=3).map(tuple), st.booleans())
mixed = st.one_of(trees, patterns)


@given(patterns)
def test_matches_is_the_definition(pattern):
    assert {h for h in HOSTS if matches(pattern, h)} == reference(pattern)


@settings(max_examples=300)
@given(mixed, mixed)
def test_contains_and_intersects(a, b):
    missing = reference(b) - reference(a)
    shared = reference(a) & reference(b)
    if contains(a, b):
        assert not missing
    else:
        shown = example([b], [a])
        assert shown is not None
        assert is_host(shown)
        assert matched_by_definition(b, shown)
        assert not matched_by_definition(a, shown)
    if intersects(a, b):
        shown = example([a, b])
        assert shown is not None
        assert is_host(shown)
        assert matched_by_definition(a, shown)
        assert matched_by_definition(b, shown)
    else:
        assert not shared
    assert intersects(a, b) == intersects(b, a)


@settings(max_examples=300)
@given(st.lists(mixed, max_size=3), st.lists(mixed, max_size=4))
def test_an_example_is_one_and_no_example_means_none(inside, outside):
    shown = example(inside, outside)
    if shown is None:
        left = set(HOSTS).intersection(*(reference(p) for p in inside)) - set().union(*(reference(p) for p in outside))
        assert not {h for h in left if "." in h}
    else:
        assert is_host(shown)
        assert all(matched_by_definition(p, shown) for p in inside)
        assert not any(matched_by_definition(p, shown) for p in outside)
    assert shown == example(inside, outside)


@given(patterns, st.lists(mixed, max_size=5))
def test_covered(pattern, by):
    if covered(pattern, by):
        assert reference(pattern) <= set().union(*(reference(p) for p in by))
    else:
        assert not any(contains(p, pattern) for p in by)


@given(st.lists(mixed, max_size=12))
def test_minimise_keeps_the_hosts_and_nothing_twice(given_patterns):
    kept = minimise(given_patterns)
    assert set(kept) <= set(given_patterns)
    assert set().union(*(reference(p) for p in kept)) == set().union(*(reference(p) for p in given_patterns))
    for a, b in itertools.permutations(kept, 2):
        assert not contains(a, b)
    for pattern in given_patterns:
        assert any(contains(p, pattern) for p in kept)
    assert minimise(reversed(given_patterns)) == kept
    assert list(kept) == sorted(kept, key=lambda p: p.sort_key)


@given(st.lists(mixed, max_size=12), st.sampled_from(HOSTS), mixed)
def test_the_index_answers_as_a_walk_through_all(held, host, asked):
    index = HostIndex((p, i) for i, p in enumerate(held))
    assert index.matching(host) == [i for i, p in enumerate(held) if matches(p, host)]
    assert index.intersecting(asked) == [i for i, p in enumerate(held) if intersects(p, asked)]
    assert index.containing(asked) == [i for i, p in enumerate(held) if contains(p, asked)]
    assert len(index) == len(held)


# The same in a world so small that it is enumerated whole: two letters, labels of 3 and names of 7 characters.

SMALL_LABELS = [
    x
    for n in (1, 2, 3)
    for x in map("".join, itertools.product("ab-", repeat=n))
    if not x.startswith("-") and not x.endswith("-")
]
SMALL_GLOBS = ["a", "b", "ab", "a-b", "*", "a*", "*a", "*b*", "a*b", "ab*", "*-b", "a*b*", "bab", "a-*", "bab*", "*bab"]
small_globs = st.sampled_from(SMALL_GLOBS)
small_patterns = st.builds(HostPattern, st.lists(small_globs, min_size=1, max_size=4).map(tuple), st.booleans())


@cache
def small_world():
    found, level = [], [(x,) for x in SMALL_LABELS]
    while level:
        found += [".".join(h) for h in level]
        level = [(*h, x) for h in level for x in SMALL_LABELS if len(".".join((*h, x))) <= 7]
    return tuple(found)


@cache
def small_reference(pattern):
    return frozenset(h for h in small_world() if matched_by_definition(pattern, h))


@contextmanager
def small_limits():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(labels, "_ALPHABET", "ab-")
        patch.setattr(labels, "_FILLERS", ("", "a", "b"))
        patch.setattr(labels, "LONGEST_LABEL", 3)
        patch.setattr(labels, "_LABEL", re.compile(r"[ab](?:[ab-]?[ab])?"))
        patch.setattr(host_search, "LONGEST_NAME", 7)
        patch.setattr(hosts, "LONGEST_NAME", 7)
        patch.setattr(host_patterns, "_SHORT", 0)
        patch.setattr(hosts, "_READABLE", ("a", "b"))
        forget()
        yield
    forget()


def forget():
    for cached in (labels._search, labels._step, host_patterns._contains, host_patterns._intersects):
        cached.cache_clear()


def within_small_limits(test):
    @wraps(test)
    def run(*args, **kwargs):
        with small_limits():
            test(*args, **kwargs)

    return run


@settings(max_examples=400)
@given(st.lists(small_patterns, min_size=1, max_size=2), st.lists(small_patterns, max_size=4))
@within_small_limits
def test_search_is_exact_within_the_limits(inside, outside):
    left = set(small_world()).intersection(*(small_reference(p) for p in inside))
    left -= set().union(*(small_reference(p) for p in outside))
    found = host_search.search([(p.labels, p.deep) for p in inside], [(p.labels, p.deep) for p in outside])
    assert found in left if left else found is None


@settings(max_examples=300)
@given(small_patterns, small_patterns)
@within_small_limits
def test_contains_and_intersects_are_exact_within_the_limits(a, b):
    assume(small_reference(a))
    assume(small_reference(b))
    assert contains(a, b) == (small_reference(b) <= small_reference(a))
    assert intersects(a, b) == bool(small_reference(a) & small_reference(b))


@settings(max_examples=300)
@given(st.lists(small_patterns, min_size=1, max_size=2), st.lists(small_patterns, max_size=4))
@within_small_limits
def test_example_is_exact_within_the_limits(inside, outside):
    assume(all(small_reference(p) for p in inside))
    left = set(small_world()).intersection(*(small_reference(p) for p in inside))
    left -= set().union(*(small_reference(p) for p in outside))
    found = example(inside, outside)
    assert found in left if left else found is None


@given(st.lists(small_globs, max_size=3), st.lists(small_globs, max_size=4), st.booleans())
@within_small_limits
def test_choices_beat_every_label(inside, outside, shortest_too):
    offered = labels.choices(tuple(inside), tuple(outside), shortest_too=shortest_too)
    for label, matched in offered:
        assert label in SMALL_LABELS
        assert all(re.fullmatch(g.replace("*", ".*"), label) for g in inside)
        assert matched == {g for g in outside if re.fullmatch(g.replace("*", ".*"), label)}
    for label in SMALL_LABELS:
        if all(re.fullmatch(g.replace("*", ".*"), label) for g in inside):
            hit = {g for g in outside if re.fullmatch(g.replace("*", ".*"), label)}
            assert any(m <= hit and (not shortest_too or len(x) <= len(label)) for x, m in offered)


@given(small_globs, small_globs)
@within_small_limits
def test_label_globs_are_exact(a, b):
    in_a = {x for x in SMALL_LABELS if re.fullmatch(a.replace("*", ".*"), x)}
    in_b = {x for x in SMALL_LABELS if re.fullmatch(b.replace("*", ".*"), x)}
    assert {x for x in SMALL_LABELS if labels.glob_matches(a, x)} == in_a
    assert labels.globs_intersect(a, b) == bool(in_a & in_b)
    assert labels.glob_contains(a, b) == (in_b <= in_a)
