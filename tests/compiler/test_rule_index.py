"""The index answers what a look at every pair of rules would answer."""

from __future__ import annotations

import random

import pytest
from support import everything_of

from egressc.flows import boxes
from egressc.flows_search import common, witness
from egressc.reach import Reach

INVENTORY = """
groups:
  one: {networks: [10.0.0.1]}
  two: {networks: [10.0.0.2]}
firewalls:
  fw: {target: iptables, settings: {mode: gateway}}
"""

HOSTS = ("x.test.io", "a.x.test.io", "*.x.test.io", "*.test.io", "b*.x.test.io", "y.test.io", "z.other.net")
NETS = ("192.0.2.0/24", "192.0.2.7", "198.51.100.0/24", "any-address")


def random_policy(seed):
    r = random.Random(seed)
    lines = ['service-account acc "A" { linux-user u }', 'policy p "P" {']
    for number in range(r.randint(2, 9)):
        action = r.choice(("allow", "allow", "deny"))
        to = " ".join(dict.fromkeys(r.choice(HOSTS + NETS) for _ in range(r.randint(1, 2))))
        groups = r.choice(("one", "two", "one two"))
        account = r.choice(("", "as acc"))
        ports = r.choice(("443/https", "1-1024/tcp", "53/udp"))
        lines.append(f'{action} r{number} "R" {{ to {to} ports {ports} from {groups} {account} }}')
    return "\n".join([*lines, "}"])


@pytest.fixture(scope="module")
def sites():
    return [everything_of(random_policy(seed), INVENTORY) for seed in range(60)]


def test_meeting_is_what_every_pair_says(sites):
    seen = {True: 0, False: 0}
    for site in sites:
        for rule in site.rules:
            mine = tuple(boxes(rule.reach, {}))
            expected = [
                other.identity
                for other in site.rules
                if not other.is_deny and any(common(a, b) for a in mine for b in boxes(other.reach, {}))
            ]
            assert [o.identity for o in site.index.allows_meeting(rule.reach)] == expected
            assert site.index.meets_allow(rule) is bool(expected)
            seen[bool(expected)] += 1
    assert min(seen.values()) > 5


def widened(reach):
    from egressc.anything import ANY

    return Reach(reach.groups, ANY, reach.endpoints, reach.exceptions, reach.ports, shared=True)


def test_newly_matched_is_the_difference_with_every_rule(sites):
    seen = {True: 0, False: 0}
    for site in sites:
        everything = [b for rule in site.rules for b in boxes(rule.reach, {})]
        for rule in site.rules:
            after = widened(rule.reach)
            expected = witness(boxes(after, {}), everything) is not None
            found = site.index.newly_matched(after, rule.reach)
            assert (found is not None) is expected, (rule.identity, found)
            seen[expected] += 1
    assert seen[True] > 5


def test_wrongly_denied_is_an_allowed_flow_in_the_widening(sites):
    seen = {True: 0, False: 0}
    for site in sites:
        denies = [b for rule in site.rules if rule.is_deny for b in boxes(rule.reach, {})]
        allows = [b for rule in site.rules if not rule.is_deny for b in boxes(rule.reach, {})]
        for rule in site.rules:
            if not rule.is_deny:
                continue
            after = widened(rule.reach)
            both = [c for a in boxes(after, {}) for b in allows if (c := common(a, b)) is not None]
            expected = witness(both, (*boxes(rule.reach, {}), *denies)) is not None
            assert (site.index.wrongly_denied(after, rule.reach) is not None) is expected
            seen[expected] += 1
    assert min(seen.values()) > 3


def test_a_policy_without_rules_has_an_index():
    site = everything_of('endpoints e "E" { x.test.io }', INVENTORY)
    assert site.rules == ()
    assert site.index.allows_meeting(widened_any()) == ()


def widened_any():
    from egressc.anything import ANY
    from egressc.policy import AnyAddressEndpoint
    from egressc.services import PortSet, parse_service

    return Reach(ANY, ANY, (AnyAddressEndpoint(),), (), PortSet.of((parse_service("443/https"),)))
