"""Drift case by case: which box holds a flow, which live rules decide it, and under which list and group it is told."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from egressc import drift as drift_module
from egressc.addresses import ALL, EMPTY, parse_addresses
from egressc.anything import ANY
from egressc.drift import Deciding, Drift, drift, holds
from egressc.flows import EVERY, Box, Choice, Flow
from egressc.hosts import HostPattern
from egressc.meaning import Block, Meaning, Outcome, Ruling
from egressc.proof_question import Deviation, Kind
from egressc.proof_rulings import DEFAULT
from egressc.reach import BOTH_FAMILIES
from egressc.services import ALL_PORTS, PortSet
from egressc.site import BoundGroup

WWW, DOMAIN = HostPattern(("www", "example")), HostPattern(("example",), deep=True)
NET = parse_addresses("192.0.2.0/24")
FLOW = Flow(None, None, "www.example", "/a/b", "192.0.2.7", None, "tcp", 443, None, "10.1.0.5", "linux-user u")
WHOLE = Box(EVERY, BOTH_FAMILIES, EVERY, ALL_PORTS, ALL)


def only(*names):
    return Choice(frozenset(names))


def but(*names):
    return Choice(frozenset(names), negated=True)


@pytest.mark.parametrize(
    ("box", "flow", "held"),
    [
        ({}, {}, True),
        ({"ports": PortSet(tcp=((443, 445),))}, {}, True),
        ({"ports": PortSet(tcp=((441, 443),))}, {}, True),
        ({"ports": PortSet(tcp=((80, 80), (443, 443)))}, {}, True),
        ({"ports": PortSet(tcp=((441, 442), (444, 445)))}, {}, False),
        ({"ports": PortSet(udp=((443, 443),))}, {}, False),
        ({"ports": PortSet(udp=((443, 443),))}, {"transport": "udp"}, True),
        ({"addresses": NET}, {}, True),
        ({"addresses": NET}, {"address": "192.0.3.1"}, False),
        ({"addresses": NET}, {"address": None}, False),
        ({"addresses": NET}, {"address": "nowhere"}, False),
        ({}, {"address": None}, True),
        ({"sources": parse_addresses("10.1.0.0/16")}, {}, True),
        ({"sources": parse_addresses("10.2.0.0/16")}, {}, False),
        ({"sources": parse_addresses("10.2.0.0/16")}, {"source": ""}, False),
        ({}, {"source": ""}, True),
        # Both conditions hold, or none does.
        ({"addresses": NET, "sources": parse_addresses("10.2.0.0/16")}, {}, False),
        ({"groups": only("obj")}, {}, False),
        ({"groups": only("obj")}, {"group": "obj"}, True),
        ({"groups": but("obj")}, {"group": "obj"}, False),
        ({"groups": but("obj")}, {}, True),
        # Which addresses are under a tag, nobody knows.
        ({"tags": frozenset({"sql"})}, {}, False),
        ({"processes": (("linux-user", only("u")),)}, {}, True),
        ({"processes": (("linux-user", only("w")),)}, {}, False),
        ({"processes": (("linux-user", but("u")),)}, {}, False),
        ({"processes": (("linux-user", but("w")),)}, {}, True),
        ({"processes": (("linux-cgroup", only("u")),)}, {}, False),
        ({"processes": (("linux-cgroup", but("u")),)}, {}, True),
        ({"processes": (("linux-user", only("u")), ("linux-cgroup", only("a.slice")))}, {}, False),
        (
            {"processes": (("linux-user", only("u")), ("linux-cgroup", only("a.slice")))},
            {"process": "linux-cgroup a.slice, linux-user u"},
            True,
        ),
        ({"inside": ((WWW, None),)}, {}, True),
        ({"inside": ((WWW, None), (DOMAIN, "/a"))}, {}, True),
        ({"inside": ((WWW, None), (DOMAIN, "/b"))}, {}, False),
        ({"inside": ((WWW, None),)}, {"host": "other.example"}, False),
        ({"inside": ((WWW, None),)}, {"host": None}, False),
        ({"inside": ((DOMAIN, None),)}, {"host": None}, False),
        ({"inside": ((WWW, "/a"),)}, {"path": "/a"}, True),
        ({"inside": ((WWW, "/a/b"),)}, {"path": "/a"}, False),
        ({"inside": ((WWW, "/a"),)}, {"path": "/ab"}, False),
        ({"inside": ((WWW, "/a"),)}, {"path": None}, False),
        ({"outside": ((WWW, None),)}, {}, False),
        ({"outside": ((WWW, "/b"), (WWW, "/a"))}, {}, False),
        ({"outside": ((WWW, "/b"),)}, {}, True),
        ({"outside": ((WWW, None),)}, {"host": None}, True),
        ({"shared_inside": (WWW,)}, {}, False),
        ({"shared_inside": (DOMAIN,)}, {}, False),
        ({"shared_outside": (DOMAIN,)}, {}, True),
        ({"shared_inside": (WWW,)}, {"shared": "www.example"}, True),
        ({"shared_inside": (WWW, DOMAIN)}, {"shared": "other.example"}, False),
        ({"shared_outside": (WWW,)}, {}, True),
        ({"shared_outside": (HostPattern(("x", "example")), WWW)}, {"shared": "www.example"}, False),
        ({"shared_outside": (WWW,)}, {"shared": "other.example"}, True),
    ],
)
def test_a_box_holds_a_flow(box, flow, held):
    assert holds(replace(WHOLE, **box), replace(FLOW, **flow)) is held


NAMED, HERE = Block(((WWW, None),)), Block(addresses=NET)
SHARED = Block(((WWW, None),), by_address=True)


def ruling(name, *blocks, but=(), doubt=""):
    return Ruling(name, Outcome.ALLOW, blocks, doubt=doubt, but=but)


@pytest.mark.parametrize(
    ("rulings", "flow", "names"),
    [
        ((), {}, []),
        ((ruling("a", Block(addresses=parse_addresses("192.0.3.0/24"))), ruling("b", Block())), {}, ["b"]),
        # The first that surely matches decides, and those before it that perhaps do are told, too.
        ((ruling("a", HERE), ruling("b", NAMED)), {}, ["a"]),
        ((ruling("a", HERE, doubt="why"), ruling("b", NAMED, doubt="why"), ruling("c", Block())), {}, ["a", "b", "c"]),
        ((ruling("a", HERE, doubt="why"),), {}, ["a"]),
        # One of the blocks is enough; what a ruling lets go by is not its own.
        ((ruling("a", Block(ports=PortSet(udp=((443, 443),))), NAMED), ruling("b", Block())), {}, ["a"]),
        ((ruling("a", Block(), but=(NAMED,)), ruling("b", Block())), {}, ["b"]),
        ((ruling("a", Block(), but=(Block(ports=PortSet(udp=((443, 443),))),)), ruling("b", Block())), {}, ["a"]),
        ((ruling("a", HERE, but=(HERE,), doubt="why"), ruling("b", Block())), {}, ["b"]),
        # However the flow is known.
        ((ruling("a", SHARED),), {"shared": "www.example", "host": None, "path": None}, ["a"]),
        ((ruling("a", SHARED),), {"shared": "www.example", "host": "other.example"}, ["a"]),
        ((ruling("a", Block(ports=PortSet(udp=((443, 443),)))),), {"transport": "udp"}, ["a"]),
        ((ruling("a", Block(((WWW, "/a"),))),), {}, ["a"]),
        ((ruling("a", Block(((WWW, "/b"),))),), {}, []),
        ((ruling("a", HERE),), {"host": None}, ["a"]),
        ((ruling("a", Block()),), {"address": None}, ["a"]),
        ((ruling("a", HERE),), {"address": None}, []),
        ((ruling("a", Block(sources=parse_addresses("10.1.0.0/16"))),), {}, ["a"]),
        ((ruling("a", Block(processes=(("linux-user", only("u")),))),), {}, ["a"]),
        ((ruling("a", Block(objects=only("obj"))),), {"group": "obj"}, ["a"]),
    ],
)
def test_the_rules_that_decide_a_flow(rulings, flow, names):
    assert [each.name for each in Deciding(rulings).of(replace(FLOW, **flow))] == names


def test_what_is_not_near_a_flow_is_not_looked_at(monkeypatch):
    """Only what has its name or its address: else many differences among many rules take hours."""
    away = [
        Block(((HostPattern(("x", "example")), None),)),
        Block(((HostPattern(("x", "example")), None),), by_address=True),
        Block(addresses=parse_addresses("192.0.3.0/24")),
    ]
    looked = []
    real = drift_module.holds

    def counted(box, flow):
        looked.append(box)
        return real(box, flow)

    monkeypatch.setattr(drift_module, "holds", counted)
    deciding = Deciding([*(ruling("away", block) for block in away), ruling("a", Block())])
    assert [each.name for each in deciding.of(replace(FLOW, shared="also.example"))] == ["a"]
    assert len(looked) == 1


def group(name, networks=None, *, known_as=None):
    addresses = ANY if networks is None else parse_addresses(networks) if networks else EMPTY
    return BoundGroup(name, "", addresses, known_as, None)


class AnyRule(SimpleNamespace):
    """Stands in for a rule of a site: compared by identity."""

    __hash__ = object.__hash__


WEB, DB = group("web", "10.1.0.0/16"), group("db", "10.2.0.0/16")
UNBOUND, OBJECT = group("loose"), group("cloud", "", known_as="obj")


def drifted(monkeypatch, *deviations, groups=(WEB,), rulings=()):
    """What comes of deviations that the proof is taken to have found."""
    meaning = Meaning(rulings, remarks=("a remark",))
    site = SimpleNamespace(groups=groups)
    asked = []

    def found(*given, **more):
        asked.append((given, more))
        return iter(deviations)

    monkeypatch.setattr(drift_module, "deviations", found)
    target = SimpleNamespace(
        name="fake", read=lambda where, files: meaning if (where, files) == (site, ["file"]) else None
    )
    result = drift(site, target, "lowering", ["file"])
    assert asked == [((site, target, "lowering", meaning), {"governed_only": True})]
    assert (result.site, result.remarks) == (site, ("a remark",))
    return result


LISTS = {
    Kind.ALLOWS_MORE: "allows_more",
    Kind.ALLOWS_LESS: "allows_less",
    Kind.UNDECIDED: "allows_less",
    Kind.EXEMPTS_MORE: "inspection_differs",
    Kind.INSPECTS_MORE: "inspection_differs",
    Kind.INSPECTS_LESS: "inspection_differs",
    Kind.UNKNOWN: "unknown",
}


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_deviation_has_its_list(monkeypatch, kind):
    rule = AnyRule(key="p/a")
    result = drifted(monkeypatch, Deviation(kind, FLOW, "a sentence", rule))
    assert not result.is_equal
    lists = {name: getattr(result, name) for name in set(LISTS.values())}
    (one,) = lists.pop(LISTS[kind])
    assert not any(lists.values())
    assert (one.flow, one.sentence, one.rule) == (replace(FLOW, group="web"), "a sentence", rule)


def test_without_a_deviation_it_is_equal(monkeypatch):
    assert drifted(monkeypatch) == Drift(drifted(monkeypatch).site, (), (), (), (), ("a remark",))
    assert drifted(monkeypatch).is_equal


@pytest.mark.parametrize("kind", Kind)
def test_the_live_rule_is_the_one_that_was_found_or_the_one_that_decides(monkeypatch, kind):
    first, second = ruling("first", HERE), ruling("second", Block())
    found = drifted(
        monkeypatch, Deviation(kind, FLOW, "", None, second), Deviation(kind, FLOW, ""), rulings=(first, second)
    )
    named, unnamed = getattr(found, LISTS[kind])
    assert named.live == (second,)
    assert unnamed.live == ((first,) if kind in {Kind.ALLOWS_MORE, Kind.ALLOWS_LESS} else ())


@pytest.mark.parametrize(
    ("groups", "flow", "name"),
    [
        ((WEB,), {"source": ""}, "web"),
        ((WEB, DB), {"source": ""}, None),
        ((WEB, DB), {"source": "10.2.0.1"}, "db"),
        ((WEB, DB), {"source": "10.1.0.1"}, "web"),
        ((WEB, DB), {"source": "10.3.0.1"}, None),
        ((WEB,), {"source": "10.3.0.1"}, None),
        ((UNBOUND, DB), {"source": "10.2.0.1"}, "db"),
        ((UNBOUND, DB), {"source": "10.3.0.1"}, None),
        ((UNBOUND,), {"source": "10.3.0.1"}, None),
        ((WEB, OBJECT), {"group": "obj", "source": ""}, "cloud"),
        # An object of which the policy knows no group stays what it is, whatever the source.
        ((WEB, OBJECT), {"group": "other", "source": "10.1.0.1"}, "other"),
        ((WEB,), {"group": "other", "source": ""}, "other"),
    ],
)
def test_the_group_that_sends_a_flow_is_named(monkeypatch, groups, flow, name):
    result = drifted(monkeypatch, Deviation(Kind.UNKNOWN, replace(FLOW, **flow), ""), groups=groups)
    assert result.unknown[0].flow == replace(FLOW, **flow | {"group": name})


A, D = AnyRule(key="p/a"), AnyRule(key="p/d")
DENY_ALL, ALLOW_ALL = Ruling("other", Outcome.DENY, (Block(),)), Ruling("other", Outcome.ALLOW, (Block(),))
REST, OPEN = Ruling(DEFAULT, Outcome.DENY, (Block(),)), Ruling(DEFAULT, Outcome.ALLOW, (Block(),))
ALLOW_HERE, DENY_HERE = Ruling("here", Outcome.ALLOW, (HERE,)), Ruling("here", Outcome.DENY, (HERE,))


def less(ruling=None, said="its flows are denied", rule=A):
    return Deviation(Kind.ALLOWS_LESS, FLOW, said if ruling else "it is missing", rule, ruling)


def more(ruling=None, said="it is allowed", rule=D):
    return Deviation(Kind.ALLOWS_MORE, FLOW, said if ruling else "it is missing", rule, ruling)


MISSING = "it is missing"


@pytest.mark.parametrize(
    ("deviations", "rulings", "told"),
    [
        # One is missing, and another, or the default, has its flows: said once, with the one that has them.
        ((less(), less(DENY_ALL)), (DENY_ALL,), [(MISSING, DENY_ALL)]),
        ((less(DENY_ALL), less()), (DENY_ALL,), [(MISSING, DENY_ALL)]),
        ((less(), less(REST)), (), [(MISSING, REST)]),
        ((more(), more(ALLOW_ALL)), (ALLOW_ALL,), [(MISSING, ALLOW_ALL)]),
        ((more(), more(OPEN)), (), [(MISSING, OPEN)]),
        ((more(rule=None), more(OPEN, rule=None)), (), [(MISSING, OPEN)]),
        # One that does what is wanted stands behind it: that it stands late is said, too.
        ((less(), less(DENY_ALL)), (DENY_ALL, ALLOW_HERE), [(MISSING, DENY_ALL), ("its flows are denied", DENY_ALL)]),
        ((more(), more(ALLOW_ALL)), (ALLOW_ALL, DENY_HERE), [(MISSING, ALLOW_ALL), ("it is allowed", ALLOW_ALL)]),
        # One that lets more through than any rule of the policy allows is a fault of its own, whatever is missing.
        (
            (more(rule=None), more(ALLOW_ALL, rule=None)),
            (ALLOW_ALL,),
            [(MISSING, ALLOW_ALL), ("it is allowed", ALLOW_ALL)],
        ),
        # Of different rules, or by different live rules, they are two.
        ((less(), less(DENY_ALL, rule=D)), (DENY_ALL,), [(MISSING, DENY_ALL), ("its flows are denied", DENY_ALL)]),
        ((less(), less(REST)), (DENY_ALL,), [(MISSING, DENY_ALL), ("its flows are denied", REST)]),
        # Nothing is missing.
        ((less(DENY_ALL),), (DENY_ALL,), [("its flows are denied", DENY_ALL)]),
        # One line of a configuration may be several rulings, which do the same.
        ((less(DENY_ALL), less(replace(DENY_ALL, blocks=(HERE,)))), (), [("its flows are denied", DENY_ALL)]),
        ((less(DENY_ALL, "one"), less(DENY_ALL, "two")), (), [("one", DENY_ALL), ("two", DENY_ALL)]),
        (
            (less(DENY_ALL), less(replace(DENY_ALL, place="there"))),
            (),
            [("its flows are denied", DENY_ALL), ("its flows are denied", replace(DENY_ALL, place="there"))],
        ),
        (
            (less(DENY_ALL), less(replace(DENY_ALL, name="third"))),
            (),
            [("its flows are denied", DENY_ALL), ("its flows are denied", replace(DENY_ALL, name="third"))],
        ),
        (
            (less(DENY_ALL), less(DENY_ALL), less(DENY_ALL, "two")),
            (),
            [("its flows are denied", DENY_ALL), ("two", DENY_ALL)],
        ),
        ((less(), less()), (DENY_ALL,), [(MISSING, DENY_ALL), (MISSING, DENY_ALL)]),
        # What the device needs for itself is of no rule of the policy.
        ((less(rule=None), less(DENY_ALL, rule=None)), (DENY_ALL,), [(MISSING, DENY_ALL)]),
    ],
)
def test_what_is_missing_is_told_once(monkeypatch, deviations, rulings, told):
    result = drifted(monkeypatch, *deviations, rulings=rulings)
    found = [*result.allows_more, *result.allows_less]
    assert [(each.sentence, *each.live) for each in found] == told


def test_only_what_is_allowed_or_denied_can_be_missing_and_be_told_with_another(monkeypatch):
    first = Deviation(Kind.INSPECTS_LESS, FLOW, MISSING, A)
    second = Deviation(Kind.INSPECTS_LESS, FLOW, "it is not opened", A, REST)
    assert [each.sentence for each in drifted(monkeypatch, first, second).inspection_differs] == [
        MISSING,
        "it is not opened",
    ]


def test_what_is_missing_of_one_kind_says_nothing_of_another_kind(monkeypatch):
    missing = Deviation(Kind.INSPECTS_LESS, FLOW, MISSING, A)
    result = drifted(monkeypatch, missing, less(REST))
    assert [(each.sentence, each.live) for each in result.inspection_differs] == [(MISSING, ())]
    assert [(each.sentence, each.live) for each in result.allows_less] == [("its flows are denied", (REST,))]
