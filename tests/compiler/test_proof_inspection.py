"""What is inspected otherwise than announced, case by case: what must be exempt, what must be opened, and of which part."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from egressc.addresses import ALL
from egressc.anything import ANY
from egressc.flows import EVERY
from egressc.flows_blocks import blocks_of
from egressc.hosts import HostPattern
from egressc.meaning import Block, Handling, InspectionRuling, Meaning, Outcome, Ruling
from egressc.policy import HostEndpoint, Inspection
from egressc.proof_compare import Comparison
from egressc.proof_expected import Expected, RuleBlocks
from egressc.proof_inspection import inspection_deviations
from egressc.proof_question import Kind
from egressc.proof_rulings import Rulings
from egressc.reach import Reach
from egressc.services import Application, PortSet, Service

HTTPS, TCP = Service(Application.HTTPS, 443, 443), Service(Application.TCP, 22, 22)
BOTH = PortSet(tcp=((22, 22), (443, 443)))
ONLY_TLS = PortSet(tcp=((443, 443),))


def pattern(name):
    return HostPattern(tuple(f"{name}.example".split(".")))


def reach(name, ports=ONLY_TLS):
    return Reach(ANY, ANY, (HostEndpoint(pattern(name)),), (), ports)


def block(name, ports=ONLY_TLS):
    return Block(((pattern(name), None),), ports=ports)


class AnyRule(SimpleNamespace):
    """Stands in for a rule of a site: compared by identity."""

    __hash__ = object.__hash__


def rule(key, inspection=Inspection.MAY):
    return AnyRule(key=key, is_deny=False, rule=SimpleNamespace(inspection=inspection))


def part(of, reaches, *, exempt=None, inspect=None, cells=None, services=(HTTPS,)):
    return SimpleNamespace(rule=of, reach=reaches, exempt=exempt, inspect=inspect, cells=cells, services=services)


class Wanted(Expected):
    """What must be done, made by hand, where a part's cells are its own."""

    def __init__(self, *parts, inspects=True):
        self.inspects = inspects
        self.opening = ()
        self.__dict__["closing"] = self.__dict__["left_open"] = ()
        self.sight = SimpleNamespace(
            governed=((ALL, EVERY),), known=None, blocks=lambda reach: tuple(blocks_of(reach, {}))
        )
        by_rule = {}
        for each in parts:
            by_rule.setdefault(each.rule, []).append(each)
        self.rules = tuple(
            RuleBlocks(of, tuple(some), self._decides(some), (), frozenset()) for of, some in by_rule.items()
        )

    def _decides(self, parts):
        return tuple(b for each in parts if each.reach is not None for b in each.cells or self.sight.blocks(each.reach))

    def cells(self, part):
        return part.cells


def inspect(*blocks, sure=True):
    return InspectionRuling("opens", Handling.INSPECT, blocks, sure, "line 7")


def exempt(*blocks):
    return InspectionRuling("exempts", Handling.EXEMPT, blocks)


def found(wanted, *inspections):
    decides = tuple(b for each in wanted.rules for b in each.decides)
    meaning = Meaning((Ruling("all", Outcome.ALLOW, decides),), inspections)
    comparison = Comparison(wanted, Rulings(meaning, ()), governed_only=False)
    return list(inspection_deviations(comparison, meaning))


def told(wanted, *inspections):
    return [
        (each.kind, each.rule and each.rule.key, each.flow.host, each.flow.port) for each in found(wanted, *inspections)
    ]


A, B = rule("p/a"), rule("p/b")


def test_a_part_that_is_gone_hides_no_part_behind_it():
    gone, there = part(A, None), part(A, reach("x"), exempt=reach("x"))
    assert told(Wanted(gone, there), exempt(block("x")), inspect(block("x"))) == []
    assert told(Wanted(gone, there), inspect(block("x"))) == [(Kind.INSPECTS_MORE, "p/a", "x.example", 443)]
    must = part(B, reach("y"), inspect=reach("y"))
    assert told(Wanted(part(B, None), must)) == [(Kind.INSPECTS_LESS, "p/b", "y.example", 443)]
    assert told(Wanted(part(B, None), must), inspect(block("y"))) == []


