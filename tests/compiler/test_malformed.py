"""Malformed policies: each gives exactly the expected errors, at the right place, and never a traceback.

``tests/data/malformed/words.txt`` holds single words, the other tables hold whole projects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from egressc.diagnostics import Level
from egressc.project import load_project
from egressc.resolve import resolve

DATA = Path(__file__).parents[1] / "data" / "malformed"


@dataclass(frozen=True)
class WordCase:
    kind: str
    code: str
    column: int
    word: str


@dataclass(frozen=True)
class FileCase:
    title: str
    expected: tuple[str, ...]
    files: tuple[tuple[str, bytes], ...]


def unescaped(text: str) -> str:
    return re.sub(r"\\x([0-9a-f]{2,4})", lambda m: chr(int(m[1], 16)), text)


def read_words() -> list[WordCase]:
    cases, kind = [], ""
    for line in (DATA / "words.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
        elif line and not line.startswith("#"):
            code, column, word = re.fullmatch(r"(\S+) +(\d+)  (.*)", line).groups()
            cases.append(WordCase(kind, code, int(column), unescaped(word)))
    return cases


def read_files() -> list[FileCase]:
    """``=== title``, ``! CODE FILE:LINE:COLUMN`` lines, then ``--- FILE`` (``escaped``: with ``\\xNN`` bytes) and its text."""
    cases = []
    for table in sorted(DATA.glob("*.cases")):
        for block in table.read_text("utf-8").split("\n=== ")[1:]:
            head, *parts = re.split(r"^--- ", block, flags=re.MULTILINE)
            title, *expected = head.strip().splitlines()
            files = []
            for part in parts:
                line, _, text = part.partition("\n")
                name, *how = line.split()
                data = text.encode()
                if how == ["escaped"]:
                    data = re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), data)
                files.append((name, data))
            assert all(line.startswith("! ") for line in expected), title
            cases.append(FileCase(title, tuple(line[2:] for line in expected), tuple(files)))
    return cases


WORDS = read_words()
FILES = read_files()


def errors_of(folder: Path, *, level: Level = Level.ERROR) -> list[str]:
    project = load_project([str(folder)])
    policy, problems = resolve(project)
    found = [*project.diagnostics, *problems]
    assert policy is None or not any(d.level is Level.ERROR for d in found)
    assert all(d.span is not None for d in found)
    return sorted(f"{d.code} {d.span.source.name}:{d.span.line}:{d.span.column}" for d in found if d.level is level)


def around(kind: str, words: str) -> tuple[str, str]:
    """A policy in which only ``words`` are wrong, before and after them."""
    rule = 'policy p "d" {\n  from g\n  allow r "d" {\n    '
    in_rule = {
        "endpoint": (f"{rule}to\n", "\n    ports 443/https\n  }\n}\n"),
        "tag": (f"{rule}to service-tag\n", "\n    ports 443/https\n  }\n}\n"),
        "port": (f"{rule}to a.example.com\n    ports\n", "\n  }\n}\n"),
        "date": (f"{rule}to a.example.com\n    ports 443/https\n    expires ", "\n  }\n}\n"),
        "name": (f"{rule}to a.example.com\n    ports 443/https\n    feature ", "\n  }\n}\n"),
        "reserved": (f"{rule}to a.example.com\n    ports 443/https\n    feature ", "\n  }\n}\n"),
    }
    return in_rule.get(kind) or (f'service-account a {{\n{kind} "', '"\n}\n')


@pytest.mark.parametrize("case", WORDS, ids=lambda c: f"{c.kind} {c.word[:30]!a}")
def test_word(case, tmp_path):
    before, after = around(case.kind, case.word)
    (tmp_path / "p.egress").write_text(before + case.word + after, "utf-8")
    line = before.count("\n") + 1
    column = len(before.rpartition("\n")[2]) + case.column
    assert errors_of(tmp_path) == [f"{case.code} p.egress:{line}:{column}"]


@pytest.mark.parametrize("kind", ["endpoint", "port"])
def test_words_together_are_each_reported_once(kind, tmp_path):
    # A mistake in the characters themselves costs the statement, so those words cannot stand beside others.
    cases = [case for case in WORDS if case.kind == kind and not case.code.startswith("E01")]
    before, after = around(kind, "")
    (tmp_path / "p.egress").write_text(before + "\n".join(case.word for case in cases) + after, "utf-8")
    first = before.count("\n") + 1
    expected = [f"{case.code} p.egress:{first + i}:{case.column}" for i, case in enumerate(cases)]
    assert errors_of(tmp_path) == sorted(expected)


@pytest.mark.parametrize("case", FILES, ids=lambda c: c.title)
def test_files(case, tmp_path):
    (tmp_path / "inventory.yaml").touch()
    for name, data in case.files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert errors_of(tmp_path) == sorted(case.expected)


def test_there_are_enough():
    assert len(WORDS) + len(FILES) >= 150
    assert len({case.title for case in FILES}) == len(FILES)
