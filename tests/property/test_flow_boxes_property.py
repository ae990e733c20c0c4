"""Sets of flows in all their dimensions against a small universe of which every flow is looked at."""

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest
from flow_universe import (
    EVERYTHING,
    PATTERNS,
    PREFIXES,
    SHARED,
    TAGS,
    check,
    fits,
    in_block,
    in_box,
    product_of,
    shown,
    union,
)

from egressc import flows_search
from egressc.addresses import ALL, AddressSet, parse_addresses, union_of
from egressc.anything import ANY
from egressc.flows import EVERY, Box, Choice, boxes
from egressc.flows_blocks import blocks_of
from egressc.flows_index import BlockIndex, FlowIndex, Prefix, uncovered
from egressc.flows_search import common, difference, example_address, in_both, witness
from egressc.meaning import Block
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint
from egressc.reach import Reach
from egressc.services import ALL_PORTS, PortSet

pytestmark = pytest.mark.property

SCALE = int(os.environ.get("EGRESSC_SCALE", "1"))
SEED = int(os.environ.get("EGRESSC_SEED", "20261126"))


def ends(*held):
    return union_of([AddressSet(((v, v),), ()) if family == 4 else AddressSet((), ((v, v),)) for family, v in held])


WHOLE = next(Block().boxes())
V4, V6 = ALL.family(4), ALL.family(6)
GROUPS = (*[EVERY] * 4, *(Choice(frozenset(n), out) for n in ("g", "h", "gh") for out in (False, True)))
ACCOUNTS = (*[EVERY] * 4, Choice(frozenset("a")), Choice(frozenset("a"), negated=True))
FAMILIES = (*[frozenset({4, 6})] * 4, frozenset({4}), frozenset({6}))
DOORS = (
    *[ALL_PORTS] * 2, PortSet(tcp=((1, 1),)), PortSet(tcp=((1, 2),)), PortSet(udp=((1, 1),)),
    PortSet(tcp=((2, 2),), udp=((1, 1),)),
)  # fmt: skip
PLACES = (
    *[ALL] * 5, ends((4, 1)), ends((4, 1), (4, 2)), ends((6, 1)), ends((4, 2), (6, 1)), V4,
    ALL.difference(ends((4, 1))), ALL.difference(ends((4, 1), (6, 1))), ALL.difference(V4),
)  # fmt: skip
FROM = (*[ALL] * 5, ends((4, 11)), ends((4, 11), (4, 12)), ends((6, 11)), ends((4, 12), (6, 11)), V4, V6)
USERS = tuple((("user", Choice(frozenset(n), out)),) for n in ("u", "uv") for out in (False, True))
APPS = tuple((("app", Choice(frozenset("p"), out)),) for out in (False, True))
WHOM = (*[()] * 5, *USERS, *APPS, (*APPS[0], *USERS[0]), (*APPS[1], *USERS[2]))


def some(rng, values, most, chance):
    return (
        tuple(dict.fromkeys(rng.choice(values) for _ in range(rng.randint(1, most)))) if rng.random() < chance else ()
    )


TESTS = tuple((pattern, path) for pattern in PATTERNS for path in (None, None, *PREFIXES))


def a_box(rng):
    return Box(
        rng.choice(GROUPS),
        rng.choice(FAMILIES),
        rng.choice(ACCOUNTS),
        rng.choice(DOORS),
        rng.choice(PLACES),
        some(rng, TESTS, 2, 0.5),
        some(rng, TESTS, 2, 0.3),
        some(rng, SHARED, 2, 0.3),
        some(rng, SHARED, 2, 0.2),
        frozenset(some(rng, TAGS, 2, 0.15)),
        frozenset(some(rng, TAGS, 2, 0.15)),
        rng.choice(FROM),
        rng.choice(WHOM),
    )


