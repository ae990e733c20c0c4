"""Random policies, inventories and flows as real connections: kernel, policy, evaluator of the text, and reader agree."""

import random
import sys
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from lab_net import write_artefact
from lab_triples import SERVER, SLICE, place

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "evaluators"))
from iptables_rulings import decided, decided_handling, seen
from iptables_text import Firewall
from policy_verdict import Flow, within
from random_cases import OBJECTS, Case, boundary_flows, compiled, random_case, seed
from test_evaluators_iptables import PROCESS, is_flow, problem_of

from egressc.drift import drift
from egressc.targets.iptables import TARGET
from egressc.targets.protocol import Artefact

FLOWS = 90
POLICIES = 7
TRIES = 600
ENOUGH = {"connections": 300, "allow": 60, "deny": 60, "left": 20, "inspect": 20, "exempt": 10,
          "udp": 5}  # fmt: skip
"""How many of each there must be in each mode (``udp``: of those allowed): the two modes of a variant make more than 500 connections."""

UNREACHABLE = tuple(map(ip_network, ("0.0.0.0/8", "224.0.0.0/3", "fe80::/10", "ff00::/8", "::/8")))
ELSEWHERE = tuple(map(ip_network, ("198.18.0.0/24", "2001:db8:aaaa::/112")))
FRESH = {4: "198.18.{}.{}", 6: "2001:db8:aaaa::{}:{}"}


def firewall(mode):
    def entry(rng):
        settings = [f"mode: {mode}", f"dnsmasq: {{servers: [{SERVER}]}}"]
        settings += ["interface: lan0"] if mode == "gateway" and rng.random() < 0.5 else []
        settings += ["tls-proxy-port: 3129"] if rng.random() < 0.7 else []
        settings += ["default-deny: false"] if rng.random() < 0.25 else []
        return f"target: iptables, settings: {{{', '.join(settings)}}}"

    return entry


def lab_case(rng, mode):
    """A case whose accounts are on this machine, and whose rules do not end before the lab runs."""
    case = random_case(rng, firewall(mode))
    policy = case.policy.replace("linux-user one", "linux-user 61001").replace("linux-user two", "linux-user 61002")
    policy = policy.replace("three.slice", SLICE)
    for day in ("2027-01-31", "2026-11-22"):
        policy = policy.replace(f"expires {day}", "expires 2037-01-31")
    return replace(case, policy=policy)


