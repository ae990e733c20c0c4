"""How the rules of a policy become rules of Azure Firewall: one test for each row of the lowering table."""

from __future__ import annotations

import json

import pytest
from azure_arm import Firewall, Flow, groups, refusals, resources, rules, template_of
from support import AS_OF, artefacts_of, compilation_of, lowering_of, site_of, write_project

from egressc.anything import ANY
from egressc.api import Request, compile_request
from egressc.diagnostics import Level
from egressc.fidelity import Grading, assess
from egressc.reach import BOTH_FAMILIES
from egressc.targets.registry import load_target

GROUPS = """
groups:
  one: {networks: [10.1.0.5, 10.1.0.7]}
  two: {networks: [10.2.0.0/24]}
"""
PREMIUM = (
    "tier: Premium, certificate-authority: {name: ca, key-vault-secret-id: 'https://v.vault.azure.net/secrets/ca'}"
)


def inventory(settings="", groups=GROUPS, top="", entry=""):
    comma = ", " if settings else ""
    where = f"{{target: azure-firewall, {entry}settings: {{policy: fw, location: westeurope{comma}{settings}}}}}"
    return f"{groups}{top}\nfirewalls:\n  f: {where}\n"


def policy(*statements, before=""):
    return f'{before}\npolicy p "P" {{\n from one\n' + "\n".join(statements) + "\n}\n"


def template(text, inv=None, **options):
    result = template_of(artefacts_of(text, inv or inventory(), "f", **options))
    assert refusals(result) == []
    return result


def announced(text, inv=None):
    """For each rule the reasons of its approximations, with their level, as the driver grades them."""
    site = site_of(text, inv or inventory(), "f")
    grading = Grading((), frozenset(), False, AS_OF, lambda _identity, _group: False)
    fidelity = assess(site, load_target("azure-firewall").lower(site), grading)
    return {
        f.rule.identity.partition("/")[2]: {a.reason.value: a.level.value for a in f.approximations}
        for f in fidelity.rules
    }


def codes(text, inv=None, **options):
    return [d.code for d in compilation_of(text, inv or inventory(), **options).diagnostics]


def only(text, inv=None):
    """The one rule of a template besides the closing deny."""
    found = {name: r for name, r in rules(template(text, inv)).items() if not name.startswith("closing-deny")}
    ((_, collection, rule),) = found.values()
    return collection, rule


# Names


def test_exact_name_on_https():
    collection, rule = only(policy('allow a "A" { to login.windows.net ports 443/https }'))
    assert (collection["name"], collection["action"]) == ("app-allow", {"type": "Allow"})
    assert rule == {
        "ruleType": "ApplicationRule",
        "name": "p.a_https",
        "description": "A (p/a)",
        "sourceAddresses": ["10.1.0.5", "10.1.0.7"],
        "protocols": [{"protocolType": "Https", "port": 443}],
        "targetFqdns": ["login.windows.net"],
        "terminateTLS": False,
    }
    assert announced(policy('allow a "A" { to login.windows.net ports 443/https }')) == {"a": {}}


def test_sni_and_host_never_mix_in_one_rule():
    text = policy('allow a "A" { to x.contoso.com ports 443/https 80/http 8080/http 5671/tls }')
    found = {
        n: [(p["protocolType"], p["port"]) for p in r["protocols"]] for n, (_, _, r) in rules(template(text)).items()
    }
    assert found == {
        "p.a_https": [("Https", 443), ("Https", 5671)],
        "p.a_http": [("Http", 80), ("Http", 8080)],
        "closing-deny": [("Http", 80), ("Https", 443)],
    }


def test_other_tls_rests_on_an_assumption():
    (part,) = lowering_of(policy('allow a "A" { to x.contoso.com ports 5671/tls }'), inventory(), "f").parts
    assert part.assumptions == ("azure-tls-port",)
    (part,) = lowering_of(policy('allow a "A" { to x.contoso.com ports 8443/https }'), inventory(), "f").parts
    assert part.assumptions == ()


