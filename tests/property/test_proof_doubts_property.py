"""Rulings on inspection of which nobody knows whether they match: unknown, and neither a sure answer nor silence."""

from __future__ import annotations

import random
from dataclasses import replace
from types import SimpleNamespace

import pytest
from test_proof_parts_property import CHUNKS, announced, filled, generator, random_inspections, with_parts
from test_proof_property import FLOWS, AnyRule, Wanted, in_blocks, random_wanted

from egressc.meaning import Block, Handling, InspectionRuling, Meaning
from egressc.proof_compare import Comparison
from egressc.proof_expected import RuleBlocks
from egressc.proof_inspection import inspection_deviations
from egressc.proof_question import Kind
from egressc.proof_rulings import Rulings
from egressc.services import PortSet

pytestmark = pytest.mark.property


def possible(rulings, flow):
    """The rulings of which one may be the first that matches a flow, by position; ``None``: no ruling matches."""
    for position, ruling in enumerate(rulings):
        if in_blocks(ruling.blocks, flow):
            yield position
            if not ruling.doubt:
                return
    yield None


def wrong(wanted, rulings, flow, at):
    """What is inspected otherwise than announced for an allowed flow if this ruling is the first that matches."""
    ruling = None if at is None else rulings[at]
    found = set()
    is_exempt = in_blocks(announced(wanted, "exempt"), flow)
    must_be_opened = not is_exempt and in_blocks(announced(wanted, "inspect"), flow)
    opened = ruling is not None and ruling.handling is Handling.INSPECT
    if opened and is_exempt:
        found.add(Kind.INSPECTS_MORE)
    later = rulings if at is None else rulings[at + 1 :]
    # An exemption has an effect where something would be opened.
    opens = announced(wanted, "inspect") or any(r.handling is Handling.INSPECT for r in later)
    if ruling is not None and ruling.handling is Handling.EXEMPT and not is_exempt and opens:
        found.add(Kind.EXEMPTS_MORE)
    if must_be_opened and not (opened and ruling.sure):
        found.add(Kind.INSPECTS_LESS)
    return found


def answers(wanted, rulings, flow):
    """What is wrong with a flow, for each ruling that may be the first that matches it; nothing if it is not allowed."""
    allowed = any(not r.rule.is_deny and in_blocks(r.decides, flow) for r in wanted.rules)
    denied = any(r.rule.is_deny and in_blocks(r.decides, flow) for r in wanted.rules)
    if not allowed or denied:
        return []
    return [wrong(wanted, rulings, flow, at) for at in possible(rulings, flow)]


def doubted(rulings, rng):
    """The same rulings, some of which may match less than they hold."""
    return [replace(r, doubt="a schedule") if rng.random() < 0.3 else r for r in rulings]


def deviations(wanted, rulings):
    meaning = Meaning((), tuple(rulings))
    comparison = Comparison(wanted, Rulings(meaning, ()), governed_only=False)
    return list(inspection_deviations(comparison, meaning))


@pytest.mark.parametrize("chunk", CHUNKS)
def test_a_doubt_about_inspection_is_neither_hidden_nor_taken_for_sure(chunk):
    rng = generator(f"doubts {chunk}")
    seen = {"sure": 0, "unknown": 0, "right": 0}
    for case in range(60):
        wanted = with_parts(random_wanted(rng), rng)
        rulings = doubted(random_inspections(wanted, rng), rng)
        found = deviations(wanted, rulings)
        every = [answers(wanted, rulings, flow) for flow in rng.sample(FLOWS, 300)]
        if any(any(each) for each in every):
            assert found, (chunk, case, "silence")
        if any(each and all(each) for each in every):
            assert any(each.kind is not Kind.UNKNOWN for each in found), (chunk, case, "surely wrong")
        for each in found:
            verdicts = answers(wanted, rulings, filled(each.flow))
            assert any(verdicts), (chunk, case, each, "nothing is wrong with it")
            if each.kind is not Kind.UNKNOWN:
                assert all(verdicts), (chunk, case, each, verdicts, "not sure")
                assert any(each.kind in verdict for verdict in verdicts), (chunk, case, each, verdicts)
        seen["sure"] += any(each.kind is not Kind.UNKNOWN for each in found)
        seen["unknown"] += any(each.kind is Kind.UNKNOWN for each in found)
        seen["right"] += not found
    assert min(seen.values()) > 0, seen


WHOLE = (Block(),)
EXEMPT, INSPECT, MAYBE = (
    InspectionRuling("exempt", Handling.EXEMPT, WHOLE),
    InspectionRuling("inspect", Handling.INSPECT, WHOLE),
    InspectionRuling("may inspect", Handling.INSPECT, WHOLE, sure=False),
)


