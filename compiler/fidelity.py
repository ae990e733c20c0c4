"""Fidelity: what an artefact does compared with the policy, rule by rule, with an example flow for each difference."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from egressc.diagnostics import Level
from egressc.fidelity_difference import Cut, Differences
from egressc.fidelity_integrity import check_lowering
from egressc.lowering import Recognition
from egressc.policy import Inspection
from egressc.quick_init import quick_init
from egressc.reasons import FACTS, Effect, Reason
from egressc.tls import tls_services
from egressc.tls_differences import tls_differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from egressc.flows import Flow
    from egressc.inventory import Acceptance
    from egressc.lowering import Lowering, Part, Step
    from egressc.policy import Rule
    from egressc.site import Site
    from egressc.tls_differences import TlsDifference


class Verdict(StrEnum):
    """How an artefact says one rule of the policy."""

    EXACT = "exact"
    WIDER = "wider"
    NARROWER = "narrower"
    BOTH = "both"
    OMITTED = "omitted"
    NOT_APPLICABLE = "not-applicable"


@quick_init
@dataclass(frozen=True, slots=True)
class Approximation:
    """One difference and its reason, graded.

    ``effect`` is the effect on what is allowed (for a deny, the opposite of the effect on what it matches).
    ``why`` is the justification of the acceptance, if it is accepted and has one. ``example`` is a flow that the
    artefact decides otherwise than the policy; ``None`` where no flow differs (``log``, ``expiry``).
    """

    reason: Reason
    effect: Effect
    level: Level
    accepted: bool
    why: str
    sentence: str
    example: Flow | None


@quick_init
@dataclass(frozen=True, slots=True)
class RuleFidelity:
    """How the artefact says one rule: its verdict, the names it has there, how it knows the name of a connection.

    ``left_out`` says that a part of a deny is not written because the closing deny covers it. ``inspection_idle`` says
    that the rule demands inspection of a device that never inspects.
    """

    rule: Rule
    verdict: Verdict
    names: tuple[str, ...]
    assumptions: tuple[str, ...]
    recognised_by: tuple[Recognition, ...]
    approximations: tuple[Approximation, ...]
    left_out: bool = False
    inspection_idle: bool = False


@dataclass(frozen=True, slots=True)
class Fidelity:
    """The report of one artefact. ``cuts`` are errors whatever their reason's level.

    ``proved`` are the names of the files that were read back and do what the report says; none if nothing was.
    """

    site: Site[Any]
    rules: tuple[RuleFidelity, ...]
    whole: tuple[Approximation, ...]
    cuts: tuple[Cut, ...]
    assumes: tuple[str, ...]
    proved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grading:
    """What turns the level of a reason into the level of one approximation.

    ``accepted_everywhere`` are the reasons of ``--accept``. ``enforced`` says for a rule and a group's name whether a
    host firewall of this inventory enforces the rule's accounts there exactly.
    """

    acceptances: tuple[Acceptance, ...]
    accepted_everywhere: frozenset[str]
    strict: bool
    as_of: date
    enforced: Callable[[str, str], bool]


def assess(site: Site[Any], lowering: Lowering[Any], grading: Grading) -> Fidelity:
    """The fidelity report of a lowered site. Steps that change no decision are not reported.

    Raises ``BrokenLoweringError`` if the target lost a rule, or changed one without a step that says so.
    """
    parts = check_lowering(site, lowering)
    by_identity: dict[str, list[Part]] = {}
    for rule, some in parts.items():
        by_identity.setdefault(rule.identity, []).extend(some)
    differences = Differences(site, lowering)
    tls: dict[str, list[TlsDifference]] = {}
    if lowering.inspects:
        for found in tls_differences(site, lowering):
            tls.setdefault(found.rule.identity, []).append(found)
    accepted = Acceptances(grading)
    cuts: list[Cut] = []
    reports = [
        _report(identity, by_identity[identity], differences, tls.get(identity, ()), accepted, cuts, lowering.inspects)
        for identity in sorted(by_identity)
    ]
    whole = tuple(
        accepted.graded(
            "", step.reason, FACTS[step.reason].effect, step.level or FACTS[step.reason].level, step.sentence
        )
        for step in lowering.site_steps
    )
    return Fidelity(site, tuple(reports), whole, tuple(cuts), lowering.assumes)


class Acceptances:
    """Grades approximations: what is accepted is a note, and with ``--strict`` a warning is an error."""

    def __init__(self, grading: Grading) -> None:
        self.grading = grading
        self._by_reason: dict[str, list[Acceptance]] = {}
        for acceptance in grading.acceptances:
            if acceptance.until is None or acceptance.until >= grading.as_of:
                self._by_reason.setdefault(acceptance.reason, []).append(acceptance)

    def graded(
        self, identity: str, reason: Reason, effect: Effect, level: Level, sentence: str, example: Flow | None = None
    ) -> Approximation:
        """The approximation of a rule (of the whole artefact, if ``identity`` is empty) at the level that is left."""
        accepted, why = self._accepted(identity, reason)
        if level is not Level.NOTE:
            if accepted:
                level = Level.NOTE
            elif self.grading.strict:
                level = Level.ERROR
        return Approximation(reason, effect, level, accepted, why, sentence, example)

    def _accepted(self, identity: str, reason: Reason) -> tuple[bool, str]:
        found = False
        for acceptance in self._by_reason.get(reason.value, ()):
            if acceptance.covers(identity) if identity else acceptance.rules == "*":
                found = True
                if acceptance.why:
                    return True, acceptance.why
        return found or reason.value in self.grading.accepted_everywhere, ""


def _report(
    identity: str,
    parts: Sequence[Part],
    differences: Differences,
    tls: Iterable[TlsDifference],
    accepted: Acceptances,
    cuts: list[Cut],
    inspects: bool,  # noqa: FBT001
) -> RuleFidelity:
    """How the artefact says the rule whose parts these are; cuts are added to ``cuts``."""
    found: list[_Found] = []
    left_out = False
    for part in parts:
        if part.left_out:
            cut = differences.of_left_out(part)
            if cut is None:
                left_out = True
            else:
                cuts.append(cut)
            continue
        decided = False
        for step in part.steps:
            decided |= _judge(part, step, differences, accepted.grading, found, cuts)
        if part.reach is None and part.rule.is_deny and not decided:
            left_out = True
    for other in tls:
        facts = FACTS[other.reason]
        _keep(found, _Found(other.reason, facts.effect, facts.level, other.sentence, other.example))
    if len(found) > 1:
        found.sort(key=lambda each: (_ORDER[each.reason], each.effect.value))
    approximations = tuple([accepted.graded(identity, *each) for each in found])
    rule = parts[0].rule.rule
    idle = not inspects and rule.inspection is Inspection.MUST and bool(tls_services(rule.services))
    names, assumptions, recognised = _together(parts)
    verdict = _verdict(parts, approximations, idle=idle)
    return RuleFidelity(rule, verdict, names, assumptions, recognised, approximations, left_out, idle)


def _together(parts: Sequence[Part]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Recognition, ...]]:
    """The names, the assumptions and the ways of recognition of the parts together."""
    if len(parts) == 1:
        (part,) = parts
        return part.names, part.assumptions, () if part.reach is None else (part.recognition,)
    recognised = {part.recognition for part in parts if part.reach is not None}
    return (
        tuple(dict.fromkeys(name for part in parts for name in part.names)),
        tuple(sorted({each for part in parts for each in part.assumptions})),
        tuple(r for r in Recognition if r in recognised),
    )


class _Found(NamedTuple):
    """A difference before it is graded."""

    reason: Reason
    effect: Effect
    level: Level
    sentence: str
    example: Flow | None


def _judge(
    part: Part, step: Step, differences: Differences, grading: Grading, found: list[_Found], cuts: list[Cut]
) -> bool:
    """Look at one step; what it changes goes to ``found`` or ``cuts``. Returns whether it changes anything.

    One example for each reason is enough; of several steps the most serious is kept.
    """
    level = step.level or FACTS[step.reason].level
    if step.reason is _ACCOUNT and all([grading.enforced(part.rule.identity, g.name) for g in part.rule.groups]):
        level = Level.NOTE
    if not part.rule.is_deny:
        for known in found:
            if known.reason is step.reason and known.effect is step.effect and _rank(known.level) >= _rank(level):
                return True
    difference = differences.of(part, step)
    if difference is None:
        return False
    if isinstance(difference, Cut):
        cuts.append(difference)
        return True
    if difference.effect is Effect.NONE and level is Level.WARNING:
        level = Level.NOTE
    _keep(found, _Found(step.reason, difference.effect, level, step.sentence, difference.example))
    return True


def _keep(found: list[_Found], new: _Found) -> None:
    for at, known in enumerate(found):
        if known.reason is new.reason and known.effect is new.effect:
            if _rank(known.level) < _rank(new.level):
                found[at] = new
            return
    found.append(new)


def _rank(level: Level) -> int:
    return 0 if level is Level.NOTE else 1 if level is Level.WARNING else 2


def _verdict(parts: Sequence[Part], approximations: Sequence[Approximation], *, idle: bool) -> Verdict:
    if not any([part.reach is not None for part in parts]):
        return Verdict.OMITTED
    wider = any([a.effect in _WIDER for a in approximations])
    narrower = any([a.effect in _NARROWER for a in approximations])
    if wider and narrower:
        return Verdict.BOTH
    if wider:
        return Verdict.WIDER
    if narrower:
        return Verdict.NARROWER
    return Verdict.NOT_APPLICABLE if idle else Verdict.EXACT


_ACCOUNT = Reason.ACCOUNT
_ORDER = {reason: number for number, reason in enumerate(Reason)}
_WIDER = (Effect.WIDER, Effect.EXEMPTION_WIDER)
_NARROWER = (Effect.NARROWER, Effect.EXEMPTION_LOST)