@pytest.mark.parametrize(
    ("written", "fqdns", "reasons"),
    [
        ("*.msappproxy.net", ["*.msappproxy.net"], {}),
        ("msappproxy.net *.msappproxy.net", ["msappproxy.net", "*.msappproxy.net"], {}),
        ("*-scus.contoso.com", ["*-scus.contoso.com"], {"depth": "warning"}),
        ("*cdn.onenote.net", ["*cdn.onenote.net"], {"depth": "warning"}),
        ("*.*-scus.contoso.com", ["*-scus.contoso.com"], {"apex": "warning"}),
        ("*.*.contoso.com", ["*.contoso.com"], {"apex": "warning"}),
        ("autodiscover.*.onmicrosoft.com", ["*.onmicrosoft.com"], {"label-wildcard": "error"}),
        ("azgn*.servicebus.windows.net", ["*.servicebus.windows.net"], {"label-wildcard": "error"}),
        (
            "san-af-*-prod.azurewebsites.net",
            ["*-prod.azurewebsites.net"],
            {"label-wildcard": "error", "depth": "warning"},
        ),
        ("a.*-prod.azurewebsites.net", ["*-prod.azurewebsites.net"], {"label-wildcard": "error", "apex": "warning"}),
    ],
)
def test_wildcards(written, fqdns, reasons):
    text = policy(f'allow a "A" {{ to {written} ports 443 }}')
    inv = inventory(entry="accept: [label-wildcard], ")
    _, rule = only(text, inv)
    assert rule["targetFqdns"] == fqdns
    assert announced(text) == {"a": reasons}


def test_suffix_inside_a_label_rests_on_an_assumption():
    (part,) = lowering_of(policy('allow a "A" { to *-scus.contoso.com ports 443 }'), inventory(), "f").parts
    assert part.assumptions == ("azure-suffix-wildcard",)


def test_path_on_http_is_a_url_on_premium_only():
    text = policy('allow a "A" { to www.microsoft.com/pkiops ports 80 }')
    _, rule = only(text)
    assert rule["targetFqdns"] == ["www.microsoft.com"]
    assert announced(text) == {"a": {"path": "warning"}}
    _, rule = only(text, inventory("tier: Premium"))
    assert rule["targetUrls"] == ["www.microsoft.com/pkiops", "www.microsoft.com/pkiops/*"]
    assert "targetFqdns" not in rule
    assert rule["terminateTLS"] is False
    assert announced(text, inventory("tier: Premium")) == {"a": {}}


def test_path_below_a_wildcard_is_no_url():
    text = policy('allow a "A" { to *.contoso.com/x www.contoso.net/y ports 80 }')
    found = {
        n: r.get("targetUrls") or r["targetFqdns"]
        for n, (_, _, r) in rules(template(text, inventory("tier: Premium"))).items()
    }
    assert found == {
        "p.a_http-url": ["www.contoso.net/y", "www.contoso.net/y/*"],
        "p.a_http": ["*.contoso.com"],
        "closing-deny": ["*"],
    }
    assert announced(text, inventory("tier: Premium")) == {"a": {"path": "warning"}}


@pytest.mark.parametrize(("word", "keeps_path"), [("", False), ("no-tls-inspection", False), ("tls-inspection", True)])
def test_path_on_https_is_a_url_only_where_the_flow_must_be_inspected(word, keeps_path):
    text = policy(f'allow a "A" {{ to www.contoso.com/x ports 443 {word} }}')
    inv = inventory(f"{PREMIUM}, tls-inspection: true")
    _, rule = only(text, inv)
    assert ("targetUrls" in rule) is keeps_path
    assert announced(text, inv) == {"a": {} if keeps_path else {"path": "warning"}}
    if keeps_path:
        assert rule["terminateTLS"] is True


# Opaque ports


def test_exact_name_on_tcp_is_resolved_by_the_dns_proxy():
    text = policy('allow a "A" { to sql.contoso.com ports 1433/tcp }')
    collection, rule = only(text, inventory("dns-proxy: true"))
    assert collection["name"] == "net-allow"
    assert rule == {
        "ruleType": "NetworkRule",
        "name": "p.a_dns-fqdn",
        "description": "A (p/a)",
        "sourceAddresses": ["10.1.0.5", "10.1.0.7"],
        "ipProtocols": ["TCP"],
        "destinationFqdns": ["sql.contoso.com"],
        "destinationPorts": ["1433"],
    }
    assert announced(text, inventory("dns-proxy: true")) == {"a": {"resolved-address": "note"}}
    assert announced(text) == {"a": {"no-names": "error"}}
    assert "E0610" in codes(text)


def test_wildcards_on_tcp_take_the_fallback():
    sets = 'endpoints bus "B" { sql.contoso.com *.servicebus.windows.net fallback { service-tag ServiceBus 192.0.2.0/24 } }'
    text = policy('allow a "A" { to bus ports 9354/tcp }', before=sets)
    found = {
        n: r.get("destinationAddresses") or r["destinationFqdns"]
        for n, (_, _, r) in rules(template(text), "net-").items()
    }
    assert found == {"p.a_dns-fallback": ["192.0.2.0/24"], "p.a_dns-fallback-tags": ["ServiceBus"]}
    found = {
        n: r.get("destinationAddresses") or r["destinationFqdns"]
        for n, (_, _, r) in rules(template(text, inventory("dns-proxy: true")), "net-").items()
    }
    assert found == {
        "p.a_dns-fqdn": ["sql.contoso.com"],
        "p.a_dns-fallback": ["192.0.2.0/24"],
        "p.a_dns-fallback-tags": ["ServiceBus"],
    }
    assert announced(text, inventory("dns-proxy: true")) == {"a": {"resolved-address": "note", "fallback": "warning"}}