def a_block(rng):
    names = some(rng, TESTS, 2, 0.6) or None
    shared = bool(names) and rng.random() < 0.3 and all(p in SHARED for p, _ in names)
    return Block(
        names,
        rng.choice(PLACES),
        rng.choice(DOORS),
        rng.choice(FROM),
        rng.choice(WHOM),
        shared,
        some(rng, tuple(t for t in TESTS if not shared or t[0] in SHARED), 2, 0.3),
        rng.choice(GROUPS),
        frozenset(some(rng, TAGS, 2, 0.15)),
        frozenset(some(rng, TAGS, 1, 0.3)),
        rng.choice(ACCOUNTS),
        rng.choice(FAMILIES),
    )


def near(rng, one, other, fields):
    """The first with some fields of the other: sets that have much in common are where a piece more or less shows."""
    return replace(one, **{field: getattr(other, field) for field in rng.sample(fields, rng.randint(1, 3))})


BOX_FIELDS = tuple(Box.__slots__)
BLOCK_FIELDS = tuple(f for f in Block.__slots__ if f not in ("names", "by_address", "names_out"))


def several(rng, make, fields, first, count):
    return [near(rng, first, make(rng), fields) if rng.random() < 0.7 else make(rng) for _ in range(count)]


def generator(test):
    print(f"EGRESSC_SEED={SEED}, {test}")
    return random.Random(f"{SEED} {test}")


def test_differences_intersections_and_examples_of_boxes():
    rng = generator("boxes")
    for _ in range(600 * SCALE):
        first = a_box(rng)
        one = [first, *several(rng, a_box, BOX_FIELDS, first, rng.randint(0, 1))]
        two = several(rng, a_box, BOX_FIELDS, first, rng.randint(1, 3))
        mine, other = union(one, in_box), union(two, in_box)
        check(witness(one, two), mine & ~other)
        check(witness(one, ()), mine)
        assert union(difference(one, ()), in_box) == mine
        assert all(in_box(piece) for piece in difference(one, ()))
        left = difference(one, two)
        assert union(left, in_box) == mine & ~other
        assert all(in_box(piece) for piece in left)
        both = in_both(one, two)
        assert union(both, in_box) == mine & other
        assert all(in_box(piece) for piece in both)
        for each in two:
            held = common(first, each)
            assert (0 if held is None else in_box(held)) == in_box(first) & in_box(each)
            pieces = difference([first], [each])
            if not each.outside and not each.shared_outside:
                assert sum(in_box(piece).bit_count() for piece in pieces) == union(pieces, in_box).bit_count(), "apart"


def test_an_example_says_what_matters_and_nothing_else():
    rng = generator("examples")
    seen = 0
    for _ in range(300 * SCALE):
        box = a_box(rng)
        flow = witness([box], ())
        if flow is None:
            continue
        seen += 1
        assert (flow.group is None) is box.groups.negated
        assert (flow.account is None) is box.accounts.negated
        assert (flow.host is None) is (not box.inside)
        assert (flow.path is None) is all(path is None for _, path in box.inside)
        assert (flow.shared is None) is (not box.shared_inside)
        assert (flow.address is None) is (box.addresses is ALL or bool(box.tags)), "nobody knows what is under a tag"
        assert flow.family == (None if len(box.families) == 2 else next(iter(box.families)))
        assert (flow.source == "") is (box.sources is ALL)
        named = [kind for kind, choice in box.processes if not choice.negated]
        assert [each.split(" ")[0] for each in flow.process.split(", ") if each] == named
    assert seen > 100


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        # The networks for documentation (RFC 5737, RFC 3849), else the first address.
        ("198.0.0.0-204.0.0.0", "203.0.113.10"),
        ("198.51.100.0/24", "198.51.100.10"),
        ("192.0.0.0/24 192.0.2.0/24 192.0.4.0/24", "192.0.2.10"),
        ("192.0.2.10-198.51.100.10", "198.51.100.10"),
        ("203.0.113.10", "203.0.113.10"),
        ("203.0.113.11-203.0.113.20", "203.0.113.11"),
        ("10.0.0.0/8 203.0.113.11", "10.0.0.0"),
        ("2001:db8::/32", "2001:db8::10"),
        ("2001:db8::11-2001:db8::20 fd00::/8", "2001:db8::11"),
        ("fd00::/8", "fd00::"),
        ("10.0.0.0/8 2001:db8::/32", "10.0.0.0"),
    ],
)
def test_an_example_address_is_one_for_documentation_if_there_is_one(held, shown):
    addresses = union_of([parse_addresses(each) for each in held.split()])
    assert example_address(addresses) == shown
    assert witness([replace(WHOLE, addresses=addresses)], ()).address == shown


