"""Reads single statements and endpoints of a source that has syntax errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, cast

from egressc import parse_errors as errors
from egressc.keywords import SIGN_WORDS, STATEMENT_KEYWORDS
from egressc.names import NAME_SHAPE, RESERVED
from egressc.parse_analysis import Unexpected, explain_statement
from egressc.parse_build import Head
from egressc.parse_cursor import VALUE_KINDS, Cursor
from egressc.parse_tokens import BAD, OPEN, TEXT, WORD, Token
from egressc.syntax import Text, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.parse_build import Member
    from egressc.parse_shape import Block
    from egressc.syntax import Entry, Item


_NAMED_BY_OTHERS: Final = frozenset(("endpoints", "service-account", "template"))


class Grammar(Protocol):
    """Reads tokens as one part of the grammar."""

    def __call__(self, start: str, tokens: Sequence[Token]) -> object:
        """The node of the start symbol ``start`` that the tokens are, or ``Unexpected``."""


def read_statement(cursor: Cursor, grammar: Grammar, keyword: str, block: Block) -> Item | Member | None:
    """The statement that begins here with ``keyword`` (or with a slip of it); ``None`` if it is wrong, and reported."""
    first = cursor.at
    tokens = [cursor.take()._replace(kind=keyword)]
    while cursor.kind in VALUE_KINDS:
        tokens.append(cursor.take())
    if cursor.kind == OPEN:
        size = _without_head(cursor, first, len(tokens), block)
        del tokens[size:]
        cursor.at = first + size
    result = grammar(block.statements[keyword], tokens)
    if not isinstance(result, Unexpected):
        if cursor.kind == OPEN:
            cursor.report(errors.block_of_statement(cursor.span(cursor.token), keyword))
            cursor.skip_stray_block(block.keywords)
        return cast("Item | Member", result)
    size = _before_next(cursor, first, result.index, len(tokens), block)
    right = grammar(block.statements[keyword], tokens[:size]) if size else result
    if not isinstance(right, Unexpected):
        cursor.at = first + size
        return cast("Item | Member", right)
    if not any(t.kind == BAD for t in tokens):
        cursor.report(explain_statement(cursor, tokens, result, block))
        _leave_end(cursor, result, tokens, block)
    for index in range(first + result.index + 1, first + len(tokens)):
        if cursor.begins_statement(index, block.keywords):
            cursor.at = index
            return None
    if cursor.kind == OPEN:
        cursor.skip_stray_block(block.keywords)
    return None


def read_part(cursor: Cursor, grammar: Grammar, block: Block, at: int) -> Item | Member | None:
    """The statement of a block from a token on to this place; ``None`` if it is wrong, which is not reported."""
    tokens = cursor.tokens[at : cursor.at]
    result = grammar(block.statements[tokens[0].kind], tokens)
    return None if isinstance(result, Unexpected) else cast("Item | Member", result)


def stand_in_head(cursor: Cursor, tokens: Sequence[Token]) -> Head:
    """A head in the place of one without a name, which is reported: so what stands in its block is read.

    A name that was written as a string counts where others refer to it; else one is made up that nothing else has.
    """
    spans = [cursor.span(token) for token in tokens]
    keyword = Word(text=tokens[0].kind, span=spans[0])
    text = next((span for token, span in zip(tokens, spans, strict=True) if token.kind == TEXT), None)
    told = "" if text is None else text.text[1:-1]
    text = text or keyword.span
    is_named = keyword.text in _NAMED_BY_OTHERS and NAME_SHAPE.fullmatch(told) is not None and told not in RESERVED
    return Head(
        keyword=keyword,
        name=Word(text=told if is_named else f"unnamed-{text.start}", span=text),
        description=Text(value=told or keyword.text, span=text),
        template=keyword.text == "template",
        unnamed=not is_named,
    )


def read_template(cursor: Cursor, tokens: list[Token]) -> bool:
    """Add the ``policy`` behind a ``template``, the first token; false if it is reported as missing."""
    if cursor.kind == "policy":
        tokens.append(cursor.take())
        return True
    cursor.report(errors.missing_value(cursor.span(tokens[0]), "template"))
    if cursor.guess(cursor.at, ("policy",)):
        cursor.take()
    tokens.append(tokens[0]._replace(kind="policy"))
    return False


def _leave_end(cursor: Cursor, refusal: Unexpected, tokens: Sequence[Token], block: Block) -> None:
    """Leave behind what was reported with a statement that ends too early."""
    at_end = refusal.index == len(tokens)
    if at_end and cursor.is_value_by_mistake(block.keywords):
        cursor.take()
        cursor.skip_values(block.keywords)


def _before_next(cursor: Cursor, first: int, refused: int, length: int, block: Block) -> int:
    """How many tokens stand before another statement, whose keyword is the refused token or that before it; else 0."""
    if refused == length:
        return 0
    if cursor.begins_statement(first + refused, block.keywords):
        return refused
    before = first + refused - 1
    is_slip = refused > 1 and cursor.begins_line(before) and cursor.guess(before, block.keywords) is not None
    return refused - 1 if is_slip else 0


def _without_head(cursor: Cursor, first: int, length: int, block: Block) -> int:
    """How many tokens of a statement stand before a head at its end whose keyword nobody knows (or all)."""
    for size in range(max(1, length - 3), length):
        index = first + size
        if cursor.tokens[index].kind == WORD and (
            cursor.begins_line(index) or cursor.guess(index, block.blocks) is not None
        ):
            return size
    return length


def read_entry(cursor: Cursor, grammar: Grammar) -> Entry | None:
    """The endpoint that stands here in a set or a fallback; ``None`` if it is wrong, and reported."""
    tokens = [cursor.take()]
    kind = tokens[0].kind
    if kind == "service-tag" and cursor.kind in {WORD, BAD}:
        tokens.append(cursor.take())
    if any(t.kind == BAD for t in tokens):
        if cursor.kind == OPEN:
            cursor.skip_stray_block(())
        return None
    result = grammar("entries", tokens)
    if not isinstance(result, Unexpected):
        return cast("tuple[Entry, ...]", result)[0]
    span = cursor.span(tokens[0])
    if kind == TEXT:
        cursor.report(errors.string_for_word(span, "endpoint"))
    elif kind != "service-tag":
        cursor.report(errors.reserved(span, "endpoint"))
    elif cursor.begins_line(cursor.at) or cursor.kind not in {TEXT, *STATEMENT_KEYWORDS, *SIGN_WORDS}:
        cursor.report(errors.missing_tag(span))
    elif cursor.kind == TEXT:
        cursor.report(errors.string_for_word(cursor.span(cursor.take()), "service-tag"))
    else:
        cursor.report(errors.reserved(cursor.span(cursor.take()), "service-tag"))
    return None
