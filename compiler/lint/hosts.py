"""The hosts that rules name, with the words that name them: what the lint rules about hosts look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from egressc.policy import Action
from egressc.scope import Kind
from egressc.services import Service
from egressc.syntax import Endpoints, Text, Word
from egressc.templates import HostWord, TemplateWord
from egressc.words import SetWord, endpoint_word, port_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from egressc.hosts import HostPattern
    from egressc.lint.subject import Subject, Written
    from egressc.source import Source, Span
    from egressc.syntax import Policy, Rule, Setting


_SHOWN: Final = 3
"""So many hosts are named in a sentence; of more, how many there are."""


class Named(NamedTuple):
    """A word that names hosts, and the hosts."""

    word: Word
    host: HostWord | TemplateWord


class PortWord(NamedTuple):
    """A word under ``ports``, and its ports."""

    span: Span
    service: Service


def rules_to_mend(subject: Subject) -> tuple[Written, ...]:
    """The rules in effect, wherever they stand, and all rules of the files that the PATHs stand for.

    So a library can be read by itself, and a template that nobody includes is read in the files of its own. Expired
    allows are left out: they are told as such.
    """
    compiled = {file.source for file in subject.files}
    in_effect = {rule.span for rule in subject.policy.rules}
    over = expired(subject)
    return tuple(
        [
            written
            for span, written in subject.written.items()
            if (span.source in compiled or span in in_effect) and span not in over
        ]
    )


def expired(subject: Subject) -> frozenset[Span]:
    """The allows that have ended."""
    return frozenset(
        [
            rule.span
            for rule in subject.policy.rules
            if rule.action is Action.ALLOW and rule.expires is not None and rule.expires < subject.as_of
        ]
    )


class Destination(NamedTuple):
    """The hosts under ``to`` of a rule: its own words, those of its sets, and what it excepts.

    ``shared`` is one value for all rules of a file that name the same sets.
    """

    own: tuple[Named, ...]
    shared: tuple[Named, ...]
    exceptions: tuple[HostPattern, ...]


class Hosts:
    """The rules of a subject that somebody may have to mend, and the hosts that they name."""

    def __init__(self, subject: Subject) -> None:
        self._scopes = subject.scopes
        self._read_before: dict[int, Destination] = {}
        self._sets: dict[tuple[Source, tuple[str, ...]], tuple[Named, ...]] = {}
        self.rules = rules_to_mend(subject)

    def of(self, written: Written) -> Destination:
        """What the rule is for."""
        found = self._read_before.get(id(written.rule))
        if found is None:
            found = self._read_before[id(written.rule)] = self._destination(written)
        return found

    def _destination(self, written: Written) -> Destination:
        to = _setting(written, "to")
        own, shared = self._read(to.span.source, to.values)
        excepted = [named for part in self._read(to.span.source, to.exceptions or ()) for named in part]
        hosts = [named.host for named in excepted]
        return Destination(own, shared, tuple([h.pattern for h in hosts if isinstance(h, HostWord) and not h.path]))

    def _read(self, source: Source, entries: Iterable[object]) -> tuple[tuple[Named, ...], tuple[Named, ...]]:
        own: list[Named] = []
        sets: list[str] = []
        for entry in entries:
            if not isinstance(entry, Word):
                continue
            meaning = endpoint_word(entry.text)
            if isinstance(meaning, HostWord | TemplateWord):
                own.append(Named(entry, meaning))
            elif isinstance(meaning, SetWord):
                sets.append(meaning.name)
        key = (source, tuple(sets))
        shared = self._sets.get(key)
        if shared is None:
            shared = self._sets[key] = tuple(self._of_sets(source, sets))
        return tuple(own), shared

    def _of_sets(self, source: Source, names: Iterable[str]) -> Iterator[Named]:
        """The words in the sets, and in the sets of the sets, each set once."""
        waiting = [self._scopes[source].find(Kind.SET, name) for name in names]
        seen: set[int] = set()
        for node in waiting:  # grows while it is gone through
            if not isinstance(node, Endpoints) or id(node) in seen:
                continue
            seen.add(id(node))
            for entry in node.entries:
                meaning = endpoint_word(entry.text) if isinstance(entry, Word) else None
                if isinstance(entry, Word) and isinstance(meaning, HostWord | TemplateWord):
                    yield Named(entry, meaning)
                elif isinstance(meaning, SetWord):
                    waiting.append(self._scopes[node.name.span.source].find(Kind.SET, meaning.name))


def listed(names: Sequence[str]) -> str:
    """Names of hosts in a sentence: ``a``, ``a and b``, ``a, b, c and 2 more``."""
    marked = [f"`{name}`" for name in dict.fromkeys(names)]
    shown, more = marked[:_SHOWN], len(marked) - _SHOWN
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def ports_of(written: Written) -> list[PortWord]:
    """The words under ``ports`` of a rule."""
    words = _setting(written, "ports").values
    read = [(word.span, port_word(word.text)) for word in words if isinstance(word, Word)]
    return [PortWord(span, service) for span, service in read if isinstance(service, Service)]


def _setting(written: Written, keyword: str) -> Setting:
    found = setting_of(written.rule, keyword)
    assert found is not None, "`to` and `ports` are required, and this policy has no errors"
    return found


def setting_of(node: Rule | Policy, keyword: str) -> Setting | None:
    """The setting of a rule or a policy with that keyword."""
    return next((setting for setting in node.settings if setting.keyword.text == keyword), None)


def text_of(node: Rule | Policy, keyword: str) -> str:
    """What a setting of a rule or a policy says, without white space around it; empty where it is missing."""
    setting = setting_of(node, keyword)
    value = setting.values[0] if setting is not None else None
    return value.value.strip() if isinstance(value, Text) else ""
