"""The comparison case by case: which kind of deviation, how many, and what counts inside the house."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from egressc.addresses import ALL, parse_addresses
from egressc.flows import EVERY, Choice
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
        found = list(Comparison(wanted, rulings, governed_only=False, quick=request.param).deviations())
        for each in found:
            is_unknown = each.kind is Kind.UNKNOWN
            assert ("whether a live rule matches it is not known: a schedule" in each.sentence) is is_unknown
            assert bool(each.ruling and each.ruling.doubt) is is_unknown
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


def test_the_doubt_about_one_ruling_is_told_once_and_what_is_sure_each_time(compared):
    wanted = Wanted(opening=(allow("open", NAMED),), closing=(HERE,))
    behind = (allow("open", NAMED), deny("closing", HERE))
    assert compared(wanted, *behind) == []
    assert compared(wanted, left(WHOLE), *behind) == [
        (Kind.ALLOWS_LESS, None, "left"),
        (Kind.ALLOWS_MORE, None, "left"),
    ]
    vague = Ruling("left", Outcome.LEFT, (WHOLE,), doubt="a schedule")
    assert compared(wanted, vague, *behind) == [(Kind.UNKNOWN, None, "left")]


def test_what_a_ruling_lets_go_by_it_does_not_decide(compared):
    elsewhere = Block(addresses=ALL.difference(HERE.addresses))
    wanted = Wanted(rule("a", HERE))
    assert compared(wanted, allow("a", WHOLE, but=(elsewhere,))) == []
    assert compared(wanted, allow("a", WHOLE)) == [(Kind.ALLOWS_MORE, None, "a")]
    assert compared(wanted, allow("a", WHOLE, but=(NAMED,))) == [
        (Kind.ALLOWS_MORE, None, "a"),
        (Kind.ALLOWS_LESS, "a", None),
    ]
    closed = Wanted(rule("a", HERE), closing=(elsewhere,))
    assert compared(closed, deny("closing", WHOLE, but=(HERE,)), allow("a", HERE)) == []
    assert compared(closed, deny("closing", WHOLE), allow("a", HERE)) == [(Kind.ALLOWS_LESS, "a", "closing")]


def test_a_deny_before_what_must_be_let_through_is_told(compared):
    closing, opened = deny("closing", WHOLE), allow("open", NAMED)
    wanted = Wanted(opening=(opened,), closing=(WHOLE,))
    assert compared(wanted, opened, closing) == []
    assert compared(wanted, closing, opened) == [(Kind.ALLOWS_LESS, None, "closing")]
    inner, outer = Block(addresses=HOUSE), Block(addresses=ALL.difference(HOUSE))
    wanted = Wanted(closing=(outer,), left_open=(inner,))
    assert compared(wanted, allow("open", inner), closing) == []
    assert compared(wanted, closing, allow("open", inner)) == [(Kind.ALLOWS_LESS, None, "closing")]


def test_a_deny_of_what_nothing_of_the_policy_decides_is_told(compared):
    wanted = Wanted(rule("a", NAMED))
    assert compared(wanted, allow("a", NAMED), deny("other", HERE)) == [(Kind.UNDECIDED, None, "other")]
    assert compared(wanted, allow("a", NAMED), allow("other", HERE)) == [(Kind.ALLOWS_MORE, None, "other")]


def test_what_is_let_through_first_is_no_reason_to_be_sure(compared):
    opened = allow("open", NAMED)
    vague = deny("vague", Block(addresses=ALL.difference(HERE.addresses), names_out=NAMED.names), doubt="a schedule")
    wanted = Wanted(rule("a", HERE), opening=(opened,), closing=(WHOLE,))
    # Whether the second ruling stops what the third lets through too much, nobody knows.
    assert compared(wanted, opened, vague, allow("a", WHOLE), deny("closing", WHOLE)) == [(Kind.UNKNOWN, None, "vague")]
    sure = [(Kind.ALLOWS_MORE, None, "a")]
    assert compared(wanted, opened, allow("a", WHOLE), vague, deny("closing", WHOLE)) == sure


def test_the_ruling_whose_doubt_matters_is_named(compared):
    wanted = Wanted(rule("a", HERE), closing=(WHOLE,))
    beside = deny("beside", HERE, doubt="a schedule")
    stops = deny("stops", Block(addresses=ALL.difference(HERE.addresses)), doubt="a schedule")
    closing = deny("closing", WHOLE)
    found = compared(wanted, beside, stops, allow("a", WHOLE), closing)
    assert found == [(Kind.UNKNOWN, "a", "beside"), (Kind.UNKNOWN, None, "stops")]
    vague = allow("a", WHOLE, doubt="a schedule")
    assert (Kind.UNKNOWN, None, "a") in compared(wanted, stops, vague, closing)


def test_what_is_let_through_first_counts_inside_the_house(compared):
    opened = allow("open", SERVER)
    wanted = Wanted(opening=(opened,), internal=HOUSE)
    assert compared(wanted, opened) == []
    assert compared(wanted) == [(Kind.ALLOWS_LESS, None, None)]


def test_a_foreign_rule_of_a_live_configuration_may_not_let_through_what_the_policy_denies():
    foreign, closing = allow("foreign", HERE), deny("closing", WHOLE)

    def found(wanted, *rulings):
        held = Rulings(Meaning(rulings), ())
        return [(e.kind, e.ruling.name) for e in Comparison(wanted, held, governed_only=True).deviations()]

    assert found(Wanted(), foreign) == []
    assert found(Wanted(closing=(WHOLE,)), foreign, closing) == [(Kind.ALLOWS_MORE, "foreign")]
    assert found(Wanted(rule("d", HERE, deny=True)), foreign, deny("d", HERE)) == [(Kind.ALLOWS_MORE, "foreign")]


def test_a_ruling_that_leaves_more_than_the_house_is_asked_for_names_too(compared):
    wanted = Wanted(rule("a", NAMED), internal=HOUSE)
    found = compared(wanted, left(Block(addresses=HOUSE), HERE), allow("a", NAMED))
    assert found == [(Kind.ALLOWS_LESS, "a", "left")]


def test_what_is_left_open_is_so_only_where_nothing_is_denied_below_the_allows(compared):
    inner, outer = Block(addresses=HOUSE), Block(addresses=ALL.difference(HOUSE))
    wanted = Wanted(rule("one", closes=[SERVER]), closing=(outer,), left_open=(inner,))
    opened, closed, closing = allow("open", inner), deny("one", SERVER), deny("closing", outer)
    assert compared(wanted, closed, opened, closing) == []
    assert (Kind.ALLOWS_MORE, None, "open") in compared(wanted, opened, closed, closing)


@pytest.mark.parametrize("quick", [True, False])
def test_in_a_live_configuration_only_rules_of_other_origin_may_decide_what_the_policy_leaves_to_them(quick):
    def found(wanted, *rulings):
        held = Rulings(Meaning(rulings), ())
        comparison = Comparison(wanted, held, governed_only=True, quick=quick)
        return [(e.kind, e.rule and e.rule.key, e.ruling and e.ruling.name) for e in comparison.deviations()]

    more = Block(NAMED.names, HERE.addresses)
    allowed, denied = Wanted(rule("a", more)), Wanted(rule("d", more, deny=True))
    assert found(allowed, allow("a", more), allow("foreign", NAMED)) == []
    assert found(allowed, allow("a", NAMED)) == [(Kind.ALLOWS_MORE, None, "a")]
    assert found(denied, deny("d", more), deny("foreign", NAMED)) == []
    assert found(denied, deny("d", NAMED)) == [(Kind.UNDECIDED, None, "d")]


@pytest.mark.parametrize("quick", [True, False])
def test_in_a_live_configuration_only_what_the_firewall_governs_counts(quick):
    def found(wanted, *rulings):
        wanted.sight = SimpleNamespace(governed=((HOUSE, EVERY),), known=None)
        held = Rulings(Meaning(rulings), ())
        comparison = Comparison(wanted, held, governed_only=True, quick=quick)
        return [
            (e.kind, e.rule and e.rule.key, e.ruling and e.ruling.name, e.flow.source) for e in comparison.deviations()
        ]

    inside, elsewhere = replace(HERE, sources=HOUSE), replace(HERE, sources=parse_addresses("192.0.2.0/24"))
    allows, denies = Wanted(rule("a", inside)), Wanted(rule("d", inside, deny=True))
    assert found(allows, allow("a", inside, elsewhere)) == []
    assert found(allows, deny("other", elsewhere), allow("a", HERE)) == []
    assert found(allows, deny("other", HERE), allow("a", HERE)) == [(Kind.ALLOWS_LESS, "a", "other", "10.0.0.0")]
    assert found(denies, allow("other", elsewhere), deny("d", HERE)) == []
    assert found(denies, allow("other", HERE), deny("d", HERE)) == [(Kind.ALLOWS_MORE, "d", "other", "10.0.0.0")]
    closed = Wanted(closing=(inside,))
    assert found(closed, allow("other", elsewhere), deny("closing", HERE)) == []
    assert found(closed, allow("other", HERE), deny("closing", HERE)) == [(Kind.ALLOWS_MORE, None, "other", "10.0.0.0")]


def test_what_is_compiled_is_compared_for_every_source():
    wanted = Wanted(closing=(replace(HERE, sources=HOUSE),))
    wanted.sight = SimpleNamespace(governed=((HOUSE, EVERY),), known=None)
    elsewhere = replace(HERE, sources=parse_addresses("192.0.2.0/24"))
    held = Rulings(Meaning((allow("other", elsewhere), deny("closing", replace(HERE, sources=HOUSE)))), ())
    found = Comparison(wanted, held, governed_only=False).deviations()
    assert [(e.kind, e.ruling.name) for e in found] == [(Kind.ALLOWS_MORE, "other")]


CLIENTS = Choice(frozenset({"clients"}))


@pytest.mark.parametrize("quick", [True, False])
def test_sources_that_only_the_device_knows_are_governed_by_their_object(quick):
    wanted = Wanted(rule("a", replace(HERE, objects=CLIENTS)))
    wanted.sight = SimpleNamespace(governed=((ALL, CLIENTS),), known=None)

    def found(*rulings):
        comparison = Comparison(wanted, Rulings(Meaning(rulings), ()), governed_only=True, quick=quick)
        return [(e.kind, e.ruling and e.ruling.name) for e in comparison.deviations()]

    others = replace(HERE, objects=Choice(frozenset({"others"})))
    assert found(allow("a", replace(HERE, objects=CLIENTS), others)) == []
    assert found(allow("a", replace(NAMED, objects=CLIENTS), HERE)) == [(Kind.ALLOWS_MORE, "a")]
    assert found(allow("a", others)) == [(Kind.ALLOWS_LESS, None)]


@pytest.mark.parametrize("quick", [True, False])
def test_no_source_is_of_two_groups(quick):
    by_object, by_address = replace(HERE, objects=CLIENTS), replace(HERE, sources=HOUSE)
    wanted = Wanted(rule("d", by_object, deny=True), rule("a", by_address))
    rulings = Rulings(Meaning((allow("a", by_address), deny("d", by_object))), ())
    for known, kinds in ((None, [Kind.ALLOWS_MORE]), ((HOUSE, CLIENTS), [])):
        wanted.sight = SimpleNamespace(governed=((ALL, EVERY),), known=known)
        comparison = Comparison(wanted, rulings, governed_only=False, quick=quick)
        assert [each.kind for each in comparison.deviations()] == kinds
