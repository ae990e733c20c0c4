"""What a review says as text, as Markdown and for machines."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import review_support as made

from egressc.report_review import review_text
from egressc.report_review_html import review_html
from egressc.report_review_json import nothing_compared, review_json
from egressc.report_review_markdown import LIMIT, review_markdown
from egressc.review import EditKind, Verdict

DATA = Path(__file__).resolve().parents[1] / "data" / "review"
TITLE = "policies  v1..v2"
SCHEMA = json.loads(files("egressc.grammar").joinpath("diff.schema.json").read_text(encoding="utf-8"))


def test_the_example_of_the_design(golden):
    golden(DATA / "contract.txt", review_text(made.CONTRACT, "policies  main..HEAD"))


def test_every_kind_of_thing(golden):
    golden(DATA / "rich-80.txt", review_text(made.RICH, TITLE, width=80))
    golden(DATA / "rich.md", review_markdown(made.RICH, TITLE))


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_lines_keep_within_the_terminal(width):
    for review in (made.RICH, made.CONTRACT, made.FIREWALLS_ONLY, made.NOTHING):
        for line in review_text(review, TITLE, width=width).splitlines():
            assert len(line) <= width or " " not in line.strip(), line


def test_nothing_but_firewalls_changes():
    text = review_text(made.FIREWALLS_ONLY, TITLE)
    assert "no flow is decided otherwise\n" in text
    assert (
        "firewalls: edge +8 ~1\n  edge + rule-0, rule-1, rule-2, rule-3, rule-4, rule-5 and 2 more\n  edge ~ x\n"
        in text
    )
    assert "**No flow is decided otherwise by the policy**" in review_markdown(made.FIREWALLS_ONLY, TITLE)


def test_nothing_changes():
    assert review_text(made.NOTHING, "p  a..b") == (
        "p  a..b\n\nno flow is decided otherwise\n1 edit changes nothing: 1 rule reworded\n  reworded: p/a\n"
    )
    assert review_text(made.review(), "p  a..b") == "p  a..b\n\nno flow is decided otherwise\n"
    assert "**Nothing changes**" in review_markdown(made.NOTHING, TITLE)


def test_colour_is_on_signs_and_headings_only_if_wanted():
    plain = review_text(made.RICH, TITLE)
    coloured = review_text(made.RICH, TITLE, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[32m  + " in coloured
    assert "\x1b[31m  - " in coloured
    assert "\x1b[33m  ~ " in coloured
    assert re.sub("\x1b\\[[0-9]*m", "", coloured) == plain


def test_edits_are_counted_by_what_was_done():
    rule = made.rule
    edits = [
        made.Edit(EditKind.SPLIT, (rule("p/a", 1),), tuple(rule(f"p/a{n}", n) for n in range(1, 4))),
        made.Edit(EditKind.SPLIT, (rule("p/b", 1),), (rule("p/b1", 1), rule("p/b2", 1))),
        made.Edit(EditKind.MERGED, (rule("p/c", 1), rule("p/d", 1)), (rule("p/c", 1),)),
        *(made.Edit(kind, (rule("p/x", 1),), (rule("p/x", 1),)) for kind in (EditKind.REWRITTEN, EditKind.ADDED, EditKind.ADDED)),
        *(made.Edit(EditKind.REFORMATTED, (), (), name, made.What.FILE, (name, name)) for name in ("a.egress", "b.egress")),
        made.Edit(EditKind.RENAMED, (), (), "a.egress", made.What.SET, ("cloud", "sky")),
        made.Edit(EditKind.ADDED, (), (), "a.egress", made.What.SET, ("", "ground")),
        made.Edit(EditKind.RENAMED, (rule("p/a", 1),), (rule("q/a", 1),), "a.egress", made.What.POLICY, ("p", "q")),
        *(made.Edit(EditKind.RENAMED, (), (), "a.egress", made.What.ACCOUNT, (n, f"{n}2")) for n in ("one", "two")),
    ]  # fmt: skip
    text = review_text(made.review(edits=tuple(edits)), TITLE, width=200)
    assert (
        "13 edits change nothing: 1 rule split in three, 1 split in two, 1 merged from two, 1 rewritten, 2 added, "
        "1 policy renamed, 1 set renamed, 1 added, 2 service accounts renamed, 2 files reformatted\n"
    ) in text
    assert "  split: p/a → p/a1, p/a2, p/a3, p/b → p/b1, p/b2\n" in text
    assert "  file reformatted: a.egress, b.egress\n" in text
    assert "  set renamed: cloud → sky\n  set added: ground\n  policy renamed: p → q\n" in text
    assert "  service account renamed: one → one2, two → two2\n" in text


def test_a_few_of_many_parts_that_stay_as_they_were_are_shown():
    parts = tuple(f"h{n}.example.net" for n in range(7))
    change = replace(made.RICH.newly_allowed[0], beyond=parts)
    text = review_text(made.review(newly_allowed=(change,)), TITLE, width=400)
    assert "(but h0.example.net, h1.example.net, h2.example.net, h3.example.net, h4.example.net and 2 more)" in text
    five = review_text(made.review(newly_allowed=(replace(change, beyond=parts[:5]),)), TITLE, width=400)
    assert "h4.example.net)" in five
    found = check(review_json(made.review(newly_allowed=(replace(change, within=("192.0.2.0/24",)),)), TITLE))
    assert (found["newly_allowed"][0]["beyond"], found["newly_allowed"][0]["within"]) == ([*parts], ["192.0.2.0/24"])


def check(found):
    document = json.loads(json.dumps({"diagnostics": [], **found}))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


def test_the_form_for_machines():
    found = check(review_json(made.RICH, TITLE))
    assert (found["old"], found["new"], found["empty"], found["edits_without_effect"]) == ("v1", "v2", False, 4)
    assert [len(found[key]) for key in ("newly_allowed", "no_longer_allowed", "inspection_changed")] == [4, 1, 1]
    storage, status, v6, everything = found["newly_allowed"]
    assert storage == {
        "groups": ["connectors"],
        "accounts": ["entra-connector"],
        "sources": None,
        "endpoint": "*.blob.core.windows.net",
        "endpoints": 1,
        "beyond": [],
        "within": [],
        "ports": ["443/https"],
        "before": "deny",
        "after": "allow",
        "rules": [
            {
                "rule": "dublin-connectors/storage", "part": None, "side": "new", "action": "allow",
                "file": "policies/main.egress", "line": 41, "column": 1,
            }
        ],
        "example": {
            "group": "connectors", "source": "10.20.0.10", "account": "entra-connector", "host": "a.blob.core.windows.net",
            "transport": "tcp", "port": 443, "text": "10.20.0.10 as entra-connector → a.blob.core.windows.net:443",
        },
        "notes": ["anyone can register a name under blob.core.windows.net"],
    }  # fmt: skip
    assert (status["groups"], status["accounts"]) == (["any"], ["any"])
    assert (v6["sources"], v6["beyond"], v6["ports"]) == ("10.20.0.11", ["2001:db8::1"], ["443/https", "8443-8500/tls"])
    assert [(rule["side"], rule["action"]) for rule in v6["rules"]] == [("old", "deny"), ("new", "allow")]
    assert (everything["endpoint"], everything["endpoints"], len(everything["rules"])) == (None, 7, 5)
    assert {name: each["state"] for name, each in found["per_firewall"].items()} == {
        "dublin-edge": "compared", "hosts/agents": "new", "old-edge": "gone", "broken": "errors", "quiet": "compared",
    }  # fmt: skip
    assert check(review_json(made.NOTHING, TITLE))["empty"] is True
    assert check(nothing_compared(TITLE))["empty"] is None


def test_the_schema_knows_the_words_of_the_review():
    assert SCHEMA["$defs"]["edit"]["properties"]["kind"]["enum"] == [kind.value for kind in EditKind]
    assert SCHEMA["$defs"]["change"]["properties"]["before"]["enum"] == [verdict.value for verdict in Verdict]


def test_a_diagnostic_is_the_same_everywhere():
    other = json.loads(files("egressc.grammar").joinpath("diagnostics.schema.json").read_text(encoding="utf-8"))
    assert {key: SCHEMA["$defs"][key] for key in other["$defs"]} == other["$defs"]


def test_the_schema_refuses_what_is_missing_unknown_or_of_another_kind():
    document = check(review_json(made.RICH, TITLE))
    validator = jsonschema.Draft202012Validator(SCHEMA)

    def nodes(held):
        if isinstance(held, dict):
            if held is not document["per_firewall"]:
                yield held
            for value in held.values():
                yield from nodes(value)
        elif isinstance(held, list):
            for value in held:
                yield from nodes(value)

    optional = {"group", "source", "account", "process", "host", "path", "address", "shared_name"}
    for node in nodes(document):
        node["unknown"] = 1
        assert not validator.is_valid(document), node
        del node["unknown"]
        for key, value in list(node.items()):
            node[key] = 0.5
            assert not validator.is_valid(document), (key, node)
            del node[key]
            assert validator.is_valid(document) is (key in optional), (key, node)
            node[key] = value


@pytest.mark.parametrize("count", [11, 200, 3000])
def test_markdown_fits_a_comment_and_says_what_it_leaves_out(count):
    text = review_markdown(made.many(count), TITLE)
    assert len(text.encode()) <= LIMIT < 65_536
    seen = len(re.findall(r"^\| `connectors as entra-connector` \| `\*\.h\d+\.example\.net", text, re.MULTILINE))
    said = [int(n) for n in re.findall(r"^\*\*(\d+) more\*\* did not fit", text, re.MULTILINE)]
    assert seen + (said[0] if said else 0) == count
    assert bool(said) is (count > 11)
    assert text.count("<details>") == text.count("</details>") == 4
    assert f"**{count} newly allowed**" in text


def test_a_picture_is_for_small_changes():
    assert "```mermaid" in review_markdown(made.many(6), TITLE)
    assert "```mermaid" not in review_markdown(made.many(7), TITLE)


@pytest.mark.parametrize("text", made.HOSTILE_TEXTS)
def test_markdown_shows_hostile_texts_and_does_nothing_with_them(text):
    shown = review_markdown(made.hostile(text), text)
    assert len(shown.splitlines()) == len(review_markdown(made.hostile("x"), "x").splitlines()), "no text begins a line"
    assert shown.count("<details>") == 3
    # What is left when code is taken away holds no markup but our own.
    bare = re.sub(r"```mermaid.*?```", "", shown, flags=re.DOTALL)
    bare = re.sub(r"\\.|(`+)(?!`).*?(?<!`)\1(?!`)", "", bare)
    for ours in ("<details>", "</details>", "<summary>", "</summary>", "<br>"):
        bare = bare.replace(ours, "")
    assert not re.search(r"[<>\[\]`@{}\u202e\x1b]", bare), bare
    for line in shown.splitlines():
        if line.startswith("| ") and "---" not in line:
            assert len(re.findall(r"(?<!\\)\|", line)) in {4, 5, 6}, line
    (drawn,) = re.findall(r"```mermaid\n(.*?)\n```", shown, re.DOTALL)
    for line in drawn.splitlines()[1:]:
        assert re.fullmatch(
            r'  (?:[eg]\d+\["[A-Za-z0-9 .,:/_→#;]*"\]|g\d+ -->\|"[^"<>`]*"\| e\d+|linkStyle \d+ [a-z0-9:#,-]+)', line
        ), line


@pytest.mark.parametrize("text", [*made.HOSTILE_TEXTS, "\U0001f600|<" * 200_000], ids=range(8))
def test_markdown_of_long_texts_fits_as_well(text):
    assert len(review_markdown(made.hostile(text), text).encode()) <= LIMIT


@pytest.mark.parametrize("text", made.HOSTILE_TEXTS)
def test_html_holds_no_element_that_is_not_ours(text):
    page = review_html(made.hostile(text), text)
    plain = review_html(made.hostile("x"), "x")
    tags = re.compile(r"<[/a-zA-Z!][^>]*>")

    def shape(html):
        return [re.match(r"</?[a-z!]+", tag)[0] for tag in tags.findall(html)]

    assert shape(page) == shape(plain)
    assert "\u202e" not in page
    assert "{{" not in page.replace("{{title}} {{data}}", "")


def test_html_asks_nobody_for_anything():
    page = review_html(made.RICH, TITLE)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    assert "url(" not in page
    assert "@import" not in page
    assert page == review_html(made.RICH, TITLE)


def test_what_is_called_otherwise_is_named_in_every_form():
    edits = (made.Edit(EditKind.RENAMED, (), (), "main.egress", made.What.SET, ("cloud", "sky")),)
    review = made.review(edits=edits)
    assert "1 edit changes nothing: 1 set renamed\n  set renamed: cloud → sky\n" in review_text(review, TITLE)
    assert "- set renamed: `cloud → sky`\n" in review_markdown(review, TITLE)
    assert '<span class="quiet">set renamed</span> <code>cloud → sky</code>' in review_html(review, TITLE)
    found = check(review_json(review, TITLE))
    assert (found["edits_without_effect"], found["edits"]) == (
        1,
        [{"kind": "renamed", "what": "set", "old": "cloud", "new": "sky", "file": "main.egress", "rules": []}],
    )
