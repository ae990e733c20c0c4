"""What an enforcement point sees of reaches, against every flow of a small universe."""

from __future__ import annotations

import itertools
import os
import random
from dataclasses import replace
from types import SimpleNamespace

import pytest
from flow_universe import flows_with, has, in_block, union
from test_flow_boxes_property import KNOWN, USERS, a_reach, ends, in_reach

from egressc.addresses import ALL, AddressSet
from egressc.anything import ANY
from egressc.flows import EVERY, Choice
from egressc.flows_search import witness
from egressc.meaning import Block
from egressc.proof_sight import Sight, either, merged_processes

pytestmark = pytest.mark.property

SCALE = int(os.environ.get("EGRESSC_SCALE", "1"))
SEED = int(os.environ.get("EGRESSC_SEED", "20261126"))
EMPTY = AddressSet()


def group(name, addresses, object_name=None):
    return SimpleNamespace(name=name, addresses=addresses, object_name=object_name, is_unbound=addresses is ANY)


GROUPS = (
    group("one", ends((4, 11))),
    group("two", ends((4, 12), (6, 11))),
    group("held", EMPTY, "g"),
    group("also", EMPTY, "h"),
)
FREE = group("free", ANY)

# What the target sees of an account: one kind of process, alternatives of several kinds, or nothing.
U, V, APP = ("user", Choice(frozenset("u"))), ("user", Choice(frozenset("v"))), ("app", Choice(frozenset("p")))
ACCOUNTS = {"one": ((U,),), "both": ((V,), (APP,)), "narrow": ((APP, V),), "out": ((USERS[1][0],),), "unseen": ()}


def site(groups):
    accounts = tuple(SimpleNamespace(name=name) for name in ACCOUNTS)
    rules = (SimpleNamespace(accounts=ANY), SimpleNamespace(accounts=accounts[:3]), SimpleNamespace(accounts=accounts))
    return SimpleNamespace(tags=KNOWN, groups=groups, rules=rules)


def sight(groups, *, per_group=False):
    return Sight(site(groups), lambda account: ACCOUNTS[account.name], per_group=per_group)


ANY_FLOW = dict.fromkeys(("group", "account", "name", "ends", "tags", "shared", "user", "app", "port"), lambda _: True)


def sent_by(groups, families):
    """The flows of these groups: known networks of these IP versions, and whatever their objects hold."""

    def of(each):
        if each.object_name is not None:
            return flows_with(**ANY_FLOW | {"group": lambda under: under == each.object_name})
        return flows_with(**ANY_FLOW | {"ends": lambda ends: ends[0][0] in families and has(each.addresses, ends[0])})

    return union(groups, of)


def of_family(families):
    return flows_with(**ANY_FLOW | {"ends": lambda ends: ends[0][0] in families})


def run_by(processes):
    """The processes that meet every condition of one of the alternatives."""

    def of(each):
        tests = {
            kind: lambda value, held=held: (value in held.names) is not held.negated for kind, held in each
        }  # one condition for each kind
        return flows_with(**ANY_FLOW | tests)

    return union(processes, of)


def test_a_reach_is_seen_as_its_senders_processes_and_destinations():
    rng = random.Random(f"{SEED} blocks")
    both = frozenset({4, 6})
    views = {each: sight(GROUPS, per_group=each) for each in (False, True)}
    for _ in range(200 * SCALE):
        groups = rng.sample(GROUPS, rng.randint(1, len(GROUPS)))
        accounts = rng.sample(sorted(ACCOUNTS), rng.randint(1, 2))
        reach = replace(a_reach(rng), groups=ANY, accounts=ANY)
        families = reach.source_families
        destinations = in_reach(replace(reach, source_families=both), KNOWN)
        whom = run_by([each for name in accounts for each in ACCOUNTS[name]])
        named = frozenset(each.name for each in groups)
        for per_group, view in views.items():
            senders = of_family(families) if per_group else sent_by(groups, families)
            seen = union(view.blocks(replace(reach, groups=named, accounts=frozenset(accounts))), in_block)
            assert seen == destinations & senders & whom
            seen = union(view.blocks(replace(reach, groups=named)), in_block)
            assert seen == destinations & senders
            seen = union(view.blocks(reach), in_block)
            assert seen == destinations & of_family(families), "any group is any source"


def test_governed_is_what_the_groups_send_and_everything_where_one_is_unbound():
    for count in range(1, len(GROUPS) + 1):
        for some in itertools.combinations(GROUPS, count):
            held = union([Block(sources=s, objects=o) for s, o in sight(some).governed], in_block)
            assert held == sent_by(some, {4, 6})
            assert sight((*some, FREE)).governed == ((ALL, EVERY),)
            assert sight(some, per_group=True).governed == ((ALL, EVERY),)
    held = union([Block(sources=s, objects=o) for s, o in sight((group("held", ANY, "g"),)).governed], in_block)
    assert held == sent_by(GROUPS[2:3], {4, 6}), "an object says which sources a group has"


def test_known_are_the_networks_and_the_objects_of_which_no_source_is_in_both():
    for count in range(1, len(GROUPS) + 1):
        for some in itertools.combinations(GROUPS, count):
            known = [each for each in some if each.object_name is None]
            held = [each for each in some if each.object_name is not None]
            found = sight(some).known
            assert (found is not None) is bool(known and held)
            assert sight(some, per_group=True).known is None
            if found is not None:
                sources, objects = found
                assert in_block(Block(sources=sources)) == sent_by(known, {4, 6})
                assert objects == Choice(frozenset(each.object_name for each in held))


def test_an_unbound_group_is_equal_to_nothing_else():
    view = sight((*GROUPS, FREE, group("loose", ANY)))

    def boxes(*groups):
        return [
            box
            for sources, objects in view.senders(frozenset(groups))
            for block in (Block(sources=sources, objects=objects),)
            for box in block.boxes()
        ]

    others = [each.name for each in GROUPS]
    assert witness(boxes("free"), boxes("free")) is None
    assert witness(boxes("free"), boxes("loose", *others)) is not None
    assert witness(boxes("one"), boxes("free", "loose")) is not None
    assert witness(boxes("free", *others), boxes("free", "loose", *others)) is None


def test_choices_together_and_processes_that_are_merged_lose_and_gain_nothing():
    choices = [EVERY, Choice(frozenset()), *(Choice(frozenset(n), out) for n in ("u", "v", "uv") for out in (0, 1))]
    for one, other in itertools.product(choices, repeat=2):
        for value in ("u", "v", "w"):
            held = [(value in each.names) is not bool(each.negated) for each in (one, other)]
            both = either(one, other)
            assert ((value in both.names) is not both.negated) is any(held)
    rng = random.Random(f"{SEED} merged")
    every = [(U,), (V,), (APP,), (APP, U), (APP, V), USERS[1], (APP, USERS[3][0])]
    for _ in range(100 * SCALE):
        some = rng.sample(every, rng.randint(1, 4))
        merged = merged_processes([*some, some[0]])
        assert run_by(merged) == run_by(some)
        assert len(set(merged)) == len(merged)
        assert sum(len(each) == 1 for each in merged) <= 2, "one kind is one choice"
