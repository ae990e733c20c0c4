import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iptables_machine import words

from egressc.targets.iptables.quote import cut_text, held_text, quoted, remark

HOSTILE = [
    'end" -j ACCEPT',
    "back\\slash",
    'both\\" -j ACCEPT -m comment --comment "',
    "$(id) `id` ${IFS} | & ; > < * ? ~ !",
    "tab\there",
    "nul\x00bell\x07escape\x1b[31m",
    "next\x85line \u2028 \u2029 \x0b\x0c",
    "right\u202eto\u2066left\u200f",
    "smart \u2018quotes\u2019 “double” \u201alow\u201b",
    "emoji 🧨 umlaut Ñ Ò Â Б",
    "]]> <!-- -->",
    "'single'",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_quoted_text_is_one_word(text):
    held = held_text(text)
    assert words(f"-A X -m comment --comment {quoted(held)} -j ACCEPT") == [
        "-A", "X", "-m", "comment", "--comment", held, "-j", "ACCEPT",
    ]  # fmt: skip


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_text_stays_one_word_on_one_line(text):
    held = held_text(text)
    assert len(held.splitlines()) <= 1
    assert words(f"a {quoted(held)} b") == ["a", held, "b"]
    assert held_text(held) == held


def test_only_what_cannot_be_shown_is_replaced():
    assert held_text("a\tb\x00c\u202ed") == "a b\ufffdc\ufffdd"
    assert held_text('Größe \u2018x\u2019 🧨 \\ " $(id)') == 'Größe \u2018x\u2019 🧨 \\ " $(id)'


@pytest.mark.parametrize(("text", "cut"), [
    ("a" * 255, "a" * 255),
    ("a" * 256, "a" * 255),
    ("ä" * 200, "ä" * 127),
    ("a" + "ä" * 200, "a" + "ä" * 127),
    ("🧨" * 64, "🧨" * 63),
])  # fmt: skip
def test_a_text_is_cut_between_characters(text, cut):
    assert cut_text(text) == cut
    assert len(cut_text(text).encode()) <= 255


@pytest.mark.parametrize("text", ["x" * 10_000, "-A X -j ACCEPT " * 1000, "🧨" * 10_000, "# #: hook filter INPUT", ""])
def test_remarks_are_short_comment_lines_that_hold_the_whole_text(text):
    lines = remark(text)
    assert all(line.startswith("# ") and len(line.encode()) < 1000 for line in lines)
    assert "".join(line[2:] for line in lines).replace(" ", "") == text.replace(" ", "")
