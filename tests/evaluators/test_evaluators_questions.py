"""`explain` and policy tests against the policy's evaluator: random policies, random questions.

Single flows are asked as a user writes them. Questions that leave something open are compared with many flows inside of
them, and each flow that the answer shows is looked at.
"""

from __future__ import annotations

import ipaddress
import random
import tempfile
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest
from policy_verdict import Flow, inspection, matching, verdict, within
from random_cases import TAGS, TAGS_FILE, boundary_flows, random_case, scale, seed
from support import AS_OF, write_project

from egressc.addresses import ALL
from egressc.api import load
from egressc.bind import bind_everything, prepare
from egressc.diagnostics import has_errors
from egressc.flows import Choice
from egressc.policy_tests import Result
from egressc.policy_tests_load import load_test
from egressc.policy_tests_run import Subject, run
from egressc.question import Question, readable
from egressc.question_answer import Verdict, decide, deciding, inspections
from egressc.question_explanation import answer
from egressc.question_open import left_open
from egressc.question_who import Parties
from egressc.question_words import parse_to, with_address
from egressc.source import Source

BLOCKS = range(4)
CASES = 90


def subjects(block):
    """Random policies without errors, each with its generator, and whether its service tags are known."""
    start = seed() + block * 1_000_003
    for number in range(start, start + CASES * scale()):
        rng = random.Random(number)
        case = random_case(rng, lambda _: "target: iptables, settings: {mode: gateway}")
        with tempfile.TemporaryDirectory() as folder:
            write_project(folder, case.policy, case.inventory, tags__json=TAGS_FILE)
            loaded = load((folder,))
        if has_errors(loaded.diagnostics):
            continue
        prepared, problems = prepare(loaded.policy, loaded.inventory, AS_OF)
        if has_errors(problems):
            continue
        whole = bind_everything(prepared)
        if whole.rules:
            yield SimpleNamespace(
                number=number, rng=rng, case=case, prepared=prepared, whole=whole, parties=Parties(prepared, whole)
            )


def written(flow):
    """The destination of a flow as TO, its path always given."""
    if flow.host is None:
        place = f"[{flow.address}]" if ":" in flow.address else flow.address
        return f"{place}:{flow.port}/{flow.transport}"
    if flow.transport == "udp":
        return f"{flow.host}:{flow.port}/udp"
    return f"https://{flow.host}:{flow.port}{flow.path or '/'}"


def asked(subject, flow):
    """The question about one flow: what is not known of it is left to ``answer``."""
    (account,) = flow.accounts or (None,)
    who = subject.parties.parse(f"{flow.group}:{account}" if account else flow.group)
    to = parse_to(written(flow))
    if flow.host is not None:
        to = with_address(to, flow.address)
    question = Question.of(who, to)
    if account is None:  # a process of no account: WHO cannot say it
        question = question.of_accounts(Choice(frozenset(subject.prepared.accounts), True))
    return question


def is_plain(flow):
    """True if a flow can be asked about: a group sends it, to an address of which policies speak."""
    address = ipaddress.ip_address(flow.address)
    return flow.group is not None and not (address.is_multicast or address.is_loopback)


def said(site, flow):
    """The policy's own word, from the evaluator."""
    return "allow" if verdict(site, flow, TAGS) == "allow" else "deny"


@pytest.mark.property
@pytest.mark.parametrize("block", BLOCKS)
def test_one_flow_is_answered_as_the_evaluator_does(block, capsys):
    counts = Counter()
    for subject in subjects(block):
        site = subject.whole
        for flow in boundary_flows(site, subject.rng, 30):
            if not is_plain(flow):
                continue
            question = asked(subject, flow)
            some = question.boxes()
            assert some, f"seed {subject.number}: {flow}\n{subject.case.text}"
            found = decide(site.index, some)
            where = f"seed {subject.number}: {flow}\n{found.verdict}\n{subject.case.text}"
            counts[found.verdict.value] += 1
            if found.verdict is Verdict.UNKNOWN:
                assert not subject.case.tags_known, where
                assert "service-tag" in subject.case.policy, where
                continue
            assert found.verdict.value == said(site, flow), where
            right = matching(site, flow, TAGS)
            if subject.case.tags_known:
                assert set(found.matching) == set(right), where
                wanted = [rule for rule in right if rule.is_deny] or right
                assert set(found.deciding) == set(wanted), where
                assert (found.by_default is not None) is (not right), where
                shown = found.allowed or found.denied
                assert set(deciding(site.index, shown, found)) == set(wanted), where
            if found.verdict is Verdict.ALLOW:
                demands = {rule.rule.inspection.value for rule in right}
                if {"must", "must-not"} <= demands:
                    continue  # an error of the policy, which `check` names
                only = inspections(site.index, some, found).only
                if subject.case.tags_known:
                    assert only.value == inspection(site, flow, TAGS), where
                    counts[only.value] += 1
    with capsys.disabled():
        print(f"\n{dict(counts)}")
    assert min(counts[each] for each in ("allow", "deny", "may", "must-not")) >= 15 * scale()


def opened(question, rng):
    """A question with something left open, and which flows it then stands for."""
    kind = rng.choice(("account", "address", "path", "all"))
    to = question.to
    if kind in {"account", "all"}:
        question = replace(question.of_accounts(Choice(frozenset(), True)), who=replace(question.who, account=None))
    if kind in {"address", "all"} and to.pattern is not None:
        to = replace(to, addresses=ALL)
    if kind in {"path", "all"} and to.pattern is not None:
        to = replace(to, path=None)
    return replace(question, to=to)


