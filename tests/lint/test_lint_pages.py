"""The page of each lint rule is true: its wrong example triggers it and nothing else, what stands instead is clean."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lint_support import examples, subject

from egressc.cli import main
from egressc.lint.driver import lint
from egressc.lint.registry import CODES, load_rule, page_of_rule

ROOT = Path(__file__).parents[2]


def test_the_table_is_sorted_and_no_digits_are_used_twice():
    assert list(CODES) == sorted(CODES)
    digits = [code[1:] for code in CODES.values()]
    assert len(set(digits)) == len(digits)
    modules = {path.stem for path in (ROOT / "compiler" / "lint").glob("*.py")}
    with_name = {m for m in modules if "\nNAME = " in (ROOT / f"compiler/lint/{m}.py").read_text("utf-8")}
    assert with_name == {name.replace("-", "_") for name in CODES}


@pytest.mark.parametrize("name", sorted(CODES))
def test_a_module_is_what_the_table_says(name):
    rule = load_rule(name)
    assert (name, CODES[name]) == (rule.NAME, rule.CODE)
    assert re.fullmatch(r"[WN]08\d\d", rule.CODE)


@pytest.mark.parametrize("name", sorted(CODES))
def test_the_wrong_example_triggers_the_rule_and_the_other_none(name):
    wrong, right = examples(name)
    found = {each.rule for each in lint(subject(*wrong), CODES)}
    assert name in found
    assert not [each.diagnostic for each in lint(subject(*right), CODES)]


@pytest.mark.parametrize("name", sorted(CODES))
def test_explain_shows_the_page_by_name_and_by_code(name, capsys):
    assert main(["explain", name]) == 0
    by_name = capsys.readouterr().out
    assert main(["explain", CODES[name].lower()]) == 0
    assert capsys.readouterr().out == by_name == page_of_rule(name)


@pytest.mark.parametrize("name", sorted(CODES))
def test_the_examples_stand_in_the_canonical_layout(name, tmp_path, capsys):
    for number, (policy, _) in enumerate(examples(name)):
        path = tmp_path / f"{number}.egress"
        path.write_text(policy, encoding="utf-8")
        assert main(["fmt", "--check", str(path)]) == 0, capsys.readouterr().err


def test_the_list_of_rules_in_the_docs_is_whole(golden):
    page = ROOT / "docs" / "lint.md"
    head = page.read_text(encoding="utf-8").partition("| --- | --- | --- |\n")
    rows = []
    for name, code in CODES.items():
        title = re.fullmatch(rf"# {code}: (\S.*) \(`{name}`\)", page_of_rule(name).split("\n", 1)[0])
        assert title, "the first line of a page is `# CODE: what it finds (`name`)`"
        rows.append(f"| `{name}` | {code} | {title[1]} |\n")
    golden(page, head[0] + head[1] + "".join(rows))


def test_a_page_is_shown_without_running_its_rule():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "egressc", "explain", "shadowed-rule"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    imported = set(re.findall(r"\|\s+(\S+)$", done.stderr, re.MULTILINE))
    assert "egressc.lint.registry" in imported
    assert not imported & {"lark", "yaml", "netaddr", "jsonschema", "egressc.lint.shadowed_rule", "egressc.flows"}


def test_a_near_name_is_suggested(capsys):
    assert main(["explain", "shadow-rule"]) == 2
    assert "did you mean `shadowed-rule`?" in capsys.readouterr().err


def test_json_has_the_code_of_a_name(capsys):
    assert main(["explain", "shadowed-rule", "--format", "json"]) == 0
    (page,) = json.loads(capsys.readouterr().out)["pages"]
    assert (page["code"], page["markdown"]) == (CODES["shadowed-rule"], page_of_rule("shadowed-rule"))
