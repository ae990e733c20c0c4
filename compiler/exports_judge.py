"""Whether a list does what was announced, and what that means for the policy, rule by rule.

What a format writes is read back by its own reader. The requests that it then matches must be exactly those of the
lines that were to be written; anything else is a defect of egressc. Each step is then looked at for a request that it
decides otherwise than the policy: one that changes nothing is not reported.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from egressc.addresses import ALL
from egressc.anything import ANY
from egressc.diagnostics import Level
from egressc.exports import ListKind, ListStep, Shape
from egressc.fidelity import Acceptances, Approximation, Grading, Verdict
from egressc.flows import boxes
from egressc.flows_index import FlowIndex, uncovered
from egressc.lowering import BrokenLoweringError
from egressc.policy import AddressEndpoint, HostEndpoint
from egressc.reach import Reach
from egressc.reasons import FACTS, Effect, Reason
from egressc.services import NO_PORTS, PortSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from egressc.exports import Line, Lowered, ReadList
    from egressc.exports_wanted import Wanted
    from egressc.flows import Box, Flow
    from egressc.policy import Endpoint, Rule


class Requests:
    """A set of requests: by name and by address, each with its index."""

    def __init__(self, reaches: Iterable[Reach]) -> None:
        names: list[Reach] = []
        addresses: list[Reach] = []
        for reach in reaches:
            if reach.endpoints:
                (names if isinstance(reach.endpoints[0], HostEndpoint) else addresses).append(reach)
        self._by_name = names
        self._by_address = addresses
        self.reaches = (*names, *addresses)
        self._said: dict[Endpoint, list[Reach]] = {}
        for reach in self.reaches:
            for endpoint in reach.endpoints:
                self._said.setdefault(endpoint, []).append(reach)

    @cached_property
    def names(self) -> FlowIndex:
        """The requests by name; built when first asked, since most questions are answered without."""
        return FlowIndex(self._by_name, {})

    @cached_property
    def addresses(self) -> FlowIndex:
        """The requests by address."""
        return FlowIndex(self._by_address, {})

    def says(self, reach: Reach) -> bool:
        """True if each endpoint of the reach stands here, with no fewer ports: then nothing of it lacks.

        A quick way only: what holds it in other words is not seen.
        """
        for endpoint in reach.endpoints:
            for each in self._said.get(endpoint, ()):
                if _holds(each, reach):
                    break
            else:
                return False
        return True

    def lacks(self, reach: Reach, minus: Sequence[Box] = ()) -> Flow | None:
        """A request of the reach that is not among these, nor in ``minus``; the reach is by name or by address."""
        if self.says(reach):
            return None
        index = self.names if isinstance(reach.endpoints[0], HostEndpoint) else self.addresses
        return uncovered(boxes(reach, {}), minus, (index,))


def _holds(one: Reach, other: Reach) -> bool:
    """True if what one reach says of an endpoint holds what the other says of it."""
    if one.exceptions is not other.exceptions and not set(one.exceptions) <= set(other.exceptions):
        return False
    return one.ports is other.ports or one.ports.contains(other.ports)


def requests_of(lines: Iterable[Line]) -> Requests:
    """What lines match as their format is read."""
    found = []
    for line in lines:
        found.append(line.reach)
        if line.shape is Shape.EVERYTHING:
            found.append(Reach(ANY, ANY, (AddressEndpoint(ALL),), (), PortSet(line.ports)))
    return Requests(found)


def wanted_requests(wanted: Wanted) -> Requests:
    """What the policy wants in the list."""
    return Requests(wanted.reaches)


def check_read(lines: Iterable[Line], read: ReadList, where: str) -> Requests:
    """The requests of the lines, which a list that was read back must have, too.

    Raises ``BrokenLoweringError`` if the list that was written does anything else, naming a request.
    """
    announced = requests_of(lines)
    for entry in read.entries:
        if entry.doubt:
            raise BrokenLoweringError(f"{where}: `{entry.text}` was written and cannot be read: {entry.doubt}")
    found = Requests(entry.reach for entry in read.entries)
    for one, other, what in ((found, announced, "matches"), (announced, found, "does not match")):
        for reach in one.reaches:
            flow = other.lacks(reach)
            if flow is not None:
                raise BrokenLoweringError(f"{where}: what was written {what} {flow.text}, unannounced")
    return announced


def check_announced(own: Requests, asked: Requests, lowered: Iterable[Lowered], where: str) -> None:
    """Nothing may differ from the policy without a step: not in what a list matches, not in what it lacks.

    Raises ``BrokenLoweringError`` with a request that does.
    """
    steps = [step for each in lowered for step in each.steps if step.before is not step.after]
    wider = Requests(step.after for step in steps if step.effect is Effect.WIDER and step.after is not None)
    narrower = Requests(step.before for step in steps if step.effect is Effect.NARROWER and _comparable(step.before))
    for some, others, what in ((own, (asked, wider), "matches"), (asked, (own, narrower), "does not match")):
        for reach in some.reaches:
            if any(other.says(reach) for other in others):
                continue
            by_name = isinstance(reach.endpoints[0], HostEndpoint)
            indexes = [other.names if by_name else other.addresses for other in others]
            flow = uncovered(boxes(reach, {}), (), indexes)
            if flow is not None:
                raise BrokenLoweringError(f"{where}: the list {what} {flow.text}, and no step says so")


@dataclass(frozen=True, slots=True)
class RuleInList:
    """How a list says one rule. ``lines`` are those that stand for it, as they are spelled."""

    rule: Rule
    verdict: Verdict
    approximations: tuple[Approximation, ...]
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A step that changes what is decided, and the rules that it is about."""

    step: ListStep
    rules: tuple[Rule, ...]
    example: Flow | None


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """A list as those who are called ``names`` read it: its lowered entries, and the requests that it matches."""

    names: tuple[str, ...]
    lowered: tuple[Lowered, ...]
    own: Requests


