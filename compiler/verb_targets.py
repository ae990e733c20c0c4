"""`egressc targets`: what each target and list format can express, its limits, and what nobody could verify."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from egressc.console import complain, say
from egressc.exits import COULD_NOT_RUN, DONE
from egressc.markdown import code, table_cell
from egressc.report_json import json_text
from egressc.suggest import nearest
from egressc.targets.list_protocol import ListFormat
from egressc.targets.list_registry import format_names, load_format
from egressc.targets.registry import load_target, target_names

if TYPE_CHECKING:
    import argparse

    from egressc.targets.protocol import Target

    Described = Target[Any, Any] | ListFormat

_WIDTH = 100


def run(options: argparse.Namespace) -> int:
    """Show the tables. Returns the exit status: 2 if there is no such target or format."""
    known = (*target_names(), *format_names())
    for name in options.names:
        if name not in known:
            near = nearest(name, known)
            complain(f"egressc targets: there is no target and no list format `{name}`")
            listed = f"  targets: {', '.join(target_names())}\n  list formats: {', '.join(format_names())}"
            complain(f"  did you mean `{near}`?" if near else listed)
            return COULD_NOT_RUN
    targets = [load_target(name) for name in target_names() if not options.names or name in options.names]
    formats = [load_format(name) for name in format_names() if not options.names or name in options.names]
    found: list[Described] = [*targets, *formats]
    match options.format:
        case "json":
            say(json_text({"targets": [_plain(each) for each in targets], "lists": [_list(each) for each in formats]}))
        case "markdown":
            say("\n".join(_markdown(target) for target in found))
        case _:
            say("\n".join(_text(target) for target in found))
    return DONE


def _list(described: ListFormat) -> dict[str, Any]:
    lists = sorted(kind.value for kind in described.lists)
    forms, clients = list(described.forms), list(described.clients)
    return {**_plain(described), "lists": lists, "forms": forms, "clients": clients}


def _purpose(described: Described) -> str:
    """What a format of lists is for, in a sentence; empty for a target."""
    if not isinstance(described, ListFormat):
        return ""
    kinds = " and ".join(f"`--list {kind.value}`" for kind in sorted(described.lists))
    forms = f"; forms {', '.join(code(form) for form in described.forms)}" if len(described.forms) > 1 else ""
    clients = f"; clients {', '.join(code(client) for client in described.clients)}" if described.clients else ""
    return f"A format of `egressc export`: {kinds}{forms}{clients}."


def _plain(target: Described) -> dict[str, Any]:
    held = target.capabilities
    return {
        "name": target.name,
        "title": held.title,
        "features": [
            {
                "feature": row.feature,
                "how": row.how,
                "verdict": row.verdict,
                "reasons": list(row.reasons),
                "assumptions": list(row.assumptions),
            }
            for row in held.rows
        ],
        "limits": [{"name": limit.name, "value": limit.value, "source": limit.source} for limit in held.limits],
        "assumptions": [{"id": a.id, "sentence": a.sentence, "source": a.source} for a in held.assumptions],
    }


def _markdown(target: Described) -> str:
    held = target.capabilities
    head = ["| feature | how | verdict | reasons |", "| --- | --- | --- | --- |"]
    purpose = _purpose(target)
    lines = [f"# {held.title} (`{target.name}`)", "", *([purpose, ""] if purpose else []), *head]
    lines += [
        f"| {table_cell(row.feature)} | {table_cell(row.how)} | {_verdict(row.verdict, row.assumptions)} | "
        f"{', '.join(code(r) for r in row.reasons) or '–'} |"
        for row in held.rows
    ]
    if held.limits:
        lines += ["", "| limit | value | source |", "| --- | --- | --- |"]
        lines += [f"| {table_cell(x.name)} | {table_cell(x.value)} | {table_cell(x.source)} |" for x in held.limits]
    if held.assumptions:
        lines += ["", "Nobody could verify:", ""]
        lines += [f"- `{a.id}`: {table_cell(a.sentence)} ({table_cell(a.source)})" for a in held.assumptions]
    return "\n".join(lines) + "\n"


def _verdict(verdict: str, assumptions: tuple[str, ...]) -> str:
    return verdict + (f" ({', '.join(code(a) for a in assumptions)})" if assumptions else "")


def _text(target: Described) -> str:
    held = target.capabilities
    purpose = textwrap.wrap(_purpose(target), _WIDTH, initial_indent="  ", subsequent_indent="  ")
    lines = [f"{target.name}: {held.title}", *purpose, ""]
    wide = max((len(row.feature) for row in held.rows), default=0)
    wide = min(wide, 32)
    for row in held.rows:
        notes = [*row.reasons, *(f"assumes {a}" for a in row.assumptions)]
        lines += _entry(row.feature, f"{row.how}. {_graded(row.verdict, notes)}", wide)
    if held.limits:
        lines += ["", "limits"]
        for limit in held.limits:
            lines += _entry(limit.name, f"{limit.value} [{limit.source}]", wide)
    if held.assumptions:
        lines += ["", "nobody could verify"]
        for assumption in held.assumptions:
            lines += _entry(assumption.id, f"{assumption.sentence} [{assumption.source}]", wide)
    return "\n".join(lines) + "\n"


def _graded(verdict: str, notes: list[str]) -> str:
    return f"{verdict} ({', '.join(notes)})" if notes else verdict


def _entry(name: str, text: str, wide: int) -> list[str]:
    """A name and a wrapped text in two columns; a long name has a line of its own."""
    body = textwrap.wrap(text, _WIDTH - wide - 4, break_long_words=False, break_on_hyphens=False) or [""]
    indent = " " * (wide + 4)
    if len(name) > wide:
        return [f"  {name}", *(indent + line for line in body)]
    return [f"  {name.ljust(wide)}  {body[0]}", *(indent + line for line in body[1:])]
