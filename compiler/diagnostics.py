"""Diagnostics as data: what is wrong, where, and what to write instead.

A code is permanent and has a page in ``docs/diagnostics``. Its first letter is the level that it has when nothing
changes it: E error, W warning, N note. Messages are lower case, without a full stop, with identifiers in backticks;
the fix stands in ``help`` only. One mistake gives one diagnostic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from egressc.quick_init import quick_init

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.source import Span


class Level(StrEnum):
    """How serious a diagnostic is; only errors stop a run."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


_LEVELS = {"E": Level.ERROR, "W": Level.WARNING, "N": Level.NOTE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another place that belongs to a diagnostic, such as the first of two definitions."""

    span: Span
    text: str


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One thing to tell the person who wrote the policy.

    ``span`` is tight (the word that is wrong), ``context`` the wider block to show around it, ``label`` stands beside
    the underline. ``file`` names a file when there is no span (an unreadable file). ``group`` collects diagnostics that
    the text form may show as one (the same reason on the same firewall); ``subject`` is what is counted then.
    """

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    help: str = ""
    context: Span | None = None
    related: tuple[Related, ...] = ()
    file: str = ""
    group: str = ""
    subject: str = ""
    changed_level: Level | None = None

    @property
    def level(self) -> Level:
        """The level: what the code says, unless something changed it (``--strict``, ``accept``)."""
        return self.changed_level or _LEVELS[self.code[0]]

    def at_level(self, level: Level) -> Diagnostic:
        """The same diagnostic at another level."""
        return replace(self, changed_level=level)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """True if one of the diagnostics is an error."""
    return any(d.level is Level.ERROR for d in diagnostics)


def sort_key(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
    """The order in which diagnostics are shown: by file, place, code."""
    span = diagnostic.span
    if span is None:
        return (diagnostic.file, -1, -1, diagnostic.code, diagnostic.message)
    return (span.source.name, span.start, span.end, diagnostic.code, diagnostic.message)
