"""Diagnostics for machines: the JSON form of every verb, and SARIF 2.1.0."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from egressc import __version__
from egressc.diagnostics import Level
from egressc.explain_code import title_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.diagnostics import Diagnostic
    from egressc.source import Span

_SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
"""The schema that the OASIS standard names (SARIF 2.1.0 Errata 01, section 3.13.3)."""

_SARIF_LEVELS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "note"}


def diagnostic_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """One diagnostic with the keys that scripts rely on; places count lines and columns from 1, ends not included."""
    file, line, column, end_line, end_column = diagnostic.file or None, None, None, None, None
    if diagnostic.span is not None:
        file = diagnostic.span.source.shown
        line, column, end_line, end_column = _places(diagnostic.span)
    result: dict[str, Any] = {
        "code": diagnostic.code,
        "level": diagnostic.level.value,
        "message": diagnostic.message,
        "file": file,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "help": diagnostic.help or None,
    }
    if diagnostic.label:
        result["label"] = diagnostic.label
    if diagnostic.related:
        result["related"] = [
            {
                "message": related.text,
                "file": related.span.source.shown,
                **dict(zip(("line", "column", "end_line", "end_column"), _places(related.span), strict=True)),
            }
            for related in diagnostic.related
        ]
    return result


def json_text(value: object) -> str:
    """A value as a JSON document. Pure ASCII: it means the same whatever encoding the output has."""
    return json.dumps(value, indent=2) + "\n"


def to_json(diagnostics: Iterable[Diagnostic], **more: object) -> str:
    """The JSON form of a verb: ``diagnostics`` and whatever else the verb has to say."""
    return json_text({"diagnostics": [diagnostic_json(d) for d in diagnostics], **more})


def to_sarif(diagnostics: Iterable[Diagnostic]) -> str:
    """The diagnostics as one SARIF 2.1.0 run; paths are relative to the working directory where they are below it."""
    found = list(diagnostics)
    codes = sorted({d.code for d in found})
    rules = [
        {
            "id": code,
            "shortDescription": {"text": title_of(code) or code},
            "help": {"text": f"egressc explain {code}"},
        }
        for code in codes
    ]
    run = {
        "tool": {"driver": {"name": "egressc", "semanticVersion": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(d, codes.index(d.code)) for d in found],
    }
    return json_text({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(diagnostic: Diagnostic, index: int) -> dict[str, Any]:
    parts = [diagnostic.message]
    if diagnostic.label:
        parts.append(diagnostic.label)
    if diagnostic.help:
        parts.append(f"help: {diagnostic.help}")
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": _SARIF_LEVELS[diagnostic.level],
        "message": {"text": "\n".join(parts)},
    }
    if diagnostic.span is not None:
        result["locations"] = [_location(diagnostic.span)]
    elif diagnostic.file:
        result["locations"] = [{"physicalLocation": {"artifactLocation": {"uri": _uri(diagnostic.file)}}}]
    if diagnostic.related:
        result["relatedLocations"] = [
            {**_location(related.span), "message": {"text": related.text}} for related in diagnostic.related
        ]
    return result


def _location(span: Span) -> dict[str, Any]:
    line, column, end_line, end_column = _places(span)
    region = {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
    return {
        "physicalLocation": {"artifactLocation": {"uri": _uri(span.source.shown)}, "region": region},
    }


def _places(span: Span) -> tuple[int, int, int, int]:
    line, column = span.source.line_column(span.start)
    end_line, end_column = span.source.line_column(max(span.end, span.start))
    return line, column, end_line, end_column


def _uri(path: str) -> str:
    """A path as a URI: absolute with its scheme, others relative to where the run began."""
    written = quote(path.replace("\\", "/"), safe="/", errors="replace")
    return f"file://{written}" if written.startswith("/") else written
