"""What `explain` says of each firewall against the evaluator of what was announced: random policies, single flows.

What is announced is decided by the book, flow by flow; `explain` reads the artefact back and asks the algebra of flow sets.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from ipaddress import ip_address

import pytest
from announced import announced, counts_inside
from policy_verdict import verdict
from random_cases import TAGS, boundary_flows, compiled, random_case, scale, seed

from egressc.addresses import parse_addresses
from egressc.flows import Choice
from egressc.question import Question, Sender, To, Who
from egressc.question_answer import decide
from egressc.question_cause import causes
from egressc.question_firewall import Enforcement, Ruled
from egressc.reasons import Effect
from egressc.services import PortSet
from egressc.words import endpoint_word

FIREWALLS = {
    "iptables": "target: iptables, settings: {mode: gateway, interface: lan0}",
    "azure-firewall": "target: azure-firewall, settings: {policy: p, location: x, dns-proxy: true}",
    "paloalto": "target: paloalto, settings: {from-zone: t, to-zone: u, decryption-profile: strict}",
    "paloalto without a closing deny": "target: paloalto, settings: {from-zone: t, to-zone: u, default-deny: false}",
}
CASES = 130


def question_of(flow, accounts):
    """The question about one flow, every detail of it given."""
    port = ((flow.port, flow.port),)
    ports = PortSet(tcp=port) if flow.transport == "tcp" else PortSet(udp=port)
    pattern = None if flow.host is None else endpoint_word(flow.host).pattern
    path = None if flow.host is None else (flow.path or "/").rstrip("/") or "/"
    to = To("", pattern, path, parse_addresses(flow.address), ports)
    sender = Sender(flow.group, parse_addresses(flow.source))
    question = Question.of(Who("", (sender,)), to)
    names = flow.accounts or accounts
    return question.of_accounts(Choice(frozenset(names), not flow.accounts)), sender


@pytest.mark.property
@pytest.mark.parametrize("name", FIREWALLS)
def test_each_firewall_does_what_was_announced_and_a_difference_has_its_cause(name, capsys):
    counts, reasons = Counter(), Counter()
    for number in range(seed(), seed() + CASES * scale()):
        rng = random.Random(number)
        case = random_case(rng, lambda _: FIREWALLS[name])
        for build in compiled(case) or ():
            site, target = build.site, build.target
            accounts = {
                each.name: each for rule in site.rules if isinstance(rule.accounts, tuple) for each in rule.accounts
            }
            enforcement = Enforcement(site, target, build.lowering, tuple(accounts.values()))
            governed = {group.name for group in site.groups}
            for each in boundary_flows(site, rng, 25):
                flow = replace(each, shared=None)
                address = ip_address(flow.address)
                if flow.group not in governed or address.is_multicast or address.is_loopback:
                    continue
                if not counts_inside(build, flow, TAGS):
                    continue
                question, sender = question_of(flow, accounts)
                here = enforcement.decide(question, sender)
                where = f"seed {number}: {flow}\n{here}\n{case.text}"
                counts[here.verdict.value] += 1
                if here.verdict is Ruled.UNKNOWN:
                    assert not case.tags_known and "service-tag" in case.policy, where
                    continue
                if not case.tags_known and "service-tag" in case.policy:
                    continue
                if ":" in flow.address and site.target == "azure-firewall":
                    continue  # no IPv6 passes the firewall
                want = announced(build, flow, TAGS)
                if want is None:
                    assert here.verdict in {Ruled.UNDECIDED, Ruled.DENY if site.closing_deny else Ruled.UNDECIDED}, (
                        where
                    )
                else:
                    assert here.verdict.value == want, where
                said = "allow" if verdict(site, flow, TAGS) == "allow" else "deny"
                if here.verdict.value in {said, "undecided"}:
                    continue
                some = question.boxes()
                found = causes(site, build.lowering, build.fidelity, some, decide(site.index, some), here)
                assert found, where
                for cause in found:
                    reasons[cause.reason.value] += 1
                    assert cause.effect is (Effect.WIDER if said == "deny" else Effect.NARROWER), (cause, where)
                    report = {
                        (rule.rule.identity, a.reason) for rule in build.fidelity.rules for a in rule.approximations
                    } | {("", a.reason) for a in build.fidelity.whole}
                    assert (cause.rule, cause.reason) in report, (cause, where)
    with capsys.disabled():
        print(f"\n{name}: {dict(counts)} {dict(reasons)}")
    assert counts["allow"] >= 100 * scale()
    assert counts["deny"] + counts["undecided"] >= 100 * scale()
    assert sum(reasons.values()) >= 15 * scale()


HOSTS = {
    "windows-firewall": (
        "target: windows-firewall, settings: {}",
        ("windows-account", "windows-service", "windows-program"),
    ),
    "iptables": ("target: iptables, settings: {mode: host}", ("linux-user", "linux-cgroup")),
}


@pytest.mark.property
@pytest.mark.parametrize("name", HOSTS)
def test_what_a_host_does_with_an_account_holds_for_each_of_its_processes(name, capsys):
    """An account is a set of processes: what is said of it was announced for every one."""
    firewall, kinds = HOSTS[name]
    counts = Counter()
    for number in range(seed(), seed() + CASES * scale()):
        rng = random.Random(number)
        case = random_case(rng, lambda _: firewall)
        if not case.tags_known and "service-tag" in case.policy:
            continue
        for build in compiled(case) or ():
            site = build.site
            accounts = {
                each.name: each for rule in site.rules if isinstance(rule.accounts, tuple) for each in rule.accounts
            }
            enforcement = Enforcement(site, build.target, build.lowering, tuple(accounts.values()))
            (group,) = site.groups
            for each in boundary_flows(site, rng, 40, kinds):
                flow = replace(each, shared=None)
                address = ip_address(flow.address)
                if flow.group != group.name or address.is_multicast or address.is_loopback or not flow.accounts:
                    continue
                if not counts_inside(build, flow, TAGS):
                    continue
                want = announced(build, flow, TAGS)
                for account in sorted(flow.accounts):
                    question, sender = question_of(flow, accounts)
                    who = replace(question.who, account=account)
                    here = enforcement.decide(replace(question, who=who), sender)
                    counts[here.verdict.value] += 1
                    if here.verdict is Ruled.UNKNOWN or want is None:
                        continue
                    assert here.verdict.value == want, f"seed {number}: {flow} as {account}\n{here}\n{case.text}"
                    counts["compared"] += 1
    with capsys.disabled():
        print(f"\n{name}: {dict(counts)}")
    assert counts["compared"] >= 80 * scale()
    assert min(counts["allow"], counts["deny"]) >= 20 * scale()
