"""Quoting: every text comes back from the script as it went in, and nothing of it stands outside a literal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from powershell_tree import assignments_of, errors_of, parse

from egressc.targets.windows_firewall.quote import field_text, quote

HOSTILE = [
    "",
    "'",
    "''",
    "O'Brien",
    '"; Remove-Item C:\\ -Recurse; "',
    "$(calc) $env:PATH ${x} `n `0 `'",
    "’; calc; ‘ ‚ ‛",  # noqa: RUF001 - the quotes that PowerShell takes for '
    "“x” „y‟",
    "caf\xe9 \u202eevil\u202c \u200b\ufeff",
    "\U0001f525 fire \U0001f1ee\U0001f1ea",
    "a\tb\x00c\x1b[31m\x7f\x85\u2028",
    "'@\n@'",
    "@'",
    "#> <# ]]> <![CDATA[ --%",
    "@file.dll,-100",
    "\xa0\xad\ud7ff\ue000\ufffd\U0010ffff",
    "Ñ Ò Â Б \u0412",
    "x" * 10_000,
    "é" * 10_000,
    "é'" * 5_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_come_back_unchanged(text):
    written = b"$x = " + quote(text).encode("ascii") + b"\n"
    assert errors_of(written) == []
    assert assignments_of(parse(written)) == {"x": text}


def test_quote_writes_the_documented_forms():
    assert quote("plain text") == "'plain text'"
    assert quote("O'Brien") == "'O''Brien'"
    assert quote("caf\xe9") == "('caf' + [char]0xE9)"
    assert quote("\u2019x") == "('' + [char]0x2019 + 'x')"
    assert quote("\U0001f525") == "('' + [char]0xD83D + [char]0xDD25)"


def test_nesting_of_sums_stays_shallow():
    written = b"$x = " + quote("é" * 10_000).encode("ascii")
    deepest = 0
    stack = [(parse(written), 0)]
    while stack:
        node, depth = stack.pop()
        depth += node.type == "additive_expression" and node.named_child_count > 1
        deepest = max(deepest, depth)
        stack.extend((child, depth) for child in node.children)
    # 10,000 characters: sums of at most 100 in sums of at most 100 in one
    assert 100 < deepest < 300


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_any_text_comes_back_unchanged(text):
    written = b"$x = " + quote(text).encode("ascii")
    assert b"\n" not in written
    assert errors_of(written) == []
    assert assignments_of(parse(written)) == {"x": text}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", "a/b"),
        ("a\r\nb\x00\x1b", "a b"),
        ("  x  ", "x"),
        ("y" * 50, "y" * 17 + "..."),
        ("z" * 20, "z" * 20),
        ("\U0001f525" * 10, "\U0001f525" * 10),
        ("\U0001f525" * 11, "\U0001f525" * 8 + "..."),
    ],
)
def test_fields_hold_one_line_without_pipes_in_utf16_units(text, expected):
    assert field_text(text, 20) == expected
    assert len(field_text(text, 20).encode("utf-16-le")) <= 40