def test_the_example_of_a_source_has_the_ip_version_of_the_address():
    sources = union_of([parse_addresses("10.0.0.1"), parse_addresses("fd00::1")])
    for place, source in (("192.0.2.1", "10.0.0.1"), ("2001:db8::1", "fd00::1")):
        flow = witness([replace(WHOLE, sources=sources, addresses=parse_addresses(place))], ())
        assert (flow.source, flow.address) == (source, place)
    only = replace(WHOLE, sources=parse_addresses("fd00::1"))
    assert witness([only], ()).source == "fd00::1"
    assert witness([replace(only, addresses=parse_addresses("192.0.2.1"))], ()) is None


def test_an_index_finds_what_a_look_at_every_block_finds():
    rng = generator("blocks")
    seen = [0, 0]
    for _ in range(800 * SCALE):
        first = a_block(rng)
        entries = [
            several(rng, a_block, BLOCK_FIELDS, first, rng.choice((0, 1, 1, 2))) for _ in range(rng.randint(1, 3))
        ]
        index = BlockIndex(entries)
        held = [union(entry, in_block) for entry in entries]
        for number, entry in enumerate(held):
            assert union(index.boxes_of(number), in_box) == entry
        box = a_box(rng)
        mine = [*first.boxes()] if rng.random() < 0.6 else [near(rng, next(first.boxes()), box, BOX_FIELDS)]
        minus = [a_box(rng)] if rng.random() < 0.3 else []
        asked, gone = union(mine, in_box), union(minus, in_box)
        meeting = [number for number, entry in enumerate(held) if asked & entry]
        assert index.meeting_boxes(mine) == meeting
        assert index.meets_boxes(mine) is bool(meeting)
        limit = rng.randint(0, len(entries))
        other = BlockIndex([several(rng, a_block, BLOCK_FIELDS, first, 1)])
        outside = union(other.boxes_of(0), in_box)
        for without, taken in (
            ((index,), union(held, int)),
            ((Prefix(index, limit),), union(held[:limit], int)),
            ((other, Prefix(index, limit)), outside | union(held[:limit], int)),
        ):
            check(uncovered(mine, minus, without), asked & ~gone & ~taken)
            seen[bool(asked & ~gone & ~taken)] += 1
        found = index.first_inside(mine, minus, (other,))
        check(found and found[0], asked & union(held, int) & ~gone & ~outside)
        if found is not None:
            assert shown(found[0]) & asked & held[found[1]] & ~gone & ~outside
    assert min(seen) > 100, seen


def test_addresses_are_found_in_whatever_order_they_come():
    rng = generator("order")

    def ranges():
        first = rng.randrange(100)
        return parse_addresses(
            "{0}{1}-{0}{2}".format(rng.choice(("10.0.0.", "fd00::")), first, first + rng.randrange(9))
        )

    for _ in range(60 * SCALE):
        entries = [[Block(addresses=union_of([ranges(), ranges()]))] for _ in range(rng.randint(8, 16))]
        index = BlockIndex(entries)
        for _ in range(8):
            asked = ranges()
            box = replace(WHOLE, addresses=asked)
            held = [n for n, (block,) in enumerate(entries) if not block.addresses.intersection(asked).is_empty]
            assert index.meeting_boxes([box]) == held
            left = asked.difference(union_of([block.addresses for (block,) in entries]))
            flow = uncovered([box], (), (index,))
            assert (flow is None) is left.is_empty
            assert flow is None or left.contains(parse_addresses(flow.address))


