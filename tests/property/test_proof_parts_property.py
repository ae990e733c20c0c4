"""The parts of the proof against one flow at a time: inspection, live configurations, control groups, senders, cells."""

from __future__ import annotations

import itertools
import os
import random
from types import SimpleNamespace

import pytest
from test_proof_property import (
    FLOWS,
    VALUES,
    AnyRule,
    Wanted,
    addresses,
    compare,
    faithful,
    has,
    in_block,
    in_blocks,
    mangled,
    must,
    random_block,
    random_wanted,
    value,
)

from egressc.addresses import ALL
from egressc.flows import EVERY, Choice
from egressc.meaning import Block, Handling, InspectionRuling, Meaning, Outcome
from egressc.proof_cells import cell_problem
from egressc.proof_compare import Comparison
from egressc.proof_expected import RuleBlocks
from egressc.proof_inspection import inspection_deviations
from egressc.proof_question import Kind
from egressc.proof_rulings import Rulings
from egressc.proof_sight import Sight
from egressc.proof_trees import Trees

pytestmark = pytest.mark.property

SCALE = int(os.environ.get("EGRESSC_SCALE", "1"))
SEED = int(os.environ.get("EGRESSC_SEED", "20261126"))
CHUNKS = range(4 * SCALE)


def generator(chunk):
    print(f"EGRESSC_SEED={SEED}, chunk {chunk}")
    return random.Random(f"{SEED} {chunk}")


# Inspection.


def with_parts(wanted, rng):
    """Some of the allows are announced as exempt from inspection, some as inspected; reaches are their own blocks."""
    rules = []
    for each in wanted.rules:
        parts = []
        if not each.rule.is_deny:
            exempt = each.decides if rng.random() < 0.4 else None
            inspect = each.decides if rng.random() < 0.4 else None
            parts = [SimpleNamespace(rule=each.rule, reach=each.decides, exempt=exempt, inspect=inspect, cells=None)]
        rules.append(RuleBlocks(each.rule, tuple(parts), each.decides, each.closes, each.names))
    found = Wanted(tuple(rules), wanted.opening, wanted.closing, wanted.left_open)
    found.sight = SimpleNamespace(governed=((ALL, EVERY),), known=None, blocks=lambda reach: reach)
    found.inspects = True
    return found


def announced(wanted, field):
    return [block for each in wanted.rules for part in each.parts for block in getattr(part, field) or ()]


def random_inspections(wanted, rng):
    """Rulings that do what was announced, mostly with something done to them."""
    exempt = [InspectionRuling("exempt", Handling.EXEMPT, (b,)) for b in announced(wanted, "exempt")]
    inspect = [InspectionRuling("inspect", Handling.INSPECT, (b,)) for b in announced(wanted, "inspect")]
    rng.shuffle(exempt)
    rng.shuffle(inspect)
    found = [*exempt, *inspect]
    for _ in range(rng.choice((0, 1, 1, 2))):
        what = rng.randrange(4)
        at = rng.randrange(len(found)) if found else 0
        if what == 0 and found:
            del found[at]
        elif what == 1 and found:
            found.insert(rng.randrange(len(found)), found.pop(at))
        else:
            handling = rng.choice(tuple(Handling))
            found.insert(at, InspectionRuling("other", handling, (random_block(rng),), rng.random() < 0.8))
    return found


def handled_wrong(wanted, rulings, flow):
    """The kind of what is inspected otherwise than announced for a flow; nothing for one that is not allowed."""
    allowed = any(not r.rule.is_deny and in_blocks(r.decides, flow) for r in wanted.rules)
    denied = any(r.rule.is_deny and in_blocks(r.decides, flow) for r in wanted.rules)
    if not allowed or denied:
        return set()
    at = next((n for n, r in enumerate(rulings) if in_blocks(r.blocks, flow)), None)
    found = set()
    is_exempt = in_blocks(announced(wanted, "exempt"), flow)
    must_be_opened = not is_exempt and in_blocks(announced(wanted, "inspect"), flow)
    if at is not None and rulings[at].handling is Handling.INSPECT and is_exempt:
        found.add(Kind.INSPECTS_MORE)
    # An exemption has an effect where something would be opened.
    opens = announced(wanted, "inspect") or any(r.handling is Handling.INSPECT for r in rulings[(at or 0) + 1 :])
    if at is not None and rulings[at].handling is Handling.EXEMPT and not is_exempt and opens:
        found.add(Kind.EXEMPTS_MORE)
    if must_be_opened and not (at is not None and rulings[at].handling is Handling.INSPECT and rulings[at].sure):
        found.add(Kind.INSPECTS_LESS)
    return found


