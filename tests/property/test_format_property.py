"""Properties of the parser and the formatter, on files with comments and line ends in every legal place."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from egressc.format import check_format
from egressc.format_meaning import meaning
from egressc.keywords import POLICY_SETTINGS, RESERVED, RULE_SETTINGS
from egressc.parse import parse, read_tokens
from egressc.parse_comments import members
from egressc.policy import BINDING_KINDS
from egressc.source import Source
from egressc.syntax import Import, Parameter, ServiceTag, Setting, Text, Word

pytestmark = pytest.mark.property

LETTERS = "abcxyz019.-*/:#$,=ü漢"


@st.composite
def words(draw):
    parts = draw(
        st.lists(st.one_of(st.text(LETTERS, min_size=1, max_size=8), st.just("${a-b}")), min_size=1, max_size=3)
    )
    word = "".join(parts)
    assume(not word.startswith(("#", "//", "/*")) and word not in RESERVED and word not in {"--", ";"})
    return word


strings = st.text("ab '\\{}#$\t\u2028ü", max_size=6).map(lambda text: f'"{text}"') | st.sampled_from(['""""', '"a""b"'])
tags = words().map(lambda word: ["service-tag", word])
entries = words().map(lambda word: [word]) | st.just(["any-address"]) | tags


def flat(lists):
    return [token for tokens in lists for token in tokens]


def some(values, least=1, most=4):
    return st.lists(values, min_size=least, max_size=most).map(flat)


def one(values):
    return values.map(lambda value: [value])


def after(keyword, *parts):
    return st.tuples(*parts).map(lambda found: [keyword, *flat(found)])


def maybe(values):
    return st.just([]) | values


SETTINGS = {
    "owner": one(strings),
    "reference": one(strings),
    "ticket": one(strings),
    "review-by": one(words()),
    "expires": one(words()),
    "feature": one(words()),
    "from": some(one(words()) | st.just(["any-group"])),
    "as": some(one(words())),
    "to": st.tuples(some(entries), maybe(after("except", some(entries)))).map(flat),
    "ports": some(one(words()) | st.just(["any"])),
    "log": maybe(st.just(["off"])),
    "no-tls-inspection": st.just([]),
    "tls-inspection": maybe(st.just(["may"])),
}


def block(head, members):
    return st.tuples(head, members).map(lambda found: [*found[0], "{", *found[1], "}"])


heads = st.tuples(one(words()), maybe(one(strings))).map(flat)
rules = block(
    st.tuples(st.sampled_from([["allow"], ["deny"]]), heads).map(flat),
    some(st.one_of([after(keyword, SETTINGS[keyword]) for keyword in RULE_SETTINGS]), least=0, most=5),
)
policies = block(
    st.tuples(st.sampled_from([["policy"], ["template", "policy"]]), heads).map(flat),
    some(
        st.one_of(
            [after(keyword, SETTINGS[keyword]) for keyword in POLICY_SETTINGS]
            + [after("include", one(words()))]
            + [rules] * 4,
        ),
        least=0,
        most=5,
    ),
)
items = st.one_of(
    after("import", one(strings)),
    after("parameter", one(words()), maybe(st.just(["labels"])), maybe(one(strings))),
    block(
        after("endpoints", heads),
        some(entries | block(st.just(["fallback"]), some(entries, least=0)), least=0),
    ),
    block(
        after("service-account", heads),
        some(st.one_of([after(kind, some(one(words()) | one(strings))) for kind in BINDING_KINDS]), least=0),
    ),
    policies,
    policies,
)

line_ends = st.sampled_from(["\n", "\r\n", "\n\n", "\n \n\t\n"])
comments = st.tuples(st.sampled_from(["#", "# c", '# "{', "#\t#  ", "# }ü"]), line_ends).map("".join)
gaps = st.one_of(
    st.just(""), st.just(" "), st.just("\t"), line_ends, comments, st.tuples(line_ends, comments).map("".join)
)


@st.composite
def files(draw):
    """A right file, as the list of its tokens and as a text with gaps between them."""
    tokens = draw(some(items, least=0, most=4))
    text = draw(gaps)
    for before, token in zip(["{", *tokens], tokens, strict=False):
        gap = draw(gaps)
        apart = before in "{}" or token in "{}" or before.endswith('"') != token.startswith('"')
        if not apart or (gap.startswith("#") and before not in "{}" and not before.endswith('"')):
            gap = gap if gap[:1].isspace() else f" {gap}"
        if before.endswith("$") and token == "{":
            gap = gap if gap[:1].isspace() else f" {gap}"
        text += gap + token
    last = tokens[-1] if tokens else "{"
    end = draw(gaps)
    return tokens, text + (f"\n{end}" if last not in "{}" and end.startswith("#") else end)


def read(text):
    source = Source.of("p.egress", text)
    file, diagnostics = parse(source)
    assert not diagnostics, (text, diagnostics[0].message)
    return source, file


