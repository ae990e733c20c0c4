"""YAML with positions. In the texts, « stands before the place where a diagnostic is expected."""

from __future__ import annotations

import pytest
import yaml

from egressc import located
from egressc.source import Source


def parse(text):
    return located.parse(Source.of("inventory.yaml", text))


def value_of(text):
    root, problems = parse(text)
    assert problems == ()
    return root.value


def expected(marked):
    """The text without its marks, and the line and column of each mark."""
    parts = marked.split("«")
    text, places = parts[0], []
    for part in parts[1:]:
        line = text.count("\n") + 1
        places.append((line, len(text) - (text.rfind("\n") + 1) + 1))
        text += part
    return text, places


MALFORMED = {
    "key twice": ("a: 1\n«a: 2\n", "E0401"),
    "key twice in a flow mapping": ("x: {a: 1, «a: 2}\n", "E0401"),
    "key twice, once in quotes": ('a: 1\n«"a": 2\n', "E0401"),
    "key twice, deep down": ("x:\n- y:\n    k: 1\n    «k: 2\n", "E0401"),
    "key three times": ("a: 1\n«a: 2\n«a: 3\n", "E0401 E0401"),
    "number as key twice": ("1: a\n«1: b\n", "E0401"),
    "NUL": ("a: «\x00b\n", "E0402"),
    "escape character": ("a: x\nb: «\x1b[31m\n", "E0402"),
    "carriage return alone": ("a: b # c«\rd: e\n", "E0402"),
    "line separator": ("a: b # c«\u2028d: e\n", "E0402"),
    "next line": ("a: b # c«\x85d: e\n", "E0402"),
    "carriage return by escape": ('a: «"b\\rc"\n', "E0402"),
    "byte order mark inside": ("a: b\nc: «\ufeffd\n", "E0402"),
    "control character by escape": ('a: «"CONTOSO\\bob"\n', "E0402"),
    "surrogate by escape": ('a: «"\\uD800"\n', "E0402"),
    "NUL by escape": ('a: [«"\\0"]\n', "E0402"),
    "empty": ("«", "E0403"),
    "only a comment": ("«# nothing\n", "E0403"),
    "only null": ("«~\n", "E0403"),
    "list at the top": ("«- a\n- b\n", "E0403"),
    "text at the top": ("«hello\n", "E0403"),
    "second document": ("a: 1\n«---\nb: 2\n", "E0404"),
    "second, empty document": ("a: 1\n«---\n", "E0404"),
    "alias of nothing": ("a: «*b\n", "E0405"),
    "alias of itself": ("a: &x\n  b: [«*x]\n", "E0405"),
    "anchor twice": ("a: &x 1\nb: «&x 2\n", "E0405"),
    "python tag": ("a: «!!python/object/apply:os.system [ls]\n", "E0406"),
    "binary tag": ("a: «!!binary aGVsbG8=\n", "E0406"),
    "own tag": ("a: «!mine b\n", "E0406"),
    "set": ("a: «!!set {b, c}\n", "E0406"),
    "too deep in brackets": ("a: " + "[" * 31 + "«" + "[" * 100_000, "E0407"),
    "too deep in blocks": ("".join(" " * i + "k:\n" for i in range(32)) + " " * 32 + "«k: 1\n", "E0407"),
    "list as key": ("«[a, b]: c\n", "E0408"),
    "mapping as key": ("? «{a: b}\n: c\n", "E0408"),
    "null as key": ("«~: c\n", "E0408"),
    "no key": ("a: {? «: c}\n", "E0408"),
    "merge key": ("a: &a {x: 1}\nb:\n  «<<: *a\n", "E0409"),
    "tab indents": ("a:\n«\tb: 1\n", "E0400"),
    "tab indents after spaces": ("a:\n  b: 1\n «\tc: 1\n", "E0400"),
    "bracket open": ("a: «[b, c\n", "E0400"),
    "brace open": ("a: «{b: c\n\n", "E0400"),
    "bracket open, keys follow": ("a:\n  b: «[1, 2\n  c: 3\n", "E0400"),
    "brace open, keys follow": ("a:\n  b: «{x: [1]\nc: 3\n", "E0400"),
    "comma missing in a line": ("a: {b: [1] «c: 2}\n", "E0400"),
    "comma missing at the end of a line": ('a: [\n  "b«"  # c\n  "d"\n]\n', "E0400"),
    "comma missing behind quotes": ('a: ["b" «"c"]\n', "E0400"),
    "bracket closed by a brace": ("a: [b«}\n", "E0400"),
    "brace too many": ("a: «}\n", "E0400"),
    "brace too many at the end": ("a: {b: 1}«}\n", "E0400"),
    "colon missing before a brace": ("a:\n  b {c: [1]«}\n", "E0400"),
    "text behind the end": ("a: 1\n...\n«b: 2\n", "E0400"),
    "text behind the whole": ("{a: 1}\n«b: 2\n", "E0400"),
    "double quote open": ('a: «"b\n', "E0400"),
    "single quote open": ("a: 1\nb: «'c\nd: 1\n", "E0400"),
    "quote open in brackets": ('a: [«"b]\n', "E0400"),
    "quote open until the next": ('a: «"b\nc: "d"\n', "E0400"),
    "text behind quotes": ('a: "b" «c\n', "E0400"),
    "quote in quotes": ("a: {b: 'it'«s'}\n", "E0400"),
    "backslash in double quotes": ('a: "CONTOSO«\\wapc$"\n', "E0400"),
    "escape that is no character": ('a: "x«\\UFFFFFFFF"\n', "E0400"),
    "IPv6 in brackets": ("a: [«::1]\n", "E0400"),
    "IPv6 that ends in colons": ("a: fe80:«:\n", "E0400"),
    "two colons": ("a: b«: c\n", "E0400"),
    "key without colon": ("a: 1\n«b\nc: 2\n", "E0400"),
    "key without colon, keys below": ("a:\n  «b\n    c: 2\n", "E0400"),
    "first key without colon": ("«a\n\nb: 2\n", "E0400"),
    "colon without key": ("a: 1\n«: 2\n", "E0400"),
    "directive that is none": ("«%a: 1\n", "E0400"),
    "indented too far": ("a:\n  b: {}\n   «c: {}\n", "E0400"),
    "indented too little": ("a:\n    b: {}\n  «c: {}\n", "E0400"),
    "question mark": ("a: «? b\n", "E0400"),
    "list after a colon": ("a: «- b\n", "E0400"),
    "pattern that begins with a star": ("a: «*/*\n", "E0400"),
    "at sign": ("a: «@b\n", "E0400"),
    "backquote": ("a: «`b`\n", "E0400"),
    "per cent": ("a: «%b\n", "E0400"),
    "comma too many": ("a: [b, «, c]\n", "E0400"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_each_mistake_is_reported_once_at_its_place(case):
    marked, codes = MALFORMED[case]
    text, places = expected(marked)
    _, problems = parse(text)
    found = [(d.code, d.span.line, d.span.column) for d in problems]
    assert found == [(code, *place) for code, place in zip(codes.split(), places, strict=True)]
    assert all(d.message and "\n" not in d.message and not d.message.endswith(".") for d in problems)


def test_without_libyaml_the_same_is_reported(monkeypatch):
    monkeypatch.delattr(yaml, "CSafeLoader")
    for case, (marked, codes) in MALFORMED.items():
        text, places = expected(marked)
        _, problems = parse(text)
        assert [(d.code, d.span.line, d.span.column) for d in problems] == [
            (code, *place) for code, place in zip(codes.split(), places, strict=True)
        ], case


def test_the_first_of_two_keys_is_shown_and_kept():
    root, (problem,) = parse("a: 1\nb:\n  c: 1\na: 2\n")
    assert root.value == {"a": 1, "b": {"c": 1}}
    assert [(r.span.line, r.span.text) for r in problem.related] == [(1, "a")]


def test_several_mistakes_are_all_reported():
    _, problems = parse("a: 1\na: 2\nb: !x c\nd: {e: 1, e: 2}\n")
    assert [(d.code, d.span.line) for d in problems] == [("E0401", 2), ("E0406", 3), ("E0401", 4)]


def test_aliases_that_multiply_are_refused_without_being_followed():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 40)]
    root, (problem,) = parse("\n".join(lines))
    assert root is None
    assert problem.code == "E0405"


