"""Every operator on sets of flows, broken on purpose, is caught by the checks of `test_flows_property`."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import test_flows_property as checks

from egressc import flows_index, flows_search
from egressc.anything import ANY
from egressc.flows import Choice
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint
from egressc.reach import Reach
from egressc.services import Application, PortSet, Service

pytestmark = pytest.mark.property

SEED = 20261126
CASES = 250


def endpoint(rng):
    what = rng.randrange(6)
    if what < 3:
        return HostEndpoint(rng.choice(checks.PATTERNS), rng.choice((None, None, "/p", "/p/q")))
    if what == 3:
        return AddressEndpoint(checks.addresses(rng.sample(checks.ADDRESSES, rng.randint(1, 2))))
    return AnyAddressEndpoint() if what == 4 else checks.TAG


def reach(rng):
    held = sorted(rng.sample(checks.PORTS, rng.randint(1, 2)))
    return Reach(
        rng.choice((ANY, frozenset({"g"}), frozenset({"g", "h"}))),
        rng.choice((ANY, ANY, frozenset({"a"}))),
        tuple(endpoint(rng) for _ in range(rng.randint(1, 2))),
        tuple(endpoint(rng) for _ in range(rng.choice((0, 0, 1)))),
        PortSet.of(tuple(Service(Application.TCP, p, p) for p in held)),
        rng.random() < 0.4,
        rng.choice((frozenset({4, 6}), frozenset({4, 6}), frozenset({4}))),
    )


def check_all():
    """Run the checks of the property tests on the same random reaches every time."""
    rng = random.Random(SEED)
    for _ in range(CASES):
        one, other, third = (reach(rng) for _ in range(3))
        some = [reach(rng) for _ in range(rng.randint(1, 3))]
        # Reaches that have much in common are where a piece more or less shows.
        near = replace(
            one, **rng.choice(({"ports": other.ports}, {"groups": other.groups}, {"shared": not one.shared}))
        )
        checks.test_witness_is_exact.hypothesis.inner_test(one, [near, other])
        checks.test_common_is_the_intersection.hypothesis.inner_test(one, rng.choice((near, other)))
        checks.test_uncovered_is_what_a_look_at_every_reach_finds.hypothesis.inner_test(some, [near], one, [third])
        checks.test_meeting_is_what_a_look_at_every_reach_finds.hypothesis.inner_test([*some, other], one)
        checks.test_first_inside_is_what_a_look_at_every_reach_finds.hypothesis.inner_test(
            [*some, near], [other], one, [third]
        )


def put(monkeypatch, name, broken):
    """Put a broken function everywhere in the place of one of the search."""
    whole = getattr(flows_search, name)
    for module in (flows_search, flows_index, checks):
        if getattr(module, name, None) is whole:
            monkeypatch.setattr(module, name, broken)


def union_without_the_last(monkeypatch):
    whole = checks.boxes
    monkeypatch.setattr(checks, "boxes", lambda reach, tags: [*whole(reach, tags)][:1])


def union_of_an_index_without_its_first_entry(monkeypatch):
    whole = flows_index.BlockIndex.boxes_of
    monkeypatch.setattr(flows_index.BlockIndex, "boxes_of", lambda self, n: () if n == 0 else whole(self, n))


def choices_of_which_neither_holds_others(monkeypatch):
    monkeypatch.setattr(Choice, "within", lambda self, other: self)


def intersection_is_one_of_the_two(monkeypatch):
    whole = flows_search.common
    put(monkeypatch, "common", lambda one, other: one if whole(one, other) is not None else None)


def intersection_is_never_empty(monkeypatch):
    put(monkeypatch, "common", lambda one, other: one)


def intersection_is_always_empty(monkeypatch):
    put(monkeypatch, "common", lambda one, other: None)


def intersection_forgets_what_is_left_out(monkeypatch):
    whole = flows_search.common

    def broken(one, other):
        return whole(one, replace(other, outside=(), shared_outside=()))

    put(monkeypatch, "common", broken)


def difference_is_everything(monkeypatch):
    put(monkeypatch, "_minus", lambda box, other: [box])


def difference_is_nothing(monkeypatch):
    put(monkeypatch, "_minus", lambda box, other: [])


def difference_without_its_first_piece(monkeypatch):
    whole = flows_search._minus
    put(monkeypatch, "_minus", lambda box, other: whole(box, other)[1:])


def difference_without_its_last_piece(monkeypatch):
    whole = flows_search._minus
    put(monkeypatch, "_minus", lambda box, other: whole(box, other)[:-1])


def difference_of_choices_is_the_first(monkeypatch):
    monkeypatch.setattr(Choice, "minus", lambda self, other: self)


def nothing_touches(monkeypatch):
    put(monkeypatch, "_touch", lambda box, other: False)


def no_box_is_empty_by_its_name(monkeypatch):
    whole = flows_search._name
    put(monkeypatch, "_name", lambda box: whole(replace(box, outside=())))


def no_box_is_empty_by_its_shared_name(monkeypatch):
    whole = flows_search._shared
    put(monkeypatch, "_shared", lambda box: whole(replace(box, shared_outside=())))


def no_box_is_empty_by_its_ip_versions(monkeypatch):
    put(monkeypatch, "_carried", lambda box: box.addresses)


def every_box_is_empty(monkeypatch):
    put(monkeypatch, "_example", lambda box: None)


def inclusion_of_nothing(monkeypatch):
    monkeypatch.setattr(checks, "uncovered", lambda positive, minus, indexes: checks.witness(positive, minus))


def inclusion_looks_at_one_index(monkeypatch):
    whole = flows_index.uncovered
    monkeypatch.setattr(checks, "uncovered", lambda positive, minus, indexes: whole(positive, minus, indexes[:1]))


def inclusion_forgets_what_is_taken_away(monkeypatch):
    whole = flows_index.uncovered
    monkeypatch.setattr(checks, "uncovered", lambda positive, minus, indexes: whole(positive, (), indexes))


def inclusion_of_everything(monkeypatch):
    monkeypatch.setattr(checks, "uncovered", lambda positive, minus, indexes: None)


def inclusion_only_where_no_entry_names_the_address(monkeypatch):
    monkeypatch.setattr(flows_index.BlockIndex, "over_addresses", lambda self, box: [])


def inclusion_only_by_address(monkeypatch):
    monkeypatch.setattr(flows_index.BlockIndex, "over_names", lambda self, box, aside: [])


def witness_takes_nothing_away(monkeypatch):
    whole = flows_search.witness
    put(monkeypatch, "witness", lambda positive, negative: whole(positive, ()))


def witness_forgets_the_last(monkeypatch):
    whole = flows_search.witness
    put(monkeypatch, "witness", lambda positive, negative: whole(positive, [*negative][:-1]))


def witness_never_finds_any(monkeypatch):
    put(monkeypatch, "witness", lambda positive, negative: None)


def witness_on_another_port(monkeypatch):
    whole = flows_search._example

    def broken(box):
        flow = whole(box)
        return None if flow is None else replace(flow, port=flow.port + 1)

    put(monkeypatch, "_example", broken)


def witness_of_another_host(monkeypatch):
    whole = flows_search._example

    def broken(box):
        flow = whole(box)
        return None if flow is None else replace(flow, host="elsewhere.example")

    put(monkeypatch, "_example", broken)


BROKEN = [
    union_without_the_last,
    union_of_an_index_without_its_first_entry,
    choices_of_which_neither_holds_others,
    intersection_is_one_of_the_two,
    intersection_is_never_empty,
    intersection_is_always_empty,
    intersection_forgets_what_is_left_out,
    difference_is_everything,
    difference_is_nothing,
    difference_without_its_first_piece,
    difference_without_its_last_piece,
    difference_of_choices_is_the_first,
    nothing_touches,
    no_box_is_empty_by_its_name,
    no_box_is_empty_by_its_shared_name,
    no_box_is_empty_by_its_ip_versions,
    every_box_is_empty,
    inclusion_of_nothing,
    inclusion_looks_at_one_index,
    inclusion_forgets_what_is_taken_away,
    inclusion_of_everything,
    inclusion_only_where_no_entry_names_the_address,
    inclusion_only_by_address,
    witness_takes_nothing_away,
    witness_forgets_the_last,
    witness_never_finds_any,
    witness_on_another_port,
    witness_of_another_host,
]


def test_the_checks_find_nothing_in_what_is_whole():
    check_all()


@pytest.mark.parametrize("broken", BROKEN, ids=lambda each: each.__name__)
def test_a_broken_operator_is_caught(broken, monkeypatch):
    broken(monkeypatch)
    with pytest.raises(AssertionError):
        check_all()
