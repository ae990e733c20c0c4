"""Rules that are said by several rulings of their own: pairing them by name hides nothing that the search finds."""

from __future__ import annotations

import pytest
from test_proof_compare import HERE, NAMED, WHOLE, Wanted, allow, compared, deny, rule

from egressc.addresses import ALL, parse_addresses
from egressc.meaning import Block
from egressc.proof_question import Kind

__all__ = ["compared"]

HALF = Block(addresses=parse_addresses("198.51.100.0/25"))
NAMED_HERE = Block(NAMED.names, HERE.addresses)
NAMED_ELSEWHERE = Block(NAMED.names, ALL.difference(HERE.addresses))
LESS, MORE, UNDECIDED = Kind.ALLOWS_LESS, Kind.ALLOWS_MORE, Kind.UNDECIDED


@pytest.mark.parametrize(
    ("closes", "rulings", "kinds"),
    [
        ((), (allow("a", NAMED),), set()),
        ((), (allow("a", NAMED_HERE), allow("a", NAMED_ELSEWHERE)), set()),
        ((), (allow("a", NAMED_ELSEWHERE),), {LESS}),
        ((), (allow("a", NAMED), allow("a", HERE)), {MORE}),
        ((), (deny("a", HALF), allow("a", NAMED)), {LESS, UNDECIDED}),
        ((), (allow("a", NAMED), deny("a", HALF)), {UNDECIDED}),
        ([HERE], (allow("a", NAMED), deny("a", HERE)), set()),
        ([HERE], (allow("a", NAMED_HERE), deny("a", HERE), allow("a", NAMED)), set()),
        ([HERE], (allow("a", NAMED),), {MORE}),
        ([HERE], (allow("a", NAMED), deny("a", HALF)), {MORE}),
        ([HERE], (deny("a", HERE), allow("a", NAMED)), {LESS}),
        ([HERE], (allow("a", NAMED), deny("a", HERE), deny("a", WHOLE)), {UNDECIDED}),
        ([HERE], (allow("a", NAMED, HALF), deny("a", HERE)), {MORE}),
        ([HERE], (allow("a", NAMED_ELSEWHERE), deny("a", HERE), allow("a", NAMED)), {LESS}),
    ],
)
def test_an_allow_with_what_it_closes(compared, closes, rulings, kinds):
    found = compared(Wanted(rule("a", NAMED, closes=closes)), *rulings)
    assert {kind for kind, _, _ in found} == kinds


@pytest.mark.parametrize(
    ("rulings", "kinds"),
    [
        ((deny("d", NAMED),), set()),
        ((deny("d", NAMED_HERE), deny("d", NAMED_ELSEWHERE)), set()),
        ((deny("d", NAMED_HERE),), {MORE}),
        ((deny("d", NAMED), deny("d", HERE)), {UNDECIDED}),
        ((deny("d", NAMED), allow("d", HERE)), {MORE}),
        ((allow("d", NAMED_HERE), deny("d", NAMED)), {MORE}),
    ],
)
def test_a_deny_of_several_rulings(compared, rulings, kinds):
    assert {kind for kind, _, _ in compared(Wanted(rule("d", NAMED, deny=True)), *rulings)} == kinds


def test_a_deny_stands_before_the_allows_that_it_takes_from(compared):
    wanted = Wanted(rule("d", HERE, deny=True), rule("a", NAMED))
    own, other = deny("d", HERE), allow("a", NAMED)
    assert compared(wanted, own, other) == []
    assert compared(wanted, other, own) == [(MORE, "d", "a")]
    assert compared(wanted, deny("d", HALF), other, own) == [(MORE, "d", "a")]
    assert compared(wanted, other, own, deny("d", HALF)) == [(MORE, "d", "a")]


def test_what_a_deny_closes_below_the_allows_may_not_stand_before_them(compared):
    wanted = Wanted(rule("d", NAMED, deny=True, closes=[HERE]), rule("a", HERE))
    first, other, below = deny("d", NAMED), allow("a", HERE), deny("d", HERE)
    assert compared(wanted, first, other, below) == []
    assert compared(wanted, first, below, other) == [(LESS, "a", "d")]


def test_a_deny_that_holds_more_than_it_must_takes_from_an_allow(compared):
    wanted = Wanted(rule("d", NAMED, deny=True), rule("a", HERE), closing=(WHOLE,))
    assert compared(wanted, deny("d", NAMED), allow("a", HERE), deny("closing", WHOLE)) == []
    assert compared(wanted, deny("d", WHOLE), allow("a", HERE), deny("closing", WHOLE)) == [(LESS, "a", "d")]