def test_entries_by_address_cover_together_what_none_of_them_covers():
    rng = generator("together")
    seen = [0, 0]
    pieces = (ends((4, 1)), V4.difference(ends((4, 1))), ends((6, 1)), V6.difference(ends((6, 1))))
    fields = (*[field for field in BLOCK_FIELDS if field != "addresses"], "names_out")
    for _ in range(150 * SCALE):
        entries = [[Block(addresses=piece)] for piece in rng.sample(pieces, len(pieces))]
        for entry in rng.sample(entries, rng.choice((0, 1, 1, 2))):
            entry[:] = [near(rng, entry[0], a_block(rng), (rng.choice(fields),) * 3)]
        held = [block for (block,) in entries]
        if rng.random() < 0.6:
            entries.append([*entries.pop(rng.randrange(4)), *entries.pop(rng.randrange(3))])
        index = BlockIndex(entries)
        asked = [
            rng.choice((WHOLE, replace(WHOLE, inside=(rng.choice(TESTS),)), near(rng, WHOLE, a_box(rng), BOX_FIELDS)))
        ]
        left = union(asked, in_box) & ~union(held, in_block)
        check(uncovered(asked, (), (index,)), left)
        check(uncovered(asked, (), (Prefix(index, len(entries)), BlockIndex([]))), left)
        seen[bool(left)] += 1
    assert min(seen) > 20, seen


NAMED = ((PATTERNS[0], None),)


@pytest.mark.parametrize("place", [(4, 1), (6, 1)])
def test_a_hole_at_some_address_is_found_although_every_other_address_is_covered(place):
    hole = ends(place)
    index = BlockIndex([[Block(NAMED, ALL.difference(hole))], [Block(addresses=ends((4, 2)))]])
    asked = [*Block(NAMED).boxes()]
    assert parse_addresses(uncovered(asked, (), (index,)).address) == hole
    assert uncovered(asked, [replace(WHOLE, addresses=hole)], (index,)) is None
    other = BlockIndex([[Block(addresses=ends((4, 2)))]])
    minus = [replace(WHOLE, addresses=ALL.difference(hole))]
    assert parse_addresses(uncovered(asked, minus, (other,)).address) == hole
    # Every address of one IP version is named, and not covered for everybody.
    whole = BlockIndex([[Block(addresses=ALL.family(place[0]), objects=Choice(frozenset("g")))]])
    covered = [replace(WHOLE, families=frozenset({10 - place[0]}))]
    assert uncovered(asked, covered, (whole,)).family in {None, place[0]}


def test_what_only_leaves_out_a_shared_name_lets_an_entry_by_that_name_have_the_rest():
    index = BlockIndex([[Block(((SHARED[0], None),), by_address=True)]])
    minus = [replace(WHOLE, shared_outside=SHARED[:1])]
    named = replace(WHOLE, inside=((PATTERNS[7], None),))
    for box in (WHOLE, named):
        assert uncovered([box], minus, (index,)) is None
        assert uncovered([box], minus, (BlockIndex([]),)).shared == "x.io"
        assert uncovered([box], (), (index,)) is not None


def test_many_sets_that_cut_across_each_other_are_looked_at_behind_those_that_hold_nearly_all(monkeypatch):
    rng = generator("across")
    count = 0
    minus = flows_search._minus

    def counted(box, other):
        nonlocal count
        count += 1
        return minus(box, other)

    def span(width):
        first, last = sorted(rng.randrange(64) for _ in range(2))
        return first * width, last * width + width - 1

    monkeypatch.setattr(flows_search, "_minus", counted)
    across = [
        replace(
            WHOLE,
            addresses=AddressSet((span(1 << 26),)),
            sources=AddressSet((span(1 << 26),)),
            ports=PortSet(tcp=(span(1000),)),
            groups=Choice(frozenset(rng.sample("abcdef", 3)), negated=rng.random() < 0.5),
        )
        for _ in range(40 * SCALE)
    ]
    halves = [replace(WHOLE, groups=Choice(frozenset("abc"), negated=out)) for out in (False, True)]
    assert witness([WHOLE], [*across, *halves]) is None
    assert 0 < count <= 2
    count = 0
    assert witness([WHOLE], [*across, halves[0]]).group not in {"a", "b", "c"}
    assert 0 < count <= 2 * len(across)


