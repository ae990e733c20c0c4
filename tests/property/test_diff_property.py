"""Reviews of random changes against brute force over a small universe of flows."""

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest
from diff_claims import World
from diff_policies import changed, prepared_of, random_world

from egressc import diff_flows
from egressc.diff import review

pytestmark = pytest.mark.property

SCALE = int(os.environ.get("EGRESSC_SCALE", "1"))
SEED = int(os.environ.get("EGRESSC_SEED", "20261126"))


def pairs(kind, count):
    """Pairs of worlds that compile, with the number of their seed."""
    number = 0
    while count:
        rng = random.Random(f"{SEED} {kind} {number}")
        number += 1
        old = random_world(rng)
        new = random_world(rng) if kind == "apart" else changed(rng, old)
        sides = prepared_of(old), prepared_of(new)
        if None in sides:
            continue
        count -= 1
        yield number - 1, old, new, *sides


def swapped(changes):
    return sorted(
        repr(
            replace(
                each,
                before=each.after,
                after=each.before,
                old_rules=each.new_rules,
                new_rules=each.old_rules,
            )
        )
        for each in changes
    )


def plain(changes):
    return sorted(map(repr, changes))


@pytest.mark.parametrize("kind", ["edited", "apart", "together"])
def test_a_review_says_what_changed_and_no_more(kind, monkeypatch):
    told = 0
    if kind == "together":
        # What is behind a deny is told all together, as it is of many rules.
        monkeypatch.setattr(diff_flows, "FEW", 0)
    for number, old, new, before, after in pairs(kind, 150 * SCALE):
        world = World(before, after)
        if world.conflict:
            continue
        found = review(before, after)
        try:
            world.check(found)
            told += len(found.newly_allowed) + len(found.no_longer_allowed) + len(found.inspection_changed)
            back = review(after, before)
            assert swapped(found.newly_allowed) == plain(back.no_longer_allowed)
            assert swapped(found.no_longer_allowed) == plain(back.newly_allowed)
            assert swapped(found.inspection_changed) == plain(back.inspection_changed)
            assert review(before, after) == found
        except AssertionError as error:
            error.add_note(f"seed {SEED} {kind} {number}\n--- old\n{old.text}\n--- new\n{new.text}")
            raise
    assert told > 100 * SCALE, "these pairs show too little"


def test_nothing_changed_is_nothing_told():
    for number, old, _, before, _ in pairs("edited", 60 * SCALE):
        again = prepared_of(old)
        found = review(before, again)
        assert found.is_empty, (number, old.text)
        assert found.edits == (), (number, old.text, found.edits)
