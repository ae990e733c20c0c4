"""A small universe of flows with a flow for every way in which the tests of the sets in it can turn out.

A set is a number with one bit for each flow of the universe; what holds for these flows holds for all.
"""

from __future__ import annotations

import itertools
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

from egressc.flows import EVERY
from egressc.hosts import HostPattern, matches

if TYPE_CHECKING:
    from egressc.addresses import AddressSet

PATTERNS = (
    HostPattern(("x", "io")),
    HostPattern(("x", "io"), deep=True),
    HostPattern(("a", "x", "io")),
    HostPattern(("*", "x", "io")),
    HostPattern(("a*", "x", "io")),
    HostPattern(("*b", "x", "io")),
    HostPattern(("b", "x", "io"), deep=True),
    HostPattern(("y", "io")),
)
PREFIXES = ("/p", "/p/q", "/pq")


def told_apart(texts, patterns):
    """One of the names for each way in which the patterns can turn out."""
    return {tuple(matches(pattern, text) for pattern in patterns): text for text in reversed(texts)}


_LABELS = ("a", "b", "c", "ab", "ac")
_NAMES = ["x.io", "y.io", "z.io", *(f"{one}.x.io" for one in _LABELS), "a.b.x.io", "a.a.x.io", "b.a.x.io"]
SHARED = (PATTERNS[0], PATTERNS[2], PATTERNS[3])
HOSTS = told_apart(_NAMES, PATTERNS)
SHARED_HOSTS = told_apart(_NAMES, SHARED)
OTHER = "other"
PATHS = (None, "/p", "/p/q", "/pq", "/r")
GOALS = ((4, 1), (4, 2), (4, OTHER), (6, 1), (6, OTHER))
SENDERS = ((4, 11), (4, 12), (4, OTHER), (6, 11), (6, OTHER))
TAGS = ("s", "t")
PORTS = (("tcp", 1), ("tcp", 2), ("tcp", OTHER), ("udp", 1), ("udp", OTHER))

# Every dimension with what it can be. A packet has one IP version: that of its source is that of its destination.
UNIVERSE = {
    "group": ("g", "h", OTHER),
    "account": ("a", OTHER),
    "name": (None, *itertools.product(HOSTS.values(), PATHS)),
    "ends": tuple((source, goal) for source in SENDERS for goal in GOALS if source[0] == goal[0]),
    "tags": tuple(frozenset(some) for n in range(3) for some in itertools.combinations(TAGS, n)),
    "shared": (None, *SHARED_HOSTS.values()),
    "user": ("u", "v", OTHER),
    "app": ("p", OTHER),
    "port": PORTS,
}


@cache
def bits(held):
    """The set of flows in which each dimension has one of the given values (by position, as tuples of bool)."""
    number, width = 1, 1
    for one in held:
        number = sum(number << (width * at) for at, here in enumerate(one) if here)
        width *= len(one)
    return number


EVERYTHING = bits(tuple((True,) * len(values) for values in UNIVERSE.values()))


def flows_with(**tests):
    return bits(tuple(tuple(bool(tests[name](value)) for value in values) for name, values in UNIVERSE.items()))


def chosen(choice, value):
    return (value in choice.names) is not choice.negated


def has(held: AddressSet, end):
    family, value = end
    value = 99 if value == OTHER else value
    return any(first <= value <= last for first, last in (held.v4 if family == 4 else held.v6))


def lets(ports, door):
    transport, port = door
    return any(first <= (3 if port == OTHER else port) <= last for first, last in ports.transport(transport))


def fits(test, name):
    pattern, prefix = test
    if name is None or not matches(pattern, name[0]):
        return False
    return prefix is None or name[1] == prefix or (name[1] is not None and name[1].startswith(f"{prefix}/"))


def product_of(groups, families, accounts, ports, addresses, tags, no_tags, sources, processes, name, shared):
    of = dict(processes)
    return flows_with(
        group=lambda value: chosen(groups, value),
        account=lambda value: chosen(accounts, value),
        name=name,
        ends=lambda ends: ends[0][0] in families and has(sources, ends[0]) and has(addresses, ends[1]),
        tags=lambda value: tags <= value and not value & no_tags,
        shared=shared,
        user=lambda value: chosen(of.get("user", EVERY), value),
        app=lambda value: chosen(of.get("app", EVERY), value),
        port=lambda value: lets(ports, value),
    )


@cache
def in_box(box):
    """The flows of a box, as its page says."""
    return product_of(
        box.groups, box.families, box.accounts, box.ports, box.addresses, box.tags, box.no_tags, box.sources,
        box.processes,
        lambda name: all(fits(t, name) for t in box.inside) and not any(fits(t, name) for t in box.outside),
        lambda shared: all(fits((p, None), shared and (shared, None)) for p in box.shared_inside)
        and not any(fits((p, None), shared and (shared, None)) for p in box.shared_outside),
    )  # fmt: skip


@cache
def in_block(block):
    """The flows of a block, as its page says."""

    def flows(name, shared):
        return product_of(
            block.objects, block.families, block.accounts, block.ports, block.addresses, block.tags, block.no_tags,
            block.sources, block.processes, name, shared,
        )  # fmt: skip

    def named(name):
        return any(fits(t, name) for t in block.names) and not any(fits(t, name) for t in block.names_out)

    if block.names is None:
        return flows(lambda name: not any(fits(t, name) for t in block.names_out), lambda _: True)
    found = flows(named, lambda _: True)
    if not block.by_address:
        return found
    tests, out = [(p, None) for p, _ in block.names], [(p, None) for p, _ in block.names_out]

    def also(shared):
        name = shared and (shared, None)
        return any(fits(t, name) for t in tests) and not any(fits(t, name) for t in out)

    return found | flows(lambda _: True, also)


def union(some, of):
    found = 0
    for each in some:
        found |= of(each)
    return found


def placed(text, known):
    """The value of an example's address in the universe."""
    address = ip_address(text)
    value = int(address) if (address.version, int(address)) in known else OTHER
    return address.version, value


def shown(flow):
    """The flows that an example stands for: what it leaves open is anything."""
    goal = placed(flow.address, GOALS) if flow.address else None
    source = placed(flow.source, SENDERS) if flow.source else None
    host = flow.host and HOSTS[tuple(matches(p, flow.host) for p in PATTERNS)]
    shared = flow.shared and SHARED_HOSTS[tuple(matches(p, flow.shared) for p in SHARED)]
    of = dict(each.split(" ") for each in flow.process.split(", ") if each)
    port = (flow.transport, flow.port)
    return flows_with(
        group=lambda value: value == (flow.group or OTHER),
        account=lambda value: value == (flow.account or OTHER),
        name=lambda value: value == (host and (host, flow.path)),
        ends=lambda ends: (
            (source is None or ends[0] == source)
            and (goal is None or ends[1] == goal)
            and flow.family in {None, ends[0][0]}
        ),
        tags=lambda _: True,
        shared=lambda value: value == shared,
        user=lambda value: of.get("user", value) == value,
        app=lambda value: of.get("app", value) == value,
        port=lambda value: value == (port if port in PORTS else (flow.transport, OTHER)),
    )


def check(flow, expected):
    """A flow is found if there is one, and it is one of those."""
    assert (flow is not None) is bool(expected), flow
    if flow is not None:
        assert shown(flow) & expected, flow
