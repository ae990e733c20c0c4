"""The data part of `firewall.ps1`, as the reader takes it: exactly what PowerShell would make of it, or nothing."""

import random

import pytest
from growth import assert_near_linear
from powershell_tree import assignments_of, parse
from test_windows_firewall_script import PIECES, data_of
from windows_models import DOMAIN_ACCOUNT, policy, rule

from egressc.meaning import UnreadableError
from egressc.targets.windows_firewall.read_data import Data
from egressc.targets.windows_firewall.read_script import read_script
from egressc.targets.windows_firewall.render import render

PLAIN = "$Site = @{\n    Name = 'x'\n}\n\n$Keywords = @()\n\n$Rules = @()\n\n"
RULE = "$Site = @{\n    Name = 'x'\n}\n\n$Keywords = @()\n\n$Rules = @(\n    @{\n        Name = VALUE\n    }\n)\n\n"


def value_of(text):
    ((_, record),) = Data(RULE.replace("VALUE", text), "f", 1).rules
    return record["Name"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("''", ""),
        ("'a b'", "a b"),
        ("'it''s'", "it's"),
        ("''''", "'"),
        ("'$(x) `n \"'", '$(x) `n "'),
        ("('caf' + [char]0xE9)", "caf\xe9"),
        ("('' + [char]0xD83D + [char]0xDD25 + ' hot')", "\U0001f525 hot"),
        ("('' + [char]0xD83D)", "\ud83d"),
        ("(('a' + [char]0x9) + ('b' + 'c'))", "a\tbc"),
        ("$true", True),
        ("$false", False),
        ("@('a')", ["a"]),
        ("@('a', 'b, c')", ["a", "b, c"]),
        ("@('a''b', 'c')", ["a'b", "c"]),
        ("@(('a' + [char]0xE9), 'c')", ["a\xe9", "c"]),
        ("@(\n            'a',\n            'b'\n        )", ["a", "b"]),
        ("@(\n            'a',\n            ('b' + [char]0xE9),\n            'c''d'\n        )", ["a", "b\xe9", "c'd"]),
    ],
)
def test_values(text, value):
    assert value_of(text) == value


@pytest.mark.parametrize(
    "text",
    [
        '"a"', "'a", "a", "1", "$null", "$env:TEMP", "$(calc)", "'a' + 'b'", "([char]0xE9 + 'a')", "[char]0xE9", "('a' + 'b'",
        "('a' + )", "()", "(('a')", "('a' + [char]0x1F525)", "('a' + [int]1)", "('a'; calc)", "@()", "@('a',)", "@('a' 'b')",
        "@('a', 'b'", "@('a', $x)", "@(@('a'))", "@{}", "'a\u2019b'", "'a\tb'", "'\u2018a'", "'a';", "'a' # why", "TRUE",
        "@(\n        'a'\n        )", "@(\n            'a'\n            )", "@(\n            'a',\n\n            'b'\n        )",
        "('a' -join 'b')", "('a'.Length + 'b')", "@('a').Count",
    ],
)  # fmt: skip
def test_what_is_no_literal_of_ours_is_refused_where_it_stands(text):
    with pytest.raises(UnreadableError) as caught:
        value_of(text)
    first = RULE.split("VALUE", maxsplit=1)[0].count("\n") + 1
    assert caught.value.file == "f"
    assert first <= caught.value.line <= first + text.count("\n") + 1


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("$Site = @{", "calc.exe\n$Site = @{"), 1),
        (("$Site", "$site"), 1),
        (("    Name = 'x'\n", "    Name = 'x'\n    Name = 'y'\n"), 3),
        (("    Name = 'x'\n", ""), 3),
        (("    Name = 'x'", "  Name = 'x'"), 2),
        (("    Name = 'x'", "    Na-me = 'x'"), 2),
        (("}\n\n", "}\n\ncalc.exe\n"), 5),
        (("$Keywords = @()\n\n", ""), 5),
        (("$Rules = @()\n\n", "$Rules = @()\n\ncalc.exe\n"), 9),
        (("$Rules = @()\n\n", "$Rules = @(\n)\n\n"), 8),
        (("$Rules = @()\n\n", "$Rules = @()\n"), 7),
        (("$Rules = @()\n\n", "$Rules = @()\r\n\r\n"), 7),
        (("$Keywords = @()", "$Keywords = @(calc)"), 5),
    ],
)
def test_nothing_stands_between_the_assignments(change, line):
    with pytest.raises(UnreadableError) as caught:
        Data(PLAIN.replace(*change), "f", 1)
    assert caught.value.line == line


def test_the_reader_sees_what_powershell_sees():
    """tree-sitter's grammar and an evaluator of the tests against the reader, over hostile texts."""
    r = random.Random(7)
    for _ in range(60):
        rules = []
        for number in range(r.randint(0, 4)):
            texts = ["".join(r.choice(PIECES) for _ in range(r.randint(0, 12))) for _ in range(3)]
            keywords = [f"a{i}.example" for i in range(r.choice((1, 4, 5, 9)))]
            rules.append(
                rule(
                    str(number),
                    names=keywords if r.random() < 0.5 else (),
                    description=texts[0],
                    service=texts[1],
                    program=texts[2],
                    users=DOMAIN_ACCOUNT,
                )
            )
        content = render(policy(*rules, keywords=["a.example"] * r.randint(0, 1)))[0].content
        data = read_script(content, "firewall.ps1")
        there = assignments_of(parse(data_of(content)))
        assert data.site == there["Site"]
        assert [record for _, record in data.keywords] == there["Keywords"]
        assert [record for _, record in data.rules] == there["Rules"]


def test_records_know_their_lines():
    content = render(policy(rule("a"), rule("b", names=("x.example",)), rule("c"), keywords=("x.example",)))[0].content
    lines = content.decode().split("\n")
    data = read_script(content, "firewall.ps1")
    for line, record in (*data.keywords, *data.rules):
        assert lines[line - 1] == "    @{"
        assert any(next(iter(record.values())) in text for text in lines[line : line + 1])
    assert len(data.rules) == 3


def test_deep_sums_need_no_recursion():
    assert value_of("(" * 100_000 + "'a'" + ")" * 100_000) == "a"
    with pytest.raises(UnreadableError):
        value_of("(" * 100_000)


@pytest.mark.parametrize("what", ["rules", "list", "quotes", "odd"])
def test_reading_grows_with_the_text(what):
    def prepare(size):
        text = {
            "rules": lambda: RULE.replace(
                "    @{\n        Name = VALUE\n    }\n", "    @{\n        Name = 'x'\n    }\n" * size
            ),
            "list": lambda: RULE.replace(
                "VALUE", "@(\n" + "            'abc',\n" * size + "            'x'\n        )"
            ),
            "quotes": lambda: RULE.replace("VALUE", "'" + "''" * size + "'"),
            "odd": lambda: RULE.replace(
                "VALUE", "@(\n" + "            'a''c',\n" * size + "            'x'\n        )"
            ),
        }[what]()
        return lambda: Data(text, "f", 1)

    assert_near_linear(prepare, 4_000, 20_000)
