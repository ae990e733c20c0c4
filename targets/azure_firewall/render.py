"""The model as a deployment template of Azure Resource Manager: the one place that knows its JSON.

The template owns its IP groups and rule collection groups, each whole. The policy itself belongs to somebody: writing
it would reset what is not in the inventory (intrusion detection, threat intelligence, a parent policy), so it is in the
template under a condition that is false unless the person who deploys says otherwise.

Resources are deployed one after the other: rule collection groups and IP groups of one policy that are written at the
same time fail with ``AnotherOperationInProgress``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from egressc.targets.azure_firewall.limits import API_VERSION
from egressc.targets.azure_firewall.model import ApplicationRule, NetworkRule
from egressc.targets.azure_firewall.quote import argument, json_string, literal
from egressc.targets.protocol import Artefact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.targets.azure_firewall.model import (
        FirewallPolicy,
        IpGroup,
        IpGroupReference,
        Model,
        Protocol,
        Rule,
        RuleCollection,
        RuleCollectionGroup,
        Sources,
    )

MAIN_ARTEFACT = "template.json"
"""The file that ``render`` writes."""

_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_POLICIES = "Microsoft.Network/firewallPolicies"
_GROUPS = "Microsoft.Network/firewallPolicies/ruleCollectionGroups"
_IP_GROUPS = "Microsoft.Network/ipGroups"
_RULE = " " * 16
"""The indent of a rule's keys: root, resources, resource, properties, collections, collection, rules, rule."""


def render(model: Model) -> tuple[Artefact, ...]:
    """``template.json``: pure ASCII, two spaces of indent, the same bytes for the same model."""
    pieces = ["{\n", f'  "$schema": {json_string(_SCHEMA)},\n', '  "contentVersion": "1.0.0.0",\n']
    pieces.extend(_parameters(model.policy))
    pieces.append('  "resources": [\n')
    pieces.append(",\n".join(_resources(model)))
    pieces.append("\n  ]\n}\n")
    return (Artefact(MAIN_ARTEFACT, "".join(pieces).encode("ascii")),)


def _parameters(policy: FirewallPolicy) -> Iterator[str]:
    about = "Also write the firewall policy itself, with the settings of the inventory; resets all its other settings."
    yield '  "parameters": {\n'
    yield f"""    "writePolicy": {{
      "type": "bool",
      "defaultValue": false,
      "metadata": {{
        "description": {json_string(about)}
      }}
    }}"""
    if policy.certificate_authority is not None:
        about = "With writePolicy: the user-assigned identity that may read the CA certificate in Key Vault."
        yield f""",
    "policyIdentity": {{
      "type": "string",
      "defaultValue": "",
      "metadata": {{
        "description": {json_string(about)}
      }}
    }}"""
    yield "\n  },\n"


def _resources(model: Model) -> Iterator[str]:
    """The resources, each behind the one before it.

    A dependency on a resource whose condition is false is none, so what comes behind the policy also names what comes
    before it.
    """
    policy = model.policy
    behind: tuple[str, ...] = ()
    for ip_group in model.ip_groups:
        yield _ip_group(ip_group, policy, behind)
        behind = (_identifier(_IP_GROUPS, ip_group.name),)
    yield _policy(policy, behind)
    behind = (*behind, _identifier(_POLICIES, policy.name))
    for group in model.groups:
        yield _group(group, policy, behind)
        behind = (_identifier(_GROUPS, policy.name, group.name),)


def _identifier(kind: str, *names: str) -> str:
    """The template expression of a resource's identifier, as JSON."""
    arguments = ", ".join([argument(text) for text in (kind, *names)])
    return json_string(f"[resourceId({arguments})]")


def _head(kind: str, name: str) -> str:
    return f"""    {{
      "type": {json_string(kind)},
      "apiVersion": {json_string(API_VERSION)},
      "name": {literal(name)},
"""


def _depends_on(behind: tuple[str, ...]) -> str:
    inner = ",\n        ".join(behind)
    return f'      "dependsOn": [\n        {inner}\n      ],\n' if behind else ""


def _location(policy: FirewallPolicy) -> str:
    text = literal(policy.location) if policy.location is not None else '"[resourceGroup().location]"'
    return f'      "location": {text},\n'


def _ip_group(group: IpGroup, policy: FirewallPolicy, behind: tuple[str, ...]) -> str:
    return (
        f"{_head(_IP_GROUPS, group.name)}{_location(policy)}{_depends_on(behind)}"
        f'      "properties": {{\n        "ipAddresses": {_texts(group.addresses, 8)}\n      }}\n    }}'
    )