def is_in(question, flow):
    """True if a flow is one of those that a question stands for."""
    to = question.to
    if flow.group not in {sender.group for sender in question.who.senders}:
        return False
    (account,) = flow.accounts or (None,)
    if (account in question.accounts.names) is question.accounts.negated:
        return False
    if not any(first <= flow.port <= last for first, last in to.ports.transport(flow.transport)):
        return False
    if to.addresses is not ALL and not within(to.addresses, flow.address):
        return False
    if to.pattern is None:
        return flow.host is None
    return flow.host == to.pattern.text and (to.path is None or (flow.path or "/").rstrip("/") == to.path.rstrip("/"))


def evaluated(flow, index):
    """An example of the algebra as a flow of the evaluator's."""
    address = flow.address
    if address is None:
        free = index.allows.unnamed.intersection(index.denies.unnamed)
        family = flow.family or (4 if free.v4 else 6)
        address = (
            free.family(family).first()
            if not free.family(family).is_empty
            else ("8.8.8.8" if family == 4 else "2600::1")
        )
    accounts = frozenset(() if flow.account is None else (flow.account,))
    return Flow(flow.group, "", accounts, flow.host, flow.path, address, None, flow.transport, flow.port)


@pytest.mark.property
@pytest.mark.parametrize("block", BLOCKS)
def test_open_questions_hold_for_all_or_say_what_they_depend_on(block, capsys):
    counts = Counter()
    for subject in subjects(block):
        if not subject.case.tags_known:
            continue
        site, rng = subject.whole, subject.rng
        flows = [flow for flow in boundary_flows(site, rng, 60) if is_plain(flow)]
        # What differs in one thing from a flow that is asked about lies in the open question beside it.
        for flow in flows[:20]:
            question = opened(asked(subject, flow), rng)
            found = decide(site.index, question.boxes())
            near = [
                replace(flow, address=other.address, accounts=accounts, path=path)
                for other in flows
                if (":" in other.address) is (":" in flow.address)
                for accounts in {flow.accounts, other.accounts}
                for path in {flow.path, other.path if flow.transport == "tcp" else None}
            ]
            inside = [each for each in (*flows, *near) if is_in(question, each)]
            assert inside
            where = f"seed {subject.number}: {question}\n{found}\n{subject.case.text}"
            counts[found.verdict.value] += 1
            verdicts = {said(site, each) for each in inside}
            if found.verdict is not Verdict.UNKNOWN:
                assert verdicts == {found.verdict.value}, where
            for shown, word in ((found.allowed, "allow"), (found.denied, "deny"), (found.by_default, "deny")):
                if shown is not None:
                    assert said(site, evaluated(readable(shown), site.index)) == word, where
            if found.verdict is Verdict.UNKNOWN:
                reasons = left_open(site.index, question, found.matching)
                assert reasons, where
                assert all(len(each.cases) > 1 for each in reasons), where
    with capsys.disabled():
        print(f"\n{dict(counts)}")
    assert min(counts[each.value] for each in Verdict) >= 15 * scale()


@pytest.mark.property
@pytest.mark.parametrize("block", BLOCKS)
def test_expectations_hold_as_the_evaluator_says(block):
    counts = Counter()
    for subject in subjects(block):
        if not subject.case.tags_known:
            continue
        under_test = Subject(subject.prepared, subject.whole)
        for flow in boundary_flows(subject.whole, subject.rng, 12):
            if not is_plain(flow) or not flow.accounts:
                continue
            (account,) = flow.accounts
            at = "" if flow.host is None else f", at: '{flow.address}'"
            item = f"{{from: {flow.group}, as: {account}, to: '{written(flow)}'{at}}}"
            text = f"policy: p.egress\nallows:\n  - {item}\ndenies:\n  - {item}\n"
            test, problems = load_test(Source.of("p.test.yaml", text))
            assert not problems, text
            results = [run(under_test, each).result for each in test.expectations]
            allowed = said(subject.whole, flow) == "allow"
            wanted = [Result.PASSED, Result.FAILED] if allowed else [Result.FAILED, Result.PASSED]
            assert results == wanted, f"seed {subject.number}: {text}\n{subject.case.text}"
            counts[allowed] += 1
    assert min(counts[True], counts[False]) >= 15 * scale()


@pytest.mark.property
def test_a_near_miss_misses(capsys):
    counts = Counter()
    for subject in subjects(0):
        site = subject.whole
        for flow in boundary_flows(site, subject.rng, 10):
            if not is_plain(flow) or not subject.case.tags_known or not flow.accounts:
                continue
            question = asked(subject, flow)
            found = answer(subject.prepared, site, question.who, question.to)
            keys = {(rule.rule.identity, rule.part) for rule in matching(site, flow, TAGS)}
            for miss in found.near:
                counts[miss.what] += 1
                assert (miss.rule.identity, miss.part) not in keys, (
                    f"seed {subject.number}: {miss}\n{flow}\n{subject.case.text}"
                )
    with capsys.disabled():
        print(f"\n{dict(counts)}")
    assert set(counts) >= {"port", "account", "group", "address", "host"}
