"""What `az` and the REST API give: one object, a list, a page, flattened or not; policies and IP groups beside it."""

from __future__ import annotations

import json

import pytest
from azure_reading import (
    PLACE,
    POLICY,
    allowed,
    allows,
    app,
    artefact,
    collection,
    decided,
    doubts,
    flow,
    group,
    net,
    reading,
    site,
)  # fmt: skip

from egressc.drift import Deciding
from egressc.meaning import Outcome, UnreadableError
from egressc.targets.azure_firewall.read import read

RULE = app("r", "w.example.com")
LIVE = allows(RULE)


def rest(resource):
    """The same resource as the REST API gives it: with `properties`."""
    own = {key: resource[key] for key in ("id", "name", "type", "etag") if key in resource}
    rest_ = {key: value for key, value in resource.items() if key not in {*own, "resourceGroup"}}
    return {**own, "properties": rest_}


@pytest.mark.parametrize(
    "given",
    [
        LIVE,
        [LIVE],
        rest(LIVE),
        {"value": [rest(LIVE)]},
        {"value": [rest(LIVE)], "nextLink": None},
        {key: value for key, value in LIVE.items() if key != "type"},
        {key: value for key, value in LIVE.items() if key not in {"id", "type"}},
        {key: value for key, value in rest(LIVE).items() if key not in {"id", "type", "name"}},
    ],
)
def test_forms_of_a_group(given):
    meaning = reading(given)
    assert decided(meaning, "w.example.com") == ("r", "allow")
    assert decided(meaning, "w.example.com", 80) == ("(infrastructure rule collection)", "unknown")
    assert decided(meaning, "v.example.com", 8443) == ("(default)", "deny")


def test_letter_case_of_keys_and_words_does_not_count():
    text = json.dumps(LIVE)
    for old, new in (
        ("ruleCollections", "RuleCollections"), ("terminateTLS", "terminateTls"), ('"Allow"', '"allow"'),
        ('"ApplicationRule"', '"applicationRule"'), ('"Https"', '"HTTPS"'), ("FirewallPolicyFilter", "firewallPolicyFilter"),
    ):  # fmt: skip
        text = text.replace(old, new)
    assert decided(reading(text.encode()), "w.example.com") == ("r", "allow")


def test_text_encodings():
    # PowerShell 5.1 writes UTF-16 with a mark when it redirects.
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert allowed(reading(json.dumps(LIVE).encode(encoding)), "w.example.com") == "allow"


def test_a_page_that_goes_on_is_unreadable():
    with pytest.raises(UnreadableError, match="nextLink"):
        reading({"value": [rest(LIVE)], "nextLink": "https://management.azure.com/…"})


def test_no_rules_at_all_is_a_configuration():
    assert allowed(reading([]), "w.example.com", 8443) == "deny"
    described = {
        "id": POLICY,
        "name": "egress",
        "type": "Microsoft.Network/FirewallPolicies",
        "ruleCollectionGroups": [],
    }
    assert allowed(reading(described), "w.example.com", 8443) == "deny"
    described["ruleCollectionGroups"] = [{"id": f"{POLICY}/ruleCollectionGroups/main"}]
    with pytest.raises(UnreadableError, match="no rule collection groups"):
        reading(described)


def test_a_collection_without_its_group_is_unreadable():
    with pytest.raises(UnreadableError, match="without its group"):
        reading([collection("c", 100, "Allow", RULE)])


def test_one_group_in_two_files():
    assert allowed(reading(LIVE, [LIVE]), "w.example.com") == "allow"
    changed = json.loads(json.dumps(LIVE).replace("w.example.com", "v.example.com"))
    with pytest.raises(UnreadableError, match=r"`live0\.json`, too"):
        reading(LIVE, changed)


# -- sources


