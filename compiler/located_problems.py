"""What is wrong with a text that is no YAML, said in terms of what was written."""

from __future__ import annotations

import re
from dataclasses import dataclass

from egressc.diagnostics import Diagnostic, Related
from egressc.source import Source, Span

_QUOTE = "put the value in quotes"
_BAD_START = re.compile(r"found character '(.+)' that cannot start any token", re.DOTALL)
_BAD_ESCAPE = re.compile(r"found unknown escape character '(.*)'", re.DOTALL)
_BAD_FLOW = re.compile(r"expected ',' or '(.)', but got '(.*)'", re.DOTALL)
_BAD_NODE = re.compile(r"expected the node content, but found '(.*)'", re.DOTALL)
_BARE_WORD = re.compile(r"[ ]*(?:- +)?([A-Za-z0-9][A-Za-z0-9_-]*)\s*")


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a file was read when it turned out to be no YAML.

    ``brackets`` says for each bracket that is still open, outermost first, where it stands and where the last value in
    it ends; ``quoted`` where the last text in quotes begins and ends.
    """

    brackets: tuple[tuple[int, int], ...] = ()
    quoted: tuple[int, int] | None = None


def span_at(source: Source, start: int, length: int = 1) -> Span:
    """A span of visible text at an offset; at the end of the file, the last character that is not white space."""
    if start >= len(source.text):
        start = max(len(source.text.rstrip()) - 1, 0)
    start = max(start, 0)
    return Span(source, start, min(start + length, len(source.text)))


def syntax_problem(
    source: Source, problem: str, context: str, at: int, context_at: int | None, reading: Reading
) -> Diagnostic:
    """The diagnostic for an error of PyYAML's Python parser.

    ``problem`` and ``context`` are its words, ``at`` and ``context_at`` its offsets.
    """
    message, span, hint = _explain(source, problem, context, at, context_at, reading)
    related: tuple[Related, ...] = ()
    if reading.brackets and _BAD_FLOW.fullmatch(problem) and span.start != reading.brackets[-1][0]:
        related = (Related(span=span_at(source, reading.brackets[-1][0]), text="this bracket is still open"),)
    return Diagnostic(code="E0400", message=message, span=span, help=hint, related=related)


_Said = tuple[str, Span, str]
"""A message, its place, and the help."""


def _explain(source: Source, problem: str, context: str, at: int, context_at: int | None, reading: Reading) -> _Said:
    text = source.text
    here = span_at(source, at)
    tab = _indenting_tab(source, at)
    if tab is not None:
        return "a tab cannot indent", tab, "indent with spaces"
    if problem == "found unexpected end of stream" and context_at is not None:
        return "this quote is never closed", span_at(source, context_at), "close it with the same quote"
    if reading.brackets and (at >= len(text.rstrip()) or _is_left_open(source, at, reading.brackets[-1][0])):
        opening = reading.brackets[-1][0]
        closing = _closing(text[opening])
        return f"this `{text[opening]}` is never closed", span_at(source, opening), f"close it with `{closing}`"
    if (found := _BAD_START.fullmatch(problem)) is not None:
        if found[1] == "\\t":
            return "a tab cannot begin a value", here, "write a space"
        return f"`{found[1]}` cannot begin a value", here, _QUOTE
    if (found := _BAD_ESCAPE.fullmatch(problem)) is not None:
        escape = Span(source, at - 1, at + 1)
        return (
            f"`{escape.text}` is no escape",
            escape,
            "in double quotes a backslash begins an escape: use single quotes",
        )
    if context in {"while scanning an alias", "while scanning an anchor", "while scanning a directive"} and (
        context_at is not None
    ):
        sign = text[context_at]
        where = "line" if context == "while scanning a directive" else "value"
        return f"`{sign}` at the start of a {where} is a YAML sign", span_at(source, context_at), _QUOTE
    if problem == "mapping values are not allowed here":
        hint = 'indent the keys of one mapping alike, and put a value that holds a `:` in quotes (`"fe80::"`)'
        return _key_without_colon(source, at) or ("a `:` is not allowed here", here, hint)
    if problem == "sequence entries are not allowed here":
        return "a list item is not allowed here", here, "begin the list on a line of its own, or write `[A, B]`"
    if problem == "mapping keys are not allowed here":
        return f"a `{here.text}` is not allowed here", here, _QUOTE
    if problem == "could not find expected ':'" and context_at is not None:
        return "a key needs a `:` and a value", _line_from(source, context_at), "write `KEY: VALUE`"
    if problem.startswith(("expected <block end>", "expected ',' or", "expected '<document start>'")):
        return _unexpected(source, problem, at, reading)
    if (found := _BAD_NODE.fullmatch(problem)) is not None:
        if text[at : at + 1] == ":":
            return "a value cannot begin with `:` here", here, 'put it in quotes, as IPv6 addresses are: `"::1"`'
        return f"a value is missing before `{here.text.strip() or 'the end'}`", here, "write the value, or remove this"
    return f"this is not YAML: {problem or context}", here, "the page of this code shows the form of the file"


def _unexpected(source: Source, problem: str, at: int, reading: Reading) -> _Said:
    """What to say where something stands that nothing before it leads to."""
    text = source.text
    here = span_at(source, at)
    between = text[reading.quoted[1] : at] if reading.quoted is not None else "?"
    if reading.quoted is not None and not between.strip(" ") and text[at : at + 1] not in {"]", "}"}:
        start, end = reading.quoted
        line = source.line_column(end - 1)[0]
        if source.line_column(start)[0] != line:
            message = f"this quote is not closed before line {line}"
            return message, span_at(source, start), "close it where the text ends"
        if not (between and reading.brackets):
            inside = "write it twice (`''`)" if text[start] == "'" else 'write a backslash before it (`\\"`)'
            return "text follows the closing quote", here, f"put all of it inside; to write the quote itself, {inside}"
    if (found := _BAD_FLOW.fullmatch(problem)) is not None:
        end = reading.brackets[-1][1] if reading.brackets else at
        missing = f"`,` or `{found[1]}` is missing"
        hint = f"close the bracket with `{found[1]}`, or separate with `,`"
        if reading.brackets and source.line_column(end - 1)[0] < source.line_column(at)[0]:
            return f"{missing} behind this", span_at(source, end - 1), hint
        return f"{missing} here", here, hint
    if text[at : at + 1] in ("]", "}"):
        return f"this `{text[at]}` closes nothing", here, "remove it, or open the bracket behind a `:`"
    if text[at : at + 1] == ":":
        return "a key is missing before this `:`", here, "write `KEY: VALUE`"
    if problem.startswith("expected '<document start>'"):
        return "nothing may follow here", _line_from(source, at), "the file ends at `...`, or with the closing bracket"
    return "the indentation fits nothing above", _line_from(source, at), "indent the keys of one mapping alike"


def _is_left_open(source: Source, at: int, opening: int) -> bool:
    """True if what is at an offset begins a key outside the bracket: on a later line that is not indented further."""
    line, first = source.line_column(at)[0], source.line_column(opening)[0]
    written, above = source.line_text(line), source.line_text(first)
    indent = len(written) - len(written.lstrip(" "))
    is_key = re.match(r"[^\s\[\]{},]+\s*:(?:\s|$)", written[indent:]) is not None
    return line > first and is_key and indent <= len(above) - len(above.lstrip(" "))


def _key_without_colon(source: Source, at: int) -> _Said | None:
    """The line above a key, if all that it holds is a word: YAML takes both lines for one text."""
    line = source.line_column(at)[0] - 1
    while line > 0 and not source.line_text(line).strip():
        line -= 1
    word = _BARE_WORD.fullmatch(source.line_text(line)) if line > 0 else None
    if word is None:
        return None
    start = source.line_starts[line - 1] + word.start(1)
    return "a key needs a `:` and a value", span_at(source, start, len(word[1])), f"write `{word[1]}:`"


def _closing(opening: str) -> str:
    return {"[": "]", "{": "}"}.get(opening, opening)


def _indenting_tab(source: Source, at: int) -> Span | None:
    """The tab in the indentation of the line at an offset."""
    line = source.line_column(min(at, len(source.text)))[0]
    start = source.line_starts[line - 1]
    written = source.line_text(line)
    indent = written[: len(written) - len(written.lstrip(" \t"))]
    return None if "\t" not in indent else span_at(source, start + indent.index("\t"))


def _line_from(source: Source, at: int) -> Span:
    """From an offset to the end of its line."""
    if at >= len(source.text):
        return span_at(source, at)
    written = source.line_text(source.line_column(at)[0])
    start = source.line_starts[source.line_column(at)[0] - 1]
    return Span(source, at, max(start + len(written.rstrip()), at + 1))
