"""The cost of the comparison grows with the number of rules, whatever is different."""

from __future__ import annotations

from dataclasses import replace
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


def wanted(size, *, denies=0, senders=ONE_GROUP, exempts=False, by_address=False, every_port=False):
    """Rules of which every other one is by name; every ``denies``-th one denies."""
    rules = []
    for number in range(size):
        sources = senders[number % len(senders)]
        ports = PortSet(tcp=((1000 + number, 1000 + number),)) if every_port else WEB
        block = Block(name(number), ports=ports, sources=sources, by_address=by_address)
        if number % 2:
            block = Block(addresses=address(number), ports=ports, sources=sources)
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


def renamed(rulings):
    """The same rulings with names that no rule knows."""
    return [replace(each, name=f"other {each.name}") for each in rulings]


def many_denies_by_search(size):
    expected = wanted(size, denies=3)
    return compared(expected, faithful(expected), 0, quick=False)


def many_denies_of_other_names(size):
    expected = wanted(size, denies=3)
    return compared(expected, renamed(faithful(expected)), 0, live=True)


def many_denies_by_resolved_address(size):
    expected = wanted(size, denies=3, by_address=True)
    return compared(expected, renamed(faithful(expected)), 0, live=True)


def many_foreign_denies(size):
    expected = wanted(size)
    *first, last, closing = renamed(faithful(expected))
    foreign = [
        Ruling(f"foreign {n}", Outcome.DENY, (Block(addresses=address(10**5 + n), ports=WEB),)) for n in range(size)
    ]
    # Each takes flows of the one allow behind it that is by name; of those before it none.
    assert last.blocks[0].names is None
    return compared(expected, [*first[:-1], *foreign, first[-1], last, closing], size, live=True)


def everything_twice(size):
    expected = wanted(size, denies=3)
    return compared(expected, [x for each in renamed(faithful(expected)) for x in (each, each)], 0, live=True)


def many_ports(size):
    expected = wanted(size, every_port=True)
    return compared(expected, renamed(faithful(expected)), 0, live=True)


def many_doubts(size):
    expected = wanted(size)
    rulings = [replace(each, doubt="vague") if n % 8 == 0 else each for n, each in enumerate(faithful(expected)[:-1])]
    # For each rule whose allow is doubtful nobody knows whether it is allowed.
    return compared(expected, [*rulings, CLOSING], size // 8, live=True)


def a_doubt_over_everything(size):
    doubt = Ruling("first", Outcome.DENY, (Block(),), "", "vague")
    expected = wanted(size, denies=3)
    return compared(expected, [doubt, *renamed(faithful(expected))], 1, live=True)


SHAPES = [
    many_denies_by_search,
    many_denies_of_other_names,
    many_denies_by_resolved_address,
    many_foreign_denies,
    everything_twice,
    many_ports,
    many_doubts,
    a_doubt_over_everything,
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
