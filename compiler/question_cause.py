"""Which approximations make a firewall decide otherwise than the policy: the steps of the lowering, asked backwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from egressc.addresses import ALL
from egressc.flows import EVERY, boxes
from egressc.flows_search import difference, in_both
from egressc.proof_rulings import DEFAULT
from egressc.question import ANY_NAME
from egressc.question_answer import Verdict
from egressc.question_firewall import Ruled
from egressc.reasons import Effect, Reason
from egressc.services import ALL_PORTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from egressc.addresses import AddressSet
    from egressc.fidelity import Fidelity
    from egressc.flows import Box
    from egressc.lowering import Lowering, Part, Step
    from egressc.question_answer import Decision
    from egressc.question_firewall import Decided
    from egressc.reach import Reach
    from egressc.site import BoundRule, Site


@dataclass(frozen=True, slots=True)
class Cause:
    """One approximation that makes the difference: of which rule (empty: of the whole artefact), and in words.

    ``effect`` is the effect on these flows: a fallback, which is wider as a whole, may lose some of them.
    """

    reason: Reason
    effect: Effect
    rule: str
    sentence: str
    accepted: bool = False


_MANY = 64
"""Of more rules that match some of the flows, nobody reads why."""

_GROUPS = frozenset({Reason.SOURCE})
_ACCOUNTS = frozenset({Reason.ACCOUNT})
_PATHS = frozenset({Reason.PATH})
_SHARED = frozenset({Reason.RESOLVED_ADDRESS})
_FAMILIES = frozenset({Reason.FAMILY})
_PORTS = frozenset({Reason.PORTS})


def causes(
    site: Site[Any], lowering: Lowering[Any], fidelity: Fidelity, some: Sequence[Box], policy: Decision, here: Decided
) -> tuple[Cause, ...]:
    """Why the artefact decides the flows otherwise than the policy; nothing where it does the same."""
    # A flow whose address no other name has: else a rule that knows names by their addresses would match it.
    some = [replace(box, shared_outside=(ANY_NAME,)) for box in some]
    some = _decided_otherwise(some, policy, here, site.tags)
    if not some:
        return ()
    wanted = Effect.WIDER if here.verdict is Ruled.ALLOW else Effect.NARROWER
    names = {step.ruling.name for step in here.steps}
    found: dict[tuple[Reason, str], Cause] = {}
    untold: dict[tuple[Reason, str], Cause] = {}
    known = {rule.rule.identity: rule for rule in fidelity.rules}
    deciding = {id(rule.rule) for rule in policy.matching}
    for part in lowering.parts:
        if names.isdisjoint(part.names) and id(part.rule.rule) not in deciding:
            continue
        for step, gained in _steps(part, some, site.tags):
            if (gained is not part.rule.is_deny) is not (wanted is Effect.WIDER):
                continue
            report = known.get(part.rule.identity)
            told = [a for a in report.approximations if a.reason is step.reason] if report is not None else []
            accepted = bool(told) and all(a.accepted for a in told)
            cause = Cause(step.reason, wanted, part.rule.identity, step.sentence, accepted)
            (found if told else untold).setdefault((step.reason, part.rule.identity), cause)
    if not found:
        # The report tells a reason by what it changes as a whole: what it does not name says here why.
        found = untold
    if here.verdict is Ruled.UNDECIDED or here.left is not None:
        for whole in fidelity.whole:
            if whole.reason is Reason.DEFAULT:
                found.setdefault(
                    (whole.reason, ""), Cause(whole.reason, whole.effect, "", whole.sentence, whole.accepted)
                )
    for whole in fidelity.whole:
        opening = {ruling.name for ruling in lowering.opening}
        if whole.reason is Reason.INFRASTRUCTURE and not names.isdisjoint(opening):
            found.setdefault((whole.reason, ""), Cause(whole.reason, whole.effect, "", whole.sentence, whole.accepted))
    return tuple(found.values())


def _decided_otherwise(
    some: Sequence[Box], policy: Decision, here: Decided, tags: Mapping[str, AddressSet]
) -> Sequence[Box]:
    """Those of the flows that the policy decides otherwise than the artefact; none where that is not known."""
    if policy.verdict.value == here.verdict.value or here.verdict is Ruled.UNKNOWN:
        return ()
    if policy.verdict is not Verdict.UNKNOWN:
        return some
    if len(policy.matching) > _MANY:
        return ()
    denied = [box for rule in policy.denies for box in boxes(rule.reach, tags)]
    allowed = [box for rule in policy.allows for box in boxes(rule.reach, tags)]
    if here.verdict is Ruled.ALLOW:
        return [*difference(some, allowed), *in_both(some, denied)]
    return difference(in_both(some, allowed), denied)


def inspection_causes(fidelity: Fidelity, identities: Collection[str]) -> tuple[Cause, ...]:
    """The approximations of inspection that the report names for some rules."""
    return tuple(
        [
            Cause(found.reason, found.effect, rule.rule.identity, found.sentence, found.accepted)
            for rule in fidelity.rules
            if rule.rule.identity in identities
            for found in rule.approximations
            if found.reason in {Reason.TLS_SCOPE, Reason.TLS_UNENFORCED}
        ]
    )


def rules_of(lowering: Lowering[Any], names: Iterable[str]) -> tuple[BoundRule, ...]:
    """The rules of the policy that artefact rules of these names stand for."""
    wanted = set(names) - {DEFAULT}
    found = {part.rule: None for part in lowering.parts if not wanted.isdisjoint(part.names)}
    return tuple(found)


def _steps(part: Part, some: Sequence[Box], tags: Mapping[str, AddressSet]) -> Iterator[tuple[Step, bool]]:
    """The steps that bring the flows into the part (true), or take them out of it (false), in their order."""
    # A deny behind an allow, or only taken out of the allows by name, has all its flows and does not decide them all.
    yield from ((s, False) for s in part.steps if s.reason is Reason.ORDER and _meets(s.before, some, tags))
    found: list[Step] = []
    if part.reach is None or not _meets(part.reach, some, tags):
        # The flows are not in what is left: the step that lost them, and the one that lost the part as a whole.
        if not _meets(part.start, some, tags):
            return
        for step in part.steps:
            if step.after is None or (_meets(step.before, some, tags) and not _meets(step.after, some, tags)):
                yield step, False
        return
    for step in reversed(part.steps):
        if step.after is not None and _meets(step.after, some, tags) and not _meets(step.before, some, tags):
            found.append(step)
            # What this step let in, it may have let in only because of an earlier one: that is asked without it.
            some = _without(step.reason, some)
    yield from ((step, True) for step in reversed(found))


def _meets(reach: Reach, some: Sequence[Box], tags: Mapping[str, AddressSet]) -> bool:
    return bool(in_both(some, tuple(boxes(reach, tags))))


def _without(reason: Reason, some: Sequence[Box]) -> list[Box]:
    """The flows without what a step for that reason may change (the licence of the reason)."""
    if reason in _GROUPS:
        return [replace(box, groups=EVERY) for box in some]
    if reason in _ACCOUNTS:
        return [replace(box, accounts=EVERY) for box in some]
    if reason in _PATHS:
        return [replace(box, inside=tuple((pattern, None) for pattern, _ in box.inside)) for box in some]
    if reason in _SHARED:
        return [replace(box, inside=(), shared_outside=()) for box in some]
    if reason in _FAMILIES:
        return [replace(box, addresses=ALL, sources=ALL) for box in some]
    if reason in _PORTS:
        return [replace(box, ports=ALL_PORTS) for box in some]
    return [replace(box, inside=(), outside=(), addresses=ALL) for box in some]
