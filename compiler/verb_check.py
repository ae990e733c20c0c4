"""`egressc check`: everything that `compile` checks, and lint; writes nothing, but for `--fix`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.api import Request, check_request, collector_paused
from egressc.console import Progress, complain, say, tell
from egressc.diagnostics import Level, has_errors, sort_key
from egressc.exits import COULD_NOT_RUN, DONE, NO
from egressc.lint.registry import CODES, chosen_rules, meant_by, rule_called
from egressc.report_json import to_json, to_sarif
from egressc.verb_compile import request_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from egressc.api import Compilation
    from egressc.diagnostics import Diagnostic
    from egressc.lint.driver import Found


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A name that stands for no lint rule."""

    option: str
    name: str


def run(options: argparse.Namespace) -> int:
    """Check and report. Returns the exit status."""
    with collector_paused():
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    request = request_of(options)
    if not isinstance(request, Request):
        complain(f"egressc check: {request}")
        return COULD_NOT_RUN
    rules = _rules(options.select, options.ignore)
    if isinstance(rules, _Unknown):
        complain(f"egressc check: `{rules.option}`: no lint rule is called `{rules.name}`")
        near = meant_by(rules.name)
        complain(f"  did you mean `{near}`?" if near else f"  valid: {', '.join(sorted(CODES))}")
        return COULD_NOT_RUN
    with Progress() as progress:
        result = check_request(request, progress)
        found = _lint(result, request, rules)
    diagnostics = _together(result.diagnostics, found, strict=request.strict)
    match options.format:
        case "json":
            say(to_json(diagnostics))
        case "sarif":
            say(to_sarif(diagnostics))
        case _:
            tell(diagnostics, options.color)
    if result.could_not_run:
        return COULD_NOT_RUN
    return NO if has_errors(diagnostics) else DONE


def _rules(select: Sequence[str], ignore: Sequence[str]) -> tuple[str, ...] | _Unknown:
    """The lint rules that the options choose."""
    chosen: dict[str, list[str]] = {}
    for option, lists in (("--select", select), ("--ignore", ignore)):
        for word in (word.strip() for each in lists for word in each.split(",")):
            name = rule_called(word)
            if name is None:
                return _Unknown(option, word)
            chosen.setdefault(option, []).append(name)
    return chosen_rules(chosen.get("--select"), chosen.get("--ignore", ()))


def _lint(result: Compilation, request: Request, rules: Sequence[str]) -> tuple[Found, ...]:
    """What the rules find; nothing while the policy or the inventory has errors."""
    from egressc.lint.driver import lint  # noqa: PLC0415 - not loaded to refuse a policy
    from egressc.lint.subject import subject_of  # noqa: PLC0415 - not loaded to refuse a policy

    loaded = result.loaded
    if result.could_not_run or loaded.policy is None or loaded.inventory is None or has_errors(loaded.diagnostics):
        return ()
    subject = subject_of(loaded.project, loaded.policy, loaded.inventory, request.as_of)
    return () if subject is None else lint(subject, rules)


def _together(told: Sequence[Diagnostic], found: Iterable[Found], *, strict: bool) -> list[Diagnostic]:
    lint = [each.diagnostic for each in found]
    if strict:
        lint = [d.at_level(Level.ERROR) if d.level is Level.WARNING else d for d in lint]
    return sorted([*told, *lint], key=sort_key)
