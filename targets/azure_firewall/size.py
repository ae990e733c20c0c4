"""Sizes of resources in bytes, as the compact JSON of a REST body; Azure counts 1 MB and 2 MB against it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from egressc.targets.azure_firewall.limits import IP_GROUP_ID_BYTES
from egressc.targets.azure_firewall.model import ApplicationRule
from egressc.targets.azure_firewall.quote import json_string

if TYPE_CHECKING:
    from egressc.targets.azure_firewall.model import Protocol, Rule, Sources

_GROUP = len('{"properties":{"priority":65000,"ruleCollections":[]}}')
_COLLECTION = len(
    '{"ruleCollectionType":"FirewallPolicyFilterRuleCollection","name":"","priority":65000,'
    '"action":{"type":"Allow"},"rules":[]},'
)
_APPLICATION = len(
    '{"ruleType":"ApplicationRule","name":"","description":,"protocols":[],"targetFqdns":[],"terminateTLS":false},'
)
_NETWORK = len(
    '{"ruleType":"NetworkRule","name":"","description":,"ipProtocols":[],"destinationAddresses":[],'
    '"destinationPorts":[]},'
)


def group_overhead(collection_names: tuple[str, ...]) -> int:
    """What a rule collection group takes besides its rules; at most some bytes too much."""
    return _GROUP + sum(_COLLECTION + len(name) for name in collection_names)


def rule_size(rule: Rule) -> int:
    """What a rule takes in its collection, the comma behind it included; never too little, at most 8 bytes too much.

    IP groups count with the length that their identifier has once Resource Manager has resolved it.
    """
    fixed = len(rule.name) + len(json_string(rule.description)) + _sources(rule.sources)
    if isinstance(rule, ApplicationRule):
        targets = _escaped(rule.urls) if rule.urls else _listed(rule.fqdns)
        return _APPLICATION + fixed + _protocols(rule.protocols) + targets
    return _NETWORK + fixed + _listed(rule.ip_protocols) + _listed(rule.addresses or rule.fqdns) + _listed(rule.ports)


def _listed(texts: tuple[str, ...]) -> int:
    """The size of texts that JSON need not escape: names, addresses, ports; with quotes and commas."""
    return sum(map(len, texts)) + 3 * len(texts)


def _escaped(texts: tuple[str, ...]) -> int:
    """The size of any texts."""
    return sum([len(json_string(text)) for text in texts]) + len(texts)


@lru_cache(maxsize=4096)
def _protocols(protocols: tuple[Protocol, ...]) -> int:
    return sum(len(f'{{"protocolType":"{p.type}","port":{p.port}}},') for p in protocols)


@lru_cache(maxsize=4096)
def _sources(sources: Sources) -> int:
    if sources.addresses:
        return len('"sourceAddresses":[],') + _listed(sources.addresses)
    return len('"sourceIpGroups":[],') + sum(
        len(group.identifier or "") or IP_GROUP_ID_BYTES + len(group.name) for group in sources.ip_groups
    )
