"""Runs the chosen rules over a policy, and leaves out what the policy allows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from egressc.diagnostics import Diagnostic, sort_key
from egressc.lint.registry import load_rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from egressc.lint.allowed import Allowance
    from egressc.lint.rule import Finding
    from egressc.lint.subject import Subject

_LAST: Final = "idle-allowance"
"""The rule that looks at what the others have found."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding that nothing allows, with the rule that made it and the diagnostic that it is."""

    rule: str
    finding: Finding
    diagnostic: Diagnostic


def lint(subject: Subject, rules: Iterable[str]) -> tuple[Found, ...]:
    """What the rules of these names find and the policy does not allow, by place."""
    names = [name for name in sorted(set(rules)) if name != _LAST]
    used: set[Allowance] = set()
    found = [each for name in names for each in _run(name, subject, used)]
    if len(names) < len(set(rules)):
        ran = {*names}
        compiled = {file.source for file in subject.files}
        idle = tuple(
            [a for a in subject.allowances if a.rule in ran and a not in used and a.comment.source in compiled]
        )
        found.extend(_run(_LAST, replace(subject, idle_allowances=idle), used))
    return tuple(sorted(found, key=lambda each: sort_key(each.diagnostic)))


def _run(name: str, subject: Subject, used: set[Allowance]) -> Iterator[Found]:
    rule = load_rule(name)
    allowed = [allowance for allowance in subject.allowances if allowance.rule == name]
    for finding in rule.check(subject):
        by = [each for each in allowed if any(map(each.covers, (finding.span, *finding.also)))]
        used.update(by)
        if not by:
            yield Found(name, finding, _diagnostic(rule.CODE, name, finding))


def _diagnostic(code: str, name: str, finding: Finding) -> Diagnostic:
    return Diagnostic(
        code=code,
        message=f"{finding.message} ({name})",
        span=finding.span,
        label=finding.label,
        help=finding.help,
        context=finding.context,
        related=finding.related,
    )
