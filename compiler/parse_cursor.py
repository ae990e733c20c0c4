"""A place in the tokens of a source that has mistakes in it, and what the recovery has found so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egressc.keywords import ITEM_KEYWORDS, SIGN_WORDS, STATEMENT_KEYWORDS
from egressc.parse_errors import near
from egressc.parse_tokens import BAD, CLOSE, END, OPEN, TEXT, WORD, Token
from egressc.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.diagnostics import Diagnostic
    from egressc.source import Source

LIMIT: Final = 1000
"""How many syntax errors of one file are reported before the rest of it is left unread."""

VALUE_KINDS: Final = frozenset((WORD, TEXT, BAD, *SIGN_WORDS))
"""What can stand behind a keyword; anything else ends the statement."""

_HEAD_KINDS: Final = frozenset((WORD, TEXT, BAD))
_LONGEST_HEAD: Final = 3
_GUESSES: Final = 2000
"""How often the words of a file are compared with the keywords to find where a statement begins again."""


class TooManyErrorsError(Exception):
    """The file has more syntax errors than anybody wants to read."""


class Cursor:
    """The tokens, the place among them, the diagnostics, and the balance of the braces.

    ``excess`` is how many more braces the file opens than it closes, as far as nobody has reported it: where it is not
    zero, the layout tells which brace is missing. Braces that a bad token has swallowed are counted.
    """

    def __init__(self, source: Source, tokens: tuple[Token, ...], diagnostics: Iterable[Diagnostic]) -> None:
        self.source = source
        self.tokens = tokens
        self.at = 0
        self.diagnostics = list(diagnostics)
        self.excess = 0
        self._guesses = _GUESSES
        for token in tokens:
            if token.kind == OPEN:
                self.excess += 1
            elif token.kind == CLOSE:
                self.excess -= 1
            elif token.kind == BAD:
                self.excess += self.swallowed(token)

    @property
    def token(self) -> Token:
        """The token at this place; the last one is ``END``."""
        return self.tokens[self.at]

    @property
    def kind(self) -> str:
        """The kind of the token at this place."""
        return self.tokens[self.at].kind

    def take(self) -> Token:
        """The token at this place, which is left behind; ``END`` never is."""
        token = self.tokens[self.at]
        if token.kind != END:
            self.at += 1
        return token

    def report(self, diagnostic: Diagnostic) -> None:
        """Keep a diagnostic.

        :raises TooManyErrorsError: there are as many as anybody wants to read.
        """
        self.diagnostics.append(diagnostic)
        if len(self.diagnostics) >= LIMIT:
            raise TooManyErrorsError

    def span(self, first: Token, last: Token | None = None) -> Span:
        """Where a token stands, or everything from one to another. The end of the file is its last character."""
        end = (last or first).end
        start = first.start
        if first.kind == END and start > 0:
            start = end = len(self.source.text.rstrip())
            start = max(start - 1, 0)
        return Span(self.source, start, end)

    def text(self, token: Token) -> str:
        """What a token says."""
        return self.source.text[token.start : token.end]

    def swallowed(self, token: Token) -> int:
        """How many more braces a bad token has swallowed that open a block than that close one.

        Only a string that is never closed has swallowed any: not one that is closed on a later line, nor a parameter.
        """
        text = self.text(token)
        if not text.startswith('"') or text.endswith('"'):
            return 0
        return text.count(OPEN) - text.count(CLOSE)

    def begins_line(self, index: int) -> bool:
        """True if the token with this index is the first of its line."""
        return index == 0 or "\n" in self.source.text[self.tokens[index - 1].end : self.tokens[index].start]

    def column(self, token: Token) -> int:
        """The column of a token, counted from 1."""
        return self.source.line_column(token.start)[1]

    def bad_on_line(self, index: int) -> int | None:
        """The index of a bad token from this index on, if one stands on its line before a brace."""
        while self.tokens[index].kind not in {OPEN, CLOSE, END}:
            if self.tokens[index].kind == BAD:
                return index
            index += 1
            if self.begins_line(index):
                return None
        return None

    def is_reported_at_end(self) -> bool:
        """True if a diagnostic speaks of the last token of the file: what is open then, is open because of that."""
        last = self.tokens[-2].end
        return any(d.span is not None and d.span.end >= last for d in self.diagnostics)

    def head_before_brace(self, index: int) -> bool:
        """True if an opening brace follows the token with this index, with no more between than a head holds."""
        if self.tokens[index].kind == "template" and self.tokens[index + 1].kind == "policy":
            index += 1
        for token in self.tokens[index + 1 : index + 2 + _LONGEST_HEAD]:
            if token.kind not in _HEAD_KINDS:
                return token.kind == OPEN
        return False

    def guess(self, index: int, keywords: Iterable[str]) -> str | None:
        """The keyword that the word with this index is a slip of; never any more once a file has been too confusing."""
        if self.tokens[index].kind != WORD or self._guesses <= 0:
            return None
        self._guesses -= 1
        return near(self.text(self.tokens[index]), keywords)

    def is_value_by_mistake(self, keywords: Iterable[str]) -> bool:
        """True if the reserved word here stands in the place of a value: on the same line, and nothing behind it.

        With a value behind it, it is a statement of the block (``keywords``) of its own: ``to ports 443``.
        """
        if self.kind not in STATEMENT_KEYWORDS or self.begins_line(self.at):
            return False
        return (
            self.kind not in keywords
            or self.tokens[self.at + 1].kind not in VALUE_KINDS
            or (self.begins_line(self.at + 1))
        )

    def begins_statement(self, index: int, keywords: Iterable[str]) -> bool:
        """True if the word with this index looks as if a statement began there, though it is no keyword."""
        return (
            self.tokens[index].kind == WORD
            and self.begins_line(index)
            and (
                self.tokens[index + 1].kind == TEXT
                or self.head_before_brace(index)
                or self.guess(index, keywords) is not None
            )
        )

    def skip_values(self, keywords: Iterable[str]) -> None:
        """Leave behind what belongs to a statement that is reported: up to where another seems to begin."""
        while self.kind in VALUE_KINDS and not self.begins_statement(self.at, keywords):
            self.at += 1

    def skip_unknown(self, keywords: Iterable[str]) -> None:
        """Leave an unknown statement behind: up to a brace, or to where a line seems to begin another.

        In text that is no policy at all, the reserved words inside its lines begin nothing.
        """
        if not self.begins_line(self.at):
            self.at += 1
            self.skip_values(keywords)
            return
        self.at += 1
        while self.kind not in {OPEN, CLOSE, END}:
            if self.begins_line(self.at):
                if self.kind in STATEMENT_KEYWORDS or self.begins_statement(self.at, keywords):
                    return
            elif self.kind in STATEMENT_KEYWORDS and self.head_before_brace(self.at):
                return
            self.at += 1

    def skip_prose(self, keywords: Iterable[str]) -> None:
        """Leave behind what is no item of a file: up to a closing brace, or to where a line surely begins an item.

        ``keywords`` are those of the items.
        """
        self.at += 1
        while self.kind not in {CLOSE, END}:
            if self.kind == OPEN:
                self.skip_block()
                continue
            if self.begins_line(self.at):
                has_head = self.head_before_brace(self.at)
                if self.kind in keywords or (self.kind in STATEMENT_KEYWORDS and has_head):
                    return
                is_followed = has_head or self.tokens[self.at + 1].kind == TEXT
                if is_followed and self.guess(self.at, keywords) is not None:
                    return
            self.at += 1

    def skip_line(self) -> None:
        """Leave behind the values that stand on this line."""
        while self.kind in VALUE_KINDS and not self.begins_line(self.at):
            self.at += 1

    def skip_stray_block(self, keywords: Iterable[str]) -> None:
        """Leave a block behind that belongs to nothing, or only its brace if the file has one too many of those."""
        if self.excess > 0:
            self.excess -= 1
            self.at += 1
            self.skip_values(keywords)
        else:
            self.skip_block()

    def skip_block(self, depth: int = 0) -> None:
        """Leave a block behind, from its opening brace to the closing one or to where an item begins.

        With a ``depth``, that many of its braces are behind already.
        """
        while self.kind != END:
            kind = self.kind
            if kind == OPEN:
                depth += 1
            elif kind == CLOSE:
                depth -= 1
            elif kind in ITEM_KEYWORDS and self.excess > 0 and self.begins_line(self.at):
                self.excess -= depth
                return
            self.at += 1
            if depth == 0:
                return
