"""`egressc test`: runs policy tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from egressc.api import collector_paused, load
from egressc.bind import bind_everything, prepare
from egressc.console import Progress, complain, say, tell
from egressc.diagnostics import Diagnostic, Level, has_errors, sort_key
from egressc.exits import COULD_NOT_RUN, DONE, NO
from egressc.located import source_of
from egressc.policy_tests import FileResult, Kind, Outcome, Result
from egressc.policy_tests_changes import run_changes
from egressc.policy_tests_find import find_tests
from egressc.policy_tests_load import load_test
from egressc.policy_tests_run import Subject
from egressc.policy_tests_run import run as run_expectation
from egressc.project_files import DISK, read_regular
from egressc.project_paths import near_path, printable, reason
from egressc.report_json import to_json
from egressc.report_tests import tests_json, tests_junit, tests_text
from egressc.revisions import RevisionError, versions
from egressc.verb_compile import day_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from datetime import date

    from egressc.policy_tests import Changes, PolicyTest
    from egressc.source import Source, Span


def run(options: argparse.Namespace) -> int:
    """Run and report. Returns the exit status: 1 if an expectation does not hold, or could not be run."""
    as_of = day_of(options.as_of)
    if isinstance(as_of, str):
        complain(f"egressc test: {as_of}")
        return COULD_NOT_RUN
    files, problems = find_tests(options.paths)
    sources: list[Source | FileResult] = []
    for name in files:
        try:
            data = read_regular(name, DISK)
        except OSError as error:
            message = f"the policy test `{printable(name)}` cannot be read: {reason(error)}"
            problems = (*problems, Diagnostic(code="E0908", message=message, file=printable(name)))
            continue
        source, wrong = source_of(Path(name).name, data, name)
        sources.append(FileResult(name, (), wrong, broken=True) if source is None else source)
    if problems:
        return _stopped(problems, options, as_of)
    with collector_paused(), Progress() as progress:
        runner = _Runner(as_of, options.inventory)
        results = []
        for number, each in enumerate(sources):
            progress("testing", number, len(sources))
            results.append(each if isinstance(each, FileResult) else runner.result_of(each))
    return _report(results, options, as_of)


def _stopped(problems: Sequence[Diagnostic], options: argparse.Namespace, as_of: date) -> int:
    if options.format == "json":
        say(to_json(problems, **tests_json((), as_of)))
    else:
        tell(problems, options.color)
    return COULD_NOT_RUN


def _report(results: Sequence[FileResult], options: argparse.Namespace, as_of: date) -> int:
    if options.junit is not None:
        try:
            Path(options.junit).write_text(tests_junit(results, as_of), encoding="utf-8", newline="\n")
        except OSError as error:
            complain(f"egressc test: cannot write `{options.junit}`: {reason(error)}")
            return COULD_NOT_RUN
    match options.format:
        case "json":
            say(to_json((), **tests_json(results, as_of)))
        case "junit":
            say(tests_junit(results, as_of))
        case _:
            told: dict[tuple[object, ...], Diagnostic] = {}
            for each in results:
                for d in (*each.diagnostics, *(d for outcome in each.outcomes for d in outcome.diagnostics)):
                    # What is wrong with a policy is said once, however many files test it.
                    told.setdefault((d.code, d.message, d.span, d.label), d)
            tell(told.values(), options.color)
            say(tests_text(results))
    return DONE if all(each.holds for each in results) else NO


class _Runner:
    """Runs files; a policy that several of them test is read once."""

    def __init__(self, as_of: date, inventory: str | None) -> None:
        self._as_of = as_of
        self._inventory = inventory
        self._subjects: dict[tuple[object, ...], tuple[Subject | None, tuple[Diagnostic, ...]]] = {}

    def result_of(self, source: Source) -> FileResult:
        """What comes of one file."""
        test, problems = load_test(source)
        if test is None:
            return FileResult(source.shown, (), problems, broken=True)
        missing = _missing(test)
        if missing:
            return FileResult(source.shown, (), (*problems, *missing), broken=True)
        inventory = test.inventory if test.inventory is not None else self._inventory
        subject, found = self._subject(test.policies, inventory, test.as_of or self._as_of)
        problems = (*problems, *found)
        if subject is None:
            return FileResult(source.shown, (), problems, broken=True)
        if not subject.whole.rules:
            problems = (*problems, _without_rules(test))
        outcomes = tuple([run_expectation(subject, each) for each in test.expectations])
        if test.changes is not None:
            outcomes += self._changes(test.changes, test, subject, inventory)
        return FileResult(source.shown, outcomes, problems)

    def _changes(
        self, changes: Changes, test: PolicyTest, subject: Subject, inventory: str | None
    ) -> tuple[Outcome, ...]:
        """What comes of the expectations on changes: the policy of a revision is read in the place of the disk's."""
        old = _at_revision(changes, test.policies, inventory, subject)
        if isinstance(old, Subject):
            return run_changes(changes, old, subject)
        return tuple(
            [
                Outcome(f"changes since {changes.since.value}: {side.value}", Kind.CHANGES, span, Result.ERROR, old)
                for side, span, _ in changes.sides
            ]
        )

    def _subject(
        self, policies: tuple[str, ...], inventory: str | None, as_of: date
    ) -> tuple[Subject | None, tuple[Diagnostic, ...]]:
        key = (policies, inventory, as_of)
        if key not in self._subjects:
            self._subjects[key] = _prepared(policies, inventory, as_of)
        return self._subjects[key]


