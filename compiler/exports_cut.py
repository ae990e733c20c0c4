"""What denies leave of an entry of a list.

A deny by name takes names away, a deny by address takes away addresses that are asked for as such. Neither sees the
other: whether a name resolves to a denied address is for the firewall to say, and is announced.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from egressc import ranges
from egressc.addresses import ALL, AddressSet, union_of
from egressc.anything import ANY
from egressc.diagnostics import Level
from egressc.exports import ANY_NAME, Entry, ListStep
from egressc.flows import Flow
from egressc.flows_intervals import Intervals
from egressc.host_index import HostIndex
from egressc.hosts import HostPattern, contains, covered, example, intersects
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint, TemplateEndpoint
from egressc.reach import Reach
from egressc.reasons import Effect, Reason
from egressc.services import PortSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from egressc.policy import Endpoint
    from egressc.ranges import Ranges
    from egressc.site import BoundRule


class _Denied:
    """One endpoint of a deny: a host, with the hosts and the addresses that the deny leaves out."""

    __slots__ = ("endpoint", "exceptions", "free", "identity", "ports")

    def __init__(
        self, endpoint: HostEndpoint, exceptions: tuple[HostEndpoint, ...], free: AddressSet, deny: BoundRule
    ) -> None:
        self.endpoint = endpoint
        self.exceptions = exceptions
        self.free = free
        self.ports = deny.reach.ports.tcp
        self.identity = deny.identity


class Left(NamedTuple):
    """What denies leave of an entry: parts, and steps where a list cannot tell what is denied from what is not."""

    parts: tuple[Entry, ...]
    steps: tuple[ListStep, ...]


class Cutter:
    """The denies that hold for some asker, and what they leave of an entry. Near-linear: names are found by a tree."""

    def __init__(self, denies: Sequence[BoundRule], tags: Mapping[str, AddressSet]) -> None:
        names: list[tuple[HostPattern, _Denied]] = []
        addresses: list[tuple[AddressSet, Ranges]] = []
        self._beside: list[_Beside] = []
        for deny in denies:
            ports = deny.reach.ports.tcp
            if not ports:
                continue
            names_out = tuple(e for e in deny.exceptions if isinstance(e, HostEndpoint))
            free = left_out(deny, tags)
            for endpoint in deny.endpoints:
                if isinstance(endpoint, HostEndpoint):
                    names.append((endpoint.pattern, _Denied(endpoint, names_out, free, deny)))
                    continue
                every = is_any(endpoint, deny, tags)
                if every:
                    names.append((ANY_NAME, _Denied(HostEndpoint(ANY_NAME), names_out, free, deny)))
                held = _addresses(endpoint, tags).difference(free)
                if not held.is_empty:
                    addresses.append((held, ports))
                if not every:
                    self._beside.append(_Beside(held, ports, f"that `{deny.identity}` denies"))
        self._names: HostIndex[_Denied] = HostIndex(names)
        self._addresses = addresses
        self._intervals = Intervals(
            (family, first, last, number)
            for number, (held, _) in enumerate(addresses)
            for family, some in ((4, held.v4), (6, held.v6))
            for first, last in some
        )

    def left_of(self, entry: Entry) -> Left:
        """What is left of the entry."""
        if isinstance(entry.what, TagEndpoint):
            return Left((entry,), ())
        if isinstance(entry.what, AddressSet):
            left = tuple(self._addresses_left(entry, entry.what))
            return Left(left, tuple(step for part in left for step in self._unknown_beside(part)))
        steps: list[ListStep] = []
        parts = tuple(self._names_left(entry, entry.what, steps))
        beside = [self._denied_beside(part) for part in parts]
        steps += [step for step in beside if step is not None]
        return Left(parts, tuple(steps))

    def _addresses_left(self, entry: Entry, addresses: AddressSet) -> Iterator[Entry]:
        numbers = {
            number
            for family, some in ((4, addresses.v4), (6, addresses.v6))
            for first, last in some
            for number in self._intervals.meeting(family, first, last)
        }
        parts = [(addresses, entry.ports)]
        for number in sorted(numbers):
            held, ports = self._addresses[number]
            rest: list[tuple[AddressSet, Ranges]] = []
            for mine, on in parts:
                both = ranges.intersection(on, ports)
                if not both or not mine.overlaps(held):
                    rest.append((mine, on))
                    continue
                left = mine.difference(held)
                other = ranges.difference(on, ports)
                if not left.is_empty:
                    rest.append((left, both))
                if other:
                    rest.append((mine, other))
            parts = rest
        for mine, on in parts:
            yield entry if (mine, on) == (addresses, entry.ports) else replace(entry, what=mine, ports=on)

    def _names_left(self, entry: Entry, pattern: HostPattern, steps: list[ListStep]) -> Iterator[Entry]:
        near = [
            each
            for each in self._names.intersecting(pattern)
            if ranges.overlap(each.ports, entry.ports) and _paths_meet(each.endpoint.path, entry.path)
        ]
        # What takes a part of the names on every port is left out at once, however many denies do.
        plain = [d for d in near if not d.exceptions and ranges.contain(d.ports, entry.ports) and not _whole(d, entry)]
        if plain:
            out = dict.fromkeys((*entry.exceptions, *(d.endpoint for d in plain)))
            entry = replace(entry, exceptions=tuple(sorted(out, key=lambda e: e.text)))
        known = {id(each) for each in plain}
        parts = [entry]
        for denied in near:
            if id(denied) not in known:
                parts = [left for part in parts for left in _less(part, denied, steps)]
            if not denied.free.is_empty:
                steps.append(_at_free(entry, denied))
        for part in parts:
            assert isinstance(part.what, HostPattern)
            whole = [e.pattern for e in part.exceptions if e.path is None or below(part.path, e.path)]
            if not whole or not covered(part.what, whole):
                yield part

    def _denied_beside(self, entry: Entry) -> ListStep | None:
        """The step of an entry by name that a deny by address may meet; said with the first of these denies."""
        for each in self._beside:
            if ranges.overlap(each.ports, entry.ports):
                return each.step(entry)
        return None

    def _unknown_beside(self, entry: Entry) -> Iterator[ListStep]:
        """The step of addresses that may be those of a service tag that is denied."""
        for each in self._beside:
            if each.held.is_empty and ranges.overlap(each.ports, entry.ports):
                yield each.step(entry)
                return


def is_any(endpoint: Endpoint, rule: BoundRule, tags: Mapping[str, AddressSet]) -> bool:
    """True for any-address, also less the addresses that the rule leaves out: then it stands for every name, too.

    Binding has made one set of addresses of `any-address except 10.0.0.0/8`; most names resolve to one of them.
    """
    if isinstance(endpoint, AnyAddressEndpoint):
        return True
    if not isinstance(endpoint, AddressEndpoint):
        return False
    if not any(isinstance(each, AnyAddressEndpoint) for each in rule.rule.to.endpoints):
        return False
    return endpoint.addresses.union(left_out(rule, tags)) == ALL


def left_out(rule: BoundRule, tags: Mapping[str, AddressSet]) -> AddressSet:
    """The addresses that are known of what a rule excepts, as it was written."""
    return union_of(_addresses(each, tags) for each in (*rule.exceptions, *rule.rule.to.exceptions))


class _Beside(NamedTuple):
    """Addresses that are not meant, which a list does not see behind a name; none where nobody knows them."""

    held: AddressSet
    ports: Ranges
    what: str

    def step(self, entry: Entry) -> ListStep:
        """The step of an entry that has them, maybe: a note for names, whose addresses no list sees."""
        reach = _reach(entry)
        port = ranges.intersection(self.ports, entry.ports)[0][0]
        if isinstance(entry.what, AddressSet):
            sentence = f"nobody knows which of these are addresses {self.what}"
            return ListStep(Reason.ADDRESS, Effect.WIDER, sentence, reach, reach)
        assert isinstance(entry.what, HostPattern)
        flow = None
        if not self.held.is_empty:
            host = example((entry.what,), [e.pattern for e in entry.exceptions])
            flow = Flow(None, None, host, entry.path, self.held.first(), None, "tcp", port)
        sentence = f"the list does not see that a name has an address {self.what}"
        return ListStep(Reason.ADDRESS, Effect.WIDER, sentence, reach, reach, Level.NOTE, flow)


def beside_exceptions(entry: Entry, rule: BoundRule, tags: Mapping[str, AddressSet]) -> ListStep | None:
    """The step of an entry of a rule that leaves out addresses, where the list does not see or know them."""
    held = left_out(rule, tags)
    unknown = any(isinstance(e, TagEndpoint) and e.name.lower() not in tags for e in rule.exceptions)
    if isinstance(entry.what, HostPattern):
        if held.is_empty and not unknown:
            return None
        return _Beside(held, entry.ports, f"that `{rule.identity}` leaves out").step(entry)
    if unknown and isinstance(entry.what, AddressSet):
        return _Beside(AddressSet(), entry.ports, f"that `{rule.identity}` leaves out").step(entry)
    return None


def _less(entry: Entry, denied: _Denied, steps: list[ListStep]) -> Iterator[Entry]:
    """The entry without the endpoint of a deny, in parts; a step where a part that stays cannot be said."""
    assert isinstance(entry.what, HostPattern)
    both = ranges.intersection(entry.ports, denied.ports)
    if not both:
        yield entry
        return
    other = ranges.difference(entry.ports, denied.ports)
    if other:
        yield replace(entry, ports=other)
    for each in denied.exceptions:
        # What the deny leaves out stays: all of this entry, or an entry of its own.
        if not intersects(each.pattern, entry.what) or not _paths_meet(each.path, entry.path):
            continue
        path = each.path if each.path is not None and not below(entry.path, each.path) else entry.path
        if contains(each.pattern, entry.what):
            yield replace(entry, ports=both, path=path)
            if path == entry.path:
                return
        elif contains(entry.what, each.pattern):
            yield replace(entry, what=each.pattern, ports=both, path=path)
        else:
            steps.append(_unsayable(entry, denied, each, both))
    if not _whole(denied, entry):
        out = dict.fromkeys((*entry.exceptions, denied.endpoint))
        yield replace(entry, ports=both, exceptions=tuple(sorted(out, key=lambda e: e.text)))


def _whole(denied: _Denied, entry: Entry) -> bool:
    """True if the endpoint of a deny holds every name and path of the entry."""
    gone = denied.endpoint
    assert isinstance(entry.what, HostPattern)
    return below(entry.path, gone.path) and contains(gone.pattern, entry.what)


def below(path: str | None, prefix: str | None) -> bool:
    """True if every path that a test for ``path`` holds is held by one for ``prefix`` (``None``: any path)."""
    if prefix is None:
        return True
    return path is not None and (path == prefix or path.startswith(f"{prefix}/"))


def _paths_meet(one: str | None, other: str | None) -> bool:
    return below(one, other) or below(other, one)


def _reach(entry: Entry) -> Reach:
    if isinstance(entry.what, AddressSet):
        return Reach(ANY, ANY, (AddressEndpoint(entry.what),), (), PortSet(entry.ports))
    assert isinstance(entry.what, HostPattern)
    return Reach(ANY, ANY, (HostEndpoint(entry.what, entry.path),), entry.exceptions, PortSet(entry.ports))


def _at_free(entry: Entry, denied: _Denied) -> ListStep:
    """The step of names that are denied but for some addresses: a list does not see the address of a name."""
    assert isinstance(entry.what, HostPattern)
    port = ranges.intersection(entry.ports, denied.ports)[0][0]
    flow = Flow(
        None, None, example((entry.what, denied.endpoint.pattern)), None, denied.free.first(), None, "tcp", port
    )
    sentence = f"the list does not see that a name has an address that `{denied.identity}` leaves alone"
    return ListStep(Reason.ADDRESS, Effect.NARROWER, sentence, _reach(entry), _reach(entry), None, flow)


def _unsayable(entry: Entry, denied: _Denied, spared: HostEndpoint, ports: Ranges) -> ListStep:
    """The step of names that a deny leaves alone and that no single pattern says."""
    assert isinstance(entry.what, HostPattern)
    flow = Flow(None, None, example((entry.what, spared.pattern)), None, None, None, "tcp", ports[0][0])
    sentence = f"what `{denied.identity}` leaves alone of `{entry.what.text}` by `{spared.text}` is no single pattern"
    return ListStep(Reason.EXCEPT, Effect.NARROWER, sentence, _reach(entry), _reach(entry), Level.ERROR, flow)


def _addresses(endpoint: Endpoint | TemplateEndpoint, tags: Mapping[str, AddressSet]) -> AddressSet:
    """The addresses of an endpoint that are known: all of any-address, none of a host."""
    if isinstance(endpoint, (HostEndpoint, TemplateEndpoint)):
        return AddressSet()
    if isinstance(endpoint, AnyAddressEndpoint):
        return ALL
    if isinstance(endpoint, TagEndpoint):
        return tags.get(endpoint.name.lower(), AddressSet())
    return endpoint.addresses
