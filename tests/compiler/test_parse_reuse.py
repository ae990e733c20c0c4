"""What is parsed with the help of an earlier version is what parsing everything gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egressc import parse as parsing
from egressc.parse import parse, parse_again
from egressc.parse_reuse import Known
from egressc.source import Source

ROOT = Path(__file__).resolve().parents[2]

OLD = """\
import "a.egress"
# of the set
endpoints e "E" { a.example.net *.b.example.net fallback { 10.0.0.0/8 service-tag AzureCloud } } # behind
service-account s "S" { linux-user x "y z" windows-service w }
parameter q labels "Q"
template policy t "T" {
    owner "o"  # who
    allow one "One" { to e ports 443/https as s }
}
policy p "P ""quoted"" x" {
    from g any-group
    include t
    # before
    allow a "A # no comment { }" { to a.b.example except service-tag X c.example # inside
        ports 443 any/tcp log off }
    deny b "B" { to any-address ports 80 expires 2030-01-01 no-tls-inspection } # trailing
    log
    allow c "C" { to x-${q}.example ports 443 }
}
"""


def again(old, new):
    """The tree of ``new`` both ways; the second one knows ``old``."""
    known = Known()
    tree, problems = parse(Source.of("p.egress", old))
    assert not problems
    known.learn(tree)
    source = Source.of("p.egress", new)
    return parse(source), parse_again(source, known), known


def same(old, new):
    whole, quick, _ = again(old, new)
    assert quick == whole
    return whole


EDITS = [
    ("import", "# one more line\nimport"),
    ("443/https as s", "443/https"),
    ("deny b", "deny bb"),
    ("10.0.0.0/8", "10.0.0.0/9"),
    ("# inside", "# otherwise"),
    ("# trailing", ""),
    ("    log\n", "    log off\n"),
    ("from g any-group", "from g"),
    ("linux-user x", "linux-user xx"),
    ("template policy", "policy"),
    ("template policy t", "\ntemplate\n\npolicy t"),
    ('parameter q labels "Q"\n', ""),
]


@pytest.mark.parametrize(("what", "by"), EDITS)
def test_an_edit_gives_the_tree_of_the_whole(what, by):
    assert what in OLD
    tree, problems = same(OLD, OLD.replace(what, by))
    assert tree is not None
    assert not problems


WRONG = [
    ("owner ", "owner allow b2 "),
    ("from g any-group\n", 'from g any-group allow c "C" { to x-${q}.example ports 443 } h\n'),
    ('    log\n    allow c "C" { to x-${q}.example ports 443 }\n', '    log allow c "C" { to x-${q}.example ports 443 } off\n'),
    ("{ a.example.net", '{ allow c "C" { to x-${q}.example ports 443 } a.example.net'),
    ("import ", 'import service-account s "S" { linux-user x "y z" windows-service w } '),
    ("parameter q labels", 'parameter q service-account s "S" { linux-user x "y z" windows-service w } labels'),
    ("include t", "include"),
    ("# before", "}"),
    ("# before", '"'),
    ("# before", "\x00"),
    ("# before", "// before"),
    ("to e ports 443", "to e prots 443"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "by"), WRONG)
def test_a_known_block_in_a_wrong_place_is_as_wrong_as_before(what, by):
    assert what in OLD
    assert same(OLD, OLD.replace(what, by))[1]


def test_a_known_rule_is_wrong_once_its_word_is_no_name_any_more():
    definition = 'endpoints prots "P" { a.example.net }\n'
    rule = 'policy p "P" { from g allow a "A" { to prots 443/https ports 443 } }\n'
    assert not same(definition + rule, "\n" + definition + rule)[1]
    assert same(definition + rule, "\n" + rule)[1]


def test_only_what_changed_is_read(monkeypatch):
    read = []
    real = parsing._Grammar.read
    monkeypatch.setattr(
        parsing._Grammar, "read", lambda self, source, text=None: read.append(text) or real(self, source, text)
    )
    new = OLD.replace("deny b", "deny bb")
    _, (tree, _), known = again(OLD, new)
    assert len(read) == 3
    left = read[2].split()
    assert len(read[2]) == len(new)
    assert "deny" in left
    assert "bb" in left
    assert not {"allow", "endpoints", "service-account", "template"} & set(left)
    assert [rule.name.text for rule in tree.items[-1].rules] == ["a", "bb", "c"]
    parse_again(Source.of("p.egress", OLD), known)
    assert read[3].split() == [
        "import",
        '"a.egress"',
        "#",
        "of",
        "the",
        "set",
        "#",
        "behind",
        "parameter",
        "q",
        "labels",
        '"Q"',
    ]


PIECES = sorted({*OLD.splitlines(keepends=True), " {", "}", '"', "# x\n", "allow ", "policy p2 ", '"d"', "to ", "\n"})


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(OLD)), st.integers(0, 40), st.sampled_from(PIECES)), max_size=3))
def test_any_text_gives_the_same_tree_and_the_same_errors(edits):
    new = OLD
    for at, length, piece in edits:
        new = new[:at] + piece + new[at + length :]
    same(OLD, new)


@pytest.mark.parametrize("path", sorted((ROOT / "policies").rglob("*.egress")), ids=lambda p: p.name)
def test_shipped_policies(path):
    text = path.read_text(encoding="utf-8")
    for new in (text, "# moved\n" + text, text.replace("allow ", "allow  ", 1)):
        tree, problems = same(text, new)
        assert tree is not None
        assert not problems
