"""Exact questions about boxes: is there a flow in these but in none of those, and which one.

``witness`` decides emptiness of a difference exactly, for every pattern of the language, by splitting a box along the
boxes that it subtracts.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from egressc.addresses import ALL, EMPTY, AddressSet, Family
from egressc.flows import EVERY, Box, Flow
from egressc.hosts import HostPattern, example, intersects

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.flows import Choice, Processes, Test
    from egressc.services import PortSet

ItemT = TypeVar("ItemT")


def common(one: Box, other: Box) -> Box | None:
    """The flows in both boxes, or ``None`` if there are none; an opaque tag counts as overlapping everything else."""
    if not one.ports.overlaps(other.ports):
        return None
    groups = one.groups.within(other.groups)
    accounts = one.accounts.within(other.accounts)
    families = one.families & other.families
    if groups.is_empty or accounts.is_empty or not families:
        return None
    addresses = _meet(one.addresses, other.addresses)
    tags, no_tags = one.tags | other.tags, one.no_tags | other.no_tags
    if addresses.is_empty or (tags and not tags.isdisjoint(no_tags)):
        return None
    if not _names_meet(one.inside, other.inside) or not _shared_meet(one.shared_inside, other.shared_inside):
        return None
    sources = _meet(one.sources, other.sources)
    processes = processes_within(one.processes, other.processes)
    if sources.is_empty or processes is None:
        return None
    result = Box(
        groups,
        families,
        accounts,
        one.ports.intersection(other.ports),
        addresses,
        _joined(one.inside, other.inside),
        _joined(one.outside, other.outside),
        _joined(one.shared_inside, other.shared_inside),
        _joined(one.shared_outside, other.shared_outside),
        tags,
        no_tags,
        sources,
        processes,
    )
    return None if _carried(result) is None or _name(result) is None or _shared(result) is None else result


def in_both(some: Iterable[Box], others: Sequence[Box]) -> list[Box]:
    """The flows that are in one of ``some`` and in one of ``others``."""
    return [both for one in some for other in others if (both := common(one, other)) is not None]


def witness(positive: Iterable[Box], negative: Sequence[Box]) -> Flow | None:
    """A flow in one of the positive boxes and in none of the negative ones, or ``None`` if there is none (exact).

    What is opaque counts as not covered: an unknown service tag subtracts only from itself.
    """
    every = negative
    for start in positive:
        stack = [(start, 0)]
        negative = every if len(every) <= _MANY else _widest_first(start, every)
        while stack:
            box, at = stack.pop()
            while at < len(negative) and not _touch(box, negative[at]):
                at += 1
            if at == len(negative):
                flow = _example(box)
                if flow is not None:
                    return flow
                continue
            stack.extend((piece, at + 1) for piece in reversed(_minus(box, negative[at])))
    return None


_MANY = 8
"""So many boxes are better put in order before they are taken away."""


def _widest_first(box: Box, others: Iterable[Box]) -> Sequence[Box]:
    """Those of the others that touch the box; first those that leave the fewest pieces of it."""
    near = [other for other in others if _touch(box, other)]
    return near if len(near) <= _MANY else sorted(near, key=lambda other: _sides(box, other))


def _sides(box: Box, other: Box) -> int:
    """In how many dimensions the other box does not hold the whole box: so many pieces are left of it."""
    return (
        (not box.groups.minus(other.groups).is_empty)
        + (not box.families <= other.families)
        + (not box.accounts.minus(other.accounts).is_empty)
        + (not other.ports.contains(box.ports))
        + (other.addresses is not ALL and not other.addresses.contains(box.addresses))
        + (other.sources is not ALL and not other.sources.contains(box.sources))
        + sum(not process_choice(box.processes, kind).minus(choice).is_empty for kind, choice in other.processes)
        + len(other.tags - box.tags)
        + len(other.no_tags - box.no_tags)
        + len(set(other.inside).difference(box.inside))
        + len(set(other.outside).difference(box.outside))
        + len(set(other.shared_inside).difference(box.shared_inside))
        + len(set(other.shared_outside).difference(box.shared_outside))
    )


def difference(some: Iterable[Box], others: Sequence[Box]) -> list[Box]:
    """The flows that are in one of ``some`` and in none of ``others``, in pieces."""
    left = [box for box in some if _example(box) is not None]
    for other in others:
        left = [
            piece
            for box in left
            for piece in (_minus(box, other) if _touch(box, other) else (box,))
            if _example(piece) is not None
        ]
    return left


def _minus(box: Box, other: Box) -> list[Box]:
    """The pieces of ``box`` outside ``other``; disjoint but for names that ``other`` leaves out.

    Each is without the dimensions that are empty.
    """
    pieces = []
    groups = box.groups.minus(other.groups)
    if not groups.is_empty:
        pieces.append(_part(box, groups=groups))
    box = _part(box, groups=box.groups.within(other.groups))
    families = box.families - other.families
    if families:
        pieces.append(_part(box, families=families))
    box = _part(box, families=box.families & other.families)
    accounts = box.accounts.minus(other.accounts)
    if not accounts.is_empty:
        pieces.append(_part(box, accounts=accounts))
    box = _part(box, accounts=box.accounts.within(other.accounts))
    left = EMPTY if other.sources is ALL else box.sources.difference(other.sources)
    if not left.is_empty:
        pieces.append(_part(box, sources=left))
    box = _part(box, sources=_meet(box.sources, other.sources))
    for kind, choice in other.processes:
        mine = process_choice(box.processes, kind)
        rest = mine.minus(choice)
        if not rest.is_empty:
            pieces.append(_part(box, processes=with_process(box.processes, kind, rest)))
        box = _part(box, processes=with_process(box.processes, kind, mine.within(choice)))
    ports = box.ports.difference(other.ports)
    if not ports.is_empty:
        pieces.append(_part(box, ports=ports))
    box = _part(box, ports=box.ports.intersection(other.ports))
    left = EMPTY if other.addresses is ALL else box.addresses.difference(other.addresses)
    if not left.is_empty:
        pieces.append(_part(box, addresses=left))
    box = _part(box, addresses=_meet(box.addresses, other.addresses))
    for tag in sorted(other.tags - box.tags):
        pieces.append(_part(box, no_tags=box.no_tags | {tag}))
        box = _part(box, tags=box.tags | {tag})
    for tag in sorted(other.no_tags - box.no_tags):
        pieces.append(_part(box, tags=box.tags | {tag}))
        box = _part(box, no_tags=box.no_tags | {tag})
    held: tuple[Test, ...] = ()
    for test in other.inside:
        pieces.append(_part(box, inside=_joined(box.inside, held), outside=_joined(box.outside, (test,))))
        held = (*held, test)
    box = _part(box, inside=_joined(box.inside, held))
    pieces.extend(_part(box, inside=_joined(box.inside, (test,))) for test in other.outside)
    shared: tuple[HostPattern, ...] = ()
    for pattern in other.shared_inside:
        pieces.append(
            _part(
                box,
                shared_inside=_joined(box.shared_inside, shared),
                shared_outside=_joined(box.shared_outside, (pattern,)),
            )
        )
        shared = (*shared, pattern)
    box = _part(box, shared_inside=_joined(box.shared_inside, shared))
    pieces.extend(_part(box, shared_inside=_joined(box.shared_inside, (pattern,))) for pattern in other.shared_outside)
    return pieces


def _part(
    box: Box,
    groups: Choice | None = None,
    families: frozenset[int] | None = None,
    accounts: Choice | None = None,
    ports: PortSet | None = None,
    addresses: AddressSet | None = None,
    inside: tuple[Test, ...] | None = None,
    outside: tuple[Test, ...] | None = None,
    shared_inside: tuple[HostPattern, ...] | None = None,
    shared_outside: tuple[HostPattern, ...] | None = None,
    tags: frozenset[str] | None = None,
    no_tags: frozenset[str] | None = None,
    sources: AddressSet | None = None,
    processes: Processes | None = None,
) -> Box:
    return Box(
        box.groups if groups is None else groups,
        box.families if families is None else families,
        box.accounts if accounts is None else accounts,
        box.ports if ports is None else ports,
        box.addresses if addresses is None else addresses,
        box.inside if inside is None else inside,
        box.outside if outside is None else outside,
        box.shared_inside if shared_inside is None else shared_inside,
        box.shared_outside if shared_outside is None else shared_outside,
        box.tags if tags is None else tags,
        box.no_tags if no_tags is None else no_tags,
        box.sources if sources is None else sources,
        box.processes if processes is None else processes,
    )


def _touch(box: Box, other: Box) -> bool:
    """True if subtracting ``other`` may take something from ``box``."""
    if not box.ports.overlaps(other.ports) or not box.groups.meets(other.groups):
        return False
    if not box.accounts.meets(other.accounts) or box.families.isdisjoint(other.families):
        return False
    if other.tags and not other.tags.isdisjoint(box.no_tags):
        return False
    if other.no_tags and not other.no_tags.isdisjoint(box.tags):
        return False
    if not _addresses_meet(box.addresses, other.addresses) or not _addresses_meet(box.sources, other.sources):
        return False
    if box.processes and other.processes and processes_within(box.processes, other.processes) is None:
        return False
    return _names_meet(box.inside, other.inside) and _shared_meet(box.shared_inside, other.shared_inside)


def _meet(one: AddressSet, other: AddressSet) -> AddressSet:
    if other is ALL:
        return one
    return other if one is ALL else one.intersection(other)


def _addresses_meet(one: AddressSet, other: AddressSet) -> bool:
    if other is ALL:
        return not one.is_empty
    return not other.is_empty if one is ALL else one.overlaps(other)


def process_choice(processes: Processes, kind: str) -> Choice:
    """The values of a kind that these processes may have."""
    for name, choice in processes:
        if name == kind:
            return choice
    return EVERY


def with_process(processes: Processes, kind: str, choice: Choice) -> Processes:
    """The processes with other values of one kind."""
    return tuple(sorted((*((k, c) for k, c in processes if k != kind), (kind, choice)), key=itemgetter(0)))


def processes_within(one: Processes, other: Processes) -> Processes | None:
    """The processes in both sets; ``None`` if there are none."""
    if one is other or not other:
        return one
    if not one:
        return other
    for kind, choice in other:
        both = process_choice(one, kind).within(choice)
        if both.is_empty:
            return None
        one = with_process(one, kind, both)
    return one


def _names_meet(one: Sequence[Test], other: Sequence[Test]) -> bool:
    return all(
        intersects(a, b) and (x is None or y is None or _below(x, y) or _below(y, x)) for a, x in one for b, y in other
    )


def _shared_meet(one: Sequence[HostPattern], other: Sequence[HostPattern]) -> bool:
    return all(intersects(a, b) for a in one for b in other)


def _joined(one: tuple[ItemT, ...], other: tuple[ItemT, ...]) -> tuple[ItemT, ...]:
    if not other:
        return one
    return tuple(dict.fromkeys((*one, *other))) if one else other


def _below(path: str, prefix: str) -> bool:
    """True if the path is the prefix or lies below it."""
    return path == prefix or path.startswith(prefix + "/")


def _name(box: Box) -> tuple[str | None, str | None] | None:
    """A host and path that satisfy the tests; ``(None, None)`` where no name does; ``None`` when nothing does."""
    if not box.inside:
        return None, None
    path = max((p for _, p in box.inside if p is not None), key=len, default=None)
    if path is not None and not all(p is None or _below(path, p) for _, p in box.inside):
        return None
    out = [q for q, p in box.outside if p is None or (path is not None and _below(path, p))]
    host = example([p for p, _ in box.inside], out)
    return None if host is None else (host, path)


def _shared(box: Box) -> tuple[str | None] | None:
    if not box.shared_inside:
        return (None,)
    host = example(box.shared_inside, box.shared_outside)
    return None if host is None else (host,)


def _carried(box: Box) -> AddressSet | None:
    """The addresses of the box of the IP versions of its sources (a packet has one version); ``None`` if none are."""
    addresses, sources = box.addresses, box.sources
    with_v4 = 4 in box.families and (sources is ALL or bool(sources.v4))
    with_v6 = 6 in box.families and (sources is ALL or bool(sources.v6))
    if not (with_v4 and with_v6):
        addresses = addresses.family(4) if with_v4 else addresses.family(6) if with_v6 else EMPTY
    return None if addresses.is_empty else addresses


_NO_END = 1 << 128
_PREFERRED: tuple[tuple[Family, int], ...] = (
    (4, 0xCB00710A),
    (4, 0xC633640A),
    (4, 0xC000020A),
    (6, 0x20010DB8 << 96 | 0x10),
)
"""203.0.113.10, 198.51.100.10, 192.0.2.10 and 2001:db8::10: addresses for documentation (RFC 5737, RFC 3849)."""


def _example(box: Box) -> Flow | None:
    addresses = _carried(box)
    if addresses is None or not box.tags.isdisjoint(box.no_tags):
        return None
    name = _name(box)
    shared = _shared(box)
    if name is None or shared is None:
        return None
    transport, port = box.ports.first()
    # Which addresses are under an opaque tag nobody knows.
    address = None if box.tags or box.addresses is ALL else example_address(addresses)
    source = "" if box.sources is ALL else _sending(box.sources, addresses)
    process = ", ".join(f"{kind} {min(choice.names)}" for kind, choice in box.processes if not choice.negated)
    return Flow(
        min(box.groups.names) if not box.groups.negated else None,
        min(box.accounts.names) if not box.accounts.negated else None,
        name[0],
        name[1],
        address,
        shared[0],
        transport,
        port,
        next(iter(box.families)) if len(box.families) == 1 else None,
        source,
        process,
        _unnamed(box),
    )


def _unnamed(box: Box) -> tuple[str, ...]:
    """The kinds of binding of which any value but some is meant, and ``account`` where the policy's are."""
    kinds = [kind for kind, choice in box.processes if choice.negated and choice.names]
    return ("account", *kinds) if box.accounts.negated and box.accounts.names else tuple(kinds)


def _sending(sources: AddressSet, addresses: AddressSet) -> str:
    """The first of the sources that has the IP version of the first of the addresses."""
    return sources.family(4).first() if addresses.v4 and sources.v4 else sources.family(6).first()


def example_address(addresses: AddressSet) -> str:
    """An address of the set, one of the documentation networks if it holds one."""
    return one_of_each(addresses).first()


def one_of_each(addresses: AddressSet) -> AddressSet:
    """One address of each IP version in the set, of the documentation networks if it holds one."""
    found: dict[Family, int] = {}
    for family, value in _PREFERRED:
        held = addresses.v4 if family == 4 else addresses.v6
        at = bisect_right(held, (value, _NO_END)) - 1
        if family not in found and at >= 0 and held[at][1] >= value:
            found[family] = value
    v4 = found.get(4, addresses.v4[0][0]) if addresses.v4 else None
    v6 = found.get(6, addresses.v6[0][0]) if addresses.v6 else None
    return AddressSet(((v4, v4),) if v4 is not None else (), ((v6, v6),) if v6 is not None else ())