def judge(parts: Sequence[Spoken], asked: Requests) -> list[Judged]:
    """The steps that change something; ``asked`` are the requests that the policy wants.

    What several readers have in common is said once, with the names of those who have it (none where all do).
    """
    found: dict[tuple[object, ...], tuple[Judged, list[str]]] = {}
    for part in parts:
        for number, each in enumerate(part.lowered):
            for step in each.steps:
                key = (number, step.reason, step.effect, step.sentence)
                known = found.get(key)
                if known is not None:
                    known[1].extend(part.names)
                    continue
                judged = _judged(step, each, part.own, asked)
                if judged is not None:
                    found[key] = (judged, list(part.names))
    count = sum(len(part.names) for part in parts)
    return [judged if len(names) == count else _named(judged, names) for judged, names in found.values()]


def _judged(step: ListStep, each: Lowered, own: Requests, asked: Requests) -> Judged | None:
    if step.before is step.after:
        return Judged(step, each.entry.rules, step.example)
    flow = _changed(step, own, asked)
    if flow is not None:
        return Judged(step, each.entry.rules, flow)
    unknown = step.reason is Reason.ADDRESS and step.after is None and not _comparable(step.before)
    return Judged(step, each.entry.rules, None) if unknown else None


def _named(judged: Judged, names: Sequence[str]) -> Judged:
    return replace(judged, step=replace(judged.step, sentence=f"{judged.step.sentence} ({', '.join(names)})"))


def unseen(wanted: Wanted) -> list[Judged]:
    """What a list does not see of the policy, whatever its format: accounts, sources, addresses of names."""
    return [Judged(step, entry.rules, step.example) for entry, step in (*wanted.steps, *wanted.cut)]


def unsaid(rules: Iterable[Rule]) -> Iterator[Judged]:
    """What no list says of a rule although no request is decided otherwise: its end, and that it is logged."""
    for rule in rules:
        if rule.expires is not None:
            day = rule.expires.isoformat()
            yield _unsaid(rule, Reason.EXPIRY, f"the list does not end by itself after {day}: make it anew then")
        if rule.log:
            yield _unsaid(rule, Reason.LOG, "a list logs nothing")


