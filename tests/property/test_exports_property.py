"""Lists of random policies against brute force: each list, read back, is what the policy says but for its reasons."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest
from diff_policies import prepared_of, random_world

sys.path.insert(0, str(Path(__file__).parents[1] / "evaluators"))
from policy_verdict import Flow, host_matches, inspection, path_below, verdict, within

from egressc.api import inspection_conflicts
from egressc.api_export import ListRequest, build_list
from egressc.bind import bind_everything
from egressc.exports import ListKind
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint
from egressc.reasons import Reason
from egressc.targets.list_protocol import ListOptions, Proxy
from egressc.targets.list_registry import format_names, load_format

pytestmark = pytest.mark.property

SCALE = int(os.environ.get("EGRESSC_SCALE", "1"))
SEED = int(os.environ.get("EGRESSC_SEED", "20261126"))

HOSTS = (
    "x.io", "a.x.io", "b.x.io", "ab.x.io", "c.x.io", "a.b.x.io", "a.c.x.io", "c.b.x.io", "a.b.c.x.io", "xx.io", "y.io",
    "a.y.io", "z.a.y.io", "xy.io", "other.net", "ax.io", "a.a.a.a.a.a.a.x.io",
)  # fmt: skip
ADDRESSES = (
    "192.0.2.0", "192.0.2.127", "192.0.2.128", "192.0.2.255", "192.0.3.0", "192.0.3.255", "192.0.4.0", "203.0.113.9",
    "2001:db8::1", "2001:db8:1::", "2001:db9::1",
)  # fmt: skip
PORTS = (80, 443, 444, 445, 8443)
ELSEWHERE = "198.18.0.9"
EVERY_REASON = tuple(reason.value for reason in Reason)


def requests():
    """Every request of the universe: host or none, address, path, port."""
    for port in PORTS:
        for host in HOSTS:
            for path in (None, "/p", "/p/q/r", "/pq"):
                yield host, ELSEWHERE, path, port
        for address in ADDRESSES:
            yield None, address, None, port


def policy_wants(site, kind, groups, request):
    """True if anybody of the groups may do that (and, for an exemption, it must not be inspected)."""
    host, address, path, port = request
    for group in groups:
        for accounts in (frozenset(), frozenset({"acc"}), frozenset({"bcc"})):
            flow = Flow(group, "10.20.0.1", accounts, host, path, address, None, "tcp", port)
            if verdict(site, flow, {}) == "allow" and (
                kind is ListKind.BYPASS or inspection(site, flow, {}) == "must-not"
            ):
                return True
    return False


def has(entries, request):
    """True if what was read from a list matches a request."""
    host, address, path, port = request
    for entry in entries:
        reach = entry.reach
        if not any(first <= port <= last for first, last in reach.ports.tcp):
            continue
        if any(isinstance(e, HostEndpoint) and host_like(e, host, path) for e in reach.exceptions):
            continue
        for endpoint in reach.endpoints:
            match endpoint:
                case HostEndpoint():
                    if host_like(endpoint, host, path):
                        return True
                case AddressEndpoint(addresses):
                    if host is None and within(addresses, address):
                        return True
                case AnyAddressEndpoint():
                    if host is None:
                        return True
    return False


def host_like(endpoint, host, path):
    if not endpoint.pattern.labels and endpoint.pattern.deep:
        return host is not None  # whatever is asked for
    return host_matches(endpoint.pattern, host) and path_below(endpoint.path, path)


def related(reasons, request):
    """The requests that must be wanted for this one to be in the list by these reasons; itself among them."""
    host, address, path, port = request
    hosts = [host]
    if host is not None and "apex" in reasons:
        hosts += [f"{front}.{host}" for front in ("a", "b", "ab", "c.b", "a.b", "a.c", "b.c")]
    if host is not None and reasons & {"depth", "label-wildcard"}:
        labels = host.split(".")
        hosts += [".".join(labels[n:]) for n in range(1, len(labels) - 1)]
        # More labels where a star also stands for dots; other names beside it where a label's wildcard is lost.
        hosts += [f"{front}.{'.'.join(labels[n:])}" for n in range(1, len(labels)) for front in ("a", "b", "ab", "a.b")]
        hosts += [f"{labels[0]}.{'.'.join(labels[n:])}" for n in range(1, len(labels))]
    ports = PORTS if "ports" in reasons else (port,)
    paths = (path, "/p", "/p/q", "/p/q/r") if "path" in reasons else (path,)
    return [(h, address, p, q) for h in hosts for p in paths for q in ports]


def check(world, prepared, name, kind, rng):
    form = load_format(name)
    options = ListOptions(kind=kind, form=rng.choice(form.forms), proxy=Proxy("proxy.test", 8080))
    site = bind_everything(prepared)
    groups = [group.name for group in site.groups]
    if rng.random() < 0.5:
        groups = [rng.choice(groups)]
    asked = ListRequest(format=form, options=options, groups=tuple(groups), accept=EVERY_REASON)
    build, report = build_list(prepared, asked)
    if build is None:
        # Reasons that are errors are accepted; what is left are limits of the format and what no single pattern says.
        assert {d.code for d in report if d.level.value == "error"} <= {"E0626"}, [d.message for d in report]
        return 0
    approximations = [a for rule in build.rules for a in rule.approximations]
    wider = {a.reason.value for a in approximations if "wider" in a.effect.value}
    narrower = {a.reason.value for a in approximations if "wider" not in a.effect.value}
    seen = 0
    for dialect in form.dialects(options):
        read = form.read(build.text, options, dialect.name)
        assert not any(entry.doubt for entry in read.entries)
        for request in requests():
            wants, listed = policy_wants(site, kind, groups, request), has(read.entries, request)
            if wants == listed:
                continue
            seen += 1
            where = f"{name} {options.form} {dialect.name} {kind}: {request}, wants {wants}"
            if listed:
                assert wider, f"{where}: nothing is announced to be wider"
                if "except" not in wider:
                    explained = any(policy_wants(site, kind, groups, other) for other in related(wider, request))
                    assert explained, f"{where}: not by {sorted(wider)}"
            else:
                assert narrower, f"{where}: nothing is announced to be narrower"
    return seen


def formats():
    """The formats that are installed, each with the kinds of list that it can say."""
    for name in format_names():
        for kind in sorted(load_format(name).lists):
            yield pytest.param(name, kind, id=f"{name}-{kind.value}")


@pytest.mark.parametrize(("name", "kind"), list(formats()))
def test_a_list_is_the_policy_but_for_its_reasons(name, kind):
    tried = 0
    for number in range(40 * SCALE):
        rng = random.Random(f"{SEED} {name} {kind} {number}")
        world = random_world(rng)
        prepared = prepared_of(world)
        if prepared is None or inspection_conflicts(prepared):
            continue
        tried += 1
        try:
            check(world, prepared, name, kind, rng)
        except AssertionError as error:
            error.add_note(f"seed {SEED} {name} {kind} {number}\n{world.text}")
            raise
    assert tried > 15 * SCALE
