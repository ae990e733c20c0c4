"""Fidelity: what an artefact does compared with the policy, rule by rule, with an example flow for each difference."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from egressc.diagnostics import Level
from egressc.lowering import Recognition
from egressc.reasons import FACTS, Effect, Reason
from egressc.tls import exemption_differences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from egressc.flows import Flow
    from egressc.inventory import Acceptance
    from egressc.lowering import Lowering, Part, Step
    from egressc.policy import Rule
    from egressc.site import BoundRule, Site


class Verdict(StrEnum):
    """How an artefact says one rule of the policy."""

    EXACT = "exact"
    WIDER = "wider"
    NARROWER = "narrower"
    BOTH = "both"
    OMITTED = "omitted"
    NOT_APPLICABLE = "not-applicable"


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


@dataclass(frozen=True, slots=True)
class Cut:
    """A deny that was widened so far that it stops what the policy allows."""

    rule: Rule
    allow: Rule
    sentence: str
    reason: Reason
    example: Flow


@dataclass(frozen=True, slots=True)
class RuleFidelity:
    """How the artefact says one rule: its verdict, the names it has there, how it knows the name of a connection."""

    rule: Rule
    verdict: Verdict
    names: tuple[str, ...]
    assumptions: tuple[str, ...]
    recognised_by: tuple[Recognition, ...]
    approximations: tuple[Approximation, ...]


@dataclass(frozen=True, slots=True)
class Fidelity:
    """The report of one artefact. ``cuts`` are errors whatever their reason's level."""

    site: Site[Any]
    rules: tuple[RuleFidelity, ...]
    whole: tuple[Approximation, ...]
    cuts: tuple[Cut, ...]
    assumes: tuple[str, ...]
    proved: bool = False


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
    """The fidelity report of a lowered site. Steps that change no decision are not reported."""
    cuts: list[Cut] = []
    by_rule: dict[str, list[Part]] = {}
    for part in lowering.parts:
        by_rule.setdefault(part.rule.identity, []).append(part)
    tls: dict[str, list[tuple[Reason, str, Flow | None]]] = {}
    if lowering.inspects:
        for rule, reason, sentence, flow in exemption_differences(site, lowering.parts):
            tls.setdefault(rule.identity, []).append((reason, sentence, flow))
    reports = []
    for identity in sorted(by_rule):
        parts = by_rule[identity]
        found: dict[Reason, Approximation] = {}
        for part in parts:
            for step in part.steps:
                # One example for each reason is enough; the first that differs is shown.
                if step.reason in found:
                    continue
                seen = _difference(site, part, step, cuts)
                if seen is not None:
                    effect, flow = seen
                    found[step.reason] = _graded(grading, part.rule, step, effect, flow)
        for reason, sentence, flow in tls.get(identity, ()):
            if reason not in found:
                found[reason] = _approximation(
                    grading, identity, reason, FACTS[reason].effect, FACTS[reason].level, sentence, flow
                )
        reports.append(_report(parts, tuple(found[reason] for reason in Reason if reason in found)))
    whole = tuple(
        _approximation(
            grading,
            "",
            step.reason,
            FACTS[step.reason].effect,
            step.level or FACTS[step.reason].level,
            step.sentence,
            None,
        )
        for step in lowering.site_steps
    )
    return Fidelity(site, tuple(reports), whole, tuple(cuts), lowering.assumes)


def _difference(site: Site[Any], part: Part, step: Step, cuts: list[Cut]) -> tuple[Effect, Flow | None] | None:
    """The effect of a step on what is allowed, with an example; ``None`` if it changes no decision."""
    rule = part.rule
    if step.after is None:
        effect = step.effect.opposite if rule.is_deny else step.effect
        if rule.is_deny and step.reason is Reason.FAMILY:
            # What the target does not carry at all needs no deny.
            return Effect.NONE, None
        return effect, site.index.newly_matched_without(step.before, rule)
    if step.after is step.before or step.after == step.before:
        return step.effect, None
    if step.effect is Effect.NARROWER:
        flow = site.index.newly_matched_without(step.before, rule, minus=step.after)
        return None if flow is None else (step.effect, flow)
    if not rule.is_deny:
        flow = site.index.newly_matched(step.after, step.before)
        return None if flow is None else (step.effect, flow)
    cut = site.index.wrongly_denied(step.after, step.before)
    if cut is not None:
        flow, allow = cut
        cuts.append(Cut(rule.rule, allow.rule, step.sentence, step.reason, flow))
        return None
    if site.closing_deny:
        return None
    flow = site.index.newly_matched(step.after, step.before)
    return None if flow is None else (step.effect.opposite, flow)


def _graded(grading: Grading, rule: BoundRule, step: Step, effect: Effect, flow: Flow | None) -> Approximation:
    level = step.level or FACTS[step.reason].level
    if step.reason is Reason.ACCOUNT and all(grading.enforced(rule.identity, g.name) for g in rule.groups):
        level = Level.NOTE
    if effect is Effect.NONE and level is Level.WARNING:
        level = Level.NOTE
    return _approximation(grading, rule.identity, step.reason, effect, level, step.sentence, flow)


def _approximation(
    grading: Grading, identity: str, reason: Reason, effect: Effect, level: Level, sentence: str, flow: Flow | None
) -> Approximation:
    accepted, why = _accepted(grading, identity, reason)
    if level is not Level.NOTE:
        if accepted:
            level = Level.NOTE
        elif grading.strict:
            level = Level.ERROR
    return Approximation(reason, effect, level, accepted, why, sentence, flow)


def _accepted(grading: Grading, identity: str, reason: Reason) -> tuple[bool, str]:
    for acceptance in grading.acceptances:
        if (
            acceptance.reason == reason.value
            and (acceptance.until is None or acceptance.until >= grading.as_of)
            and (acceptance.covers(identity) if identity else acceptance.rules == "*")
        ):
            return True, acceptance.why
    return reason.value in grading.accepted_everywhere, ""


def _report(parts: Sequence[Part], approximations: tuple[Approximation, ...]) -> RuleFidelity:
    names: dict[str, None] = {}
    assumptions: set[str] = set()
    recognised: set[Recognition] = set()
    for part in parts:
        names.update(dict.fromkeys(part.names))
        assumptions.update(part.assumptions)
        if part.reach is not None:
            recognised.add(part.recognition)
    return RuleFidelity(
        parts[0].rule.rule,
        _verdict(parts, approximations),
        tuple(names),
        tuple(sorted(assumptions)),
        tuple(r for r in Recognition if r in recognised),
        approximations,
    )


def _verdict(parts: Iterable[Part], approximations: Iterable[Approximation]) -> Verdict:
    if all(part.reach is None for part in parts):
        return Verdict.OMITTED
    effects = {a.effect for a in approximations}
    wider = bool(effects & {Effect.WIDER, Effect.EXEMPTION_WIDER})
    narrower = bool(effects & {Effect.NARROWER, Effect.EXEMPTION_LOST})
    if wider and narrower:
        return Verdict.BOTH
    if wider:
        return Verdict.WIDER
    return Verdict.NARROWER if narrower else Verdict.EXACT