def lab_flows(build, rng):
    """Flows that can be connections, all with one address of the same names: what is learned for one holds for all."""
    is_host = build.site.settings.mode == "host"
    taken, found = {}, []
    for number, flow in enumerate(boundary_flows(build.site, rng, FLOWS, PROCESS if is_host else ())):
        address = ip_address(flow.address)
        # A host is of its group: nothing passes through it.
        if (is_host and flow.group is None) or not is_flow(flow) or any(address in net for net in UNREACHABLE):
            continue
        if any(address in net for net in ELSEWHERE):
            flow = replace(flow, address=FRESH[address.version].format(1 + number // 250, 1 + number % 250))  # noqa: PLW2901
        names = frozenset({flow.host, flow.shared} - {None})
        if taken.setdefault(flow.address, names) == names:
            found.append(flow)
    sources = set() if is_host else {flow.source for flow in found}
    return [flow for flow in found if flow.address not in sources]


def resolves(machine):
    """True if the resolver itself may ask its server."""
    process = (("linux-user", "dnsmasq"),)
    asks = Flow(None, "100.80.0.10", frozenset(), None, None, SERVER, None, "udp", 53, process=process)
    return machine.travel(asks).verdict != "deny" or machine.boxes[4].where == "gateway"


def answer(verdict, handling):
    """What becomes of a connection: ``"allow"``, ``"deny"``, ``"left"``, ``"inspect"``."""
    return "inspect" if verdict != "deny" and handling == "inspect" else verdict or "left"


def read_answer(meaning, build, flow):
    """What the target's own reader says becomes of a flow."""
    like = seen(flow, build.site)
    ruling = decided(meaning.rulings, like)
    assert ruling is None or not ruling.doubt, ruling
    verdict = None if ruling is None or ruling.outcome.value == "left" else ruling.outcome.value
    # What is inspected of a name inside the house, where no rule names the address, is nobody's question.
    asked = flow.transport == "tcp" and (verdict is not None or not within(build.site.internal, flow.address))
    handling = decided_handling(meaning.inspections, like) if asked else None
    return answer(verdict, handling), handling


@dataclass
class Trial:
    """One random policy with its artefact and its flows, and what the text of the artefact says becomes of each."""

    number: int
    case: Case
    build: Any
    artefacts: list
    machine: Firewall
    flows: list
    counts: Counter

    @property
    def text(self):
        return f"seed {self.number}\n{self.case.text}"


def trial(number, mode):
    """What this seed gives; ``None`` if the lab cannot do with it."""
    rng = random.Random(number)
    case = lab_case(rng, mode)
    builds = compiled(case)
    if not builds:
        return None
    build = rng.choice(builds)
    artefacts = build.render()
    files = {each.name: each.content.decode() for each in artefacts}
    machine = Firewall(files, objects=OBJECTS, clock=datetime.now(UTC).replace(tzinfo=None))
    flows = lab_flows(build, rng)
    if len(flows) < 20 or not resolves(machine):
        return None
    counts = Counter(connections=len(flows))
    for flow in flows:
        journey = machine.travel(flow)
        found = answer(journey.verdict, journey.handling)
        counts["udp"] += found == "allow" and flow.transport == "udp"
        counts[found] += 1
        counts["exempt"] += found == "allow" and journey.handling == "exempt"
    return Trial(number, case, build, artefacts, machine, flows, counts)


def trials(mode):
    """Some random policies, and more of those that have what the first ones lack."""
    total, policies = Counter(), 0
    for number in range(seed(), seed() + TRIES):
        lacking = [name for name, least in ENOUGH.items() if total[name] < least]
        if policies >= POLICIES and not lacking:
            return
        found = trial(number, mode)
        if found is not None and (policies < POLICIES or any(found.counts[name] for name in lacking)):
            policies += 1
            total += found.counts
            yield found


def connect(there, trial, folder):
    """Let the flows of a trial be connections; the kernel, the text, the policy and the reader must agree on each."""
    files = {each.name: each.content for each in trial.artefacts}
    there.forget()
    there.apply(write_artefact(folder / f"artefact-{trial.number}", files))
    there.teach(trial.flows)
    meaning = TARGET.read(trial.build.site, trial.artefacts)
    for flow, found in zip(trial.flows, there.dial(trial.flows), strict=True):
        journey = trial.machine.travel(flow)
        expected = answer(journey.verdict, journey.handling)
        assert found == expected, f"the kernel: {found}, the text: {expected}: {flow}; {trial.text}"
        problem = problem_of(trial.build, flow, trial.machine)
        assert not problem, f"{problem}: {flow}; {trial.text}"
        by_reader, handling = read_answer(meaning, trial.build, flow)
        assert by_reader == found, f"the kernel: {found}, the reader: {by_reader}: {flow}; {trial.text}"
        yield "connections"
        yield found
        if found == "allow" and handling == journey.handling == "exempt":
            yield "exempt"
        if found == "allow" and flow.transport == "udp":
            yield "udp"


def difference(there, trial):
    """What `verify` finds in what the machine holds."""
    live = [Artefact(name, text.encode()) for name, text in there.saved().items()]
    return drift(trial.build.site, TARGET, trial.build.lowering, live)


@pytest.mark.parametrize("mode", ["host", "gateway"])
def test_the_kernel_does_what_the_policy_says(mode, backend, tmp_path, capsys):
    counts, seeds = Counter(), []
    objects = {name: networks for name, networks in OBJECTS.items() if " " not in name}
    with place(tmp_path, backend, mode, objects) as there:
        for trial in trials(mode):
            seeds.append(trial.number)
            counts.update(connect(there, trial, tmp_path))
            found = difference(there, trial)
            assert found.is_equal, f"{found}; {trial.text}"
    with capsys.disabled():
        print(f"\n{backend} {mode}, seeds {seeds}: {dict(counts)}")
    assert all(counts[name] >= least for name, least in ENOUGH.items()), counts
