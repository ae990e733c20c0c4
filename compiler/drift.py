"""Drift: what a live configuration decides otherwise than the policy, as it was compiled for that firewall."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from egressc.addresses import ALL, AddressSet, parse_addresses
from egressc.anything import Anything
from egressc.flows_index import BlockIndex
from egressc.hosts import matches
from egressc.meaning import Outcome
from egressc.proof import deviations
from egressc.proof_question import Kind, boxes_of
from egressc.proof_rulings import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.flows import Box, Flow, Test
    from egressc.lowering import Lowering
    from egressc.meaning import Ruling
    from egressc.proof_question import Deviation
    from egressc.site import BoundRule, Site
    from egressc.targets.protocol import Artefact, Target


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is different: a flow, the rule of the policy, and the live rules that decide the flow.

    ``live`` is empty where no live rule does; ``rule`` is ``None`` where no rule of the policy is concerned.
    """

    flow: Flow
    sentence: str
    rule: BoundRule | None
    live: tuple[Ruling, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """The comparison of one live configuration. It is equal if there is no finding of any kind."""

    site: Site[Any]
    allows_more: tuple[Finding, ...]
    allows_less: tuple[Finding, ...]
    inspection_differs: tuple[Finding, ...]
    unknown: tuple[Finding, ...]
    remarks: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """True if every flow that the firewall governs is decided as the policy says, and that is known."""
        return not (self.allows_more or self.allows_less or self.inspection_differs or self.unknown)


_LISTS = {
    Kind.ALLOWS_MORE: 0,
    Kind.ALLOWS_LESS: 1,
    Kind.UNDECIDED: 1,
    Kind.EXEMPTS_MORE: 2,
    Kind.INSPECTS_MORE: 2,
    Kind.INSPECTS_LESS: 2,
    Kind.UNKNOWN: 3,
}


def drift(site: Site[Any], target: Target[Any, Any], lowering: Lowering[Any], files: Sequence[Artefact]) -> Drift:
    """Compare a live configuration with the site. Raises ``UnreadableError`` if it is none."""
    assert target.read is not None, f"nothing reads configurations of {target.name}"
    meaning = target.read(site, files)
    found: tuple[list[Finding], ...] = ([], [], [], [])
    deciding = Deciding(meaning.rulings)
    every = [
        (deviation, _finding(deviation, deciding, site))
        for deviation in deviations(site, target, lowering, meaning, governed_only=True)
    ]
    for kind, finding in _each_once(every, deciding):
        found[_LISTS[kind]].append(finding)
    more, less, inspection, unknown = map(tuple, found)
    return Drift(site, more, less, inspection, unknown, meaning.remarks)


_WANTED = {Kind.ALLOWS_MORE: Outcome.DENY, Kind.ALLOWS_LESS: Outcome.ALLOW}
"""What a ruling does that is missing, by the kind of the difference."""

_Same = tuple[Kind, "BoundRule | None", tuple[tuple[str, str], ...]]


def _each_once(every: Sequence[tuple[Deviation, Finding]], deciding: Deciding) -> Iterator[tuple[Kind, Finding]]:
    """The findings, of which each is said once, with its kind.

    A rule that is missing shows twice: nothing says what it should, and a live rule, or the default, decides its flows
    instead. The first then names that one, too. One line of a configuration may be several rulings, which do the same.
    """
    instead: dict[_Same, tuple[Ruling, ...]] = {}
    left: list[tuple[_Same, Deviation, Finding]] = []
    missing = {_same(*each) for each in every if each[0].ruling is None}
    told: set[tuple[_Same, str]] = set()
    for deviation, finding in every:
        same = _same(deviation, finding)
        if deviation.ruling is not None:
            if same in missing and _is_only_missing(deviation, deciding):
                instead[same] = finding.live
                continue
            if (same, finding.sentence) in told:
                continue
            told.add((same, finding.sentence))
        left.append((same, deviation, finding))
    for same, deviation, finding in left:
        live = instead.get(same, finding.live) if deviation.ruling is None else finding.live
        yield deviation.kind, finding if live is finding.live else replace(finding, live=live)


def _same(deviation: Deviation, finding: Finding) -> _Same:
    """What findings about the same share: the kind, the rule, and the live rules, of which the default is none."""
    live = [(ruling.name, ruling.place) for ruling in finding.live if ruling.name != DEFAULT]
    return deviation.kind, deviation.rule, tuple(live)


def _is_only_missing(deviation: Deviation, deciding: Deciding) -> bool:
    """True if the flow is decided otherwise only because nothing decides it as it must, not because that stands late.

    What a live rule lets through that no rule of the policy allows is a fault of its own, whatever is missing.
    """
    wanted = _WANTED.get(deviation.kind)
    if wanted is None or deviation.ruling is None:
        return False
    if wanted is Outcome.DENY and deviation.rule is None and deviation.ruling.name != DEFAULT:
        return False
    return all(ruling.outcome is not wanted for ruling in deciding.every(deviation.flow))


def _finding(deviation: Deviation, deciding: Deciding, site: Site[Any]) -> Finding:
    live: tuple[Ruling, ...] = ()
    if deviation.ruling is not None:
        live = (deviation.ruling,)
    elif deviation.kind in {Kind.ALLOWS_MORE, Kind.ALLOWS_LESS}:
        live = deciding.of(deviation.flow)
    return Finding(_with_group(deviation.flow, site), deviation.sentence, deviation.rule, live)


class Deciding:
    """Which rulings decide a flow; near-linear for many flows."""

    def __init__(self, rulings: Sequence[Ruling]) -> None:
        self._rulings = rulings

    @cached_property
    def _index(self) -> BlockIndex:
        return BlockIndex([ruling.blocks for ruling in self._rulings])

    def of(self, flow: Flow) -> tuple[Ruling, ...]:
        """The ruling that decides a flow, after those that may; nothing if none does."""
        found = []
        for ruling in self.every(flow):
            found.append(ruling)
            if not ruling.doubt:
                break
        return tuple(found)

    def every(self, flow: Flow) -> Iterator[Ruling]:
        """The rulings that match a flow, or may, in their order: also those behind the one that decides it."""
        for number in self._index.around(flow):
            ruling = self._rulings[number]
            if any(holds(box, flow) for box in self._index.boxes_of(number)) and not any(
                holds(box, flow) for box in boxes_of(ruling.but)
            ):
                yield ruling


def holds(box: Box, flow: Flow) -> bool:
    """True if the flow of an example is in the box, as an enforcement point sees both."""
    ports = box.ports.transport(flow.transport)
    if not any(first <= flow.port <= last for first, last in ports):
        return False
    if not (_has(box.addresses, flow.address) and _has(box.sources, flow.source or None)):
        return False
    if (flow.group in box.groups.names) is box.groups.negated or box.tags:
        return False
    for kind, choice in box.processes:
        value = next((v.removeprefix(f"{kind} ") for v in flow.process.split(", ") if v.startswith(f"{kind} ")), None)
        if (value in choice.names) is choice.negated:
            return False
    if not all(_fits(test, flow) for test in box.inside) or any(_fits(test, flow) for test in box.outside):
        return False
    shared = flow.shared
    if not all(shared is not None and matches(pattern, shared) for pattern in box.shared_inside):
        return False
    return not any(shared is not None and matches(pattern, shared) for pattern in box.shared_outside)


def _has(addresses: AddressSet, address: str | None) -> bool:
    if addresses is ALL:
        return True
    one = parse_addresses(address) if address is not None else None
    return isinstance(one, AddressSet) and addresses.contains(one)


def _fits(test: Test, flow: Flow) -> bool:
    pattern, prefix = test
    if flow.host is None or not matches(pattern, flow.host):
        return False
    return prefix is None or (flow.path is not None and (flow.path == prefix or flow.path.startswith(f"{prefix}/")))


def _with_group(flow: Flow, site: Site[Any]) -> Flow:
    """The flow with the name of the group that sends it."""
    if flow.group is not None:
        for group in site.groups:
            if group.object_name == flow.group:
                return replace(flow, group=group.name)
        return flow
    if len(site.groups) == 1 and not flow.source:
        return replace(flow, group=site.groups[0].name)
    for group in site.groups:
        if not isinstance(group.addresses, Anything) and _has(group.addresses, flow.source or None):
            return replace(flow, group=group.name)
    return flow
