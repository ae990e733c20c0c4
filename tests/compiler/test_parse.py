"""Text to syntax tree: every statement of the language, the places of the nodes, and the tables behind them."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from threading import Thread

import pytest
from lark import Lark

import egressc.parse
from egressc import parse_cache
from egressc.keywords import ACTIONS, ITEM_KEYWORDS, POLICY_SETTINGS, RESERVED, RULE_SETTINGS
from egressc.parse import parse
from egressc.parse_build import KEYWORD_TERMINALS
from egressc.parse_shape import FILE, PLACES, RULE, TAKES
from egressc.policy import BINDING_KINDS
from egressc.source import Source
from egressc.syntax import NO_COMMENTS, Endpoints, Import, Parameter, Policy, ServiceAccount, ServiceTag, Text, Word

GRAMMAR = files("egressc.grammar").joinpath("egress.lark").read_text(encoding="utf-8")


def read(text):
    file, diagnostics = parse(Source.of("p.egress", text))
    assert diagnostics == ()
    return file


def item(text):
    (found,) = read(text).items
    return found


def rule(body):
    (found,) = item(f'policy p "d" {{ allow r "d" {{ {body} }} }}').rules
    return found


def shown(value):
    match value:
        case Word():
            return value.text
        case Text():
            return f'"{value.value}"'
        case ServiceTag():
            return f"tag {value.name.text}"


def shown_all(values):
    return [shown(value) for value in values]


def test_import():
    found = item('import "a/b.egress"')
    assert isinstance(found, Import)
    assert (found.path.value, found.path.span.text, found.span.text) == (
        "a/b.egress",
        '"a/b.egress"',
        'import "a/b.egress"',
    )


@pytest.mark.parametrize(
    ("text", "labels", "description"),
    [
        ("parameter p", False, None),
        ("parameter p labels", True, None),
        ('parameter p "d"', False, "d"),
        ('parameter p labels ""', True, ""),
    ],
)
def test_parameter(text, labels, description):
    found = item(text)
    assert isinstance(found, Parameter)
    said = None if found.description is None else found.description.value
    assert (found.name.text, found.labels, said) == ("p", labels, description)
    assert found.span.text == text


def test_endpoints():
    text = 'endpoints e "d" { *.a.example service-tag AzureCloud fallback { 10.0.0.0/8 any-address } any-address fallback { } }'
    found = item(text)
    assert isinstance(found, Endpoints)
    assert (found.name.text, found.description.value, found.span.text) == ("e", "d", text)
    assert shown_all(found.entries) == ["*.a.example", "tag AzureCloud", "any-address"]
    assert [shown_all(f.entries) for f in found.fallbacks] == [["10.0.0.0/8", "any-address"], []]
    assert found.entries[1].span.text == "service-tag AzureCloud"
    assert found.fallbacks[0].span.text == "fallback { 10.0.0.0/8 any-address }"


def test_endpoints_may_lack_everything_but_a_name():
    assert (item("endpoints e { }").description, item("endpoints e {}").entries) == (None, ())


def test_service_account():
    found = item(
        "service-account s {\n"
        '    windows-account "NT AUTHORITY\\NETWORK SERVICE" S-1-5-20\n    linux-user 997\n    linux-user "log"\n}'
    )
    assert isinstance(found, ServiceAccount)
    assert [(b.kind.text, shown_all(b.values)) for b in found.bindings] == [
        ("windows-account", ['"NT AUTHORITY\\NETWORK SERVICE"', "S-1-5-20"]),
        ("linux-user", ["997"]),
        ("linux-user", ['"log"']),
    ]
    assert found.bindings[1].span.text == "linux-user 997"


def test_policy():
    text = (
        'template policy p "d" {\n'
        '    owner "o" reference "r" ticket "t" review-by 2027-01-01\n'
        "    from g h as a b no-tls-inspection log off feature f\n"
        '    include i allow r "d" { } include j deny s { } log\n}'
    )
    found = item(f"# c\n{text} # d")
    assert isinstance(found, Policy)
    assert (found.template, found.name.text, found.description.value, found.span.text) == (True, "p", "d", text)
    assert [(s.keyword.text, shown_all(s.values), s.exceptions) for s in found.settings] == [
        ("owner", ['"o"'], None),
        ("reference", ['"r"'], None),
        ("ticket", ['"t"'], None),
        ("review-by", ["2027-01-01"], None),
        ("from", ["g", "h"], None),
        ("as", ["a", "b"], None),
        ("no-tls-inspection", [], None),
        ("log", ["off"], None),
        ("feature", ["f"], None),
        ("log", [], None),
    ]
    assert [i.name.text for i in found.includes] == ["i", "j"]
    assert [(r.action, r.name.text, r.description and r.description.value) for r in found.rules] == [
        ("allow", "r", "d"),
        ("deny", "s", None),
    ]
    assert found.settings[4].span.text == "from g h"
    assert not item('policy p "d" { }').template


def test_rule():
    found = rule(
        "to a any-address service-tag T e except service-tag U b any-address ports 443 any any/tcp 1-2/udp "
        'from any-group g as a tls-inspection may log expires 2027-01-01 feature f ticket "t" reference "r"'
    )
    assert [(s.keyword.text, shown_all(s.values)) for s in found.settings] == [
        ("to", ["a", "any-address", "tag T", "e"]),
        ("ports", ["443", "any", "any/tcp", "1-2/udp"]),
        ("from", ["any-group", "g"]),
        ("as", ["a"]),
        ("tls-inspection", ["may"]),
        ("log", []),
        ("expires", ["2027-01-01"]),
        ("feature", ["f"]),
        ("ticket", ['"t"']),
        ("reference", ['"r"']),
    ]
    assert shown_all(found.settings[0].exceptions) == ["tag U", "b", "any-address"]
    assert found.settings[0].span.text == "to a any-address service-tag T e except service-tag U b any-address"


def test_repeated_settings_are_all_there():
    assert [s.keyword.text for s in rule("to a to b ports 1/tcp to c").settings] == ["to", "to", "ports", "to"]


@pytest.mark.parametrize(
    "word",
    [
        "fromage", "policy2", "to-day", "Policy", "any/https", "off.example", "a#b", "a$b", "${p}.example", "a.${p-q}.${r}x",
        "*", "#", "x=y,z;", "'", "ü.example", "logs", "$", "$x", "a${", "\\", "-", "10.0.0.0/8", "2001:db8::1",
    ],
)  # fmt: skip
def test_words_are_runs_of_characters(word):
    if word == "#":
        assert shown_all(rule("to a #\n b").settings[0].values) == ["a", "b"]
    elif word == "a${":
        assert parse(Source.of("p", f"endpoints e {{ {word} }}"))[1] != ()
    else:
        assert shown_all(rule(f"to {word} {word}\t{word}\n").settings[0].values) == [word] * 3


@pytest.mark.parametrize(
    ("written", "value"),
    [('""', ""), ('"a""b"', 'a"b'), ('""""', '"'), ('"\\"', "\\"), ('"# {"', "# {"), ('"\ta\u2028ü"', "\ta\u2028ü")],
)
def test_strings_hold_what_they_say(written, value):
    text = item(f"policy p {written} {{owner{written}}}")
    assert (text.description.value, text.settings[0].values[0].value) == (value, value)


