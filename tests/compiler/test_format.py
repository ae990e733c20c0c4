"""The formatter: ``tests/data/fmt/NAME.in`` becomes ``NAME.golden``, and that stays as it is."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

import egressc.format
from egressc.format import FormatDefectError, check_format, format_source
from egressc.format_layout import WIDTH
from egressc.format_meaning import meaning
from egressc.parse import parse
from egressc.read_source import read_source
from egressc.source import Source

DATA = Path(__file__).parents[1] / "data" / "fmt"
MORE = count()
GOLDEN = sorted(DATA.glob("*.golden"))


def formatted(data):
    result = check_format(read_source(data, name="p.egress"))
    assert result.diagnostics == ()
    return result.text.encode()


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_in_becomes_golden(path, golden):
    golden(path, formatted(path.with_suffix(".in").read_bytes()))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_stays_golden(path):
    assert formatted(path.read_bytes()) == path.read_bytes()


def test_no_list_of_a_golden_file_is_wider_than_the_width():
    for path in GOLDEN:
        for line in path.read_text("utf-8").splitlines():
            words = line.split()
            assert len(line) <= WIDTH or '"' in line or len(words) == 2, line


def test_every_shipped_policy_is_formatted():
    policies = sorted((Path(__file__).parents[2] / "policies").rglob("*.egress"))
    assert policies
    for path in policies:
        assert formatted(path.read_bytes()) == path.read_bytes(), path


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", " \t"])
def test_nothing_is_formatted_as_nothing(text):
    assert formatted(text.encode()) == b""


def test_a_file_of_comments():
    assert formatted(b"\n\n# a\r\n  # b  \n\n\n#c") == b"# a\n# b\n\n#c\n"


def test_syntax_errors_are_handed_on():
    result = check_format(Source.of("p.egress", "polcy p"))
    assert (result.text, [d.code for d in result.diagnostics]) == (None, ["E0106"])


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda text: text.replace("a.example", "b.example"), "another meaning"),
        (lambda text: text.replace("b.example", ""), "another meaning"),
        (lambda text: text.replace("# c", ""), "other comments"),
        (lambda text: text.replace("}", ""), "cannot be read"),
        (lambda text: text + "\n" * next(MORE), "formatted again"),
        (
            lambda text: text.replace("a.example  # c\n    b.example", "b.example  # c\n    a.example"),
            "another meaning",
        ),
    ],
)
def test_the_proof_fails_when_the_formatter_is_broken(monkeypatch, broken, message):
    source = Source.of("p.egress", "endpoints e {\n    a.example  # c\n    b.example\n}\n")
    assert check_format(source).text == source.text
    monkeypatch.setattr(egressc.format, "format_source", lambda file: broken(format_source(file)))
    with pytest.raises(FormatDefectError, match=message):
        check_format(source)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("endpoints e { a.b }", "endpoints e { a.c }"),
        ("endpoints e { a.b }", "endpoints e { service-tag a.b }"),
        ('import "a"', 'import "b"'),
        ("parameter p", "parameter p labels"),
        ("parameter p", 'parameter p ""'),
        ('policy p "d" { }', 'template policy p "d" { }'),
        ('policy p "d" { allow a "d" { } }', 'policy p "d" { deny a "d" { } }'),
        ('policy p "d" { log }', 'policy p "d" { log off }'),
        ("service-account s { linux-user a }", 'service-account s { linux-user "a" }'),
        ('policy p "d" { allow a "d" { to a b } }', 'policy p "d" { allow a "d" { to a except b } }'),
    ],
)
def test_meaning_tells_trees_apart(one, other):
    trees = [parse(Source.of("p.egress", text))[0] for text in (one, other, f" {one} # c")]
    assert meaning(trees[0]) != meaning(trees[1])
    assert meaning(trees[0]) == meaning(trees[2])