BUS = 'endpoints bus "B" { sql.contoso.com fallback { 192.0.2.0/24 } }'


@pytest.mark.parametrize(
    ("ports", "allow", "reason"),
    [
        ("9354/tcp", "to 203.0.113.0/24 ports 9354/tcp", "no-names"),
        ("any/tcp", "to *.contoso.com ports 443", "no-names"),
        ("any/https", "to *.contoso.com ports 443", "ports"),
    ],
)
def test_a_fallback_does_not_stand_in_for_the_names_of_a_deny(ports, allow, reason):
    # 192.0.2.0/24 denied, the names would be open at every other address.
    text = policy(f'deny d "D" {{ to bus ports {ports} }}', f'allow a "A" {{ {allow} }}', before=BUS)
    assert announced(text) == {"d": {reason: "error"}, "a": {}}
    apart = policy(f'deny d "D" {{ to bus ports {ports} }}', 'allow a "A" { to x.com ports 80 }', before=BUS)
    if reason == "no-names" and ports != "any/tcp":
        assert announced(apart) == {"d": {}, "a": {}}
        assert set(rules(template(apart))) == {"p.a_http", "closing-deny"}


def test_addresses_are_subtracted_from_a_fallback():
    text = policy(
        'allow a "A" { to bus except 192.0.2.7 ports 443/tcp }', 'allow b "B" { to x.com ports 443 }', before=BUS
    )
    found = rules(template(text))
    assert found["p.a_dns-fallback"][2]["destinationAddresses"] == ["192.0.2.0-192.0.2.6", "192.0.2.8-192.0.2.255"]
    assert found["p.a_dns-fallback"][1]["name"] == "net-allow"
    assert announced(text) == {"a": {"fallback": "warning"}, "b": {}}
    everywhere = text.replace("fallback { 192.0.2.0/24 }", "fallback { any-address }")
    assert rules(template(everywhere))["p.a_dns-fallback-any"][2]["destinationAddresses"] == [
        "0.0.0.0-192.0.2.6",
        "192.0.2.8-255.255.255.255",
    ]
    nothing = text.replace("fallback { 192.0.2.0/24 }", "fallback { 192.0.2.7 }")
    assert announced(nothing)["a"] == {"no-names": "error"}


# Ports


@pytest.mark.parametrize(("ports", "said"), [("8000-8063/https", True), ("8000-8064/https", False), ("64000/https", True),
                                             ("64001/https", False), ("any/https", False), ("63990-64001/http", False)])  # fmt: skip
def test_ranges_with_names_are_spelled_out_or_refused(ports, said):
    text = policy(f'allow a "A" {{ to *.contoso.com ports {ports} }}')
    if not said:
        assert announced(text) == {"a": {"ports": "error"}}
        assert "E0611" in codes(text)
        return
    _, rule = only(text)
    first, _, last = ports.partition("/")[0].partition("-")
    assert [p["port"] for p in rule["protocols"]] == list(range(int(first), int(last or first) + 1))


def test_only_the_ports_that_do_not_fit_are_gone():
    text = policy('allow a "A" { to *.contoso.com ports 443/https 1000-2000/https }')
    parts = lowering_of(text, inventory(), "f").parts
    assert sorted((p.services[0].first, p.reach is None) for p in parts) == [(443, False), (1000, True)]


def test_exact_names_on_many_ports_become_network_rules_with_the_dns_proxy():
    text = policy('allow a "A" { to x.contoso.com ports 1000-2000/https }')
    _, rule = only(text, inventory("dns-proxy: true"))
    assert (rule["destinationFqdns"], rule["destinationPorts"]) == (["x.contoso.com"], ["1000-2000"])


def test_ports_of_addresses():
    text = policy('allow a "A" { to 192.0.2.1 ports 1-1024/tcp 443/https 53/udp any/udp }')
    found = {n: (r["ipProtocols"], r["destinationPorts"]) for n, (_, _, r) in rules(template(text), "net-").items()}
    assert found == {"p.a_addresses-tcp": (["TCP"], ["1-1024"]), "p.a_addresses-udp": (["UDP"], ["*"])}
    text = policy('allow a "A" { to 192.0.2.1 ports 53/tcp 53/udp }')
    assert only(text)[1]["ipProtocols"] == ["TCP", "UDP"]


