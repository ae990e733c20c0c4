"""Services and port sets against sets of (transport, port)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egressc import ranges
from egressc.problems import Problem
from egressc.services import Application, PortSet, Service, parse_service

pytestmark = pytest.mark.property

ports = st.integers(1, 40)
services = st.builds(
    lambda application, a, b: Service(application, min(a, b), max(a, b)), st.sampled_from(Application), ports, ports
)
port_sets = st.lists(services, max_size=6).map(PortSet.of)


def members(held):
    return {(t, n) for t in ("tcp", "udp") for first, last in held.transport(t) for n in range(first, last + 1)}


def meant(service):
    transport = "udp" if service.application == "udp" else "tcp"
    return {(transport, n) for n in range(service.first, service.last + 1)}


@given(st.lists(services, max_size=6))
def test_the_ports_of_services(many):
    held = PortSet.of(many)
    assert members(held) == set().union(*(meant(s) for s in many))
    assert held.size == len(members(held))
    assert held.tcp == ranges.merged(held.tcp)
    assert held.udp == ranges.merged(held.udp)


@given(port_sets, port_sets)
def test_operations(a, b):
    assert members(a.union(b)) == members(a) | members(b)
    assert members(a.intersection(b)) == members(a) & members(b)
    assert members(a.difference(b)) == members(a) - members(b)
    assert a.overlaps(b) == bool(members(a) & members(b))
    assert a.contains(b) == (members(b) <= members(a))
    assert a.is_empty == (not members(a))
    if not a.is_empty:
        assert a.first() == min(members(a))


@given(port_sets)
def test_the_text_is_read_back(held):
    if held.is_empty:
        assert held.text == "no ports"
    else:
        assert PortSet.of(parse_service(word) for word in held.text.split()) == held


@given(st.sampled_from(Application), st.integers(1, 65535), st.integers(1, 65535))
def test_a_service_is_read_back(application, a, b):
    service = Service(application, min(a, b), max(a, b))
    assert parse_service(service.text) == service
    assert parse_service(f"{service.first}-{service.last}/{application}") == service


@given(st.one_of(st.text("0123456789/-anytcphsul", max_size=12), st.text(max_size=8)))
def test_any_text_gives_a_service_or_a_tight_problem(text):
    read = parse_service(text)
    if isinstance(read, Problem):
        assert 0 <= read.start <= read.end <= len(text)
        assert read.start < read.end or not text
    else:
        assert re.fullmatch(r"443|80|(any|[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?)/(https?|tls|tcp|udp)", text)
        assert 1 <= read.first <= read.last <= 65535
