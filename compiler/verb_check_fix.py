"""`egressc check --fix`: writes what lint can mend, and says what that was."""

from __future__ import annotations

import os
import tempfile
from codecs import BOM_UTF8
from pathlib import Path
from typing import TYPE_CHECKING

from egressc.console import complain
from egressc.lint.fixes import fix
from egressc.project_paths import reason
from egressc.report_json import diagnostic_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from egressc.lint.driver import Found
    from egressc.lint.fixes import Fixes
    from egressc.lint.subject import Subject
    from egressc.source import Source


class UnwrittenError(Exception):
    """A file cannot be replaced; says which and why."""


def write_fixes(subject: Subject, found: Sequence[Found]) -> Fixes:
    """Mend what can be mended, in the files. Raises ``UnwrittenError``; files before the one that it names are done."""
    fixes = fix(subject, found)
    for source, text in fixes.texts.items():
        try:
            _write(source, text)
        except OSError as error:
            raise UnwrittenError(f"cannot write `{source.shown}`: {reason(error)}") from error
    return fixes


def tell_fixes(fixes: Fixes) -> None:
    """Say what was done, and what was left, on standard error."""
    for verb, some in (("fixed", fixes.done), ("not fixed, since the policy would not mean the same", fixes.left)):
        for each in some:
            span = each.finding.span
            complain(f"{verb}: {span.source.shown}:{span.line}:{span.column}: {each.diagnostic.message}")
    complain(f"fixed {_count(len(fixes.done), 'finding')} in {_count(len(fixes.texts), 'file')}")


def fixes_json(fixes: Fixes) -> list[dict[str, Any]]:
    """What was done, for machines: the findings, placed as they were before."""
    return [diagnostic_json(each.diagnostic) for each in fixes.done]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _write(source: Source, text: str) -> None:
    """Replace the file of a source by one beside it, so that no reader ever sees half of it; its mode is kept."""
    path = Path(source.shown).resolve()
    data = path.read_bytes()
    mark = BOM_UTF8 if data.startswith(BOM_UTF8) else b""
    if data != mark + source.text.encode():
        raise UnwrittenError(f"`{source.shown}` has changed since it was read; nothing is written to it")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(mark + text.encode())
        Path(name).chmod(path.stat().st_mode & 0o7777)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
