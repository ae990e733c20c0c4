"""`changes:` of policy tests against the policy's evaluator: random policies, of which one edited rule differs."""

from __future__ import annotations

import random
import re
import tempfile
from collections import Counter
from dataclasses import replace

import pytest
from policy_verdict import Flow, inspection, verdict
from random_cases import TAGS, TAGS_FILE, boundary_flows, random_case, scale, seed
from support import AS_OF, write_project

from egressc.api import load
from egressc.bind import bind_everything, prepare
from egressc.diagnostics import has_errors
from egressc.flows import Choice
from egressc.policy_tests import Expectation, Kind, Side
from egressc.policy_tests_changes import _Compared
from egressc.policy_tests_run import Subject
from egressc.question import readable

CASES = 260
ALL = Expectation(Kind.CHANGES, None, None, None, None)
"""An item that is about everything."""


def subject(policy, inventory):
    """The policy and the inventory, met; ``None`` if there are errors."""
    with tempfile.TemporaryDirectory() as folder:
        write_project(folder, policy, inventory, tags__json=TAGS_FILE)
        loaded = load((folder,))
    if has_errors(loaded.diagnostics):
        return None
    prepared, problems = prepare(loaded.policy, loaded.inventory, AS_OF)
    return None if has_errors(problems) else Subject(prepared, bind_everything(prepared))


def edited(policy, other, rng):
    """The policy with a rule taken away, or another one in its place, or without what a rule says of inspection."""
    rules = [line for line in policy.splitlines() if line.startswith(("allow r", "deny r"))]
    more = [line for line in other.splitlines() if line.startswith(("allow r", "deny r"))]
    gone = rng.choice(rules)
    said = [line for line in rules if "tls-inspection" in line]
    if said and rng.random() < 0.5:
        gone = rng.choice(said)
        return policy.replace(gone, re.sub(r"(no-)?tls-inspection( may)?", "", gone), 1)
    new = ""
    if more and rng.random() < 0.7:
        new = rng.choice(more)
        words = new.split(" ", 2)
        new = f"{words[0]} {gone.split(' ', 2)[1]} {words[2]}"
    return policy.replace(gone, new, 1)


def is_contradictory(site):
    """True if one flow may be wanted inspected and left alone: an error that `check` names."""
    return {"must", "must-not"} <= {rule.rule.inspection.value for rule in site.rules}


def evaluated(flow, compared, side):
    """An example in the words of both sides as a flow of the evaluator's, in those of one."""
    party = compared._sides.parties.by_name[flow.group]
    groups = (party.old, party.new)[side]
    free = compared._subjects[0].unnamed.intersection(compared._subjects[1].unnamed)
    family = flow.family or (4 if free.v4 else 6)
    address = flow.address or (free.family(family).first() if not free.family(family).is_empty else "8.8.8.8")
    accounts = frozenset(() if flow.account is None else (flow.account,))
    (group,) = groups
    return Flow(group, "", accounts, flow.host, flow.path, address, None, flow.transport, flow.port)


def decided(site, flow):
    allowed = verdict(site, flow, TAGS) == "allow"
    return allowed, inspection(site, flow, TAGS) if allowed else None


@pytest.mark.property
def test_what_is_decided_otherwise_is_found_and_nothing_else(capsys):
    counts = Counter()
    for number in range(seed(), seed() + CASES * scale()):
        rng = random.Random(number)
        case, other = (random_case(rng, lambda _: "target: iptables, settings: {mode: gateway}") for _ in range(2))
        if not case.tags_known and "service-tag" in case.policy + other.policy:
            continue
        old, new = subject(case.policy, case.inventory), subject(edited(case.policy, other.policy, rng), case.inventory)
        if old is None or new is None or is_contradictory(old.whole) or is_contradictory(new.whole):
            continue
        compared = _Compared(old, new)
        found = {side: list(compared.beyond(side, ())) for side in Side}
        where = f"seed {number}\n{case.text}"
        counts["pairs"] += 1
        for side, some in found.items():
            for each in some:
                flow = readable(each.flow)
                before, after = (decided(one.whole, evaluated(flow, compared, at)) for at, one in enumerate((old, new)))
                wanted = {
                    Side.ALLOWS: (not before[0]) and after[0],
                    Side.REMOVES: before[0] and not after[0],
                    Side.INSPECTION: before[0] and after[0] and before[1] != after[1],
                }
                assert wanted[side], f"{side} {each}\n{before} {after}\n{where}"
                counts[side.value] += 1
                # What is listed is not told again.
                pieces = [
                    replace(box, groups=Choice(frozenset((each.flow.group,)))) for box in compared.boxes_of(ALL, [])
                ]
                again = next(compared.beyond(side, pieces), None)
                assert again is None or again.flow.group != each.flow.group, where
        flows = [flow for site in (old.whole, new.whole) for flow in boundary_flows(site, rng, 25) if flow.group]
        for flow in flows:
            before, after = decided(old.whole, flow), decided(new.whole, flow)
            if after[0] and not before[0]:
                assert found[Side.ALLOWS], f"{flow}\n{where}"
            elif before[0] and not after[0]:
                assert found[Side.REMOVES], f"{flow}\n{where}"
            elif before != after:
                assert found[Side.INSPECTION], f"{flow}\n{where}"
            counts["same" if before == after else "flow differs"] += 1
    with capsys.disabled():
        print(f"\n{dict(counts)}")
    assert counts["pairs"] >= 60 * scale()
    assert min(counts[side.value] for side in Side) >= 5 * scale()
    assert counts["flow differs"] >= 50 * scale()
