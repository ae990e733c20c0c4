"""What was parsed before and stands in a source again, word for word: it is not parsed a second time.

Blocks that are known are painted over with white space, what is left is parsed, and the known nodes are put back, moved
to where they stand now. The tree is the one that parsing everything would give, or there is no answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final, assert_never

from egressc.source import Span
from egressc.syntax import (
    Binding,
    Comment,
    Endpoints,
    Fallback,
    File,
    Import,
    Include,
    Parameter,
    Policy,
    Rule,
    ServiceAccount,
    ServiceTag,
    Setting,
    Text,
    Word,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.parse_tokens import Lexemes
    from egressc.source import Source
    from egressc.syntax import Entry, Item

Block = Endpoints | ServiceAccount | Policy | Rule
"""What is remembered: the blocks of a file, and the rules in its policies."""

_ITEMS: Final = frozenset({"endpoints", "service-account", "policy", "template"})
_RULES: Final = frozenset({"allow", "deny"})


class Known:
    """The blocks of files without mistakes, by their text."""

    def __init__(self) -> None:
        self._blocks: dict[str, Block] = {}

    def learn(self, file: File) -> None:
        """Remember the blocks of a file that has no syntax error."""
        for item in file.items:
            if isinstance(item, Import | Parameter):
                continue
            self._blocks.setdefault(item.span.text, item)
            if isinstance(item, Policy):
                for rule in item.rules:
                    self._blocks.setdefault(rule.span.text, rule)

    def cut(self, source: Source, lexemes: Lexemes) -> Cut | None:
        """The source without its known blocks; ``None`` if it has none."""
        text = source.text
        places: list[tuple[int, int, Block]] = []
        comments: list[Comment] = []
        starts = [-1, -1]
        depth = 0
        for found in re.finditer(f"({lexemes.comment})|({lexemes.word})|{lexemes.text}|[{{}}]", text):
            if found.lastindex == 1:
                start, shown = found.start(), found[1].rstrip()
                comments.append(Comment(text=shown, span=Span(source, start, start + len(shown))))
            elif found.lastindex == 2:
                if depth == 0:
                    # `template policy` is one head: the block begins at its first word.
                    if found[2] in _ITEMS and not (found[2] == "policy" and self._is_template(text, starts[0], found)):
                        starts[0] = found.start()
                elif depth == 1 and found[2] in _RULES:
                    starts[1] = found.start()
            elif (brace := found[0]) == "{":
                depth += 1
                starts.extend([-1] * (depth + 1 - len(starts)))
                if depth == 1:
                    starts[1] = -1
            elif brace == "}":
                depth -= 1
                if depth < 0:
                    return None
                start = starts[depth] if depth < 2 else -1
                if start >= 0:
                    end = found.end()
                    block = self._blocks.get(text[start:end])
                    if block is not None and isinstance(block, Rule) == (depth == 1):
                        while places and places[-1][0] >= start:  # the rules of a policy that is known as a whole
                            places.pop()
                        places.append((start, end, block))
                    starts[depth] = -1
        return Cut(source, tuple(places), tuple(comments)) if places else None

    @staticmethod
    def _is_template(text: str, start: int, policy: re.Match[str]) -> bool:
        return start >= 0 and text[start : policy.start()].split() == ["template"]


@dataclass(frozen=True, slots=True)
class Cut:
    """A source, where its known blocks stand and what they were (in order), and all of its comments."""

    source: Source
    places: tuple[tuple[int, int, Block], ...]
    comments: tuple[Comment, ...]

    @property
    def text(self) -> str:
        """The text with white space where the known blocks stand, so that nothing else moves."""
        text, pieces, at = self.source.text, [], 0
        for start, end, _ in self.places:
            pieces += [text[at:start], " " * (end - start)]
            at = end
        return "".join([*pieces, text[at:]])

    def fill(self, file: File) -> File | None:
        """The tree of ``text`` with the known blocks in their places; ``None`` if one stands where none can."""
        items: list[Item] = []
        of_policies: dict[int, list[Rule]] = {}
        index = 0
        for start, end, block in self.places:
            while index < len(file.items) and file.items[index].span.end <= start:
                index += 1
            around = file.items[index] if index < len(file.items) and file.items[index].span.start < start else None
            moved = _moved(block, self.source, start - block.span.start)
            assert moved.span.end == end, "a block is as long as its text"
            if isinstance(moved, Rule):
                if not isinstance(around, Policy):
                    return None
                of_policies.setdefault(index, []).append(moved)
            elif around is not None:
                return None
            else:
                items.append(moved)
        for number, item in enumerate(file.items):
            rules = of_policies.get(number)
            if rules is None:
                items.append(item)
                continue
            assert isinstance(item, Policy), "that is where they were found"
            members: list[Setting | Include | Rule] = [*item.settings, *item.includes, *item.rules, *rules]
            members.sort(key=lambda each: each.span.start)
            if any(one.span.end > other.span.start for one, other in pairwise(members)):
                return None
            items.append(replace(item, rules=tuple([each for each in members if isinstance(each, Rule)])))
        items.sort(key=lambda item: item.span.start)
        return replace(file, items=tuple(items))


def _moved(block: Block, source: Source, by: int) -> Block:
    """The same block elsewhere, without comments."""
    move = _Move(source, by)
    match block:
        case Rule():
            return move.rule(block)
        case Policy():
            return Policy(
                template=block.template,
                name=move.word(block.name),
                description=move.text(block.description),
                settings=tuple([move.setting(each) for each in block.settings]),
                includes=tuple(
                    [Include(name=move.word(each.name), span=move.span(each.span)) for each in block.includes]
                ),
                rules=tuple([move.rule(each) for each in block.rules]),
                span=move.span(block.span),
            )
        case Endpoints():
            return Endpoints(
                name=move.word(block.name),
                description=move.text(block.description),
                entries=move.entries(block.entries),
                fallbacks=tuple(
                    [Fallback(entries=move.entries(f.entries), span=move.span(f.span)) for f in block.fallbacks]
                ),
                span=move.span(block.span),
            )
        case ServiceAccount():
            return ServiceAccount(
                name=move.word(block.name),
                description=move.text(block.description),
                bindings=tuple([move.binding(each) for each in block.bindings]),
                span=move.span(block.span),
            )
        case _:
            assert_never(block)


class _Move:
    """Makes nodes anew, ``by`` characters further on, in another source."""

    __slots__ = ("_by", "_source")

    def __init__(self, source: Source, by: int) -> None:
        self._source = source
        self._by = by

    def span(self, span: Span) -> Span:
        return Span(self._source, span.start + self._by, span.end + self._by)

    def word(self, word: Word) -> Word:
        return Word(text=word.text, span=self.span(word.span))

    def text(self, text: Text | None) -> Text | None:
        return None if text is None else Text(value=text.value, span=self.span(text.span))

    def entries(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        return tuple(
            [
                self.word(each)
                if isinstance(each, Word)
                else ServiceTag(name=self.word(each.name), span=self.span(each.span))
                for each in entries
            ]
        )

    def values(self, values: Sequence[Word | Text | ServiceTag]) -> tuple[Word | Text | ServiceTag, ...]:
        return tuple(
            [
                self.word(each)
                if isinstance(each, Word)
                else Text(value=each.value, span=self.span(each.span))
                if isinstance(each, Text)
                else ServiceTag(name=self.word(each.name), span=self.span(each.span))
                for each in values
            ]
        )

    def binding(self, binding: Binding) -> Binding:
        values = tuple([each for each in self.values(binding.values) if not isinstance(each, ServiceTag)])
        return Binding(kind=self.word(binding.kind), values=values, span=self.span(binding.span))

    def setting(self, setting: Setting) -> Setting:
        return Setting(
            keyword=self.word(setting.keyword),
            values=self.values(setting.values),
            exceptions=None if setting.exceptions is None else self.entries(setting.exceptions),
            span=self.span(setting.span),
        )

    def rule(self, rule: Rule) -> Rule:
        return Rule(
            action=rule.action,
            name=self.word(rule.name),
            description=self.text(rule.description),
            settings=tuple([self.setting(each) for each in rule.settings]),
            span=self.span(rule.span),
        )