def _unsaid(rule: Rule, reason: Reason, sentence: str) -> Judged:
    nothing = Reach(ANY, ANY, (), (), NO_PORTS)
    return Judged(ListStep(reason, Effect.NONE, sentence, nothing, nothing), (rule,), None)


def _comparable(reach: Reach) -> bool:
    """False for a service tag: nobody knows its addresses, so nothing can be said to hold them."""
    return all(isinstance(e, (HostEndpoint, AddressEndpoint)) for e in reach.endpoints)


def _changed(step: ListStep, own: Requests, asked: Requests) -> Flow | None:
    """A request that the step decides otherwise than the policy, whatever other entries say."""
    if not _comparable(step.before):
        return None
    if step.effect is Effect.WIDER:
        assert step.after is not None
        return asked.lacks(step.after, tuple(boxes(step.before, {})))
    return own.lacks(step.before, () if step.after is None else tuple(boxes(step.after, {})))


def by_rule(
    rules: Iterable[Rule],
    judged: Iterable[Judged],
    kind: ListKind,
    grading: Grading,
    enforced: Callable[[Rule], bool] = lambda _rule: False,
) -> tuple[RuleInList, ...]:
    """How the list says each rule, by identity: of several examples for one reason that of the most serious step.

    ``enforced`` says of a rule whether host firewalls tell its accounts apart wherever the list is used: then it is a
    note that the list does not.
    """
    accepted = Acceptances(grading)
    found: dict[str, dict[tuple[Reason, Effect], tuple[Level, str, Flow | None]]] = {}
    for each in judged:
        reason, effect, graded = _graded(each.step, kind)
        for rule in each.rules:
            level = Level.NOTE if reason is Reason.ACCOUNT and enforced(rule) else graded
            held = found.setdefault(rule.identity, {})
            known = held.get((reason, effect))
            if known is None or _rank(known[0]) < _rank(level):
                held[reason, effect] = (level, each.step.sentence, each.example)
    result = []
    for rule in sorted(rules, key=lambda each: each.identity):
        mine = found.get(rule.identity, {})
        approximations = tuple(
            accepted.graded(rule.identity, reason, effect, *mine[reason, effect])
            for reason, effect in sorted(mine, key=lambda key: (tuple(Reason).index(key[0]), key[1].value))
        )
        result.append(RuleInList(rule, _verdict(approximations), approximations))
    return tuple(result)


def _graded(step: ListStep, kind: ListKind) -> tuple[Reason, Effect, Level]:
    """The reason, effect and level of a step in a list of this kind.

    What an exemption list loses is opened by the proxy: `tls-unenforced`, unless it is no more than a note.
    """
    level = step.level or FACTS[step.reason].level
    if kind is ListKind.BYPASS:
        return step.reason, step.effect, level
    if step.effect is Effect.NONE:
        return step.reason, step.effect, level
    if step.effect is Effect.WIDER:
        return step.reason, Effect.EXEMPTION_WIDER, level
    if level is Level.NOTE:
        return step.reason, Effect.EXEMPTION_LOST, level
    return Reason.TLS_UNENFORCED, Effect.EXEMPTION_LOST, FACTS[Reason.TLS_UNENFORCED].level


def _rank(level: Level) -> int:
    return (Level.NOTE, Level.WARNING, Level.ERROR).index(level)


def _verdict(approximations: Sequence[Approximation]) -> Verdict:
    wider = any(a.effect in {Effect.WIDER, Effect.EXEMPTION_WIDER} for a in approximations)
    narrower = any(a.effect in {Effect.NARROWER, Effect.EXEMPTION_LOST} for a in approximations)
    if wider and narrower:
        return Verdict.BOTH
    if wider:
        return Verdict.WIDER
    return Verdict.NARROWER if narrower else Verdict.EXACT
