"""Rulings by position: what the default of the device adds, and which surely stand before another."""

from __future__ import annotations

import pytest

from egressc.flows_index import BlockIndex, uncovered
from egressc.hosts import HostPattern
from egressc.meaning import Block, Meaning, Outcome, Ruling
from egressc.proof_question import boxes_of
from egressc.proof_rulings import DEFAULT, Rulings
from egressc.services import PortSet

NOTHING = BlockIndex([])
CLOSING = (Block(ports=PortSet(tcp=((1, 99),))),)


@pytest.mark.parametrize("default", [Outcome.ALLOW, Outcome.DENY])
def test_the_default_of_a_device_is_its_last_ruling(default):
    first = Ruling("one", Outcome.ALLOW, (Block(),))
    rulings = Rulings(Meaning((first,), default=default), CLOSING)
    assert rulings.every == (first, Ruling(DEFAULT, default, CLOSING))


def test_a_default_is_asked_only_where_it_says_something_and_is_to_be_relied_on():
    assert Rulings(Meaning((), default=Outcome.LEFT), CLOSING).every == ()
    assert Rulings(Meaning((), default=Outcome.DENY), ()).every == ()


def block(port):
    return Block(ports=PortSet(tcp=((port, port),)))


def ruling(outcome, port, **more):
    return Ruling(f"{outcome} {port}", outcome, (block(port),), **more)


NAMES = (Block(((HostPattern(("x", "example")), None),), by_address=True),)
EVERY = (
    ruling(Outcome.ALLOW, 1),
    ruling(Outcome.DENY, 2),
    ruling(Outcome.ALLOW, 3, doubt="a schedule"),
    ruling(Outcome.ALLOW, 4, but=NAMES),
    ruling(Outcome.DENY, 5, but=(block(5),)),
    ruling(Outcome.ALLOW, 6, but=(block(1),)),
    ruling(Outcome.LEFT, 7, doubt="a schedule"),
    ruling(Outcome.ALLOW, 8),
)


def test_rulings_are_known_by_outcome():
    rulings = Rulings(Meaning(EVERY), ())
    assert [list(rulings.of(each)) for each in Outcome] == [[0, 2, 3, 5, 7], [1, 4], [6]]


def ports_in(indexes):
    """The ports of which every flow is in one of the indexes."""
    return {port for port in range(1, 10) if uncovered(boxes_of([block(port)]), (), (NOTHING, *indexes)) is None}


def test_what_surely_stands_before_a_ruling():
    rulings = Rulings(Meaning(EVERY), ())
    for position in range(len(EVERY) + 1):
        sure = [p for p in (0, 5, 7) if p < position]
        assert ports_in([rulings.sure(Outcome.ALLOW, position)]) == {p + 1 for p in sure}
        # The fifth lets go by all that it holds.
        denied = {2} if position > 1 else set()
        assert ports_in([rulings.sure(Outcome.DENY, position)]) == denied
        before = rulings.before(position, Outcome.ALLOW, Outcome.DENY, Outcome.LEFT)
        assert ports_in(before) == {p + 1 for p in sure} | denied
    assert ports_in([rulings.sure(Outcome.ALLOW)]) == {1, 6, 8}
    assert ports_in([rulings.sure(Outcome.LEFT)]) == set()
