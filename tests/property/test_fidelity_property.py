"""Fidelity reports against brute force: random policies, random lowerings, every flow of a small universe.

With a closing deny, what is reported is what differs: a report that says wider means that some flow is allowed in vain,
one that says narrower that some flow is lost, and each example is such a flow.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from itertools import product

import pytest
from support import everything_of

from egressc.anything import ANY
from egressc.approximate import (
    any_source,
    by_address,
    change,
    drop_account,
    drop_exceptions,
    drop_paths,
    gone,
    left_out,
    map_hosts,
    with_apex,
    with_depth,
)
from egressc.fidelity import Grading, Verdict, assess
from egressc.hosts import matches
from egressc.lowering import Lowering
from egressc.parts import parts_of
from egressc.policy import AddressEndpoint, HostEndpoint
from egressc.reach import Reach
from egressc.reasons import Effect, Reason

pytestmark = pytest.mark.property

INVENTORY = """
groups:
  one: {networks: [10.0.0.1]}
  two: {networks: [10.0.0.2]}
firewalls:
  fw: {target: iptables, settings: {mode: gateway}}
"""

HOSTS = ("x.io", "*.x.io", "a.x.io", "*.a.x.io", "b*.x.io", "www.x.io/p", "y.org", "*.y.org")
NETS = ("192.0.2.0/24", "192.0.2.7", "198.51.100.1", "any-address")
SHOWN = (None, "x.io", "a.x.io", "b.a.x.io", "b1.x.io", "www.x.io", "a.www.x.io", "q.x.io", "y.org", "a.y.org", "z.net")
PLACES = (0xC0000207, 0xC0000201, 0xC6336401, 0x01010101)
UNIVERSE = [
    flow
    for flow in product(
        ("one", "two", None), ("acc", None), SHOWN, (None, "/p", "/p/q"), PLACES, (None, "x.io", "a.x.io", "y.org"), (443, 53)
    )
    if flow[2] is not None or flow[3] is None
]  # fmt: skip


def policy_text(r):
    lines = ['service-account acc "A" { linux-user u }', 'policy p "P" {']
    for number in range(r.randint(2, 6)):
        action = r.choice(("allow", "allow", "deny"))
        names = list(
            dict.fromkeys(r.choice(HOSTS + NETS[:3] if r.random() < 0.8 else NETS) for _ in range(r.randint(1, 2)))
        )
        with_path = any("/p" in name for name in names)
        other = [name for name in ("a.x.io", "192.0.2.7", "b1.x.io") if name not in names]
        without = f"except {r.choice(other)}" if r.random() < 0.2 else ""
        ports = "443/https" if with_path else r.choice(("443/https", "443/tcp", "443/https 53/tcp"))
        groups = r.choice(("one", "two", "one two"))
        account = r.choice(("", "as acc"))
        lines.append(
            f'{action} r{number} "R" {{ to {" ".join(names)} {without} ports {ports} from {groups} {account} }}'
        )
    return "\n".join([*lines, "}"])


def holds(endpoint, flow):
    _, _, host, path, address, _, _ = flow
    if isinstance(endpoint, HostEndpoint):
        prefix = endpoint.path
        below = prefix is None or (path is not None and (path == prefix or path.startswith(prefix + "/")))
        return host is not None and matches(endpoint.pattern, host) and below
    if isinstance(endpoint, AddressEndpoint):
        return any(first <= address <= last for first, last in endpoint.addresses.v4)
    return True


def inside(reach, flow):
    if reach is None:
        return False
    group, account, _, _, _, shared, port = flow
    if (reach.groups is not ANY and group not in reach.groups) or (
        reach.accounts is not ANY and account not in reach.accounts
    ):
        return False
    if not any(first <= port <= last for first, last in reach.ports.tcp):
        return False
    names_out = [e for e in reach.exceptions if isinstance(e, HostEndpoint)]
    if any(holds(e, flow) for e in reach.exceptions if not isinstance(e, HostEndpoint)):
        return False
    excepted = any(holds(e, flow) for e in names_out)
    beside = shared is None or any(matches(e.pattern, shared) for e in names_out)
    for endpoint in reach.endpoints:
        if holds(endpoint, flow) and not excepted:
            return True
        if reach.shared and isinstance(endpoint, HostEndpoint) and not beside and matches(endpoint.pattern, shared):
            return True
    return False


def allowed(flow, allows, denies):
    return any(inside(a, flow) for a in allows) and not any(inside(d, flow) for d in denies)


def random_steps(part, site, r):
    deny = part.rule.is_deny
    if deny and r.random() < 0.6 and not site.index.meets_allow(part.rule) and not _internal(part, site):
        return left_out(part)
    for step in r.sample(range(8), r.randint(0, 3)):
        match step:
            case 0:
                part = drop_account(part, "account")
            case 1:
                part = any_source(part, "source")
            case 2:
                part = drop_paths(part, "path")
            case 3:
                part = by_address(part, "address")
            case 4:
                part = map_hosts(part, Reason.APEX, with_apex, "apex")
            case 5:
                part = map_hosts(part, Reason.DEPTH, with_depth, "depth")
            case 6:
                part = drop_exceptions(part, "except")
            case 7 if r.random() < 0.5:
                part = gone(part, Reason.PORTS, "ports")
            case 7:
                part = smaller(part)
    return part


def smaller(part):
    """A part that loses a group (as a target might announce with some reason)."""
    reach = part.reach
    if reach is None or reach.groups is ANY or len(reach.groups) < 2:
        return part
    after = Reach(frozenset({"one"}), reach.accounts, reach.endpoints, reach.exceptions, reach.ports, reach.shared)
    before = change(part, Reason.PORTS, after, "smaller")
    step = before.steps[-1]
    narrowed = type(step)(step.reason, Effect.NARROWER, step.sentence, step.before, step.after, step.level)
    return replace(before, steps=(*before.steps[:-1], narrowed))


def _internal(part, site):
    return any(
        not isinstance(e, HostEndpoint) and (not isinstance(e, AddressEndpoint) or e.addresses.overlaps(site.internal))
        for e in part.start.endpoints
    )


def spelled(flow):
    places = PLACES if flow.address is None else [int.from_bytes(bytes(int(x) for x in flow.address.split(".")), "big")]
    return [(flow.group, flow.account, flow.host, flow.path, p, flow.shared, flow.port) for p in places]


SEEDS = 50

GRADING = Grading((), frozenset(), False, date(2026, 1, 1), lambda *_: False)


@pytest.mark.parametrize("block", range(6))
def test_what_is_reported_is_what_differs(block, monkeypatch):
    # The differences are found whatever a step did; which steps are licensed is another question.
    monkeypatch.setattr("egressc.fidelity_integrity.breach", lambda *_: None)
    seen = {"wider": 0, "narrower": 0, "cut": 0, "nothing": 0}
    for seed in range(block * SEEDS, block * SEEDS + SEEDS):
        r = random.Random(seed)
        site = everything_of(policy_text(r), INVENTORY)
        parts = tuple(random_steps(part, site, r) for rule in site.rules for part in parts_of(rule))
        report = assess(site, Lowering(None, parts), GRADING)
        policy = [rule.reach for rule in site.rules if not rule.is_deny], [x.reach for x in site.rules if x.is_deny]
        written = [p.reach for p in parts if not p.rule.is_deny], [p.reach for p in parts if p.rule.is_deny]
        found = [a for rule in report.rules for a in rule.approximations]
        wider = [a for a in found if a.effect is Effect.WIDER]
        narrower = [a for a in found if a.effect is Effect.NARROWER]
        lost = [a.example for a in narrower] + [cut.example for cut in report.cuts if cut.reason is not None]
        for each in wider:
            assert any(allowed(f, *written) and not allowed(f, *policy) for f in spelled(each.example)), (seed, each)
        for flow in lost:
            assert any(allowed(f, *policy) and not allowed(f, *written) for f in spelled(flow)), (seed, flow)
        for cut in report.cuts:
            if cut.reason is None:
                flows = [f for f in spelled(cut.example) if inside(cut.deny.reach, f) and allowed(f, *written)]
                assert any(any(inside(p.reach, f) for p in parts if p.rule is cut.allow) for f in flows), (seed, cut)
        # Nothing that is left out for good is let through by what is written, told by its name.
        cut_short = {cut.deny for cut in report.cuts}
        plain = [replace(reach, shared=False) for reach in written[0] if reach is not None]
        for part in parts:
            if part.left_out and part.rule not in cut_short:
                assert not any(inside(part.start, f) and allowed(f, plain, written[1]) for f in UNIVERSE), seed
        too_much = [f for f in UNIVERSE if allowed(f, *written) and not allowed(f, *policy)]
        too_little = [f for f in UNIVERSE if allowed(f, *policy) and not allowed(f, *written)]
        assert wider or not too_much, (seed, too_much[0])
        assert lost or not too_little, (seed, too_little[0])
        seen["wider"] += bool(wider)
        seen["narrower"] += bool(narrower)
        seen["cut"] += any(cut.reason is not None for cut in report.cuts)
        seen["nothing"] += not found and not report.cuts
        for rule in report.rules:
            if rule.verdict is Verdict.EXACT:
                assert not rule.approximations
    assert min(seen.values()) > 0, seen
