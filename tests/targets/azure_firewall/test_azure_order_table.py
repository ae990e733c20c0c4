"""The tests' own firewall, against the example and the tables of Microsoft's pages."""

from __future__ import annotations

import pytest
from azure_arm import Firewall, Flow, _fqdn, _url, literal


def _rule(kind, name):
    if kind == "NetworkRule":
        return {
            "ruleType": kind, "name": name, "sourceAddresses": ["*"], "ipProtocols": ["TCP"],
            "destinationAddresses": ["*"], "destinationPorts": ["443"],
        }  # fmt: skip
    return {
        "ruleType": kind, "name": name, "sourceAddresses": ["*"], "protocols": [{"protocolType": "Https", "port": 443}],
        "targetFqdns": ["*"], "terminateTLS": False,
    }  # fmt: skip


def test_groups_are_walked_once_for_network_rules_and_once_for_application_rules():
    # rule-processing.md: BaseRCG1 (200): NetworkRC1 (800); BaseRCG2 (300): AppRC2 (1200), NetworkRC2 (1300);
    # processed: NetworkRC1, NetworkRC2, AppRC2.
    def group(name, priority, *collections):
        return {
            "type": "Microsoft.Network/firewallPolicies/ruleCollectionGroups", "name": f"p/{name}",
            "properties": {"priority": priority, "ruleCollections": [
                {"name": n, "priority": p, "action": {"type": "Allow"}, "rules": [_rule(kind, n)]}
                for n, p, kind in collections
            ]},
        }  # fmt: skip

    one = group("BaseRCG1", 200, ("NetworkRC1", 800, "NetworkRule"))
    two = group("BaseRCG2", 300, ("AppRC2", 1200, "ApplicationRule"), ("NetworkRC2", 1300, "NetworkRule"))
    flow = Flow("10.0.0.1", "tcp", 443, "198.51.100.1", "a.example", shows="Https")
    order = [Firewall({"resources": left}).decide(flow).rule for left in ([two, one], [two])]
    two["properties"]["ruleCollections"].pop()
    order.append(Firewall({"resources": [two]}).decide(flow).rule)
    assert order == ["NetworkRC1", "NetworkRC2", "AppRC2"]


@pytest.mark.parametrize(
    ("pattern", "host", "expected"),
    [
        ("*.contoso.com", "any.contoso.com", True),
        ("*.contoso.com", "sub1.any.contoso.com", True),
        ("*.contoso.com", "contoso.com", False),
        ("*contoso.com", "contoso.com", True),
        ("*contoso.com", "example.anycontoso.com", True),
        ("*contoso.com", "th3re4lcontoso.com", True),
        ("www.contoso.com", "www.contoso.com", True),
    ],
)
def test_wildcards_of_names(pattern, host, expected):
    assert _fqdn(host, pattern) is expected


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("www.contoso.com/test", "/test", True),
        ("www.contoso.com/test", "/test/", True),
        ("www.contoso.com/test", "/test/x", False),
        ("www.contoso.com/test/*", "/test/anything", True),
        ("www.contoso.com/test/*", "/test", False),
    ],
)
def test_wildcards_of_urls(pattern, path, expected):
    assert _url("www.contoso.com", path, pattern) is expected


def test_literals():
    # template-expressions.md, "Escape characters"
    assert literal("[[test value]") == "[test value]"
    assert literal("[test] value") == "[test] value"
