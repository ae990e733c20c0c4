"""Each diagnostic code has a page, each page a code, and `egressc explain` shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from egressc.cli import main
from egressc.lint.registry import NAMES

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "diagnostics").glob("*.md"))
FENCE = re.compile(r"^```[a-z]*\n.*?^```$", re.MULTILINE | re.DOTALL)


def codes_in_the_code():
    """Each code that stands as a literal string in a module, with the modules."""
    found = {}
    for folder in ("compiler", "targets"):
        for path in (ROOT / folder).rglob("*.py"):
            for match in re.finditer(r"""(["'])([EWN]0\d{3})\1""", path.read_text(encoding="utf-8")):
                found.setdefault(match[2], set()).add(path.name)
    return found


def test_codes_and_pages_are_the_same():
    used, pages = codes_in_the_code(), {page.stem for page in PAGES}
    assert len(used) > 100, "the modules were not read"
    assert not pages & NAMES.keys(), "the page of a lint rule is its docstring"
    assert NAMES.keys() <= used.keys()
    pages |= NAMES.keys()
    assert {code: sorted(used[code]) for code in sorted(used.keys() - pages)} == {}, "codes without a page"
    assert sorted(pages - used.keys()) == [], "pages of codes that nothing uses"


def test_no_two_codes_share_their_digits():
    digits = [code[1:] for code in (*NAMES, *(page.stem for page in PAGES))]
    assert sorted({each for each in digits if digits.count(each) > 1}) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_explains(page):
    text = page.read_text(encoding="utf-8")
    first, rest = text.split("\n", 1)
    assert re.fullmatch(rf"# {page.stem}: \S.*[^.\s]", first)
    prose = [line for line in FENCE.sub("", rest).splitlines() if line.strip() and not line.startswith("#")]
    assert len(prose) >= 2
    assert text.count("\n```") % 2 == 0, "a fence that is not closed"
    if page.stem.startswith("E"):
        assert FENCE.search(text), "an error is explained with an example"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_explain_shows_the_page(page, capsys):
    assert main(["explain", page.stem]) == 0
    out, err = capsys.readouterr()
    assert out == page.read_text(encoding="utf-8")
    assert err == ""


def test_the_case_of_the_letter_does_not_matter(capsys):
    assert main(["explain", "e0207"]) == 0
    assert capsys.readouterr().out.startswith("# E0207: ")


def test_two_codes_at_once(capsys):
    assert main(["explain", "E0207", "W0601", "--format", "json"]) == 0
    pages = json.loads(capsys.readouterr().out)["pages"]
    assert [page["code"] for page in pages] == ["E0207", "W0601"]
    assert [page["markdown"].split(":")[0] for page in pages] == ["# E0207", "# W0601"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("E0601", "W0601"),
        ("0601", "W0601"),
        ("n0507", "W0507"),
        ("W0207", "E0207"),
        ("E207", "E0207"),
        ("207", "E0207"),
    ],
)
def test_the_same_digits_come_first(typed, meant, capsys):
    assert main(["explain", typed]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"there is no diagnostic `{typed}`" in err
    assert f"did you mean `{meant}`?" in err


@pytest.mark.parametrize("typed", ["E9999", "nonsense-that-is-long"])
def test_without_a_near_code_the_valid_ones_are_named(typed, capsys):
    assert main(["explain", typed]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    stems = sorted([*NAMES, *(page.stem for page in PAGES)])
    for letter in "EWN":
        own = [stem for stem in stems if stem.startswith(letter)]
        assert f"{own[0]} to {own[-1]}" in err


def test_one_wrong_code_among_right_ones_shows_nothing(capsys):
    assert main(["explain", "E0207", "E9999"]) == 2
    assert capsys.readouterr().out == ""