def ip_group(name, *addresses, place=PLACE):
    return {
        "id": f"{place}/ipGroups/{name}", "name": name, "type": "Microsoft.Network/IpGroups", "resourceGroup": "net",
        "ipAddresses": list(addresses), "firewalls": [], "firewallPolicies": [{"id": POLICY}],
    }  # fmt: skip


def of_ip_group(*names, place=PLACE):
    return allows(app("r", "w.example.com", sources=(), sourceIpGroups=[f"{place}/ipGroups/{name}" for name in names]))


def test_ip_groups_are_looked_up_by_their_identifier():
    live, known = of_ip_group("Ipg-One"), ip_group("ipg-one", "10.1.0.0/28", "10.1.0.100-10.1.0.101")
    for form in (known, [known], {"value": [rest(known)]}):
        meaning = reading(live, form)
        assert decided(meaning, "w.example.com", source="10.1.0.15") == ("r", "allow")
        assert decided(meaning, "w.example.com", source="10.1.0.101") == ("r", "allow")
        assert decided(meaning, "w.example.com", source="10.1.0.16")[0] != "r"


def test_an_ip_group_that_nobody_gave_is_a_doubt():
    meaning = reading(of_ip_group("ipg-one"))
    assert decided(meaning, "w.example.com", source="10.1.0.15") == ("r", "unknown")
    other = ip_group("ipg-one", "10.1.0.0/28", place=PLACE.replace("/net/", "/other/"))
    assert decided(reading(of_ip_group("ipg-one"), other), "w.example.com") == ("r", "unknown")


def test_an_ip_group_of_the_inventory_is_an_object_even_if_its_networks_are_given():
    for files in ((of_ip_group("ipg-two"),), (of_ip_group("IPG-TWO"), ip_group("ipg-two", "192.0.2.0/24"))):
        meaning = reading(*files)
        assert decided(meaning, "w.example.com", of="ipg-two", source="") == ("r", "allow")
        assert decided(meaning, "w.example.com", source="10.1.0.5")[0] != "r"
        assert not any("IP group" in doubt for doubt in doubts(meaning))


def test_an_ip_group_of_another_resource_group_is_not_that_of_the_inventory():
    meaning = reading(of_ip_group("ipg-two", place=PLACE.replace("/net/", "/other/")))
    assert decided(meaning, "w.example.com", of="ipg-two", source="") == ("r", "unknown")
    named = site(groups=f"  two: {{objects: {{azure-firewall: '{PLACE}/ipGroups/ipg-two'}}}}\n")
    meaning = reading(of_ip_group("ipg-two"), where=named)
    assert decided(meaning, "w.example.com", of=f"{PLACE}/ipGroups/ipg-two", source="") == ("r", "allow")


def test_a_destination_ip_group():
    rule = net("r", sources=["10.1.0.5"], destinationIpGroups=[f"{PLACE}/ipGroups/dst"])
    meaning = reading(allows(rule), ip_group("dst", "203.0.113.0/28"))
    assert decided(meaning, address="203.0.113.10") == ("r", "allow")
    assert decided(meaning, address="203.0.113.16") == ("(default)", "deny")
    assert decided(reading(allows(rule)), address="203.0.113.16") == ("r", "unknown")


# -- what is not understood


