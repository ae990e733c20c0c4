"""Saying approximations aloud: fidelity reports as diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic, Level, Related
from egressc.reasons import FACTS, Effect, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.fidelity import Approximation, Fidelity, RuleFidelity
    from egressc.fidelity_difference import Cut
    from egressc.policy import Rule

_EFFECTS = {
    Effect.WIDER: "the artefact allows more than the policy",
    Effect.NARROWER: "the artefact allows less than the policy",
    Effect.EXEMPTION_WIDER: "more is exempted from inspection than the policy asks for",
    Effect.EXEMPTION_LOST: "what the policy says about inspection does not hold",
    Effect.NONE: "no flow is decided otherwise",
}

_FIXES = {
    Reason.LABEL_WILDCARD: "list the names, or accept `label-wildcard` for this rule in the inventory",
    Reason.EXCEPT: "write the exception as a deny of its own, or list what remains",
    Reason.NO_NAMES: "give the endpoint set a `fallback { … }`, or name addresses",
    Reason.PORTS: "list the ports, or give the rule addresses instead of names",
    Reason.ORDER: "write the deny by address, or the allow by name, so that both are the same kind of rule",
    Reason.TLS_UNENFORCED: "change the inspection setting of the rule, or what the firewall inspects",
    Reason.SOURCE: "give the group `networks` in the inventory",
}


def announcements(fidelity: Fidelity) -> Iterator[Diagnostic]:
    """A diagnostic for every approximation of an artefact, and an error for every deny that cuts into an allow."""
    for rule in fidelity.rules:
        for found in rule.approximations:
            yield _of_rule(fidelity, rule.rule, found)
    for whole in fidelity.whole:
        yield _of_site(fidelity, whole)
    for cut in fidelity.cuts:
        yield _of_cut(fidelity, cut)


def _of_rule(fidelity: Fidelity, rule: Rule, found: Approximation) -> Diagnostic:
    site = fidelity.site
    example = f", e.g. {found.example.text}" if found.example is not None else ""
    advice = ""
    if found.level is not Level.NOTE:
        advice = _FIXES.get(found.reason) or f"accept it in the inventory with a reason: `accept: [{found.reason}]`"
    return Diagnostic(
        code=FACTS[found.reason].code,
        message=f"`{rule.identity}` on `{site.name}` ({site.target}): {found.sentence}",
        span=rule.span,
        label=f"{_EFFECTS[found.effect]}{example}",
        help=advice,
        group=f"{site.name} {found.reason}",
        subject=rule.identity,
        changed_level=found.level,
    )


def _of_site(fidelity: Fidelity, found: Approximation) -> Diagnostic:
    site = fidelity.site
    return Diagnostic(
        code=FACTS[found.reason].code,
        message=f"`{site.name}` ({site.target}): {found.sentence}",
        span=site.span,
        label=_EFFECTS[found.effect],
        group=f"{site.name} {found.reason}",
        subject=site.name,
        changed_level=found.level,
    )


def _of_cut(fidelity: Fidelity, cut: Cut) -> Diagnostic:
    site = fidelity.site
    return Diagnostic(
        code="E0621",
        message=f"the deny `{cut.deny.identity}` would stop what `{cut.allow.identity}` allows on `{site.name}` "
        f"({site.target}): {cut.sentence}",
        span=cut.deny.rule.span,
        label=f"{cut.reason}: it takes in more than it says, e.g. {cut.example.text}",
        help="write the deny as this target can say it exactly, or narrow the allow",
        related=(Related(span=cut.allow.rule.span, text="this allow is cut"),),
        group=f"{site.name} cut",
        subject=cut.deny.identity,
    )
