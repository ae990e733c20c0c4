"""Names that are defined more than once: in a file, where both can be seen, or in the whole compilation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic, Related
from egressc.names import name_word
from egressc.problems import Problem
from egressc.scope import KIND_OF, Definition, Kind
from egressc.syntax import Parameter, Policy

if TYPE_CHECKING:
    from egressc.project import ImportedFile, Project, ProjectFile
    from egressc.resolve_report import Report
    from egressc.scope import Names

Pair = frozenset[int]
"""Two definitions that are in each other's way, by the identity of their nodes."""


def check_names(project: Project, own: dict[str, Names], report: Report) -> set[Pair]:
    """Reports every name that is no name or is taken, each conflict once; returns the pairs that were reported.

    ``own`` are the names that each file defines, by the name of its source. Service accounts that no file sees together
    are left to the caller, who knows what they are bound to.
    """
    told: set[Pair] = set()
    for file in project.files:
        _check_own(file, own[file.source.name], report, told)
    _check_policies(project, own, report, told)
    for file in project.files:
        _check_visible(file, own, report, told)
    _check_parameters(project, own, report, told)
    return told


def _check_own(file: ProjectFile, names: Names, report: Report, told: set[Pair]) -> None:
    if file.tree is None:
        return
    for item in file.tree.items:
        if not isinstance(item, Definition):
            continue
        name = name_word(item.name.text)
        if isinstance(name, Problem):
            report.problem(name, item.name.span)
        first = names[KIND_OF[type(item)], item.name.text]
        if first is not item and _is_new(item, first, told):
            report.add(_twice(item, first, "is defined twice"))


def _check_policies(project: Project, own: dict[str, Names], report: Report, told: set[Pair]) -> None:
    """Policy names are unique in the whole compilation: rules are identified by them."""
    first: dict[str, Definition] = {}
    for file in project.files:
        for (kind, name), item in own[file.source.name].items():
            if kind is Kind.POLICY and first.setdefault(name, item) is not item:
                told.add(frozenset((id(item), id(first[name]))))
                report.add(
                    Diagnostic(
                        code="E0213",
                        message=f"two policies of this compilation are called `{name}`",
                        span=item.name.span,
                        label="the second",
                        help="rename one of the two: a rule is identified by the name of its policy",
                        related=(Related(span=first[name].name.span, text="the first"),),
                    ),
                )


def _check_visible(file: ProjectFile, own: dict[str, Names], report: Report, told: set[Pair]) -> None:
    loaded = [(statement, own[statement.name]) for statement in file.imports if statement.name is not None]
    if not loaded:
        return
    names = own[file.source.name]
    brought: dict[tuple[Kind, str], ImportedFile] = {}
    clashes: dict[tuple[int, int], list[tuple[Definition, Definition]]] = {}
    statements = {id(statement): statement for statement, _ in loaded}
    for statement, theirs in loaded:
        for key, item in theirs.items():
            if key in names:
                if _is_new(item, names[key], told):
                    report.add(_twice(names[key], item, "is defined in an imported file, too"))
                continue
            earlier = brought.setdefault(key, statement)
            if earlier is not statement:
                other = own[earlier.name or ""][key]
                if _is_new(item, other, told):
                    clashes.setdefault((id(statement), id(earlier)), []).append((item, other))
    for (later, earlier_id), pairs in clashes.items():
        report.add(_imported_twice(statements[later], statements[earlier_id], pairs))


def _check_parameters(project: Project, own: dict[str, Names], report: Report, told: set[Pair]) -> None:
    """The inventory fills a parameter by its name alone, so what a value may be cannot depend on the file."""
    first: dict[str, Parameter] = {}
    for file in project.files:
        for item in own[file.source.name].values():
            if not isinstance(item, Parameter):
                continue
            other = first.setdefault(item.name.text, item)
            if other.labels is not item.labels and _is_new(item, other, told):
                report.add(
                    Diagnostic(
                        code="E0215",
                        message=f"the parameter `{item.name.text}` is defined with and without `labels`",
                        span=item.name.span,
                        label="with `labels`" if item.labels else "without `labels`",
                        help="define both alike, or rename one: the inventory gives one value for both",
                        related=(Related(span=other.name.span, text="with `labels`" if other.labels else "without"),),
                    ),
                )


def _is_new(one: Definition, other: Definition, told: set[Pair]) -> bool:
    pair = frozenset((id(one), id(other)))
    if pair in told:
        return False
    told.add(pair)
    return True


def _twice(item: Definition, other: Definition, how: str) -> Diagnostic:
    kind = KIND_OF[type(item)]
    return Diagnostic(
        code="E0211",
        message=f"the {kind.value} `{item.name.text}` {how}",
        span=item.name.span,
        label="defined here again" if item.name.span.source is other.name.span.source else "visible beside the other",
        help="rename one of the two" if isinstance(item, Policy) else "rename one of the two, or remove it",
        related=(Related(span=other.name.span, text="defined here"),),
    )


def _imported_twice(
    later: ImportedFile,
    earlier: ImportedFile,
    pairs: list[tuple[Definition, Definition]],
) -> Diagnostic:
    item, other = pairs[0]
    more = f" and {len(pairs) - 1} more names" if len(pairs) > 1 else ""
    return Diagnostic(
        code="E0212",
        message=f"two imported files define the {KIND_OF[type(item)].value} `{item.name.text}`{more}",
        span=later.statement.path.span,
        label="this file, and the one imported before",
        help="import one of the two, or rename in one of them",
        related=(
            Related(span=earlier.statement.path.span, text="the other import"),
            Related(span=other.name.span, text="defined here"),
            Related(span=item.name.span, text="and here"),
        ),
    )
