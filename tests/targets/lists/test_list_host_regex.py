"""Hosts as regular expressions: what is written is read as the same hosts."""

from __future__ import annotations

import re

import pytest

from egressc.hosts import HostPattern, matches
from egressc.targets.lists.host_regex import host_regex, hosts_of_regex

PATTERNS = [
    HostPattern(("foo", "test")), HostPattern(("foo", "test"), deep=True), HostPattern(("a*", "test")),
    HostPattern(("a", "*", "test")), HostPattern(("*", "foo", "test")), HostPattern(("*", "foo", "test"), deep=True),
    HostPattern(("*", "*", "test"), deep=True), HostPattern(("*a*b*", "x-y", "test")),
]  # fmt: skip
HOSTS = (
    "foo.test",
    "x.foo.test",
    "x.y.foo.test",
    "ab.test",
    "a.test",
    "a.b.test",
    "b.test",
    "aab.x-y.test",
    "fooxtest",
)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.text)
def test_a_pattern_is_read_as_it_was_written_and_finds_its_hosts(pattern):
    text = host_regex(pattern)
    assert hosts_of_regex(text) == (pattern,)
    for host in HOSTS:
        assert bool(re.search(text, host)) is matches(pattern, host), host
