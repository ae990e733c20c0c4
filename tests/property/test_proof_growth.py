"""The cost of the comparison grows with the number of rules, whatever is different."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from growth import assert_near_linear
from test_proof_property import AnyRule, Wanted

from egressc.addresses import ALL, AddressSet
from egressc.flows import EVERY, Choice
from egressc.hosts import HostPattern
from egressc.meaning import Block, Handling, InspectionRuling, Meaning, Outcome, Ruling
from egressc.proof_compare import Comparison
from egressc.proof_expected import RuleBlocks
from egressc.proof_inspection import inspection_deviations
from egressc.proof_rulings import Rulings
from egressc.proof_trees import Trees
from egressc.services import PortSet

pytestmark = pytest.mark.property

WEB = PortSet(tcp=((443, 443),))
GROUPS = 40


def address(number):
    value = 0xC6120000 + number
    return AddressSet(v4=((value, value),))


def name(number):
    return ((HostPattern((f"h{number}", f"d{number % 97}", "example")), None),)


def group(number):
    first = 0x0A000000 + (number << 16)
    return AddressSet(v4=((first, first + 0xFFFF),))


SENDERS = [group(number) for number in range(GROUPS)]
ONE_GROUP = [ALL]


def wanted(size, *, denies=0, senders=ONE_GROUP, exempts=False):
    """Rules of which every other one is by name; every ``denies``-th one denies."""
    rules = []
    for number in range(size):
        sources = senders[number % len(senders)]
        block = Block(name(number), ports=WEB, sources=sources)
        if number % 2:
            block = Block(addresses=address(number), ports=WEB, sources=sources)
        rule = AnyRule(key=f"p/{number}", is_deny=bool(denies) and number % denies == 0)
        parts = ()
        if exempts and not rule.is_deny:
            parts = (SimpleNamespace(rule=rule, reach=(block,), exempt=(block,), inspect=None, cells=None),)
        rules.append(RuleBlocks(rule, parts, (block,), (), frozenset({rule.key})))
    found = Wanted(tuple(rules), (), (Block(),), ())
    found.sight = SimpleNamespace(governed=((ALL, EVERY),), known=None, blocks=lambda reach: reach)
    found.inspects = True
    return found


CLOSING = Ruling("closing", Outcome.DENY, (Block(),))


def faithful(expected):
    first = [r for r in expected.rules if r.rule.is_deny]
    then = [r for r in expected.rules if not r.rule.is_deny]
    found = [Ruling(r.rule.key, Outcome.DENY if r.rule.is_deny else Outcome.ALLOW, r.decides) for r in (*first, *then)]
    return [*found, CLOSING]


def compared(expected, rulings, count, *, live=False, quick=True):
    """The comparison of that, which must tell of so many deviations, as an action."""

    def action():
        comparison = Comparison(expected, Rulings(Meaning(tuple(rulings)), ()), governed_only=live, quick=quick)
        found = len(list(comparison.deviations()))
        assert found == count, (found, count)

    return action


def all_equal(size):
    expected = wanted(size)
    return compared(expected, faithful(expected), 0)


def all_equal_by_search(size):
    expected = wanted(size)
    return compared(expected, faithful(expected), 0, quick=False)


def all_missing(size):
    return compared(wanted(size), [CLOSING], size)


def all_missing_live(size):
    return compared(wanted(size), [CLOSING], size, live=True)


def many_denies(size):
    expected = wanted(size, denies=2)
    return compared(expected, faithful(expected), 0)


def many_groups(size):
    expected = wanted(size, senders=SENDERS)
    return compared(expected, faithful(expected), 0, quick=False)


def many_foreign_allows(size):
    expected = wanted(size)
    foreign = [
        Ruling(f"foreign {n}", Outcome.ALLOW, (Block(addresses=address(10**5 + n), ports=WEB),)) for n in range(size)
    ]
    return compared(expected, [*foreign, *faithful(expected)], size)


SHAPES = [
    all_equal,
    all_equal_by_search,
    all_missing,
    all_missing_live,
    many_denies,
    many_groups,
    many_foreign_allows,
]


@pytest.mark.parametrize("prepare", SHAPES, ids=lambda each: each.__name__)
def test_the_comparison_is_linear(prepare):
    assert_near_linear(prepare, 200, 1200)


def test_many_exemptions_are_linear():
    def prepare(size):
        expected = wanted(size, exempts=True)
        exempt = [InspectionRuling("exempt", Handling.EXEMPT, r.decides) for r in expected.rules[1:]]
        meaning = Meaning((), (*exempt, InspectionRuling("inspect", Handling.INSPECT, (Block(),))))

        def action():
            comparison = Comparison(expected, Rulings(meaning, ()), governed_only=False)
            assert len(list(inspection_deviations(comparison, meaning))) == 1

        return action

    assert_near_linear(prepare, 200, 1200)


def test_many_control_groups_are_linear():
    def prepare(size):
        every = [(("linux-cgroup", Choice(frozenset({f"s{n % 50}/u{n}"}))),) for n in range(10 * size)]

        def action():
            trees = Trees(every)
            for each in every:
                trees.processes(each)

        return action

    assert_near_linear(prepare, 200, 1200)