def test_a_word_ends_before_a_string_and_a_brace():
    found = item('policy p"d"{from g}')
    assert (found.name.text, found.description.value, shown_all(found.settings[0].values)) == ("p", "d", ["g"])


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_reserved_words_are_no_names_anywhere(word):
    for text in ("endpoints {} {{ a.b }}", "policy {} {{ }}", 'policy p "d" {{ feature {} }}', "parameter {}"):
        assert parse(Source.of("p", text.format(word)))[1] != (), text


def test_line_ends_mean_nothing():
    text = 'policy p "d" { from g allow r "d" { to a b ports 443 } }'
    assert [type(i) for i in read(text.replace(" ", "\r\n")).items] == [Policy]
    assert read("").items == read("\n# c\n").items == ()


def test_positions_count_characters():
    found = item("# ü漢\r\nendpoints e {\r\n\t*.ü.example\r\n}")
    (entry,) = found.entries
    assert (entry.span.line, entry.span.column, entry.span.end - entry.span.start) == (3, 2, 11)


def test_comments_hang_where_they_stand():
    file = read(
        "# 1\n\n# 2\nendpoints e # 3\n{ # 4\n  # 5\n  a # 6\n  # 7\n  b\n  fallback # 8\n { 1.1.1.1 } # 9\n  # 10\n} # 11\n"
        'policy p "d" { from # 12\n g # 13\n # 14\n h # 15\n}\n# 16'
    )
    endpoints, policy = file.items
    a, b = endpoints.entries
    fallback, setting = endpoints.fallbacks[0], policy.settings[0]
    g, h = setting.values

    def texts(node):
        c = node.comments
        opening, trailing = ([x.text] if x else [] for x in (c.opening, c.trailing))
        return [[x.text for x in c.leading], opening, [x.text for x in c.closing], trailing]

    assert texts(endpoints) == [["# 1", "# 2", "# 3"], ["# 4"], ["# 10"], ["# 11"]]
    assert texts(a) == [["# 5"], [], [], ["# 6"]]
    assert texts(b) == [["# 7"], [], [], []]
    assert texts(fallback) == [["# 8"], [], [], ["# 9"]]
    assert texts(setting) == [["# 12"], [], [], ["# 15"]]
    assert texts(g) == [[], [], [], ["# 13"]]
    assert texts(h) == [["# 14"], [], [], []]
    assert texts(file) == [[], [], ["# 16"], []]
    assert policy.comments == NO_COMMENTS