def test_an_alias_inside_its_own_value_is_called_that():
    _, (problem,) = parse("a: &x\n  b: [*x]\n")
    assert "inside" in problem.message


def test_an_alias_stands_for_its_value_and_is_shown_where_it_is_used():
    root, problems = parse("a: &x [1, b]\nc: *x\n")
    assert problems == ()
    assert root.value == {"a": [1, "b"], "c": [1, "b"]}
    assert root.span_of(["c"]).text == "*x"
    assert root.span_of(["c", 1]).text == "b"


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "Yes", "NO", "y", "n"])
def test_only_true_and_false_are_truth_values(word):
    assert value_of(f"{word}: {word}") == {word: word}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("443", 443),
        ("-5", -5),
        ("10.1", 10.1),
        ("1e3", 1000.0),
        ("010", "010"),
        ("0x10", "0x10"),
        ("0o17", "0o17"),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("1:20", "1:20"),
        ("190:20:30", "190:20:30"),
        ("2027-01-01", "2027-01-01"),
        ("2027-01-01 10:00:00", "2027-01-01 10:00:00"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("9" * 5000, "9" * 5000),
        ("10.20.0.10", "10.20.0.10"),
        ("2001:db8::1", "2001:db8::1"),
        ("=", "="),
        ('"10.1"', "10.1"),
        ("'true'", "true"),
        ("!!str 10.1", "10.1"),
        ("! 10.1", "10.1"),
    ],
)
def test_a_word_means_what_it_says(written, value):
    found = value_of(f"a: {written}")["a"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_texts():
    assert value_of("1: a\nno: b\n2027-01-01: c\n10.10: d\n") == {"1": "a", "no": "b", "2027-01-01": "c", "10.10": "d"}


def test_spans_cover_what_is_written():
    text = "groups:  # é\r\n  a:\r\n    networks: [10.0.0.1, \"fe80::/10\"]\r\n    x:\r\n    - y: 1\r\n    -\r\nb: 'it''s'\r\n"
    root, problems = parse(text)
    assert problems == ()
    assert root.key_span_of(["groups"]).text == "groups"
    assert root.key_span_of(["groups", "a", "networks"]).text == "networks"
    assert root.span_of(["groups", "a", "networks"]).text == '[10.0.0.1, "fe80::/10"]'
    assert root.span_of(["groups", "a", "networks", 1]).text == '"fe80::/10"'
    assert root.key_span_of(["groups", "a", "networks", 1]).text == '"fe80::/10"'
    assert root.span_of(["groups", "a", "x", 0]).text == "y: 1"
    assert root.span_of(["groups", "a", "x", 1]).text == "-"
    assert root.span_of(["groups", "a"]).text.endswith("    -")
    assert root.span_of(["b"]).text == "'it''s'"
    assert root.value["b"] == "it's"
    assert (root.span_of(["groups", "a", "networks", 1]).line, root.span_of(["groups", "a", "networks", 1]).column) == (
        3,
        26,
    )


def test_a_value_that_is_left_out_is_shown_at_its_key():
    root, _ = parse("a: {b: , c}\nd:\n")
    assert [root.span_of(path).text for path in (["a", "b"], ["a", "c"], ["d"])] == ["b", "c", "d"]


def test_part_of_a_text():
    root, _ = parse("a: abcdef\nb: 'abcdef'\nc: \"abc\\x64ef\"\n")
    assert root.at(["a"]).part(2, 4).text == "cd"
    assert root.at(["b"]).part(2, 4).text == "cd"
    assert root.at(["c"]).part(2, 4).text == '"abc\\x64ef"'


def test_source_of_bytes():
    source, problems = located.source_of("inventory.yaml", b"\xef\xbb\xbfa: \xc3\xa9\n")
    assert (source.text, problems) == ("a: é\n", ())
    source, (problem,) = located.source_of("inventory.yaml", b"a: 1\nb: \xff\n")
    assert source is None
    assert (problem.span.line, problem.span.column) == (2, 4)
    for data in ("a: 1\n".encode("utf-16"), b"a: \xed\xa0\x80\n"):
        assert located.source_of("inventory.yaml", data)[0] is None
