import random

import pytest

from egressc.host_syntax import host_pattern
from egressc.policy import HostEndpoint
from egressc.targets.iptables.domains import DomainIndex, topmost, whole_domains, widened


def patterns(text):
    return [host_pattern(word) for word in text.split()]


def hosts(text):
    return tuple(HostEndpoint(p) for p in patterns(text))


def texts(endpoints):
    return None if endpoints is None else sorted(e.text for e in endpoints)


@pytest.mark.parametrize(("given", "plain", "apexes", "whole", "domains"), [
    ("a.x.com", None, None, "a.x.com *.a.x.com", "a.x.com"),
    ("*.x.com", None, "x.com *.x.com", None, "x.com"),
    ("x.com *.x.com", None, None, None, "x.com"),
    ("*.x.com y.com", None, "*.x.com x.com y.com", "x.com *.x.com y.com *.y.com", "x.com y.com"),
    ("azgn*.sb.net", "*.sb.net", "*.sb.net sb.net", None, "sb.net"),
    ("a.*.x.com", "*.x.com", "*.x.com x.com", None, "x.com"),
    ("a.*.x.com b.x.com", "*.x.com", "*.x.com x.com", None, "x.com"),
    ("x.com a.x.com", None, None, "x.com *.x.com", "x.com"),
    ("*.a.x.com x.com", None, "*.a.x.com a.x.com x.com", "x.com *.x.com", "x.com"),
])  # fmt: skip
def test_the_stages(given, plain, apexes, whole, domains):
    found = widened(patterns(given))
    for stage, expected in ((found.plain, plain), (found.apexes, apexes), (found.whole, whole)):
        assert texts(stage) == (None if expected is None else sorted(expected.split()))
    assert found.domains == tuple(domains.split())


@pytest.mark.parametrize(("excluded", "of", "domains", "unsaid"), [
    ("b.x.com *.b.x.com", "*.x.com", "b.x.com", ""),
    ("*.b.x.com", "*.x.com", "", "*.b.x.com"),
    ("b.x.com", "*.x.com", "", "b.x.com"),
    ("b.x.com *.b.x.com c.x.com", "*.x.com", "b.x.com", "c.x.com"),
    ("b.x.com *.b.x.com a.b.x.com", "*.x.com", "b.x.com", ""),
    ("b*.x.com", "*.x.com", "", "b*.x.com"),
    ("b.x.com", "*.b.x.com b.x.com", "", "b.x.com"),
    ("a.b.x.com", "a.*.x.com", "a.b.x.com", ""),
    # `b.a.x.com` would take `*.b.a.x.com` along, which only an exception that cannot be said excludes.
    ("b.a.x.com *.a.x.com", "x.com *.x.com", "", "b.a.x.com *.a.x.com"),
    ("b.a.x.com *.b.*.x.com", "*.x.com", "", "b.a.x.com *.b.*.x.com"),
])  # fmt: skip
def test_which_exceptions_are_whole_domains(excluded, of, domains, unsaid):
    found, left = whole_domains(hosts(excluded), hosts(of))
    assert found == frozenset(domains.split())
    assert texts(left) == sorted(unsaid.split())


def test_an_exception_with_a_path_is_no_domain():
    found, left = whole_domains((HostEndpoint(host_pattern("b.x.com"), "/p"),), hosts("*.x.com"))
    assert found == frozenset()
    assert len(left) == 1


def test_the_index_agrees_with_going_through_all():
    random_ = random.Random(7)
    labels = ["a", "b", "c", "aa"]

    def domain():
        return ".".join(random_.choice(labels) for _ in range(random_.randint(1, 4)))

    items = [(domain(), n) for n in range(200)]
    index = DomainIndex(items)
    for _ in range(100):
        asked = domain()
        expected = {n for d, n in items if f".{d}".endswith(f".{asked}") or f".{asked}".endswith(f".{d}")}
        assert set(index.overlapping(asked)) == expected


def test_topmost():
    assert topmost({"x.com", "a.x.com", "b.a.x.com", "ax.com"}) == {"x.com", "ax.com"}
