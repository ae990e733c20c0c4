"""A whole configuration with control groups in it: each of its conditions holds what is below its paths."""

from __future__ import annotations

import pytest

from egressc.flows import Choice
from egressc.meaning import Block, Handling, InspectionRuling, Meaning, Outcome, Ruling
from egressc.proof_trees import Trees, processes_of


def group(*paths, negated=False):
    return (("linux-cgroup", Choice(frozenset(paths), negated)),)


def block(processes):
    return Block(processes=processes)


def meaning(first, but, inspected):
    return Meaning(
        (Ruling("one", Outcome.DENY, (block(first), block(())), but=(block(but),)),),
        (InspectionRuling("two", Handling.EXEMPT, (block(inspected),)),),
    )


A, B, C = group("s"), group("s/b"), group("s/b/c")


@pytest.mark.parametrize("order", [(A, B, C), (B, C, A), (C, A, B)])
def test_every_condition_of_a_configuration_is_known_and_widened(order):
    whole = meaning(*order)
    assert list(processes_of(whole)) == [order[0], (), order[1], order[2]]
    wide = {A: group("s", "s/b", "s/b/c"), B: group("s/b", "s/b/c"), C: C}
    assert Trees(processes_of(whole)).meaning(whole) == meaning(*(wide[each] for each in order))


def test_without_a_second_path_everything_stays_as_it_is():
    whole = meaning(A, (), A)
    trees = Trees(processes_of(whole))
    assert not trees.is_needed
    assert trees.meaning(whole) is whole
    assert trees.ruling(whole.rulings[0]) is whole.rulings[0]
    assert trees.blocks(iter((block(A),))) == (block(A),)
    twice = (*group("s"), *group("s", negated=True))
    assert trees.processes(twice) == twice


def test_a_block_that_no_process_meets_is_gone_whatever_else_it_asks_for():
    user = (("user", Choice(frozenset({"u"}))),)
    trees = Trees([A, B])
    assert trees.blocks([block((*B, *group("s", negated=True), *user)), block((*B, *user))]) == (block((*B, *user)),)
    assert trees.processes((*A, *group("s/b", negated=True))) == A, "in the one, and in no deeper one"
