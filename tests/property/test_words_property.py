"""Words: whatever is written gives a value or a problem with a place, and a normal form is its own normal form."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from egressc import words
from egressc.host_syntax import host_path
from egressc.problems import Problem

pytestmark = pytest.mark.property

label = st.text("aBz09-_*é", min_size=0, max_size=6)
host = st.lists(label, min_size=1, max_size=5).map(".".join)
path = st.lists(
    st.sampled_from(["", "/", "/pki", "/Ä", "%2F", "%61", "%zz", "%", "*", "?", "#", "//", "/ß", ";", "="]), max_size=4
)
likely = st.builds(lambda h, p: h + "".join(p), host, path)
parameter = st.sampled_from(["${r}", "${r-1}", "${R}", "${", "${}", "$", "}"])
template = st.lists(st.one_of(parameter, label, st.just(".")), max_size=8).map("".join)
anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=' \t\r\n"'), max_size=20)


@settings(max_examples=400)
@given(st.one_of(likely, template, anything))
@example("\0.example")
@example("xn--\U0010ffff.example")
@example("a\u200d.example")
@example("K.example")
@example("İ.example")
@example("\uff11.\uff12.\uff13.\uff14")
@example("\u00ad.example")
@example("℀.example")
def test_any_text_gives_a_value_or_a_tight_problem(text):
    word = words.endpoint_word(text)
    assert words.endpoint_word(text) == word
    if isinstance(word, Problem):
        assert 0 <= word.start <= word.end <= len(text)
        assert word.start < word.end or not text
        assert re.fullmatch("E03[0-4][0-9]", word.code)
        assert word.message
        assert word.help
    elif isinstance(word, words.HostWord):
        spelled = word.pattern.text + (word.path or "")
        assert words.endpoint_word(spelled) == word
        assert re.fullmatch(r"(?:\*\.)?[a-z0-9_*-]+(?:\.[a-z0-9_*-]+)+|\*\.[a-z0-9_-]+", word.pattern.text)
        assert word.path is None or re.fullmatch(r"(?:/[a-z0-9._~!$&'()+,;=:@%-]+)+", word.path)
    elif isinstance(word, words.TemplateWord):
        filled = words.fill(word, dict.fromkeys(word.parameters, "x"))
        plain = re.sub(r"\$\{[^}]*\}", "x", text)
        written = host_path(plain)
        assert isinstance(filled, Problem) == isinstance(written, Problem)
        if not isinstance(filled, Problem):
            assert (filled.pattern, filled.path) == written


@given(st.one_of(anything, st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True)))
def test_any_date_and_name(text):
    for read in (words.date_word(text), words.name_word(text)):
        if isinstance(read, Problem):
            assert 0 <= read.start <= read.end <= len(text)
    day = words.date_word(text)
    if not isinstance(day, Problem):
        assert day.isoformat() == text
    name = words.name_word(text)
    assert isinstance(name, Problem) == (not re.fullmatch("[a-z][a-z0-9-]{0,62}", text) or text in words.RESERVED)


@given(
    st.lists(
        st.sampled_from(["a", "%41", "%61", "%2f", "/", "B", "%c3%89", "é", "%ff", "-", "%20", "%7E", "~"]),
        min_size=1,
        max_size=6,
    )
)
def test_spellings_of_one_path_are_one_path(parts):
    written = "/x" + "".join(parts)
    word = words.endpoint_word(f"h.example{written}")
    shouted = words.endpoint_word(f"h.example{written.upper()}")
    if isinstance(word, Problem):
        assert isinstance(shouted, Problem)
        return
    assert word == shouted
    encoded = "".join(f"%{b:02X}" if b != 0x2F else "/" for b in _decoded(written))
    assert words.endpoint_word(f"h.example{encoded}") == word


def _decoded(text):
    return re.sub(rb"%([0-9a-fA-F]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())
