"""What may be taken out of an allow in the place of a deny: names, by a deny that is not written, and nothing else."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from egressc.addresses import ALL, parse_addresses
from egressc.flows import Flow
from egressc.hosts import HostPattern
from egressc.meaning import Block
from egressc.proof_cells import cell_problem
from egressc.proof_expected import RuleBlocks

NAME = ((HostPattern(("x", "example")), None),)
DOMAIN = ((HostPattern(("example",), deep=True), None),)
DENY, ALLOW = SimpleNamespace(key="p/deny", is_deny=True), SimpleNamespace(key="p/allow", is_deny=False)
BY_NAME = (Block(NAME),)
WHOLE = (Block(DOMAIN, by_address=True),)
CUT = (Block(DOMAIN, by_address=True, names_out=NAME),)
THERE = parse_addresses("192.0.2.0/24")


def part(rule, reach, *, cut_out=False, cells=None):
    return SimpleNamespace(rule=rule, reach=reach, cut_out=cut_out, cells=cells)


def problem(*parts):
    """What is wrong, where a reach is its own blocks; an allow decides its cells, a deny what it is written for."""
    rules = []
    for each in parts:
        decides = () if each.cut_out else each.reach or () if each.cells is None else each.cells
        rules.append(RuleBlocks(each.rule, (each,), decides, (), frozenset()))
    expected = SimpleNamespace(
        denies=[each for each in rules if each.rule.is_deny],
        allows=[each for each in rules if not each.rule.is_deny],
        sight=SimpleNamespace(blocks=lambda reach: reach),
        cells=lambda part: part.cells,
    )
    found = cell_problem(expected)
    assert found is None or isinstance(found[2], Flow)
    return found and (found[0], found[1])


def test_a_name_is_taken_out_by_host_name_and_by_shared_name():
    deny = part(DENY, BY_NAME, cut_out=True)
    assert problem(deny, part(ALLOW, WHOLE, cells=CUT)) is None, "the shared name goes with it"
    assert problem(deny, part(ALLOW, WHOLE, cells=WHOLE)) == (DENY, "it is not taken out of `p/allow`")
    assert problem(deny, part(ALLOW, WHOLE)) == (DENY, "it is not taken out of `p/allow`")


LOSES = (ALLOW, "it loses what no deny by name denies")
LESS = (Block(DOMAIN, ALL.difference(THERE), by_address=True),)


@pytest.mark.parametrize(
    "denies",
    [
        (),
        # One that is written is no reason, nor one that is not there, nor one that names an address.
        (part(DENY, BY_NAME),),
        (part(DENY, None, cut_out=True),),
        (part(DENY, (Block(addresses=THERE),), cut_out=True),),
    ],
)
def test_nothing_else_may_be_lost(denies):
    cells = LESS if denies and denies[0].reach and denies[0].reach[0].names is None else CUT
    assert problem(*denies, part(ALLOW, WHOLE, cells=cells)) == LOSES


def test_nothing_may_be_gained():
    more = (*CUT, Block(addresses=THERE))
    found = problem(part(DENY, BY_NAME, cut_out=True), part(ALLOW, WHOLE, cells=more))
    assert found == (ALLOW, "it lets more through than it announces")


def test_parts_without_cells_or_without_a_reach_are_no_concern():
    assert problem(part(DENY, (Block(NAME),)), part(ALLOW, WHOLE)) is None
    assert problem(part(ALLOW, None, cells=CUT)) is None
    # Those behind them are looked at all the same.
    assert problem(part(ALLOW, None, cells=CUT), part(ALLOW, WHOLE, cells=CUT)) == LOSES
    assert problem(part(ALLOW, WHOLE), part(ALLOW, WHOLE, cells=CUT)) == LOSES


def test_a_name_that_is_denied_in_writing_need_not_be_taken_out():
    cut, written = part(DENY, BY_NAME, cut_out=True), part(DENY, BY_NAME)
    assert problem(cut, written, part(ALLOW, WHOLE, cells=WHOLE)) is None


def test_an_allow_by_address_need_not_lose_a_name():
    assert problem(part(DENY, BY_NAME, cut_out=True), part(ALLOW, (Block(addresses=THERE),))) is None
