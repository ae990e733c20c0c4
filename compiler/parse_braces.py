"""Finds braces in the middle of a line that can only be slips, in a file with one too many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egressc.parse_errors import stray_block, stray_brace
from egressc.parse_tokens import BAD, CLOSE, OPEN, TEXT, WORD, Scan, Token
from egressc.source import Span

if TYPE_CHECKING:
    from egressc.source import Source


_NEAR: Final = 8
"""How many tokens before a closing brace an opening one can be the one that it closes, on the same line or not."""


def without_slips(source: Source, scan: Scan, limit: int) -> Scan:
    """The tokens without the braces that can only be slips, which are reported.

    A closing brace is one when a string, an opening brace, or the rest of a word follows on its line; an opening brace
    when nothing but words and strings stands between it and another on its line. Two words that a brace held together
    are one bad token. Nothing is changed in a file that closes as many braces as it opens, and nothing any more once
    there are ``limit`` diagnostics.
    """
    tokens = scan.tokens
    excess = sum((token.kind == OPEN) - (token.kind == CLOSE) for token in tokens)
    if excess == 0:
        return scan
    kind = OPEN if excess > 0 else CLOSE
    is_slip = _opens_in_vain if excess > 0 else _closes_in_vain
    kept: list[Token] = []
    diagnostics = list(scan.diagnostics)
    joined = False
    for index, token in enumerate(tokens):
        if excess and token.kind == kind and len(diagnostics) < limit and is_slip(source, tokens, index):
            excess += 1 if kind == CLOSE else -1
            span = Span(source, token.start, token.end)
            diagnostics.append(stray_brace(span) if kind == CLOSE else stray_block(span))
            joined = _in_word(tokens, index)
        elif joined:
            kept[-1] = Token(BAD, kept[-1].start, token.end)
            joined = False
        else:
            kept.append(token)
    return Scan(tuple(kept), tuple(diagnostics))


def _in_word(tokens: tuple[Token, ...], index: int) -> bool:
    """True if a brace stands between two words without white space."""
    before, brace, after = tokens[index - 1], tokens[index], tokens[index + 1]
    if index == 0 or before.kind in {OPEN, CLOSE, TEXT} or after.kind != WORD:
        return False
    return before.end == brace.start and brace.end == after.start


def _closes_in_vain(source: Source, tokens: tuple[Token, ...], index: int) -> bool:
    after = tokens[index + 1]
    if "\n" in source.text[tokens[index].end : after.start]:
        return False
    if after.kind in {TEXT, OPEN}:
        return True
    return _in_word(tokens, index) and all(token.kind != OPEN for token in tokens[max(index - _NEAR, 0) : index])


def _opens_in_vain(source: Source, tokens: tuple[Token, ...], index: int) -> bool:
    for at in range(index + 1, len(tokens)):
        if "\n" in source.text[tokens[at - 1].end : tokens[at].start]:
            return False
        if tokens[at].kind not in {WORD, TEXT}:
            return tokens[at].kind == OPEN and at > index + 1
    return False
