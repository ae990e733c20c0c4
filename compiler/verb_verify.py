"""`egressc verify`: a live configuration against the policy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from egressc.api import Request, lowered_request
from egressc.console import Progress, complain, say, tell
from egressc.diagnostics import Diagnostic, has_errors
from egressc.drift import drift
from egressc.exits import COULD_NOT_RUN, DONE, NO
from egressc.meaning import UnreadableError
from egressc.project_paths import find_inventories, printable, reason
from egressc.report_drift import drift_json, drift_markdown, drift_text, nothing_compared
from egressc.report_json import to_json
from egressc.targets.protocol import Artefact
from egressc.verb_compile import day_of

if TYPE_CHECKING:
    import argparse

    from egressc.api import Build, Compilation

_REPORTS = frozenset({"fidelity.json", "fidelity.md"})
"""What stands in a folder of `compile` beside the artefact."""


def run(options: argparse.Namespace) -> int:
    """Compare and report. Returns the exit status."""
    request = _request_of(options)
    if isinstance(request, str):
        complain(f"egressc verify: {request}")
        return COULD_NOT_RUN
    with Progress() as progress:
        result = lowered_request(request, progress)
        if result.could_not_run or has_errors(result.diagnostics):
            return _refused(result.diagnostics, options, COULD_NOT_RUN if result.could_not_run else NO)
        build = _chosen(result, options.firewall)
        if isinstance(build, str):
            complain(f"egressc verify: {build}")
            return COULD_NOT_RUN
        progress("reading the configuration", 0, 2)
        files, problems = _configuration(options.configs)
        if problems:
            return _refused((*result.diagnostics, *problems), options, COULD_NOT_RUN)
        try:
            found = drift(build.site, build.target, build.lowering, files)
        except UnreadableError as error:
            place = f"{error.file}:{error.line}" if error.file and error.line else error.file
            problem = Diagnostic(
                code="E0437",
                message=f"this is no configuration of `{build.site.name}` ({build.site.target}): {error.message}",
                file=place,
                help="`egressc explain E0437` says what each target reads, and how to get it from the device",
            )
            return _refused((problem,), options, COULD_NOT_RUN)
    match options.format:
        case "json":
            say(to_json((), **drift_json(found)))
        case "markdown":
            say(drift_markdown(found))
        case _:
            say(drift_text(found))
    return DONE if found.is_equal else NO


def _request_of(options: argparse.Namespace) -> Request | str:
    as_of = day_of(options.as_of)
    if isinstance(as_of, str):
        return as_of
    paths = tuple(options.policy) or (".",)
    name = options.firewall.partition("/")[0]
    firewalls: tuple[str, ...]
    targets: tuple[str, ...]
    is_named = options.inventory is not None or bool(find_inventories(paths))
    # Without an inventory there is one firewall for each target, called after it.
    firewalls, targets = ((name,), ()) if is_named else ((), (name,))
    return Request(paths=paths, as_of=as_of, inventory=options.inventory, firewalls=firewalls, targets=targets)


def _chosen(result: Compilation, name: str) -> Build | str:
    """The artefact that the name means, or what is wrong with the name."""
    found = [build for build in result.builds if name in (build.site.name, build.site.firewall)]
    if len(found) == 1:
        target = found[0].target
        return found[0] if target.read is not None else f"`{name}` is a {target.name}, and this version reads none yet"
    if not found:
        known = ", ".join(f"`{build.site.name}`" for build in result.builds)
        return f"there is no artefact `{name}`" + (f"; there are {known}" if known else "")
    names = ", ".join(f"`{build.site.name}`" for build in found)
    return f"`{name}` is a host firewall of {len(found)} groups: name one of {names}"


def _configuration(names: list[str]) -> tuple[list[Artefact], list[Diagnostic]]:
    """The files of a live configuration; a folder stands for the files in it, `-` for standard input."""
    files: list[Artefact] = []
    problems: list[Diagnostic] = []
    for name in names:
        try:
            if name == "-":
                files.append(Artefact("standard input", sys.stdin.buffer.read()))
                continue
            path = Path(name)
            inside = sorted(p for p in path.iterdir() if p.is_file() and p.name not in _REPORTS)
            files.extend(Artefact(printable(str(each)), each.read_bytes()) for each in inside)
        except NotADirectoryError:
            try:
                files.append(Artefact(printable(name), Path(name).read_bytes()))
            except OSError as error:
                problems.append(_unreadable(name, error))
        except OSError as error:
            problems.append(_unreadable(name, error))
    return files, problems


def _unreadable(name: str, error: OSError) -> Diagnostic:
    return Diagnostic(
        code="E0437",
        message=f"the configuration `{printable(name)}` cannot be read: {reason(error)}",
        file=printable(name),
    )


def _refused(diagnostics: tuple[Diagnostic, ...], options: argparse.Namespace, status: int) -> int:
    if options.format == "json":
        say(to_json(diagnostics, **nothing_compared(options.firewall)))
    else:
        tell(diagnostics, options.color)
    return status
