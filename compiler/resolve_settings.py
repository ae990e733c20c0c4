"""The settings of policies and rules: what each says, and that it says it once."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from egressc.anything import ANY, Anything
from egressc.diagnostics import Diagnostic, Related
from egressc.names import name_word
from egressc.policy import GroupName
from egressc.problems import Problem
from egressc.scope import Kind, without_slips
from egressc.syntax import Text
from egressc.words import date_word, port_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from egressc.parse_shape import Block
    from egressc.policy import Account
    from egressc.resolve_report import Report
    from egressc.scope import Scope
    from egressc.services import Service
    from egressc.source import Span
    from egressc.syntax import Setting, Word

Settings = dict[str, "Setting"]
"""The settings of one block by their keyword."""

_ANY_GROUP = "any-group"
_LISTS = frozenset({"from", "as", "to", "ports"})


class SettingsReader:
    """Reads settings; what is wrong is reported and left out."""

    def __init__(self, accounts: Mapping[str, Account], report: Report) -> None:
        self._accounts = accounts
        self._report = report
        self._services: dict[tuple[str, ...], tuple[Service, ...]] = {}
        self._known_accounts: dict[tuple[int, tuple[str, ...]], tuple[Account, ...]] = {}

    def once(self, settings: Iterable[Setting]) -> Settings:
        """The settings by keyword; of two that say the same the first, and an error that shows both."""
        held: Settings = {}
        for setting in settings:
            keyword = setting.keyword
            first = held.setdefault(keyword.text, setting)
            if first is not setting:
                self._report.add(
                    Diagnostic(
                        code="E0221",
                        message=f"`{keyword.text}` stands twice in one block",
                        span=keyword.span,
                        label="the second",
                        help=f"put both lists into one `{keyword.text}`"
                        if keyword.text in _LISTS
                        else "remove one of the two",
                        related=(Related(span=first.keyword.span, text="the first"),),
                    ),
                )
        return held

    def groups(self, setting: Setting | None) -> tuple[GroupName, ...] | Anything | None:
        """What ``from`` says: group names in their order; ``None`` if it is not there, empty if all of it was wrong."""
        if setting is None:
            return None
        words = _words(setting)
        if self._says_any_group(words, setting):
            return ANY
        found: dict[str, Span] = {}
        for word in words:
            name = name_word(word.text)
            if isinstance(name, Problem):
                self._report.problem(name, word.span)
            elif name in found:
                self._report.repeated(f"`{name}`", word.span, found[name])
            else:
                found[name] = word.span
        return tuple(GroupName(name, found[name]) for name in sorted(found))

    def accounts(self, setting: Setting | None, scope: Scope, block: Block) -> tuple[Account, ...] | None:
        """What ``as`` says in a block: accounts in the order of their names; ``None`` and empty as for ``groups``."""
        if setting is None:
            return None
        words = _words(setting)
        key = (id(scope), tuple([word.text for word in words]))
        known = self._known_accounts.get(key)
        if known is not None:
            return known
        found: dict[str, Span] = {}
        before = len(self._report.diagnostics)
        kept, slips = without_slips(words, Kind.ACCOUNT, scope, block)
        self._report.diagnostics += slips
        for word in cast("Sequence[Word]", kept):
            if scope.find(Kind.ACCOUNT, word.text) is None:
                name = name_word(word.text)
                if isinstance(name, Problem):
                    self._report.problem(name, word.span)
                    continue
                unknown = scope.unknown(Kind.ACCOUNT, name, word.span)
                if unknown is not None:
                    self._report.add(unknown)
            elif word.text in found:
                self._report.repeated(f"`{word.text}`", word.span, found[word.text])
            else:
                found[word.text] = word.span
        accounts = tuple([self._accounts[name] for name in sorted(found)])
        if len(self._report.diagnostics) == before:
            self._known_accounts[key] = accounts
        return accounts

    def services(self, setting: Setting) -> tuple[tuple[Service, ...], bool]:
        """What ``ports`` says, in a fixed order, and whether all of it was right."""
        words = _words(setting)
        key = tuple([word.text for word in words])
        known = self._services.get(key)
        if known is not None:
            return known, True
        found: dict[Service, Span] = {}
        clean = right = True
        for word in words:
            service = port_word(word.text)
            if isinstance(service, Problem):
                self._report.problem(service, word.span)
                right = False
            elif service in found:
                self._report.repeated(f"`{service.text}`", word.span, found[service])
                clean = False
            else:
                found[service] = word.span
        services = tuple(sorted(found, key=lambda s: s.sort_key))
        if clean and right:
            self._services[key] = services
        return services, right

    def date(self, setting: Setting | None) -> date | None:
        """The day that ``expires`` or ``review-by`` says."""
        if setting is None:
            return None
        word = _words(setting)[0]
        day = date_word(word.text)
        if isinstance(day, Problem):
            self._report.problem(day, word.span)
            return None
        return day

    def feature(self, setting: Setting | None) -> tuple[str, Span] | None:
        """The name that ``feature`` says, and its place."""
        if setting is None:
            return None
        word = _words(setting)[0]
        name = name_word(word.text)
        if isinstance(name, Problem):
            self._report.problem(name, word.span)
            return None
        return name, word.span

    def _says_any_group(self, words: Sequence[Word], setting: Setting) -> bool:
        place = next((word for word in words if word.text == _ANY_GROUP), None)
        if place is None:
            return False
        if any(word.text != _ANY_GROUP for word in words):
            self._report.add(
                Diagnostic(
                    code="E0229",
                    message="`any-group` stands beside other groups",
                    span=place.span,
                    label="takes in every group already",
                    help="write `from any-group` alone, or the groups alone",
                    context=setting.span,
                ),
            )
        for word in words:
            if word.text == _ANY_GROUP and word is not place:
                self._report.repeated("`any-group`", word.span, place.span)
        return True


def text_of(setting: Setting | None) -> str:
    """The string of ``owner``, ``reference`` or ``ticket``; empty if it is not there."""
    if setting is None:
        return ""
    value = setting.values[0]
    return value.value if isinstance(value, Text) else ""


def logs(setting: Setting | None) -> bool | None:
    """What ``log`` says: true, false with ``off``, ``None`` if it is not there."""
    return None if setting is None else not setting.values


def _words(setting: Setting) -> tuple[Word, ...]:
    """The values of a setting that takes words only: the parser has seen to that (the table at ``Setting``)."""
    return cast("tuple[Word, ...]", setting.values)
