"""Edits without effect that are none of a rule's: names, definitions and files, over several files."""

from __future__ import annotations

import tempfile
from pathlib import Path

from support import AS_OF

from egressc.api import load
from egressc.bind import prepare
from egressc.diagnostics import has_errors
from egressc.diff import review

GROUPS = "groups: {g: {networks: [10.20.0.0/24], parameters: {site: [a]}}}\n"
SETS = 'endpoints cloud "Cloud" { a.x.io b.x.io }\n'
MAIN = (
    'import "sets.egress"\npolicy p "P" { from g\n allow web "W" { to cloud ports 443 }\n'
    ' allow own "O" { to c.x.io ports 443 } }\n'
)
FILES = {"main.egress": MAIN, "sets.egress": SETS, "inventory.yaml": GROUPS}


def prepared(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        loaded = load((folder,))
    assert not has_errors(loaded.diagnostics), loaded.diagnostics
    found, problems = prepare(loaded.policy, loaded.inventory, AS_OF)
    assert not has_errors(problems), problems
    return found


def said(new, old=FILES):
    """What was done between the files and themselves with other texts (``None``: without that file)."""
    texts = {name: text for name, text in (old | new).items() if text is not None}
    found = review(prepared(old), prepared(texts))
    assert found.is_empty
    told = []
    for edit in found.edits:
        rules = [" ".join(rule.identity for rule in some) for some in (edit.old, edit.new)]
        names = edit.names if edit.names != ("", "") else rules
        told.append(f"{edit.kind} {edit.what} {' = '.join(dict.fromkeys(n for n in names if n))}")
    return told


def test_a_set_renamed_in_one_file_and_used_in_another_is_one_edit():
    new = {"sets.egress": SETS.replace("cloud", "sky"), "main.egress": MAIN.replace("cloud", "sky")}
    assert said(new) == ["renamed set cloud = sky"]
    # In another order it is the same set.
    new["sets.egress"] = 'endpoints sky "Cloud" { b.x.io a.x.io }\n'
    assert said(new) == ["renamed set cloud = sky"]


def test_sets_within_renamed_sets():
    old = FILES | {"sets.egress": SETS + 'endpoints all "All" { cloud d.x.io }\n'}
    texts = {"sets.egress": old["sets.egress"].replace("cloud", "sky").replace("all", "every")}
    texts["main.egress"] = MAIN.replace("cloud", "sky")
    assert said(texts, old) == ["renamed set cloud = sky", "renamed set all = every"] or said(texts, old) == [
        "renamed set all = every",
        "renamed set cloud = sky",
    ]


def test_what_fits_two_names_is_not_taken_for_either():
    new = {
        "sets.egress": SETS.replace("cloud", "one") + SETS.replace("cloud", "two"),
        "main.egress": MAIN.replace("cloud", "one"),
    }
    assert sorted(said(new)) == ["added set one", "added set two", "removed set cloud", "rewritten rule p/web"]


def test_a_set_that_nothing_uses_comes_goes_and_changes():
    assert said({"sets.egress": SETS + 'endpoints more "M" { d.x.io }\n'}) == ["added set more"]
    assert said({"sets.egress": SETS}, FILES | {"sets.egress": SETS + 'endpoints more "M" { d.x.io }\n'}) == [
        "removed set more"
    ]
    assert said({"sets.egress": SETS.replace('"Cloud"', '"Another"')}) == ["rewritten set cloud"]


def test_a_set_that_moves_to_another_file():
    new = {"sets.egress": None, "more.egress": SETS, "main.egress": MAIN.replace("sets.egress", "more.egress")}
    assert sorted(said(new)) == [
        'added import "more.egress"',
        'removed import "sets.egress"',
        "renamed file sets.egress = more.egress",
    ]
    new = {"sets.egress": None, "main.egress": MAIN.replace('import "sets.egress"\n', SETS)}
    assert said(new) == ["moved set cloud"]


def test_a_parameter_renamed_here_and_in_the_inventory():
    old = FILES | {"main.egress": 'parameter site "S"\n' + MAIN.replace("c.x.io", "${site}.x.io")}
    texts = {
        "main.egress": old["main.egress"].replace("parameter site", "parameter place").replace("${site}", "${place}"),
        "inventory.yaml": GROUPS.replace("site", "place"),
    }
    assert "renamed parameter site = place" in said(texts, old)


def test_a_policy_renamed_is_one_edit_however_many_rules_it_has():
    found = review(prepared(FILES), prepared(FILES | {"main.egress": MAIN.replace("policy p", "policy q")}))
    (edit,) = found.edits
    assert (edit.kind, edit.what, edit.names) == ("renamed", "policy", ("p", "q"))
    assert [rule.identity for rule in edit.old] == ["p/own", "p/web"]
    assert [rule.identity for rule in edit.new] == ["q/own", "q/web"]


def test_a_policy_renamed_that_also_changes():
    text = MAIN.replace("policy p", "policy q").replace("c.x.io", "c.x.io d.x.io")
    found = review(prepared(FILES), prepared(FILES | {"main.egress": text}))
    assert [change.endpoint for change in found.newly_allowed] == ["d.x.io"]
    assert [(edit.what, edit.names) for edit in found.edits] == [("policy", ("p", "q"))]


def test_a_template_renamed():
    old = FILES | {
        "main.egress": 'template policy t "T" { allow x "X" { to a.x.io ports 443 } }\npolicy p "P" { from g include t }\n'
    }
    texts = {"main.egress": old["main.egress"].replace("policy t", "policy u").replace("include t", "include u")}
    assert said(texts, old) == ["renamed policy t = u"]


def test_a_file_renamed_is_not_rules_moved():
    assert said({"main.egress": None, "other.egress": MAIN}) == ["renamed file main.egress = other.egress"]


def test_layout_alone_is_of_the_file():
    assert said({"main.egress": "# why\n" + MAIN.replace("\n", "\r\n")}) == ["reformatted file main.egress"]


def test_a_group_renamed_in_a_union_too():
    groups = "groups:\n  g: {members: [one]}\n  one: {networks: [10.20.0.0/24], parameters: {site: [a]}}\n"
    old = FILES | {"inventory.yaml": groups}
    texts = {
        "inventory.yaml": groups.replace("one", "two").replace("g:", "all:"),
        "main.egress": MAIN.replace("from g", "from all"),
    }
    assert sorted(said(texts, old)) == ["renamed group g = all", "renamed group one = two"]


def test_what_is_done_to_a_policy_is_not_done_to_each_of_its_rules():
    assert said({"main.egress": MAIN.replace('"P" {', '"P" { owner "o@x.io"')}) == ["reworded policy p"]
    assert said({"main.egress": MAIN.replace('"P" {', '"Another" {').replace('"O"', '"Own"')}) == [
        "reworded rule p/own",
        "reworded policy p",
    ]


def test_a_policy_that_moves_to_another_file():
    both = FILES | {"more.egress": 'policy q "Q" { from g allow x "X" { to x.io ports 443 } }\n'}
    text = both["more.egress"]
    moved = {"main.egress": MAIN + text, "more.egress": "# nothing\n"}
    assert said(moved, both) == ["moved policy q"]
