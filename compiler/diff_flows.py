"""Which flows one side allows and the other does not, and which are inspected otherwise: found rule by rule, exactly.

Only rules that the other side does not have word for word are looked at, so that the cost goes with the edits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from egressc.addresses import ALL, union_of
from egressc.drift import holds
from egressc.flows import EVERY, NO_TAGS, Box, Choice, addresses_of
from egressc.flows_index import uncovered
from egressc.flows_search import common, difference, in_both, witness
from egressc.hosts import HostPattern, contains
from egressc.policy import AddressEndpoint, HostEndpoint, Inspection
from egressc.review import Verdict
from egressc.services import PortSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from egressc.diff_sides import Side, Told
    from egressc.flows import Flow
    from egressc.flows_index import BlockIndex, FlowIndex
    from egressc.policy import Endpoint
    from egressc.reach import Reach

_MANY = 400
"""So many boxes around another are not subtracted one by one: which groups and accounts are concerned is asked then."""

_FEW = 64
"""So many allows behind a deny that is gone are looked at one by one."""


@dataclass(frozen=True, slots=True)
class Found:
    """A part of what a rule has that is decided otherwise: which endpoint, the flows in pieces, and one of them.

    ``rule`` is of the side whose words describe it; ``others`` are rules that decide so in its place, where there are.
    """

    rule: Told
    endpoint: Endpoint
    pieces: tuple[Box, ...]
    before: Verdict
    after: Verdict
    example: Flow
    beyond: tuple[str, ...] = ()
    others: tuple[Told, ...] = ()


def newly_allowed(before: Side, after: Side) -> Iterator[Found]:
    """What ``after`` allows and ``before`` does not."""
    for rule in after.allow_rules:
        if rule.key not in before.keys:
            yield from _of_allow(rule, before, after)
    for rule in before.deny_rules:
        if rule.key not in after.keys:
            yield from _of_deny(rule, after)


def _of_allow(rule: Told, before: Side, after: Side) -> Iterator[Found]:
    for endpoint, box in boxes_by_endpoint(rule, rule.reach, after):
        fresh = _left([box], (before.allows, after.denies))
        again = _left(_meet(box, before.denies), (after.denies,))
        pieces = (*fresh, *again)
        if not pieces:
            continue
        example = uncovered(fresh, (), (before.allows, after.denies))
        if example is None:
            found = before.denies.first_inside([box], (), (after.denies,))
            example = found[0] if found is not None else None
        if example is not None:
            beyond = _beyond(endpoint, rule, pieces, before, after)
            yield Found(rule, endpoint, pieces, Verdict.DENY, Verdict.ALLOW, example, beyond)


def _of_deny(rule: Told, after: Side) -> Iterator[Found]:
    """What allows have where a deny of the side before is gone."""
    for endpoint, box in boxes_by_endpoint(rule, rule.reach, after):
        first = after.allows.first_inside([box], (), (after.denies,))
        if first is None:
            continue
        numbers = after.allows.meeting_boxes([box])
        if len(numbers) > _FEW:
            pieces = tuple(_left(_meet(box, after.allows), (after.denies,)))
            others = rules_of(first[0], after.allows, after.allow_rules)
            yield Found(rule, endpoint, pieces, Verdict.DENY, Verdict.ALLOW, first[0], (), others)
            continue
        for allow in [after.allow_rules[number] for number in numbers]:
            for other, held in boxes_by_endpoint(allow, allow.reach, after):
                pieces = tuple(_left(in_both([box], [held]), (after.denies,)))
                flow = witness(pieces, ())
                if flow is not None:
                    narrow = _narrower(endpoint, other)
                    yield Found(rule, narrow, pieces, Verdict.DENY, Verdict.ALLOW, flow, (), (allow,))


def _narrower(one: Endpoint, other: Endpoint) -> Endpoint:
    """The endpoint that says better what both have: the other, if it is a part of the one."""
    if isinstance(other, HostEndpoint):
        return one if isinstance(one, HostEndpoint) and not _within(other, one) else other
    if isinstance(one, AddressEndpoint) and isinstance(other, AddressEndpoint):
        both = one.addresses.intersection(other.addresses)
        return AddressEndpoint(both) if not both.is_empty else one
    return one if isinstance(one, HostEndpoint) else other


def inspected_otherwise(old: Side, new: Side) -> Iterator[Found]:
    """What both sides allow and inspect otherwise, in the words of the side that says more about it."""
    for said, verdict in ((Inspection.MUST_NOT, Verdict.MUST_NOT), (Inspection.MUST, Verdict.MUST)):
        for mine, other in ((old, new), (new, old)):
            known = {reach for _, reach in other.tls_rules(said)}
            for rule, reach in mine.tls_rules(said):
                if reach not in known:
                    for endpoint, box in boxes_by_endpoint(rule, reach, mine):
                        yield from _of_inspection(rule, endpoint, box, mine, other, verdict)


def _of_inspection(
    rule: Told, endpoint: Endpoint, box: Box, mine: Side, other: Side, verdict: Verdict
) -> Iterator[Found]:
    """What a rule says of inspection and the other side does not, where both allow it."""
    denied = (mine.denies, other.denies)
    asked: list[tuple[Verdict, FlowIndex, tuple[FlowIndex, ...]]] = []
    if verdict is Verdict.MUST_NOT:
        # On the other side it is demanded, or left to the device.
        asked.append((Verdict.MUST, other.demanded, (other.exempt, *denied)))
        asked.append((Verdict.MAY, other.allows, (other.exempt, other.demanded, *denied)))
    else:
        # What the other side exempts is told by that exemption.
        asked.append((Verdict.MAY, other.allows, (other.demanded, other.exempt, mine.exempt, *denied)))
    for state, index, without in asked:
        first = index.first_inside([box], (), without)
        if first is None:
            continue
        pieces = tuple(_left(_meet(box, index), without))
        if pieces:
            pair = (verdict, state) if mine.number == 0 else (state, verdict)
            yield Found(rule, endpoint, pieces, *pair, first[0], _taken_out(endpoint, pieces))


def boxes_by_endpoint(rule: Told, reach: Reach, side: Side) -> Iterator[tuple[Endpoint, Box]]:
    """The endpoints of a reach of the rule, each with its flows; addresses as they were written, not as they merge."""
    for endpoint in reach.endpoints:
        some: Sequence[Endpoint] = (endpoint,)
        if isinstance(endpoint, AddressEndpoint):
            some = _as_written(endpoint, rule.rule.rule.to.endpoints) or some
        for each in some:
            for box in side.boxes(replace(reach, endpoints=(each,))):
                yield each, box


def _as_written(endpoint: AddressEndpoint, written: Iterable[object]) -> list[AddressEndpoint]:
    """What of the addresses each written endpoint has."""
    found: dict[AddressEndpoint, None] = {}
    for each in written:
        if isinstance(each, AddressEndpoint):
            both = each.addresses.intersection(endpoint.addresses)
            if not both.is_empty:
                found[AddressEndpoint(both)] = None
    return list(found)


def _meet(box: Box, index: BlockIndex) -> list[Box]:
    """What entries of the index hold of the box; of very many only who sends it on which ports, not to which names."""
    numbers = index.meeting_boxes([box])
    if len(numbers) <= _FEW:
        return [both for number in numbers for both in in_both([box], index.boxes_of(number))]
    if uncovered([box], (), (index,)) is None:
        return [box]
    every = [s for names in (False, True) for s in index.signatures_over(box.ports, names=names)]
    return [both for signature in every if (both := common(box, signature.box)) is not None]


def _left(some: Iterable[Box], indexes: Sequence[BlockIndex]) -> list[Box]:
    """The flows of the boxes that are in no entry of the indexes, in pieces; of very many entries by who sends."""
    found: list[Box] = []
    for box in some:
        if uncovered([box], (), indexes) is None:
            continue
        near = [b for index in indexes for b in (*index.over_names(box, index.aside), *index.over_addresses(box))]
        pieces = difference([box], near) if len(near) <= _MANY else _by_dimension(box, near)
        found.extend(piece for piece in pieces if uncovered([piece], (), indexes) is not None)
    return found


def _by_dimension(box: Box, near: Sequence[Box]) -> Iterator[Box]:
    """The box for each group and account that it or a box around it names."""
    groups = _values(box.groups, [b.groups for b in near])
    accounts = _values(box.accounts, [b.accounts for b in near])
    for group in groups:
        for account in accounts:
            yield replace(box, groups=group, accounts=account)


def _values(mine: Choice, others: Iterable[Choice]) -> list[Choice]:
    names = sorted(mine.names if not mine.negated else {n for other in others for n in other.names} - mine.names)
    found = [Choice(frozenset((name,))) for name in names]
    return [*found, Choice(mine.names.union(names), negated=True)] if mine.negated else found


def _beyond(endpoint: Endpoint, rule: Told, pieces: Sequence[Box], before: Side, after: Side) -> tuple[str, ...]:
    """The parts of an endpoint that are decided as before, as far as a rule or an exception names them."""
    if isinstance(endpoint, AddressEndpoint):
        held = addresses_of(endpoint, after.tags)
        assert held is not None, "only a tag is opaque"
        rest = held.difference(union_of([piece.addresses for piece in pieces]))
        return () if rest.is_empty else tuple(rest.text.split())
    if not isinstance(endpoint, HostEndpoint):
        return ()
    found = [e.text for e in rule.reach.exceptions if isinstance(e, HostEndpoint) and _within(e, endpoint)]
    for index, rules in ((before.allows, before.allow_rules), (after.denies, after.deny_rules)):
        for number in sorted(set(index.names.intersecting(endpoint.pattern))):
            other = rules[number]
            if not other.reach.ports.overlaps(rule.reach.ports) or other is rule:
                continue
            for each in other.reach.endpoints:
                if isinstance(each, HostEndpoint) and each != endpoint and _within(each, endpoint):
                    inside = replace(pieces[0], inside=(*pieces[0].inside, (each.pattern, each.path)))
                    if witness([inside], ()) is None:
                        found.append(each.text)
    return tuple(sorted(dict.fromkeys(found)))


def _taken_out(endpoint: Endpoint, pieces: Sequence[Box]) -> tuple[str, ...]:
    if not isinstance(endpoint, HostEndpoint):
        return ()
    out = [HostEndpoint(pattern, path) for pattern, path in pieces[0].outside]
    return tuple(sorted({e.text for e in out if _within(e, endpoint) and e != endpoint}))


def _within(one: HostEndpoint, other: HostEndpoint) -> bool:
    if not contains(other.pattern, one.pattern):
        return False
    return other.path is None or (one.path is not None and f"{one.path}/".startswith(f"{other.path}/"))


def rules_of(flow: Flow, index: FlowIndex, rules: Sequence[Told]) -> tuple[Told, ...]:
    """The rules that match a flow, in order."""
    numbers = index.meeting_boxes((_around(flow),))
    return tuple([rules[n] for n in numbers if any(_holds(box, flow) for box in index.boxes_of(n))])


def _around(flow: Flow) -> Box:
    port = ((flow.port, flow.port),)
    ports = PortSet(tcp=port) if flow.transport == "tcp" else PortSet(udp=port)
    inside = () if flow.host is None else ((HostPattern(tuple(flow.host.split("."))), flow.path),)
    return Box(EVERY, frozenset((4, 6)), EVERY, ports, ALL, inside, (), (), (), NO_TAGS, NO_TAGS, ALL, ())


def _holds(box: Box, flow: Flow) -> bool:
    return (flow.account in box.accounts.names) is not box.accounts.negated and holds(box, flow)
