"""What is wrong with a text that is no YAML, said in terms of what was written."""

from __future__ import annotations

import re

from egressc.diagnostics import Diagnostic, Related
from egressc.source import Source, Span

_QUOTE = "put the value in quotes"
_BAD_START = re.compile(r"found character '(.+)' that cannot start any token", re.DOTALL)
_BAD_ESCAPE = re.compile(r"found unknown escape character '(.*)'", re.DOTALL)
_BAD_FLOW = re.compile(r"expected ',' or '(.)', but got '(.*)'", re.DOTALL)
_BAD_NODE = re.compile(r"expected the node content, but found '(.*)'", re.DOTALL)


def span_at(source: Source, start: int, length: int = 1) -> Span:
    """A span of visible text at an offset; at the end of the file, the last character that is not white space."""
    if start >= len(source.text):
        start = max(len(source.text.rstrip()) - 1, 0)
    start = max(start, 0)
    return Span(source, start, min(start + length, len(source.text)))


def syntax_problem(
    source: Source, problem: str, context: str, at: int, context_at: int | None, brackets: tuple[int, ...]
) -> Diagnostic:
    """The diagnostic for an error of PyYAML's Python parser.

    ``problem`` and ``context`` are its words, ``at`` and ``context_at`` its offsets; ``brackets`` says where the open
    brackets stand.
    """
    message, span, hint = _explain(source, problem, context, at, context_at, brackets)
    related: tuple[Related, ...] = ()
    if brackets and _BAD_FLOW.fullmatch(problem) and span.start != brackets[-1]:
        related = (Related(span=span_at(source, brackets[-1]), text="this bracket is still open"),)
    return Diagnostic(code="E0400", message=message, span=span, help=hint, related=related)


def _explain(
    source: Source, problem: str, context: str, at: int, context_at: int | None, brackets: tuple[int, ...]
) -> tuple[str, Span, str]:
    text = source.text
    here = span_at(source, at)
    tab = _indenting_tab(source, at)
    if tab is not None:
        return "a tab cannot indent", tab, "indent with spaces"
    if brackets and at >= len(text.rstrip()):
        opening = text[brackets[-1]]
        return (
            f"this `{opening}` is never closed",
            span_at(source, brackets[-1]),
            f"close it with `{_closing(opening)}`",
        )
    if (found := _BAD_START.fullmatch(problem)) is not None:
        shown = "a tab" if found[1] == "\\t" else f"`{found[1]}`"
        return f"{shown} cannot begin a value", here, _QUOTE
    if (found := _BAD_ESCAPE.fullmatch(problem)) is not None:
        escape = Span(source, at - 1, at + 1)
        return (
            f"`{escape.text}` is no escape",
            escape,
            "in double quotes a backslash begins an escape: use single quotes",
        )
    if problem == "found unexpected end of stream" and context_at is not None:
        return "this quote is never closed", span_at(source, context_at), "close it with the same quote"
    if context in {"while scanning an alias", "while scanning an anchor"} and context_at is not None:
        sign = text[context_at]
        return f"`{sign}` at the start of a value is a YAML sign", span_at(source, context_at), _QUOTE
    if problem == "mapping values are not allowed here":
        hint = 'indent the keys of one mapping alike, and put a value that holds a `:` in quotes (`"fe80::"`)'
        return "a `:` is not allowed here", here, hint
    if problem == "sequence entries are not allowed here":
        return "a list item is not allowed here", here, "begin the list on a line of its own, or write `[A, B]`"
    if problem == "could not find expected ':'" and context_at is not None:
        return "a key needs a `:` and a value", _line_from(source, context_at), "write `KEY: VALUE`"
    if (found := _BAD_FLOW.fullmatch(problem)) is not None:
        return (
            f"`,` or `{found[1]}` is missing here",
            here,
            f"close the bracket with `{found[1]}`, or separate with `,`",
        )
    if (found := _BAD_NODE.fullmatch(problem)) is not None:
        if text[at : at + 1] == ":":
            return "a value cannot begin with `:` here", here, 'put it in quotes, as IPv6 addresses are: `"::1"`'
        return f"a value is missing before `{here.text.strip() or 'the end'}`", here, "write the value, or remove this"
    if problem.startswith("expected <block end>"):
        return "the indentation fits nothing above", _line_from(source, at), "indent the keys of one mapping alike"
    return f"this is not YAML: {problem or context}", here, "the page of this code shows the form of the file"


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