def test_of_what_denies_by_name_have_left_of_a_part_only_that_is_asked_for():
    # The part reaches all names below `x`, and a deny by name took `one` out of it.
    domain = replace(reach("x"), endpoints=(HostEndpoint(HostPattern(("x", "example"), deep=True)),), ports=BOTH)
    left = Block(
        ((HostPattern(("x", "example"), deep=True), None),),
        ports=BOTH,
        names_out=((HostPattern(("one", "x", "example")), None),),
    )
    tls = replace(domain, ports=ONLY_TLS)
    cut = Wanted(part(A, domain, exempt=tls, cells=(left,), services=(HTTPS, TCP)))
    own = replace(left, ports=ONLY_TLS)
    assert told(cut, exempt(own), inspect(Block(ports=ONLY_TLS))) == []
    assert told(cut, exempt(left), inspect(Block())) == [(Kind.EXEMPTS_MORE, None, "a.x.example", 22)]
    (kind, key, _, port), = told(cut, inspect(left))  # fmt: skip
    assert (kind, key, port) == (Kind.INSPECTS_MORE, "p/a", 443)
    # Without anything on the ports that are asked about, nothing is asked.
    plain = replace(left, ports=PortSet(tcp=((22, 22),)))
    assert told(Wanted(part(A, domain, exempt=tls, cells=(plain,), services=(HTTPS, TCP))), inspect(left)) == []
    # An exemption of other names than the part's is what it is.
    other = part(
        A, domain, exempt=replace(tls, endpoints=(HostEndpoint(HostPattern(("two", "x", "example"))),)), cells=(left,)
    )
    two = Block(((HostPattern(("two", "x", "example")), None),), ports=ONLY_TLS)
    assert told(Wanted(other), exempt(two), inspect(own)) == []
    assert len(told(Wanted(other), exempt(own), inspect(own))) == 1


def test_what_a_deny_by_name_took_out_of_a_part_is_not_exempt_where_another_rule_allows_it():
    one, below = HostPattern(("one", "x", "example")), HostPattern(("x", "example"), deep=True)
    domain = replace(reach("x"), endpoints=(HostEndpoint(below),), ports=BOTH)
    left = Block(((below, None),), ports=BOTH, names_out=((one, None),))
    cut = part(A, domain, exempt=replace(domain, ports=ONLY_TLS), cells=(left,), services=(HTTPS, TCP))
    other = part(B, replace(domain, endpoints=(HostEndpoint(one),), ports=ONLY_TLS))
    own, its = replace(left, ports=ONLY_TLS), Block(((one, None),), ports=ONLY_TLS)
    assert told(Wanted(cut, other), exempt(own), inspect(its)) == []
    more = told(Wanted(cut, other), exempt(own, its), inspect(its))
    assert more == [(Kind.EXEMPTS_MORE, None, "one.x.example", 443)]


@pytest.mark.parametrize("inspection", Inspection)
def test_a_device_that_was_not_to_inspect_opens_nothing_that_must_not_be_opened(inspection):
    own = rule("p/n", inspection)
    whole = part(own, reach("x", BOTH), services=(HTTPS, TCP))
    # It may not open TLS where the rule forbids it; what it is said to exempt counts on a device that inspects only.
    expected = [(Kind.INSPECTS_MORE, "p/n", "x.example", 443)] if inspection is Inspection.MUST_NOT else []
    assert told(Wanted(whole, inspects=False), inspect(block("x", BOTH))) == expected
    assert told(Wanted(whole, inspects=False), inspect(block("x", PortSet(tcp=((22, 22),))))) == []
    assert told(Wanted(part(own, None), whole, inspects=False), inspect(block("x", BOTH))) == expected
    assert told(Wanted(whole, inspects=True), inspect(block("x", BOTH))) == []
    no_tls = part(own, reach("x", PortSet(tcp=((22, 22),))), services=(TCP,))
    assert told(Wanted(no_tls, inspects=False), inspect(block("x", BOTH))) == []


def test_the_live_rule_is_told_as_it_is():
    (one,) = found(Wanted(part(A, reach("x"), exempt=reach("x"))), inspect(block("x")))
    assert one.ruling == Ruling("opens", Outcome.ALLOW, (block("x"),), "line 7", "")
    assert one.sentence == "`p/a` exempts it from inspection"
    vague = replace(inspect(block("x")), doubt="a schedule")
    (one,) = found(Wanted(part(A, reach("x"), exempt=reach("x"))), vague)
    assert one.kind is Kind.UNKNOWN
    assert one.ruling == Ruling("opens", Outcome.ALLOW, (block("x"),), "line 7", "a schedule")
    assert one.sentence.endswith("whether it is matched is not known: a schedule")


def test_of_several_exemptions_the_one_is_named_that_is_opened():
    one, two = part(A, reach("x"), exempt=reach("x")), part(B, reach("y"), exempt=reach("y"))
    assert told(Wanted(one, two), inspect(block("y"))) == [(Kind.INSPECTS_MORE, "p/b", "y.example", 443)]
    assert told(Wanted(two, one), inspect(block("y"))) == [(Kind.INSPECTS_MORE, "p/b", "y.example", 443)]
    assert told(Wanted(one, two), inspect(block("x"))) == [(Kind.INSPECTS_MORE, "p/a", "x.example", 443)]
    # By name only what the policy allows counts: the first exemption that is met may be one of which nothing is.
    none = part(A, None, exempt=reach("y"))
    assert told(Wanted(part(A, reach("x"), exempt=reach("x")), two, none), inspect(block("y")))[0][1] == "p/b"