def _policy(policy: FirewallPolicy, behind: tuple[str, ...]) -> str:
    properties = [
        f'        "sku": {{\n          "tier": {json_string(policy.tier)}\n        }}',
        f'        "dnsSettings": {{\n          "enableProxy": {_boolean(policy.dns_proxy)}\n        }}',
    ]
    identity = ""
    authority = policy.certificate_authority
    if authority is not None:
        properties.append(f"""        "transportSecurity": {{
          "certificateAuthority": {{
            "name": {literal(authority.name)},
            "keyVaultSecretId": {literal(authority.key_vault_secret_id)}
          }}
        }}""")
        expression = (
            "[if(empty(parameters('policyIdentity')), null(), createObject('type', 'UserAssigned', "
            "'userAssignedIdentities', createObject(parameters('policyIdentity'), createObject())))]"
        )
        identity = f'      "identity": {json_string(expression)},\n'
    joined = ",\n".join(properties)
    return (
        f"{_head(_POLICIES, policy.name)}"
        '      "condition": "[parameters(\'writePolicy\')]",\n'
        f"{_location(policy)}{identity}{_depends_on(behind)}"
        f'      "properties": {{\n{joined}\n      }}\n    }}'
    )


def _group(group: RuleCollectionGroup, policy: FirewallPolicy, behind: tuple[str, ...]) -> str:
    collections = ",\n".join([_collection(collection) for collection in group.collections])
    return (
        f"{_head(_GROUPS, f'{policy.name}/{group.name}')}{_depends_on(behind)}"
        f'      "properties": {{\n        "priority": {group.priority},\n'
        f'        "ruleCollections": [\n{collections}\n        ]\n      }}\n    }}'
    )


def _collection(collection: RuleCollection) -> str:
    rules = ",\n".join([_rule(rule) for rule in collection.rules])
    return f"""          {{
            "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
            "name": {literal(collection.name)},
            "priority": {collection.priority},
            "action": {{
              "type": {json_string(collection.action)}
            }},
            "rules": [
{rules}
            ]
          }}"""


def _rule(rule: Rule) -> str:
    match rule:
        case ApplicationRule():
            targets = (
                f'"targetUrls": {_texts(rule.urls, 16)}' if rule.urls else f'"targetFqdns": {_texts(rule.fqdns, 16)}'
            )
            return (
                f'              {{\n{_RULE}"ruleType": "ApplicationRule",\n'
                f'{_RULE}"name": {literal(rule.name)},\n{_RULE}"description": {literal(rule.description)},\n'
                f"{_RULE}{_sources(rule.sources)},\n{_RULE}{_protocols(rule.protocols)},\n"
                f'{_RULE}{targets},\n{_RULE}"terminateTLS": {_boolean(rule.terminate_tls)}\n              }}'
            )
        case NetworkRule():
            destinations = (
                f'"destinationFqdns": {_texts(rule.fqdns, 16)}'
                if rule.fqdns
                else f'"destinationAddresses": {_texts(rule.addresses, 16)}'
            )
            return (
                f'              {{\n{_RULE}"ruleType": "NetworkRule",\n'
                f'{_RULE}"name": {literal(rule.name)},\n{_RULE}"description": {literal(rule.description)},\n'
                f"{_RULE}{_sources(rule.sources)},\n"
                f'{_RULE}"ipProtocols": {_texts(rule.ip_protocols, 16)},\n{_RULE}{destinations},\n'
                f'{_RULE}"destinationPorts": {_texts(rule.ports, 16)}\n              }}'
            )


@lru_cache(maxsize=1024)
def _sources(sources: Sources) -> str:
    if sources.addresses:
        return f'"sourceAddresses": {_texts(sources.addresses, 16)}'
    inner = ",\n".join([f"{_RULE}  {_ip_group_identifier(group)}" for group in sources.ip_groups])
    return f'"sourceIpGroups": [\n{inner}\n{_RULE}]'


def _ip_group_identifier(group: IpGroupReference) -> str:
    return literal(group.identifier) if group.identifier is not None else _identifier(_IP_GROUPS, group.name)


@lru_cache(maxsize=1024)
def _protocols(protocols: tuple[Protocol, ...]) -> str:
    inner = ",\n".join(
        [
            f'{_RULE}  {{\n{_RULE}    "protocolType": {json_string(p.type)},\n{_RULE}    "port": {p.port}\n{_RULE}  }}'
            for p in protocols
        ]
    )
    return f'"protocols": [\n{inner}\n{_RULE}]'


def _texts(texts: tuple[str, ...], indent: int) -> str:
    """A list of texts, one on each line."""
    assert texts, "Azure refuses empty lists"
    space = " " * indent
    inner = f",\n{space}  ".join([literal(text) for text in texts])
    return f"[\n{space}  {inner}\n{space}]"


def _boolean(value: bool) -> str:  # noqa: FBT001
    return "true" if value else "false"
