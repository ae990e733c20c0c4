"""The host index: the order of its answers, and its cost."""

from __future__ import annotations

from growth import assert_near_linear

from egressc.host_index import HostIndex
from egressc.host_syntax import host_pattern
from egressc.hosts import HostPattern, minimise

P = host_pattern
HELD = [
    "*.x.com",
    "a.x.com",
    "x.com",
    "*.a.x.com",
    "a*.x.com",
    "*a.x.com",
    "*m*.x.com",
    "a.*.x.com",
    "*.y.com",
    "a.x.com",
]


def index():
    return HostIndex((P(text), i) for i, text in enumerate(HELD))


def held(ids):
    return [HELD[i] for i in ids]


def test_matching():
    assert held(index().matching("a.x.com")) == ["*.x.com", "a.x.com", "a*.x.com", "*a.x.com", "a.x.com"]
    assert held(index().matching("x.com")) == ["x.com"]
    assert held(index().matching("a.a.x.com")) == ["*.x.com", "*.a.x.com", "a.*.x.com"]
    assert held(index().matching("lamb.x.com")) == ["*.x.com", "*m*.x.com"]
    assert held(index().matching("y.com")) == []
    assert held(index().matching("com")) == []


def test_intersecting():
    assert held(index().intersecting(P("*.a.x.com"))) == ["*.x.com", "*.a.x.com", "a.*.x.com"]
    assert held(index().intersecting(P("*.x.com"))) == [h for h in HELD if h not in {"x.com", "*.y.com"}]
    assert held(index().intersecting(P("b*.x.com"))) == ["*.x.com", "*a.x.com", "*m*.x.com"]
    assert held(index().intersecting(P("q.*.x.com"))) == ["*.x.com", "*.a.x.com"]


def test_containing():
    assert held(index().containing(P("*.a.x.com"))) == ["*.x.com", "*.a.x.com"]
    assert held(index().containing(P("ab*.x.com"))) == ["*.x.com", "a*.x.com"]
    assert held(index().containing(P("amm*a.x.com"))) == ["*.x.com", "a*.x.com", "*a.x.com", "*m*.x.com"]
    assert held(index().containing(P("a.x.com"))) == held(index().matching("a.x.com"))
    assert held(index().containing(P("*.z.com"))) == []


def test_patterns_without_a_literal_end():
    index = HostIndex([(HostPattern((), deep=True), "all"), (HostPattern(("a", "*")), "a.*"), (P("a.com"), "a.com")])
    assert index.matching("a.com") == ["all", "a.*", "a.com"]
    assert index.intersecting(HostPattern(("com",), deep=True)) == ["all", "a.*", "a.com"]
    assert index.intersecting(HostPattern((), deep=True)) == ["all", "a.*", "a.com"]
    assert index.containing(HostPattern(("b", "com"))) == ["all"]


def many(n):
    for i in range(n):
        domain = f"d{i % 5000}.contoso.com"
        match i % 10:
            case 8:
                yield P(f"p{i}*.{domain}")
            case 9:
                yield P(f"*-q{i}.{domain}")
            case 6 | 7:
                yield P(f"*.s{i}.{domain}")
            case _:
                yield P(f"h{i}.{domain}")


def test_an_index_is_built_in_near_linear_time():
    def of(count):
        patterns = list(many(count))
        return lambda: HostIndex((p, i) for i, p in enumerate(patterns))

    assert_near_linear(of, 5_000, 50_000)


def test_questions_do_not_take_longer_among_more_patterns():
    def among(count):
        patterns = list(many(count))
        index = HostIndex((p, i) for i, p in enumerate(patterns))

        def ask():
            # As many questions as there are patterns: the cost of each must not grow with them.
            for i in range(count):
                assert i in index.intersecting(patterns[i])

        return ask

    assert_near_linear(among, 4_000, 40_000)


def test_the_least_patterns_of_many():
    patterns = list(many(20_000))
    assert len(minimise(patterns)) == len(set(patterns))
