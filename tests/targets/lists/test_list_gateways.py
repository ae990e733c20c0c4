"""What holds for every format of gateways and for the tables, and the shipped policies in each of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lists_support import exported, load_format, options_for, prepared_of
from support import AS_OF

from egressc.api import load
from egressc.bind import prepare
from egressc.diagnostics import has_errors

FORMATS = ("paloalto-edl", "zscaler", "netskope", "forcepoint", "umbrella", "proxysg", "json", "hosts", "csv")
CASES = [
    (name, form, kind)
    for name in FORMATS
    for form in load_format(name).forms
    for kind in ("bypass", "exemption")
    if (name, form, kind) != ("netskope", "steering", "exemption")
]
HOSTILE = ("W", "a; b", "# x */ --> ]]>", "end condition\u202e", "' && {{x}}")


def policy_named(name):
    return (
        f'policy p "{name}" {{ from g allow web "{name}" {{ to *.foo.test foo.test 203.0.113.0/24 ports 443/https'
        f' no-tls-inspection ticket "{name}" }} }}'
    )


@pytest.mark.parametrize(("name", "form", "kind"), CASES)
def test_what_rules_are_called_is_in_no_list(name, form, kind):
    texts, tried = set(), 0
    for title in HOSTILE:
        try:
            prepared = prepared_of(policy_named(title))
        except AssertionError:  # the language does not take it
            continue
        build, report = exported(prepared, name, kind, form=form, request={"accept": ("tls-unenforced",)})
        assert build is not None, [each.message for each in report]
        texts.add(build.text)
        tried += 1
    assert len(texts) == 1
    assert tried > 3


@pytest.mark.parametrize(("name", "form", "kind"), CASES)
def test_an_empty_list_is_written_and_read(name, form, kind):
    policy = 'policy p "P" { from g allow time "T" { to 203.0.113.1 ports 123/udp } }'
    build, report = exported(policy, name, kind, form=form)
    assert build is not None
    assert "W0627" in {each.code for each in report}
    assert load_format(name).read(build.text, options_for(name, kind, form=form), "").entries == ()


ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def shipped():
    """The policies of this project, ready to be exported."""
    loaded = load((str(ROOT / "policies"),))
    assert not has_errors(loaded.diagnostics)
    prepared, problems = prepare(loaded.policy, loaded.inventory, AS_OF)
    assert not has_errors(problems)
    return prepared


@pytest.mark.parametrize("name", FORMATS)
def test_the_page_shows_what_the_shipped_policies_give(shipped, name):
    page = (ROOT / "docs" / "exports" / f"{name}.md").read_text(encoding="utf-8")
    example = re.search(r"^```sh\n.*?^```\n\n```\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert example
    build, report = exported(shipped, name, "exemption")
    assert build is not None, [each.message for each in report]
    written = build.text.splitlines()
    for line in example[1].splitlines():
        if not line.lstrip().startswith(("#", ";", '"title"')):
            start, _, rest = line.partition("…")  # identities of rules are shortened
            assert any(each.startswith(start) and each.endswith(rest.lstrip("/")) for each in written), line
    assert len(example[1].splitlines()) == len(written)