def test_equal_words_share_their_text():
    first, second = rule("to aa.example aa.example").settings[0].values
    assert first.text is second.text


def test_no_two_terminals_collide():
    """Only here, since it takes half a second: ``strict`` compares the regular expressions of the terminals."""
    Lark(
        GRAMMAR,
        parser="lalr",
        lexer="contextual",
        strict=True,
        start=list(egressc.parse._STARTS),
        postlex=egressc.parse._KeywordsEverywhere(),
    )


def test_the_tables_say_what_the_grammar_says():
    terminals = {t.name for t in Lark(GRAMMAR, parser=None, lexer="basic").terminals}
    assert terminals == {"WORD", "TEXT", "COMMENT", "SPACE", "LBRACE", "RBRACE", *KEYWORD_TERMINALS.values()}
    assert set(FILE.keywords) == set(ITEM_KEYWORDS)
    grammar = egressc.parse._grammar()
    for block in (FILE, RULE, *FILE.blocks.values()):
        for keyword, start in block.statements.items():
            assert read_first(grammar, start, keyword), (start, keyword)
    assert set(POLICY_SETTINGS) | {"include", *ACTIONS} == set(FILE.blocks["policy"].keywords)
    assert set(RULE_SETTINGS) == set(RULE.keywords)
    assert set(BINDING_KINDS) == set(FILE.blocks["service-account"].keywords)
    assert set(PLACES) <= set(TAKES)
    assert (
        set(PLACES) | {"except", "service-tag", "any", "any-group", "any-address", "off", "may", "labels"} == RESERVED
    )


def read_first(grammar, start, keyword):
    """True if the grammar takes a keyword as the first token of a start symbol."""
    return KEYWORD_TERMINALS[keyword] in grammar.lark.parse_interactive(start=start).choices()


def test_threads_do_not_disturb_each_other():
    failures = []

    def run(name):
        text = f"endpoints {name} {{ # {name}\n" + f"  {name}.example # {name}\n" * 50 + "}\n"
        for _ in range(10):
            file, diagnostics = parse(Source.of(name, text))
            words = [e.span.text for e in file.items[0].entries]
            if diagnostics or words != [f"{name}.example"] * 50:
                failures.append(name)

    threads = [Thread(target=run, args=(f"t{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


SCRIPT = "from egressc.parse import parse; from egressc.source import Source; print(len(parse(Source.of('p', 'import \"a\"'))[0].items))"


def run_with_cache(folder, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        env={**os.environ, "XDG_CACHE_HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_the_tables_are_kept_in_a_folder_of_the_user(tmp_path):
    run_with_cache(tmp_path)
    folder = tmp_path / "egressc"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (table,) = folder.glob("*.tables")
    content = table.read_bytes()
    run_with_cache(tmp_path)
    assert table.read_bytes() == content
    table.write_bytes(content[: len(content) // 2])
    run_with_cache(tmp_path)
    mended = table.read_bytes()
    assert len(mended) > len(content) / 2
    run_with_cache(tmp_path)
    assert table.read_bytes() == mended


def test_the_tables_are_not_kept_where_others_can_write(tmp_path):
    folder = tmp_path / "egressc"
    folder.mkdir()
    folder.chmod(0o777)
    run_with_cache(tmp_path)
    assert list(folder.iterdir()) == []
    link = tmp_path / "link"
    link.mkdir()
    (link / "egressc").symlink_to(folder)
    run_with_cache(link)
    assert list(folder.iterdir()) == []


def test_without_a_folder_the_tables_are_built(tmp_path):
    (tmp_path / "file").touch()
    run_with_cache(tmp_path / "file" / "x")
    run_with_cache("not-absolute", HOME=str(tmp_path / "file"))
    assert not Path("not-absolute").exists()


def test_only_one_process_has_the_tables(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with parse_cache.cached_tables(GRAMMAR) as first, parse_cache.cached_tables(GRAMMAR) as second:
        assert first is not None
        assert second is None
    with parse_cache.cached_tables(GRAMMAR) as again, parse_cache.cached_tables(GRAMMAR + " ") as other:
        assert again == first
        assert other is None


def test_the_folder_must_be_closed_to_others(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with parse_cache.cached_tables(GRAMMAR) as path:
        assert path is not None
    (tmp_path / "egressc").chmod(0o770)
    with parse_cache.cached_tables(GRAMMAR) as path:
        assert path is None