@pytest.mark.parametrize(
    "rule",
    [
        app("r", "w.example.com", sources=()),
        app("r", "w.example.com", sources=["10.1.0.5"], sourceIpGroups=[f"{PLACE}/ipGroups/ipg-two"]),
        app("r", "w.example.com", sources=["AzureCloud"]),
        app("r", "w.example.com", sources=["10.1.0.5/24"]),
        app("r", "w.example.com", protocols=()),
        app("r", "w.example.com", protocols=[("Mssql", 443)]),
        app("r", "w.example.com", protocols=[("Https", None)]),
        app("r", "w.example.com", destinationAddresses=["203.0.113.0/24"]),
        app("r", "w.example.com", futureKey=True),
        app("r", "w.example.com", webCategories=["Gambling"]),
        app("r", fqdnTags=["WindowsUpdate"]),
        app("r"),
        app("r", targetFqdns="w.example.com"),
        app("r", "www.contoso.*"),
        app("r", "http://w.example.com"),
        app("r", targetFqdns=None, targetUrls=["w.example.com/a", "w.example.com/a/*"]),
        net("r"),
        net("r", "*", destinationFqdns=["w.example.com"]),
        net("r", destinationFqdns=["*.example.com"]),
        net("r", "*", ports=()),
        net("r", "*", ports=["443-80"]),
        net("r", "*", ports=["x"]),
        net("r", "*", protocols=()),
        net("r", "*", protocols=["SCTP"]),
        net("r", "203.0.113.300"),
        {"ruleType": "QuantumRule", "name": "r"},
        {"name": "r"},
    ],
)  # fmt: skip
def test_what_is_not_understood_of_a_rule_is_a_doubt_about_what_it_may_match(rule):
    meaning = reading(allows(rule))
    (ruling,) = [each for each in meaning.rulings if each.name == "r"]
    assert ruling.doubt
    assert Deciding((ruling,)).of(flow("w.example.com", path="/a")) == (ruling,)


@pytest.mark.parametrize(
    "change",
    [
        {"action": {"type": "Audit"}},
        {"action": None},
        {"ruleCollectionType": "FirewallPolicyFutureRuleCollection"},
        {"futureKey": 1},
    ],
)
def test_what_is_not_understood_of_a_collection_is_a_doubt_about_its_rules(change):
    live = group("main", 200, {**collection("c", 200, "Allow", RULE), **change})
    meaning = reading(live)
    assert decided(meaning, "w.example.com") == ("r", "unknown")
    if "action" in change:
        assert {ruling.outcome for ruling in meaning.rulings if ruling.name == "r"} == {Outcome.ALLOW, Outcome.DENY}


def test_collections_of_one_priority_have_no_known_order():
    live = group(
        "main", 200, collection("a", 200, "Allow", RULE), collection("b", 200, "Deny", app("s", "w.example.com"))
    )
    assert decided(reading(live), "w.example.com") == ("r", "unknown")
    two = [
        group("one", 200, collection("a", 200, "Allow", RULE)),
        group("two", 200, collection("b", 300, "Deny", RULE)),
    ]
    assert decided(reading(two), "w.example.com") == ("r", "unknown")


def test_dnat_is_left_aside_with_a_remark():
    nat = {
        "ruleCollectionType": "FirewallPolicyNatRuleCollection", "name": "dnat", "priority": 100, "action": {"type": "DNAT"},
        "rules": [{
            "ruleType": "NatRule", "name": "n", "ipProtocols": ["TCP"], "sourceAddresses": ["*"], "destinationPorts": ["443"],
            "destinationAddresses": ["198.51.100.1"], "translatedAddress": "10.0.0.4", "translatedPort": "8443",
        }],
    }  # fmt: skip
    meaning = reading(group("main", 200, nat, collection("c", 200, "Allow", RULE)))
    assert decided(meaning, "w.example.com") == ("r", "allow")
    assert any("DNAT" in remark for remark in meaning.remarks)


def test_rules_about_nothing_over_tcp_or_udp_decide_nothing():
    meaning = reading(allows(net("ping", "*", protocols=["ICMP"], ports=["*"])))
    assert not any(ruling.name == "ping" for ruling in meaning.rulings)
    assert any("`ping`" in remark for remark in meaning.remarks)


def test_http_headers_change_nothing_about_who_gets_through():
    rule = app("r", "w.example.com", httpHeadersToInsert=[{"headerName": "X", "headerValue": "y"}])
    assert decided(reading(allows(rule)), "w.example.com") == ("r", "allow")


def test_files_by_their_contents_and_not_their_names():
    files = [artefact(LIVE, "whatever.txt"), artefact([ip_group("x", "10.0.0.1")], "template.json")]
    assert decided(read(site(), files), "w.example.com") == ("r", "allow")
