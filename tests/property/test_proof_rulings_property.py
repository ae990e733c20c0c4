"""What a ruling that lets some flows go by decides, against every flow of a small universe."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flow_universe import check, in_block, in_box, union
from test_flow_boxes_property import SCALE, a_block, a_box, generator

from egressc.flows import EVERY
from egressc.flows_index import uncovered
from egressc.meaning import Meaning, Outcome, Ruling
from egressc.proof_rulings import Rulings
from egressc.reach import BOTH_FAMILIES

pytestmark = pytest.mark.property


def seen_block(rng):
    """A block as an enforcement point sees it."""
    return replace(a_block(rng), accounts=EVERY, families=BOTH_FAMILIES)


def let_by(rng, block):
    """A block that may take something of another: much like it, but for its names."""
    other = replace(seen_block(rng), by_address=False)
    names = {"names": other.names, "names_out": other.names_out, "by_address": False}
    return replace(block, **names) if rng.random() < 0.7 else other


def asked_of(rng, blocks):
    """A box of the ruling, at one name more or less."""
    box = rng.choice([box for block in blocks for box in block.boxes()])
    other = a_box(rng)
    fields = rng.choice((("inside",), ("shared_inside",), ("inside", "shared_inside"), ("outside",), ("sources",), ()))
    return replace(box, **{field: getattr(other, field) for field in fields})


def test_a_ruling_decides_its_blocks_without_what_it_lets_go_by():
    rng = generator("but")
    seen = {}
    for _ in range(500 * SCALE):
        rulings = []
        for _ in range(rng.choice((1, 1, 2))):
            blocks = (seen_block(rng),)
            but = tuple(let_by(rng, blocks[0]) for _ in range(rng.choice((0, 1, 1, 2))))
            rulings.append(Ruling("one", Outcome.ALLOW, blocks, but=but))
        index = Rulings(Meaning(tuple(rulings)), ()).sure(Outcome.ALLOW)
        held = [union(each.blocks, in_block) & ~union(each.but, in_block) for each in rulings]
        for number, flows in enumerate(held):
            assert union(index.boxes_of(number), in_box) == flows
        box = asked_of(rng, rulings[0].blocks)
        mine = in_box(box)
        left = mine & ~union(held, int)
        check(uncovered([box], (), (index,)), left)
        meeting = [number for number, flows in enumerate(held) if mine & flows]
        assert index.meeting_boxes([box]) == meeting
        found = index.first_inside([box], (), ())
        check(found and found[0], mine & union(held, int))
        answer = (bool(left), bool(meeting), bool(rulings[0].but))
        seen[answer] = seen.get(answer, 0) + 1
    assert min(seen.values()) > 3, seen
    assert len(seen) >= 6, seen
