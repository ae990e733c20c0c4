"""What decides flows as before: which part of an endpoint that leaves to be told, for whom and on which ports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

from egressc.addresses import ALL
from egressc.anything import Anything
from egressc.diff_endpoints import as_box, exceptions_near, fewest, narrowed, open_box
from egressc.flows import Choice, addresses_of
from egressc.flows_index import uncovered
from egressc.flows_search import common
from egressc.host_index import HostIndex
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from egressc.addresses import AddressSet
    from egressc.diff_sides import Told
    from egressc.flows import Box, Flow
    from egressc.flows_index import FlowIndex
    from egressc.hosts import HostPattern
    from egressc.policy import Endpoint
    from egressc.reach import Reach
    from egressc.review import Verdict
    from egressc.services import PortSet


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Flows that are decided otherwise: an endpoint for the senders, accounts and ports of ``box``.

    They are within every endpoint of ``within``; ``beyond`` is left out, of which ``own`` by the rules themselves.
    ``rule`` says it, on the side whose words describe it; ``there`` are rules of the other side that are responsible.
    Without an endpoint it is everything that ``rules`` have, so many endpoints as ``count`` says. ``instead`` is an
    example whose address is of the other IP version, if there is one.
    """

    rule: Told
    endpoint: Endpoint | None
    within: tuple[Endpoint, ...]
    beyond: tuple[Endpoint, ...]
    own: tuple[Endpoint, ...]
    box: Box
    before: Verdict
    after: Verdict
    example: Flow
    there: tuple[Told, ...] = ()
    rules: tuple[Told, ...] = ()
    count: int = 0
    instead: Flow | None = None


_MANY = 32
"""An entry with so many endpoints has an index over them."""


@dataclass(frozen=True, slots=True)
class Part:
    """An endpoint of what covers: its flows, those without the exceptions, and the exceptions."""

    endpoint: Endpoint
    exact: Box
    core: Box
    exceptions: tuple[tuple[Endpoint, Box], ...]


class Cover:
    """Reaches that decide flows as before, with the index over them."""

    def __init__(self, index: FlowIndex, reaches: Sequence[Reach], tags: Mapping[str, AddressSet]) -> None:
        self.index = index
        self.reaches = reaches
        self._tags = tags
        self._parts: dict[int, tuple[Part, ...]] = {}
        self._named: dict[int, tuple[list[int], HostIndex[int]]] = {}

    @cached_property
    def _having(self) -> dict[Endpoint, list[int]]:
        """The entries that have a name, by the name."""
        found: dict[Endpoint, list[int]] = {}
        for number, reach in enumerate(self.reaches):
            for endpoint in reach.endpoints:
                if isinstance(endpoint, HostEndpoint):
                    found.setdefault(endpoint, []).append(number)
        return found

    def has(self, box: Box, endpoint: Endpoint) -> bool:
        """True if an entry has, in the same words, every flow of a box that is within a name; not every one is found.

        Sets of thousands of names, of which few changed, are compared by this alone.
        """
        for number in self._having.get(endpoint, ()) if isinstance(endpoint, HostEndpoint) else ():
            reach = self.reaches[number]
            if (
                _holds(reach.groups, box.groups)
                and _holds(reach.accounts, box.accounts)
                and reach.ports.contains(box.ports)
                and not exceptions_near(endpoint, reach.exceptions, self._tags)
            ):
                return True
        return False

    def parts_of(self, number: int) -> tuple[Part, ...]:
        """The endpoints of an entry."""
        found = self._parts.get(number)
        if found is None:
            reach, tags = self.reaches[number], self._tags
            bare = replace(reach, exceptions=()) if reach.exceptions else reach
            out = tuple([(each, open_box(each, tags)) for each in reach.exceptions])
            found = tuple([Part(e, as_box(e, reach, tags), as_box(e, bare, tags), out) for e in reach.endpoints])
            self._parts[number] = found
        return found

    def parts_over(self, number: int, patterns: Sequence[HostPattern]) -> Iterable[Part]:
        """The endpoints of an entry but for names that have no host of the patterns; an entry may have thousands."""
        every = self.parts_of(number)
        if len(every) <= _MANY or not patterns:
            return every
        known = self._named.get(number)
        if known is None:
            rest: list[int] = []
            named: list[tuple[HostPattern, int]] = []
            for at, part in enumerate(every):
                if isinstance(part.endpoint, HostEndpoint):
                    named.append((part.endpoint.pattern, at))
                else:
                    rest.append(at)
            known = self._named[number] = rest, HostIndex(named)
        found = {at for pattern in patterns for at in known[1].intersecting(pattern)}
        return [every[at] for at in sorted((*known[0], *found))]

    def near(self, box: Box, endpoint: Endpoint, within: tuple[Endpoint, ...]) -> Iterator[Part]:
        """What may cover a part of the endpoint in the same words: names for names, addresses for addresses."""
        numbers: set[int] = set(self.index.everywhere)
        patterns = [pattern for pattern, _ in box.inside]
        by_address = not all(isinstance(each, HostEndpoint) for each in (endpoint, *within))
        if box.tags:
            numbers.update(n for s in self.index.signatures_over(box.ports, names=False) for n in s.numbers)
        elif by_address:
            numbers.update(self.index.by_address(box.addresses))
        for pattern in patterns:
            numbers.update(self.index.names.intersecting(pattern))
        for number in sorted(numbers):
            for part in self.parts_over(number, patterns):
                is_name = isinstance(part.endpoint, HostEndpoint)
                same = bool(box.inside) if is_name else by_address or isinstance(part.endpoint, AnyAddressEndpoint)
                if same and common(box, part.exact) is not None:
                    yield part

    def signatures(self, box: Box) -> Iterator[Box]:
        """Who sends on which ports what may cover a name at an address."""
        if box.inside:
            yield from (each.box for each in self.index.signatures_over(box.ports, names=False))

    def cells(self, box: Box, endpoint: Endpoint, within: tuple[Endpoint, ...] = ()) -> Iterator[Box]:
        """The box in parts: for all senders, accounts and ports of one, the same entries matter."""
        return cells(box, [*(part.exact for part in self.near(box, endpoint, within)), *self.signatures(box)])


