"""Random policies for groups behind a proxy: each firewall lets through the policy's part in the bypass, and the proxy.

What is to be let through is worked out flow by flow from the policy and the items of the bypass, by the book (inventory.md);
the texts of the artefacts are judged by the evaluator of each target.
"""

from __future__ import annotations

import random
import re
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import pytest
import test_evaluators_azure
import test_evaluators_iptables
import test_evaluators_paloalto
import test_evaluators_windows
from policy_verdict import endpoint_holds, inspection, rule_holds, verdict
from random_cases import TAGS, boundary_flows, compiled, random_case, scale, seed
from random_texts import TAGS_FILE
from support import AS_OF, write_project

from egressc.api import load
from egressc.bind import bind_everything, prepare
from egressc.policy import AnyAddressEndpoint, HostEndpoint

MODULES = {
    "paloalto": test_evaluators_paloalto,
    "azure-firewall": test_evaluators_azure,
    "iptables": test_evaluators_iptables,
    "windows-firewall": test_evaluators_windows,
}
CASES = 150
PROXIES = (("10.1.1.5", 8080), ("10.1.1.5", 3128), ("192.0.2.77", 8080))
PROXIES_V6 = (("2001:db8:77::5", 8080), ("fd00::5", 3128))
SETS = "of-set-"


@dataclass(frozen=True)
class Proxied:
    """A group's proxy, as the inventory of a case has it."""

    address: str
    port: int
    bypass: tuple[str, ...]


def proxied(case, rng):
    """The case with proxies for some of its groups, and these by the name of the group."""
    sets = re.findall(r"^endpoints (\S+)", case.policy, re.MULTILINE)
    rules = re.findall(r"\ballow (\S+)", case.policy)
    items = [*sets, *sets, *(f"*/{name}" for name in rules), "*"]
    proxies = {}
    text = case.inventory
    for group in "abce":
        if rng.random() < 0.7:
            some = tuple(dict.fromkeys(rng.choice(items) for _ in range(rng.choice((0, 1, 1, 2)))))
            found = proxies[group] = Proxied(*rng.choice(PROXIES_V6 if group == "c" else PROXIES), some)
            bypass = ", ".join(f"'{item}'" for item in found.bypass)
            entry = f'proxy: {{address: "{found.address}", port: {found.port}, bypass: [{bypass}]}}, '
            text = text.replace(f"  {group}: {{", f"  {group}: {{{entry}")
    return replace(case, inventory=text), proxies


class Reference:
    """What the firewall is to do with a flow: no code of the compiler's cuts, nor of its flow sets."""

    def __init__(self, case, proxies):
        # A set is known by a rule that names nothing else.
        sets = sorted({item for each in proxies.values() for item in each.bypass if "*" not in item})
        more = [f'allow {SETS}{name} "S" {{ to {name} ports any/tcp any/udp }}' for name in sets]
        text = f'{case.policy}\npolicy sets "Sets" {{ from any-group {" ".join(more)} }}\n' if more else case.policy
        with tempfile.TemporaryDirectory() as folder:
            write_project(folder, text, case.inventory, tags__json=TAGS_FILE)
            loaded = load((folder,))
        site = bind_everything(prepare(loaded.policy, loaded.inventory, AS_OF)[0])
        self.held = [rule for rule in site.rules if SETS in rule.identity]
        self.rules = tuple(rule for rule in site.rules if SETS not in rule.identity)
        self.site = replace(site, rules=self.rules)
        self.proxies = proxies

    def decides(self, flow):
        rules = [rule for rule in self.rules if rule_holds(rule, flow, TAGS)]
        if any(rule.is_deny for rule in rules):
            return "deny"
        proxy = self.proxies.get(flow.group)
        if proxy is None:
            return "allow" if rules else None
        return "allow" if self.to_proxy(flow) or any(self.is_direct(rule, flow, proxy) for rule in rules) else None

    def to_proxy(self, flow):
        proxy = self.proxies[flow.group]
        has_allows = any(not r.is_deny and any(g.name == flow.group for g in r.groups) for r in self.rules)
        return has_allows and (flow.address, flow.port, flow.transport) == (proxy.address, proxy.port, "tcp")

    def is_direct(self, rule, flow, proxy):
        if any("*" in item and fnmatchcase(rule.identity, item) for item in proxy.bypass):
            return True
        mine = [e for e in rule.endpoints if endpoint_holds(e, flow, TAGS)]
        for held in self.held:
            if held.identity.partition(SETS)[2] in proxy.bypass and any(g.name == flow.group for g in held.groups):
                others = [e for e in held.endpoints if endpoint_holds(e, flow, TAGS)]
                if any(is_comparable(one, other) for one in mine for other in others):
                    return True
        return False

    def is_of_one_kind(self, flow):
        """True if all rules that match name it alike: by its name, or by its address."""
        kinds = {
            isinstance(e, HostEndpoint)
            for rule in self.rules
            if rule_holds(rule, flow, TAGS)
            for e in rule.endpoints
            if endpoint_holds(e, flow, TAGS) and not isinstance(e, AnyAddressEndpoint)
        }
        return len(kinds) < 2


def is_comparable(one, other):
    """Names are compared with names, addresses with addresses, and any-address with everything."""
    kinds = {isinstance(one, HostEndpoint), isinstance(other, HostEndpoint)}
    return len(kinds) == 1 or any(isinstance(each, AnyAddressEndpoint) for each in (one, other))


@pytest.mark.property
@pytest.mark.parametrize("target", MODULES)
def test_the_artefact_lets_through_the_bypass_and_the_proxy(target, capsys):
    module = MODULES[target]
    counts = Counter()
    for number in range(seed(), seed() + CASES * scale()):
        rng = random.Random(number)
        plain = random_case(rng, module.firewall)
        case, proxies = proxied(plain, rng)
        builds = compiled(case)
        if builds is None:
            counts["refused"] += 1
            continue
        reference = Reference(plain, proxies)
        for build in builds:
            where = f"seed {number}: {build.site.name}\n{case.text}"
            counts["artefacts"] += 1
            governed = {group.name for group in build.site.groups}
            # The site is what the bypass and the proxy make of the policy ...
            for flow in (*boundary_flows(reference.site, rng, 30), *boundary_flows(build.site, rng, 15)):
                if flow.group in governed:
                    want = reference.decides(flow)
                    assert verdict(build.site, flow, TAGS) == want, f"{flow} {want}\n{where}"
                    # What goes past the proxy is inspected as the policy says, whichever rule says so.
                    past = want == "allow" and not (flow.group in proxies and reference.to_proxy(flow))
                    if past and reference.is_of_one_kind(flow):
                        wanted = inspection(reference.site, flow, TAGS)
                        assert inspection(build.site, flow, TAGS) == wanted, f"{flow} {wanted}\n{where}"
                        counts[f"inspection: {wanted}"] += 1
                    counts["allowed"] += want == "allow"
                    counts["through the proxy"] += want is None and verdict(reference.site, flow, TAGS) == "allow"
                    counts["to the proxy"] += flow.group in proxies and want == "allow" and reference.to_proxy(flow)
            # ... and the text of the artefact is what was announced of the site.
            for flow, problem, _ in module.judged(build, rng, counts):
                assert not problem, f"{problem}: {flow}\n{where}"
                counts["judged"] += 1
    with capsys.disabled():
        print(f"\n{target}: {dict(counts)}")
    assert counts["artefacts"] >= 30 * scale()
    assert min(counts["allowed"], counts["through the proxy"]) >= 100 * scale()
    assert counts["to the proxy"] >= 30 * scale()
    assert counts["judged"] >= 500 * scale()
