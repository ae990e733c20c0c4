"""The pages of the parser: what each calls wrong gives its code and no other, and what it says instead is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from egressc.parse import parse
from egressc.source import Source

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "diagnostics").glob("E01[0-4]*.md"))
BLOCK = re.compile(r"^```egress\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def codes(section):
    return [d.code for text in BLOCK.findall(section) for d in parse(Source.of("page.egress", text))[1]]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page):
    before, wrong, right = re.split(r"^## (?:Wrong|Instead)$", page.read_text("utf-8"), flags=re.MULTILINE)
    assert re.match(rf"# {page.stem}: [a-z]", before)
    assert codes(wrong) == [page.stem] * len(BLOCK.findall(wrong))
    assert codes(right) == []


def test_every_code_of_the_parser_has_a_page():
    modules = [*(ROOT / "compiler").glob("parse*.py"), ROOT / "compiler" / "read_source.py"]
    found = {code for p in modules for code in re.findall(r'"([EWN]\d{4})"', p.read_text("utf-8"))}
    assert found == {p.stem for p in PAGES}
