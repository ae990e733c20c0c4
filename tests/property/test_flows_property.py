"""Boxes and witnesses against brute force over a small universe."""

from __future__ import annotations

from ipaddress import ip_address
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egressc.addresses import ALL, AddressSet
from egressc.anything import ANY
from egressc.flows import boxes
from egressc.flows_index import FlowIndex, uncovered
from egressc.flows_search import in_both, witness
from egressc.hosts import HostPattern, matches
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint
from egressc.reach import Reach
from egressc.services import Application, PortSet, Service

pytestmark = pytest.mark.property

GROUPS = ("g", "h", None)
ACCOUNTS = ("a", None)
HOSTS = (None, "x.io", "a.x.io", "b.x.io", "a.b.x.io", "ab.x.io", "y.io", "a.y.io")
PATHS = (None, "/p", "/p/q", "/r")
ADDRESSES = ((4, 1), (4, 2), (4, 3), (6, 1), (6, 2))
NOWHERE = (4, 99)
PORTS = (1, 2)

PATTERNS = (
    HostPattern(("x", "io")),
    HostPattern(("x", "io"), deep=True),
    HostPattern(("a", "x", "io")),
    HostPattern(("*", "x", "io")),
    HostPattern(("a*", "x", "io")),
    HostPattern(("*b", "x", "io")),
    HostPattern(("y", "io"), deep=True),
    HostPattern(("b", "x", "io"), deep=True),
)


def addresses(values):
    result = AddressSet()
    for family, value in values:
        one = ((value, value),)
        result = result.union(AddressSet(v4=one) if family == 4 else AddressSet(v6=one))
    return result


hosts = st.builds(HostEndpoint, st.sampled_from(PATTERNS), st.sampled_from((None, None, "/p", "/p/q")))
nets = st.builds(
    lambda values: AddressEndpoint(addresses(values)), st.sets(st.sampled_from(ADDRESSES), min_size=1, max_size=2)
)
TAG = TagEndpoint("Opaque")
endpoints = st.one_of(hosts, hosts, hosts, nets, st.just(AnyAddressEndpoint()), st.just(TAG))
choices = st.one_of(st.just(ANY), st.frozensets(st.sampled_from(("g", "h")), min_size=1))
who = st.one_of(st.just(ANY), st.just(frozenset({"a"})))
ports = st.sets(st.sampled_from(PORTS), min_size=1).map(
    lambda held: PortSet.of(tuple(Service(Application.TCP, p, p) for p in sorted(held)))
)
reaches = st.builds(
    Reach,
    choices,
    who,
    st.lists(endpoints, min_size=1, max_size=2).map(tuple),
    st.lists(endpoints, max_size=1).map(tuple),
    ports,
    st.booleans(),
    st.sampled_from((frozenset({4, 6}), frozenset({4}))),
)


def holds(endpoint, flow):
    """The meaning of an endpoint, written from the language's table."""
    _, _, host, path, (family, value), tagged, _, _ = flow
    if isinstance(endpoint, HostEndpoint):
        if host is None or not matches(endpoint.pattern, host):
            return False
        prefix = endpoint.path
        return prefix is None or (path is not None and (path == prefix or path.startswith(prefix + "/")))
    if isinstance(endpoint, AddressEndpoint):
        held = endpoint.addresses.v4 if family == 4 else endpoint.addresses.v6
        return any(first <= value <= last for first, last in held)
    return tagged if isinstance(endpoint, TagEndpoint) else True


def inside(reach, flow):
    group, account, _, _, (family, _), _, shared, port = flow
    if reach.groups is not ANY and group not in reach.groups:
        return False
    if reach.accounts is not ANY and account not in reach.accounts:
        return False
    if family not in reach.source_families or not any(first <= port <= last for first, last in reach.ports.tcp):
        return False
    # A name that is an exception does not let the flow in under that name; an address that is one, never.
    names_out = [e for e in reach.exceptions if isinstance(e, HostEndpoint)]
    if any(holds(e, flow) for e in reach.exceptions if not isinstance(e, HostEndpoint)):
        return False
    host_excepted = any(holds(e, flow) for e in names_out)
    for endpoint in reach.endpoints:
        if holds(endpoint, flow) and not host_excepted:
            return True
        if (
            reach.shared
            and isinstance(endpoint, HostEndpoint)
            and shared is not None
            and matches(endpoint.pattern, shared)
            and not any(matches(e.pattern, shared) for e in names_out)
        ):
            return True
    return False


# A packet has one IP version: that of its source is that of its destination. Whether an address is under the opaque tag
# is a dimension of its own: nobody knows.
UNIVERSE = [
    flow
    for flow in product(GROUPS, ACCOUNTS, HOSTS, PATHS, (*ADDRESSES, NOWHERE, (6, 99)), (False, True), HOSTS[:4], PORTS)
    if flow[2] is not None or flow[3] is None
]