@dataclass(frozen=True)
class Question:
    """What of a rule's flows is decided otherwise: all that no entry of ``covers`` holds."""

    rule: Told
    before: Verdict
    after: Verdict
    covers: tuple[Cover, ...]
    tags: Mapping[str, AddressSet]
    there: tuple[Told, ...] = ()

    @cached_property
    def _indexes(self) -> tuple[FlowIndex, ...]:
        return tuple(cover.index for cover in self.covers)

    def changed(
        self, box: Box, endpoint: Endpoint, within: tuple[Endpoint, ...], own: tuple[Endpoint, ...]
    ) -> Iterator[Found]:
        """What of the box is decided otherwise, in words; ``own`` is what the rules leave out of the endpoint."""
        if any(cover.has(box, endpoint) for cover in self.covers):
            return
        if uncovered([box], (), self._indexes) is None:
            return
        near = [part for cover in self.covers for part in cover.near(box, endpoint, within)]
        wide = [signature for cover in self.covers for signature in cover.signatures(box)]
        for cell in cells(box, [*(part.exact for part in near), *wide]):
            if uncovered([cell], (), self._indexes) is not None:
                here = [part for part in near if common(cell, part.exact) is not None]
                yield from self._of_cell(cell, endpoint, within, own, here)

    def _of_cell(
        self,
        cell: Box,
        endpoint: Endpoint,
        within: tuple[Endpoint, ...],
        own: tuple[Endpoint, ...],
        here: Sequence[Part],
    ) -> Iterator[Found]:
        gaps = dict.fromkeys(exception for part in here for exception in part.exceptions)
        for exception, flows in gaps:
            inside = common(cell, flows)
            if inside is not None:
                found, both = narrowed(endpoint, exception, within, self.tags)
                yield from self.changed(inside, found, both, exceptions_near(found, own, self.tags))
        # What an entry holds but for its exceptions was told by those.
        cores = [part.core for part in here if part.exceptions]
        flow = uncovered([cell], cores, self._indexes)
        if flow is None:
            return
        beyond = [text for part in here for text in self._told(part, endpoint, cell)]
        told = self._shorter(endpoint, cell, (*own, *beyond))
        found, rest = told if told is not None else (endpoint, fewest((*own, *beyond), self.tags))
        if told is not None and isinstance(endpoint, TagEndpoint):
            within = (endpoint, *within)
        yield Found(
            self.rule, found, within, rest, own, cell, self.before, self.after, flow, self.there,
            instead=self._of_other_version(flow, cell, cores),
        )  # fmt: skip

    def _of_other_version(self, flow: Flow, cell: Box, cores: Sequence[Box]) -> Flow | None:
        """A flow to an address of the other IP version than that of this one."""
        if flow.address is None or cell.tags:
            return None
        rest = cell.addresses.family(4 if ":" in flow.address else 6)
        return None if rest.is_empty else uncovered([replace(cell, addresses=rest)], cores, self._indexes)

    def _told(self, part: Part, endpoint: Endpoint, cell: Box) -> Iterator[Endpoint]:
        """What to say of an entry that decides a part of the endpoint as before."""
        if isinstance(part.endpoint, HostEndpoint):
            if isinstance(endpoint, HostEndpoint):
                yield part.endpoint
            return
        if part.core.tags:
            # Which addresses these are nobody knows.
            if isinstance(endpoint, AnyAddressEndpoint):
                yield part.endpoint
            return
        known = part.core.addresses
        both = known if cell.addresses is ALL else known.intersection(cell.addresses)
        if not both.is_empty:
            # A tag holds what it held only where nothing was published since.
            is_tag = isinstance(part.endpoint, TagEndpoint) and both == known == addresses_of(part.endpoint, self.tags)
            yield part.endpoint if is_tag and endpoint != part.endpoint else AddressEndpoint(both)

    def _shorter(
        self, endpoint: Endpoint, cell: Box, beyond: Iterable[Endpoint]
    ) -> tuple[Endpoint, tuple[Endpoint, ...]] | None:
        """Addresses that are said with fewer words by what is left of them than by what is not."""
        if isinstance(endpoint, HostEndpoint) or cell.tags:
            return None
        known = [(each, addresses_of(each, self.tags)) for each in beyond if not isinstance(each, HostEndpoint)]
        left = cell.addresses
        for _, held in known:
            left = left if held is None else left.difference(held)
        without = fewest((each for each, held in known if held is not None), self.tags)
        words, others = left.text.split(), [text for each in without for text in each.text.split()]
        if not others or len(words) > len(others) - any("-" in word for word in words):
            return None
        rest = tuple(each for each in beyond if isinstance(each, HostEndpoint) or addresses_of(each, self.tags) is None)
        return AddressEndpoint(left), fewest(rest, self.tags)


