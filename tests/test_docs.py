"""The documents are true for what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from egressc.cli import build_parser, main
from egressc.reasons import FACTS, Reason

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "exports").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"(?<!\\)\]\(([^)#]+)", text):
        if not link.startswith("http"):
            assert (page.parent / link).exists(), link


TARGETS_HEAD = """\
# What each target can say

For each feature of the language: how the target says it, whether exactly, and the reason that is announced if not. Then
its limits, with their sources, and what nobody could verify. The formats of [lists for proxies](exports.md) come after
the targets, with what each says of a destination. This is `egressc targets --format markdown`.

"""


def test_the_table_of_targets_is_what_the_verb_prints(golden, capsys):
    assert main(["targets", "--format", "markdown"]) == 0
    golden(ROOT / "docs" / "targets.md", TARGETS_HEAD + capsys.readouterr().out)


def test_every_verb_and_option_is_documented():
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    verbs = next(a for a in build_parser()._actions if a.dest == "verb").choices
    for name, verb in verbs.items():
        assert f"| `{name}" in text, name
        for action in verb._actions:
            for option in action.option_strings:
                if option.startswith("--") and option != "--help":
                    assert f"{option}" in text or option == "--output", f"{name} {option}"


def test_every_reason_is_documented():
    text = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")
    for reason in Reason:
        assert f"`{reason.value}`" in text
        assert (ROOT / "docs" / "diagnostics" / f"{FACTS[reason].code}.md").exists()


LANGUAGE_EXAMPLES = re.findall(
    r"^```\n(.*?)^```", (ROOT / "docs" / "language.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)


def test_the_language_page_has_its_examples():
    assert len(LANGUAGE_EXAMPLES) == 3
    assert LANGUAGE_EXAMPLES[0].startswith("# Microsoft Entra")


@pytest.mark.parametrize("example", LANGUAGE_EXAMPLES, ids=["policy", "account", "parameter"])
def test_the_language_page_shows_policies_that_compile(example, tmp_path, capsys):
    (tmp_path / "microsoft").mkdir()
    (tmp_path / "microsoft" / "certificates.egress").write_text("", encoding="utf-8")
    (tmp_path / "policy.egress").write_text(example, encoding="utf-8")
    assert main(["check", str(tmp_path)]) == 0, capsys.readouterr().err
    assert main(["fmt", "--check", str(tmp_path / "policy.egress")]) == 0, "the examples stand in the canonical layout"


def test_the_inventory_page_shows_an_inventory_that_loads(tmp_path, capsys):
    text = (ROOT / "docs" / "inventory.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert example
    (tmp_path / "ServiceTags_Public.json").write_text(
        '{"changeNumber": 1, "cloud": "Public", "values": [{"name": "AzureCloud", "id": "AzureCloud",'
        ' "properties": {"changeNumber": 1, "region": "", "platform": "Azure", "systemService": "",'
        ' "addressPrefixes": ["198.51.100.0/24"]}}]}',
        encoding="utf-8",
    )
    (tmp_path / "inventory.yaml").write_text(example[1], encoding="utf-8")
    (tmp_path / "policy.egress").write_text(
        'service-account entra-connector "A" { linux-user 1 }\n'
        'parameter region "R"\n'
        'policy p "P" { from connectors allow r "R" { to x-${region}.example.net ports 443/https feature installation } }',
        encoding="utf-8",
    )
    assert main(["check", str(tmp_path)]) == 0, capsys.readouterr().err
