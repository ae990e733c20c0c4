"""Host patterns: the readable cases; the exact ones stand in `tests/property`."""

from __future__ import annotations

import pytest
from growth import assert_near_linear

from egressc.host_search import search
from egressc.host_syntax import host_pattern
from egressc.hosts import HostPattern, apex, contains, covered, example, intersects, matches, minimise

P = host_pattern


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("login.windows.net", ["login.windows.net"], ["a.login.windows.net", "windows.net", "xlogin.windows.net"]),
        ("*.msappproxy.net", ["a.msappproxy.net", "a.b.msappproxy.net"], ["msappproxy.net", "xmsappproxy.net"]),
        ("a.*.contoso.com", ["a.b.contoso.com"], ["a.contoso.com", "a.b.c.contoso.com", "x.a.b.contoso.com"]),
        ("azgn*.contoso.com", ["azgn.contoso.com", "azgn1.contoso.com"], ["azg.contoso.com", "azgn1.b.contoso.com"]),
        ("*cdn.onenote.net", ["cdn.onenote.net", "a-cdn.onenote.net"], ["a.cdn.onenote.net", "cdna.onenote.net"]),
        ("san-*-prod.x.net", ["san-1-prod.x.net", "san--prod.x.net"], ["san-prod.x.net", "san-a.b-prod.x.net"]),
        ("*.*.contoso.com", ["a.b.contoso.com", "a.b.c.contoso.com"], ["a.contoso.com"]),
        ("*.a*.contoso.com", ["b.a.contoso.com", "c.b.ab.contoso.com"], ["a.contoso.com", "a.b.contoso.com"]),
        ("a*b*c.contoso.com", ["abc.contoso.com", "axbxc.contoso.com"], ["acb.contoso.com", "ac.contoso.com"]),
        ("ab*ba.contoso.com", ["abba.contoso.com"], ["aba.contoso.com"]),
    ],
)
def test_matches(pattern, yes, no):
    assert [h for h in yes + no if matches(P(pattern), h)] == yes


@pytest.mark.parametrize(
    ("pattern", "text", "is_exact", "is_tree", "tail"),
    [
        (HostPattern(("a", "x", "com")), "a.x.com", True, True, ("a", "x", "com")),
        (HostPattern(("x", "com"), deep=True), "*.x.com", False, True, ("x", "com")),
        (HostPattern(("*", "x", "com"), deep=True), "*.*.x.com", False, False, ("x", "com")),
        (HostPattern(("*", "x", "com")), "[one-label].x.com", False, False, ("x", "com")),
        (HostPattern(("*", "*", "com")), "[one-label].*.com", False, False, ("com",)),
        (HostPattern(("a*", "b", "*c", "x", "com")), "a*.b.*c.x.com", False, False, ("x", "com")),
        (HostPattern(("a", "*"), deep=True), "*.a.*", False, False, ()),
        (HostPattern((), deep=True), "*", False, True, ()),
    ],
)
def test_properties(pattern, text, is_exact, is_tree, tail):
    assert (pattern.text, pattern.is_exact, pattern.is_tree, pattern.tail) == (text, is_exact, is_tree, tail)
    assert pattern.tail_text == ".".join(tail)


def test_every_name_is_below_the_root():
    root = HostPattern((), deep=True)
    assert matches(root, "com")
    assert matches(root, "a.x.com")
    for other in (P("a.x.com"), P("*.x.com"), P("a*.x.com"), root):
        assert contains(root, other)
        assert intersects(root, other)
        assert intersects(other, root)
    assert not contains(HostPattern(("com",), deep=True), root)


def test_a_pattern_holds_itself_and_no_shorter_name():
    for pattern in (P("a*.x.com"), P("a.*.x.com"), P("*.a*.x.com"), P("*.x.com"), P("a.x.com")):
        assert contains(pattern, pattern)
        assert intersects(pattern, pattern)
    assert not matches(HostPattern(("*", "com")), "com"), "the one label is missing"


def test_equality_is_by_labels():
    assert HostPattern(("x", "com"), deep=True) == P("*.X.com")
    assert len({P("*.x.com"), P("x.com"), HostPattern(("*", "x", "com")), P("*.x.com")}) == 3