def vague(ruling):
    return replace(ruling, name=f"vague {ruling.name}", doubt="a schedule")


@pytest.mark.parametrize(
    ("announced", "rulings", "kinds"),
    [
        ("exempt", (vague(EXEMPT), INSPECT), {Kind.UNKNOWN}),
        ("exempt", (vague(INSPECT),), {Kind.UNKNOWN}),
        ("exempt", (vague(INSPECT), INSPECT), {Kind.UNKNOWN, Kind.INSPECTS_MORE}),
        ("exempt", (EXEMPT, vague(INSPECT)), set()),
        ("exempt", (vague(EXEMPT), EXEMPT, INSPECT), set()),
        ("inspect", (vague(INSPECT), INSPECT), set()),
        ("inspect", (vague(INSPECT),), {Kind.UNKNOWN}),
        ("inspect", (vague(EXEMPT), INSPECT), {Kind.UNKNOWN}),
        ("inspect", (vague(MAYBE), INSPECT), {Kind.UNKNOWN}),
        # Opened by the first only if that matches; exempt behind it otherwise.
        ("inspect", (vague(INSPECT), EXEMPT, INSPECT), {Kind.UNKNOWN}),
        # Surely not opened for sure, whatever the first does.
        ("inspect", (vague(MAYBE), EXEMPT, INSPECT), {Kind.UNKNOWN, Kind.INSPECTS_LESS}),
        (None, (vague(EXEMPT), INSPECT), {Kind.UNKNOWN}),
        (None, (vague(INSPECT), EXEMPT, INSPECT), {Kind.UNKNOWN}),
        (None, (EXEMPT, vague(INSPECT)), {Kind.EXEMPTS_MORE}),
        (None, (vague(INSPECT), vague(INSPECT)), set()),
    ],
)
def test_what_follows_from_a_doubt(announced, rulings, kinds):
    rule = AnyRule(key="p/allow", is_deny=False)
    fields = {name: WHOLE if announced == name else None for name in ("exempt", "inspect")}
    part = SimpleNamespace(rule=rule, reach=WHOLE, cells=None, **fields)
    wanted = with_parts(Wanted((), (), (), ()), random.Random(1))
    wanted.rules = (RuleBlocks(rule, (part,), WHOLE, (), frozenset()),)
    found = deviations(wanted, rulings)
    assert {each.kind for each in found} == kinds
    for each in found:
        assert bool(each.ruling and each.ruling.doubt) is (each.kind is Kind.UNKNOWN)
        assert ("whether it is matched is not known: a schedule" in each.sentence) is (each.kind is Kind.UNKNOWN)


def test_what_only_may_be_inspected_is_told_once_and_as_missing_where_nothing_surely_would():
    rule = AnyRule(key="p/allow", is_deny=False)
    part = SimpleNamespace(rule=rule, reach=WHOLE, cells=None, exempt=None, inspect=WHOLE)
    wanted = with_parts(Wanted((), (), (), ()), random.Random(1))
    wanted.rules = (RuleBlocks(rule, (part,), WHOLE, (), frozenset()),)
    (found,) = deviations(wanted, (MAYBE,))
    assert (found.kind, found.rule, found.ruling) == (Kind.INSPECTS_LESS, rule, None)
    (found,) = deviations(wanted, (MAYBE, INSPECT))
    assert (found.kind, found.rule, found.ruling.name) == (Kind.INSPECTS_LESS, rule, "may inspect")


def test_what_is_wrong_beside_a_doubt_is_sure():
    part = (Block(ports=PortSet(tcp=((443, 443),))),)
    rule = AnyRule(key="p/allow", is_deny=False)
    for name, first, second, kind in (
        ("exempt", EXEMPT, INSPECT, Kind.INSPECTS_MORE),
        (None, INSPECT, EXEMPT, Kind.EXEMPTS_MORE),
        ("inspect", INSPECT, MAYBE, Kind.INSPECTS_LESS),
    ):
        fields = {field: WHOLE if name == field else None for field in ("exempt", "inspect")}
        parts = (SimpleNamespace(rule=rule, reach=WHOLE, cells=None, **fields),)
        wanted = with_parts(Wanted((), (), (), ()), random.Random(1))
        wanted.rules = (RuleBlocks(rule, parts, WHOLE, (), frozenset()),)
        found = deviations(wanted, (vague(replace(first, blocks=part)), second, INSPECT))
        sure = [each for each in found if each.kind is not Kind.UNKNOWN]
        assert [each.kind for each in sure] == [kind]
        assert (sure[0].flow.transport, sure[0].flow.port) != ("tcp", 443)
        assert sure[0].ruling.name == second.name
