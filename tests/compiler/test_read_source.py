"""The bytes of a file become a source, or a diagnostic that points at the byte."""

from __future__ import annotations

import pytest

from egressc.diagnostics import Diagnostic
from egressc.read_source import read_source
from egressc.source import Source


def test_text_comes_through_as_it_is():
    source = read_source("# ü\r\n\tx\r".encode(), name="a/b.egress", shown="../b.egress")
    assert isinstance(source, Source)
    assert (source.text, source.name, source.shown) == ("# ü\r\n\tx\r", "a/b.egress", "../b.egress")


def test_shown_is_the_name_if_nothing_else_is_said():
    assert read_source(b"", name="a.egress").shown == "a.egress"


def test_one_byte_order_mark_is_taken_off():
    assert read_source(b"\xef\xbb\xbfx", name="a").text == "x"
    assert read_source(b"\xef\xbb\xbf\xef\xbb\xbfx", name="a").text == "\ufeffx"


@pytest.mark.parametrize(
    ("data", "line", "column", "shown_line", "byte"),
    [
        (b"\xff", 1, 1, "\ufffd", "0xFF"),
        ("# ü\nimport ".encode() + b"\xfcx", 2, 8, "import \ufffdx", "0xFC"),
        (b"\xef\xbb\xbfa\xe2\x82", 1, 2, "a\ufffd", "0xE2"),  # cut off within a character; the mark is no column
        (b"a\n\xc0\xaf", 2, 1, "\ufffd\ufffd", "0xC0"),  # an overlong slash
        (b"\xed\xa0\x80", 1, 1, "\ufffd\ufffd\ufffd", "0xED"),  # half of a surrogate pair
    ],
)
def test_what_is_not_utf8(data, line, column, shown_line, byte):
    found = read_source(data, name="a")
    assert isinstance(found, Diagnostic)
    assert (found.code, found.span.line, found.span.column) == ("E0100", line, column)
    assert found.span.source.line_text(line) == shown_line
    assert byte in found.message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf16_is_named(encoding):
    text = "\ufeffimport" if encoding == "utf-16-be" else "import"
    found = read_source(text.encode(encoding), name="a")
    assert (found.code, found.span.start) == ("E0100", 0)
    assert "UTF-16" in found.help


@pytest.mark.parametrize(("encoding", "column"), [("utf-16-le", 2), ("utf-16-be", 1)])
def test_utf16_without_a_mark_is_one_mistake(encoding, column):
    found = read_source("import".encode(encoding), name="a")
    assert isinstance(found, Diagnostic)
    assert (found.code, found.span.line, found.span.column) == ("E0100", 1, column)
    assert "UTF-16" in found.help


@pytest.mark.parametrize("data", [b"", b"a\0b", b"\0\0\0\0", b"\xe9\0" * 4, b"abcdef"])
def test_a_nul_alone_makes_no_utf16(data):
    found = read_source(data, name="a")
    assert isinstance(found, Source) or "UTF-16" not in found.help