def test_apex():
    assert apex(P("*.x.com")) == P("x.com")
    assert apex(P("a.x.com")) == P("a.x.com")


@pytest.mark.parametrize(
    ("a", "b", "relation"),
    [
        ("*.x.com", "*.a.x.com", "contains"),
        ("*.x.com", "a.x.com", "contains"),
        ("*.x.com", "x.com", "disjoint"),
        ("*.x.com", "*.y.com", "disjoint"),
        ("*.x.com", "*.xx.com", "disjoint"),
        ("*.x.com", "a*.x.com", "contains"),
        ("*.x.com", "a.*.x.com", "contains"),
        ("a.*.x.com", "a.b*.x.com", "contains"),
        ("a*.x.com", "ab*.x.com", "contains"),
        ("a*.x.com", "*b.x.com", "overlap"),
        ("a*.x.com", "b*.x.com", "disjoint"),
        ("a.*.x.com", "b.*.x.com", "disjoint"),
        ("a.*.x.com", "*.b.x.com", "overlap"),
        ("*.a.x.com", "b.*.x.com", "overlap"),
        ("*.a.x.com", "a*.x.com", "disjoint"),
        ("*.*.x.com", "a.*.x.com", "contains"),
        ("*.*.x.com", "*.a.x.com", "contains"),
        ("*.*.x.com", "a*.x.com", "disjoint"),
        ("*a*.x.com", "a*.x.com", "contains"),
        ("*a*b*.x.com", "*a-b.x.com", "contains"),
        ("a*.x.com", "a*.y.com", "disjoint"),
        ("*.a*.x.com", "*c.b.x.com", "disjoint"),
        ("a*.x.com", "b*.a*.x.com", "disjoint"),
        ("*.a.b.x.com", "p.c*.c*.x.com", "disjoint"),
    ],
)
def test_relations(a, b, relation):
    a, b = P(a), P(b)
    assert contains(a, b) == (relation == "contains")
    assert not contains(b, a)
    assert intersects(a, b) == intersects(b, a) == (relation != "disjoint")


@pytest.mark.parametrize(
    ("inside", "outside", "expected"),
    [
        (["login.windows.net"], [], "login.windows.net"),
        (["*.blob.core.windows.net"], [], "a.blob.core.windows.net"),
        (["*.x.com"], ["a.x.com"], "host.x.com"),
        (["*.x.com"], ["a.x.com", "host.x.com", "*.b.x.com"], "b.x.com"),
        (["*.x.com", "*.a.x.com"], [], "a.a.x.com"),
        (["*.x.com", "a.x.com"], [], "a.x.com"),
        (["*.x.com", "a.x.com"], ["a*.x.com"], None),
        (["*.x.com"], ["*.x.com"], None),
        (["*.x.com", "*.y.com"], [], None),
        (["azgn*.x.com"], [], "azgn.x.com"),
        (["azgn*.x.com"], ["azgn.x.com"], "azgna.x.com"),
        (["a*.x.com", "*b.x.com"], [], "ab.x.com"),
        (["*-b.x.com"], [], "a-b.x.com"),
        (["*.x.com"], ["*.*.x.com"], "a.x.com"),
        (["*.x.com"], [HostPattern(("*", "x", "com"))], "a.a.x.com"),
        (["*.x.com"], [HostPattern(("*", "x", "com")), "*.*.x.com"], None),
    ],
)
def test_example(inside, outside, expected):
    def make(p):
        return P(p) if isinstance(p, str) else p

    assert example([make(p) for p in inside], [make(p) for p in outside]) == expected


def test_an_example_of_any_host_has_two_labels():
    assert example([]) == example([HostPattern((), deep=True)]) == "a.example"
    assert search([], []) == "a", "the search itself knows of no such wish"
    assert example([], [P("*.example")]) is not None
    assert "." in example([], [P("*.example")])


def test_a_union_can_cover_what_no_single_pattern_contains():
    letters = "abcdefghijklmnopqrstuvwxyz0123456789_"
    every = [P(f"{c}*.x.com") for c in letters]
    one_label = HostPattern(("*", "x", "com"))
    assert covered(one_label, every)
    assert example([one_label], every[:-1]) == "_.x.com"
    assert not covered(P("*.x.com"), every)
    assert covered(P("*.x.com"), [*every, P("*.*.x.com")])


