"""The last lines of a compilation: one for each artefact."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from egressc.fidelity import Verdict
from egressc.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.fidelity import Fidelity

Row = tuple[str, str, str, str, str, str]
"""The cells of a line: name, target, rules, verdicts, reasons, what is proved."""

_ALWAYS = (Verdict.EXACT, Verdict.WIDER)

_BADNESS = (
    Verdict.EXACT,
    Verdict.NOT_APPLICABLE,
    Verdict.OMITTED,
    Verdict.NARROWER,
    Verdict.WIDER,
    Verdict.BOTH,
)


def summary_lines(reports: Sequence[Fidelity], more: Sequence[Row] = ()) -> list[str]:
    """One line for each firewall, in columns: rules are the policy's; behind a reason, how many rules it touches.

    ``more`` are lines of other things that are built, which stand below in the same columns.

    The artefacts of a host firewall that governs several groups share a line: a rule counts once, with what is worst
    about it anywhere.
    """
    together: dict[str, list[Fidelity]] = {}
    for report in reports:
        together.setdefault(report.site.firewall, []).append(report)
    rows = [*(_row(name, some) for name, some in together.items()), *more]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(5)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row[:5], widths, strict=True)), row[5]]).rstrip()
        for row in rows
    ]


def counts(report: Fidelity) -> dict[str, Any]:
    """The numbers of one artefact, for ``--format json``."""
    verdicts = Counter(rule.verdict for rule in report.rules)
    touched, accepted = _reasons([report])
    return {
        "firewall": report.site.name,
        "target": report.site.target,
        "rules": len(report.rules),
        "verdicts": {v.value: verdicts[v] for v in Verdict if verdicts[v]},
        "reasons": {r.value: {"rules": len(touched[r]), "accepted": len(accepted[r])} for r in Reason if r in touched},
        "proved": bool(report.proved),
        "assumptions": sorted({a for rule in report.rules for a in rule.assumptions}),
    }


def verdict_cell(verdicts: Counter[Verdict], *, starred: bool = False) -> str:
    """How many rules have which verdict; exact and wider also where there is none."""
    shown = [
        f"{verdict.value}{'*' if starred and verdict is Verdict.EXACT else ''} {verdicts[verdict]}".ljust(9)
        for verdict in Verdict
        if verdicts[verdict] or verdict in _ALWAYS
    ]
    return "  ".join(shown).rstrip()


def _reasons(reports: Sequence[Fidelity]) -> tuple[dict[Reason, set[str]], dict[Reason, set[str]]]:
    """For each reason the identities of the rules that it touches, and of those where it is accepted."""
    touched: dict[Reason, set[str]] = defaultdict(set)
    accepted: dict[Reason, set[str]] = defaultdict(set)
    for report in reports:
        for rule in report.rules:
            for approximation in rule.approximations:
                touched[approximation.reason].add(rule.rule.identity)
                if approximation.accepted:
                    accepted[approximation.reason].add(rule.rule.identity)
    return touched, accepted


def _row(firewall: str, reports: Sequence[Fidelity]) -> Row:
    worst: dict[str, Verdict] = {}
    starred = False
    for report in reports:
        for rule in report.rules:
            identity = rule.rule.identity
            worst[identity] = max(worst.get(identity, Verdict.EXACT), rule.verdict, key=_BADNESS.index)
            starred |= bool(rule.assumptions) and rule.verdict is Verdict.EXACT
    verdicts = Counter(worst.values())
    shown = verdict_cell(verdicts, starred=starred)
    touched, accepted = _reasons(reports)
    order = list(Reason)
    reasons = [
        f"{reason.value} {len(touched[reason])}" + (f" (accepted {len(accepted[reason])})" if accepted[reason] else "")
        for reason in sorted(touched, key=lambda r: (-len(touched[r]), order.index(r)))
    ]
    reasons += dict.fromkeys(approximation.reason.value for report in reports for approximation in report.whole)
    number = len({a for report in reports for rule in report.rules for a in rule.assumptions})
    tail = "proved" if all(report.proved for report in reports) else "not proved"
    if number:
        tail += f", {number} assumption{'s' if number > 1 else ''}"
    rules = len(worst)
    return (
        firewall,
        reports[0].site.target,
        f"{rules} rule{'s' if rules != 1 else ''}",
        shown,
        ", ".join(reasons),
        tail,
    )
