"""The pages about `explain` and `test` show what these verbs really say; an ellipsis stands for anything."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def blocks(page):
    return re.findall(
        r"^```(?:yaml)?\n(.*?)^```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def is_shown(line, output):
    """True if a line of a page is one of the output."""
    pattern = ".*".join(re.escape(piece) for piece in line.split("…"))
    return any(re.fullmatch(pattern, each) for each in output.splitlines())


@pytest.fixture
def place(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_answer_that_is_shown(place, run):
    (block,) = [each for each in blocks("explain.md") if each.startswith("$ ")]
    command, *lines = block.splitlines()
    words = command.split()
    assert words[:3] == ["$", "egressc", "explain"]
    status, out, _ = run(*words[2:])
    assert status == 0
    assert [line for line in lines if line and not is_shown(line, out)] == []


def test_the_failure_that_is_shown(place, run):
    (block,) = [each for each in blocks("test.md") if each.startswith("error[")]
    item = re.search(r"\{from: .*\}", block)[0]
    (place / "policies" / "mine.test.yaml").write_text(f"policy: main.egress\ndenies:\n  - {item}\n", encoding="utf-8")
    status, _, err = run("test", "policies/mine.test.yaml")
    assert status == 1
    assert [line for line in block.splitlines() if not is_shown(line, err)] == []