# Addresses


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        ("192.0.2.1", ["192.0.2.1"]),
        ("192.0.2.0/24", ["192.0.2.0/24"]),
        ("192.0.2.1-192.0.2.9", ["192.0.2.1-192.0.2.9"]),
        ("192.0.2.0/25 192.0.2.128/25", ["192.0.2.0/24"]),
        ("0.0.0.0/0", ["0.0.0.0/1", "128.0.0.0/1"]),
        ("any-address", ["*"]),
        ("service-tag AzureMonitor", ["AzureMonitor"]),
        ("192.0.2.0/24 except 192.0.2.7", ["192.0.2.0-192.0.2.6", "192.0.2.8-192.0.2.255"]),
    ],
)
def test_addresses(written, addresses):
    text = policy(f'allow a "A" {{ to {written} ports 443/tcp }}')
    assert only(text)[1]["destinationAddresses"] == addresses
    assert announced(text) == {"a": {}}


def test_ipv6_is_left_out():
    text = policy('allow a "A" { to 192.0.2.1 2001:db8::1 ports 443/tcp }', 'allow b "B" { to 2001:db8::2 ports 443 }')
    result = template(text)
    assert rules(result, "net-")["p.a_addresses"][2]["destinationAddresses"] == ["192.0.2.1"]
    assert set(rules(result, "net-")) == {"p.a_addresses"}
    assert announced(text) == {"a": {"family": "warning"}, "b": {"family": "warning"}}
    six = inventory(groups="groups: {one: {networks: ['2001:db8::/64']}}\n")
    assert groups(template(policy('allow a "A" { to x.contoso.com ports 443 }'), six)) == {}
    both = inventory(groups="groups: {one: {networks: [10.0.0.1, '2001:db8::/64']}}\n")
    (part,) = lowering_of(policy('allow a "A" { to x.contoso.com ports 443 }'), both, "f").parts
    assert (part.reach.source_families, part.assumptions) == ({4}, ("azure-ipv6",))


@pytest.mark.parametrize(
    ("networks", "reaches"), [("[10.0.0.1, '2001:db8::/64']", frozenset({4})), ("['2001:db8::/64']", None)]
)
def test_an_ip_group_that_exists_carries_no_ipv6_either(networks, reaches):
    inv = inventory(groups=f"groups: {{one: {{networks: {networks}, objects: {{azure-firewall: ipg}}}}}}\n")
    text = policy('allow a "A" { to x.contoso.com ports 443 }')
    (part,) = lowering_of(text, inv, "f").parts
    assert (part.reach and part.reach.source_families) == reaches
    assert announced(text, inv) == {"a": {"family": "warning"}}


def test_any_source_is_the_same_for_every_rule():
    # `*` is one set of sources, whatever else the groups of a rule hold.
    inv = inventory(groups="groups: {one: {description: somewhere}, two: {networks: [10.0.0.1, '2001:db8::/64']}}\n")
    text = policy(
        'allow a "A" { to x.contoso.com ports 443 }', 'allow b "B" { from one two to y.contoso.com ports 443 }'
    )
    assert {(p.reach.groups, p.reach.source_families) for p in lowering_of(text, inv, "f").parts} == {
        (ANY, BOTH_FAMILIES)
    }


def test_unknown_service_tag_is_an_error_once(tmp_path):
    data = {
        "changeNumber": 7,
        "cloud": "Public",
        "values": [
            {
                "name": "Storage",
                "id": "Storage",
                "properties": {"changeNumber": 1, "region": "", "addressPrefixes": ["20.0.0.0/8"], "systemService": ""},
            }
        ],
    }
    text = policy('allow a "A" { to service-tag storages ports 443/tcp }', 'allow b "B" { to service-tag storages ports 80 }',
                  'allow c "C" { to service-tag STORAGE ports 443/tcp }')  # fmt: skip
    write_project(tmp_path, text, inventory(top="service-tags: tags.json\n"), tags__json=json.dumps(data))
    result = compile_request(Request(paths=(str(tmp_path),), as_of=AS_OF))
    found = [d for d in result.diagnostics if d.code == "E0734"]
    assert [d.span.text for d in found] == ["a"]
    assert "`storage`" in found[0].help


# Sources


def test_accounts_are_dropped():
    text = policy(
        'allow a "A" { to x.contoso.com ports 443 as robot }', before='service-account robot "R" { linux-user robot }'
    )
    assert announced(text) == {"a": {"account": "warning"}}


