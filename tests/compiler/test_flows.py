"""How a flow is worded, choices of names against every name, and the boxes of a reach; more stands in `tests/property`."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from egressc.addresses import ALL, EMPTY, parse_addresses
from egressc.anything import ANY
from egressc.flows import EVERY, Box, Choice, Flow, addresses_of, boxes, opaque_tags
from egressc.hosts import HostPattern
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint
from egressc.reach import BOTH_FAMILIES, Reach
from egressc.services import PortSet

HTTPS = PortSet(tcp=((443, 443),))
NAMES = ("a", "b", "c")
CHOICES = [
    Choice(frozenset(some), out)
    for size in range(3)
    for some in itertools.combinations("ab", size)
    for out in (False, True)
]

PLAIN = Flow("web", None, "www.example.com", None, None, None, "tcp", 443)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, "web → www.example.com:443"),
        ({"host": None}, "web → any address:443"),
        ({"host": None, "address": "192.0.2.1"}, "web → 192.0.2.1:443"),
        ({"host": None, "address": "2001:db8::1"}, "web → [2001:db8::1]:443"),
        ({"address": "192.0.2.1"}, "web → www.example.com:443 at 192.0.2.1"),
        ({"group": None}, "another source → www.example.com:443"),
        ({"group": None, "source": "10.0.0.1"}, "10.0.0.1 → www.example.com:443"),
        ({"source": "10.0.0.1"}, "web → www.example.com:443"),
        ({"family": 6}, "web (IPv6) → www.example.com:443"),
        ({"account": "agent", "process": "linux-user u"}, "web as agent → www.example.com:443"),
        ({"process": "linux-user u"}, "web as linux-user u → www.example.com:443"),
        ({"transport": "udp"}, "web → www.example.com:443/udp"),
        ({"path": "/pkiops"}, "web → www.example.com:443/pkiops"),
        (
            {"host": None, "address": "192.0.2.1", "shared": "b.example"},
            "web → 192.0.2.1:443 (an address that b.example shares)",
        ),
    ],
)
def test_a_flow_in_one_line(change, text):
    assert replace(PLAIN, **change).text == text


def chosen(choice):
    """Which of the names are chosen, of which nobody listed the last."""
    return {name for name in NAMES if (name in choice.names) is not choice.negated}


def test_choices_are_what_a_look_at_every_name_finds():
    for one in CHOICES:
        assert one.is_empty is (not chosen(one))
        for other in CHOICES:
            assert one.meets(other) is bool(chosen(one) & chosen(other)), (one, other)
            assert chosen(one.within(other)) == chosen(one) & chosen(other), (one, other)
            assert chosen(one.minus(other)) == chosen(one) - chosen(other), (one, other)
    assert chosen(EVERY) == set(NAMES)


def host(name, path=None):
    return HostEndpoint(HostPattern(tuple(name.split("."))), path)


NET, IN_NET, OUT = (parse_addresses(each) for each in ("192.0.2.0/24", "192.0.2.0/25", "192.0.2.128/25"))
STORAGE = parse_addresses("198.51.100.0/24")
TAGS = {"storage": STORAGE}
REACH = Reach(frozenset({"g"}), frozenset({"acc"}), (), (), HTTPS, source_families=frozenset({4}))
WHOLE = Box(Choice(frozenset({"g"})), frozenset({4}), Choice(frozenset({"acc"})), HTTPS, ALL)


def of(endpoints, exceptions=(), *, tags=None, **changes):
    reach = replace(REACH, endpoints=tuple(endpoints), exceptions=tuple(exceptions), **changes)
    return list(boxes(reach, TAGS if tags is None else tags))


def test_the_boxes_of_a_reach_are_one_for_each_endpoint():
    www = (HostPattern(("www", "example")), "/a")
    endpoints = (host("www.example", "/a"), AddressEndpoint(NET), AnyAddressEndpoint(), TagEndpoint("Storage"))
    assert of(endpoints) == [
        replace(WHOLE, inside=(www,)),
        replace(WHOLE, addresses=NET),
        WHOLE,
        replace(WHOLE, addresses=STORAGE),
    ]
    assert of(endpoints[-1:], tags={}) == [replace(WHOLE, tags=frozenset({"storage"}))]
    assert of(endpoints[2:3], groups=ANY, accounts=ANY) == [replace(WHOLE, groups=EVERY, accounts=EVERY)]


def test_a_name_that_is_known_by_its_address_has_a_box_for_the_name_that_shares_it():
    www, old = HostPattern(("www", "example")), HostPattern(("old", "example"))
    assert of([host("www.example", "/a")], [host("old.example", "/b")], shared=True) == [
        replace(WHOLE, inside=((www, "/a"),), outside=((old, "/b"),)),
        replace(WHOLE, shared_inside=(www,), shared_outside=(old,)),
    ]


@pytest.mark.parametrize("shared", [False, True])
def test_exceptions_are_taken_out_of_every_endpoint(shared):
    www, old = HostPattern(("www", "example")), (HostPattern(("old", "example")), None)
    endpoints = (host("www.example"), TagEndpoint("Sql"), AddressEndpoint(NET))
    exceptions = (host("old.example"), AddressEndpoint(OUT), TagEndpoint("Storage"), TagEndpoint("Other"))
    free = ALL.difference(OUT).difference(STORAGE)
    common = {"no_tags": frozenset({"other"})}
    by_address = [replace(WHOLE, addresses=free, shared_inside=(www,), shared_outside=(old[0],), **common)]
    assert of(endpoints, exceptions, shared=shared) == [
        replace(WHOLE, addresses=free, inside=((www, None),), outside=(old,), **common),
        *(by_address if shared else []),
        replace(WHOLE, addresses=free, outside=(old,), tags=frozenset({"sql"}), **common),
        replace(WHOLE, addresses=IN_NET, outside=(old,), **common),
    ]


def test_the_addresses_of_endpoints():
    assert addresses_of(AddressEndpoint(NET), TAGS) == NET
    assert addresses_of(AddressEndpoint(EMPTY), TAGS) == EMPTY
    assert addresses_of(AnyAddressEndpoint(), TAGS) is addresses_of(host("a.example"), TAGS) is ALL
    assert addresses_of(TagEndpoint("STORAGE"), TAGS) == STORAGE
    assert addresses_of(TagEndpoint("Sql"), TAGS) is None
    assert opaque_tags((TagEndpoint("Sql"), TagEndpoint("Storage"), host("a.example")), TAGS) == {"sql"}


def test_a_box_holds_everything_that_it_does_not_speak_of():
    box = Box(EVERY, BOTH_FAMILIES, EVERY, HTTPS, ALL)
    assert (box.inside, box.outside, box.shared_inside, box.shared_outside, box.processes) == ((), (), (), (), ())
    assert (box.tags, box.no_tags, box.sources) == (frozenset(), frozenset(), ALL)
