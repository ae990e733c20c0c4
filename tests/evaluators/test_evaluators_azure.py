"""Random policies on Azure Firewall: the text of the template, the policy, and the report, flow by flow."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from announced import announced, counts_inside, disagreement, handled, is_exact, reported
from azure_text import Decision, Policy, fqdn_matches, supported, url_matches
from loop import agree, is_seen, same_form
from policy_verdict import Flow, inspection, is_described, matching, verdict
from random_cases import TAGS, boundary_flows

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


def problem_of(build, flow, policy):
    """What is wrong with what a policy of the firewall does with a flow, and what decides it."""
    matched = policy.decide(flow)
    found = decided(build, flow, matched)
    problem = disagreement(build, flow, TAGS, found, exact=is_exact(build))
    is_tls = flow.shows == "tls" and ":" not in flow.address
    if not problem and found == "allow" and verdict(build.site, flow, TAGS) == "allow" and is_tls:
        problem = tls_problem(build, flow, matched)
    return problem, found, matched


def flows_of(build, rng):
    for flow in boundary_flows(build.site, rng, FLOWS):
        if is_described(build.site, flow) and counts_inside(build, flow, TAGS):
            yield flow


def judged(build, rng, counts):
    policy = Policy(template_of(build), tags=TAGS)
    for flow in flows_of(build, rng):
        problem, found, matched = problem_of(build, flow, policy)
        counts["terminated"] += matched is not None and matched.terminates
        yield flow, problem and f"{problem} ({matched})", found


@pytest.mark.parametrize("block", range(BLOCKS))
def test_text_policy_and_report_agree(block, capsys):
    agree(block, capsys, firewall, judged, CASES)


def rules_of(template):
    for group in template["resources"]:
        for collection in group["properties"].get("ruleCollections", ()):
            for rule in collection["rules"]:
                yield collection, rule


def each_rule(change, kind=None):
    """A change of every rule (of one kind) of a template."""

    def changed(text):
        template = json.loads(text)
        for collection, rule in rules_of(template):
            if kind in {None, rule["ruleType"]}:
                change(collection, rule)
        return json.dumps(template)

    return changed


def entries(key, change):
    """A change of what is listed under a key."""

    def changed(_, rule):
        if key in rule:
            rule[key] = change(rule[key])

    return each_rule(changed)


def priorities(change, *, collections):
    def changed(text):
        template = json.loads(text)
        for group in template["resources"]:
            inner = group["properties"].get("ruleCollections", ())
            for each in inner if collections else [group["properties"]] if inner else ():
                each["priority"] = change(each["priority"])
        return json.dumps(template)

    return changed


def set_field(key, value, kind=None):
    return each_rule(lambda _, rule: rule.update({key: value}), kind)


def protocol(**changed):
    return entries("protocols", lambda found: [{**each, **changed} for each in found])


def collection_action(old, new):
    def change(collection, _):
        if collection["action"]["type"] == old:
            collection["action"]["type"] = new

    return each_rule(change)


def without_rule(at):
    def changed(text):
        template = json.loads(text)
        for group in template["resources"]:
            for collection in group["properties"].get("ruleCollections", ()):
                del collection["rules"][at]
        return json.dumps(template)

    return changed


BREAKAGES = {
    "a wildcard without its dot": lambda text: text.replace('"*.', '"*'),
    "a wildcard lost": lambda text: text.replace('"*.', '"'),
    "a name that became a wildcard": entries("targetFqdns", lambda found: [f"*.{t.lstrip('*.')}" for t in found]),
    "a name lost": entries("targetFqdns", lambda found: found[1:]),
    "all names": entries("targetFqdns", lambda _: ["*"]),
    "no names": entries("targetFqdns", lambda _: []),
    "a resolved name lost": entries("destinationFqdns", lambda found: found[1:]),
    "another resolved name": entries("destinationFqdns", lambda found: [f"q.{text}" for text in found]),
    "URLs of the path alone": entries("targetUrls", lambda found: [text for text in found if text[-1] != "*"]),
    "URLs below the path alone": entries("targetUrls", lambda found: [text for text in found if text[-1] == "*"]),
    "the host for URLs": each_rule(
        lambda _, rule: rule.update(
            targetFqdns=[t.partition("/")[0] for t in rule.get("targetUrls", ())] or rule.get("targetFqdns", [])
        )
    ),
    "any source": each_rule(lambda _, rule: (rule.pop("sourceIpGroups", None), rule.update(sourceAddresses=["*"]))),
    "a source lost": entries("sourceAddresses", lambda found: found[1:]),
    "an IP group lost": entries("sourceIpGroups", lambda found: found[1:]),
    "any destination": entries("destinationAddresses", lambda _: ["*"]),
    "a destination lost": entries("destinationAddresses", lambda found: found[1:]),
    "another destination": entries(
        "destinationAddresses", lambda found: [t.replace("192.0.2.0/24", "192.0.0.0/16") for t in found]
    ),
    "any port": entries("destinationPorts", lambda _: ["*"]),
    "the first port of a range": entries("destinationPorts", lambda found: [t.partition("-")[0] for t in found]),
    "any protocol": entries("ipProtocols", lambda _: ["Any"]),
    "TCP": entries("ipProtocols", lambda _: ["TCP"]),
    "the next port": protocol(port=444),
    "HTTP": protocol(protocolType="Http"),
    "a port lost": entries("protocols", lambda found: found[1:]),
    "allowed": collection_action("Deny", "Allow"),
    "denied": collection_action("Allow", "Deny"),
    "groups the other way round": priorities(lambda p: 65000 - p, collections=False),
    "collections the other way round": priorities(lambda p: 65000 - p, collections=True),
    "the first rules lost": without_rule(0),
    "the last rules lost": without_rule(-1),
    "terminated": set_field("terminateTLS", True, "ApplicationRule"),
    "not terminated": set_field("terminateTLS", False, "ApplicationRule"),
}


def problems(build, rng, text):
    policy = Policy(text, tags=TAGS)
    for flow in flows_of(build, rng):
        yield flow, problem_of(build, flow, policy)[0]


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_is_broken_is_seen(name):
    assert is_seen(firewall, same_form(BREAKAGES[name]), template_of, problems)


@pytest.mark.parametrize(
    ("rule", "matching_urls", "others"),
    [
        # firewall-faq.yml, "How do wildcards work in target URLs and target FQDNs in application rules?": TargetURL
        ("www.contoso.com", ("www.contoso.com", "www.contoso.com/"), ("www.contoso.com/test", "contoso.com")),
        ("*.contoso.com", ("any.contoso.com/", "sub1.any.contoso.com"), ("contoso.com",)),
        (
            "*contoso.com",
            ("example.anycontoso.com", "sub1.example.contoso.com", "contoso.com", "th3re4lcontoso.com"),
            ("contoso.com.example",),
        ),
        (
            "www.contoso.com/test",
            ("www.contoso.com/test", "www.contoso.com/test/", "www.contoso.com/test?with_query=1"),
            ("www.contoso.com/test/anything", "www.contoso.com/testing"),
        ),
        ("www.contoso.com/test/*", ("www.contoso.com/test/anything",), ("www.contoso.com/test",)),
    ],
)
def test_microsofts_table_of_target_urls(rule, matching_urls, others):
    assert all(url_matches(rule, url) for url in matching_urls)
    assert not any(url_matches(rule, url) for url in others)


@pytest.mark.parametrize(
    ("rule", "hosts", "others"),
    [
        # The same table: TargetFQDN
        ("www.contoso.com", ("www.contoso.com",), ("contoso.com", "a.www.contoso.com")),
        ("*.contoso.com", ("any.contoso.com",), ("contoso.com", "th3re4lcontoso.com")),
        ("*contoso.com", ("example.anycontoso.com", "contoso.com"), ("contoso.com.example",)),
    ],
)
def test_microsofts_table_of_target_fqdns(rule, hosts, others):
    assert all(fqdn_matches(rule, host) for host in hosts)
    assert not any(fqdn_matches(rule, host) for host in others)


@pytest.mark.parametrize(
    "rule",
    ["www.contoso.*/test/*", "www.contoso.com/test?example=1", "www.contoso.*", "www.*contoso.com",
     "www.contoso.com:8080", "*.contoso.*"],
)  # fmt: skip
def test_what_microsofts_table_calls_unsupported(rule):
    assert not supported(rule)


WEB = Flow(None, "10.0.0.1", frozenset(), "google.com", "/", "198.51.100.1", None, "tcp", 443, "tls")
SSH = replace(WEB, host=None, path=None, port=22, shows=None)


def template(*groups):
    """A template with groups: priority, and collections as name, kind, priority, action and rules."""
    return json.dumps(
        {
            "resources": [
                {
                    "type": "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
                    "properties": {
                        "priority": priority,
                        "ruleCollections": [
                            {"name": name, "priority": p, "action": {"type": action}, "rules": rules}
                            for name, p, action, rules in collections
                        ],
                    },
                }
                for priority, *collections in groups
            ]
        }
    )


def network(name, *ports):
    return {
        "ruleType": "NetworkRule", "name": name, "ipProtocols": ["TCP"], "sourceAddresses": ["*"],
        "destinationAddresses": ["*"], "destinationPorts": list(ports),
    }  # fmt: skip


def application(name, host):
    ports = [{"protocolType": "Http", "port": 80}, {"protocolType": "Https", "port": 443}]
    return {
        "ruleType": "ApplicationRule", "name": name, "sourceAddresses": ["*"], "protocols": ports, "targetFqdns": [host],
    }  # fmt: skip


def test_microsofts_first_example():
    # rule-processing.md, "Example 1": the network rule allows, and processing stops.
    policy = Policy(
        template(
            (100, ("app", 100, "Deny", [application("Deny-google", "google.com")])),
            (200, ("net", 200, "Allow", [network("Allow-web", "80", "443")])),
        )
    )
    assert policy.decide(WEB) == Decision("allow", "Allow-web", terminates=False)
    assert policy.decide(SSH) is None


def test_microsofts_second_example():
    # rule-processing.md, "Example 2": the collection of the higher priority denies.
    policy = Policy(
        template(
            (
                100,
                ("Allow-collection", 200, "Allow", [network("Allow-SSH", "22")]),
                ("Deny-collection", 100, "Deny", [network("Deny-SSH", "22")]),
            )
        )
    )
    assert policy.decide(SSH) == Decision("deny", "Deny-SSH", terminates=False)


def test_microsofts_processing_order():
    # rule-processing.md, "Policy structure" and "Processing order" (DNAT is no egress).
    def policy(structure, parent=None):
        groups = [
            (
                priority,
                *(
                    (name, p, "Allow", [network(name, "443") if "Net" in name else application(name, "*")])
                    for name, p in collections
                    if name not in done
                ),
            )
            for priority, collections in structure
        ]
        return Policy(template(*groups), parent)

    parents = [(300, [("AppRC2", 1200), ("NetworkRC2", 1300)]), (200, [("NetworkRC1", 800)])]
    children = [(650, [("ChNetRC2", 1100), ("ChAppRC2", 2000)]), (300, [("ChNetRC1", 700), ("ChAppRC1", 900)])]
    done = []
    while (found := policy(children, policy(parents)).decide(WEB)) is not None:
        done.append(found.rule)
    assert done == ["NetworkRC1", "NetworkRC2", "ChNetRC1", "ChNetRC2", "AppRC2", "ChAppRC1", "ChAppRC2"]
