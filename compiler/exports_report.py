"""The report of a list: for machines as ``grammar/export.schema.json`` describes it, and for people as Markdown."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from egressc.exports import ANY_PORT, request_text
from egressc.fidelity import Verdict
from egressc.markdown import code, table_cell, visible
from egressc.reasons import FACTS, Reason
from egressc.services import PortSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.api_export import ListBuild
    from egressc.exports import Line
    from egressc.exports_judge import RuleInList
    from egressc.fidelity import Approximation
    from egressc.flows import Flow


def report_json(build: ListBuild) -> dict[str, Any]:
    """The report as a value, without diagnostics."""
    request = build.request
    return {
        "version": 1,
        "format": request.format.name,
        "form": request.options.form,
        "list": request.options.kind.value,
        "groups": list(build.groups),
        "account": request.account,
        "proved": True,
        "remarks": list(build.remarks),
        "rules": [_rule(rule) for rule in build.rules],
        "entries": [_entry(text, line) for text, line in build.entries],
    }


def _rule(found: RuleInList) -> dict[str, Any]:
    rule = found.rule
    line, column = rule.span.source.line_column(rule.span.start)
    return {
        "rule": rule.identity,
        "file": rule.span.source.name,
        "line": line,
        "column": column,
        "verdict": found.verdict.value,
        "approximations": [_approximation(each) for each in found.approximations],
    }


def _approximation(found: Approximation) -> dict[str, Any]:
    result: dict[str, Any] = {
        "reason": found.reason.value,
        "effect": found.effect.value,
        "level": found.level.value,
        "accepted": found.accepted,
        "sentence": found.sentence,
    }
    if found.why:
        result["why"] = found.why
    if found.example is not None:
        result["example"] = flow_json(found.example)
    return result


def flow_json(flow: Flow) -> dict[str, Any]:
    """A request as an example; what does not matter is left out."""
    held = {
        "group": flow.group,
        "account": flow.account,
        "host": flow.host,
        "path": flow.path,
        "address": flow.address,
        "transport": flow.transport,
        "port": flow.port,
    }
    return {key: value for key, value in held.items() if value is not None}


def _entry(text: str, line: Line) -> dict[str, Any]:
    return {"text": text, "ports": ports_words(line), "rules": [rule.identity for rule in line.rules]}


def ports_words(line: Line) -> str:
    """The ports that a line says: ``any`` where it says none."""
    if line.ports == ANY_PORT:
        return "any"
    return PortSet(line.ports).text.replace("/tcp", "")


def report_markdown(build: ListBuild) -> str:
    """The report for a reader: what the list cannot say first, then each entry with the rules that it came from."""
    request = build.request
    counts = Counter([rule.verdict for rule in build.rules])
    verdicts = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
    whom = ", ".join(code(name) for name in build.groups) or "nobody"
    account = f" as {code(request.account)}" if request.account is not None else ""
    lines = [
        f"# {request.options.kind.value.capitalize()} list: {request.format.capabilities.title}",
        "",
        (
            f"For {whom}{account}. {len(build.rules)} rules: {verdicts or 'none'}; {len(build.entries)} entries. "
            "Proved: the list was read back and compared with the policy, request for request."
        ),
    ]
    if build.remarks:
        lines += ["", *(f"- {visible(each)}" for each in build.remarks)]
    lines += ["", "## What the list cannot say", ""]
    touched: Counter[Reason] = Counter(r for rule in build.rules for r in {a.reason for a in rule.approximations})
    if touched:
        lines += ["| reason | rules | what changes | why |", "| --- | --- | --- | --- |"]
        lines += [
            f"| `{reason.value}` | {touched[reason]} | {FACTS[reason].licence} | {FACTS[reason].why} |"
            for reason in Reason
            if touched[reason]
        ]
    else:
        lines.append("Nothing: every rule is said exactly.")
    lines += ["", "## Rules", "", "| rule | verdict | differs by |", "| --- | --- | --- |"]
    lines += [f"| `{each.rule.identity}` | {each.verdict.value} | {_differs(each)} |" for each in build.rules]
    lines += ["", "## Entries", "", "| entry | ports | rules |", "| --- | --- | --- |"]
    lines += [f"| {code(text)} | {ports_words(line)} | {_named(line)} |" for text, line in build.entries]
    return "\n".join(lines) + "\n"


_SHOWN = 6


def _named(line: Line) -> str:
    names = [f"`{rule.identity}`" for rule in line.rules]
    return ", ".join(names[:_SHOWN]) + (f", … ({len(names)} in all)" if len(names) > _SHOWN else "")


def _differs(found: RuleInList) -> str:
    return "; ".join(_cells(found.approximations)) or "–"


def _cells(approximations: Sequence[Approximation]) -> list[str]:
    cells = []
    for each in approximations:
        grade = (f"accepted: {table_cell(each.why)}" if each.why else "accepted") if each.accepted else each.level.value
        example = f", e.g. {table_cell(request_text(each.example))}" if each.example is not None else ""
        cells.append(f"`{each.reason.value}` ({each.effect.value}, {grade}): {table_cell(each.sentence)}{example}")
    return cells
