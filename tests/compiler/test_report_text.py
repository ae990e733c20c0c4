"""Diagnostics as text: the form of the contract to the letter, and whatever a source may hold."""

from __future__ import annotations

import re

import pytest

from egressc.diagnostics import Diagnostic, Level, Related
from egressc.report_text import render
from egressc.source import Source, Span


def source(text, name="p.egress"):
    return Source.of(name, text)


def at(src, word, nth=0):
    start = -1
    for _ in range(nth + 1):
        start = src.text.index(word, start + 1)
    return Span(src, start, start + len(word))


def text_of(*diagnostics, colour=False, width=100):
    return render(diagnostics, colour=colour, width=width)


def lines_of(*diagnostics, **options):
    return text_of(*diagnostics, **options).split("\n")


def test_the_example_of_the_contract():
    src = source("\n" * 30 + "        to    microsoft-revokation\n", "policies/entra-private-network-connector.egress")
    found = text_of(
        Diagnostic(
            code="E0207",
            message="no endpoint set is called `microsoft-revokation`",
            span=at(src, "microsoft-revokation"),
            label="not defined here, nor in the one imported file",
            help="did you mean `microsoft-revocation`? (policies/microsoft/certificates.egress:4)",
        )
    )
    assert (
        found
        == """\
error[E0207]: no endpoint set is called `microsoft-revokation`
  --> policies/entra-private-network-connector.egress:31:15
   |
31 |         to    microsoft-revokation
   |               ^^^^^^^^^^^^^^^^^^^^ not defined here, nor in the one imported file
   |
   = help: did you mean `microsoft-revocation`? (policies/microsoft/certificates.egress:4)

1 error
"""
    )


def test_both_places_of_a_pair_are_shown():
    src = source("rule {\n  ports 443\n  to a.io\n  from x\n\n  ports 80\n}\n")
    diagnostic = Diagnostic(
        code="E0215",
        message="`ports` stands twice",
        span=at(src, "ports", 1),
        label="again",
        related=(Related(span=at(src, "ports"), text="first here"),),
    )
    assert lines_of(diagnostic)[1:9] == [
        " --> p.egress:6:3",
        "  |",
        "2 |   ports 443",
        "  |   ----- first here",
        "...",
        "6 |   ports 80",
        "  |   ^^^^^ again",
        "",
    ]


def test_a_line_between_two_places_is_shown_and_another_file_has_its_own_excerpt():
    src, other = source("one\ntwo\nthree\n"), source("x\nfour\n", "other.egress")
    diagnostic = Diagnostic(
        code="E0215",
        message="m",
        span=at(src, "three"),
        related=(Related(span=at(src, "one"), text="here"), Related(span=at(other, "four"), text="there")),
        help="h",
    )
    assert lines_of(diagnostic)[1:] == [
        " --> p.egress:3:1",
        "  |",
        "1 | one",
        "  | --- here",
        "2 | two",
        "3 | three",
        "  | ^^^^^",
        " ::: other.egress:2:1",
        "  |",
        "2 | four",
        "  | ---- there",
        "  |",
        "  = help: h",
        "",
        "1 error",
        "",
    ]


def test_two_marks_on_one_line():
    src = source("ports 443 ports 80\n")
    diagnostic = Diagnostic(
        code="E0215",
        message="m",
        span=at(src, "ports", 1),
        label="b",
        related=(Related(span=at(src, "ports"), text="a"),),
    )
    assert lines_of(diagnostic)[3:6] == ["1 | ports 443 ports 80", "  |           ^^^^^ b", "  | ----- a"]


def test_the_head_of_the_wider_block_is_shown():
    src = source('allow web "W" {\n  to a.io\n\n  ports 443 tls\n}\n')
    diagnostic = Diagnostic(code="E0215", message="m", span=at(src, "tls"), context=Span(src, 0, len(src.text)))
    assert lines_of(diagnostic)[3:7] == ['1 | allow web "W" {', "...", "4 |   ports 443 tls", "  |             ^^^"]


