"""Flows, and exact questions about sets of them: is there a flow in this but in none of those, and which one.

A *box* is a product over the dimensions of a flow. A reach is a union of boxes. ``witness`` decides emptiness of a
difference exactly, for every pattern of the language, by splitting a box along the boxes that it subtracts.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from egressc.addresses import ALL, EMPTY, AddressSet, Family, address_text
from egressc.anything import ANY
from egressc.hosts import HostPattern, example, intersects
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from egressc.policy import Endpoint
    from egressc.reach import Reach
    from egressc.services import PortSet

ItemT = TypeVar("ItemT")

Test = tuple[HostPattern, str | None]
"""A test of the name: the host matches the pattern and, if there is one, the path begins with the prefix."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One flow, as an example. ``None`` is: none, or one that nobody named (see the field).

    ``group`` and ``account`` are ``None`` for a source or process that no group or account names; ``host``, ``path``
    and ``shared`` for none; ``address`` where it does not matter.
    """

    group: str | None
    account: str | None
    host: str | None
    path: str | None
    address: str | None
    shared: str | None
    transport: str
    port: int

    @property
    def text(self) -> str:
        """The flow in one line, as a report shows it."""
        where = self.host or self.address or "any address"
        if ":" in where:
            where = f"[{where}]"
        who = self.group or "another source"
        as_whom = f" as {self.account}" if self.account else ""
        also = f" (an address that {self.shared} shares)" if self.shared else ""
        at = f" at {self.address}" if self.host and self.address else ""
        return f"{who}{as_whom} → {where}:{self.port}{self.path or ''}{at}{also}"


@dataclass(frozen=True, slots=True)
class Choice:
    """A finite set of names, or (``negated``) every name but these, also names that nobody listed."""

    names: frozenset[str]
    negated: bool = False

    @property
    def is_empty(self) -> bool:
        """True if nothing is chosen."""
        return not self.names and not self.negated

    def minus(self, other: Choice) -> Choice:
        """What is in this choice but not in ``other``."""
        if other.negated:
            return self.within(Choice(other.names))
        return Choice(self.names | other.names, True) if self.negated else Choice(self.names - other.names)  # noqa: FBT003

    def within(self, other: Choice) -> Choice:
        """What is in both."""
        if self.negated and other.negated:
            return Choice(self.names | other.names, True)  # noqa: FBT003
        if self.negated:
            return Choice(other.names - self.names)
        return Choice(self.names - other.names if other.negated else self.names & other.names)


EVERY = Choice(frozenset(), True)  # noqa: FBT003
"""The choice of any name."""


@dataclass(frozen=True, slots=True)
class Box:
    """A product of flows. ``inside`` tests all hold, ``outside`` tests none; the same for the shared name.

    ``tag`` is an opaque service tag: unknown addresses, equal only to themselves.
    """

    groups: Choice
    families: frozenset[int]
    accounts: Choice
    ports: PortSet
    addresses: AddressSet
    tag: str | None = None
    inside: tuple[Test, ...] = ()
    outside: tuple[Test, ...] = ()
    shared_inside: tuple[HostPattern, ...] = ()
    shared_outside: tuple[HostPattern, ...] = ()


def boxes(reach: Reach, tags: Mapping[str, AddressSet]) -> Iterator[Box]:
    """The boxes of a reach, one for each endpoint (two where a name is also matched as the shared name)."""
    groups = EVERY if reach.groups is ANY else Choice(reach.groups)
    accounts = EVERY if reach.accounts is ANY else Choice(reach.accounts)
    names_out, excluded = _exceptions(reach, tags)
    free = ALL.difference(excluded) if not excluded.is_empty else ALL
    shared_out = tuple(pattern for pattern, _ in names_out)
    for endpoint in reach.endpoints:
        match endpoint:
            case HostEndpoint():
                inside = ((endpoint.pattern, endpoint.path),)
                yield Box(groups, reach.source_families, accounts, reach.ports, free, None, inside, names_out)
                if reach.shared:
                    yield Box(
                        groups,
                        reach.source_families,
                        accounts,
                        reach.ports,
                        free,
                        shared_inside=(endpoint.pattern,),
                        shared_outside=shared_out,
                    )
            case AddressEndpoint():
                left = endpoint.addresses.difference(excluded) if not excluded.is_empty else endpoint.addresses
                yield Box(groups, reach.source_families, accounts, reach.ports, left, None, (), names_out)
            case AnyAddressEndpoint():
                yield Box(groups, reach.source_families, accounts, reach.ports, free, None, (), names_out)
            case TagEndpoint():
                known = tags.get(endpoint.name.lower())
                tag = endpoint.name.lower() if known is None else None
                left = free if known is None else known.difference(excluded)
                yield Box(groups, reach.source_families, accounts, reach.ports, left, tag, (), names_out)


def _exceptions(reach: Reach, tags: Mapping[str, AddressSet]) -> tuple[tuple[Test, ...], AddressSet]:
    if not reach.exceptions:
        return (), EMPTY
    names = tuple((e.pattern, e.path) for e in reach.exceptions if isinstance(e, HostEndpoint))
    addresses = EMPTY
    for endpoint in reach.exceptions:
        if isinstance(endpoint, AddressEndpoint):
            addresses = addresses.union(endpoint.addresses)
        elif isinstance(endpoint, TagEndpoint):
            addresses = addresses.union(tags.get(endpoint.name.lower(), EMPTY))
        elif isinstance(endpoint, AnyAddressEndpoint):
            addresses = ALL
    return names, addresses


def common(one: Box, other: Box) -> Box | None:
    """The flows in both boxes, or ``None`` if there are none; an opaque tag counts as overlapping everything."""
    if not one.ports.overlaps(other.ports):
        return None
    groups = one.groups.within(other.groups)
    accounts = one.accounts.within(other.accounts)
    families = one.families & other.families
    if groups.is_empty or accounts.is_empty or not families:
        return None
    addresses = _meet(one.addresses, other.addresses)
    if addresses.is_empty and not (one.tag or other.tag):
        return None
    if not _names_meet(one.inside, other.inside) or not _shared_meet(one.shared_inside, other.shared_inside):
        return None
    result = Box(
        groups,
        families,
        accounts,
        one.ports.intersection(other.ports),
        addresses,
        one.tag or other.tag,
        _joined(one.inside, other.inside),
        _joined(one.outside, other.outside),
        _joined(one.shared_inside, other.shared_inside),
        _joined(one.shared_outside, other.shared_outside),
    )
    return result if _named(result) else None


def witness(positive: Iterable[Box], negative: Sequence[Box]) -> Flow | None:
    """A flow in one of the positive boxes and in none of the negative ones, or ``None`` if there is none (exact).

    What is opaque counts as not covered: an unknown service tag subtracts only from itself.
    """
    for start in positive:
        stack = [(start, 0)]
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


def _minus(box: Box, other: Box) -> list[Box]:
    """The pieces of ``box`` outside ``other``; disjoint, each without the dimensions that are empty."""
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
    ports = box.ports.difference(other.ports)
    if not ports.is_empty:
        pieces.append(_part(box, ports=ports))
    box = _part(box, ports=box.ports.intersection(other.ports))
    if other.tag is None:
        left = EMPTY if other.addresses is ALL else box.addresses.difference(other.addresses)
        if not left.is_empty:
            pieces.append(_part(box, addresses=left))
        box = _part(box, addresses=_meet(box.addresses, other.addresses))
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
    pieces.extend(
        _part(box, shared_inside=_joined(box.shared_inside, (pattern,))) for pattern in other.shared_outside
    )
    return pieces


def _part(  # noqa: PLR0917
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
) -> Box:
    return Box(
        box.groups if groups is None else groups,
        box.families if families is None else families,
        box.accounts if accounts is None else accounts,
        box.ports if ports is None else ports,
        box.addresses if addresses is None else addresses,
        box.tag,
        box.inside if inside is None else inside,
        box.outside if outside is None else outside,
        box.shared_inside if shared_inside is None else shared_inside,
        box.shared_outside if shared_outside is None else shared_outside,
    )


def _touch(box: Box, other: Box) -> bool:
    """True if subtracting ``other`` may take something from ``box``."""
    if other.tag is not None and other.tag != box.tag:
        return False
    if not box.ports.overlaps(other.ports) or box.groups.within(other.groups).is_empty:
        return False
    if box.accounts.within(other.accounts).is_empty or not box.families & other.families:
        return False
    if other.tag is None and _meet(box.addresses, other.addresses).is_empty:
        return False
    if other.inside and not box.inside and not box.outside:
        return True
    return _names_meet(box.inside, other.inside) and _shared_meet(box.shared_inside, other.shared_inside)


def _meet(one: AddressSet, other: AddressSet) -> AddressSet:
    if other is ALL:
        return one
    return other if one is ALL else one.intersection(other)


def _names_meet(one: Sequence[Test], other: Sequence[Test]) -> bool:
    return all(
        intersects(a, b) and (x is None or y is None or _below(x, y) or _below(y, x))
        for a, x in one
        for b, y in other
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


def _named(box: Box) -> bool:
    """True if a name (or none) satisfies the tests of the box."""
    return _name(box) is not None and _shared(box) is not None


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


_NO_END = 1 << 128
_PREFERRED: tuple[tuple[Family, int], ...] = ((4, 0xCB00710A), (4, 0xC633640A), (4, 0xC000020A), (6, 0x20010DB8 << 96 | 0x10))
"""203.0.113.10, 198.51.100.10, 192.0.2.10 and 2001:db8::10: addresses for documentation (RFC 5737, RFC 3849)."""


def _example(box: Box) -> Flow | None:
    if box.addresses.is_empty and box.tag is None:
        return None
    name = _name(box)
    shared = _shared(box)
    if name is None or shared is None:
        return None
    transport, port = box.ports.first()
    address = None if box.addresses is ALL or box.tag is not None else _address(box.addresses)
    return Flow(
        min(box.groups.names) if not box.groups.negated else None,
        min(box.accounts.names) if not box.accounts.negated else None,
        name[0],
        name[1],
        address,
        shared[0],
        transport,
        port,
    )


def _address(addresses: AddressSet) -> str:
    """An address of the set, one of the documentation networks if it holds one."""
    for family, value in _PREFERRED:
        held = addresses.v4 if family == 4 else addresses.v6
        at = bisect_right(held, (value, _NO_END)) - 1
        if at >= 0 and held[at][1] >= value:
            return address_text(family, value)
    return addresses.first()