KNOWN = {"t": ends((4, 1), (6, 1))}
NETS = (ends((4, 1)), ends((4, 2)), ends((4, 1), (6, 1)), V4)


def an_endpoint(rng):
    what = rng.random()
    if what < 0.5:
        return HostEndpoint(rng.choice(SHARED), rng.choice((None, None, *PREFIXES)))
    if what < 0.75:
        return AddressEndpoint(rng.choice(NETS))
    return AnyAddressEndpoint() if what < 0.85 else TagEndpoint(rng.choice(("S", "T")))


def a_reach(rng):
    return Reach(
        rng.choice((ANY, frozenset("g"), frozenset("gh"))),
        rng.choice((ANY, frozenset("a"))),
        tuple(an_endpoint(rng) for _ in range(rng.randint(1, 3))),
        tuple(an_endpoint(rng) for _ in range(rng.choice((0, 1, 2)))),
        rng.choice(DOORS),
        rng.random() < 0.4,
        rng.choice(FAMILIES),
    )


def in_reach(reach, known):
    """The flows of a reach, from the language's page: an endpoint and no exception."""
    free = {"groups": EVERY, "families": {4, 6}, "accounts": EVERY, "ports": ALL_PORTS, "addresses": ALL}
    free |= {"tags": frozenset(), "no_tags": frozenset(), "sources": ALL, "processes": ()}
    free |= {"name": lambda _: True, "shared": lambda _: True}

    def at(endpoint):
        if isinstance(endpoint, AddressEndpoint):
            return product_of(**free | {"addresses": endpoint.addresses})
        if isinstance(endpoint, TagEndpoint):
            tag = endpoint.name.lower()
            return product_of(**free | ({"addresses": known[tag]} if tag in known else {"tags": frozenset({tag})}))
        return EVERYTHING if isinstance(endpoint, AnyAddressEndpoint) else 0

    def named(endpoint):
        return product_of(**free | {"name": lambda name: fits((endpoint.pattern, endpoint.path), name)})

    def shares(endpoint):
        return product_of(**free | {"shared": lambda name: fits((endpoint.pattern, None), name and (name, None))})

    hosts = [e for e in reach.endpoints if isinstance(e, HostEndpoint)]
    hosts_out = [e for e in reach.exceptions if isinstance(e, HostEndpoint)]
    found = (union(reach.endpoints, at) | union(hosts, named)) & ~union(hosts_out, named)
    if reach.shared:
        found |= union(hosts, shares) & ~union(hosts_out, shares)
    groups = EVERY if reach.groups is ANY else Choice(reach.groups)
    accounts = EVERY if reach.accounts is ANY else Choice(reach.accounts)
    source = {"groups": groups, "accounts": accounts, "families": reach.source_families, "ports": reach.ports}
    return found & ~union(reach.exceptions, at) & product_of(**free | source)


@pytest.mark.parametrize("known", [{}, KNOWN], ids=["opaque", "known"])
def test_reaches_are_what_the_language_says(known):
    rng = generator(f"reaches {sorted(known)}")
    for _ in range(250 * SCALE):
        reaches = [a_reach(rng) for _ in range(3)]
        held = [in_reach(reach, known) for reach in reaches]
        for reach, flows in zip(reaches, held, strict=True):
            assert union(boxes(reach, known), in_box) == flows, reach
            assert union(blocks_of(reach, known), in_block) == flows, reach
            assert all(block.names != () for block in blocks_of(reach, known)), "no name is not any name"
        index = FlowIndex(reaches[1:], known)
        meeting = [number for number, flows in enumerate(held[1:]) if flows & held[0]]
        assert index.meeting(reaches[0]) == meeting
        assert index.meets(reaches[0]) is bool(meeting)
        check(uncovered(boxes(reaches[0], known), (), (index,)), held[0] & ~held[1] & ~held[2])
