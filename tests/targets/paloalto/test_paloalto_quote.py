"""Hostile texts in XML and in commands: they come back as one text, and nothing of them ends up outside a literal."""

import random
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from paloalto_reading import inventory, panconf_lines, rendered, scope_of, words_of
from support import lowering_of, site_of

from egressc.targets.paloalto.quote import held_text, set_word, tag_text, xml_text
from egressc.targets.registry import load_target

PIECES = [
    "plain words",
    "'",
    '"',
    "\\",
    "`id`",
    "$(reboot)",
    "${HOME}",
    "| match x",
    "; commit",
    "&& exit",
    "]]>",
    "</description>",
    "<!--",
    "-->",
    "&amp;",
    "&#0;",
    "<![CDATA[",
    "\t",
    "?",
    "#",
    "[ any ]",
    "any",
    "\u201csmart\u201d \u2018quotes\u2019",
    "\u202egnp.exe",
    "\u200f",
    "\U0001f525",
    "e\u0301",
    "\u2028",
    "\u2029",
    "\x85",
    "\x00",
    "\x07",
    "\x1b[31m",
    "\x7f",
    "\ufffe",
    "\ufdd0",
    "%s%n",
    "{{7*7}}",
    "\\u0022",
    '\\"',
    "\\'",
    "  ",
    "set rulebase security rules x action allow",
]


def hostile_texts(count=200):
    random_ = random.Random(20261122)
    texts = list(PIECES)
    while len(texts) < count:
        texts.append(random_.choice(["", " "]).join(random_.choices(PIECES, k=random_.randint(2, 6))))
    return texts


def test_there_are_enough_texts():
    texts = hostile_texts()
    assert len(texts) >= 200
    assert any("'" in t and '"' in t for t in texts)


@pytest.mark.parametrize("text", hostile_texts())
def test_a_text_is_one_text_in_xml_and_one_word_in_a_command(text):
    held = held_text(text)
    assert ET.fromstring(f"<a>{xml_text(held)}</a>").text == (held or None)
    assert ET.fromstring(f'<a b="{xml_text(held)}"/>').get("b") == held
    line = f"set x description {set_word(held)}"
    assert line.splitlines() == [line]
    assert words_of(line) == ["set", "x", "description", held]
    # a backslash, whatever the command line makes of it, never stands before the closing quote
    assert not line.endswith(("\\'", '\\"'))


@pytest.mark.parametrize("text", hostile_texts())
def test_what_can_be_said_is_kept(text):
    held = held_text(text)
    assert held_text(held) == held
    if text.isascii() and text.isprintable() and not ("'" in text and '"' in text) and not text.endswith("\\"):
        assert held == text
    assert len(held) in {len(text), len(text) + 1}
    assert [c for c in held if c.isalnum()] == [c for c in text if c.isalnum()]


def test_everyday_text_stays_as_it_is():
    for text in (
        "Communication between the connector and the cloud service",
        "Büro München “Ausgang” 100 % für 5 €",
        "It's fine",
        'say "yes"',
        "日本語 и русский 🔥",
        "",
    ):
        assert held_text(text) == text


def test_two_kinds_of_quotes_become_one():
    assert held_text("""it's "so" """) == "it's 'so' "


def test_words_that_need_no_quotes_have_none():
    for text in ("egc-tcp-443", "*.example.com/", "a.^.x.com/p", "10.0.0.0/8", "fc00::/7", "CONTOSO\\wapc$", "a=b,c+d"):
        assert set_word(text) == text
    for text in ("two words", "a|b", "a;b", "a?", "a'b", "", "[", "ä"):
        assert set_word(text) == f'"{text}"'
    assert set_word('a"b') == "'a\"b'"


def test_tags_hold_no_character_that_pan_os_refuses():
    assert tag_text("CHG-1") == "CHG-1"
    assert tag_text("https://x.example/browse/CHG-1") == "https://x.example/browse/CHG-1"
    assert tag_text("a[b]'c\"d\x00e|f") == "a_b__c_d_e_f"


def policy_of(texts):
    """A policy with a rule for each text, in which each text is its description and ticket."""
    rules = [
        f'  allow rule-{number} "{text}" {{ to h{number}.example.com ports 443/https no-tls-inspection }}'
        for number, text in enumerate(texts)
    ]
    return 'policy p "P" {\n  from connectors\n' + "\n".join(rules) + "\n}\n"


@pytest.fixture(scope="module")
def hostile():
    """The hostile texts as descriptions and tickets, also those that the language refuses by itself."""
    texts = hostile_texts()
    site = site_of(policy_of(["text"] * len(texts)), inventory(), "edge")
    rules = tuple(
        replace(bound, rule=replace(bound.rule, description=text, ticket=text[:40]))
        for bound, text in zip(site.rules, texts, strict=True)
    )
    lowering = load_target("paloalto").lower(replace(site, rules=rules))
    assert not lowering.diagnostics
    return lowering, *rendered(lowering)


def test_descriptions_come_back_from_both_files(hostile):
    lowering, config, commands = hostile
    _, base = scope_of(config)
    rules = base.findall("security/rules/entry") + base.findall("decryption/rules/entry")
    in_xml = {r.get("name"): r.findtext("description") for r in rules}
    in_commands = {}
    for line in commands.decode().split("\n")[:-1]:
        words = words_of(line)
        assert words[0] in {"set", "move"}
        if words[0] == "set" and "rules" in words and words[5] == "description":
            assert len(words) == 7, line
            in_commands[words[4]] = words[6]
    expected = {}
    for part in lowering.parts:
        for name in part.names:
            if part.rule.rule.description.strip():
                expected[name] = held_text(part.rule.rule.description)
    assert len(expected) >= 380
    for name, text in expected.items():
        assert in_xml[name] == text
        assert in_commands[name] == text


def test_panconf_agrees_but_for_the_quotes_it_leaves_out(hostile):
    _, config, commands = hostile
    ours = {tuple(words_of(line)) for line in commands.decode().split("\n")[:-1] if line.startswith("set ")}
    theirs = panconf_lines(config)
    safe = {line for line in theirs if " description" not in line}
    assert {tuple(words_of(line)) for line in safe} <= ours
    assert len(theirs) == len(ours)


def test_a_long_description_is_refused_and_not_cut():
    for length, codes in ((1024, []), (1025, ["E0700"]), (10_000, ["E0700"])):
        assert [d.code for d in lowering_of(policy_of(["x" * length]), inventory(), "edge").diagnostics] == codes
    # counted in bytes of UTF-8
    assert [d.code for d in lowering_of(policy_of(["ä" * 513]), inventory(), "edge").diagnostics] == ["E0700"]


def test_a_long_ticket_is_refused_and_not_cut():
    for length, codes in ((120, []), (121, ["E0701"])):
        policy = f'policy p "P" {{ from connectors allow r "R" {{ to a.example.com ports 443/https ticket "{"T" * length}" }} }}'
        assert [d.code for d in lowering_of(policy, inventory(), "edge").diagnostics] == codes


def test_tickets_that_differ_only_in_refused_characters_stay_apart():
    policy = """policy p "P" { from connectors
        allow a "A" { to a.example.com ports 443/https ticket "CHG[1]" }
        allow b "B" { to b.example.com ports 443/https ticket "CHG'1'" }
    }"""
    tags = [t.name for t in lowering_of(policy, inventory(), "edge").model.tags if t.name.startswith("ticket:")]
    assert len(tags) == 2
    assert all(t.startswith("ticket:CHG_1_-") for t in tags)