def _prepared(
    policies: tuple[str, ...], inventory: str | None, as_of: date
) -> tuple[Subject | None, tuple[Diagnostic, ...]]:
    loaded = load(policies, inventory)
    report = list(loaded.diagnostics)
    if loaded.policy is None or loaded.inventory is None or has_errors(report):
        return None, tuple(report)
    prepared, problems = prepare(loaded.policy, loaded.inventory, as_of)
    report.extend(problems)
    report.sort(key=sort_key)
    if has_errors(report):
        return None, tuple(report)
    return Subject(prepared, bind_everything(prepared)), tuple(report)


def _at_revision(
    changes: Changes, policies: tuple[str, ...], inventory: str | None, subject: Subject
) -> Subject | tuple[Diagnostic, ...]:
    """The policy as it was at the revision, or what is wrong with the revision or the policy there."""
    since = str(changes.since.value)
    # `main...` is where this branch left `main`.
    name = f"{since}HEAD" if since.endswith("...") else since
    if ".." in name.removesuffix("...HEAD"):
        return (_bad_revision(changes, f"`{since}` is no single revision", "name the revision to compare with"),)
    try:
        with versions(name, None, policies) as pair:
            side = pair.old
            there = inventory if inventory is None or side.files.lexists(inventory) else None
            loaded = load(side.paths, there, side.files)
    except RevisionError as error:
        return (_bad_revision(changes, error.message, error.help),)
    report = list(loaded.diagnostics)
    if loaded.policy is not None and loaded.inventory is not None and not has_errors(report):
        # Where there was no inventory, that of today says who the groups are.
        world = subject.prepared.inventory if loaded.inventory.source is None else loaded.inventory
        prepared, problems = prepare(loaded.policy, world, subject.prepared.as_of)
        report.extend(problems)
        if not has_errors(report):
            return Subject(prepared, bind_everything(prepared))
    errors = [d for d in report if d.level is Level.ERROR]
    at = f"`{since}` has {len(errors)} error{'s' if len(errors) != 1 else ''}: {errors[0].code}, {errors[0].message}"
    return (_bad_revision(changes, f"the policy at {at}", "compare with a revision that compiles"),)


def _bad_revision(changes: Changes, message: str, help_: str) -> Diagnostic:
    return Diagnostic(
        code="E0915", message=printable(message), span=changes.since.span, label="compared with this", help=help_
    )


def _missing(test: PolicyTest) -> list[Diagnostic]:
    """An error for each file that the test names and that is not there."""
    named: list[tuple[str, Span | None]] = list(zip(test.policies, test.policy_spans, strict=True))
    if test.inventory is not None:
        named.append((test.inventory, test.inventory_span))
    found = []
    for path, span in named:
        if Path(path).exists():
            continue
        near = near_path(path)
        found.append(
            Diagnostic(
                code="E0907",
                message=f"there is no file or folder `{printable(path)}`",
                span=span,
                label="not there, seen from this file",
                help=f"did you mean `{printable(near)}`?" if near else "paths are relative to the policy test",
            )
        )
    return found


def _without_rules(test: PolicyTest) -> Diagnostic:
    return Diagnostic(
        code="W0914",
        message="the policy that is tested has no rule, so everything is denied",
        span=test.policy_spans[0],
        label="no rule is in force here",
        help="a `template policy` takes effect where another policy includes it: test that one",
    )
