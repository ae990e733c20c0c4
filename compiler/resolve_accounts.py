"""Service accounts and parameters: names that count in the whole compilation, because the inventory speaks of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.binding_values import binding_problem, normal_binding
from egressc.diagnostics import Diagnostic, Related
from egressc.policy import BINDING_KINDS, Account, Parameter
from egressc.problems import Problem
from egressc.syntax import Parameter as ParameterNode
from egressc.syntax import ServiceAccount, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from egressc.resolve_report import Report
    from egressc.scope import Definition
    from egressc.source import Span
    from egressc.syntax import Word


def resolve_accounts(
    definitions: Iterable[Definition], told: set[frozenset[int]], report: Report
) -> dict[str, Account]:
    """The accounts of a compilation by name; of several definitions with the same bindings the first.

    Two with different bindings are an error, unless the pair is among those ``told`` already.
    """
    accounts: dict[str, Account] = {}
    first: dict[str, tuple[ServiceAccount, bool]] = {}
    for node in definitions:
        if not isinstance(node, ServiceAccount):
            continue
        name = node.name.text
        before = len(report.diagnostics)
        bindings = _bindings(node, report)
        whole = not node.damaged and not any(d.code[0] == "E" for d in report.diagnostics[before:])
        if name not in accounts:
            description = node.description.value if node.description is not None else ""
            accounts[name] = Account(name, description, bindings, node.name.span)
            first[name] = (node, whole)
            continue
        other, other_whole = first[name]
        if not (whole and other_whole) or bindings == accounts[name].bindings:
            continue
        if frozenset((id(node), id(other))) not in told:
            report.add(
                Diagnostic(
                    code="E0214",
                    message=f"the service account `{name}` is bound differently in two files",
                    span=node.name.span,
                    label="the second definition",
                    help="bind both alike, rename one, or define it once and import it: account names are global",
                    related=(Related(span=other.name.span, text="the first definition"),),
                ),
            )
    return accounts


def resolve_parameters(definitions: Iterable[Definition]) -> tuple[Parameter, ...]:
    """The parameters of a compilation, sorted by name; of several definitions of one name the first."""
    found: dict[str, Parameter] = {}
    for node in definitions:
        if isinstance(node, ParameterNode):
            found.setdefault(node.name.text, Parameter(node.name.text, node.labels, node.name.span))
    return tuple(found[name] for name in sorted(found))


def _bindings(node: ServiceAccount, report: Report) -> tuple[tuple[str, tuple[str, ...]], ...]:
    by_kind: dict[str, dict[str, Span]] = {}
    for binding in node.bindings:
        kind = binding.kind.text
        held = by_kind.setdefault(kind, {})
        for item in binding.values:
            value = item.value if isinstance(item, Text) else item.text
            problem = binding_problem(kind, value)
            if problem is not None:
                _report_value(problem, item, value, report)
                continue
            value = normal_binding(kind, value)
            if value in held:
                report.repeated(f"`{value}`", item.span, held[value])
            held.setdefault(value, item.span)
    return _in_order(by_kind)


def _report_value(problem: Problem, item: Word | Text, value: str, report: Report) -> None:
    if isinstance(item, Text):
        inside = item.span.part(1, 1 + len(value))
        # With `""` in the string, offsets into its value are none into its text; then all of it is shown.
        if not value or inside.text != value:
            problem = Problem(
                problem.code, problem.message, problem.label, problem.help, 0, item.span.end - item.span.start
            )
            inside = item.span
        report.problem(problem, inside)
    else:
        report.problem(problem, item.span)


def _in_order(by_kind: Mapping[str, Iterable[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((kind, tuple(sorted(by_kind[kind]))) for kind in BINDING_KINDS if by_kind.get(kind))