def _holds(names: frozenset[str] | Anything, some: Choice) -> bool:
    """True if everyone of a choice is among the names."""
    return isinstance(names, Anything) or (not some.negated and some.names <= names)


def cells(box: Box, near: Iterable[Box]) -> Iterator[Box]:
    """The box in parts: each of the others is for all senders, accounts and ports of a part, or for none."""
    others = list({(each.groups, each.accounts, each.ports): each for each in near}.values())
    if not others:
        yield box
        return
    groups = _choices(box.groups, list(dict.fromkeys(each.groups for each in others)))
    accounts = _choices(box.accounts, list(dict.fromkeys(each.accounts for each in others)))
    ports = [box.ports]
    for each in dict.fromkeys(other.ports for other in others):
        ports = [part for held in ports for part in cut(held, each)]
    for group, account, some in product(groups, accounts, ports):
        yield replace(box, groups=group, accounts=account, ports=some)


def cut(ports: PortSet, by: PortSet) -> list[PortSet]:
    """The ports in two parts: those that are among the others, and the rest; without one that is empty."""
    parts = (ports.intersection(by), ports.difference(by))
    return [part for part in parts if not part.is_empty]


def _choices(mine: Choice, others: Sequence[Choice]) -> list[Choice]:
    """The choice in parts that each of the others holds or does not touch."""
    names = sorted({name for other in others for name in other.names} - mine.names if mine.negated else mine.names)
    alike: dict[tuple[bool, ...], set[str]] = {}
    for name in names:
        alike.setdefault(tuple((name in o.names) is not o.negated for o in others), set()).add(name)
    if not mine.negated:
        return [Choice(frozenset(some)) for some in alike.values()]
    # Whoever nobody names goes with those names for which the same holds.
    alike.pop(tuple(o.negated for o in others), None)
    apart = frozenset(name for some in alike.values() for name in some)
    return [*(Choice(frozenset(some)) for some in alike.values()), Choice(mine.names | apart, negated=True)]
