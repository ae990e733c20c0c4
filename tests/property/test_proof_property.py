"""The comparison of a configuration with what it must do, against one flow at a time over a small universe."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from types import SimpleNamespace

import pytest

from egressc.addresses import ALL, AddressSet, parse_addresses, union_of
from egressc.flows import EVERY, Choice
from egressc.hosts import HostPattern, matches
from egressc.meaning import Block, Meaning, Outcome, Ruling
from egressc.proof_compare import Comparison
from egressc.proof_expected import Expected, RuleBlocks
from egressc.proof_question import Kind
from egressc.proof_rulings import Rulings
from egressc.services import ALL_PORTS, PortSet

HOSTS = (None, "x.a", "a.x.a", "b.x.a", "c.b.x.a", "y.a")
PATHS = (None, "/p", "/p/q", "/pq")
ADDRESSES = ("192.0.2.1", "192.0.2.9", "10.0.0.1", "2001:db8::1")
SOURCES = ("10.1.0.1", "10.2.0.1", "2001:db8:1::1")
PROCESSES = ("u", "v", None)
PORTS = (("tcp", 80), ("tcp", 443), ("udp", 443))
PATTERNS = (
    HostPattern(("x", "a")),
    HostPattern(("x", "a"), deep=True),
    HostPattern(("a", "x", "a")),
    HostPattern(("b", "x", "a"), deep=True),
    HostPattern(("*", "x", "a")),
    HostPattern(("y", "a")),
)


def addresses(*texts):
    return union_of([parse_addresses(text) for text in texts])


SETS = (ALL, ALL, addresses("192.0.2.0/28"), addresses("192.0.2.1"), addresses("10.0.0.0/8"), addresses("::/0"))
SENDERS = (ALL, ALL, addresses("10.1.0.0/16"), addresses("10.2.0.0/16", "2001:db8:1::/48"), addresses("0.0.0.0/0"))
DOORS = (ALL_PORTS, PortSet(tcp=((443, 443),)), PortSet(tcp=((80, 80), (443, 443))), PortSet(udp=((443, 443),)))
WHOM = ((), (), (("user", Choice(frozenset({"u"}))),), (("user", Choice(frozenset({"u"}), negated=True)),))


def flows():
    for host, path, address, shared, source, process, port in itertools.product(
        HOSTS, PATHS, ADDRESSES, (None, "x.a", "b.x.a"), SOURCES, PROCESSES, PORTS
    ):
        if (":" in address) == (":" in source) and (host is not None or path is None):
            yield SimpleNamespace(
                host=host, path=path, address=address, shared=shared, source=source, process=process, port=port
            )


FLOWS = tuple(flows())


def value(text):
    found = parse_addresses(text)
    return (4, found.v4[0][0]) if found.v4 else (6, found.v6[0][0])


VALUES = {text: value(text) for text in (*ADDRESSES, *SOURCES)}


def has(held: AddressSet, text):
    family, number = VALUES[text]
    return any(first <= number <= last for first, last in (held.v4 if family == 4 else held.v6))


def fits(test, host, path):
    pattern, prefix = test
    if host is None or not matches(pattern, host):
        return False
    return prefix is None or (path is not None and (path == prefix or path.startswith(prefix + "/")))


def in_block(block, flow):
    transport, port = flow.port
    if not any(first <= port <= last for first, last in block.ports.transport(transport)):
        return False
    if not has(block.addresses, flow.address) or not has(block.sources, flow.source):
        return False
    for _, choice in block.processes:
        if (flow.process in choice.names) is choice.negated:
            return False
    if block.names is None:
        return not any(fits(test, flow.host, flow.path) for test in block.names_out)
    mine = any(fits(t, flow.host, flow.path) for t in block.names)
    if mine and not any(fits(t, flow.host, flow.path) for t in block.names_out):
        return True
    if not block.by_address or flow.shared is None:
        return False
    shared = any(matches(pattern, flow.shared) for pattern, _ in block.names)
    return shared and not any(matches(pattern, flow.shared) for pattern, _ in block.names_out)


def in_blocks(blocks, flow):
    return any(in_block(block, flow) for block in blocks)


def random_block(rng):
    names = None
    by_address = False
    out = ()
    if rng.random() < 0.65:
        by_address = rng.random() < 0.3
        names = tuple(
            dict.fromkeys(
                (rng.choice(PATTERNS), None if by_address else rng.choice((None, None, None, "/p", "/p/q")))
                for _ in range(rng.randint(1, 2))
            )
        )
    if rng.random() < 0.2:
        out = ((rng.choice(PATTERNS), None),)
    return Block(names, rng.choice(SETS), rng.choice(DOORS), rng.choice(SENDERS), rng.choice(WHOM), by_address, out)


class AnyRule(SimpleNamespace):
    """Stands in for a rule of a site: compared by identity."""

    __hash__ = object.__hash__


class Wanted(Expected):
    """What must be done, made by hand."""

    def __init__(self, rules, opening, closing, left_open):
        self.rules = rules
        self.opening = opening
        self.__dict__["closing"] = closing
        self.__dict__["left_open"] = left_open
        self.sight = SimpleNamespace(governed=((ALL, EVERY),), known=None)


def random_wanted(rng):
    rules = []
    for number in range(rng.randint(1, 4)):
        deny = rng.random() < 0.3
        key = f"p/{number}"
        decides = tuple(random_block(rng) for _ in range(rng.choice((1, 1, 2))))
        closes = (random_block(rng),) if rng.random() < 0.15 else ()
        rule = AnyRule(key=key, is_deny=deny)
        rules.append(RuleBlocks(rule, (), decides, closes, frozenset({key})))
    opening = (Ruling("opening", Outcome.ALLOW, (random_block(rng),)),) if rng.random() < 0.2 else ()
    closing = left_open = ()
    if rng.random() < 0.6:
        inner = addresses("10.0.0.0/8")
        closing = (Block(addresses=ALL.difference(inner)),)
        if rng.random() < 0.3:
            left_open = (Block(addresses=inner),)
    return Wanted(tuple(rules), opening, closing, left_open)


def must(wanted, flow):
    if any(in_blocks(r.blocks, flow) for r in wanted.opening):
        return Outcome.ALLOW
    if any(r.rule.is_deny and in_blocks(r.decides, flow) for r in wanted.rules):
        return Outcome.DENY
    if any(not r.rule.is_deny and in_blocks(r.decides, flow) for r in wanted.rules):
        return Outcome.ALLOW
    if any(in_blocks(r.closes, flow) for r in wanted.rules) or in_blocks(wanted.closing, flow):
        return Outcome.DENY
    return Outcome.ALLOW if in_blocks(wanted.left_open, flow) else Outcome.LEFT


def does(rulings, flow):
    """The outcomes that are possible: one, or two where a doubtful ruling may match."""
    possible = set()
    for ruling in rulings:
        if in_blocks(ruling.blocks, flow) and not in_blocks(ruling.but, flow):
            possible.add(ruling.outcome)
            if not ruling.doubt:
                return possible
    return possible | {Outcome.LEFT}


def faithful(wanted, rng):
    """Rulings that do what must be done, in one of the ways in which it can be said."""
    rulings = list(wanted.opening)
    denies = [Ruling(r.rule.key, Outcome.DENY, (b,)) for r in wanted.rules if r.rule.is_deny for b in r.decides]
    allows = [Ruling(r.rule.key, Outcome.ALLOW, (b,)) for r in wanted.rules if not r.rule.is_deny for b in r.decides]
    rng.shuffle(denies)
    rng.shuffle(allows)
    below = [Ruling(r.rule.key, Outcome.DENY, r.closes) for r in wanted.rules if r.closes]
    rulings += [*denies, *allows, *below]
    if wanted.left_open:
        rulings.append(Ruling("open", Outcome.ALLOW, wanted.left_open))
    elif wanted.closing:
        rulings.append(Ruling("internal", Outcome.LEFT, (Block(addresses=addresses("10.0.0.0/8")),)))
    if wanted.closing:
        rulings.append(Ruling("closing", Outcome.DENY, (Block(),)))
    return rulings


def mangled(rulings, rng):
    """The same rulings with something done to them, maybe nothing that matters."""
    found = list(rulings)
    for _ in range(rng.choice((1, 1, 2))):
        what = rng.randrange(6)
        at = rng.randrange(len(found)) if found else 0
        if what == 0 and found:
            del found[at]
        elif what == 1 and found:
            found.insert(rng.randrange(len(found)), found.pop(at))
        elif what == 2:
            found.insert(at, Ruling("foreign", rng.choice(tuple(Outcome)), (random_block(rng),)))
        elif what == 3 and found:
            old = found[at]
            found[at] = Ruling(old.name, old.outcome, (random_block(rng), *old.blocks[1:]))
        elif what == 4 and found:
            old = found[at]
            found[at] = Ruling(old.name, rng.choice(tuple(Outcome)), old.blocks)
        elif found:
            old = found[at]
            but = (replace(random_block(rng), by_address=False),)
            found[at] = Ruling(old.name, old.outcome, old.blocks, "", rng.choice(("", "it is vague")), but)
    return found


def compare(wanted, rulings, *, quick):
    meaning = Meaning(tuple(rulings))
    return list(Comparison(wanted, Rulings(meaning, ()), governed_only=False, quick=quick).deviations())


@pytest.mark.parametrize("chunk", range(12))
def test_faithful_rulings_are_found_equal_and_every_other_difference_is_found(chunk):
    rng = random.Random(chunk)
    told = 0
    for case in range(40):
        wanted = random_wanted(rng)
        rulings = faithful(wanted, rng)
        for quick in (True, False):
            assert compare(wanted, rulings, quick=quick) == [], (chunk, case)
        other = mangled(rulings, rng)
        sample = rng.sample(FLOWS, 400)
        wrong = sure = False
        for flow in sample:
            answers = does(other, flow)
            if answers != {must(wanted, flow)}:
                wrong = True
                sure = sure or len(answers) == 1
        for quick in (True, False):
            found = compare(wanted, other, quick=quick)
            if wrong:
                assert found, (chunk, case, quick)
            if sure:
                assert any(each.kind is not Kind.UNKNOWN for each in found), (chunk, case, quick)
            for each in found:
                check_true(each, wanted, other, (chunk, case, quick))
            told += bool(found)
    assert told > 20


def check_true(deviation, wanted, rulings, where):
    """The flow of a deviation is decided otherwise, indeed; or may be, if that is what it says."""
    shown = deviation.flow
    source = shown.source or None
    flow = SimpleNamespace(
        host=shown.host,
        path=shown.path,
        address=shown.address,
        shared=shown.shared,
        source=source,
        process=shown.process.removeprefix("user ") or None,
        port=(shown.transport, shown.port),
    )
    if flow.address is None:
        flow.address = "203.0.113.10" if source is None or ":" not in source else "2001:db8::10"
    if source is None:
        flow.source = "203.0.113.77" if ":" not in flow.address else "2001:db8::77"
    for text in (flow.address, flow.source):
        VALUES.setdefault(text, value(text))
    answers = does(rulings, flow)
    if deviation.kind is Kind.UNKNOWN:
        assert answers != {must(wanted, flow)}, where
    else:
        assert must(wanted, flow) not in answers, (where, deviation, answers)