def spelled(found):
    """The flows that an example stands for: what it leaves open is anything."""
    if found.address is None:
        places = [*ADDRESSES, NOWHERE, (6, 99)]
    else:
        address = ip_address(found.address)
        places = [(address.version, int(address))]
    assert found.transport == "tcp"
    return [
        (found.group, found.account, found.host, found.path, place, tagged, found.shared, found.port)
        for place in places
        for tagged in (False, True)
        if found.family in {None, place[0]}
    ]


def check(found, positive, negative):
    """An example must be a flow that is in and out where it says."""
    assert any(
        any(inside(r, f) for r in positive) and not any(inside(r, f) for r in negative) for f in spelled(found)
    ), found


def exists(predicate):
    return any(predicate(flow) for flow in UNIVERSE)


@settings(max_examples=100, deadline=None)
@given(reaches, st.lists(reaches, max_size=3))
def test_witness_is_exact(positive, negative):
    found = witness(boxes(positive, {}), [b for reach in negative for b in boxes(reach, {})])
    if found is not None:
        check(found, [positive], negative)
    else:
        assert not exists(lambda f: inside(positive, f) and not any(inside(r, f) for r in negative))


@settings(max_examples=60, deadline=None)
@given(reaches, reaches)
def test_common_is_the_intersection(one, other):
    both = in_both(boxes(one, {}), tuple(boxes(other, {})))
    found = witness(both, ())
    assert (found is not None) is bool(both), "a box that is given back holds a flow"
    if found is None:
        assert not exists(lambda f: inside(one, f) and inside(other, f))
    else:
        check(found, [one], [])
        check(found, [other], [])


plain = st.lists(reaches, min_size=1, max_size=4)


@settings(max_examples=120, deadline=None)
@given(plain, plain, reaches, st.lists(reaches, max_size=1))
def test_uncovered_is_what_a_look_at_every_reach_finds(some, others, positive, minus):
    indexes = (FlowIndex(some, {}), FlowIndex(others, {}))
    negative = [*minus, *some, *others]
    expected = witness(boxes(positive, {}), [b for reach in negative for b in boxes(reach, {})])
    found = uncovered(boxes(positive, {}), [b for reach in minus for b in boxes(reach, {})], indexes)
    assert (found is None) is (expected is None)
    if found is not None:
        check(found, [positive], negative)


@settings(max_examples=120, deadline=None)
@given(plain, reaches)
def test_meeting_is_what_a_look_at_every_reach_finds(some, reach):
    index = FlowIndex(some, {})
    mine = tuple(boxes(reach, {}))
    expected = [n for n, other in enumerate(some) if in_both(mine, tuple(boxes(other, {})))]
    assert index.meeting(reach) == expected
    assert index.meets(reach) is bool(expected)


@settings(max_examples=120, deadline=None)
@given(plain, plain, reaches, st.lists(reaches, max_size=1))
def test_first_inside_is_what_a_look_at_every_reach_finds(some, others, reach, minus):
    index, covering = FlowIndex(some, {}), FlowIndex(others, {})
    without = [b for each in minus for b in boxes(each, {})]
    found = index.first_inside(tuple(boxes(reach, {})), without, (covering,))
    held = in_both(boxes(reach, {}), [b for each in some for b in boxes(each, {})])
    expected = witness(held, [*without, *(b for each in others for b in boxes(each, {}))])
    assert (found is None) is (expected is None)
    if found is not None:
        flow, number = found
        check(flow, [reach], [*minus, *others])
        check(flow, [some[number]], [*minus, *others])


def test_any_address_is_not_the_empty_set():
    assert not ALL.is_empty
    everything = Reach(ANY, ANY, (AnyAddressEndpoint(),), (), PortSet.of((Service(Application.TCP, 1, 1),)))
    nothing = witness(boxes(everything, {}), tuple(boxes(everything, {})))
    assert nothing is None


def test_an_opaque_tag_that_is_excepted_is_not_in_the_reach():
    ports = PortSet.of((Service(Application.TCP, 1, 1),))
    whole = Reach(ANY, ANY, (AnyAddressEndpoint(),), (), ports)
    part = Reach(ANY, ANY, (AnyAddressEndpoint(),), (TAG,), ports)
    tag = Reach(ANY, ANY, (TAG,), (), ports)
    assert witness(boxes(whole, {}), tuple(boxes(part, {}))) is not None
    assert witness(boxes(whole, {}), (*boxes(part, {}), *boxes(tag, {}))) is None
    assert in_both(boxes(part, {}), tuple(boxes(tag, {}))) == []


def test_one_family_does_not_cover_both():
    ports = PortSet.of((Service(Application.TCP, 1, 1),))

    def to(endpoint, *families):
        return tuple(boxes(Reach(ANY, ANY, (endpoint,), (), ports, False, frozenset(families)), {}))

    host = HostEndpoint(PATTERNS[0])
    left = witness(to(host, 4, 6), to(host, 4))
    assert left.family == 6
    assert "(IPv6)" in left.text
    assert in_both(to(host, 4), to(host, 6)) == []
    only_v4 = AddressEndpoint(addresses({(4, 1)}))
    assert witness(to(only_v4, 6), ()) is None, "no packet goes from an IPv6 source to an IPv4 destination"
    assert witness(to(only_v4, 4, 6), to(only_v4, 4)) is None
