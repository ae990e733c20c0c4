"""Every diagnostic code that stands in the code has a page, and every page is of a code that is used."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from egressc.cli import main
from egressc.explain_code import codes, page_of, title_of

ROOT = Path(__file__).resolve().parent.parent
CODE = re.compile(r"[EWN][0-9]{4}")


def used_codes():
    """The codes that stand as literals in the code, with one file that has each."""
    found = {}
    for folder in ("compiler", "targets"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                    found.setdefault(node.value, path.relative_to(ROOT).as_posix())
    return found


USED = used_codes()
PAGES = sorted(p.stem for p in (ROOT / "docs" / "diagnostics").glob("*.md"))


def test_there_are_codes():
    assert len(USED) > 100
    assert {"E0207", "E0503", "W0601", "N0623"} <= set(USED)


def test_every_code_has_a_page_and_every_page_a_code():
    assert {code: file for code, file in USED.items() if code not in PAGES} == {}
    assert [page for page in PAGES if page not in USED] == []
    assert list(codes()) == PAGES


def test_a_code_is_one_diagnostic():
    letters = {}
    for code in USED:
        letters.setdefault(code[1:], set()).add(code[0])
    assert {number: found for number, found in letters.items() if len(found) > 1} == {}


@pytest.mark.parametrize("code", PAGES)
def test_a_page_has_a_title_an_explanation_and_an_example(code):
    text = page_of(code)
    first, blank, *rest = text.split("\n")
    title = re.fullmatch(rf"# {code}: (.+[^.\s])", first)
    assert title, first
    assert title[1] == title_of(code)
    assert not re.match(r"(?:The|A|An|This|There|No|Not) ", title[1]), "titles begin in lower case"
    assert blank == ""
    assert rest[0] and not rest[0].startswith(("#", "```")), "what it means comes first"
    assert sum(line.startswith("```") for line in rest) >= 2, "an example"
    assert sum(line.startswith("```") for line in rest) % 2 == 0, "each example ends"
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("code", ["E0207", "e0207", "N0623"])
def test_pages_are_found_by_explain(code, capsys):
    assert main(["explain", code]) == 0
    assert capsys.readouterr().out == page_of(code.upper())


def test_a_code_that_does_not_exist_is_answered_with_a_near_one(capsys):
    assert main(["explain", "E0270"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "there is no diagnostic `E0270`" in said.err
    assert re.search(r"did you mean `E0\d\d\d`\?", said.err)
    assert main(["explain", "hello"]) == 2
    said = capsys.readouterr().err
    assert PAGES[0] in said
    assert PAGES[-1] in said
