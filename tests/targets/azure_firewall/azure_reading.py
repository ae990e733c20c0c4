"""Configurations of an Azure Firewall by hand, in Microsoft's words, and how the reader decides a flow of them."""

from __future__ import annotations

import json
from functools import cache

from support import site_of

from egressc.drift import Deciding, holds
from egressc.flows import Flow
from egressc.targets.azure_firewall.read import read
from egressc.targets.protocol import Artefact

PLACE = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/net/providers/Microsoft.Network"
POLICY = f"{PLACE}/firewallPolicies/egress"
GROUPS = "Microsoft.Network/firewallPolicies/ruleCollectionGroups"

INVENTORY = """
groups:
  one: {networks: [10.1.0.0/24]}
  two: {objects: {azure-firewall: ipg-two}}
internal-networks: INTERNAL
firewalls:
  f: {target: azure-firewall, settings: {policy: egress, location: westeurope, default-deny: CLOSING}}
"""
ANY_POLICY = 'policy p "P" { from one two allow a "A" { to w.example.com ports 443 } }'


@cache
def site(closing=True, internal="[10.0.0.0/8]", groups=""):
    """A site with a known group, one that is an IP group, and the policy `egress`."""
    text = INVENTORY.replace("CLOSING", str(closing).lower()).replace("INTERNAL", internal)
    if groups:
        text = text.replace("  two: {objects: {azure-firewall: ipg-two}}\n", groups)
    return site_of(ANY_POLICY, text, "f")


def app(name="rule", *fqdns, sources=("*",), protocols=(("Https", 443),), **more):
    """An application rule."""
    rule = {
        "ruleType": "ApplicationRule", "name": name, "sourceAddresses": list(sources), "targetFqdns": list(fqdns),
        "protocols": [{"protocolType": kind, "port": port} for kind, port in protocols],
    }  # fmt: skip
    rule.update(more)
    return {key: value for key, value in rule.items() if value is not None}


def net(name="rule", *addresses, sources=("*",), protocols=("TCP",), ports=("443",), **more):
    """A network rule."""
    rule = {
        "ruleType": "NetworkRule", "name": name, "sourceAddresses": list(sources), "ipProtocols": list(protocols),
        "destinationAddresses": list(addresses), "destinationPorts": list(ports),
    }  # fmt: skip
    rule.update(more)
    return {key: value for key, value in rule.items() if value is not None}


def collection(name, priority, action, *rules):
    """A filter collection."""
    return {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": name, "priority": priority,
        "action": {"type": action}, "rules": list(rules),
    }  # fmt: skip


def group(name, priority, *collections, policy=POLICY):
    """A rule collection group as `az network firewall policy rule-collection-group show` gives it."""
    return {
        "etag": 'W/"0"', "id": f"{policy}/ruleCollectionGroups/{name}", "name": name, "priority": priority,
        "provisioningState": "Succeeded", "resourceGroup": "net", "ruleCollections": list(collections), "size": "0.1MB",
        "type": "Microsoft.Network/FirewallPolicies/RuleCollectionGroups",
    }  # fmt: skip


def allows(*rules):
    """A group whose only collection allows."""
    return group("main", 200, collection("allow", 200, "Allow", *rules))


def template(*resources, **more):
    """A deployment template."""
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    return {"$schema": schema, "contentVersion": "1.0.0.0", **more, "resources": list(resources)}


def deployed(priority, *collections, name="egress/main", **more):
    """A rule collection group as a template has it."""
    return {
        "type": GROUPS, "apiVersion": "2024-05-01", "name": name,
        "properties": {"priority": priority, "ruleCollections": list(collections)}, **more,
    }  # fmt: skip


def artefact(value, name="live.json"):
    """A file of a value, or of a text."""
    return Artefact(name, value if isinstance(value, bytes) else json.dumps(value).encode())


def reading(*values, where=None):
    """The meaning of files with these values."""
    files = [artefact(value, f"live{number}.json") for number, value in enumerate(values)]
    return read(where or site(), files)


def flow(
    host=None, port=443, *, source="10.1.0.5", address="203.0.113.10", transport="tcp", path=None, shared=None, of=None
):
    """A flow as the firewall sees it."""
    return Flow(of, None, host, path, address, shared, transport, port, None, source)


def decided(meaning, *arguments, **more):
    """What decides a flow: the name of the ruling and its outcome, or the default; `unknown` where nobody knows."""
    found = Deciding(meaning.rulings).of(flow(*arguments, **more))
    if not found:
        return "(default)", meaning.default.value
    if found[0].doubt:
        return found[0].name, "unknown"
    return found[0].name, found[0].outcome.value


def allowed(meaning, *arguments, **more):
    """`allow`, `deny` or `unknown`."""
    return decided(meaning, *arguments, **more)[1]


def inspected(meaning, *arguments, **more):
    """`inspect`, `perhaps` or `exempt`, by the first ruling on inspection that matches a flow."""
    wanted = flow(*arguments, **more)
    for ruling in meaning.inspections:
        if any(holds(box, wanted) for block in ruling.blocks for box in block.boxes()):
            return "perhaps" if ruling.doubt or not ruling.sure else ruling.handling.value
    return "exempt"


def doubts(meaning):
    """Every doubt."""
    return [ruling.doubt for ruling in (*meaning.rulings, *meaning.inspections) if ruling.doubt]