def shown(flow):
    """The flow of an example as the flows of the universe are, with what it leaves open filled in."""
    v6 = ":" in (flow.address or flow.source or "")
    return SimpleNamespace(
        host=flow.host,
        path=flow.path,
        address=flow.address or ("2001:db8::1" if v6 else "192.0.2.9"),
        shared=flow.shared,
        source=flow.source or ("2001:db8:1::1" if v6 else "10.2.0.1"),
        process=flow.process.removeprefix("user ") or None,
        port=(flow.transport, flow.port),
    )


@pytest.mark.parametrize("chunk", CHUNKS)
def test_every_flow_that_is_inspected_otherwise_is_found(chunk):
    rng = generator(chunk)
    told = 0
    for case in range(60):
        wanted = with_parts(random_wanted(rng), rng)
        rulings = random_inspections(wanted, rng)
        meaning = Meaning((), tuple(rulings))
        comparison = Comparison(wanted, Rulings(meaning, ()), governed_only=False)
        kinds = {each.kind for each in inspection_deviations(comparison, meaning)}
        wrong = set()
        for flow in rng.sample(FLOWS, 400):
            wrong |= handled_wrong(wanted, rulings, flow)
        assert wrong <= kinds, (chunk, case, wrong, kinds)
        told += bool(kinds)
    assert told > 5


@pytest.mark.parametrize("chunk", CHUNKS)
def test_what_is_inspected_as_announced_is_no_deviation(chunk):
    rng = generator(chunk)
    for case in range(60):
        wanted = with_parts(random_wanted(rng), rng)
        exempt = [InspectionRuling("exempt", Handling.EXEMPT, (b,)) for b in announced(wanted, "exempt")]
        inspect = [InspectionRuling("inspect", Handling.INSPECT, (b,)) for b in announced(wanted, "inspect")]
        meaning = Meaning((), (*exempt, *inspect))
        comparison = Comparison(wanted, Rulings(meaning, ()), governed_only=False)
        assert list(inspection_deviations(comparison, meaning)) == [], (chunk, case)


def test_a_ruling_that_only_may_inspect_takes_flows_from_one_that_surely_would():
    whole = (Block(),)
    rule = AnyRule(key="p/allow", is_deny=False)
    part = SimpleNamespace(rule=rule, reach=whole, exempt=None, inspect=whole, cells=None)
    wanted = Wanted((RuleBlocks(rule, (part,), whole, (), frozenset()),), (), (), ())
    wanted.sight = SimpleNamespace(governed=((ALL, EVERY),), known=None, blocks=lambda reach: reach)
    wanted.inspects = True
    surely = InspectionRuling("surely", Handling.INSPECT, whole)
    perhaps = InspectionRuling("perhaps", Handling.INSPECT, whole, sure=False)
    for rulings, kinds in (((surely, perhaps), []), ((perhaps, surely), [Kind.INSPECTS_LESS])):
        meaning = Meaning((), rulings)
        comparison = Comparison(wanted, Rulings(meaning, ()), governed_only=False)
        assert [each.kind for each in inspection_deviations(comparison, meaning)] == kinds


# Live configurations.

GOVERNED = addresses("10.1.0.0/16")


