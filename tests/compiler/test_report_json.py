"""Diagnostics for machines: the keys that scripts rely on, and SARIF 2.1.0."""

from __future__ import annotations

import json

from egressc.diagnostics import Diagnostic, Level, Related
from egressc.report_json import diagnostic_json, to_json, to_sarif
from egressc.source import Source, Span

SRC = Source.of("p.egress", "one\ntwö three\n", "some folder/p#1.egress")
THREE = Span(SRC, 8, 13)
EVERYTHING = Diagnostic(
    code="W0601",
    message="m → [x](y)",
    span=THREE,
    label="l",
    help="h",
    related=(Related(span=Span(SRC, 0, 3), text="there"),),
    changed_level=Level.ERROR,
)
CASES = (
    EVERYTHING,
    Diagnostic(code="E0200", message="no file", file="/abs/x y.egress"),
    Diagnostic(code="E0520", message="no firewall"),
    Diagnostic(code="N0604", message="n", span=Span(SRC, len(SRC.text), len(SRC.text))),
    Diagnostic(code="E0100", message="several lines", span=Span(SRC, 1, 10), file="ignored"),
    Diagnostic(code="E0100", message="empty file", span=Span(Source.of("e", ""), 0, 0)),
)


def test_the_fixed_keys():
    found = diagnostic_json(EVERYTHING)
    assert {key: found[key] for key in ("code", "level", "message", "file", "line", "column", "end_line", "end_column", "help")} == {
        "code": "W0601",
        "level": "error",
        "message": "m → [x](y)",
        "file": "some folder/p#1.egress",
        "line": 2,
        "column": 5,
        "end_line": 2,
        "end_column": 10,
        "help": "h",
    }  # fmt: skip
    assert found["related"] == [
        {"message": "there", "file": SRC.shown, "line": 1, "column": 1, "end_line": 1, "end_column": 4}
    ]


def test_what_is_not_there_is_null():
    found = diagnostic_json(CASES[2])
    for key in ("file", "line", "column", "end_line", "end_column", "help"):
        assert found[key] is None
    assert diagnostic_json(CASES[1])["file"] == "/abs/x y.egress"
    assert diagnostic_json(CASES[4])["end_line"] == 2


def test_the_document_is_ascii_and_says_more():
    text = to_json(CASES, firewalls=[])
    assert text.isascii()
    assert text.endswith("}\n")
    found = json.loads(text)
    assert found["firewalls"] == []
    assert [d["code"] for d in found["diagnostics"]] == [d.code for d in CASES]


def test_a_lone_surrogate_of_a_file_name_is_no_reason_to_fail():
    text = to_json([Diagnostic(code="E0200", message="m", file="a\udc80b")])
    assert text.isascii()
    assert to_sarif([Diagnostic(code="E0200", message="m", file="a\udc80b")]).isascii()


def test_sarif_results():
    log = json.loads(to_sarif(CASES))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "egressc"
    assert [rule["id"] for rule in driver["rules"]] == ["E0100", "E0200", "E0520", "N0604", "W0601"]
    assert all(rule["shortDescription"]["text"] != rule["id"] for rule in driver["rules"])
    first, absolute, nowhere, end, *_ = run["results"]
    assert first["ruleId"] == driver["rules"][first["ruleIndex"]]["id"] == "W0601"
    assert first["level"] == "error"
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "some%20folder/p%231.egress"
    assert place["region"] == {"startLine": 2, "startColumn": 5, "endLine": 2, "endColumn": 10}
    assert run["columnKind"] == "unicodeCodePoints"
    assert first["relatedLocations"][0]["message"]["text"] == "there"
    assert absolute["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "file:///abs/x%20y.egress"
    assert "locations" not in nowhere
    assert end["level"] == "note"
    assert end["locations"][0]["physicalLocation"]["region"]["startLine"] == 3
