"""`egressc export --check FORMAT FILE`: a list that people keep by hand, compared with the policy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from egressc.api import collector_paused
from egressc.api_export import compare_list
from egressc.api_export_ready import ready
from egressc.console import Progress, complain, say, tell
from egressc.exits import COULD_NOT_RUN, DONE, NO
from egressc.exports import request_text
from egressc.exports_report import flow_json
from egressc.meaning import UnreadableError
from egressc.project_paths import near_path, printable, reason
from egressc.report_json import to_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from datetime import date

    from egressc.api_export import ListRequest
    from egressc.exports_check import Beyond, Compared, Lacking, Unread

_SHOWN = 50
"""So many lines of each kind are shown as text; JSON has all."""


def compare(request: ListRequest, as_of: date, options: argparse.Namespace) -> int:
    """Read the list and compare. Returns the exit status: 1 if it differs, or nobody knows."""
    if not options.paths:
        complain("egressc export: `--check` needs the list\n  write `egressc export --check FORMAT FILE [PATH…]`")
        return COULD_NOT_RUN
    where, *paths = options.paths
    text = _text(where)
    if text is None:
        return COULD_NOT_RUN
    with collector_paused(), Progress() as progress:
        progress("reading", 0, 2)
        made_from, report, status = ready(request, paths or (".",), options.inventory, as_of, writes=False)
        found = None
        if made_from is not None:
            progress("comparing", 1, 2)
            try:
                found, wrong = compare_list(made_from.prepared, made_from.request, text)
            except UnreadableError as error:
                place = f"{printable(where)}:{error.line}" if error.line else printable(where)
                complain(f"egressc export: {place}: {error.message}")
                return COULD_NOT_RUN
            report = [*report, *wrong]
            status = COULD_NOT_RUN
    if found is None:
        if options.format == "json":
            say(to_json(report, equal=None))
        else:
            tell(report, options.color)
        return status
    if options.format == "json":
        say(to_json(report, **_json(found)))
    else:
        tell(report, options.color)
        say(_words(found, printable(where), request))
    return DONE if found.is_equal else NO


def _text(where: str) -> str | None:
    """The text of the list; what is wrong is said."""
    try:
        data = sys.stdin.buffer.read() if where == "-" else Path(where).read_bytes()
    except (OSError, ValueError) as error:
        near = near_path(where) if isinstance(error, FileNotFoundError) else None
        why = reason(error) if isinstance(error, OSError) else "no name of a file"
        advice = f"\n  did you mean `{printable(near)}`?" if near else ""
        complain(f"egressc export: cannot read `{printable(where)}`: {why}{advice}")
        return None
    marks = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    encoding = next((name for mark, name in marks.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        complain(f"egressc export: {printable(where)}:{line}: this is no text in UTF-8 (byte {error.start})")
        return None


def _json(found: Compared) -> dict[str, Any]:
    return {
        "equal": found.is_equal,
        "beyond": [
            {"text": each.text, "line": each.line, "clients": each.clients or None, "example": flow_json(each.example)}
            for each in found.beyond
        ],
        "lacks": [
            {
                "rules": [rule.identity for rule in each.rules],
                "entries": list(each.entries),
                "clients": each.clients or None,
                "example": flow_json(each.example),
            }
            for each in found.lacks
        ],
        "unknown": [
            {"text": each.text, "line": each.line, "clients": each.clients or None, "why": each.why}
            for each in found.unknown
        ],
        "unavoidable": found.unavoidable,
        "remarks": list(found.remarks),
    }


def _words(found: Compared, where: str, request: ListRequest) -> str:
    kind, name = request.options.kind.value, request.format.name
    lines: list[str] = []
    lines += _section("beyond the policy", [_beyond(each, where) for each in found.beyond])
    lines += _section("lacking", [_lacking(each) for each in found.lacks])
    lines += _section("not known", [_unread(each, where) for each in found.unknown])
    lines += [f"note: {printable(remark)}" for remark in found.remarks]
    if found.unavoidable:
        lines.append(f"note: {_many(found.unavoidable, 'entry', 'entries')} as near as `{name}` can say it")
    if found.is_equal:
        lines.append(f"{where}: {_many(found.entries, 'entry', 'entries')}, what the policy wants in the {kind} list")
    else:
        counted = f"{len(found.beyond)} beyond the policy, {len(found.lacks)} lacking, {len(found.unknown)} not known"
        lines.append(f"{where}: {_many(found.entries, 'entry', 'entries')}, {counted}")
    return "\n".join(lines) + "\n"


def _section(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    more = [f"  … and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return [title, *lines[:_SHOWN], *more]


def _place(where: str, line: int) -> str:
    return f"{where}:{line}" if line else where


def _clients(clients: str) -> str:
    return f"  ({clients})" if clients else ""


def _beyond(each: Beyond, where: str) -> str:
    example = request_text(each.example)
    return f"  + {printable(each.text)}  {_place(where, each.line)}{_clients(each.clients)}\n      e.g. {example}"


def _lacking(each: Lacking) -> str:
    spelled = " ".join(printable(entry) for entry in each.entries) or "(this format cannot say it)"
    rules = ", ".join(rule.identity for rule in each.rules[:3]) + (" …" if len(each.rules) > 3 else "")
    place = each.rules[0].span
    line, _ = place.source.line_column(place.start)
    at = f"{printable(place.source.shown)}:{line}"
    return f"  - {spelled}  rule {rules} ({at}){_clients(each.clients)}\n      e.g. {request_text(each.example)}"


def _unread(each: Unread, where: str) -> str:
    return (
        f"  ? {printable(each.text)}  {_place(where, each.line)}{_clients(each.clients)}\n      {printable(each.why)}"
    )


def _many(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
