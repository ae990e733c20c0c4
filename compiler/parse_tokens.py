"""Cuts a source that has mistakes in it into tokens, and reports what no token may hold.

The parser's own lexer stops at the first character that it cannot place. This one never stops: what is wrong becomes a
token of the kind ``BAD``, already reported, and the rest of the file is read as if it had been right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from egressc.diagnostics import Diagnostic
from egressc.keywords import RESERVED, STATEMENT_KEYWORDS
from egressc.policy import BINDING_KINDS
from egressc.source import Span

if TYPE_CHECKING:
    from egressc.source import Source

WORD: Final = "word"
TEXT: Final = "string"
OPEN: Final = "{"
CLOSE: Final = "}"
BAD: Final = "bad"
END: Final = "end of the file"

_FORBIDDEN: Final = re.compile(
    # C0 and C1 controls but tab and line ends, a byte order mark that does not begin the file, what is no character
    # at all, and a carriage return that ends no line.
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]+|\r(?!\n)",
)
_LINE_REST: Final = re.compile(r'[^"\n]*"?')
_NEXT_LINE: Final = re.compile(r'\r?\n[^\S\r\n]*(?P<word>[^\s{}"#]*)(?P<brace>[{}]?)[^\n]*')
_LONGEST_STRING: Final = 10
"""How many lines a string may run on that should have been closed on its first."""
_PARAMETER_REST: Final = re.compile(r'(?:[^\r\n{}]{0,80}\})?[^\s{}"]*')
_MAYBE_FOREIGN: Final = re.compile(r"//|/\*|--|;")
_FOREIGN: Final = re.compile(r"//.*|/\*.*|--|;")
"""Words with which a comment begins in other languages."""
_CONTROL_NAMES: Final = {"\0": "a NUL", "\x1b": "an escape character", "\ufeff": "a byte order mark"}


class Token(NamedTuple):
    """A piece of the source: ``kind`` is one of the kinds above, or the reserved word that it is."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Lexemes:
    """The regular expressions of the grammar's terminals, so that they stand in one place only."""

    word: str
    text: str
    comment: str
    space: str


@dataclass(frozen=True, slots=True)
class Scan:
    """The tokens of a source, an ``END`` behind them, and what was wrong with the characters, by place."""

    tokens: tuple[Token, ...]
    diagnostics: tuple[Diagnostic, ...]


def has_forbidden_characters(text: str) -> bool:
    """True if the text holds a character that stands nowhere in a policy, not in strings nor in comments."""
    return _FORBIDDEN.search(text) is not None


def has_foreign_comments(text: str, lexemes: Lexemes) -> bool:
    """True if the text holds a comment as other languages write it: to the grammar, its words are values of a list."""
    before = (text[max(m.start() - 1, 0) : m.start()] for m in _MAYBE_FOREIGN.finditer(text))
    if not any(not character or character.isspace() or character in '{}"' for character in before):
        return False
    keyword = ""
    for found in re.finditer(f"{lexemes.comment}|({lexemes.word})|{lexemes.text}", text):
        if found[1] in STATEMENT_KEYWORDS:
            keyword = found[1]
        elif found[1] is not None and _is_foreign(found[1], keyword):
            return True
    return False


def scan(source: Source, lexemes: Lexemes, limit: int) -> Scan:
    """The tokens of a source, up to where there are ``limit`` diagnostics."""
    text = source.text
    match = re.compile(
        f"(?P<skip>{lexemes.space}|{lexemes.comment})|(?P<word>{lexemes.word})|(?P<string>{lexemes.text})"
        '|(?P<open>{)|(?P<close>})|(?P<unclosed>"[^\\r\\n]*)',
    ).match
    keyword = ""
    diagnostics = _forbidden(source, limit)
    forbidden = [m.start() for m in _FORBIDDEN.finditer(text)]
    forbidden.append(len(text))
    tokens: list[Token] = []
    at = bad = 0
    while at < len(text) and len(diagnostics) < limit:
        found = match(text, at)
        assert found is not None, "the alternatives cover every character"
        kind, end = found.lastgroup, found.end()
        if kind == "open" and text[at - 1 : at] == "$" and tokens[-1].kind == WORD:
            start = tokens.pop().start
            end = _parameter_end(text, end)
            diagnostics.append(_open_parameter(source, at - 1, end))
            tokens.append(Token(BAD, start, end))
        elif kind == "unclosed":
            stop = _string_end(text, end)
            if not _cut_by_return(text, end):
                diagnostics.append(_unclosed_string(source, at, end, goes_on=stop > end))
            end = stop
            tokens.append(Token(BAD, at, end))
        elif kind == "word" and _is_foreign(found.group(), keyword):
            diagnostics.append(_foreign_comment(source, at))
            end = _foreign_end(text, at)
        elif kind != "skip":
            while forbidden[bad] < at:
                bad += 1
            if forbidden[bad] < end:
                tokens.append(Token(BAD, at, end))
            else:
                tokens.append(Token(_kind(kind, found.group()), at, end))
                keyword = tokens[-1].kind if tokens[-1].kind in STATEMENT_KEYWORDS else keyword
        at = end
    tokens.append(Token(END, at, at))
    diagnostics.sort(key=lambda d: d.span.start if d.span else 0)
    return Scan(tuple(tokens), tuple(diagnostics))


