"""`egressc compile`: policies into one folder per firewall, all or nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from egressc import __version__
from egressc.api import Compilation, Request, collector_paused, compile_request
from egressc.console import Progress, complain, say, say_bytes, tell, tell_text, text_of
from egressc.diagnostics import has_errors
from egressc.exits import COULD_NOT_RUN, DONE, NO
from egressc.exports_report import list_counts, list_files, list_rows
from egressc.fidelity_files import fidelity_json, fidelity_markdown
from egressc.output import Folder, digest, write
from egressc.output_manifest import OutputError
from egressc.report_json import to_json
from egressc.summary import counts, summary_lines

if TYPE_CHECKING:
    import argparse

    from egressc.api import Build

STDOUT = "-"
"""The folder that stands for standard output."""


def day_of(text: str | None) -> date | str:
    """The day that `--as-of` names, today (UTC) if it is left out; a text that says what is wrong with it."""
    if text is None:
        return datetime.now(tz=UTC).date()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return f"`{text}` is no date: write it as YYYY-MM-DD, such as 2027-06-30"
    if day.isoformat() != text:
        return f"`{text}` is no date of the form YYYY-MM-DD: write {day.isoformat()}"
    return day


def request_of(options: argparse.Namespace) -> Request | str:
    """The request that the options of `compile` and `check` make; a text that says what is wrong with them."""
    as_of = day_of(options.as_of)
    if isinstance(as_of, str):
        return as_of
    return Request(
        paths=tuple(options.paths) or (".",),
        as_of=as_of,
        inventory=options.inventory,
        firewalls=tuple(dict.fromkeys(options.firewall)),
        targets=tuple(dict.fromkeys(options.target)),
        accept=tuple(dict.fromkeys(options.accept)),
        strict=options.strict,
    )


def run(options: argparse.Namespace) -> int:
    """Compile and write. Returns the exit status."""
    with collector_paused():
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    request = request_of(options)
    if not options.output:
        request = "`-o` names no folder"
    elif options.output == STDOUT and options.format == "json":
        request = "`-o -` and `--format json` both want standard output"
    if isinstance(request, str):
        complain(f"egressc compile: {request}")
        return COULD_NOT_RUN
    with Progress() as progress:
        result = compile_request(request, progress)
        if result.could_not_run or has_errors(result.diagnostics):
            folders, refused = [], True
        else:
            refused = False
            folders = [] if options.output == STDOUT else _folders(result, progress)
    if refused:
        return _refused(result, options)
    if options.output == STDOUT:
        return _to_stdout(result, options)
    # Everything that is said about the result is made before anything is written: a defect then leaves no half of it.
    reports = [build.fidelity for build in result.builds]
    diagnostics = text_of(result.diagnostics, options.color)
    if options.format == "json":
        told = to_json(
            result.diagnostics,
            output=options.output,
            firewalls=[counts(report) for report in reports],
            exports=[list_counts(made) for made in result.lists],
        )
    else:
        told = "".join(f"{line}\n" for line in summary_lines(reports, list_rows(result.lists)))
    try:
        write(Path(options.output), folders, __version__, _made_from(request, result), complete=result.complete)
    except OutputError as error:
        tell_text(diagnostics)
        complain(f"egressc compile: {error}")
        return COULD_NOT_RUN
    if options.format == "text":
        tell_text(diagnostics)
    say(told)
    return DONE


def _refused(result: Compilation, options: argparse.Namespace) -> int:
    if options.format == "json":
        say(to_json(result.diagnostics, output=None, firewalls=[], exports=[]))
    else:
        tell(result.diagnostics, options.color)
    return COULD_NOT_RUN if result.could_not_run else NO


def _to_stdout(result: Compilation, options: argparse.Namespace) -> int:
    if not result.builds:
        tell(result.diagnostics, options.color)
        complain("egressc compile: there is no artefact to write")
        return COULD_NOT_RUN
    if len(result.builds) != 1:
        names = ", ".join(f"`{build.site.name}`" for build in result.builds)
        complain(f"egressc compile: `-o -` writes one artefact, and here are {len(result.builds)}: {names}")
        complain("  name one with `--firewall NAME`, or write them all with `-o DIR`")
        return COULD_NOT_RUN
    build = result.builds[0]
    content = _main_artefact(build)
    tell(result.diagnostics, options.color)
    for line in summary_lines([build.fidelity]):
        complain(line)
    say_bytes(content)
    return DONE


def _main_artefact(build: Build) -> bytes:
    for artefact in build.files:
        if artefact.name == build.target.main_artefact:
            return artefact.content
    raise LookupError(f"the target `{build.target.name}` does not write its `{build.target.main_artefact}`")


def _folders(result: Compilation, progress: Progress) -> list[Folder]:
    folders = []
    for number, build in enumerate(result.builds):
        progress(f"reporting {build.site.name}", number, len(result.builds))
        files = [(artefact.name, artefact.content) for artefact in build.files]
        files.append(("fidelity.json", fidelity_json(build.fidelity, build.target)))
        files.append(("fidelity.md", fidelity_markdown(build.fidelity, build.target)))
        folders.append(Folder(build.site.name, build.site.firewall, build.site.target, tuple(files)))
    for made in result.lists:
        name = made.request.name
        folders.append(Folder(name, name, made.request.format.name, tuple(list_files(made))))
    return folders


def _made_from(request: Request, result: Compilation) -> dict[str, Any]:
    """What the manifest says of the inputs: their digests, never their absolute places."""
    inventory = result.loaded.inventory
    tags = inventory.service_tags if inventory is not None else None
    found: dict[str, Any] = {
        "egressc": __version__,
        "as_of": request.as_of.isoformat(),
        "strict": request.strict,
        "accept": sorted(request.accept),
        "sources": {
            source.name: digest(source.text.encode("utf-8", "surrogatepass"))
            for source in sorted(result.loaded.sources, key=lambda s: s.name)
        },
    }
    if tags is not None:
        found["service_tags"] = {"change_number": tags.change_number, "digest": f"sha256:{tags.digest}"}
    return found
