"""Says what is wrong with a statement or a head that the grammar refuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from egressc import parse_errors as errors
from egressc.parse_shape import TAKES, Block
from egressc.parse_tokens import OPEN, TEXT, WORD, Token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.diagnostics import Diagnostic
    from egressc.parse_cursor import Cursor
    from egressc.source import Span


_VALUES_OF_KEYWORDS: Final = ("any-group", "any-address", "off", "may")
"""The reserved words that stand right behind a keyword: behind another word, that may be a misspelt one."""


@dataclass(frozen=True, slots=True)
class Unexpected:
    """Where a part of the grammar refuses its tokens.

    ``index`` is that of the token which it cannot take, or one more than the last; ``expected`` are the terminals that
    it could have taken.
    """

    index: int
    expected: frozenset[str]


def explain_statement(cursor: Cursor, tokens: Sequence[Token], refusal: Unexpected, block: Block) -> Diagnostic:
    """The diagnostic for a statement of a block; the cursor stands behind it."""
    keyword = tokens[0].kind
    if refusal.index == len(tokens):
        return _explain_end(cursor, tokens, block)
    found = tokens[refusal.index]
    span = cursor.span(found)
    takes_word = "WORD" in refusal.expected
    takes_text = "TEXT" in refusal.expected
    before = tokens[refusal.index - 1]
    if found.kind in {TEXT, *_VALUES_OF_KEYWORDS} and refusal.index > 1 and before.kind == WORD:
        suggestion = errors.near(cursor.text(before), block.keywords)
        if suggestion:
            return errors.unknown_statement(cursor.span(before), block, suggestion)
    if found.kind == TEXT:
        return errors.string_for_word(span, keyword) if takes_word else errors.too_many(span, keyword)
    if found.kind == WORD:
        if takes_text:
            return errors.word_for_string(_words(cursor, tokens, refusal.index), keyword, TAKES[keyword].one)
        suggestion = errors.near(cursor.text(found), block.keywords)
        if suggestion:
            return errors.unknown_statement(span, block, suggestion)
        return errors.too_many(span, keyword)
    if found.kind == "except" and keyword == "to" and refusal.index == 1:
        return errors.missing_value(cursor.span(tokens[0]), keyword)
    if tokens[refusal.index - 1].kind == "except" and found.kind == "except":
        return errors.missing_exceptions(cursor.span(tokens[refusal.index - 1]))
    if found.kind == "labels" and keyword == "parameter" and refusal.index > 1:
        return errors.unexpected(span, "nothing more", 'write `parameter NAME labels "…"`')
    return errors.reserved(span, keyword)


def _explain_end(cursor: Cursor, tokens: Sequence[Token], block: Block) -> Diagnostic:
    """What is wrong with a statement that ends too early."""
    keyword, last, following = tokens[0].kind, tokens[-1], cursor.token
    if cursor.is_value_by_mistake(block.keywords):
        return errors.reserved(cursor.span(following), keyword)
    if last.kind == "service-tag":
        return errors.missing_tag(cursor.span(last))
    if last.kind == "except":
        return errors.missing_exceptions(cursor.span(last))
    if following.kind == OPEN and len(tokens) == 1:
        return errors.block_of_statement(cursor.span(following), keyword)
    return errors.missing_value(cursor.span(last), keyword)


def explain_head(cursor: Cursor, tokens: Sequence[Token], refusal: Unexpected) -> Diagnostic:
    """The diagnostic for the head of a block; the cursor stands behind it."""
    keyword = tokens[0].kind
    name = 2 if keyword == "template" else 1
    if refusal.index == len(tokens):
        return errors.missing_value(cursor.span(tokens[-1]), "policy" if keyword == "template" else keyword)
    found = tokens[refusal.index]
    span = cursor.span(found)
    if refusal.index == name and found.kind == TEXT:
        return errors.string_for_word(span, keyword if keyword != "template" else "policy")
    if found.kind not in {WORD, TEXT}:
        if found.kind == "labels" and refusal.index > name:
            return errors.unexpected(span, "`{`", "only a parameter has `labels`")
        return errors.reserved(span, "policy" if keyword == "template" else keyword)
    if found.kind == WORD and refusal.index == name + 1:
        words = _words(cursor, tokens, refusal.index)
        if tokens[-1].kind == TEXT:
            joined = "-".join(cursor.span(tokens[name], tokens[-2]).text.split())
            return errors.unexpected(words, "a string or `{`", f"a name is one word: write `{joined}`")
        return errors.word_for_string(words, keyword, "description")
    return errors.too_many_in_head(span, keyword)


def _words(cursor: Cursor, tokens: Sequence[Token], index: int) -> Span:
    """The words from an index on that stand on its line."""
    last = index
    while (
        last + 1 < len(tokens)
        and tokens[last + 1].kind == WORD
        and "\n" not in cursor.source.text[tokens[last].end : tokens[last + 1].start]
    ):
        last += 1
    return cursor.span(tokens[index], tokens[last])