@pytest.mark.parametrize(
    ("text", "word", "line", "underline"),
    [
        ("\tto\tx.io", "x.io", "    to  x.io", "        ^^^^"),
        ("漢字 bad", "bad", "漢字 bad", "     ^^^"),
        ("a 漢字 b", "漢字", "a 漢字 b", "  ^^^^"),
        ("e\u0301 bad", "bad", "e\u0301 bad", "  ^^^"),
        ("\x1b[31m bad", "bad", "U+001B[31m bad", "           ^^^"),
        ("\u202ebad x", "bad", "U+202Ebad x", "      ^^^"),
        ("a\u200bb", "\u200b", "aU+200Bb", " ^^^^^^"),
        ("x \U000e0041 bad", "bad", "x U+E0041 bad", "          ^^^"),
        ("bad\r\n", "bad", "bad", "^^^"),
    ],
)
def test_what_a_terminal_would_act_on_is_spelled_out(text, word, line, underline):
    src = source(text)
    found = lines_of(Diagnostic(code="E0215", message="m", span=at(src, word)))
    assert found[3:5] == [f"1 | {line}", f"  | {underline}"]


def test_messages_and_names_cannot_act_on_the_terminal_either():
    src = source("x", "a\x1b[2J.egress")
    found = text_of(
        Diagnostic(code="E0215", message="m \x1b[1m", span=at(src, "x"), label="l\u202e", help="h\x07\nsecond")
    )
    assert "\x1b" not in found
    assert "\u202e" not in found
    assert "\x07" not in found
    assert "= help: hU+0007\n          second" in found


@pytest.mark.parametrize(("text", "start", "place", "line"), [
    ("", 0, "1:1", "1 |"), ("abc", 3, "1:4", "1 | abc"), ("abc\n", 4, "2:1", "2 |"), ("\n", 0, "1:1", "1 |"),
])  # fmt: skip
def test_a_place_with_nothing_in_it(text, start, place, line):
    src = source(text)
    found = lines_of(Diagnostic(code="E0215", message="m", span=Span(src, start, start), label="here"))
    assert found[1] == f" --> p.egress:{place}"
    assert found[3] == line
    assert found[4].endswith("^ here")


def test_a_place_of_several_lines_is_underlined_to_the_end_of_the_first():
    src = source("allow {\n  to x\n}\n")
    found = lines_of(Diagnostic(code="E0215", message="m", span=Span(src, 0, len(src.text)), label="all of it"))
    assert found[3:5] == ["1 | allow {", "  | ^^^^^^^ all of it"]


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("start", [0, 5, 500, 990, 1000])
@pytest.mark.parametrize("char", ["a", "漢", "\t"])
def test_a_long_line_is_cut_to_what_is_marked(width, start, char):
    src = source(char * start + "BAD" + char * (1000 - start))
    found = lines_of(Diagnostic(code="E0215", message="m", span=Span(src, start, start + 3), label="l"), width=width)
    line, mark = found[3].removeprefix("1 | "), found[4].removeprefix("  | ")
    columns = sum(2 if c == "漢" else 1 for c in line)
    assert columns <= max(width - 4, 20)
    before = line[: line.index("BAD")]
    assert mark == " " * sum(2 if c == "漢" else 1 for c in before) + "^^^ l"


def test_a_marked_word_that_is_longer_than_the_terminal():
    src = source("to " + "x" * 5000 + " ports")
    found = lines_of(Diagnostic(code="E0215", message="m", span=at(src, "x" * 5000)), width=60)
    assert len(found[3]) <= 60
    assert len(found[4]) <= 60
    assert found[3].endswith("…")


def test_a_megabyte_on_one_line_takes_no_time():
    src = source("x" * 1_000_000)
    many = [Diagnostic(code="E0215", message="m", span=Span(src, n * 1000, n * 1000 + 3)) for n in range(1000)]
    assert len(text_of(*many)) < 1_000_000


