"""Lists of endpoints: what each word or service tag in them stands for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from egressc.diagnostics import Diagnostic
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint, TemplateEndpoint
from egressc.problems import Problem
from egressc.scope import Kind
from egressc.syntax import Endpoints, Parameter, ServiceTag
from egressc.words import AddressWord, AnyAddressWord, HostWord, SetWord, TemplateWord, endpoint_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.policy import Endpoint
    from egressc.resolve_report import Report
    from egressc.scope import Scope
    from egressc.syntax import Entry, Word

AnyEndpoint = HostEndpoint | AddressEndpoint | AnyAddressEndpoint | TagEndpoint | TemplateEndpoint
"""An endpoint, with parameters or without."""

Meaning = AnyEndpoint | Endpoints
"""What an entry of a list stands for: an endpoint, or another set."""

_ANY_ADDRESS: Final = AnyAddressEndpoint()

_TAG: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")
"""What Azure's published names of service tags look like: ``AzureCloud.westeurope``, ``AzureFrontDoor.Frontend``
(learn.microsoft.com/azure/virtual-network/service-tags-overview, "Available service tags")."""


class Entries:
    """Reads lists of endpoints. Equal endpoints are one shared value, whatever words they were written with."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._known: dict[str, Endpoint] = {}
        self._shared: dict[Endpoint, Endpoint] = {}
        self._tags: dict[str, TagEndpoint] = {}
        self._sort_keys: dict[int, _SortKey] = {}

    def meanings(self, entries: Sequence[Entry], scope: Scope) -> tuple[tuple[Meaning, Entry], ...]:
        """What the entries of a list stand for, each with its place; wrong and repeated ones are reported, left out."""
        if len(entries) == 1:
            meaning = self._meaning(entries[0], scope)
            return () if meaning is None else ((meaning, entries[0]),)
        found: dict[object, tuple[Meaning, Entry]] = {}
        for entry in entries:
            meaning = self._meaning(entry, scope)
            if meaning is None:
                continue
            key = identity(meaning)
            if key in found:
                self._report.repeated(f"`{entry.span.text}`", entry.span, found[key][1].span)
            else:
                found[key] = (meaning, entry)
        return tuple(found.values())

    def _meaning(self, entry: Entry, scope: Scope) -> Meaning | None:
        if isinstance(entry, ServiceTag):
            return self._tag(entry.name)
        known = self._known.get(entry.text)
        if known is not None:
            return known
        match endpoint_word(entry.text):
            case Problem() as problem:
                # A set whose own name is wrong is reported where it is defined.
                misnamed = scope.find(Kind.SET, entry.text)
                if isinstance(misnamed, Endpoints):
                    return misnamed
                self._report.problem(problem, entry.span)
                return None
            case SetWord(name):
                return self._set(name, entry, scope)
            case TemplateWord() as word:
                with_labels = self._parameters(word, entry, scope)
                return None if with_labels is None else TemplateEndpoint(word, entry.span, with_labels)
            case HostWord(pattern, path):
                endpoint: Endpoint = HostEndpoint(pattern, path)
            case AddressWord(addresses):
                endpoint = AddressEndpoint(addresses)
            case AnyAddressWord():
                endpoint = _ANY_ADDRESS
        endpoint = self._known[entry.text] = self._shared.setdefault(endpoint, endpoint)
        return endpoint

    def ordered(self, endpoints: Iterable[AnyEndpoint]) -> tuple[AnyEndpoint, ...]:
        """Endpoints that were read here, each once, in an order that does not depend on where they stood."""
        distinct = {id(e): e for e in endpoints}
        if len(distinct) == 1:
            return tuple(distinct.values())
        keys = self._sort_keys
        keyed = {}
        for number, endpoint in distinct.items():
            key = keys.get(number)
            if key is None:
                key = _sort_key(endpoint)
                if not isinstance(endpoint, TemplateEndpoint):
                    # The others live as long as this object: their numbers stay theirs.
                    keys[number] = key
            keyed[key] = endpoint
        return tuple([keyed[key] for key in sorted(keyed)])

    def _set(self, name: str, entry: Word, scope: Scope) -> Endpoints | None:
        found = scope.find(Kind.SET, name)
        if isinstance(found, Endpoints):
            return found
        unknown = scope.unknown(Kind.SET, name, entry.span)
        if unknown is not None:
            self._report.add(unknown)
        return None

    def _parameters(self, word: TemplateWord, entry: Word, scope: Scope) -> frozenset[str] | None:
        """Those of a host's parameters whose values may hold dots; ``None``, with errors, if one is unknown."""
        whole = True
        with_labels = set()
        for name in word.parameters:
            found = scope.find(Kind.PARAMETER, name)
            if found is None:
                whole = False
                start = word.text.index(f"${{{name}}}")
                unknown = scope.unknown(Kind.PARAMETER, name, entry.span.part(start, start + len(name) + 3))
                if unknown is not None:
                    self._report.add(unknown)
            elif isinstance(found, Parameter) and found.labels:
                with_labels.add(name)
        return frozenset(with_labels) if whole else None

    def _tag(self, word: Word) -> TagEndpoint | None:
        tag = self._tags.get(word.text)
        if tag is None:
            if not _TAG.fullmatch(word.text):
                self._report.add(
                    Diagnostic(
                        code="E0235",
                        message=f"`{word.text}` is not the name of a service tag",
                        span=word.span,
                        label="not a tag",
                        help="write the name as Azure publishes it, such as `AzureMonitor` or `Storage.WestEurope`",
                    ),
                )
                return None
            tag = self._tags[word.text] = TagEndpoint(word.text)
        return tag


_SortKey = tuple[int, tuple[object, ...], str]


def identity(meaning: Meaning) -> object:
    """What tells two entries of one list apart: equal for two spellings of the same endpoint."""
    if isinstance(meaning, TemplateEndpoint):
        return meaning.word
    if isinstance(meaning, Endpoints):
        return id(meaning)
    if isinstance(meaning, TagEndpoint):
        return ("tag", meaning.name.casefold())
    return meaning


def is_name(endpoint: AnyEndpoint) -> bool:
    """True for endpoints that match by name."""
    return isinstance(endpoint, HostEndpoint | TemplateEndpoint)


def path_of(endpoint: AnyEndpoint) -> str | None:
    """The path of an endpoint, if it has one."""
    match endpoint:
        case HostEndpoint(_, path):
            return path
        case TemplateEndpoint(word):
            return word.path
        case _:
            return None


def _sort_key(endpoint: AnyEndpoint) -> _SortKey:
    """A key that differs between endpoints that differ."""
    match endpoint:
        case HostEndpoint(pattern, path):
            return (0, pattern.sort_key, path or "")
        case TemplateEndpoint(word):
            return (1, (word.text,), "")
        case AddressEndpoint(addresses):
            return (2, (not addresses.v4, addresses.v4, addresses.v6), "")
        case AnyAddressEndpoint():
            return (3, (), "")
        case TagEndpoint(name):
            return (4, (name.casefold(),), name)
