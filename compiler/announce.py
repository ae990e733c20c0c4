"""Saying approximations aloud: fidelity reports as diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic, Level, Related
from egressc.policy import Action
from egressc.reasons import FACTS, Effect, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.fidelity import Approximation, Fidelity
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
    Reason.DEFAULT: "give the group `networks` in the inventory, or say `unbound: allowed` on the firewall",
    Reason.SOURCE: "give the group `networks` in the inventory",
}

_FIXES_OF_DENIES = {
    Reason.NO_NAMES: "name addresses in the deny, or narrow the allows that it cuts into",
    Reason.PORTS: "list the ports, or name addresses in the deny",
}


def announcements(fidelity: Fidelity) -> Iterator[Diagnostic]:
    """A diagnostic for every approximation of an artefact, a note for every deny that is left out.

    A deny that cuts into an allow is an error, whatever the level of its reason.
    """
    for rule in fidelity.rules:
        for found in rule.approximations:
            yield _of_rule(fidelity, rule.rule, found)
        if rule.left_out:
            yield _of_left_out(fidelity, rule.rule)
    for whole in fidelity.whole:
        yield _of_site(fidelity, whole)
    for cut in fidelity.cuts:
        yield _of_cut(fidelity, cut)


def _of_rule(fidelity: Fidelity, rule: Rule, found: Approximation) -> Diagnostic:
    site = fidelity.site
    example = f", e.g. {found.example.text}" if found.example is not None else ""
    advice = ""
    if found.level is not Level.NOTE:
        fix = _FIXES_OF_DENIES.get(found.reason) if rule.action is Action.DENY else None
        advice = (
            fix or _FIXES.get(found.reason) or f"if you can accept that, say so in the inventory: {_acceptance(found)}"
        )
    return Diagnostic(
        code=FACTS[found.reason].code,
        message=f"`{rule.identity}` on `{site.name}` ({site.target}): {found.sentence}{_accepted(found)}",
        span=rule.span,
        label=f"{_EFFECTS[found.effect]}{example}",
        help=advice,
        group=f"{site.firewall} {found.reason.value}",
        subject=rule.identity,
        changed_level=found.level,
    )


def _acceptance(found: Approximation) -> str:
    return f"`accept: [{{reason: {found.reason.value}, why: …}}]`"


def _accepted(found: Approximation) -> str:
    if not found.accepted:
        return ""
    return f" (accepted: {found.why})" if found.why else " (accepted)"


def _of_left_out(fidelity: Fidelity, rule: Rule) -> Diagnostic:
    site = fidelity.site
    return Diagnostic(
        code="N0623",
        message=f"the deny `{rule.identity}` is left out on `{site.name}` ({site.target}): it cannot be said exactly, "
        "and the default deny stops what it is for",
        span=rule.span,
        label="it meets no allow here",
        group=f"{site.firewall} left out",
        subject=rule.identity,
    )


def _of_site(fidelity: Fidelity, found: Approximation) -> Diagnostic:
    site = fidelity.site
    return Diagnostic(
        code=FACTS[found.reason].code,
        message=f"`{site.name}` ({site.target}): {found.sentence}{_accepted(found)}",
        span=site.span,
        label=_EFFECTS[found.effect],
        help="" if found.level is Level.NOTE else _FIXES.get(found.reason, ""),
        group=f"{site.firewall} {found.reason.value}",
        subject=site.name,
        changed_level=found.level,
    )


def _of_cut(fidelity: Fidelity, cut: Cut) -> Diagnostic:
    site = fidelity.site
    if cut.reason is None:
        return Diagnostic(
            code="E0621",
            message=f"the deny `{cut.deny.identity}` cannot be said on `{site.name}` ({site.target}), where "
            f"`{cut.allow.identity}` lets through what it is for: {cut.sentence}",
            span=cut.deny.rule.span,
            label=f"nothing here stops e.g. {cut.example.text}",
            help="write both as this target can say them, or narrow the allow",
            related=(Related(span=cut.allow.rule.span, text="this allow has it, as it is written here"),),
            group=f"{site.firewall} cut",
            subject=cut.deny.identity,
        )
    return Diagnostic(
        code="E0621",
        message=f"the deny `{cut.deny.identity}` would stop what `{cut.allow.identity}` allows on `{site.name}` "
        f"({site.target}): {cut.sentence}",
        span=cut.deny.rule.span,
        label=f"{cut.reason}: it takes in more than it says, e.g. {cut.example.text}",
        help="write the deny as this target can say it exactly, or narrow the allow",
        related=(Related(span=cut.allow.rule.span, text="this allow is cut"),),
        group=f"{site.firewall} cut",
        subject=cut.deny.identity,
    )
