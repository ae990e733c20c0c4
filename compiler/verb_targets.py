"""`egressc targets`: what each target can express, its limits, and what nobody could verify."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from egressc.console import complain, say
from egressc.exits import COULD_NOT_RUN, DONE
from egressc.markdown import code, table_cell
from egressc.report_json import json_text
from egressc.suggest import nearest
from egressc.targets.registry import load_target, target_names

if TYPE_CHECKING:
    import argparse

    from egressc.targets.protocol import Target

_WIDTH = 100


def run(options: argparse.Namespace) -> int:
    """Show the tables. Returns the exit status: 2 if there is no such target."""
    known = target_names()
    for name in options.names:
        if name not in known:
            near = nearest(name, known)
            complain(f"egressc targets: there is no target `{name}`")
            complain(f"  did you mean `{near}`?" if near else f"  targets: {', '.join(known)}")
            return COULD_NOT_RUN
    found = [load_target(name) for name in known if not options.names or name in options.names]
    match options.format:
        case "json":
            say(json_text({"targets": [_plain(target) for target in found]}))
        case "markdown":
            say("\n".join(_markdown(target) for target in found))
        case _:
            say("\n".join(_text(target) for target in found))
    return DONE


def _plain(target: Target[Any, Any]) -> dict[str, Any]:
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


def _markdown(target: Target[Any, Any]) -> str:
    held = target.capabilities
    head = ["| feature | how | verdict | reasons |", "| --- | --- | --- | --- |"]
    lines = [f"# {held.title} (`{target.name}`)", "", *head]
    lines += [
        f"| {table_cell(row.feature)} | {table_cell(row.how)} | {_verdict(row.verdict, row.assumptions)} | "
        f"{', '.join(code(r) for r in row.reasons) or '–'} |"
        for row in held.rows
    ]
    lines += ["", "| limit | value | source |", "| --- | --- | --- |"]
    lines += [f"| {table_cell(x.name)} | {table_cell(x.value)} | {table_cell(x.source)} |" for x in held.limits]
    if held.assumptions:
        lines += ["", "Nobody could verify:", ""]
        lines += [f"- `{a.id}`: {table_cell(a.sentence)} ({table_cell(a.source)})" for a in held.assumptions]
    return "\n".join(lines) + "\n"


def _verdict(verdict: str, assumptions: tuple[str, ...]) -> str:
    return verdict + (f" ({', '.join(code(a) for a in assumptions)})" if assumptions else "")


def _text(target: Target[Any, Any]) -> str:
    held = target.capabilities
    lines = [f"{target.name}: {held.title}", ""]
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