def test_unbound_group_is_any_source_and_there_is_no_closing_deny():
    inv = inventory(groups="groups: {one: {description: somewhere}}\n")
    text = policy('allow a "A" { to x.contoso.com ports 443 }')
    assert only(text, inv)[1]["sourceAddresses"] == ["*"]
    assert announced(text, inv) == {"a": {"source": "warning"}}
    assert "egressc-closing-deny" not in groups(template(text, inv))
    allowed = inventory(groups="groups: {one: {description: somewhere}}\n", entry="unbound: allowed, ")
    assert rules(template(text, allowed))["closing-deny"][2]["sourceAddresses"] == ["*"]


def test_ip_groups_are_written_once_and_referred_to():
    text = policy(
        'allow a "A" { from one two to x.contoso.com ports 443 }', 'allow b "B" { to y.contoso.com ports 443 }'
    )
    result = template(text, inventory("ip-groups: true"))
    assert [(r["name"], r["location"], r["properties"]) for r in resources(result, "Microsoft.Network/ipGroups")] == [
        ("egressc-one", "westeurope", {"ipAddresses": ["10.1.0.5", "10.1.0.7"]}),
        ("egressc-two", "westeurope", {"ipAddresses": ["10.2.0.0/24"]}),
    ]
    one, two = (f"[resourceId('Microsoft.Network/ipGroups', 'egressc-{n}')]" for n in ("one", "two"))
    found = {n: r["sourceIpGroups"] for n, (_, _, r) in rules(result).items()}
    assert found == {"p.a_https": [one, two], "p.b_https": [one], "closing-deny": [one, two]}


def test_existing_ip_groups_are_referred_to_and_assumed():
    identifier = "/subscriptions/0/resourceGroups/net/providers/Microsoft.Network/ipGroups/ipg-two"
    inv = inventory(groups=f"groups:\n  one: {{objects: {{azure-firewall: ipg-one}}}}\n  two: {{objects: {{azure-firewall: '{identifier}'}}}}\n"
                    "  three: {networks: [10.3.0.1]}\n")  # fmt: skip
    text = policy('allow a "A" { from one two three to x.contoso.com ports 443 }')
    result = template(text, inv)
    assert resources(result, "Microsoft.Network/ipGroups") == []
    found = {n: r.get("sourceIpGroups") or r["sourceAddresses"] for n, (_, _, r) in rules(result).items()}
    named = ["[resourceId('Microsoft.Network/ipGroups', 'ipg-one')]", identifier]
    assert found == {
        "p.a_https": ["10.3.0.1"],
        "p.a_https-ip-groups": named,
        "closing-deny": ["10.3.0.1"],
        "closing-deny-ip-groups": named,
    }
    assumes = lowering_of(text, inv, "f").assumes
    assert "the IP group `ipg-one` exists and holds the networks of `one`" in assumes


def test_an_impossible_ip_group_is_an_error():
    inv = inventory(groups="groups: {one: {objects: {azure-firewall: 'my group!'}}}\n")
    assert "E0733" in codes(policy('allow a "A" { to x.contoso.com ports 443 }'), inv)


def test_no_existing_ip_group_is_overwritten():
    inv = inventory(
        "ip-groups: true",
        groups="groups: {one: {networks: [10.1.0.1]}, two: {objects: {azure-firewall: egressc-ONE}}}\n",
    )
    assert codes(policy('allow a "A" { from one two to x.contoso.com ports 443 }'), inv) == ["E0744"]


# Metadata


def test_expiry_and_log_are_notes():
    text = policy('allow a "A" { to x.contoso.com ports 443 expires 2027-06-30 log off ticket "CHG-1" }')
    assert only(text)[1]["description"] == "A [CHG-1] (p/a; expires=2027-06-30)"
    assert announced(text) == {"a": {"expiry": "note", "log": "note"}}
    text = policy('allow a "A" { to x.contoso.com ports 443 log }')
    assert announced(text) == {"a": {}}
    assert any("AZFWApplicationRule" in s for s in lowering_of(text, inventory(), "f").assumes)


# Denies, order, exceptions


def test_denies_stand_before_allows_and_are_split_by_type():
    text = policy('deny d "D" { to x.contoso.com 192.0.2.1 ports 443 }', 'allow a "A" { to *.contoso.com ports 443 }')
    found = {n: (g, c["name"]) for n, (g, c, _) in rules(template(text)).items()}
    assert found == {
        "p.d_https": ("egressc-deny-p", "app-deny"),
        "p.d_addresses": ("egressc-deny-p", "net-deny"),
        "p.a_https": ("egressc-allow-p", "app-allow"),
        "closing-deny": ("egressc-closing-deny", "app-deny"),
    }


