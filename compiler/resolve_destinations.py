"""The ``to`` of a rule. Rules that name the same endpoints share one value: policies repeat themselves a great deal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from egressc.diagnostics import Diagnostic
from egressc.parse_shape import RULE
from egressc.policy import Destinations
from egressc.quick_init import quick_init
from egressc.resolve_entries import is_name, path_of
from egressc.resolve_exceptions import removes_everything, removing_nothing
from egressc.scope import Kind, without_slips
from egressc.syntax import Endpoints, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.resolve_entries import AnyEndpoint, Entries, Meaning
    from egressc.resolve_report import Report
    from egressc.resolve_sets import Sets
    from egressc.scope import Scope
    from egressc.syntax import Entry, Setting


_Key = tuple[int, tuple[str, ...], tuple[str, ...]]
"""A file's scope, and the words of the list and of its exceptions."""


@quick_init
@dataclass(frozen=True, slots=True, eq=False)
class To:
    """What a ``to`` setting says, and its first endpoint with a path, if any has one.

    ``is_whole`` is false when something in it was wrong and is reported.
    """

    destinations: Destinations
    with_path: AnyEndpoint | None
    is_whole: bool


class ToReader:
    """Reads ``to`` settings."""

    def __init__(self, entries: Entries, sets: Sets, report: Report) -> None:
        self._entries = entries
        self._sets = sets
        self._report = report
        self._known: dict[_Key, To] = {}

    def read(self, setting: Setting, scope: Scope) -> To:
        """What a ``to`` setting means in a file."""
        words = cast("tuple[Entry, ...]", setting.values)
        key = (id(scope), _texts(words), _texts(setting.exceptions or ()))
        known = self._known.get(key)
        if known is not None:
            return known
        before = len(self._report.diagnostics)
        to = self._read(setting, words, scope)
        # A template in the list itself carries its own place, which no other rule may take.
        placed = any("${" in text for text in (*key[1], *key[2]))
        if len(self._report.diagnostics) == before and to.is_whole and not placed:
            self._known[key] = to
        return to

    def _read(self, setting: Setting, words: Sequence[Entry], scope: Scope) -> To:
        kept, slips = without_slips(words, Kind.SET, scope, RULE)
        meanings = self._entries.meanings(kept, scope)
        to = self._together(meanings)
        if setting.exceptions is None:
            self._report.diagnostics += slips
            return replace(to, is_whole=to.is_whole and len(meanings) == len(words))
        kept, more = without_slips(setting.exceptions, Kind.SET, scope, RULE)
        self._report.diagnostics += (*slips, *more)
        exceptions = self._entries.meanings(kept, scope)
        removed = self._together(exceptions)
        whole = to.is_whole and removed.is_whole
        whole = whole and len(meanings) == len(words) and len(exceptions) == len(setting.exceptions)
        if whole:
            self._check_exceptions(setting, to.destinations.endpoints, exceptions, removed.destinations.endpoints)
        return To(
            replace(to.destinations, exceptions=removed.destinations.endpoints),
            to.with_path or removed.with_path,
            whole,
        )

    def _together(self, meanings: Sequence[tuple[Meaning, Entry]]) -> To:
        """What a list means by itself."""
        own = [m for m, _ in meanings if not isinstance(m, Endpoints)]
        flat = [self._sets.flat(m) for m, _ in meanings if isinstance(m, Endpoints)]
        if not own and len(flat) == 1:
            # The usual case: the set's own value, and no copy of it.
            only = flat[0]
            return To(
                Destinations(endpoints=only.endpoints, fallback=only.fallback or None), only.with_path, only.is_whole
            )
        endpoints = self._entries.ordered([*own, *(e for f in flat for e in f.endpoints)])
        fallback = None if any(map(is_name, own)) else self._sets.together(f.fallback for f in flat) or None
        with_path = next(filter(path_of, own), None) or next((f.with_path for f in flat if f.with_path), None)
        return To(Destinations(endpoints=endpoints, fallback=fallback), with_path, all(f.is_whole for f in flat))

    def _check_exceptions(
        self,
        setting: Setting,
        endpoints: tuple[AnyEndpoint, ...],
        exceptions: Sequence[tuple[Meaning, Entry]],
        removed: tuple[AnyEndpoint, ...],
    ) -> None:
        entries = setting.exceptions or ()
        if removes_everything(endpoints, removed):
            self._report.add(
                Diagnostic(
                    code="E0234",
                    message="the exceptions leave nothing of this list",
                    span=entries[0].span.to(entries[-1].span),
                    label="takes away every endpoint before it",
                    help="remove the rule, or except less; an empty list never means any endpoint",
                    context=setting.span,
                ),
            )
            return
        idle = removing_nothing(endpoints, removed)
        for meaning, entry in exceptions if idle else ():
            parts = self._sets.flat(meaning).endpoints if isinstance(meaning, Endpoints) else (meaning,)
            if idle.issuperset(parts):
                self._report.add(
                    Diagnostic(
                        code="W0245",
                        message=f"the exception `{entry.span.text}` takes nothing away",
                        span=entry.span,
                        label="none of the endpoints before it",
                        help="remove it, or correct it: nothing in this list is matched by it",
                        context=setting.span,
                    ),
                )


def _texts(entries: Sequence[Entry]) -> tuple[str, ...]:
    # No word holds white space, so a tag's text is never a word's.
    return tuple([e.text if isinstance(e, Word) else f"service-tag {e.name.text}" for e in entries])
