"""From the text of a ``*.test.yaml`` to its values: YAML, schema, words; all errors of the file."""

# os.path keeps the path as the caller wrote it.
# ruff: noqa: PTH118, PTH120
from __future__ import annotations

import os
from typing import TYPE_CHECKING

from egressc import located, schema_check
from egressc.diagnostics import Diagnostic, has_errors, sort_key
from egressc.policy import Inspection
from egressc.policy_tests import Changes, Expectation, Kind, PolicyTest, Side
from egressc.problems import Problem
from egressc.words import date_word

if TYPE_CHECKING:
    from datetime import date

    from egressc.located_value import Located
    from egressc.source import Source, Span

_SCHEMA = "policy-test.schema.json"
_KINDS = (Kind.ALLOWS, Kind.DENIES)


def load_test(source: Source) -> tuple[PolicyTest | None, tuple[Diagnostic, ...]]:
    """The policy test in a file, and what is wrong with the file; no test if there are errors."""
    root, problems = located.parse(source)
    if root is None:
        return None, problems
    report = [*problems, *schema_check.check(root, schema_check.load_schema("egressc.grammar", _SCHEMA))]
    as_of = _date(root.get("as-of"), report)
    lists = [(kind, node) for kind in _KINDS if (node := root.get(kind.value)) is not None]
    expectations = tuple(
        [_expectation(kind, item) for kind, node in lists for item in node.elements() if isinstance(item.value, dict)]
    )
    changes = _changes(root.get(Kind.CHANGES.value))
    if changes is not None and not changes.sides:
        report.append(
            _nothing("`changes`", root.key_span_of(["changes"]), "`allows-only:`, `removes-only:` or `inspection:`")
        )
    elif not (expectations or changes or has_errors(report)):
        report.append(_nothing("the policy test", root.key_span_of(["policy"]), "`allows:`, `denies:` or `changes:`"))
    report.sort(key=sort_key)
    if has_errors(report):
        return None, tuple(report)
    policies = _texts(root.get("policy")) or ()
    inventory = root.get("inventory")
    file = PolicyTest(
        source,
        tuple([beside(source, str(each.value)) for each in policies]),
        tuple([each.span for each in policies]),
        None if inventory is None else beside(source, str(inventory.value)),
        None if inventory is None else inventory.span,
        as_of,
        expectations,
        changes,
    )
    return file, tuple(report)


def _nothing(what: str, span: Span, keys: str) -> Diagnostic:
    return Diagnostic(
        code="E0909", message=f"{what} expects nothing", span=span, label="nothing is said of it", help=f"add {keys}"
    )


def beside(source: Source, path: str) -> str:
    """A path that a test file names, as the caller would write it."""
    return os.path.normpath(os.path.join(os.path.dirname(source.shown), path))


def _date(node: Located | None, report: list[Diagnostic]) -> date | None:
    if node is None or not isinstance(node.value, str) or any(d.span == node.span for d in report):
        return None
    found = date_word(node.value)
    if isinstance(found, Problem):
        report.append(diagnostic_of(found, node))
        return None
    return found


def _texts(node: Located | None) -> tuple[Located, ...] | None:
    """One text or several; ``None`` for a key that is left out."""
    if node is None:
        return None
    return node.elements() if isinstance(node.value, list) else (node,)


def _expectation(kind: Kind, item: Located) -> Expectation:
    inspection = item.get("inspection")
    known = {each.value: each for each in Inspection}
    return Expectation(
        kind,
        item.span,
        _texts(item.get("from")),
        _texts(item.get("as")),
        _texts(item.get("to")),
        item.get("at"),
        None if inspection is None else known.get(str(inspection.value)),
    )


def _changes(node: Located | None) -> Changes | None:
    since = None if node is None else node.get("since")
    if node is None or since is None:
        return None
    sides = []
    for side in Side:
        own = node.get(side.value)
        if own is not None:
            items = tuple([_expectation(Kind.CHANGES, item) for item in own.elements() if isinstance(item.value, dict)])
            sides.append((side, own.key_span or own.span, items))
    return Changes(since, tuple(sides))


def diagnostic_of(problem: Problem, node: Located) -> Diagnostic:
    """What is wrong with a text of the file, at its place."""
    return Diagnostic(
        code=problem.code,
        message=problem.message,
        span=node.part(problem.start, problem.end),
        label=problem.label,
        help=problem.help,
    )
