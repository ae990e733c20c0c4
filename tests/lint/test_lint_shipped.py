"""What ships has nothing to lint, whole or file by file, and neither has a copy of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from egressc.cli import main
from egressc.lint.registry import NAMES

POLICIES = Path(__file__).parents[2] / "policies"


def found(capsys, path):
    assert main(["check", "--as-of", "2026-11-22", "--format", "json", str(path)]) == 0
    return [d for d in json.loads(capsys.readouterr().out)["diagnostics"] if d["code"] in NAMES]


@pytest.mark.parametrize("path", [POLICIES, *sorted(POLICIES.rglob("*.egress"))], ids=lambda p: p.stem)
def test_nothing_to_lint(path, capsys):
    assert [d for d in found(capsys, path) if d["level"] != "note"] == []
    assert [d for d in found(capsys, path) if d["message"].endswith("-allowance)")] == []


def test_the_allowances_are_needed(tmp_path, capsys):
    assert main(["init", str(tmp_path / "mine")]) == 0
    capsys.readouterr()
    assert found(capsys, tmp_path / "mine") == []
    for path in (tmp_path / "mine").rglob("*.egress"):
        text = path.read_text(encoding="utf-8")
        path.write_text(
            "".join(line for line in text.splitlines(keepends=True) if "egressc: allow" not in line), "utf-8"
        )
    assert {d["level"] for d in found(capsys, tmp_path / "mine")} == {"warning"}
