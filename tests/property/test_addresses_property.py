"""Address sets and ranges against sets of integers, and against the standard library's networks."""

from __future__ import annotations

import ipaddress
import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from egressc import ranges
from egressc.addresses import AddressSet, parse_addresses, union_of

pytestmark = pytest.mark.property

TOP = 63  # the world: the numbers 0 to 63, at the bottom of both families
pairs = st.tuples(st.integers(0, TOP), st.integers(0, TOP)).map(lambda p: (min(p), max(p)))
drawn = st.lists(pairs, max_size=6)
sets = st.builds(lambda a, b: AddressSet(ranges.merged(a), ranges.merged(b)), drawn, drawn)


def numbers(held):
    return {n for first, last in held for n in range(first, last + 1)}


def members(addresses):
    return {(4, n) for n in numbers(addresses.v4)} | {(6, n) for n in numbers(addresses.v6)}


def is_normal(held):
    return all(a <= b for a, b in held) and all(a[1] + 1 < b[0] for a, b in itertools.pairwise(held))


@given(drawn, drawn)
def test_ranges_are_sets_of_numbers(a_drawn, b_drawn):
    a, b = ranges.merged(a_drawn), ranges.merged(b_drawn)
    in_a, in_b = numbers(a_drawn), numbers(b_drawn)
    assert numbers(a) == in_a
    for result, expected in (
        (a, in_a),
        (ranges.union(a, b), in_a | in_b),
        (ranges.intersection(a, b), in_a & in_b),
        (ranges.difference(a, b), in_a - in_b),
    ):
        assert is_normal(result)
        assert numbers(result) == expected
    assert ranges.overlap(a, b) == bool(in_a & in_b)
    assert ranges.contain(a, b) == (in_b <= in_a)
    assert ranges.size(a) == len(in_a)


@given(sets, sets)
def test_operations(a, b):
    assert members(a.union(b)) == members(a) | members(b)
    assert members(a.intersection(b)) == members(a) & members(b)
    assert members(a.difference(b)) == members(a) - members(b)
    assert a.overlaps(b) == bool(members(a) & members(b))
    assert a.contains(b) == (members(b) <= members(a))
    assert a.is_empty == (not members(a))
    assert a.size == len(members(a))
    assert members(a.family(4)) | members(a.family(6)) == members(a)
    assert a.family(4).v6 == a.family(6).v4 == ()
    assert (a == b) == (members(a) == members(b))


@given(st.lists(sets, max_size=5))
def test_union_of_many(many):
    assert members(union_of(many)) == set().union(*(members(s) for s in many))


def range_of(first, last):
    return ranges.merged([(min(first, last), max(first, last))])


wide_v4 = st.builds(range_of, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
wide_v6 = st.builds(range_of, st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1))
near_v4 = st.builds(lambda a, n: ((a, a + n),), st.integers(0, 2**31), st.integers(0, 600))


@given(st.builds(AddressSet, st.one_of(wide_v4, near_v4), wide_v6))
def test_networks_are_those_of_the_standard_library(addresses):
    for family, held, make in ((4, addresses.v4, ipaddress.IPv4Address), (6, addresses.v6, ipaddress.IPv6Address)):
        expected = [n for a, b in held for n in ipaddress.summarize_address_range(make(a), make(b))]
        assert [ipaddress.ip_network(c) for c in addresses.cidrs(family)] == expected
        assert [ipaddress.ip_network(c) for c in addresses.blocks(family)] == expected
        assert all(("/" in b) == (n.num_addresses > 1) for b, n in zip(addresses.blocks(family), expected, strict=True))
        shown = [(make(a), make(b)) for a, b in addresses.ranges(family)]
        assert [(int(a), int(b)) for a, b in shown] == list(held)


@given(st.builds(AddressSet, st.one_of(wide_v4, near_v4, st.just(())), st.one_of(wide_v6, st.just(()))))
def test_the_text_is_read_back(addresses):
    # The language refuses IPv4-mapped addresses, so a set of nothing else cannot be read back.
    assume(not any(a >> 32 == b >> 32 == 0xFFFF for a, b in addresses.v6))
    if addresses.is_empty:
        assert addresses.text == "no addresses"
        return
    words = addresses.text.split()
    read = [parse_addresses(word) for word in words]
    assert union_of(read) == addresses
    assert len(words) == len(addresses.v4) + len(addresses.v6)
    assert parse_addresses(addresses.first()).size == 1
    assert addresses.contains(parse_addresses(addresses.first()))


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_a_prefix_is_a_network_or_refused(value, length):
    text = f"{ipaddress.IPv4Address(value)}/{length}"
    read = parse_addresses(text)
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        assert read.code == "E0306"
        assert f"`{ipaddress.IPv4Network(text, strict=False)}`" in read.help
    else:
        assert read == AddressSet(v4=((int(network[0]), int(network[-1])),))


@given(st.text("0123456789abcdef:./-%[]", max_size=24))
def test_any_text_gives_addresses_or_a_tight_problem(text):
    read = parse_addresses(text)
    if isinstance(read, AddressSet):
        assert not read.is_empty
        first = text.split("-")[0].split("/")[0]
        assert int(ipaddress.ip_address(first)) == (read.v4 or read.v6)[0][0]
    else:
        assert 0 <= read.start <= read.end <= len(text)
        assert read.start < read.end or not text
