"""The form of a set of blocks: the same for the same flows in other pieces, and never the same for other flows."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest

from egressc.addresses import ALL, EMPTY, parse_addresses, union_of
from egressc.flows import Choice
from egressc.hosts import HostPattern
from egressc.meaning import Block
from egressc.proof_canon import INSIDE, OUTSIDE, Canon
from egressc.services import PortSet

A, B = ((HostPattern((name, "example")), None) for name in "ab")
NET, OTHER = parse_addresses("192.0.2.0/24"), parse_addresses("198.51.100.0/24")
SIX = parse_addresses("2001:db8::/32")
WEB, DNS = PortSet(tcp=((443, 443),)), PortSet(udp=((53, 53),))
WHOLE = Block((A, B), union_of([NET, OTHER]), WEB.union(DNS), union_of([NET, OTHER]))


def users(*names, but=False, **more):
    kinds = {"linux-user": Choice(frozenset(names), but), **{k: Choice(frozenset(v)) for k, v in more.items()}}
    return tuple(sorted(kinds.items()))


def same(one, other):
    canon = Canon()
    return canon.form(one) == canon.form(other)


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        ({"names": ((A,), (B,))}, {"names": (A, B)}),
        ({"names": ((A, B),)}, {"names": (B, A)}),
        ({"names": ((A,), None)}, {"names": None}),
        ({"ports": (WEB, DNS)}, {"ports": WEB.union(DNS)}),
        ({"addresses": (NET, OTHER)}, {"addresses": union_of([NET, OTHER])}),
        ({"addresses": (NET, SIX), "sources": (ALL, ALL)}, {"addresses": union_of([NET, SIX]), "sources": ALL}),
        ({"sources": (NET, OTHER)}, {"sources": union_of([NET, OTHER])}),
        ({"names": ((A,), (A,))}, {"names": (A,)}),
        ({"processes": (users("u"), users("v"))}, {"processes": users("u", "v")}),
        ({"processes": (users("u"), users("v"), users("w"))}, {"processes": users("u", "v", "w")}),
        ({"processes": (users("u"), users("u", "v", but=True))}, {"processes": users("v", but=True)}),
        ({"processes": (users("u"), ())}, {"processes": ()}),
        (
            {"processes": (users("u", app="p"), users("v", app="p"))},
            {"processes": users("u", "v", app="p")},
        ),
        (
            {"processes": (users("u", app="p"), users("u", app="q"))},
            {"processes": users("u", app="pq")},
        ),
    ],
)
def test_pieces_have_the_form_of_the_whole(pieces, whole):
    ((first, values), *rest) = pieces.items()
    made = [replace(WHOLE, **{first: value}) for value in values]
    for field, more in rest:
        made = [replace(block, **{field: value}) for block, value in zip(made, more, strict=True)]
    assert same(made, [replace(WHOLE, **whole)])
    assert same(made[::-1], [replace(WHOLE, **whole)])


def test_a_product_in_pieces_of_all_its_fields_has_one_form():
    pieces = [
        replace(WHOLE, names=names, addresses=place, ports=ports, sources=sources)
        for names, place, ports, sources in itertools.product(((A,), (B,)), (NET, OTHER), (WEB, DNS), (NET, OTHER))
    ]
    random.Random(1).shuffle(pieces)
    assert same(pieces, [WHOLE])
    assert not same(pieces[1:], [WHOLE])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # They differ in two fields: together they are no product.
        ([{"names": (A,), "ports": WEB}, {"names": (B,), "ports": DNS}], [{}]),
        ([{"processes": users("u", app="p")}, {"processes": users("v", app="q")}], [{"processes": users("u", "v", app="pq")}]),
        ([{"processes": users("u")}, {"processes": users("u", app="p")}], [{"processes": users("u", app="p")}]),
        ([{"processes": users("u")}], [{"processes": users("u", but=True)}]),
        ([{"by_address": True}], [{}]),
        ([{"names_out": (A,)}], [{}]),
        ([{"names_out": (A,)}, {"names_out": (B,)}], [{"names_out": (A, B)}]),
        ([{"objects": Choice(frozenset("g"))}], [{}]),
        ([{"tags": frozenset("t")}], [{"no_tags": frozenset("t")}]),
        ([{"tags": frozenset("t")}], [{}]),
        ([{"no_tags": frozenset("t")}], [{}]),
        ([{"addresses": NET}], [{"addresses": OTHER}]),
        ([{"sources": NET}], [{"sources": OTHER}]),
        ([{"names": None}], [{"names": (A,)}]),
        ([{"addresses": NET, "sources": ALL}], [{"addresses": SIX, "sources": ALL}]),
        ([{}], []),
    ],
)  # fmt: skip
def test_other_flows_have_another_form(one, other):
    assert not same([replace(WHOLE, **each) for each in one], [replace(WHOLE, **each) for each in other])


APART = (
    ({"processes": users("u", app="p")}, {"processes": users("v", app="q")}),
    ({"processes": users("u")}, {"processes": users("v", app="q")}),
)


@pytest.mark.parametrize("apart", APART, ids=["two differ", "other kinds"])
def test_processes_that_are_no_product_together_stay_apart(apart):
    def made(some):
        return [replace(WHOLE, **each) for each in some]

    assert same(made(apart), made(apart[::-1]))
    for other in (
        [],
        apart[:1],
        apart[1:],
        [apart[0], {"processes": users("w", app="q")}],
        [apart[0], {"processes": users("v", app="r")}],
        [apart[0], {"processes": users("v")}],
        [each | {"names": (A,)} for each in apart],
        [each | {"ports": WEB} for each in apart],
        [each | {"tags": frozenset("t")} for each in apart],
        [each | {"by_address": True} for each in apart],
    ):
        assert not same(made(apart), made(other))


def test_what_is_no_destination_of_a_flow_makes_no_difference():
    assert union_of([parse_addresses(each) for each in ("127.0.0.0/8", "224.0.0.0/4", "::/127", "ff00::/8")]) == OUTSIDE
    inside = Block(addresses=INSIDE)
    assert same([inside], [Block()])
    assert same([replace(inside, addresses=union_of([NET, OUTSIDE]))], [replace(inside, addresses=NET)])
    assert same([Block(addresses=OUTSIDE)], [])
    assert not same([Block(sources=INSIDE)], [Block()]), "but a source may be anything"
    for text in ("127.0.0.1", "224.0.0.1", "239.255.255.255", "::", "::1", "ff02::1"):
        assert same([Block(addresses=parse_addresses(text))], []), text
    for text in ("126.255.255.255", "128.0.0.0", "223.255.255.255", "240.0.0.0", "::2", "fe80::1"):
        assert not same([Block(addresses=parse_addresses(text))], []), text


def test_flows_are_of_the_ip_version_of_source_and_destination():
    # From IPv4 to IPv6 there is no flow.
    assert same([Block(addresses=SIX, sources=NET)], [])
    assert same([Block(addresses=SIX, sources=union_of([NET, SIX]))], [Block(addresses=SIX, sources=SIX)])
    assert same([Block(addresses=EMPTY)], [])
    assert same([Block(addresses=NET), Block(addresses=SIX)], [Block(addresses=union_of([NET, SIX]))])


def test_what_has_one_form_holds_the_same_flows():
    rng = random.Random(20261126)
    places = [parse_addresses(text) for text in ("192.0.2.1", "192.0.2.2", "2001:db8::1")]
    doors = [PortSet(tcp=((1, 1),)), PortSet(tcp=((2, 2),)), PortSet(udp=((1, 1),))]

    def some(values):
        return rng.sample(values, rng.randint(1, len(values)))

    def product():
        names = None if rng.random() < 0.3 else some([A, B])
        whom = () if rng.random() < 0.5 else (("linux-user", Choice(frozenset(some(["u", "v"])), rng.random() < 0.5)),)
        place, door = some(places), some(doors)
        block = Block(names and tuple(names), union_of(place), union_ports(door), processes=whom)
        who = {u for u in "uvw" if not whom or (u in whom[0][1].names) is not whom[0][1].negated}
        flows = itertools.product(names or [A, B, None], map(id, place), map(id, door), who)
        return block, frozenset(flows)

    canon, equal = Canon(), 0
    for _ in range(4000):
        one, other = ([product() for _ in range(rng.randint(1, 3))] for _ in range(2))
        if rng.random() < 0.5:
            other = [*rng.sample(one, rng.randint(1, len(one))), *other[1:2]]
        if canon.form([block for block, _ in one]) == canon.form([block for block, _ in other]):
            equal += 1
            assert frozenset().union(*[f for _, f in one]) == frozenset().union(*[f for _, f in other])
    assert equal > 100


def union_ports(doors):
    found = doors[0]
    for door in doors[1:]:
        found = found.union(door)
    return found
