"""Saying aloud what a list cannot say: its report as diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic, Level
from egressc.exports import ListKind, request_text
from egressc.reasons import FACTS, Effect, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from egressc.exports import Refusal
    from egressc.exports_judge import RuleInList
    from egressc.exports_wanted import Wanted
    from egressc.fidelity import Approximation
    from egressc.policy import Rule

_EFFECTS = {
    Effect.WIDER: "the list bypasses the proxy for more than the policy allows",
    Effect.NARROWER: "the list lacks something that the policy allows: clients ask the proxy for it",
    Effect.EXEMPTION_WIDER: "the proxy leaves more closed than the policy asks for",
    Effect.EXEMPTION_LOST: "the proxy may open what the policy says must not be inspected",
    Effect.NONE: "no request is decided otherwise",
}

_FIXES = {
    Reason.LABEL_WILDCARD: "list the names, choose another format, or accept `label-wildcard`",
    Reason.EXCEPT: "choose a format that can leave out names (csv, pac, squid), or list what remains",
    Reason.ACCOUNT: "export it for one account with `--account`, where only that account's processes use the list",
    Reason.SOURCE: "export it for each group with `--group`",
    Reason.TLS_UNENFORCED: "choose a format that can say it",
}


def announcements(
    rules: Iterable[RuleInList], want: Wanted, refusals: Iterable[Refusal], *, shown: str, kind: ListKind, whom: str
) -> Iterator[Diagnostic]:
    """A diagnostic for every approximation; a note for what no list holds; errors for limits of the format.

    ``shown`` is what the list is called, ``whom`` for whom it is.
    """
    for refusal in refusals:
        first = refusal.rules[0] if refusal.rules else None
        yield Diagnostic(
            code="E0626",
            message=f"{shown}: {refusal.message}",
            span=first.span if first is not None else None,
            label="from this rule" if first is not None else "",
            help=refusal.help,
            subject=first.identity if first is not None else "",
        )
    for each in rules:
        for found in each.approximations:
            yield _of_rule(each, found, shown)
    for rule in want.skipped:
        if kind is ListKind.BYPASS:
            yield Diagnostic(
                code="N0625",
                message=f"{_of_udp(rule)} not in the {shown}: no proxy carries UDP",
                span=rule.span,
                label="clients send it past the proxy anyway",
                group=f"{shown} udp",
                subject=rule.identity,
            )
    if not want.entries:
        what = "no rule says `no-tls-inspection`" if kind is ListKind.EXEMPTION else "no rule allows it"
        yield Diagnostic(
            code="W0627",
            message=f"the {shown} is empty: {what} for {whom}",
            help="check `--group`, `--account` and `--rule`",
        )


def _of_udp(rule: Rule) -> str:
    """What of a rule is in no list: all of it, or its UDP ports."""
    alone = all(service.transport == "udp" for service in rule.services)
    return f"`{rule.identity}` is" if alone else f"what `{rule.identity}` allows over UDP is"


def _of_rule(each: RuleInList, found: Approximation, shown: str) -> Diagnostic:
    example = f", e.g. {request_text(found.example)}" if found.example is not None else ""
    accepted = "" if not found.accepted else f" (accepted: {found.why})" if found.why else " (accepted)"
    advice = ""
    if found.level is not Level.NOTE:
        advice = _FIXES.get(found.reason) or f"if you can accept that, say so: `--accept {found.reason.value}`"
    return Diagnostic(
        code=FACTS[found.reason].code,
        message=f"`{each.rule.identity}` in the {shown}: {found.sentence}{accepted}",
        span=each.rule.span,
        label=f"{_EFFECTS[found.effect]}{example}",
        help=advice,
        group=f"{shown} {found.reason.value}",
        subject=each.rule.identity,
        changed_level=found.level,
    )
