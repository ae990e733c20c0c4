"""Every format of lists has a page, which names what the format can and cannot say and what nobody could verify."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from egressc.reasons import Reason
from egressc.targets.list_registry import format_names, load_format

PAGES = Path(__file__).resolve().parents[3] / "docs" / "exports"


@pytest.mark.parametrize("name", format_names())
def test_the_page_of_a_format_names_every_row_and_assumption(name):
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert f"egressc export {name} " in text
    held = load_format(name).capabilities
    for row in held.rows:
        assert re.search(rf"^\| {re.escape(row.feature)} \|.*\b{row.verdict}\b", text, re.MULTILINE), row.feature
    for assumption in held.assumptions:
        assert f"`{assumption.id}`" in text, assumption.id
    for form in load_format(name).forms[1:]:
        assert f"--form {form}" in text, form


@pytest.mark.parametrize("name", format_names())
def test_what_a_format_cannot_say_names_reasons_and_assumptions_that_there_are(name):
    held = load_format(name).capabilities
    known = {assumption.id for assumption in held.assumptions}
    assert len(known) == len(held.assumptions)
    used = {each for row in held.rows for each in row.assumptions}
    assert used <= known
    for row in held.rows:
        assert row.verdict in {"exact", "wider", "narrower", "refused"}
        assert set(row.reasons) <= {reason.value for reason in Reason}
        assert bool(row.reasons) or row.verdict == "exact", row.feature
    assert len({row.feature for row in held.rows}) == len(held.rows)
    for limit in held.limits:
        assert limit.source, limit.name
