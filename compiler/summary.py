"""The last lines of a compilation: one for each artefact."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from egressc.fidelity import Verdict
from egressc.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.fidelity import Fidelity

_ALWAYS = (Verdict.EXACT, Verdict.WIDER)


def summary_lines(reports: Sequence[Fidelity]) -> list[str]:
    """One line for each artefact, in columns: rules are the policy's; behind a reason, how many rules it touches."""
    rows = [_row(report) for report in reports]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(5)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row[:5], widths, strict=True)), row[5]]).rstrip()
        for row in rows
    ]


def counts(report: Fidelity) -> dict[str, Any]:
    """The numbers of a summary line, for ``--format json``."""
    verdicts = Counter(rule.verdict for rule in report.rules)
    touched: Counter[Reason] = Counter(a.reason for rule in report.rules for a in rule.approximations)
    accepted: Counter[Reason] = Counter(
        a.reason for rule in report.rules for a in rule.approximations if a.accepted
    )
    return {
        "firewall": report.site.name,
        "target": report.site.target,
        "rules": len(report.rules),
        "verdicts": {v.value: verdicts[v] for v in Verdict if verdicts[v]},
        "reasons": {
            r.value: {"rules": touched[r], "accepted": accepted[r]} for r in Reason if touched[r]
        },
        "proved": report.proved,
        "assumptions": sorted({a for rule in report.rules for a in rule.assumptions}),
    }


def _row(report: Fidelity) -> tuple[str, str, str, str, str, str]:
    verdicts = Counter(rule.verdict for rule in report.rules)
    starred = any(rule.assumptions and rule.verdict is Verdict.EXACT for rule in report.rules)
    shown = [
        f"{verdict.value}{'*' if starred and verdict is Verdict.EXACT else ''} {verdicts[verdict]}".ljust(9)
        for verdict in Verdict
        if verdicts[verdict] or verdict in _ALWAYS
    ]
    touched: Counter[Reason] = Counter(a.reason for rule in report.rules for a in rule.approximations)
    accepted: Counter[Reason] = Counter(
        a.reason for rule in report.rules for a in rule.approximations if a.accepted
    )
    reasons = [
        f"{reason.value} {touched[reason]}" + (f" (accepted {accepted[reason]})" if accepted[reason] else "")
        for reason in sorted(Reason, key=lambda r: (-touched[r], list(Reason).index(r)))
        if touched[reason]
    ]
    reasons += [approximation.reason.value for approximation in report.whole]
    number = len({a for rule in report.rules for a in rule.assumptions})
    tail = "proved" if report.proved else "not proved"
    if number:
        tail += f", {number} assumption{'s' if number > 1 else ''}"
    rules = len(report.rules)
    return (
        report.site.name,
        report.site.target,
        f"{rules} rule{'s' if rules != 1 else ''}",
        "  ".join(shown).rstrip(),
        ", ".join(reasons),
        tail,
    )
