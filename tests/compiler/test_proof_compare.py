"""The comparison case by case: which kind of deviation, how many, and what counts inside the house."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from egressc.addresses import ALL, parse_addresses
from egressc.flows import EVERY
from egressc.hosts import HostPattern
from egressc.meaning import Block, Meaning, Outcome, Ruling
from egressc.proof_compare import Comparison
from egressc.proof_expected import Expected, RuleBlocks
from egressc.proof_question import Kind
from egressc.proof_rulings import Rulings

NAMED = Block(((HostPattern(("x", "example")), None),))
HERE = Block(addresses=parse_addresses("198.51.100.0/24"))
HOUSE = parse_addresses("10.0.0.0/8")
SERVER = Block(addresses=parse_addresses("10.0.0.1"))
WHOLE = Block()


class Wanted(Expected):
    """What must be done, made by hand."""

    def __init__(self, *rules, opening=(), closing=(), left_open=(), internal=None):
        self.rules = rules
        self.opening = opening
        self.__dict__["closing"] = closing
        self.__dict__["left_open"] = left_open
        self.sight = SimpleNamespace(governed=((ALL, EVERY),), known=None)
        if internal is not None:
            self.internal = internal


class AnyRule(SimpleNamespace):
    """Stands in for a rule of a site: compared by identity."""

    __hash__ = object.__hash__


def rule(key, *decides, deny=False, closes=()):
    return RuleBlocks(AnyRule(key=key, is_deny=deny), (), decides, tuple(closes), frozenset({key}))


def allow(name, *blocks, **more):
    return Ruling(name, Outcome.ALLOW, blocks, **more)


def deny(name, *blocks, **more):
    return Ruling(name, Outcome.DENY, blocks, **more)


def left(*blocks):
    return Ruling("left", Outcome.LEFT, blocks)


@pytest.fixture(params=[True, False], ids=["quick", "thorough"])
def compared(request):
    def compare(wanted, *rulings):
        rulings = Rulings(Meaning(rulings), ())
        found = Comparison(wanted, rulings, governed_only=False, quick=request.param).deviations()
        return [(e.kind, e.rule and e.rule.key, e.ruling and e.ruling.name) for e in found]

    return compare


def test_what_is_missing_is_told_once_with_its_rule(compared):
    wanted = Wanted(rule("a", NAMED), rule("d", HERE, deny=True), closing=(WHOLE,))
    closing = deny("closing", WHOLE)
    assert compared(wanted, deny("d", HERE), allow("a", NAMED), closing) == []
    assert compared(wanted, deny("d", HERE), closing) == [(Kind.ALLOWS_LESS, "a", None)]
    assert compared(wanted, deny("d", HERE), allow("a", NAMED)) == [(Kind.ALLOWS_MORE, None, None)]
    only = Wanted(rule("d", HERE, deny=True))
    assert compared(only) == [(Kind.ALLOWS_MORE, "d", None)]


def test_a_deny_before_an_allow_that_it_must_not_touch_is_told_of_the_deny(compared):
    wanted = Wanted(rule("a", NAMED))
    assert compared(wanted, deny("other", NAMED), allow("a", NAMED)) == [(Kind.ALLOWS_LESS, "a", "other")]
    # What no ruling allows any more behind it is missing, and told as that.
    assert compared(wanted, deny("other", NAMED)) == [
        (Kind.ALLOWS_LESS, "a", None),
    ]


def test_a_default_deny_that_may_not_match_is_unknown_and_one_that_lets_flows_by_is_not_whole(compared):
    wanted = Wanted(closing=(WHOLE,))
    assert compared(wanted, deny("closing", WHOLE)) == []
    assert compared(wanted, deny("closing", WHOLE, doubt="a schedule")) == [(Kind.UNKNOWN, None, "closing")]
    assert compared(wanted, deny("closing", WHOLE, but=(HERE,))) == [(Kind.ALLOWS_MORE, None, None)]


@pytest.mark.parametrize("is_deny", [False, True])
def test_what_a_rule_closes_below_the_allows_may_not_be_missing(compared, is_deny):
    wanted = Wanted(rule("one", NAMED, deny=is_deny, closes=[HERE]))
    own = (deny if is_deny else allow)("one", NAMED)
    assert compared(wanted, own, deny("one", HERE)) == []
    assert compared(wanted, own) == [(Kind.ALLOWS_MORE, "one", None)]


@pytest.mark.parametrize("is_deny", [False, True])
def test_inside_the_house_what_a_rule_says_of_an_address_counts(compared, is_deny):
    wanted = Wanted(rule("one", SERVER, deny=is_deny), internal=HOUSE)
    own = deny if is_deny else allow
    assert compared(wanted, own("one", SERVER)) == []
    less = Kind.ALLOWS_MORE if is_deny else Kind.ALLOWS_LESS
    assert compared(wanted) == [(less, "one", None)]
    assert (less, "one", "left") in compared(wanted, left(Block(addresses=HOUSE)), own("one", SERVER))
    closes = Wanted(rule("one", closes=[SERVER]), internal=HOUSE)
    assert compared(closes, deny("one", SERVER)) == []
    assert compared(closes) == [(Kind.ALLOWS_MORE, "one", None)]
    assert (Kind.ALLOWS_MORE, None, "left") in compared(closes, left(Block(addresses=HOUSE)), deny("one", SERVER))


@pytest.mark.parametrize("is_deny", [False, True])
def test_inside_the_house_what_a_rule_says_of_a_name_does_not_count(compared, is_deny):
    wanted = Wanted(rule("one", NAMED, deny=is_deny), internal=HOUSE)
    own = deny if is_deny else allow
    assert compared(wanted, own("one", NAMED)) == []
    outside = Block(NAMED.names, ALL.difference(HOUSE))
    assert compared(wanted, own("one", outside)) == []
    assert compared(wanted, left(Block(addresses=HOUSE)), own("one", NAMED)) == []
    inside = Block(NAMED.names, HOUSE)
    assert [kind for kind, _, _ in compared(wanted, own("one", inside))][-1:] == [
        Kind.ALLOWS_MORE if is_deny else Kind.ALLOWS_LESS
    ]


def test_inside_the_house_what_nothing_of_the_policy_says_counts(compared):
    wanted = Wanted(rule("one", NAMED), internal=HOUSE)
    found = compared(wanted, allow("one", NAMED), allow("foreign", SERVER))
    assert found == [(Kind.ALLOWS_MORE, None, "foreign")]
