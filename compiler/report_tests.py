"""What `egressc test` says: as text, as JSON, as JUnit XML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from egressc.markdown import visible
from egressc.policy_tests import Result
from egressc.report_json import diagnostic_json
from egressc.report_text import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from egressc.diagnostics import Diagnostic
    from egressc.policy_tests import FileResult, Outcome

_WIDTH = 120
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document can hold (section 2.2)."""


def tests_text(results: Sequence[FileResult]) -> str:
    """A line for each file, and one for all."""
    lines = []
    for each in results:
        counts = ", ".join(_counts([each]))
        lines.append(f"{visible(each.shown)}: {'could not be run' if each.broken else counts}")
    if len(results) > 1:
        broken = sum(each.broken for each in results)
        more = [f"{broken} file{'s' if broken != 1 else ''} could not be run"] if broken else []
        lines.append(f"{len(results)} files: {', '.join([*_counts(results), *more])}")
    return "".join(f"{line}\n" for line in lines)


def _counts(results: Sequence[FileResult]) -> Iterator[str]:
    for result, word in ((Result.PASSED, "passed"), (Result.FAILED, "failed"), (Result.ERROR, "could not be run")):
        number = sum(each.count(result) for each in results)
        if number or result is Result.PASSED:
            yield f"{number} {word}"


def tests_json(results: Sequence[FileResult], as_of: date) -> dict[str, Any]:
    """The results as ``grammar/test.schema.json`` describes them, without the diagnostics that stop a run."""
    return {
        "version": 1,
        "as_of": as_of.isoformat(),
        "passed": sum(each.count(Result.PASSED) for each in results),
        "failed": sum(each.count(Result.FAILED) for each in results),
        "errors": sum(each.count(Result.ERROR) + each.broken for each in results),
        "files": [
            {
                "file": each.shown,
                "could_not_run": each.broken,
                "diagnostics": [diagnostic_json(d) for d in each.diagnostics],
                "expectations": [_outcome_json(outcome) for outcome in each.outcomes],
            }
            for each in results
        ],
    }


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "kind": outcome.kind.value,
        "result": outcome.result.value,
        "line": outcome.span.line,
        "column": outcome.span.column,
        "diagnostics": [diagnostic_json(d) for d in outcome.diagnostics],
    }


def tests_junit(results: Sequence[FileResult], as_of: date) -> str:
    """The results as JUnit XML, for whatever shows test results.

    It is valid against both common schemas (`junit-10.xsd` of Jenkins' xunit plugin, and `JUnit.xsd` of Windy Road):
    what they want and a deterministic run has not got is `localhost`, no time, and the day for `expires`.
    """
    suites = [_suite(number, each, as_of) for number, each in enumerate(results)]
    body = "".join(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n{body}</testsuites>\n'


def _suite(number: int, each: FileResult, as_of: date) -> str:
    failures, errors = each.count(Result.FAILED), each.count(Result.ERROR) + each.broken
    tests = len(each.outcomes) + each.broken
    attributes = {
        "name": each.shown,
        "timestamp": f"{as_of.isoformat()}T00:00:00",
        "hostname": "localhost",
        "tests": str(tests),
        "failures": str(failures),
        "errors": str(errors),
        "time": "0",
        "id": str(number),
        "package": "egressc",
    }
    cases = [_case(each.shown, outcome) for outcome in each.outcomes]
    if each.broken:
        told = _element("error", "could not be run", each.diagnostics)
        cases.append(f"{_opening(each.shown, 'the file')}>\n{told}    </testcase>\n")
    written = " ".join(f"{key}={_attribute(value)}" for key, value in attributes.items())
    inside = "".join(cases)
    return f"  <testsuite {written}>\n    <properties/>\n{inside}    <system-out/>\n    <system-err/>\n  </testsuite>\n"


def _case(file: str, outcome: Outcome) -> str:
    start = _opening(file, f"{outcome.name} (line {outcome.span.line})")
    match outcome.result:
        case Result.PASSED:
            return f"{start}/>\n"
        case Result.FAILED:
            return f"{start}>\n{_element('failure', outcome.name, outcome.diagnostics)}    </testcase>\n"
        case Result.ERROR:
            return f"{start}>\n{_element('error', outcome.name, outcome.diagnostics)}    </testcase>\n"


def _opening(file: str, name: str) -> str:
    return f'    <testcase name={_attribute(name)} classname={_attribute(file)} time="0"'


def _element(kind: str, otherwise: str, diagnostics: Sequence[Diagnostic]) -> str:
    message = diagnostics[0].message if diagnostics else otherwise
    code = diagnostics[0].code if diagnostics else kind
    text = render(diagnostics, colour=False, width=_WIDTH)
    return f"      <{kind} message={_attribute(message)} type={_attribute(code)}>{escape(_plain(text))}</{kind}>\n"


def _attribute(text: str) -> str:
    return quoteattr(_plain(visible(text)))


def _plain(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
