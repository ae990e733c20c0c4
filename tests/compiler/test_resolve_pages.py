"""The pages of this pass: what each calls wrong gives its code and no other error, and what it says instead is right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from egressc.diagnostics import Level
from egressc.project import load_project
from egressc.resolve import resolve

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "diagnostics").glob("[EWN]02*.md"))
BLOCK = re.compile(r"^```egress\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def findings(folder, section):
    """The codes that the files of a section give: each block is ``main.egress`` unless it begins with its name."""
    (folder / "inventory.yaml").touch()
    for text in BLOCK.findall(section):
        named = re.match(r"# (\S+\.egress)\n", text)
        path = folder / (named[1] if named else "main.egress")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    project = load_project([str(folder / "main.egress")])
    found = [*project.diagnostics, *resolve(project)[1]]
    return [d.code for d in found], [d.code for d in found if d.level is Level.ERROR]


@pytest.mark.parametrize("page", [p for p in PAGES if "```egress" in p.read_text("utf-8")], ids=lambda p: p.stem)
def test_examples_of_a_page(page, tmp_path):
    before, wrong, right = re.split(r"^## (?:Wrong|Instead)$", page.read_text("utf-8"), flags=re.MULTILINE)
    assert before.startswith(f"# {page.stem}: ")
    (tmp_path / "wrong").mkdir()
    (tmp_path / "right").mkdir()
    found, errors = findings(tmp_path / "wrong", wrong)
    assert page.stem in found
    assert set(errors) <= {page.stem}
    assert findings(tmp_path / "right", right)[0] == []


def test_every_code_of_this_pass_has_a_page():
    modules = [
        p for name in ("project", "scope", "resolve", "binding") for p in (ROOT / "compiler").glob(f"{name}*.py")
    ]
    codes = {code for p in modules for code in re.findall(r'"([EWN]02\d\d)"', p.read_text("utf-8"))}
    assert codes == {p.stem for p in PAGES}
