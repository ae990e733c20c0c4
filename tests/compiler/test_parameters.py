"""Parameters are filled for each group, and a bad value is one error where the value stands."""

from __future__ import annotations

from support import compilation_of, everything_of

POLICY = """
parameter region "R"
parameter tenant labels "T"
policy p "P" {
    from a b
    allow r "R" { to x-${region}.example.net ${tenant}.example.org ports 443/https }
    allow s "S" { to y-${region}.example.net ports 443/https }
}
"""

INVENTORY = """
groups:
  a: {{networks: [10.0.0.1], parameters: {{region: {region}, tenant: eu.contoso}}}}
  b: {{networks: [10.0.0.2], parameters: {{region: ne, tenant: contoso}}}}
firewalls:
  fw: {{target: paloalto, settings: {{from-zone: t, to-zone: u}}}}
"""


def test_several_values_multiply_and_labels_may_hold_dots():
    site = everything_of(POLICY, INVENTORY.format(region="[ne, we]"))
    found = {rule.key: {endpoint.text for endpoint in rule.endpoints} for rule in site.rules}
    assert found == {
        "p/r@a": {"x-ne.example.net", "x-we.example.net", "eu.contoso.example.org"},
        "p/r@b": {"x-ne.example.net", "contoso.example.org"},
        "p/s@a": {"y-ne.example.net", "y-we.example.net"},
        "p/s@b": {"y-ne.example.net"},
    }


def test_a_dot_without_labels_is_one_error_at_the_value():
    result = compilation_of(POLICY, INVENTORY.format(region='[ne, "b.c"]'))
    (found,) = result.diagnostics
    assert (found.code, found.span.source.name, found.span.line) == ("E0331", "inventory.yaml", 3)
    assert found.span.text == '"b.c"'
    assert result.builds == ()


def test_a_missing_value_is_an_error_never_a_wildcard():
    result = compilation_of(POLICY, INVENTORY.format(region="[]").replace("region: [], ", ""))
    assert {found.code for found in result.diagnostics} == {"E0504"}
    assert result.builds == ()


def test_a_wrong_binding_in_the_inventory_is_an_error_where_it_stands():
    policy = 'service-account acc "A" { windows-service S }\npolicy p "P" { from a allow r "R" { to x.io.net ports 443 as acc } }'
    inventory = """
groups:
  a: {networks: [10.0.0.1]}
service-accounts:
  acc: {windows-account: [S-1-5-20, S-1-]}
firewalls:
  fw: {target: paloalto, settings: {from-zone: t, to-zone: u}}
"""
    result = compilation_of(policy, inventory)
    (found,) = [d for d in result.diagnostics if d.level == "error"]
    assert (found.span.source.name, found.span.line, found.span.text) == ("inventory.yaml", 5, "S-1-")
