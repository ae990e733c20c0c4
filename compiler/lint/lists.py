"""The lists of endpoints of the files as written, and which of their entries the others hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from egressc.anything import ANY
from egressc.flows import boxes
from egressc.flows_blocks import blocks_of
from egressc.flows_index import BlockIndex, uncovered
from egressc.flows_search import witness
from egressc.lint.covers import Others
from egressc.policy import AnyAddressEndpoint, TemplateEndpoint
from egressc.reach import Reach
from egressc.resolve_entries import Entries, identity, is_name
from egressc.resolve_report import Report
from egressc.resolve_sets import Sets
from egressc.services import PortSet
from egressc.syntax import Endpoints, Policy, ServiceTag, Setting, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from egressc.addresses import AddressSet
    from egressc.flows import Box
    from egressc.lint.subject import Subject
    from egressc.policy import Endpoint
    from egressc.resolve_entries import AnyEndpoint, Meaning
    from egressc.resolve_sets import FlatSet
    from egressc.scope import Scope
    from egressc.source import Span
    from egressc.syntax import Entry, File, Value

_A_PORT: Final = PortSet(tcp=((443, 443),))
"""Entries of one list are for the same ports: one stands for all of them."""


@dataclass(frozen=True, slots=True)
class EntryList:
    """A list of two entries or more: of a ``to``, of its exceptions, of a set or of a fallback.

    ``stands_in`` says whether a fallback stands in for the names in the list itself; ``None`` where there can be none.
    """

    entries: tuple[Entry, ...]
    span: Span
    stands_in: bool | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """An entry of a list that others hold, by their numbers.

    ``is_literal`` is false where it must not be removed alone: for the name of a set, for a host with parameters that
    only ``any-address`` holds, and where the sets that stay would then bring their fallback.
    """

    number: int
    by: tuple[int, ...]
    is_literal: bool


class Lists:
    """Answers what the entries of lists stand for."""

    def __init__(self, subject: Subject) -> None:
        report = Report()
        self._scopes = subject.scopes
        self._tags = subject.site.tags
        self._entries = Entries(report)
        self._sets = Sets(subject.scopes, self._entries, report)
        self._known: dict[tuple[int, bool | None, tuple[str, ...]], tuple[Held, ...]] = {}

    def held(self, some: EntryList) -> tuple[Held, ...]:
        """The entries that could all be removed without a loss, given those that stay; by place.

        An entry is needed, too, if without it a fallback would stand in for the names of the others.
        """
        scope = self._scopes[some.span.source]
        texts = tuple([each.span.text for each in some.entries])
        key = (id(scope), some.stands_in, texts)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = () if _is_plain(some.entries) else self._find(some, scope)
        return found

    def meant(self, setting: Setting) -> Iterator[tuple[Entry, tuple[AnyEndpoint, ...]]]:
        """The entries of a ``to``, each with all that it stands for."""
        entries = [value for value in setting.values if isinstance(value, Word | ServiceTag)]
        for meaning, entry in self._entries.meanings(entries, self._scopes[setting.span.source]):
            yield entry, self._sets.flat(meaning).endpoints if isinstance(meaning, Endpoints) else (meaning,)

    def _find(self, some: EntryList, scope: Scope) -> tuple[Held, ...]:
        distinct: dict[object, _Entry] = {}
        for number, entry in enumerate(some.entries):
            for meaning, _ in self._entries.meanings((entry,), scope):
                # The same endpoint twice is reported already.
                distinct.setdefault(identity(meaning), self._entry(number, meaning))
        entries = tuple(distinct.values())
        found = _List(entries).held()
        if found and some.stands_in is not None:
            named = {entry.number for entry in entries if entry.has_names}
            if self._changes(entries, {each.number for each in found}, some.stands_in):
                found = [each for each in found if each.number not in named]
            if self._changes(entries, {each.number for each in found if each.is_literal}, some.stands_in):
                found = [replace(each, is_literal=each.is_literal and each.number not in named) for each in found]
        return tuple(found)

    def _changes(self, entries: Sequence[_Entry], gone: set[int], stands_in: bool) -> bool:  # noqa: FBT001
        """True if something else stands in for the names of the list without some entries."""
        left = [entry for entry in entries if entry.number not in gone]
        return self._fallback(entries, stands_in) != self._fallback(left, stands_in)

    def _fallback(self, entries: Iterable[_Entry], stands_in: bool) -> tuple[Endpoint, ...] | None:  # noqa: FBT001
        """What stands in for the names of the entries; any address for a fallback of the list itself."""
        own = any(entry.has_names and not entry.is_set for entry in entries)
        mine: tuple[Endpoint, ...] | None = () if not own else (AnyAddressEndpoint(),) if stands_in else None
        return self._sets.together([mine, *(entry.fallback for entry in entries if entry.is_set)]) or None

    def _entry(self, number: int, meaning: Meaning) -> _Entry:
        if isinstance(meaning, Endpoints):
            flat = self._sets.flat(meaning)
            return _Entry(number, flat.endpoints, self._tags, flat)
        return _Entry(number, (meaning,), self._tags, None)


class _Entry:
    """An entry with what it stands for. ``templates`` are its hosts that wait for parameters."""

    __slots__ = ("blocks", "boxes", "fallback", "has_names", "is_any", "is_set", "number", "templates")

    def __init__(
        self, number: int, endpoints: Sequence[AnyEndpoint], tags: Mapping[str, AddressSet], flat: FlatSet | None
    ) -> None:
        self.number = number
        self.is_set = flat is not None
        self.fallback = None if flat is None else flat.fallback
        self.has_names = any(is_name(each) for each in endpoints)
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
        """The entries that others hold: first those that one holds, then those that several hold together.

        Of two that hold each other, sets stay, and then the first.
        """
        entries = self._entries
        found = []
        order = sorted(range(len(entries)), key=lambda n: (entries[n].is_set, -n))
        for alone, number in [(True, n) for n in order] + [(False, n) for n in order]:
            by = () if number in self._gone else self._holders(number)
            if by and not (alone and len(by) > 1):
                self._gone.add(number)
                at = tuple([entries[n].number for n in by])
                entry = entries[number]
                literal = not entry.is_set and not (entry.templates and any(n in self._any for n in by))
                found.append(Held(entry.number, at, literal))
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
                yield from _long(item.entries, item.span, stands_in=bool(item.fallbacks))
                for fallback in item.fallbacks:
                    yield from _long(fallback.entries, fallback.span)
            case Policy():
                for setting in (setting for rule in item.rules for setting in rule.settings):
                    if setting.keyword.text == "to":
                        yield from _long(setting.values, setting.span, stands_in=False)
                        yield from _long(setting.exceptions or (), setting.span)
            case _:
                pass


def _long(values: Sequence[Value], span: Span, *, stands_in: bool | None = None) -> Iterator[EntryList]:
    if len(values) > 1:
        yield EntryList(tuple([e for e in values if isinstance(e, Word | ServiceTag)]), span, stands_in)


def _is_plain(entries: Sequence[Entry]) -> bool:
    """True if all entries are names without wildcards: equal ones are reported already, and others hold nothing."""
    return all(
        isinstance(e, Word)
        and "." in e.text
        and not any(mark in e.text for mark in "*/$:")
        and not e.text[-1].isdigit()
        for e in entries
    )
