"""`egressc fmt`: the one canonical layout, proved on every run to change nothing else."""

from __future__ import annotations

import difflib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from egressc.console import complain, say, say_bytes, tell
from egressc.diagnostics import Diagnostic, has_errors, sort_key
from egressc.exits import COULD_NOT_RUN, DONE, NO
from egressc.format import check_format
from egressc.project_paths import FoundFile, find_files
from egressc.read_source import read_source
from egressc.report_json import to_json
from egressc.source import Source

if TYPE_CHECKING:
    import argparse

STDIN = "-"
"""The PATH that stands for standard input."""

_STDIN_SHOWN = "<stdin>"


def run(options: argparse.Namespace) -> int:
    """Format. Returns the exit status: 1 for syntax errors, or with ``--check`` when a file would change.

    A defect (the proof fails) is raised before the file concerned is touched.
    """
    if STDIN in options.paths:
        if len(options.paths) > 1:
            complain("egressc fmt: `-` stands alone")
            return COULD_NOT_RUN
        if options.format == "json" and not (options.check or options.diff):
            complain("egressc fmt: `-` and `--format json` both want standard output; with `--check` they agree")
            return COULD_NOT_RUN
        return _stdin(options)
    found = find_files(options.paths)
    report: list[Diagnostic] = list(found.diagnostics)
    could_not_run = bool(found.diagnostics)
    changed: list[tuple[FoundFile, bytes, str]] = []
    for file in found.files:
        try:
            data = Path(file.path).read_bytes()
        except OSError as error:
            report.append(_unreadable(file.shown, error))
            could_not_run = True
            continue
        text = _formatted(data, file.shown, report)
        if text is not None and text.encode() != data:
            changed.append((file, data, text))
    if not (options.check or options.diff or could_not_run):
        for file, _, text in changed:
            try:
                _replace(Path(file.path), text.encode())
            except OSError as error:
                complain(f"egressc fmt: cannot write `{file.shown}`: {(error.strerror or str(error)).lower()}")
                return COULD_NOT_RUN
    report.sort(key=sort_key)
    _report(options, report, changed)
    if could_not_run:
        return COULD_NOT_RUN
    return NO if has_errors(report) or (options.check and changed) else DONE


def _report(options: argparse.Namespace, report: list[Diagnostic], changed: list[tuple[FoundFile, bytes, str]]) -> None:
    if options.format == "json":
        names = [file.shown for file, _, _ in changed]
        say(to_json(report, changed=names))
        return
    tell(report, options.color)
    for file, data, text in changed:
        if options.diff:
            say(_diff(data, text, file.shown))
        if options.check:
            complain(f"would change {file.shown}")
        elif not options.diff:
            complain(f"changed {file.shown}")


def _stdin(options: argparse.Namespace) -> int:
    report: list[Diagnostic] = []
    data = sys.stdin.buffer.read()
    text = _formatted(data, _STDIN_SHOWN, report)
    changes = text is not None and text.encode() != data
    if options.format == "json":
        say(to_json(report, changed=[_STDIN_SHOWN] if changes else []))
        return NO if text is None or (options.check and changes) else DONE
    if text is None:
        tell(report, options.color)
        return NO
    if options.diff:
        say(_diff(data, text, _STDIN_SHOWN))
    if options.check and changes:
        complain(f"would change {_STDIN_SHOWN}")
    elif not (options.check or options.diff):
        say_bytes(text.encode())
    return NO if options.check and changes else DONE


def _formatted(data: bytes, shown: str, report: list[Diagnostic]) -> str | None:
    source = read_source(data, name=shown, shown=shown)
    if not isinstance(source, Source):
        report.append(source)
        return None
    result = check_format(source)
    report.extend(result.diagnostics)
    return result.text


def _diff(data: bytes, text: str, shown: str) -> str:
    before = data.decode("utf-8-sig").splitlines(keepends=True)
    after = text.splitlines(keepends=True)
    lines = difflib.unified_diff(before, after, shown, f"{shown} (formatted)")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _replace(path: Path, content: bytes) -> None:
    """Replace a file by a new one beside it, so that no reader ever sees half of it; its mode is kept."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(path.stat().st_mode & 0o7777)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _unreadable(shown: str, error: OSError) -> Diagnostic:
    return Diagnostic(
        code="E0200",
        message=f"cannot read `{shown}`: {(error.strerror or str(error)).lower()}",
        file=shown,
        help="check that it is a file that you may read",
    )