def split(text: str, lexemes: Lexemes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words, strings and braces of a text without mistakes, and its comments without white space at their ends."""
    words: list[str] = []
    comments: list[str] = []
    for found in re.finditer(f"({lexemes.comment})|{lexemes.word}|{lexemes.text}|[{{}}]", text):
        if found[1] is None:
            words.append(found[0])
        else:
            comments.append(found[1].rstrip())
    return tuple(words), tuple(comments)


def _is_foreign(word: str, keyword: str) -> bool:
    """True if a word begins a comment of another language; the value of a binding may be any word."""
    return _FOREIGN.fullmatch(word) is not None and keyword not in BINDING_KINDS


def _foreign_end(text: str, at: int) -> int:
    """Where a comment of another language ends."""
    if text.startswith("/*", at):
        closed = text.find("*/", at + 2)
        if closed >= 0:
            return closed + 2
    line_end = text.find("\n", at)
    return len(text) if line_end < 0 else line_end


def _kind(group: str | None, text: str) -> str:
    match group:
        case "word":
            return text if text in RESERVED else WORD
        case "string":
            return TEXT
        case _:
            return text


def _parameter_end(text: str, start: int) -> int:
    """Where a ``${`` that the lexer refused ends: behind its brace if that is near, else at white space."""
    found = _PARAMETER_REST.match(text, start)
    return found.end() if found else start


def _cut_by_return(text: str, end: int) -> bool:
    """True if a carriage return without a line feed stands here; it is reported itself."""
    return text.startswith("\r", end) and not text.startswith("\r\n", end)


def _string_end(text: str, end: int) -> int:
    """Where a string ends that is not closed before ``end``: behind the quote that was meant to close it, or there.

    A string goes on in the next lines if these say nothing else: up to the first with an odd number of quotes, unless
    one of them begins with a keyword or a brace.
    """
    if _cut_by_return(text, end):
        found = _LINE_REST.match(text, end)
        return found.end() if found else end
    at = end
    for _ in range(_LONGEST_STRING):
        line = _NEXT_LINE.match(text, at)
        if line is None or line["word"] in STATEMENT_KEYWORDS or line["brace"]:
            return end
        quotes = line.group().count('"')
        if quotes:
            return text.index('"', at) + 1 if quotes % 2 else end
        at = line.end()
    return end


def _forbidden(source: Source, limit: int) -> list[Diagnostic]:
    diagnostics: list[Diagnostic] = []
    returns = False
    for found in _FORBIDDEN.finditer(source.text):
        if found.group() != "\r":
            diagnostics.append(_control_character(source, found.start(), found.end()))
        elif not returns:  # a file with line ends of its own has one mistake, not one on each line
            diagnostics.append(_carriage_return(source, found.start()))
            returns = True
        if len(diagnostics) == limit:
            break
    return diagnostics


def _carriage_return(source: Source, at: int) -> Diagnostic:
    return Diagnostic(
        code="E0102",
        message="a carriage return stands without a line feed",
        span=Span(source, at, at + 1),
        label="not a line end here, though some programs show one",
        help="end lines with LF or CR LF",
    )


def _control_character(source: Source, start: int, end: int) -> Diagnostic:
    character = source.text[start]
    name = _CONTROL_NAMES.get(character, f"the character U+{ord(character):04X}")
    return Diagnostic(
        code="E0101",
        message=f"{name} stands in a policy",
        span=Span(source, start, end),
        label="cannot be seen" if end == start + 1 else f"cannot be seen ({end - start} characters)",
        help="take it out; of the characters that cannot be seen, a policy holds only white space and line ends",
    )


def _unclosed_string(source: Source, start: int, end: int, *, goes_on: bool) -> Diagnostic:
    text = source.text[start:end]
    stop = start + len(text.rstrip())
    backslash = start > 0 and '\\"' in source.text[source.text.rfind("\n", 0, start) + 1 : start + 1]
    help_text = "close it on the line on which it begins"
    if goes_on:
        help_text = "a string stands on one line; write it on one"
    elif backslash:
        help_text = 'a backslash is itself in a string; write `""` for one quote'
    return Diagnostic(
        code="E0103",
        message="a string is not closed",
        span=Span(source, start, stop),
        label="runs to the end of the line",
        help=help_text,
    )


def _foreign_comment(source: Source, at: int) -> Diagnostic:
    mark = source.text[at : at + 2].strip()
    return Diagnostic(
        code="E0116",
        message=f"`{mark}` begins no comment",
        span=Span(source, at, at + len(mark)),
        label="expected a value or the next statement",
        help="a comment begins with `#` and ends with its line",
    )


def _open_parameter(source: Source, start: int, end: int) -> Diagnostic:
    return Diagnostic(
        code="E0115",
        message="a `${` is not closed within its word",
        span=Span(source, start, end),
        label="no `}` before white space, a quote or a brace",
        help="write `${NAME}` with nothing but the parameter's name between the braces",
    )
