"""What an artefact must do, made from parts by hand: which blocks decide, close, and stand below the allows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from egressc.addresses import ALL, EMPTY, parse_addresses
from egressc.flows import EVERY, Choice
from egressc.hosts import HostPattern
from egressc.meaning import Block, Outcome, Ruling
from egressc.proof_expected import Expected
from egressc.proof_trees import Trees

HOUSE = parse_addresses("10.0.0.0/8")
SERVERS, OBJECT = parse_addresses("10.1.0.0/16"), Choice(frozenset({"clients"}))
GOVERNED = ((SERVERS, EVERY), (ALL, OBJECT))
ONE, TWO, THREE, FOUR = (Block(((HostPattern((name, "example")), None),)) for name in ("one", "two", "three", "four"))


def group(path):
    return Block(processes=(("linux-cgroup", Choice(frozenset({path}))),))


class AnyRule(SimpleNamespace):
    """Stands in for a rule of a site: compared by identity."""

    __hash__ = object.__hash__


def rule(key, *, deny=False):
    return AnyRule(key=key, is_deny=deny)


def part(of, reach, *names, closes=(), cells=None, cut_out=False):
    return SimpleNamespace(rule=of, reach=reach, names=names, closes=closes, cells=cells, cut_out=cut_out)


def expected(*parts, internal=EMPTY, closing_deny=True, says=Outcome.LEFT, opening=(), trees=None, inspects=False):
    """What the parts come to, where a reach is its own blocks."""
    site = SimpleNamespace(internal=internal, closing_deny=closing_deny)
    lowering = SimpleNamespace(parts=parts, internal=says, opening=opening, inspects=inspects)
    sight = SimpleNamespace(blocks=lambda reach: reach, governed=GOVERNED)
    return Expected(site, lowering, sight, trees or Trees(()))


def test_a_rule_does_what_its_parts_reach_and_no_part_that_is_gone_stops_another():
    a = rule("p/a")
    parts = (
        part(a, None, "gone"),
        part(a, (ONE,), "first", "second"),
        part(a, (TWO,), cut_out=True, closes=((FOUR,),)),
        part(a, (THREE,), "third", cells=(FOUR,)),
        part(a, (TWO, THREE), "first"),
    )
    (found,) = expected(*parts).rules
    assert found.rule is a
    assert found.parts == parts
    assert found.decides == (ONE, FOUR, TWO, THREE), "what is gone or cut out decides nothing; cells stand for a reach"
    assert found.closes == (FOUR,), "also of what is cut out"
    assert found.names == {"gone", "first", "second", "third"}


def test_a_part_of_which_no_cell_is_left_decides_nothing():
    (found,) = expected(part(rule("p/a"), (ONE,), cells=())).rules
    assert found.decides == ()


def test_the_parts_of_each_rule_are_its_own():
    a, d = rule("p/a"), rule("p/d", deny=True)
    found = expected(part(a, (ONE,)), part(d, (TWO,)), part(a, (THREE,)))
    assert [(each.rule, each.decides) for each in found.rules] == [(a, (ONE, THREE)), (d, (TWO,))]
    assert [each.rule for each in found.allows] == [a]
    assert [each.rule for each in found.denies] == [d]


@pytest.mark.parametrize(
    ("internal", "says", "closed", "opened"),
    [
        (EMPTY, Outcome.LEFT, ALL, None),
        (EMPTY, Outcome.ALLOW, ALL, None),
        (HOUSE, Outcome.LEFT, ALL.difference(HOUSE), None),
        (HOUSE, Outcome.ALLOW, ALL.difference(HOUSE), HOUSE),
        (HOUSE, Outcome.DENY, ALL, None),
        # Everything is in the house: nothing is left to stop.
        (ALL, Outcome.LEFT, None, None),
        (ALL, Outcome.ALLOW, None, ALL),
        (ALL, Outcome.DENY, ALL, None),
    ],
)
def test_below_the_allows_everything_outside_the_house_is_stopped(internal, says, closed, opened):
    def of(addresses):
        if addresses is None:
            return ()
        return (Block(addresses=addresses, sources=SERVERS), Block(addresses=addresses, objects=OBJECT))

    found = expected(internal=internal, says=says)
    assert found.internal == internal
    assert (found.closing, found.left_open) == (of(closed), of(opened))
    without = expected(internal=internal, says=says, closing_deny=False)
    assert (without.closing, without.left_open) == ((), ())


def test_paths_in_use_stand_for_those_below_them_in_cells_and_in_what_is_let_through_first():
    outer, inner = group("user"), group("user/app")
    both = Block(processes=(("linux-cgroup", Choice(frozenset({"user", "user/app"}))),))
    first = Ruling("first", Outcome.ALLOW, (outer,), but=(inner,))
    trees = Trees([outer.processes, inner.processes])
    found = expected(part(rule("p/a"), (ONE,), cells=(outer,)), opening=(first,), trees=trees)
    assert found.rules[0].decides == (both,)
    assert found.opening == (Ruling("first", Outcome.ALLOW, (both,), but=(inner,)),)


@pytest.mark.parametrize("inspects", [False, True])
def test_whether_the_device_opens_tls_is_what_the_target_says(inspects):
    assert expected(inspects=inspects).inspects is inspects
