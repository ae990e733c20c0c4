"""Text to syntax tree: the one module that knows lark.

What is right is read in one go, straight to the nodes. Only when that fails is the source read again by
``parse_recovery``, statement by statement, to say what is wrong with it.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, cast

from lark import Lark, Token
from lark.exceptions import UnexpectedInput, UnexpectedToken

from egressc.diagnostics import Diagnostic
from egressc.parse_absorbed import find_absorbed
from egressc.parse_analysis import Unexpected
from egressc.parse_braces import without_slips
from egressc.parse_build import KEYWORD_TERMINALS, Builder
from egressc.parse_cache import cached_tables
from egressc.parse_comments import hang_comments
from egressc.parse_cursor import LIMIT
from egressc.parse_recovery import read_on
from egressc.parse_tokens import Lexemes, has_forbidden_characters, has_foreign_comments, scan, split
from egressc.source import Span
from egressc.syntax import Comment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc import parse_tokens
    from egressc.parse_reuse import Known
    from egressc.source import Source
    from egressc.syntax import File

_STARTS: Final = (
    "file",
    "import",
    "parameter",
    "endpoints_head",
    "fallback_head",
    "service_account_head",
    "policy_head",
    "rule_head",
    "entries",
    "binding",
    "policy_setting",
    "include",
    "rule_setting",
)
_TERMINALS: Final = {**KEYWORD_TERMINALS, "word": "WORD", "string": "TEXT"}


def parse(source: Source) -> tuple[File | None, tuple[Diagnostic, ...]]:
    """The syntax tree of a source, and its syntax errors by place.

    With errors the tree holds whatever could be read (nodes that lost something are ``damaged``) and no comments; it is
    ``None`` only if nothing could be.
    """
    if has_forbidden_characters(source.text):
        return _read_on(source, None)
    grammar = _grammar()
    if has_foreign_comments(source.text, grammar.lexemes):
        return _read_on(source, None)
    with grammar.lock:
        result = grammar.read(source)
    if isinstance(result, Diagnostic):
        return _read_on(source, result)
    file, comments = result
    absorbed = find_absorbed(file)
    if absorbed is not None:
        return absorbed
    return hang_comments(file, comments), ()


def parse_again(source: Source, known: Known) -> tuple[File | None, tuple[Diagnostic, ...]]:
    """The same as ``parse``, quicker the more of the source is known."""
    if has_forbidden_characters(source.text):
        return parse(source)
    grammar = _grammar()
    cut = None if has_foreign_comments(source.text, grammar.lexemes) else known.cut(source, grammar.lexemes)
    if cut is None:
        return parse(source)
    with grammar.lock:
        result = grammar.read(source, cut.text)
    file = None if isinstance(result, Diagnostic) else cut.fill(result[0])
    # Whatever is wrong is found by reading everything.
    if file is None or find_absorbed(file) is not None:
        return parse(source)
    return hang_comments(file, cut.comments), ()


def read_tokens(source: Source) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words, strings and braces of a source, and its comments, each as they are written and in source order.

    This reads by another way than ``parse``, so that the formatter can be checked against it.
    """
    return split(source.text, _grammar().lexemes)


def _read_on(source: Source, first: Diagnostic | None) -> tuple[File | None, tuple[Diagnostic, ...]]:
    """What can be read of a source with errors; ``first`` is what stopped the grammar."""
    grammar = _grammar()
    with grammar.lock:
        grammar.builder.source = source
        tokens = without_slips(source, scan(source, grammar.lexemes, LIMIT), LIMIT)
        file, diagnostics = read_on(source, tokens, grammar.read_part)
    absorbed = find_absorbed(file)
    if absorbed is not None:
        file, more = absorbed
        diagnostics = tuple(sorted((*diagnostics, *more), key=lambda d: d.span.start if d.span else 0))
    if not diagnostics and first is not None:
        diagnostics = (first,)
    return (file if file.items else None), diagnostics


class _KeywordsEverywhere:
    """Tells lark that words and reserved words are read in every state: no list can hold one by accident."""

    always_accept: Final = ("WORD", *KEYWORD_TERMINALS.values())

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens as they are."""
        return stream


class _Grammar:
    """The grammar, ready to read; one source at a time (``lock``)."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.builder = Builder()
        self.comments: list[Comment] = []
        text = files("egressc.grammar").joinpath("egress.lark").read_text(encoding="utf-8")
        options: dict[str, Any] = {
            "parser": "lalr",
            "lexer": "contextual",
            "start": list(_STARTS),
            "postlex": _KeywordsEverywhere(),
            "maybe_placeholders": False,
            "keep_all_tokens": True,
            "transformer": self.builder,
            "lexer_callbacks": {"COMMENT": self.comment},
        }
        with cached_tables(text) as path:
            self.lark = Lark(text, cache=path or False, **options)
        self.lexemes = Lexemes(
            word=self.pattern("WORD"),
            text=self.pattern("TEXT"),
            comment=self.pattern("COMMENT"),
            space=self.pattern("SPACE"),
        )

    def pattern(self, terminal: str) -> str:
        """The regular expression of a terminal."""
        return self.lark.get_terminal(terminal).pattern.to_regexp()

    def comment(self, token: Token) -> Token:
        """Keep a comment while the lexer drops it."""
        start = token.start_pos or 0
        text = token.value.rstrip()
        self.comments.append(Comment(text=text, span=Span(self.builder.source, start, start + len(text))))
        return token

    def read(self, source: Source, text: str | None = None) -> tuple[File, list[Comment]] | Diagnostic:
        """The file and its comments, or where the grammar stopped; ``text``, if given, is read in place of its own."""
        self.builder.source = source
        self.comments.clear()
        try:
            file = cast("File", self.lark.parse(source.text if text is None else text, start="file"))
        except UnexpectedInput as error:
            start = error.pos_in_stream if error.pos_in_stream is not None else len(source.text)
            end = min(start + 1, len(source.text))
            return Diagnostic(code="E0116", message="the policy cannot be read here", span=Span(source, start, end))
        return file, list(self.comments)

    def read_part(self, start: str, tokens: Sequence[parse_tokens.Token]) -> object:
        """The node of a start symbol that the tokens are, or ``Unexpected``."""
        text = self.builder.source.text
        parser = self.lark.parse_interactive(start=start)
        for index, token in enumerate(tokens):
            terminal = _TERMINALS.get(token.kind, token.kind)
            value = token.kind if token.kind in KEYWORD_TERMINALS else text[token.start : token.end]
            try:
                parser.feed_token(Token(terminal, value, token.start, end_pos=token.end))
            except UnexpectedToken as error:
                return Unexpected(index, frozenset(error.expected))
        try:
            return cast("Any", parser).feed_eof()
        except UnexpectedToken as error:
            return Unexpected(len(tokens), frozenset(error.expected))


@cache
def _grammar() -> _Grammar:
    return _Grammar()
