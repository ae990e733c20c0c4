"""Random policies on Azure Firewall: the text of the template, the policy, and the report, flow by flow."""

from __future__ import annotations

import random
import sys
from collections import Counter

import pytest
from announced import announced, counts_inside, disagreement, handled, is_exact, reported
from azure_text import Policy
from policy_verdict import inspection, is_described, matching, verdict
from random_cases import TAGS, boundary_flows, compiled, random_case, scale, seed

from egressc.policy import Inspection
from egressc.reasons import Reason

BLOCKS = 10
CASES = 190
FLOWS = 30


def firewall(rng):
    tier = rng.choice(("Basic", "Standard", "Standard", "Premium", "Premium", "Premium"))
    settings = ["policy: p1", "location: westeurope", f"tier: {tier}"]
    if tier != "Basic":
        settings.append(f"dns-proxy: {rng.choice(('true', 'true', 'false'))}")
    if tier == "Premium" and rng.random() < 0.8:
        settings.append(
            "certificate-authority: {name: ca, key-vault-secret-id: 'https://kv.vault.azure.net/secrets/x'}"
        )
        settings.append(f"tls-inspection: {rng.choice(('true', 'true', 'false'))}")
    settings.append(f"ip-groups: {rng.choice(('true', 'false'))}")
    settings.append(f"default-deny: {rng.choice(('true', 'true', 'true', 'false'))}")
    return f"target: azure-firewall, settings: {{{', '.join(settings)}}}"


def template_of(build):
    return next(artefact.content.decode() for artefact in build.render() if artefact.name == "template.json")


def decided(build, flow, found):
    """What the artefact decides, where nothing matches the firewall's own deny: as much as a closing deny needs."""
    want = announced(build, flow, TAGS)
    if ":" in flow.address and "allow" not in (want, found and found.action):
        return want  # no IPv6 passes the firewall, so nothing needs to deny it (azure-ipv6)
    if found is not None:
        return found.action
    return "deny" if want == "deny" and build.site.closing_deny else None


def tls_problem(build, flow, found):
    """What is wrong with the inspection of a TLS flow that policy and artefact allow."""
    want = handled(build, flow, TAGS)
    if (want == "exempt" and found.terminates) or (want == "inspect" and not found.terminates):
        return f"terminates TLS: {found.terminates}, announced was {want}"
    if found.terminates and not build.lowering.inspects:
        return "it terminates TLS, and was not to inspect at all"
    wanted = inspection(build.site, flow, TAGS)
    rules = [rule for rule in matching(build.site, flow, TAGS) if not rule.is_deny]
    for word, setting, wrong in (
        ("must-not", Inspection.MUST_NOT, found.terminates),
        ("must", Inspection.MUST, not found.terminates and build.lowering.inspects),
    ):
        lost = [rule for rule in rules if rule.rule.inspection is setting]
        if wanted == word and wrong and not any(reported(build, r.identity, Reason.TLS_UNENFORCED) for r in lost):
            return f"it {word} be inspected, is {'' if found.terminates else 'not'}, and nothing says so"
    return ""


def report(case, flow, problem):
    return f"{problem}\n{flow}\n{case.text}"


@pytest.mark.parametrize("block", range(BLOCKS))
def test_text_policy_and_report_agree(block):
    start = seed() + block * 1_000_003
    counts = Counter()
    for number in range(CASES * scale()):
        rng = random.Random(start + number)
        case = random_case(rng, firewall)
        builds = compiled(case)
        if builds is None:
            counts["refused"] += 1
            continue
        (build,) = builds
        counts["policies"] += 1
        exact = is_exact(build)
        counts["exact"] += exact
        policy = Policy(template_of(build), tags=TAGS)
        for flow in boundary_flows(build.site, rng, FLOWS):
            if not is_described(build.site, flow) or not counts_inside(build, flow, TAGS):
                counts["not compared"] += 1
                continue
            matched = policy.decide(flow)
            found = decided(build, flow, matched)
            said = verdict(build.site, flow, TAGS)
            problem = disagreement(build, flow, TAGS, found, exact=exact)
            is_tls = flow.shows == "tls" and ":" not in flow.address
            if not problem and found == "allow" and said == "allow" and is_tls:
                problem = tls_problem(build, flow, matched)
                counts["terminated" if matched.terminates else "not terminated"] += 1
            assert not problem, report(case, flow, f"seed {start + number}: {problem} ({matched})")
            counts[found or "undecided"] += 1
            counts["verdicts"] += 1
            counts["wider" if found == "allow" else "narrower"] += (found == "allow") is not (said == "allow")
    print(f"seed {start}: {dict(counts)}", file=sys.stderr)
    assert counts["policies"] >= 110 * scale()
    assert counts["verdicts"] >= 2200 * scale()