def is_wrong_live(wanted, rulings, flow):
    """Whether a flow is decided otherwise: surely, or perhaps. What the policy leaves, foreign rules may decide."""
    own = {r.rule.key for r in wanted.rules}
    wants = must(wanted, flow)
    verdicts = []
    for ruling in rulings:
        if in_blocks(ruling.blocks, flow) and not in_blocks(ruling.but, flow):
            verdicts.append(ruling.outcome is not wants and (wants is not Outcome.LEFT or ruling.name in own))
            if not ruling.doubt:
                break
    else:
        verdicts.append(wants is not Outcome.LEFT)
    return any(verdicts), all(verdicts)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_a_live_configuration_may_decide_what_the_policy_leaves_and_nothing_else(chunk):
    rng = generator(chunk)
    governed = [flow for flow in FLOWS if has(GOVERNED, flow.source)]
    told = 0
    for case in range(40):
        wanted = random_wanted(rng)
        wanted.sight = SimpleNamespace(governed=((GOVERNED, EVERY),), known=None)
        rulings = faithful(wanted, rng)
        other = mangled(rulings, rng)
        for quick in (True, False):
            for some in (rulings, other):
                meaning = Meaning(tuple(some))
                found = list(Comparison(wanted, Rulings(meaning, ()), governed_only=True, quick=quick).deviations())
                answers = [is_wrong_live(wanted, some, flow) for flow in rng.sample(governed, 300)]
                if any(perhaps for perhaps, _ in answers):
                    assert found, (chunk, case, quick)
                if any(surely for _, surely in answers):
                    assert any(each.kind is not Kind.UNKNOWN for each in found), (chunk, case, quick)
                if some is rulings:
                    assert found == [], (chunk, case, quick)
                for each in found:
                    assert each.flow.source.startswith("10.1."), (chunk, case, each)
                    perhaps, surely = is_wrong_live(wanted, some, filled(each.flow))
                    assert perhaps if each.kind is Kind.UNKNOWN else surely, (chunk, case, quick, each)
                told += bool(found)
    assert told > 20


def filled(flow):
    """The flow of an example; what it leaves open is an address and a process that no block asks for."""
    found = shown(flow)
    if flow.address is None:
        found.address = "203.0.113.10"
    for text in (found.address, found.source):
        VALUES.setdefault(text, value(text))
    return found


def test_a_foreign_rule_is_a_deviation_at_compilation_and_none_in_a_live_configuration():
    wanted = Wanted((), (), (), ())
    wanted.sight = SimpleNamespace(governed=((GOVERNED, EVERY),), known=None)
    foreign = faithful(Wanted((), (), (Block(),), ()), random.Random(1))[-1]
    assert foreign.outcome is Outcome.DENY
    assert [each.kind for each in compare(wanted, [foreign], quick=True)] == [Kind.UNDECIDED]
    live = Comparison(wanted, Rulings(Meaning((foreign,)), ()), governed_only=True)
    assert list(live.deviations()) == []


# Control groups.

PATHS = ("a", "a/b", "a/b/c", "a/bc", "ab", "d", "d/e")


def test_a_control_group_holds_what_is_below_it():
    rng = generator("trees")
    for _ in range(400 * SCALE):

        def choice():
            return Choice(frozenset(rng.sample(PATHS, rng.randint(1, 2))), rng.random() < 0.3)

        every = [tuple(("linux-cgroup", choice()) for _ in range(rng.choice((1, 1, 2)))) for _ in range(3)]
        trees = Trees(every)
        used = {name for each in every for _, held in each for name in held.names}
        for each in every:
            wide = trees.processes(each)
            for path in (*PATHS, "a/b/c/z", "a/x", "elsewhere", "d/e/f/g"):
                holds = all(
                    any(path == name or path.startswith(f"{name}/") for name in held.names) is not held.negated
                    for _, held in each
                )
                # A process is known by the deepest of the paths in use that it is at or below.
                at = max((u for u in used if path == u or path.startswith(f"{u}/")), key=len, default=None)
                assert all((at in held.names) is not held.negated for _, held in wide) is holds, (each, wide, path)
            empty = any(held.is_empty for _, held in wide)
            if trees.is_needed:
                assert (trees.blocks((Block(processes=each),)) == ()) is empty


def test_other_kinds_hold_no_other_values():
    user = (("user", Choice(frozenset({"a"}))),)
    trees = Trees([(("linux-cgroup", Choice(frozenset({"a", "a/b"}))),), user])
    assert trees.processes(user) == user


# Senders.

