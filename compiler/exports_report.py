"""The report of a list: for machines as ``grammar/export.schema.json`` describes it, and for people as Markdown."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from egressc.exports import ANY_PORT, request_text
from egressc.fidelity import Verdict
from egressc.fidelity_files import reason_table
from egressc.markdown import code, table_cell, visible
from egressc.reasons import Reason
from egressc.services import PortSet
from egressc.summary import verdict_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.api_export import ListBuild
    from egressc.exports import Line
    from egressc.exports_judge import RuleInList
    from egressc.fidelity import Approximation
    from egressc.flows import Flow
    from egressc.summary import Row


def report_json(build: ListBuild) -> dict[str, Any]:
    """The report as a value, without diagnostics."""
    request = build.request
    return {
        "version": 1,
        "format": request.format.name,
        "form": request.options.form,
        "list": request.options.kind.value,
        "as_of": build.as_of.isoformat(),
        "groups": list(build.groups),
        "account": request.account,
        "proved": True,
        "remarks": list(build.remarks),
        "assumptions": [each.id for each in request.format.capabilities.assumptions],
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


def report_bytes(build: ListBuild) -> bytes:
    """The report as a JSON document."""
    return (json.dumps(report_json(build), indent=1) + "\n").encode()


def list_files(build: ListBuild) -> list[tuple[str, bytes]]:
    """The files of a list in a build: itself, and its report in both forms."""
    name = build.request.format.file_name(build.request.options)
    return [
        (name, build.text.encode()),
        ("report.json", report_bytes(build)),
        ("report.md", report_markdown(build).encode()),
    ]


def list_counts(build: ListBuild) -> dict[str, Any]:
    """The numbers of one list, for ``--format json`` of a compilation."""
    verdicts = Counter(rule.verdict for rule in build.rules)
    touched = _touched(build)
    return {
        "export": build.request.name,
        "format": build.request.format.name,
        "list": build.request.options.kind.value,
        "entries": len(build.entries),
        "rules": len(build.rules),
        "verdicts": {v.value: verdicts[v] for v in Verdict if verdicts[v]},
        "reasons": {
            r.value: {"rules": len(touched[r][0]), "accepted": len(touched[r][1])} for r in Reason if r in touched
        },
        "proved": True,
    }


def list_rows(builds: Sequence[ListBuild]) -> list[Row]:
    """A line of the summary for each list."""
    rows = []
    order = list(Reason)
    for build in builds:
        touched = _touched(build)
        reasons = [
            f"{reason.value} {len(rules)}" + (f" (accepted {len(accepted)})" if accepted else "")
            for reason, (rules, accepted) in sorted(touched.items(), key=lambda i: (-len(i[1][0]), order.index(i[0])))
        ]
        count = len(build.rules)
        rows.append(
            (
                build.request.name,
                f"{build.request.format.name} {build.request.options.kind.value}",
                f"{count} rule{'s' if count != 1 else ''}",
                verdict_cell(Counter(rule.verdict for rule in build.rules)),
                ", ".join(reasons),
                f"proved, {len(build.entries)} entr{'ies' if len(build.entries) != 1 else 'y'}",
            )
        )
    return rows


def _touched(build: ListBuild) -> dict[Reason, tuple[set[str], set[str]]]:
    """For each reason the identities of the rules that it touches, and of those where it is accepted."""
    found: dict[Reason, tuple[set[str], set[str]]] = {}
    for rule in build.rules:
        for each in rule.approximations:
            touched, accepted = found.setdefault(each.reason, (set(), set()))
            touched.add(rule.rule.identity)
            if each.accepted:
                accepted.add(rule.rule.identity)
    return found


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
            f"For {whom}{account}, as of {build.as_of.isoformat()}. "
            f"{len(build.rules)} rules: {verdicts or 'none'}; {len(build.entries)} entries. "
            "Proved: the list was read back and compared with the policy, request for request."
        ),
    ]
    if build.remarks:
        lines += ["", *(f"- {visible(each)}" for each in build.remarks)]
    assumptions = request.format.capabilities.assumptions
    if assumptions:
        lines += ["", "Statements about this format that nobody could verify, for the entries that rest on them:", ""]
        lines += [f"- `{each.id}`: {each.sentence} ({each.source})" for each in assumptions]
    lines += ["", "## What the list cannot say", ""]
    lines += reason_table((r for rule in build.rules for r in {a.reason for a in rule.approximations}), _WORDS) or [
        "Nothing: every rule is said exactly."
    ]
    lines += ["", "## Rules", "", "| rule | verdict | differs by |", "| --- | --- | --- |"]
    lines += [f"| `{each.rule.identity}` | {each.verdict.value} | {_differs(each)} |" for each in build.rules]
    lines += ["", "## Entries", "", "| entry | ports | rules |", "| --- | --- | --- |"]
    lines += [f"| {code(text)} | {ports_words(line)} | {_named(line)} |" for text, line in build.entries]
    return "\n".join(lines) + "\n"


_WORDS = {
    Reason.ACCOUNT: ("the account becomes any", "a list does not see who asks"),
    Reason.SOURCE: ("the source becomes any", "a list does not see who asks"),
    Reason.PORTS: ("the ports become any", "these ports cannot be said in the list"),
    Reason.TLS_UNENFORCED: ("inspection", "the list cannot say what must not be inspected"),
}
"""What a reason means in a list, where that is not what it means on a firewall."""

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
