"""`egressc export FORMAT`: proxy bypass and inspection exemption lists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from egressc.api import collector_paused
from egressc.api_export import ListRequest, build_list
from egressc.api_export_options import Wrong, options_of
from egressc.api_export_ready import LATER, ready
from egressc.console import Progress, complain, say, tell
from egressc.diagnostics import Diagnostic, Level, has_errors, sort_key
from egressc.exits import COULD_NOT_RUN, DONE, NO
from egressc.exports_report import report_bytes, report_json, report_markdown
from egressc.project_paths import printable, reason
from egressc.report_json import to_json
from egressc.suggest import nearest
from egressc.targets.list_registry import format_names, load_format
from egressc.verb_compile import day_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from datetime import date

    from egressc.api_export import ListBuild


def run(options: argparse.Namespace) -> int:
    """Export, or compare a list of people. Returns the exit status."""
    found = request_of(options)
    as_of = day_of(options.as_of)
    for wrong in (found, as_of):
        if isinstance(wrong, str):
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


def made(
    request: ListRequest, paths: Sequence[str], inventory: str | None, as_of: date
) -> tuple[ListBuild | None, list[Diagnostic], int]:
    """The list, everything that is to be said, and the exit status if there is none."""
    with collector_paused(), Progress() as progress:
        progress("reading", 0, 2)
        found, report, status = ready(request, paths, inventory, as_of)
        if found is None:
            return None, report, status
        progress("exporting", 1, 2)
        build, told = build_list(found.prepared, found.request)
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
        told = report_bytes(build).decode() if is_json else report_markdown(build)
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
        return f"there is no format `{printable(options.list_format)}`\n  {advice}"
    chosen = load_format(options.list_format)
    found = options_of(
        chosen,
        kind=options.kind,
        form=options.form,
        proxy=options.proxy,
        clients=_words(options.clients),
        probe_free=options.probe_free,
        default_proxy=LATER,
    )
    if isinstance(found, Wrong):
        return f"{_OPTIONS.get(found.key, '')}{found.message}\n  {found.help}"
    return ListRequest(
        format=chosen,
        options=found,
        groups=tuple(dict.fromkeys(options.group)),
        account=options.account,
        rules=options.rule,
        accept=tuple(dict.fromkeys(options.accept)),
        strict=options.strict,
    )


_OPTIONS = {"list": "`--list`: ", "form": "`--form`: ", "for": "`--for`: ", "proxy": "`--proxy`: "}
"""The options by the keys that the inventory has for the same."""


def _words(listed: Sequence[str]) -> list[str]:
    return [word for each in listed for word in each.split(",") if word]
