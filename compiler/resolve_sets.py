"""Endpoint sets: each is flattened once, through the sets that it names, and shared by everything that names it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic, Related
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, TagEndpoint, TemplateEndpoint
from egressc.resolve_entries import is_name, path_of
from egressc.syntax import Endpoints

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from egressc.policy import Endpoint
    from egressc.resolve_entries import AnyEndpoint, Entries, Meaning
    from egressc.resolve_report import Report
    from egressc.scope import Scope
    from egressc.source import Source
    from egressc.syntax import Entry, Fallback


@dataclass(frozen=True, slots=True, eq=False)
class FlatSet:
    """An endpoint set without other sets in it. ``with_path`` is its first endpoint with a path, if any has one.

    ``fallback`` stands in for its names: the fallbacks of all sets that contribute names themselves, ``None`` if one of
    them lacks it, empty if there are no names. ``is_whole`` is false when something in it was wrong and is reported, so
    that nobody may draw conclusions from what it lacks.
    """

    endpoints: tuple[AnyEndpoint, ...]
    fallback: tuple[Endpoint, ...] | None
    with_path: AnyEndpoint | None
    is_whole: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """A set as it stands in its file."""

    node: Endpoints
    endpoints: tuple[AnyEndpoint, ...]
    sets: tuple[tuple[Endpoints, Entry], ...]
    fallback: tuple[Endpoint, ...] | None
    is_whole: bool


class Sets:
    """The endpoint sets of a project. ``scopes`` finds the names that a file sees by its source."""

    def __init__(self, scopes: Mapping[Source, Scope], entries: Entries, report: Report) -> None:
        self._scopes = scopes
        self._entries = entries
        self._report = report
        self._read: dict[int, _Read] = {}
        self._flat: dict[int, FlatSet] = {}

    def flat(self, node: Endpoints) -> FlatSet:
        """The flattened set. Every set below it is flattened first, without recursion: chains may be long."""
        found = self._flat.get(id(node))
        if found is not None:
            return found
        path: list[_Read] = []
        open_: dict[int, int] = {}
        cut: set[int] = set()
        waiting: list[tuple[Endpoints, Entry | None]] = [(node, None)]
        while waiting:
            current, _ = waiting[-1]
            if id(current) in self._flat:
                waiting.pop()
            elif id(current) in open_:
                waiting.pop()
                if path and path[-1].node is current:
                    read = path.pop()
                    del open_[id(current)]
                    self._flat[id(current)] = self._flattened(read, whole=id(current) not in cut)
            else:
                read = self._as_written(current)
                open_[id(current)] = len(path)
                path.append(read)
                for inner, entry in reversed(read.sets):
                    if id(inner) in open_:
                        circle = path[open_[id(inner)] :]
                        cut.update(id(r.node) for r in circle)
                        self._report.add(_circle(circle, entry))
                    else:
                        waiting.append((inner, entry))
        return self._flat[id(node)]

    def together(self, fallbacks: Iterable[tuple[Endpoint, ...] | None]) -> tuple[Endpoint, ...] | None:
        """All of these fallbacks; ``None`` if one is ``None``: names without a fallback have none."""
        held: list[tuple[Endpoint, ...]] = []
        for fallback in fallbacks:
            if fallback is None:
                return None
            if fallback and fallback not in held:
                held.append(fallback)
        if len(held) == 1:
            return held[0]
        endpoints = self._entries.ordered(e for fallback in held for e in fallback)
        return tuple([e for e in endpoints if not isinstance(e, TemplateEndpoint)])

    def _as_written(self, node: Endpoints) -> _Read:
        scope = self._scopes[node.name.span.source]
        meanings = self._entries.meanings(node.entries, scope)
        endpoints = tuple(m for m, _ in meanings if not isinstance(m, Endpoints))
        sets = tuple((m, entry) for m, entry in meanings if isinstance(m, Endpoints))
        if not node.entries and not node.damaged:
            self._report.add(
                Diagnostic(
                    code="E0217",
                    message=f"the endpoint set `{node.name.text}` is empty",
                    span=node.name.span,
                    label="holds no endpoint",
                    help="write at least one endpoint into it, or remove it; an empty set never means any endpoint",
                    context=node.span,
                ),
            )
        whole = bool(node.entries) and len(meanings) == len(node.entries) and not node.damaged
        for extra in node.fallbacks[1:]:
            self._report.add(_second_fallback(extra, node.fallbacks[0]))
        fallback = self._fallback(node.fallbacks[0], scope) if node.fallbacks else None
        if node.fallbacks and whole and not any(is_name(e) for e in endpoints):
            self._report.add(_useless_fallback(node, node.fallbacks[0]))
        return _Read(node, endpoints, sets, fallback, whole)

    def _fallback(self, node: Fallback, scope: Scope) -> tuple[Endpoint, ...] | None:
        if not node.entries and not node.damaged:
            self._report.add(
                Diagnostic(
                    code="E0219",
                    message="a fallback is empty",
                    span=node.span,
                    label="holds no address and no tag",
                    help="write addresses or service tags into it, or remove it",
                ),
            )
        kept: list[Endpoint] = []
        for meaning, entry in self._entries.meanings(node.entries, scope):
            if isinstance(meaning, AddressEndpoint | AnyAddressEndpoint | TagEndpoint):
                kept.append(meaning)
            else:
                self._report.add(_name_in_fallback(meaning, entry))
        return self.together([tuple(kept)]) or None

    def _flattened(self, read: _Read, *, whole: bool) -> FlatSet:
        inner = [self._flat[id(node)] for node, _ in read.sets if id(node) in self._flat]
        if not read.endpoints and len(inner) == 1:
            only = inner[0]
            if only.is_whole and whole and read.is_whole:
                return only
            return replace(only, is_whole=False)
        endpoints = self._entries.ordered([*read.endpoints, *(e for flat in inner for e in flat.endpoints)])
        own = read.fallback if any(is_name(e) for e in read.endpoints) else ()
        return FlatSet(
            endpoints=endpoints,
            fallback=self.together([own, *(flat.fallback for flat in inner)]),
            with_path=next(filter(path_of, endpoints), None),
            is_whole=whole and read.is_whole and all(flat.is_whole for flat in inner),
        )


def _circle(circle: list[_Read], entry: Entry) -> Diagnostic:
    names = [read.node.name.text for read in circle]
    chain = " → ".join(f"`{name}`" for name in [*names, names[0]])
    alone = len(circle) == 1
    return Diagnostic(
        code="E0216",
        message=f"the endpoint set `{names[0]}` names itself" if alone else f"endpoint sets name each other: {chain}",
        span=entry.span,
        label="itself" if alone else "closes the circle",
        help="remove one of these names",
        related=()
        if alone
        else tuple(
            Related(span=read.node.name.span, text=f"`{read.node.name.text}`, a part of the circle") for read in circle
        ),
    )


def _second_fallback(extra: Fallback, first: Fallback) -> Diagnostic:
    keyword = len("fallback")
    return Diagnostic(
        code="E0221",
        message="`fallback` stands twice in one block",
        span=extra.span.part(0, keyword),
        label="the second",
        help="put both lists into one `fallback`",
        related=(Related(span=first.span.part(0, keyword), text="the first"),),
    )


def _useless_fallback(node: Endpoints, fallback: Fallback) -> Diagnostic:
    return Diagnostic(
        code="W0244",
        message=f"the fallback of `{node.name.text}` stands in for nothing",
        span=fallback.span.part(0, len("fallback")),
        label="the set holds no names of its own",
        help="move it to the set that holds the names: a fallback does not count for sets that this one names",
    )


def _name_in_fallback(meaning: Meaning, entry: Entry) -> Diagnostic:
    is_set = isinstance(meaning, Endpoints)
    return Diagnostic(
        code="E0218",
        message=f"a fallback cannot hold {'the set' if is_set else 'the host'} `{entry.span.text}`",
        span=entry.span,
        label="neither an address nor a service tag",
        help="a fallback stands in for names where none can be matched: write addresses and service tags",
    )
