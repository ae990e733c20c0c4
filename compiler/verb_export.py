"""`egressc export FORMAT`: proxy bypass and inspection exemption lists."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from egressc.api import collector_paused, inspection_conflicts, load
from egressc.api_choice import usage_problems
from egressc.api_export import ListRequest, build_list
from egressc.bind import prepare
from egressc.console import Progress, complain, say, tell
from egressc.diagnostics import Level, has_errors, sort_key
from egressc.exits import COULD_NOT_RUN, DONE, NO
from egressc.exports import ListKind
from egressc.exports_report import report_json, report_markdown
from egressc.project_paths import printable, reason
from egressc.report_json import to_json
from egressc.suggest import nearest
from egressc.targets.list_protocol import ListOptions, Proxy
from egressc.targets.list_registry import format_names, load_format
from egressc.verb_compile import day_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from datetime import date

    from egressc.api_export import ListBuild
    from egressc.bind import Prepared
    from egressc.diagnostics import Diagnostic
    from egressc.targets.list_protocol import ListFormat


def run(options: argparse.Namespace) -> int:
    """Export, or compare a list of people. Returns the exit status."""
    found = request_of(options)
    as_of = day_of(options.as_of)
    wrong = found if isinstance(found, str) else as_of if isinstance(as_of, str) else None
    if wrong is not None:
        complain(f"egressc export: {wrong}")
        return COULD_NOT_RUN
    assert isinstance(found, ListRequest)
    assert not isinstance(as_of, str)
    if options.check:
        from egressc.verb_export_check import compare  # noqa: PLC0415 - only where it is asked for

        return compare(found, as_of, options)
    build, report, status = made(found, options.paths or (".",), options.inventory, as_of)
    if build is None:
        if options.format == "json":
            say(to_json(report, text=None))
        else:
            tell(report, options.color)
        return status
    return _written(build, report, options)


def ready(
    request: ListRequest, paths: Sequence[str], inventory: str | None, as_of: date
) -> tuple[Prepared | None, list[Diagnostic], int]:
    """The policy that the list is made from, what is to be said, and the exit status if there is none."""
    loaded = load(paths, inventory)
    report = list(loaded.diagnostics)
    usage = usage_problems((), request.accept)
    if usage or loaded.could_not_run or loaded.policy is None or loaded.inventory is None:
        return None, sorted([*report, *usage], key=sort_key), COULD_NOT_RUN if usage or loaded.could_not_run else NO
    prepared, problems = prepare(loaded.policy, loaded.inventory, as_of)
    report += problems
    if not has_errors(report):
        report += inspection_conflicts(prepared)
    return None if has_errors(report) else prepared, sorted(report, key=sort_key), NO


def made(
    request: ListRequest, paths: Sequence[str], inventory: str | None, as_of: date
) -> tuple[ListBuild | None, list[Diagnostic], int]:
    """The list, everything that is to be said, and the exit status if there is none."""
    with collector_paused(), Progress() as progress:
        progress("reading", 0, 2)
        prepared, report, status = ready(request, paths, inventory, as_of)
        if prepared is None:
            return None, report, status
        progress("exporting", 1, 2)
        build, told = build_list(prepared, request)
        if request.strict:
            report = [d.at_level(Level.ERROR) if d.level is Level.WARNING else d for d in report]
        report = sorted([*report, *told], key=sort_key)
        if has_errors(report):
            asked_wrongly = any(d.code == "E0520" for d in told)
            return None, report, COULD_NOT_RUN if asked_wrongly else NO
        return build, report, DONE


def _written(build: ListBuild, report: Sequence[Diagnostic], options: argparse.Namespace) -> int:
    """Write the list where it was asked for, and the report beside it."""
    files: list[tuple[str, str]] = []
    if options.report is not None:
        is_json = options.report.endswith(".json")
        told = json.dumps(report_json(build), indent=1) + "\n" if is_json else report_markdown(build)
        files.append((options.report, told))
    to_stdout = options.output in (None, "-")
    if not to_stdout:
        files.append((options.output, build.text))
    for name, text in files:
        try:
            Path(name).write_bytes(text.encode())
        except (OSError, ValueError) as error:
            why = reason(error) if isinstance(error, OSError) else "no name of a file"
            complain(f"egressc export: cannot write `{printable(name)}`: {why}")
            return COULD_NOT_RUN
    if options.format == "json":
        say(to_json(report, **report_json(build), text=build.text if to_stdout else None, output=options.output))
        return DONE
    tell(report, options.color)
    for remark in build.remarks:
        complain(f"note: {remark}")
    if to_stdout:
        say(build.text)
    else:
        say(f"{printable(options.output)}: {len(build.entries)} entries of {len(build.rules)} rules, proved\n")
    return DONE


def request_of(options: argparse.Namespace) -> ListRequest | str:
    """The request that the options make; a text that says what is wrong with them."""
    names = format_names()
    if options.list_format not in names:
        near = nearest(options.list_format, names)
        advice = f"did you mean `{near}`?" if near else f"the formats are {', '.join(names)}"
        return f"there is no format `{options.list_format}`\n  {advice}"
    chosen = load_format(options.list_format)
    kind = _kind(options.kind, chosen, names)
    if not isinstance(kind, ListKind):
        return kind
    made_of = options_of(
        chosen,
        kind,
        form=options.form,
        proxy=options.proxy,
        clients=_words(options.clients),
        probe_free=options.probe_free,
    )
    if isinstance(made_of, str):
        return made_of
    return ListRequest(
        format=chosen,
        options=made_of,
        groups=tuple(dict.fromkeys(options.group)),
        account=options.account,
        rules=options.rule,
        accept=tuple(dict.fromkeys(options.accept)),
        strict=options.strict,
    )


def _kind(text: str | None, chosen: ListFormat, names: Sequence[str]) -> ListKind | str:
    if text is None:
        if len(chosen.lists) == 1:
            return next(iter(chosen.lists))
        return (
            "say which list: `--list bypass` (what clients reach directly) or `--list exemption` "
            "(what the proxy does not open)"
        )
    kind = ListKind(text)
    if kind in chosen.lists:
        return kind
    able = ", ".join(name for name in names if kind in load_format(name).lists)
    (other,) = chosen.lists
    return f"`{chosen.name}` holds {other.value} lists alone\n  formats for an {kind.value} list: {able}"


def options_of(
    chosen: ListFormat, kind: ListKind, *, form: str | None, proxy: str | None, clients: Sequence[str], probe_free: bool
) -> ListOptions | str:
    """The options for a format; a text that says what is wrong with them."""
    if form is not None and form not in chosen.forms:
        near = nearest(form, chosen.forms)
        advice = f"did you mean `{near}`?" if near else f"its forms are {', '.join(chosen.forms)}"
        return f"`{chosen.name}` has no form `{form}`\n  {advice}"
    if clients and not chosen.clients:
        return f"`--for` says nothing to `{chosen.name}`: all clients read it alike"
    for client in clients:
        if client not in chosen.clients:
            near = nearest(client, chosen.clients)
            advice = f"did you mean `{near}`?" if near else f"the clients are {', '.join(chosen.clients)}"
            return f"`--for` does not know `{client}`\n  {advice}"
    if probe_free and not chosen.probe_free:
        return f"`--probe-free` says nothing to `{chosen.name}`"
    found = None if proxy is None else proxy_of(proxy)
    if isinstance(found, str):
        return found
    base = ListOptions(kind=kind, form=form or chosen.forms[0], proxy=found)
    return replace(base, clients=tuple(c for c in chosen.clients if c in clients), probe_free=probe_free)


_PROXY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9_.-]+)):(?P<port>[0-9]{1,5})", re.ASCII)


def proxy_of(text: str) -> Proxy | str:
    """The proxy that a text names as ``HOST:PORT``; a text that says what is wrong with it."""
    found = _PROXY.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65536:
        return f"`{printable(text)}` is no proxy: write HOST:PORT, such as proxy.contoso.example:8080"
    return Proxy((found["v6"] or found["host"]).lower(), int(found["port"]))


def _words(listed: Sequence[str]) -> list[str]:
    return [word for each in listed for word in each.split(",") if word]