GROUPS = (
    SimpleNamespace(name="one", addresses=addresses("10.1.0.0/16"), object_name=None, is_unbound=False),
    SimpleNamespace(
        name="two", addresses=addresses("10.2.0.0/16", "2001:db8:1::/48"), object_name=None, is_unbound=False
    ),
    SimpleNamespace(name="held", addresses=addresses(), object_name="OBJ", is_unbound=False),
    SimpleNamespace(name="also", addresses=addresses(), object_name="OTHER", is_unbound=False),
)


@pytest.mark.parametrize("families", [{4, 6}, {4}, {6}])
def test_senders_are_the_addresses_and_objects_of_the_groups(families):
    site = SimpleNamespace(tags={}, groups=GROUPS, rules=())
    sight = Sight(site, lambda _: (), per_group=False)
    for count in range(1, len(GROUPS) + 1):
        for some in itertools.combinations(GROUPS, count):
            senders = sight.senders(frozenset(g.name for g in some), frozenset(families))
            for source, under in itertools.product(("10.1.0.1", "10.2.0.1", "2001:db8:1::1"), (None, "OBJ", "OTHER")):
                version = 6 if ":" in source else 4
                known = version in families and any(has(g.addresses, source) for g in some)
                expected = known or any(g.object_name == under for g in some if g.object_name is not None)
                found = any(
                    has(held, source) and (under in objects.names) is not objects.negated for held, objects in senders
                )
                assert found is expected, (some, families, source, under)


# Denies that are taken out of allows.


def cells_of(whole, denied, rng):
    """Some blocks in the place of those of an allow: as they are, less names that are denied, or something else."""
    found = []
    for block in whole:
        what = rng.random()
        out = tuple((pattern, None) for d in denied for pattern, path in d.names or () if path is None)
        if what < 0.6:
            fields = (block.addresses, block.ports, block.sources, block.processes, block.by_address)
            found.append(Block(block.names, *fields, (*block.names_out, *out)))
        elif what < 0.8:
            found.append(block)
        else:
            found.append(random_block(rng))
    return tuple(found)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_only_what_is_denied_by_name_is_taken_out_of_an_allow(chunk):
    rng = generator(chunk)
    seen = {True: 0, False: 0}
    for case in range(60):
        named = [random_block(rng) for _ in range(4)]
        cut = tuple(b for b in named if b.names is not None)[:1]
        whole = tuple(random_block(rng) for _ in range(rng.randint(1, 2)))
        cells = cells_of(whole, cut, rng)
        deny, allow = AnyRule(key="p/deny", is_deny=True), AnyRule(key="p/allow", is_deny=False)
        taken = SimpleNamespace(rule=deny, reach=cut, cut_out=True, cells=None)
        let = SimpleNamespace(rule=allow, reach=whole, cut_out=False, cells=cells)
        rules = (
            RuleBlocks(deny, (taken,), (), (), frozenset()),
            RuleBlocks(allow, (let,), cells, (), frozenset()),
        )
        wanted = Wanted(rules, (), (), ())
        wanted.sight = SimpleNamespace(blocks=lambda reach: reach)
        wanted.cells = lambda part: part.cells
        problem = cell_problem(wanted)
        wrong = [flow for flow in rng.sample(FLOWS, 1500) if cell_wrong(whole, cells, cut, flow)]
        if wrong:
            assert problem is not None, (chunk, case, wrong[0])
        if problem is not None:
            assert cell_wrong(whole, cells, cut, filled(problem[2])), (chunk, case, problem)
        seen[problem is not None] += 1
    assert min(seen.values()) > 3, seen


def named_by(block, flow, *, also_shared):
    """Whether a block of names holds a flow by its host alone, or by the shared name, too."""
    fields = (block.addresses, block.ports, block.sources, block.processes, also_shared)
    return block.names is not None and in_block(Block(block.names, *fields, block.names_out), flow)


def cell_wrong(whole, cells, cut, flow):
    was, now = in_blocks(whole, flow), in_blocks(cells, flow)
    if now and not was:
        return True
    if was and not now and not any(named_by(b, flow, also_shared=True) for b in cut):
        return True
    return in_blocks(cut, flow) and any(named_by(b, flow, also_shared=False) for b in cells)
