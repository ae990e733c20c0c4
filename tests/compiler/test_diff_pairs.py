"""Pairs of policies whose answer is known: what the review says, and what every flow of a small universe says."""

from __future__ import annotations

import tempfile

import pytest
from diff_claims import World
from diff_pairs import PAIRS
from support import write_project

from egressc.anything import ANY
from egressc.api import load
from egressc.bind import prepare
from egressc.diagnostics import has_errors
from egressc.diff import review


def prepared(policy, inventory, as_of):
    with tempfile.TemporaryDirectory() as folder:
        write_project(folder, policy, inventory)
        loaded = load((folder,))
    assert not has_errors(loaded.diagnostics), loaded.diagnostics
    found, problems = prepare(loaded.policy, loaded.inventory, as_of)
    assert not has_errors(problems), problems
    return found


def sides(pair):
    return [prepared(*each) for each in zip(pair.texts(), pair.inventories, pair.as_of, strict=True)]


def told(change, *, inspection=False, notes=False):
    groups = "any-group" if change.groups is ANY else " ".join(change.groups)
    sources = f" [{change.sources}]" if change.sources else ""
    accounts = "" if change.accounts is ANY else f" as {' '.join(change.accounts)}"
    where = change.endpoint or f"all {change.count}"
    within = f" within {' '.join(change.within)}" if change.within else ""
    beyond = f" beyond {' '.join(change.beyond)}" if change.beyond else ""
    ending = f" : {change.before.value} > {change.after.value}" if inspection else ""
    said = f" ! {' '.join(change.notes)}" if notes and change.notes else ""
    return f"{groups}{sources}{accounts} -> {where}{within}{beyond} : {change.ports}{ending}{said}"


def done(edit):
    old, new = (" ".join(rule.identity for rule in rules) for rules in (edit.old, edit.new))
    what = edit.file or (f"{old} = {new}" if old and new else old or new)
    return f"{edit.kind.value} {what}"


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_a_known_pair(pair):
    old, new = sides(pair)
    found = review(old, new)
    assert sorted(told(each, notes=not pair.brute) for each in found.newly_allowed) == sorted(pair.newly)
    assert sorted(told(each, notes=not pair.brute) for each in found.no_longer_allowed) == sorted(pair.gone)
    assert sorted(told(each, inspection=True) for each in found.inspection_changed) == sorted(pair.inspection)
    assert sorted(map(done, found.edits)) == sorted(pair.edits)
    if pair.brute:
        World(old, new, tags=pair.tags).check(found)


def test_there_are_enough_pairs():
    assert len({pair.name for pair in PAIRS}) == len(PAIRS) >= 60