def test_a_file_without_a_place():
    assert (
        text_of(Diagnostic(code="E0200", message="there is no file `x`", file="x", help="check it"))
        == "error[E0200]: there is no file `x`\n --> x\n  = help: check it\n\n1 error\n"
    )
    assert text_of(Diagnostic(code="E0520", message="no", help="yes")).startswith("error[E0520]: no\n  = help: yes\n")


def test_nothing_to_say():
    assert text_of() == ""


def test_colour_is_only_added():
    src = source("to x\n")
    diagnostics = [
        Diagnostic(code=code, message="m", span=at(src, "x"), label="l", help="h", group=group)
        for code in ("E0215", "W0242", "N0604")
        for group in ("", "g")
    ]
    plain, coloured = text_of(*diagnostics), text_of(*diagnostics, colour=True)
    assert "\x1b[1;31merror[E0215]\x1b[0m" in coloured
    assert "\x1b[1;33mwarning[W0242]\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain
    assert "\x1b" not in plain


def approximation(code, number, level=None, group="edge account"):
    src = source(f'allow rule-{number} "R" {{\n')
    return Diagnostic(
        code=code,
        message=f"`p/rule-{number}` on `edge`: no accounts",
        span=at(src, f"rule-{number}"),
        label="wider",
        help="accept it",
        group=group,
        subject=f"p/rule-{number}",
        changed_level=level,
    )


def test_many_approximations_of_one_kind_are_one_block():
    found = text_of(*(approximation("W0601", n) for n in range(10_000)))
    assert found.count("warning[W0601]") == 1
    assert "= also: `p/rule-1`, `p/rule-2`, `p/rule-3`, `p/rule-4`, … (10000 rules in all)" in found
    assert len(found.split("\n")) < 12
    two = text_of(*(approximation("W0601", n) for n in range(2)))
    assert "= also: `p/rule-1` (2 rules in all)" in two
    assert "also" not in text_of(approximation("W0601", 0))


def test_one_rule_on_several_artefacts_of_a_firewall_is_counted_once():
    found = text_of(approximation("W0601", 1), approximation("W0601", 1), approximation("W0601", 2))
    assert "= also: `p/rule-2` (2 rules in all)" in found


def test_notes_are_one_line_for_each_kind():
    notes = [approximation("W0601", n, Level.NOTE) for n in range(3)] + [approximation("N0604", 1, group="edge other")]
    assert text_of(*notes) == (
        "note[W0601]: `p/rule-0` on `edge`: no accounts (and 2 more rules)\nnote[N0604]: `p/rule-1` on `edge`: no accounts\n"
    )
    mixed = text_of(notes[0], approximation("W0605", 1, group="edge apex"))
    assert "no accounts\n\nwarning[W0605]" in mixed


def test_levels_of_one_reason_stand_apart():
    found = text_of(approximation("W0601", 1), approximation("W0601", 2, Level.ERROR), approximation("W0601", 3))
    assert found.count("warning[W0601]") == 1
    assert found.count("error[W0601]") == 1
    assert found.endswith("\n1 error, 2 warnings\n")


def test_every_error_is_shown_with_its_place_also_when_there_are_thousands():
    found = text_of(*(approximation("E0607", n) for n in range(3000)))
    assert found.count("error[E0607]") == 11
    for number in (0, 9, 10, 11, 2999):
        assert f"`p/rule-{number}` on `edge`" in found
    assert "= also: p.egress:1:7: `p/rule-11` on `edge`: no accounts\n" in found
    assert "          p.egress:1:7: `p/rule-2999` on `edge`: no accounts\n" in found
    assert found.endswith("\n3000 errors\n")


def test_errors_without_a_group_are_never_put_together():
    src = source("x y")
    found = text_of(*(Diagnostic(code="E0207", message=f"m{n}", span=at(src, "y")) for n in range(50)))
    assert found.count("error[E0207]") == 50