@settings(max_examples=150, deadline=None)
@given(files())
def test_every_token_and_comment_is_read(found):
    tokens, text = found
    source, file = read(text)
    assert list(read_tokens(source)[0]) == tokens
    hung = sorted((c.span.start, c.text) for c in comments_on(file))
    assert tuple(text for _, text in hung) == read_tokens(source)[1]


@settings(max_examples=150, deadline=None)
@given(files())
def test_formatting_changes_layout_only_and_once(found):
    tokens, text = found
    source, file = read(text)
    formatted = check_format(source).text
    again, file_again = read(formatted)
    assert list(read_tokens(again)[0]) == tokens
    assert read_tokens(again)[1] == read_tokens(source)[1]
    assert meaning(file_again) == meaning(file)
    assert check_format(again).text == formatted
    assert "\r" not in formatted
    assert "\n\n\n" not in formatted
    assert formatted.endswith("\n") == bool(formatted)
    assert not any(line != line.rstrip(" \t") for line in formatted.split("\n"))


@settings(max_examples=100, deadline=None)
@given(files())
def test_the_second_reading_after_a_mistake_finds_the_same_tree(found):
    _, text = found
    _, file = read(text)
    broken, diagnostics = parse(Source.of("p.egress", f"{text}\n}}\n"))
    assert [(d.code, d.span.start) for d in diagnostics] == [("E0105", len(text) + 1)]
    if file.items:
        assert [meaning_and_place(item) for item in broken.items] == [meaning_and_place(item) for item in file.items]
    else:
        assert broken is None


@settings(max_examples=200, deadline=None)
@given(files(), st.data())
def test_a_mistake_never_goes_unreported_and_never_breaks_anything(found, data):
    _, text = found
    at = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(at, min(at + 3, len(text))))
    new = text[:at] + data.draw(st.text('{}"#$ \n\r\0a', max_size=3)) + text[end:]
    source = Source.of("p.egress", new)
    file, diagnostics = parse(source)
    assert all(d.message != "the policy cannot be read here" for d in diagnostics)
    assert all(0 <= d.span.start <= d.span.end <= len(new) for d in diagnostics)
    assert [d.span.start for d in diagnostics] == sorted(d.span.start for d in diagnostics)
    assert len({(d.span.start, d.code) for d in diagnostics}) == len(diagnostics)
    if not diagnostics:
        assert check_format(source).text is not None
    elif file is not None:
        damaged = [file, *(item for item in file.items if hasattr(item, "damaged"))]
        damaged += [member for item in damaged[1:] for member in getattr(item, "rules", ())]
        assert all(isinstance(node.damaged, bool) for node in damaged)


def naive(text):
    """The tokens and comments of a text by the rules of the language, one character at a time; ``None`` if it has none."""
    tokens, found, at = [], [], 0
    while at < len(text):
        character = text[at]
        if character.isspace():
            at += 1
        elif character == "#":
            end = min(text.find(c, at) % (len(text) + 1) for c in "\r\n")
            found.append(text[at:end].rstrip())
            at = end
        elif character in "{}":
            tokens.append(character)
            at += 1
        elif character == '"':
            end = at + 1
            while end < len(text) and text[end] not in "\r\n":
                if text[end] == '"' and text[end + 1 : end + 2] != '"':
                    break
                end += 2 if text[end] == '"' else 1
            if text[end : end + 1] != '"':
                return None
            tokens.append(text[at : end + 1])
            at = end + 1
        else:
            end = at
            while end < len(text) and not text[end].isspace() and text[end] not in '{}"':
                close = end + 2
                if text[end : end + 2] == "${":
                    while close < len(text) and not text[close].isspace() and text[close] not in '{}"':
                        close += 1
                end = close + 1 if text[end : end + 2] == "${" and text[close : close + 1] == "}" else end + 1
            tokens.append(text[at:end])
            at = end
    return tokens, found


@settings(max_examples=300, deadline=None)
@given(st.text('a#${}" \n', max_size=24))
def test_words_strings_and_comments_are_those_of_the_language(text):
    expected = naive(text)
    assume(expected is not None)
    words, comments = read_tokens(Source.of("p.egress", text))
    assert (list(words), list(comments)) == expected


def comments_on(node):
    """Every comment on a node and on what is in it."""
    own = node.comments
    yield from (*own.leading, *own.closing, *filter(None, (own.opening, own.trailing)))
    match node:
        case Import() | Parameter() | ServiceTag() | Word() | Text():
            parts = ()
        case Setting():
            parts = (*node.values, *(node.exceptions or ()))
        case _ if hasattr(node, "items"):
            parts = node.items
        case _ if hasattr(node, "kind"):
            parts = node.values
        case _ if hasattr(node, "name") and not hasattr(node, "description"):
            parts = ()
        case _:
            parts = members(node)
    for part in parts:
        yield from comments_on(part)


def meaning_and_place(node):
    return meaning(node), node.span.start, node.span.end
