"""Diagnostics as text on a terminal: the contract's example from real files, odd characters, long lines, groups, colour."""

from __future__ import annotations

import re
import unicodedata

import pytest

from egressc.api import load
from egressc.diagnostics import Diagnostic, Level, Related
from egressc.report_text import render
from egressc.source import Source, Span

EXAMPLE = """\
error[E0207]: no endpoint set is called `microsoft-revokation`
  --> policies/entra-private-network-connector.egress:31:15
   |
31 |         to    microsoft-revokation
   |               ^^^^^^^^^^^^^^^^^^^^ not defined here, nor in the one imported file
   |
   = help: did you mean `microsoft-revocation`? (policies/microsoft/certificates.egress:4)
"""
"""The example of the command line's contract, to the letter."""


def at(source, text, nth=0):
    """The span of the nth occurrence of a text."""
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(text, start + 1)
    return Span(source, start, start + len(text))


def plain(*diagnostics, width=80):
    return render(diagnostics, colour=False, width=width)


def columns(text):
    """How many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def error(span, **more):
    return Diagnostic(code="E0207", message="no such thing", span=span, **more)


def marked(source, text, width=80, nth=0, **more):
    """The line shown and its underline, without the gutter."""
    lines = plain(error(at(source, text, nth), **more), width=width).splitlines()
    number = next(i for i, line in enumerate(lines) if re.match(r" *\d+ \|", line))
    return tuple(line.partition("| ")[2] for line in lines[number : number + 2])


def assert_underlined(shown, underline, expected):
    """The marks stand exactly below a text, counted in columns."""
    left = columns(shown.partition(expected)[0])
    assert expected in shown
    assert underline == " " * left + "^" * columns(expected)


def test_the_example_of_the_contract(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "policies" / "microsoft"
    folder.mkdir(parents=True)
    (folder / "certificates.egress").write_text(
        "# Certificates\n\n\nendpoints microsoft-revocation {\n    crl.microsoft.com\n}\n", encoding="utf-8"
    )
    lines = [
        'import "microsoft/certificates.egress"',
        *["#"] * 24,
        'policy entra "Connector" {',
        "    from  connectors",
        "",
        '    allow status "Revocation" {',
        "        ports 80/http",
        "        to    microsoft-revokation",
        "    }",
        "}",
    ]
    (tmp_path / "policies" / "entra-private-network-connector.egress").write_text(
        "\n".join(lines) + "\n", encoding="utf-8"
    )
    loaded = load(["policies/entra-private-network-connector.egress"])
    assert plain(*loaded.diagnostics) == EXAMPLE + "\n1 error\n"


def test_nothing_to_say():
    assert plain() == ""


def test_without_a_place():
    text = plain(Diagnostic(code="E0200", message="cannot read `x`", file="a/x", help="look"))
    assert text == "error[E0200]: cannot read `x`\n --> a/x\n  = help: look\n\n1 error\n"


def test_tabs_become_columns():
    source = Source.of("a.egress", "\tto\t\tserver\n")
    shown, underline = marked(source, "server")
    assert "\t" not in shown + underline
    assert shown == "    to      server"
    assert_underlined(shown, underline, "server")


@pytest.mark.parametrize("before", ["日本語", "한국", "\uff21\uff22", "e\u0301", "ab"])
def test_wide_and_combining_characters(before):
    source = Source.of("a.egress", f'allow "{before}" server\n')
    assert_underlined(*marked(source, "server"), "server")


def test_a_wide_word_is_underlined_as_wide_as_it_is():
    source = Source.of("a.egress", "to 日本 x\n")
    assert marked(source, "日本") == ("to 日本 x", "   ^^^^")


@pytest.mark.parametrize(
    "char", ["\x00", "\x07", "\x1b", "\x7f", "\x9b", "\r", "\u202e", "\u200f", "\u2066", "\u2028", "\ufeff"]
)
def test_nothing_in_the_source_acts_on_the_terminal(char):
    source = Source.of(f"a{char}b.egress", f"to a{char}b server\n")
    other = Source.of("b.egress", f"to {char} first\n")
    text = plain(
        Diagnostic(
            code="E0207",
            message=f"m{char}m",
            label=f"l{char}l",
            help=f"h{char}h",
            span=at(source, "server"),
            related=(Related(span=at(other, "first"), text=f"r{char}r"),),
        )
    )
    assert char not in text
    name = f"U+{ord(char):04X}"
    assert text.count(name) == 7, "message, place, line, label, help, and of the related place line and text"
    assert "\x1b" not in text
    assert_underlined(*marked(source, "server"), "server")


@pytest.mark.parametrize("width", [20, 30, 40, 80])
@pytest.mark.parametrize("fill", ["x", "日"])
@pytest.mark.parametrize("place", ["begin", "middle", "end"])
def test_a_long_line_is_cut_to_what_is_marked(width, fill, place):
    before, after = {"begin": (0, 5000), "middle": (2500, 2500), "end": (5000, 0)}[place]
    source = Source.of("a.egress", fill * before + " server " + fill * after + "\n")
    shown, underline = marked(source, "server", width=width)
    gutter = len("1 | ")
    assert columns(shown) + gutter <= max(width, 20 + gutter)
    assert_underlined(shown, underline, "server")
    assert shown.startswith("…") == (before > 0)
    assert shown.endswith("…") == (after > 0)


@pytest.mark.parametrize("width", [1, 20, 40, 80])
def test_what_is_marked_can_be_longer_than_the_line(width):
    source = Source.of("a.egress", "to " + "y" * 3000 + " end\n")
    shown, underline = marked(source, "y" * 3000, width=width)
    assert columns(shown) <= max(width, 24)
    assert columns(underline) <= max(width, 24)
    assert "y" in shown
    assert "…" in shown
    assert underline.strip(" ^") == ""
    assert "^" in underline


def test_a_very_long_line_takes_no_time():
    source = Source.of("a.egress", "日" * 2_000_000 + " server " + "\t" * 2_000_000)
    assert_underlined(*marked(source, "server"), "server")


@pytest.mark.parametrize(
    ("text", "place", "shown"),
    [("", "1:1", ""), ("policy", "1:7", "policy"), ("policy\n", "2:1", ""), ("a\nb\r\n", "3:1", "")],
)
def test_the_end_of_a_file(text, place, shown):
    source = Source.of("a.egress", text)
    lines = plain(error(Span(source, len(text), len(text)), label="here")).splitlines()
    number = place.split(":")[0]
    assert lines[1] == f" --> a.egress:{place}"
    assert lines[3] == f"{number} | {shown}".rstrip()
    assert lines[4] == f"  | {' ' * len(shown)}^ here"


def test_a_span_of_several_lines_is_marked_on_its_first():
    source = Source.of("a.egress", "allow a {\n  to b\n}\nmore\n")
    assert marked(source, "a {\n  to b\n}") == ("allow a {", "      ^^^")


def test_carriage_returns_at_the_end_of_lines_are_not_shown():
    source = Source.of("a.egress", "to server\r\nports\r\n")
    assert marked(source, "server") == ("to server", "   ^^^^^^")


def test_the_gutter_is_as_wide_as_the_largest_number():
    source = Source.of("a.egress", "first\n" + "\n" * 120 + "second\n")
    lines = plain(error(at(source, "second"), related=(Related(span=at(source, "first"), text="before"),))).splitlines()
    assert lines[1] == "   --> a.egress:122:1"
    assert "  1 | first" in lines
    assert "    | ----- before" in lines
    assert "..." in lines
    assert "122 | second" in lines
    assert "    | ^^^^^^" in lines


def test_related_places_of_the_same_line_and_of_another_file():
    source = Source.of("a.egress", "one two\n")
    other = Source.of("b.egress", "\n\nthree\n")
    text = plain(
        error(
            at(source, "two"),
            label="wrong",
            related=(Related(span=at(source, "one"), text="near"), Related(span=at(other, "three"), text="far")),
        )
    )
    assert text == (
        "error[E0207]: no such thing\n"
        " --> a.egress:1:5\n"
        "  |\n"
        "1 | one two\n"
        "  |     ^^^ wrong\n"
        "  | --- near\n"
        " ::: b.egress:3:1\n"
        "  |\n"
        "3 | three\n"
        "  | ----- far\n"
        "\n"
        "1 error\n"
    )


def test_the_context_is_shown_above():
    source = Source.of("a.egress", "policy web {\n\n  x\n\n  to server\n}\n")
    diagnostic = error(at(source, "server"), context=Span(source, 0, len(source.text)))
    lines = plain(diagnostic).splitlines()
    assert lines[3:7] == ["1 | policy web {", "...", "5 |   to server", "  |      ^^^^^^"]


def many(source, code, number, **more):
    return [
        Diagnostic(code=code, message=f"message {i}", span=at(source, f"w{i:02}"), group="g", subject=f"p/r{i}", **more)
        for i in range(number)
    ]


@pytest.fixture
def words():
    return Source.of("a.egress", "".join(f"w{i:02}\n" for i in range(40)))


def test_many_like_warnings_are_one(words):
    text = plain(*many(words, "W0603", 7))
    assert text.count("warning[W0603]") == 1
    assert "message 0" in text
    assert "message 1" not in text
    assert "= also: `p/r1`, `p/r2`, `p/r3`, `p/r4`, … (7 rules in all)" in text


def test_up_to_five_rules_are_all_named(words):
    assert "= also: `p/r1`, `p/r2`, `p/r3`, `p/r4` (5 rules in all)" in plain(*many(words, "W0603", 5))


def test_like_warnings_about_one_rule_name_no_others(words):
    same = [Diagnostic(code="W0603", message="m", span=at(words, f"w0{i}"), group="g", subject="p/r") for i in (1, 2)]
    text = plain(*same)
    assert text.count("warning[") == 1
    assert "also" not in text


def test_many_like_notes_are_one_line(words):
    assert plain(*many(words, "N0604", 3)) == "note[N0604]: message 0 (and 2 more rules)\n"
    assert plain(*many(words, "N0604", 2)) == "note[N0604]: message 0 (and 1 more rule)\n"
    assert plain(*many(words, "N0604", 1)) == "note[N0604]: message 0\n"


def test_groups_do_not_mix_codes_or_levels(words):
    both = [*many(words, "W0603", 2), *many(words, "W0605", 2), *many(words, "W0606", 2, changed_level=Level.NOTE)]
    text = plain(*both)
    assert [text.count(code) for code in ("[W0603]", "[W0605]", "note[W0606]")] == [1, 1, 1]


def test_every_error_is_told_however_many(words):
    text = plain(*many(words, "E0607", 30))
    assert text.endswith("\n30 errors\n")
    for i in range(30):
        assert f"a.egress:{i + 1}:1" in text, "its place"
        assert re.search(rf"message {i}\b", text), "its message"
    assert text.count("error[E0607]") < 30


def test_errors_without_a_group_are_never_joined(words):
    text = plain(*[Diagnostic(code="E0207", message="m", span=at(words, f"w{i:02}")) for i in range(40)])
    assert text.count("error[E0207]") == 40


def test_the_last_line_counts(words):
    first, second, third = (at(words, f"w0{i}") for i in range(3))
    warning = Diagnostic(code="W0601", message="m", span=third)
    assert plain(error(first)).endswith("\n\n1 error\n")
    assert plain(error(first), error(second), warning).endswith("\n\n2 errors, 1 warning\n")
    assert "1 warning" not in plain(warning), "warnings alone are no reason to count"
    assert plain(warning.at_level(Level.ERROR)).startswith("error[W0601]: ")


COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("code", ["E0207", "W0601", "N0604"])
def test_colour_changes_nothing_but_colour(words, code):
    other = Source.of("b.egress", "x\n")
    found = Diagnostic(
        code=code,
        message="m",
        span=at(words, "w03"),
        label="l",
        help="h",
        related=(Related(span=at(other, "x"), text="r"), Related(span=at(words, "w00"), text="s")),
    )
    coloured = render([found], colour=True, width=80)
    assert COLOUR.sub("", coloured) == plain(found)
    assert "\x1b" not in plain(found)
    for line in coloured.splitlines():
        used = COLOUR.findall(line)
        assert not used or used[-1] == "\x1b[0m", "colour does not run into the next line"
    head = {"E": "\x1b[1;31m", "W": "\x1b[1;33m", "N": "\x1b[1;36m"}[code[0]]
    assert coloured.startswith(head)
    assert f"{head}" in next(line for line in coloured.splitlines() if "^" in line)
