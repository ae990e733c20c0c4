"""The lists of endpoints of the files as written, and which of their entries the others hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from egressc.anything import ANY
from egressc.flows import boxes
from egressc.flows_blocks import blocks_of
from egressc.flows_index import BlockIndex, uncovered
from egressc.flows_search import witness
from egressc.lint.covers import Others
from egressc.policy import AnyAddressEndpoint, TemplateEndpoint
from egressc.reach import Reach
from egressc.resolve_entries import Entries, identity
from egressc.resolve_report import Report
from egressc.resolve_sets import Sets
from egressc.services import PortSet
from egressc.syntax import Endpoints, Policy, ServiceTag, Setting, Word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from egressc.addresses import AddressSet
    from egressc.flows import Box
    from egressc.lint.subject import Subject
    from egressc.resolve_entries import AnyEndpoint, Meaning
    from egressc.scope import Scope
    from egressc.source import Span
    from egressc.syntax import Entry, File

_A_PORT: Final = PortSet(tcp=((443, 443),))
"""Entries of one list are for the same ports: one stands for all of them."""


@dataclass(frozen=True, slots=True)
class EntryList:
    """A list of two entries or more: of a ``to``, of its exceptions, of a set or of a fallback."""

    entries: tuple[Entry, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Held:
    """An entry of a list that others hold, by their numbers. ``is_set`` says that it names an endpoint set."""

    number: int
    by: tuple[int, ...]
    is_set: bool


class Lists:
    """Answers what the entries of lists stand for."""

    def __init__(self, subject: Subject) -> None:
        report = Report()
        self._scopes = subject.scopes
        self._tags = subject.site.tags
        self._entries = Entries(report)
        self._sets = Sets(subject.scopes, self._entries, report)
        self._known: dict[tuple[int, tuple[str, ...]], tuple[Held, ...]] = {}

    def held(self, some: EntryList) -> tuple[Held, ...]:
        """The entries that could all be removed without a loss, given those that stay; by place."""
        scope = self._scopes[some.span.source]
        texts = tuple([each.span.text for each in some.entries])
        key = (id(scope), texts)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = () if _is_plain(some.entries) else self._find(some.entries, scope)
        return found

    def meant(self, setting: Setting) -> Iterator[tuple[Entry, tuple[AnyEndpoint, ...]]]:
        """The entries of a ``to``, each with all that it stands for."""
        entries = [value for value in setting.values if isinstance(value, Word | ServiceTag)]
        for meaning, entry in self._entries.meanings(entries, self._scopes[setting.span.source]):
            yield entry, self._sets.flat(meaning).endpoints if isinstance(meaning, Endpoints) else (meaning,)

    def _find(self, entries: Sequence[Entry], scope: Scope) -> tuple[Held, ...]:
        distinct: dict[object, _Entry] = {}
        for number, entry in enumerate(entries):
            for meaning, _ in self._entries.meanings((entry,), scope):
                # The same endpoint twice is reported already.
                distinct.setdefault(identity(meaning), self._entry(number, meaning))
        return tuple(_List(tuple(distinct.values())).held())

    def _entry(self, number: int, meaning: Meaning) -> _Entry:
        if isinstance(meaning, Endpoints):
            return _Entry(number, self._sets.flat(meaning).endpoints, self._tags, is_set=True)
        return _Entry(number, (meaning,), self._tags, is_set=False)


class _Entry:
    """An entry with what it stands for. ``templates`` are its hosts that wait for parameters."""

    __slots__ = ("blocks", "boxes", "is_any", "is_set", "number", "templates")

    def __init__(
        self, number: int, endpoints: Sequence[AnyEndpoint], tags: Mapping[str, AddressSet], *, is_set: bool
    ) -> None:
        self.number = number
        self.is_set = is_set
        self.templates = frozenset(identity(e) for e in endpoints if isinstance(e, TemplateEndpoint))
        plain = tuple([e for e in endpoints if not isinstance(e, TemplateEndpoint)])
        self.is_any = any(isinstance(e, AnyAddressEndpoint) for e in plain)
        reach = Reach(ANY, ANY, plain, (), _A_PORT)
        self.blocks = tuple(blocks_of(reach, tags))
        self.boxes: tuple[Box, ...] = tuple(boxes(reach, tags))


class _List:
    """The entries of one list."""

    def __init__(self, entries: Sequence[_Entry]) -> None:
        self._entries = entries
        self._index = BlockIndex([e.blocks for e in entries])
        self._with: dict[object, list[int]] = {}
        for number, entry in enumerate(entries):
            for template in entry.templates:
                self._with.setdefault(template, []).append(number)
        self._any = [number for number, entry in enumerate(entries) if entry.is_any]
        self._gone: set[int] = set()

    def held(self) -> list[Held]:
        """The entries that others hold; of two that hold each other, sets stay and then the first."""
        entries = self._entries
        found = []
        for number in sorted(range(len(entries)), key=lambda n: (entries[n].is_set, -n)):
            by = self._holders(number)
            if by:
                self._gone.add(number)
                at = tuple([entries[n].number for n in by])
                found.append(Held(entries[number].number, at, entries[number].is_set))
        return sorted(found, key=lambda each: each.number)

    def _holders(self, number: int) -> tuple[int, ...]:
        entry = self._entries[number]
        others: dict[int, None] = {}
        for template in entry.templates:
            by = next((n for n in (*self._with[template], *self._any) if self._counts(number, n)), None)
            if by is None:
                return ()
            others[by] = None
        if entry.boxes:
            if uncovered(entry.boxes, (), [Others(self._index, lambda n: self._counts(number, n))]) is not None:
                return ()
            others.update(dict.fromkeys(self._few(number)))
        return tuple(sorted(others))

    def _few(self, number: int) -> list[int]:
        """One entry that holds the whole entry, or else all that may hold a part of it."""
        mine = self._entries[number].boxes
        near = [n for n in self._index.near(mine) if self._counts(number, n)]
        alone = (n for n in near if witness(mine, self._index.boxes_of(n)) is None)
        one = next(alone, None)
        return near if one is None else [one]

    def _counts(self, number: int, other: int) -> bool:
        return other != number and other not in self._gone


def lists_of(file: File) -> Iterator[EntryList]:
    """The lists of a file with two entries or more."""
    for item in file.items:
        match item:
            case Endpoints():
                found: list[tuple[Sequence[object], Span]] = [(item.entries, item.span)]
                found.extend((fallback.entries, fallback.span) for fallback in item.fallbacks)
            case Policy():
                found = []
                for rule in item.rules:
                    for setting in rule.settings:
                        if setting.keyword.text == "to":
                            found += _of_setting(setting)
            case _:
                continue
        for entries, span in found:
            if len(entries) > 1:
                yield EntryList(tuple([e for e in entries if isinstance(e, Word | ServiceTag)]), span)


def _of_setting(setting: Setting) -> list[tuple[Sequence[object], Span]]:
    return [(setting.values, setting.span), (setting.exceptions or (), setting.span)]


def _is_plain(entries: Sequence[Entry]) -> bool:
    """True if all entries are names without wildcards: equal ones are reported already, and others hold nothing."""
    return all(
        isinstance(e, Word)
        and "." in e.text
        and not any(mark in e.text for mark in "*/$:")
        and not e.text[-1].isdigit()
        for e in entries
    )
