"""The pages of this target's diagnostics: what they call wrong gives their code, and what they say instead does not."""

import re
from pathlib import Path

import pytest
from support import compilation_of
from windows_lowering import inventory

PAGES = Path(__file__).resolve().parents[3] / "docs" / "diagnostics"
CODES = ["E0790", "E0791", "E0792", "E0793", "E0795"]


def codes_of(example, code):
    """The errors of an example: accounts are used by a rule, rules stand in a policy."""
    accounts = dict.fromkeys(re.findall(r"service-account ([a-z-]+)", example))
    user = f'as {" ".join(accounts)} allow x "X" {{ to 192.0.2.1 ports 443/tcp }}' if accounts else example
    source = f'{example if accounts else ""}\npolicy p "P" {{ from g\n{user}\n}}'
    store = "store: {gpo: 'contoso.example\\Egress'}" if code == "E0795" else ""
    return {d.code for d in compilation_of(source, inventory(store)).diagnostics if d.code.startswith("E")}


@pytest.mark.parametrize("code", CODES)
def test_examples_mean_what_the_page_says(code):
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    wrong, right = text.split("## Wrong")[1].split("## Instead")
    (bad,) = re.findall(r"```\n(.*?)```", wrong, re.DOTALL)
    (good,) = re.findall(r"```\n(.*?)```", right, re.DOTALL)
    assert codes_of(bad, code) == {code}
    assert codes_of(good, code) == set()