def test_a_deny_that_is_not_exact_and_meets_no_allow_is_left_to_the_closing_deny():
    text = policy('deny d "D" { to *-a.contoso.com ports 443 }', 'allow a "A" { to x.contoso.net ports 443 }')
    assert set(rules(template(text))) == {"p.a_https", "closing-deny"}
    assert [p.left_out for p in lowering_of(text, inventory(), "f").parts] == [False, True]
    # Without a closing deny it is written, wider.
    assert "p.d_https" in rules(template(text, inventory("default-deny: false")))


def test_a_deny_in_the_internal_networks_is_not_left_to_the_closing_deny():
    sets = 'service-account u "U" { linux-user u }'
    text = policy(
        'deny d "D" { to 10.9.0.0/16 ports 22/tcp as u }',
        'deny e "E" { to 198.51.100.1 ports 22/tcp as u }',
        before=sets,
    )
    assert set(rules(template(text))) == {"p.d_addresses", "closing-deny"}


def test_a_widened_deny_that_meets_an_allow_is_an_error():
    text = policy('deny d "D" { to a*.contoso.com ports 443 }', 'allow a "A" { to *.contoso.com ports 443 }')
    assert "E0621" in codes(text)


@pytest.mark.parametrize("allow", ["192.0.2.0/24", "any-address", "service-tag Storage"])
def test_a_deny_by_name_behind_an_allow_by_address_is_an_error(allow):
    text = policy('deny d "D" { to *.blob.core.windows.net ports 443 }', f'allow a "A" {{ to {allow} ports 443/tcp }}')
    result = compilation_of(text, inventory())
    (found,) = [d for d in result.diagnostics if d.code == "E0613"]
    assert found.level is Level.ERROR
    assert "`p/a`" in found.message
    assert announced(text)["d"]["order"] == "error"


def test_order_knows_sources_and_ports():
    apart = policy('deny d "D" { to *.blob.core.windows.net ports 443 }', 'allow a "A" { from two to 192.0.2.1 ports 443/tcp }',
                   'allow b "B" { to 192.0.2.1 ports 22/tcp 443/udp }')  # fmt: skip
    assert announced(apart) == {"d": {}, "a": {}, "b": {}}
    partly = policy('deny d "D" { from one two to *.blob.core.windows.net ports 443 8443/https }',
                    'allow a "A" { from two to 192.0.2.0/24 ports 443/tcp }')  # fmt: skip
    parts = [p for p in lowering_of(partly, inventory(), "f").parts if p.rule.is_deny]
    assert {(frozenset(p.reach.groups), p.reach.ports.tcp, bool(p.reach.exceptions)) for p in parts} == {
        (frozenset({"one"}), ((443, 443), (8443, 8443)), False),
        (frozenset({"two"}), ((8443, 8443),), False),
        (frozenset({"two"}), ((443, 443),), True),
    }
    assert {p.names for p in parts} == {("p.d_https",)}


def test_a_deny_by_name_behind_an_allow_by_resolved_name_is_an_error():
    text = policy(
        'deny d "D" { to *.blob.core.windows.net ports 443 }', 'allow a "A" { to x.contoso.com ports 443/tcp }'
    )
    assert "E0745" in codes(text, inventory("dns-proxy: true"))


def test_a_deny_holds_for_tls_and_http_on_one_port():
    # The application is no part of a flow: who denies TLS to a name on a port denies HTTP there too.
    text = policy('deny d "D" { to x.com ports 443/https 8443/https }', 'allow a "A" { to x.com ports 443/http }')
    result = template(text)
    found = {n: r["protocols"] for n, (_, _, r) in rules(result, "app-deny").items() if n.startswith("p.d")}
    assert found == {
        "p.d_https": [{"protocolType": "Https", "port": 443}, {"protocolType": "Https", "port": 8443}],
        "p.d_https-as-http": [{"protocolType": "Http", "port": 443}],
    }
    assert Firewall(result).decide(Flow("10.1.0.5", "tcp", 443, "192.0.2.1", "x.com", shows="Http")).action == "Deny"
    assert announced(text) == {"d": {}, "a": {}}
    # A path of HTTP is not seen in TLS, so the deny would have to be that of the host.
    text = policy('deny d "D" { to x.com/p ports 443/http }', 'allow a "A" { to x.com ports 443/https }')
    assert codes(text, inventory("tier: Premium")) == ["E0621"]
    same = policy('deny d "D" { to x.com/p ports 443/http }', 'allow a "A" { to x.com ports 443/http }')
    assert codes(same, inventory("tier: Premium")) == []


