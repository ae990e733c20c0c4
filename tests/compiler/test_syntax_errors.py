"""Syntax errors: ``tests/data/syntax/*.cases`` mark in the text what each diagnostic must point at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from egressc.parse import parse
from egressc.source import Source

DATA = Path(__file__).parents[1] / "data" / "syntax"
HIDDEN = str.maketrans({"␀": "\0", "␛": "\x1b", "␍": "\r", "␈": "\ufeff"})


def cases():
    for table in sorted(DATA.glob("*.cases")):
        for block in table.read_text("utf-8").split("\n=== ")[1:]:
            title, _, text = block.partition("\n")
            yield pytest.param(text.translate(HIDDEN), id=f"{table.stem}: {title}")


def unmarked(text):
    """The text without its marks, and the code, start and end that each mark asks for."""
    expected, parts, length = [], [], 0
    for index, part in enumerate(re.split("«(E[0-9]{4}) (.*?)»", text, flags=re.DOTALL)):
        if index % 3 == 1:
            code = part
            continue
        if index % 3 == 2:
            expected.append((code, length, length + len(part)))
        parts.append(part)
        length += len(part)
    return "".join(parts), expected


def found(text):
    return [(d.code, d.span.start, d.span.end) for d in parse(Source.of("case.egress", text))[1]]


@pytest.mark.parametrize("marked", list(cases()))
def test_each_mistake_is_reported_once_and_where_it_is(marked):
    text, expected = unmarked(marked)
    assert found(text) == expected


@pytest.mark.parametrize("marked", list(cases()))
def test_line_ends_make_no_difference(marked):
    text, expected = unmarked(marked)
    if "\r" not in text:
        assert [code for code, _, _ in found(text.replace("\n", "\r\n"))] == [code for code, _, _ in expected]


def only(text):
    (diagnostic,) = parse(Source.of("case.egress", text))[1]
    return diagnostic


def rule(body):
    return f'policy p "d" {{\n    from g\n    allow r "d" {{\n{body}\n    }}\n}}\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rule("to a.example ports 443 no-tls-inspecton"), "did you mean `no-tls-inspection`?"),
        (rule("source x"), "`to`, `ports`, `from`, `as`"),
        ('polcy p "d" { }', "did you mean `policy`?"),
        ("foo", "`import`, `parameter`, `endpoints`, `service-account`, `policy`, `template`"),
        (rule('owner "x"'), "it stands in a policy"),
        ('service-account s { ticket "x" }', "it stands in a policy and in a rule"),
        (rule("to any ports 443"), "write `any-address`"),
        ('policy p "d" { from any }', "write `any-group`"),
        ('policy p "d" { as any }', "leave `as` out"),
        ("service-account s { linux-user log }", '`linux-user "log"`'),
        (rule('to "a.example" ports 443'), "write `a.example`"),
        ('policy p "d" { owner network security }', 'write `"network security"`'),
        ('policy my access "d" { }', "write `my-access`"),
        (rule("to a.example ports 443 log on"), "`log off`"),
        (rule("to { a.example } ports 443"), "without braces"),
        (rule("to a.example except ports 443"), "`except` lists no endpoint"),
        (rule("to ports 443"), "`to` lists no endpoint"),
        (rule("to a.example ports to"), "`to` is a reserved word"),
        ("endpoints e { service-tag }", "`service-tag AzureMonitor`"),
        ('policy p "a \\" b" { }', 'write `""` for one quote'),
        ('policy p "d" { owner "a\nb" }', "a string stands on one line"),
    ],
)
def test_says_what_to_write_instead(text, expected):
    diagnostic = only(text)
    assert expected in f"{diagnostic.help} {diagnostic.message}"


def test_an_unclosed_block_shows_where_that_was_noticed():
    text = 'policy p "d" {\n    from g\n\npolicy q "d" {\n}\n'
    (related,) = only(text).related
    assert related.span.start == text.index("policy q")


def test_a_block_that_closed_too_early_shows_where():
    text = 'policy p "d" {\n}\nallow r "d" { to a.example ports 443 }\n'
    (related,) = only(text).related
    assert related.span.start == text.index("}")


def test_what_is_right_comes_through():
    text = (
        'import "a"\n'
        "import b\n"
        "endpoints e { a.example\n b.example }\n"
        'policy p "d" {\n    ownr "o"\n    from g\n'
        '    allow r "d" { to }\n    allow s "d" { to a.example ports 443 }\n    allow "x" { to b.example }\n}\n'
        'policy "q" { }\n'
    )
    file, diagnostics = parse(Source.of("case.egress", text))
    assert [d.code for d in diagnostics] == ["E0111", "E0106", "E0108", "E0110", "E0110"]
    imported, endpoints, policy, unnamed = file.items
    at_policy, at_rule = (f"unnamed-{text.index(name)}" for name in ('"q"', '"x"'))
    assert (unnamed.name.text, unnamed.damaged) == (at_policy, True)
    assert (imported.path.value, file.damaged) == ("a", True)
    assert ([e.text for e in endpoints.entries], endpoints.damaged) == (["a.example", "b.example"], False)
    assert ([s.keyword.text for s in policy.settings], policy.damaged) == (["from"], True)
    assert [(r.name.text, r.damaged, [s.keyword.text for s in r.settings]) for r in policy.rules] == [
        ("r", True, []),
        ("s", False, ["to", "ports"]),
        (at_rule, True, ["to"]),
    ]


def test_what_a_list_absorbed_is_taken_out_of_it():
    file, _ = parse(Source.of("case.egress", rule("to a.example except b.a.example\nprts 443")))
    (read,) = file.items[0].rules
    (to,) = read.settings
    assert read.damaged
    assert ([v.text for v in to.values], [v.text for v in to.exceptions]) == (["a.example"], ["b.a.example"])


@pytest.mark.parametrize(
    "body",
    [
        "to log-servers port ports 443",
        "to form logs ports 443/https from fom",
        "to too ports 443",
        "to a.example ports 443 as ass any",
        "to a.example ports https",
    ],
)
def test_names_that_look_like_keywords_are_no_mistake_of_the_grammar(body):
    expected = ["E0109"] if body.endswith("any") else []
    assert [d.code for d in parse(Source.of("case.egress", rule(body)))[1]] == expected


def test_nothing_is_left_of_a_file_that_is_no_policy():
    assert parse(Source.of("case.egress", "lorem ipsum"))[0] is None


def test_after_a_thousand_errors_it_is_enough():
    file, diagnostics = parse(Source.of("case.egress", "import\n" * 5000))
    assert (file, len(diagnostics), {d.code for d in diagnostics[:-1]}) == (None, 1001, {"E0108"})
    assert (diagnostics[-1].code, diagnostics[-1].span.line) == ("E0117", 1001)
    diagnostics = parse(Source.of("case.egress", '"\n' * 5000))[1]
    assert (len(diagnostics), diagnostics[-1].code, diagnostics[-1].span.line >= 1000) == (1001, "E0117", True)


@pytest.mark.parametrize(
    "text",
    [
        "{" * 30_000,
        "}" * 30_000,
        '"' * 30_001,
        "${" * 30_000,
        "a" * 300_000,
        "\r" * 30_000,
        "a\0" * 30_000,
        "{}" * 30_000,
    ],
    ids=lambda text: text[:4].encode("unicode_escape").decode(),
)
def test_long_rubbish_gives_diagnostics_only(text):
    file, diagnostics = parse(Source.of("case.egress", text))
    assert file is None
    assert 1 <= len(diagnostics) <= 1001
