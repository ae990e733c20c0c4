"""Builds the nodes of the syntax tree from what the grammar's rules consist of.

The methods of ``Builder`` bear the names of the grammar's rules and terminals, as lark wants them, and run while the
parser reduces: no tree of another kind ever exists. The functions below it put a block together from its head and its
members; the recovery from mistakes calls them too.
"""

from __future__ import annotations

from dataclasses import dataclass
from sys import intern
from typing import TYPE_CHECKING, Final, Literal, Protocol, cast

from egressc.keywords import RESERVED
from egressc.quick_init import quick_init
from egressc.source import Source, Span
from egressc.syntax import (
    Binding,
    Endpoints,
    Entry,
    Fallback,
    File,
    Import,
    Include,
    Item,
    Parameter,
    Policy,
    Rule,
    ServiceAccount,
    ServiceTag,
    Setting,
    Text,
    Value,
    Word,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KEYWORD_TERMINALS: Final = {word: word.upper().replace("-", "_") for word in sorted(RESERVED)}
"""The grammar's terminal for each reserved word."""


class Lexeme(Protocol):
    """A token as lark makes it: its text, and the offsets at which it begins and ends."""

    value: str
    start_pos: int
    end_pos: int


@quick_init
@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the brace of a block. A fallback's name is its keyword.

    ``unnamed`` says that the name is made up, in the place of one that is missing.
    """

    keyword: Word
    name: Word
    description: Text | None
    template: bool
    unnamed: bool = False


@dataclass(frozen=True, slots=True)
class Exceptions:
    """The ``except`` list of a ``to``."""

    entries: tuple[Entry, ...]


Member = Entry | Fallback | Binding | Setting | Include | Rule
"""What can stand in a block."""


class Builder:
    """One method for each rule of the grammar; ``source`` is the source that is being read."""

    source: Source

    def __init__(self) -> None:
        for terminal in KEYWORD_TERMINALS.values():
            setattr(self, terminal, self.WORD)

    def WORD(self, token: Lexeme) -> Word:  # noqa: N802 - lark looks for the terminal's name
        """The word of a token. Texts are shared: a policy of many rules says the same words over and over."""
        return Word(text=intern(token.value), span=Span(self.source, token.start_pos, token.end_pos))

    def TEXT(self, token: Lexeme) -> Text:  # noqa: N802 - lark looks for the terminal's name
        """The string of a token, without its quotes."""
        value = token.value[1:-1]
        if '"' in value:
            value = value.replace('""', '"')
        return Text(value=value, span=Span(self.source, token.start_pos, token.end_pos))

    def file(self, items: list[Item]) -> File:
        """The whole file."""
        return make_file(self.source, items)

    def import_(self, parts: tuple[Word, Text]) -> Import:
        """An import."""
        keyword, path = parts
        return Import(path=path, span=keyword.span.to(path.span))

    def parameter(self, parts: list[Word | Text]) -> Parameter:
        """A parameter, from its keyword, its name, and perhaps ``labels`` and a description."""
        last = parts[-1]
        return Parameter(
            name=cast("Word", parts[1]),
            labels=len(parts) > 2 and isinstance(parts[2], Word),
            description=last if isinstance(last, Text) else None,
            span=parts[0].span.to(last.span),
        )

    def head(self, parts: list[Word | Text]) -> Head:
        """A head, from everything before the brace."""
        template = parts[0].span.end - parts[0].span.start == 8 and cast("Word", parts[0]).text == "template"
        names = cast("list[Word]", parts[2:] if template else parts[1:] or parts)
        description = cast("Text", parts[-1]) if len(names) > 1 else None
        return Head(cast("Word", parts[0]), names[0], description, template)

    endpoints_head = fallback_head = service_account_head = policy_head = rule_head = head

    def service_tag(self, parts: tuple[Word, Word]) -> ServiceTag:
        """A service tag as an endpoint."""
        keyword, name = parts
        return ServiceTag(name=name, span=keyword.span.to(name.span))

    def entries(self, parts: list[Entry]) -> tuple[Entry, ...]:
        """A list of endpoints."""
        return tuple(parts)

    def exceptions(self, parts: list[Entry]) -> Exceptions:
        """An ``except`` list, from its keyword and its endpoints."""
        return Exceptions(tuple(parts[1:]))

    def binding(self, parts: list[Word | Text]) -> Binding:
        """What an account is called on one platform."""
        return Binding(kind=cast("Word", parts[0]), values=tuple(parts[1:]), span=parts[0].span.to(parts[-1].span))

    def setting(self, parts: list[Value | Exceptions]) -> Setting:
        """A setting, from its keyword and everything up to the next statement."""
        keyword = cast("Word", parts[0])
        last = parts[-1]
        if isinstance(last, Exceptions):
            values = cast("tuple[Value, ...]", tuple(parts[1:-1]))
            span = keyword.span.to(last.entries[-1].span)
            return Setting(keyword=keyword, values=values, exceptions=last.entries, span=span)
        values = cast("tuple[Value, ...]", tuple(parts[1:]))
        return Setting(keyword=keyword, values=values, span=keyword.span.to(last.span))

    policy_setting = rule_setting = setting

    def include(self, parts: tuple[Word, Word]) -> Include:
        """An include."""
        keyword, name = parts
        return Include(name=name, span=keyword.span.to(name.span))

    def endpoints(self, parts: list[Head | Lexeme | Entry | Fallback]) -> Endpoints:
        """An endpoint set, from its head, a brace, its members and a brace."""
        return make_endpoints(*_block(parts))

    def fallback(self, parts: list[Head | Lexeme | Entry]) -> Fallback:
        """A fallback, from its head, a brace, its members and a brace."""
        return make_fallback(*_block(parts))

    def service_account(self, parts: list[Head | Lexeme | Binding]) -> ServiceAccount:
        """A service account, from its head, a brace, its members and a brace."""
        return make_service_account(*_block(parts))

    def policy(self, parts: list[Head | Lexeme | Setting | Include | Rule]) -> Policy:
        """A policy, from its head, a brace, its members and a brace."""
        return make_policy(*_block(parts))

    def rule(self, parts: list[Head | Lexeme | Setting]) -> Rule:
        """A rule, from its head, a brace, its members and a brace."""
        return make_rule(*_block(parts))


# The rule of the grammar is called what Python does not let a method be called.
setattr(Builder, "import", Builder.import_)


def _block(parts: Sequence[Head | Lexeme | Member]) -> tuple[Head, Sequence[Member], int]:
    """The head, the members and the end of a block."""
    return cast("Head", parts[0]), cast("Sequence[Member]", parts[2:-1]), cast("Lexeme", parts[-1]).end_pos


def _span(head: Head, end: int) -> Span:
    start = head.keyword.span
    return Span(start.source, start.start, end)


def make_file(source: Source, items: Sequence[Item], *, damaged: bool = False) -> File:
    """The file of these items."""
    return File(source=source, items=tuple(items), span=Span(source, 0, len(source.text)), damaged=damaged)


def make_endpoints(head: Head, members: Sequence[Member], end: int, *, damaged: bool = False) -> Endpoints:
    """An endpoint set that ends at the offset ``end``."""
    return Endpoints(
        name=head.name,
        description=head.description,
        entries=tuple(m for m in members if isinstance(m, Word | ServiceTag)),
        fallbacks=tuple(m for m in members if isinstance(m, Fallback)),
        span=_span(head, end),
        damaged=damaged,
    )


def make_fallback(head: Head, members: Sequence[Member], end: int, *, damaged: bool = False) -> Fallback:
    """A fallback that ends at the offset ``end``."""
    entries = tuple(m for m in members if isinstance(m, Word | ServiceTag))
    return Fallback(entries=entries, span=_span(head, end), damaged=damaged)


def make_service_account(head: Head, members: Sequence[Member], end: int, *, damaged: bool = False) -> ServiceAccount:
    """A service account that ends at the offset ``end``."""
    return ServiceAccount(
        name=head.name,
        description=head.description,
        bindings=tuple(m for m in members if isinstance(m, Binding)),
        span=_span(head, end),
        damaged=damaged,
    )


def make_policy(head: Head, members: Sequence[Member], end: int, *, damaged: bool = False) -> Policy:
    """A policy that ends at the offset ``end``."""
    return Policy(
        template=head.template,
        name=head.name,
        description=head.description,
        settings=tuple(m for m in members if isinstance(m, Setting)),
        includes=tuple(m for m in members if isinstance(m, Include)),
        rules=tuple(m for m in members if isinstance(m, Rule)),
        span=_span(head, end),
        damaged=damaged,
    )


def make_rule(head: Head, members: Sequence[Member], end: int, *, damaged: bool = False) -> Rule:
    """A rule that ends at the offset ``end``."""
    return Rule(
        action=cast("Literal['allow', 'deny']", head.keyword.text),
        name=head.name,
        description=head.description,
        settings=cast("tuple[Setting, ...]", tuple(members)),
        span=_span(head, end),
        damaged=damaged,
    )


MAKE: Final[dict[str, Callable[..., Item | Member]]] = {
    "endpoints_head": make_endpoints,
    "fallback_head": make_fallback,
    "service_account_head": make_service_account,
    "policy_head": make_policy,
    "rule_head": make_rule,
}
"""What puts a block together, by the start symbol of its head."""