def test_a_deny_by_address_stops_an_allow_by_name():
    text = policy('deny d "D" { to 198.51.100.0/24 ports 443 }', 'allow a "A" { to x.contoso.com ports 443 }')
    firewall = Firewall(template(text))
    assert (
        firewall.decide(Flow("10.1.0.5", "tcp", 443, "198.51.100.1", "x.contoso.com", shows="Https")).action == "Deny"
    )
    assert firewall.decide(Flow("10.1.0.5", "tcp", 443, "192.0.2.1", "x.contoso.com", shows="Https")).action == "Allow"
    assert announced(text) == {"d": {}, "a": {}}


@pytest.mark.parametrize(("deny", "ports", "said"), [("198.51.100.0/24", "80", True), ("198.51.100.0/24", "443", False),
                                                     ("y.com", "80", False)])  # fmt: skip
def test_that_the_firewall_resolves_names_of_http_itself_is_assumed_where_it_matters(deny, ports, said):
    text = policy(f'deny d "D" {{ to {deny} ports {ports} }}', f'allow a "A" {{ to x.contoso.com ports {ports} }}')
    found = [s for s in lowering_of(text, inventory(), "f").assumes if "resolves the name itself" in s]
    assert len(found) == said


def test_exceptions_are_pairs_behind_all_plain_allows():
    text = policy('allow a "A" { to *.windows.net except *.blob.core.windows.net ports 443 }',
                  'allow b "B" { to x.blob.core.windows.net ports 443 }')  # fmt: skip
    result = template(text)
    group = groups(result)["egressc-except-p"]
    assert group["priority"] == 1900
    assert [(c["name"], c["action"]["type"]) for c in group["ruleCollections"]] == [
        ("app-deny-p.a_https-except", "Deny"),
        ("app-allow-p.a_https-except", "Allow"),
    ]
    firewall = Firewall(result)
    decided = {h: firewall.decide(Flow("10.1.0.5", "tcp", 443, "192.0.2.1", f"{h}.windows.net", shows="Https")).action
               for h in ("login", "y.blob.core", "x.blob.core")}  # fmt: skip
    assert decided == {"login": "Allow", "y.blob.core": "Deny", "x.blob.core": "Allow"}
    assert announced(text) == {"a": {}, "b": {}}


def test_pairs_stand_in_an_order_in_which_none_cuts_into_a_later_one():
    # `a` cuts into what `b` allows, so `b` must stand first, although `a` sorts first.
    text = policy(
        'allow a "A" { to *.x.com except *.y.x.com ports 443 }',
        'allow b "B" { to *.y.x.com except z.y.x.com ports 443 }',
    )
    firewall = Firewall(template(text))
    decided = {h: firewall.decide(Flow("10.1.0.5", "tcp", 443, "192.0.2.1", h, shows="Https")).action
               for h in ("q.x.com", "q.y.x.com", "z.y.x.com")}  # fmt: skip
    assert decided == {"q.x.com": "Allow", "q.y.x.com": "Allow", "z.y.x.com": "Deny"}


def test_pairs_are_ordered_by_what_is_written_not_by_accounts():
    sets = 'service-account u "U" { linux-user u }\nservice-account v "V" { linux-user v }'
    text = policy('allow a "A" { to *.x.com except *.y.x.com ports 443 as u }',
                  'allow b "B" { to *.y.x.com except z.y.x.com ports 443 as v }', before=sets)  # fmt: skip
    firewall = Firewall(template(text))
    assert firewall.decide(Flow("10.1.0.5", "tcp", 443, "192.0.2.1", "q.y.x.com", shows="Https")).action == "Allow"


def test_exceptions_that_cut_into_each_other_are_dropped_aloud():
    text = policy('allow a "A" { to *.x.com except *.a.x.com ports 443 }', 'allow b "B" { to *.a.x.com *.b.x.com except q.b.x.com ports 443 }',
                  'allow c "C" { to *.b.x.com *.c.x.com except r.c.x.com ports 443 }')  # fmt: skip
    assert announced(text) == {"a": {}, "b": {}, "c": {}}
    # Each allows what the other excepts, so nothing is lost without these two exceptions; `v` stays excepted.
    circle = policy('allow a "A" { to *.x.com except *.y.x.com v.x.com ports 443 }',
                    'allow b "B" { to *.x.com except w.x.com v.x.com ports 443 }')  # fmt: skip
    assert announced(circle) == {"a": {}, "b": {}}
    firewall = Firewall(template(circle))
    decided = {h: firewall.decide(Flow("10.1.0.5", "tcp", 443, "192.0.2.1", h, shows="Https")).action
               for h in ("q.y.x.com", "w.x.com", "v.x.com")}  # fmt: skip
    assert decided == {"q.y.x.com": "Allow", "w.x.com": "Allow", "v.x.com": "Deny"}
    # Here `b` excepts what nothing else allows: with the exception of `a` gone, that is let through, and it is said.
    circle = policy('allow a "A" { to *.x.com except *.y.x.com ports 443 }',
                    'allow b "B" { to *.y.x.com *.v.x.com except q.y.x.com q.v.x.com ports 443 }')  # fmt: skip
    assert announced(circle) == {"a": {"except": "error"}, "b": {}}