def test_the_shortest_name_is_shown_whatever_else_could_begin_with_it():
    # Every label beside the shortest one is matched by one of these, whose names are longer: none is better than others.
    others = [(("x", f"{c}*z"), False) for c in "abcdefghijklmnopqrstuvwxyz0123456789_"]
    assert search([(("*z",), False)], [*others, (("x", "z"), False)]) == "z"


@pytest.mark.parametrize("end", ["z", "zz"])
@pytest.mark.parametrize("way", ["", "0", "5"])
@pytest.mark.parametrize("at", [0, 1, 2, 37])
def test_no_way_is_given_up_for_one_that_only_looks_better(end, way, at):
    # Every last label is matched by one pattern to avoid; all of these but one take any label before it.
    begins = ["", *[f"{c}*" for c in "abcdefghijklmnopqrstuvwxyz0123456789_"]]
    open_way = way and f"{way}*"
    begins.remove(open_way)
    outside = [(("*", begin + end), False) for begin in begins]
    outside.insert(at, (("x", open_way + end), False))
    assert search([(("*", f"*{end}"), False)], outside) == f"a.{way}{end}"


def test_no_name_is_longer_than_253_characters():
    base = ("a" * 61,) * 4 + ("com",)  # 251 characters
    below = HostPattern(base, deep=True)
    assert example([below]) == "a." + below.text[2:]
    assert example([below], [HostPattern(("a", *base))]) == "b." + below.text[2:], "and not `host`, of four characters"
    assert contains(HostPattern(("*", *base)), below)  # there is room for one label of one character
    assert search([(below.labels, True), (("*", *base), False)], [(("a", *base), False)]) == "b." + below.text[2:]
    assert search([(("*", *base), True)], []) is None
    longer = (*base[:-1], "info")  # 252 characters
    assert search([(longer, True)], []) is None
    assert example([HostPattern(longer, deep=True)]) is None
    assert not contains(HostPattern(("*", *base[1:])), HostPattern(base[1:], deep=True))


def test_a_longer_label_does_not_stand_in_for_a_shorter_one_where_the_length_counts():
    # `za` leaves nothing to avoid and makes the name one character too long; after `z` there is still another way.
    rest = ("a" * 61,) * 3 + ("a" * 63,)  # 249 characters
    found = search([((*rest, "*", "z*"), False)], [((*["*"] * 4, "a", "z"), False)])
    assert found == ".".join((*rest, "b", "z"))
    assert len(found) == 253


def test_no_label_is_longer_than_63_characters():
    assert not intersects(P("a" * 40 + "*.x.com"), P("*" + "b" * 40 + ".x.com"))
    assert intersects(P("a" * 40 + "*.x.com"), P("*" + "b" * 23 + ".x.com"))
    assert contains(HostPattern(("*b*", "x", "com")), P("b" * 62 + "*.x.com"))


def test_minimise():
    given = [
        "*.x.com",
        "a.x.com",
        "*.b.x.com",
        "x.com",
        "a*.x.com",
        "a*.y.com",
        "ab*.y.com",
        "ab.y.com",
        "*.z",
        "*.x.com",
    ]
    assert [p.text for p in minimise(P(p) for p in given)] == ["x.com", "*.x.com", "a*.y.com", "*.z"]
    assert minimise([]) == ()
    twice = [HostPattern(("a**", "x", "com")), HostPattern(("a*", "x", "com"))]
    assert minimise(twice) == (HostPattern(("a*", "x", "com")),)


def test_order_is_by_labels_from_the_right():
    given = ["b.com", "*.a.com", "a.com", "z.a.com", "a.net"]
    ordered = sorted((P(p) for p in given), key=lambda p: p.sort_key)
    assert [p.text for p in ordered] == ["a.com", "*.a.com", "z.a.com", "b.com", "a.net"]


def test_examples_beside_many_names_take_near_linear_time():
    def beside(count):
        names = [P(f"h{i}.x.com") for i in range(count)] + [P(f"p{i}*.x.com") for i in range(count // 2)]

        def ask():
            assert example([P("*.x.com")], names) == "a.x.com"
            assert example([P("p*.x.com")], names) == "p.x.com"

        return ask

    assert_near_linear(beside, 1_000, 8_000)
