"""`egressc check`: everything that `compile` checks, and lint; writes nothing, but for `--fix`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.api import Request, check_request, collector_paused
from egressc.console import Progress, complain, say, tell
from egressc.diagnostics import Level, has_errors, sort_key
from egressc.exits import COULD_NOT_RUN, DONE, NO
from egressc.lint.registry import CODES, chosen_rules, did_you_mean, meant_by, rule_called
from egressc.report_json import to_json, to_sarif
from egressc.verb_compile import request_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from egressc.api import Compilation
    from egressc.diagnostics import Diagnostic
    from egressc.lint.driver import Found
    from egressc.lint.fixes import Fixes
    from egressc.lint.subject import Subject


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
        near = did_you_mean(meant_by(rules.name))
        complain(f"  {near}" if near else f"  valid: {', '.join(sorted(CODES))}")
        return COULD_NOT_RUN
    with Progress() as progress:
        result, subject, found = _checked(request, rules, progress)
        fixes = None
        if options.fix and subject is not None:
            from egressc.verb_check_fix import UnwrittenError, write_fixes  # noqa: PLC0415 - only when asked for

            try:
                fixes = write_fixes(subject, found)
            except UnwrittenError as error:
                complain(f"egressc check: {error}")
                return COULD_NOT_RUN
            if fixes.texts:
                result, subject, found = _checked(request, rules, progress)
    diagnostics = sorted([*result.diagnostics, *_graded(found, strict=request.strict)], key=sort_key)
    _report(options, diagnostics, fixes)
    if options.fix and subject is None:
        complain("egressc check: nothing is fixed while the policy or the inventory has errors")
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


def _checked(
    request: Request, rules: Sequence[str], progress: Progress
) -> tuple[Compilation, Subject | None, tuple[Found, ...]]:
    """What is wrong, and what the rules find; they are not asked while the policy or the inventory has errors."""
    from egressc.lint.driver import lint  # noqa: PLC0415 - not loaded to refuse a command line
    from egressc.lint.subject import subject_of  # noqa: PLC0415 - not loaded to refuse a command line

    result = check_request(request, progress)
    loaded = result.loaded
    wrong = result.could_not_run or any(_is_of_policy(d) for d in result.diagnostics)
    if wrong or loaded.policy is None or loaded.inventory is None:
        return result, None, ()
    progress("linting", 0, 1)
    subject = subject_of(loaded.project, loaded.policy, loaded.inventory, request.as_of)
    return result, subject, () if subject is None else lint(subject, rules)


def _is_of_policy(diagnostic: Diagnostic) -> bool:
    """True for an error of the policy or the inventory, not of what a firewall makes of them."""
    return diagnostic.code.startswith("E") and diagnostic.code[1:3] < "06"


def _graded(found: Iterable[Found], *, strict: bool) -> list[Diagnostic]:
    lint = [each.diagnostic for each in found]
    return [d.at_level(Level.ERROR) if strict and d.level is Level.WARNING else d for d in lint]


def _report(options: argparse.Namespace, diagnostics: Sequence[Diagnostic], fixes: Fixes | None) -> None:
    match options.format:
        case "json" if fixes is not None:
            from egressc.verb_check_fix import fixes_json  # noqa: PLC0415 - only when asked for

            say(to_json(diagnostics, fixed=fixes_json(fixes)))
        case "json":
            say(to_json(diagnostics))
        case "sarif":
            say(to_sarif(diagnostics))
        case _:
            tell(diagnostics, options.color)
            if fixes is not None:
                from egressc.verb_check_fix import tell_fixes  # noqa: PLC0415 - only when asked for

                tell_fixes(fixes)