def test_an_address_is_cut_out_of_names_by_a_network_rule():
    text = policy('allow a "A" { to *.x.com except 198.51.100.0/24 ports 443 }')
    result = template(text)
    assert [c["name"] for c in groups(result)["egressc-except-p"]["ruleCollections"]] == [
        "net-deny-p.a_https-except",
        "app-allow-p.a_https-except",
    ]
    assert announced(text) == {"a": {}}


@pytest.mark.parametrize(
    ("exception", "others", "settings"),
    [
        ("198.51.100.0/24", ('allow b "B" { to y.com ports 443 }',), ""),  # would also cut into b
        ("10.0.0.0/8", (), ""),  # internal networks are left to other rules
        ("198.51.100.0/24", (), "default-deny: false"),  # the deny would decide what no rule does
        ("*-a.x.com", (), ""),  # the deny would be wider than the exception
        ("w.x.com/path", (), ""),  # the path is not seen
    ],
)
def test_exceptions_that_cannot_be_said_are_dropped_aloud(exception, others, settings):
    text = policy(f'allow a "A" {{ to *.x.com except {exception} ports 443 }}', *others)
    assert announced(text, inventory(settings))["a"] == {"except": "error"}
    assert "E0608" in codes(text, inventory(settings))


def test_a_service_tag_that_holds_internal_networks_is_not_cut_out():
    published = {
        "changeNumber": 7,
        "cloud": "Public",
        "values": [
            {
                "name": "Storage",
                "id": "Storage",
                "properties": {"changeNumber": 1, "region": "", "addressPrefixes": ["20.0.0.0/8"], "systemService": ""},
            }
        ],
    }
    text = policy('allow a "A" { to *.x.com except service-tag Storage ports 443 }')
    for internal, expected in (("20.1.0.0/16", ["E0608"]), ("10.0.0.0/8", [])):
        inv = inventory(top=f"service-tags: tags.json\ninternal-networks: [{internal}]\n")
        assert codes(text, inv, tags__json=json.dumps(published)) == expected


def test_names_cannot_be_cut_out_of_addresses():
    text = policy('allow a "A" { to 198.51.100.0/24 except w.x.com ports 443 }')
    assert announced(text) == {"a": {"except": "error"}}


# The default


def test_the_closing_deny_is_an_application_rule_of_the_governed_sources():
    text = policy('allow a "A" { to x.contoso.com ports 443 }')
    result = template(text)
    group, collection, rule = rules(result)["closing-deny"]
    assert (group, groups(result)[group]["priority"], collection["name"]) == ("egressc-closing-deny", 1999, "app-deny")
    assert rule["sourceAddresses"] == ["10.1.0.5", "10.1.0.7", "10.2.0.0/24"]
    assert rule["protocols"] == [{"protocolType": "Http", "port": 80}, {"protocolType": "Https", "port": 443}]
    assert rule["targetFqdns"] == ["*"]
    assert "egressc-closing-deny" not in groups(template(text, inventory("default-deny: false")))


def test_internal_networks_are_left_to_network_rules_of_others():
    result = template(policy('allow a "A" { to x.contoso.com ports 443 }'))
    other = {
        "type": "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
        "name": "fw/internal",
        "properties": {"priority": 5000, "ruleCollections": [{"name": "internal", "priority": 100, "action": {"type": "Allow"},
            "rules": [{"ruleType": "NetworkRule", "name": "internal", "sourceAddresses": ["*"], "ipProtocols": ["TCP"],
                       "destinationAddresses": ["10.0.0.0/8"], "destinationPorts": ["*"]}]}]},
    }  # fmt: skip
    result["resources"].append(other)
    firewall = Firewall(result)
    assert (
        firewall.decide(Flow("10.1.0.5", "tcp", 443, "10.9.9.9", "app.corp.example", shows="Https")).action == "Allow"
    )
    assert (
        firewall.decide(Flow("10.1.0.5", "tcp", 443, "192.0.2.1", "app.corp.example", shows="Https")).action == "Deny"
    )
