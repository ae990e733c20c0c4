"""Boxes and witnesses against brute force over a small universe."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egressc.addresses import ALL, AddressSet
from egressc.anything import ANY
from egressc.flows import boxes, common, witness
from egressc.hosts import HostPattern, matches
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint
from egressc.reach import Reach
from egressc.services import Application, PortSet, Service

pytestmark = pytest.mark.property

GROUPS = ("g", "h", None)
ACCOUNTS = ("a", None)
HOSTS = (None, "x.io", "a.x.io", "b.x.io", "a.b.x.io", "ab.x.io", "y.io", "a.y.io")
PATHS = (None, "/p", "/p/q", "/r")
ADDRESSES = (1, 2, 3, 4)
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
    for value in values:
        result = result.union(AddressSet(v4=((value, value),)))
    return result


hosts = st.builds(HostEndpoint, st.sampled_from(PATTERNS), st.sampled_from((None, None, "/p", "/p/q")))
nets = st.builds(
    lambda values: AddressEndpoint(addresses(values)), st.sets(st.sampled_from(ADDRESSES), min_size=1, max_size=2)
)
endpoints = st.one_of(hosts, hosts, hosts, nets, st.just(AnyAddressEndpoint()))
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


def holds(endpoint, host, path, address):
    """The meaning of an endpoint, written from the language's table."""
    if isinstance(endpoint, HostEndpoint):
        if host is None or not matches(endpoint.pattern, host):
            return False
        prefix = endpoint.path
        return prefix is None or (path is not None and (path == prefix or path.startswith(prefix + "/")))
    if isinstance(endpoint, AddressEndpoint):
        return any(first <= address <= last for first, last in endpoint.addresses.v4)
    return True


def inside(reach, flow):
    group, family, account, host, path, address, shared, port = flow
    if reach.groups is not ANY and group not in reach.groups:
        return False
    if reach.accounts is not ANY and account not in reach.accounts:
        return False
    if family not in reach.source_families or not reach.ports.overlaps(
        PortSet.of((Service(Application.TCP, port, port),))
    ):
        return False
    # A name that is an exception does not let the flow in under that name; an address that is one, never.
    names_out = [e for e in reach.exceptions if isinstance(e, HostEndpoint)]
    if any(holds(e, host, path, address) for e in reach.exceptions if not isinstance(e, HostEndpoint)):
        return False
    host_excepted = any(holds(e, host, path, address) for e in names_out)
    for endpoint in reach.endpoints:
        if holds(endpoint, host, path, address) and not host_excepted:
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


UNIVERSE = [
    (g, f, a, h, p, d, s, port)
    for g, f, a, h, p, d, s, port in product(GROUPS, (4, 6), ACCOUNTS, HOSTS, PATHS, ADDRESSES, HOSTS[:4], PORTS)
    if not (h is None and p is not None)
]


def check(found, positive, negative):
    """A witness must be a flow of the universe's kind that is in and out where it says."""
    flow = None
    if found is not None:
        address = int.from_bytes(bytes(int(x) for x in found.address.split(".")), "big") if found.address else None
        candidates = [address] if address is not None else [*ADDRESSES, 99]
        flow = [
            (found.group, family, found.account, found.host, found.path, d, found.shared, found.port)
            for family in (4, 6)
            for d in candidates
        ]
        assert any(
            any(inside(r, f) for r in positive) and not any(inside(r, f) for r in negative) for f in flow
        ), found


@settings(max_examples=150, deadline=None)
@given(reaches, st.lists(reaches, max_size=3))
def test_witness_is_exact(positive, negative):
    pieces = [b for reach in negative for b in boxes(reach, {})]
    found = witness(boxes(positive, {}), pieces)
    check(found, [positive], negative)
    if found is None:
        for flow in UNIVERSE:
            assert not (inside(positive, flow) and not any(inside(r, flow) for r in negative)), flow


@settings(max_examples=80, deadline=None)
@given(reaches, reaches)
def test_common_is_the_intersection(one, other):
    both = [c for a in boxes(one, {}) for b in boxes(other, {}) if (c := common(a, b)) is not None]
    found = witness(both, ())
    some = any(inside(one, flow) and inside(other, flow) for flow in UNIVERSE)
    if some:
        assert found is not None
    if found is not None:
        check(found, [one], [])
        check(found, [other], [])


def test_any_address_is_not_the_empty_set():
    assert not ALL.is_empty
    everything = Reach(ANY, ANY, (AnyAddressEndpoint(),), (), PortSet.of((Service(Application.TCP, 1, 1),)))
    nothing = witness(boxes(everything, {}), tuple(boxes(everything, {})))
    assert nothing is None


@settings(max_examples=60, deadline=None)
@given(reaches)
def test_one_family_does_not_cover_both(reach):
    one = Reach(
        reach.groups, reach.accounts, reach.endpoints, reach.exceptions, reach.ports, reach.shared, frozenset({4})
    )
    other = Reach(
        reach.groups, reach.accounts, reach.endpoints, reach.exceptions, reach.ports, reach.shared, frozenset({6})
    )
    both = Reach(
        reach.groups, reach.accounts, reach.endpoints, reach.exceptions, reach.ports, reach.shared, frozenset({4, 6})
    )
    nothing = witness(boxes(other, {}), ()) is None
    assert (witness(boxes(both, {}), tuple(boxes(one, {}))) is None) is nothing
    assert (witness(boxes(other, {}), tuple(boxes(one, {}))) is None) is nothing
    assert all(common(a, b) is None for a in boxes(one, {}) for b in boxes(other, {}))
