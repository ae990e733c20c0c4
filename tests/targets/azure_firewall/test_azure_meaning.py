"""What rules mean, by Microsoft's pages: rule-processing.md, firewall-faq.yml, premium-features.md."""

from __future__ import annotations

import pytest
from azure_reading import (
    PLACE,
    POLICY,
    allowed,
    allows,
    app,
    collection,
    decided,
    doubts,
    group,
    inspected,
    net,
    reading,
    site,
)  # fmt: skip

from egressc.meaning import UnreadableError

PARENT = f"{PLACE}/firewallPolicies/base"


def described(identifier=POLICY, base=None, **more):
    """A policy as `az network firewall policy show` gives it."""
    return {
        "id": identifier, "name": identifier.rpartition("/")[2], "type": "Microsoft.Network/FirewallPolicies",
        "basePolicy": {"id": base} if base else None, "sku": {"tier": "Premium"}, "threatIntelMode": "Alert",
        "dnsSettings": {"enableProxy": True, "servers": []},
        "transportSecurity": {"certificateAuthority": {"name": "ca", "keyVaultSecretId": "https://kv/secrets/ca"}}, **more,
    }  # fmt: skip


def _any(name, kind):
    return net(name, "*") if kind == "net" else app(name, "*")


# -- order


def example():
    """The example of rule-processing.md: a parent with two groups and a child with three.

    | group | priority | collections |
    | BaseRCG1 | 200 | DNATRC1 600, NetworkRC1 800 | BaseRCG2 | 300 | AppRC2 1200, NetworkRC2 1300 |
    | ChildRCG1 | 200 | ChNetRC1 700, ChAppRC1 900 | ChildRCG2 | 650 | ChNetRC2 1100, ChAppRC2 2000, ChDNATRC3 3000 |
    """
    groups = (
        (PARENT, "BaseRCG1", 200, (("NetworkRC1", 800, "net"),)),
        (PARENT, "BaseRCG2", 300, (("AppRC2", 1200, "app"), ("NetworkRC2", 1300, "net"))),
        (POLICY, "ChildRCG1", 200, (("ChNetRC1", 700, "net"), ("ChAppRC1", 900, "app"))),
        (POLICY, "ChildRCG2", 650, (("ChNetRC2", 1100, "net"), ("ChAppRC2", 2000, "app"))),
    )
    return [
        group(name, priority, *(collection(n, p, "Allow", _any(n, kind)) for n, p, kind in collections), policy=policy)
        for policy, name, priority, collections in groups
    ]


ORDER = ["NetworkRC1", "NetworkRC2", "ChNetRC1", "ChNetRC2", "AppRC2", "ChAppRC1", "ChAppRC2"]


def test_the_example_of_rule_processing():
    groups = example()
    meaning = reading(groups[::-1], described(base=PARENT), described(PARENT))
    assert [ruling.name for ruling in meaning.rulings if ruling.name in ORDER] == ORDER
    assert decided(meaning, "w.example.com") == ("NetworkRC1", "allow")
    for number, name in enumerate(ORDER):
        left = [
            {**g, "ruleCollections": [c for c in g["ruleCollections"] if c["name"] not in ORDER[:number]]}
            for g in groups
        ]
        assert decided(reading(left, described(base=PARENT), described(PARENT)), "w.example.com") == (name, "allow")


def test_priorities_and_not_the_order_of_the_file_count():
    deny = group("b", 100, collection("c", 300, "Deny", app("deny", "w.example.com")))
    allow = group("a", 200, collection("c", 100, "Allow", app("allow", "w.example.com")))
    assert decided(reading([allow, deny]), "w.example.com") == ("deny", "deny")
    inside = group(
        "a",
        200,
        collection("x", 200, "Allow", app("allow", "w.example.com")),
        collection("y", 100, "Deny", app("deny", "*")),
    )
    assert decided(reading(inside), "w.example.com") == ("deny", "deny")


def test_rules_of_a_collection_are_taken_in_their_order():
    live = allows(app("first", "*.example.com"), app("second", "w.example.com"))
    assert decided(reading(live), "w.example.com") == ("first", "allow")


def test_a_network_rule_beats_every_application_rule():
    live = [
        group("a", 100, collection("c", 100, "Deny", app("app", "*"))),
        group("z", 65000, collection("c", 65000, "Allow", net("net", "*"))),
    ]
    assert decided(reading(live), "w.example.com") == ("net", "allow")


def test_a_parent_beats_the_child_whatever_the_priorities():
    base = group("base", 65000, collection("c", 65000, "Deny", app("parent", "w.example.com")), policy=PARENT)
    child = group("child", 100, collection("c", 100, "Allow", app("child", "w.example.com")))
    meaning = reading([child], [base], described(base=PARENT), described(PARENT))
    assert decided(meaning, "w.example.com") == ("parent", "deny")
    # The parent of another policy is no matter of ours.
    meaning = reading([child], [base], described())
    assert decided(meaning, "w.example.com") == ("child", "allow")
    assert any("`base`" in remark for remark in meaning.remarks)


def test_grandparents_come_first():
    top = f"{PLACE}/firewallPolicies/top"
    base = group("b", 100, collection("c", 100, "Allow", app("parent", "w.example.com")), policy=PARENT)
    upper = group("t", 500, collection("c", 100, "Deny", app("grandparent", "w.example.com")), policy=top)
    files = (
        [base, upper, allows(app("child", "*"))],
        described(base=PARENT),
        described(PARENT, base=top),
        described(top),
    )
    assert decided(reading(*files), "w.example.com") == ("grandparent", "deny")


def test_whose_parent_another_policy_is_has_to_be_said():
    base = group("base", 200, collection("c", 200, "Deny", app("parent", "w.example.com")), policy=PARENT)
    child = allows(app("child", "w.example.com"))
    assert decided(reading([child, base]), "w.example.com") == ("parent", "unknown")


def test_a_parent_without_its_rules_makes_everything_unknown():
    child = allows(app("child", "w.example.com"))
    for files in ((described(base=PARENT),), (described(base=PARENT), described(PARENT))):
        assert allowed(reading(child, *files), "w.example.com") == "unknown"
    empty = described(PARENT, ruleCollectionGroups=[])
    assert allowed(reading(child, described(base=PARENT), empty), "w.example.com") == "allow"


def test_a_group_that_the_policy_lists_and_nobody_gave_makes_everything_unknown():
    listed = [{"id": f"{POLICY}/ruleCollectionGroups/{name}"} for name in ("main", "other")]
    child = allows(app("child", "w.example.com"))
    assert allowed(reading(child, described(ruleCollectionGroups=listed)), "w.example.com") == "unknown"
    assert allowed(reading(child, described(ruleCollectionGroups=listed[:1])), "w.example.com") == "allow"


def test_a_circle_of_parents_is_unreadable():
    with pytest.raises(UnreadableError, match="own parent"):
        reading(allows(), described(base=PARENT), described(PARENT, base=POLICY))


# -- names


@pytest.mark.parametrize(
    ("pattern", "host", "expected"),
    [
        # firewall-faq.yml, the table of wildcards
        ("*.contoso.com", "any.contoso.com", True),
        ("*.contoso.com", "sub1.any.contoso.com", True),
        ("*.contoso.com", "contoso.com", False),
        ("*.contoso.com", "anycontoso.com", False),
        ("*contoso.com", "example.anycontoso.com", True),
        ("*contoso.com", "sub1.example.contoso.com", True),
        ("*contoso.com", "contoso.com", True),
        ("*contoso.com", "th3re4lcontoso.com", True),
        ("*contoso.com", "contoso.com.evil.example", False),
        ("www.contoso.com", "www.contoso.com", True),
        ("www.contoso.com", "a.www.contoso.com", False),
        ("WWW.Contoso.com", "www.contoso.com", True),
        ("*-scus.contoso.com", "a-scus.contoso.com", True),
        ("*-scus.contoso.com", "b.a-scus.contoso.com", True),
        ("*-scus.contoso.com", "scus.contoso.com", False),
        ("*", "anything.example", True),
    ],
)
def test_wildcards_of_names(pattern, host, expected):
    meaning = reading(allows(app("r", pattern)))
    assert (decided(meaning, host) == ("r", "allow")) is expected
    assert not [r.doubt for r in meaning.rulings if r.name == "r" and r.doubt]


@pytest.mark.parametrize(
    "pattern", ["www.contoso.*", "*.contoso.*", "www.*contoso.com", "**.x.com", "*.*.x.com", "münchen.de"]
)
def test_wildcards_that_are_not_supported_are_a_doubt(pattern):
    assert decided(reading(allows(app("r", pattern))), "www.contoso.com") == ("r", "unknown")


@pytest.mark.parametrize(
    ("urls", "path", "expected"),
    [
        # the table for target URLs; `unknown`: a flow's path has no slash at its end, and one entry alone is no path of ours
        (["www.contoso.com/test", "www.contoso.com/test/*"], "/test", "allow"),
        (["www.contoso.com/test", "www.contoso.com/test/*"], "/test/anything", "allow"),
        (["www.contoso.com/test", "www.contoso.com/test/*"], "/testing", "deny"),
        (["www.contoso.com/test"], "/test/x", "unknown"),
        (["www.contoso.com/test/*"], "/test", "unknown"),
        (["www.contoso.com/test/*"], "/other", "deny"),
        (["www.contoso.com", "www.contoso.com/*"], "/any", "allow"),
        (["*.contoso.com/a", "*.contoso.com/a/*"], "/a", "allow"),
        (["www.contoso.com/a?b=c"], "/a", "unknown"),
        (["www.contoso.com:8080/a"], "/a", "unknown"),
        # targets are alternatives: half a path beside a whole one takes nothing from it
        (["www.contoso.com/a", "www.contoso.com/b", "www.contoso.com/a/*"], "/a/x", "allow"),
        (["www.contoso.com/a", "www.contoso.com/b", "www.contoso.com/a/*"], "/b", "unknown"),
        (["www.contoso.com/b/*", "www.contoso.com/a", "www.contoso.com/a/*"], "/a", "allow"),
        (["www.contoso.com/b/*", "www.contoso.com/a", "www.contoso.com/a/*"], "/c", "deny"),
        # nobody knows whether a rule with such a target is taken at all
        (["www.contoso.com/a", "www.contoso.com/a/*", "www.contoso.com/a?b=c"], "/a", "unknown"),
    ],
)
def test_wildcards_of_urls(urls, path, expected):
    rule = app("r", protocols=[("Http", 8080)], targetFqdns=None, targetUrls=urls)
    assert allowed(reading(allows(rule)), "www.contoso.com", 8080, path=path) == expected


HALF = ["www.contoso.com/a", "www.contoso.com/a/*", "www.contoso.com/b"]


@pytest.mark.parametrize(
    "more",
    [
        {"protocols": [("Https", 443)]},  # without TLS inspection nobody sees a path in HTTPS
        {"protocols": [("Http", 443), ("Mssql", 443)]},
        {"protocols": [("Http", 443)], "targetFqdns": ["other.example.com"]},
        {"protocols": [("Http", 443)], "webCategories": ["News"]},
        {"protocols": [("Http", 443)], "sourceAddresses": ["who knows"]},
    ],
)
def test_a_whole_path_is_doubtful_where_more_than_another_path_is(more):
    rule = app("r", **{"targetFqdns": None, **more}, targetUrls=HALF)
    assert allowed(reading(allows(rule)), "www.contoso.com", path="/a") == "unknown"


def test_a_path_that_is_denied_beside_half_a_path_is_denied():
    denied = app("r", protocols=[("Http", 8080)], targetFqdns=None, targetUrls=HALF)
    every = app("s", "*", protocols=[("Http", 8080)])
    groups = [group("g", 100, collection("d", 100, "Deny", denied), collection("a", 200, "Allow", every))]
    meaning = reading(groups)
    assert allowed(meaning, "www.contoso.com", 8080, path="/a") == "deny"
    assert allowed(meaning, "www.contoso.com", 8080, path="/b") == "unknown"


def test_application_rules_match_the_protocols_that_they_name_and_nothing_else():
    meaning = reading(allows(app("r", "w.example.com", protocols=[("Https", 443), ("Http", 8080)])))
    assert decided(meaning, "w.example.com", 443) == ("r", "allow")
    assert decided(meaning, "w.example.com", 8080) == ("r", "allow")
    assert decided(meaning, "w.example.com", 8443) == ("(default)", "deny")
    assert decided(meaning, "w.example.com", 443, transport="udp") == ("(default)", "deny")
    assert decided(meaning, None, 443) == ("(default)", "deny")
    # "the firewall ignores the packet's destination IP address"
    assert decided(meaning, "w.example.com", 443, address="10.99.0.1") == ("r", "allow")


def test_names_in_network_rules_are_known_by_their_address():
    rule = net("r", ports=["1433"], destinationFqdns=["sql.example.com"])
    meaning = reading(allows(rule), described())
    assert decided(meaning, "sql.example.com", 1433) == ("r", "allow")
    assert decided(meaning, "w.example.com", 1433, shared="sql.example.com") == ("r", "allow")
    assert decided(meaning, "w.example.com", 1433) == ("(default)", "deny")
    without = described(dnsSettings={"enableProxy": False})
    assert decided(reading(allows(rule), without), "sql.example.com", 1433) == ("r", "unknown")


# -- addresses, ports, sources


def test_destinations_and_ports():
    rule = net(
        "r",
        "203.0.113.0/28",
        "203.0.113.100-203.0.113.109",
        "2001:db8::/32",
        ports=["443", "8000-8080"],
        protocols=["UDP"],
    )
    meaning = reading(allows(rule))
    for address in ("203.0.113.15", "203.0.113.109", "2001:db8::1"):
        assert decided(meaning, None, 8080, address=address, transport="udp") == ("r", "allow")
        assert decided(meaning, None, 8080, address=address) == ("(default)", "deny")
        assert decided(meaning, None, 8081, address=address, transport="udp") == ("(default)", "deny")
    for address in ("203.0.113.16", "203.0.113.110", "2001:db9::1"):
        assert decided(meaning, None, 443, address=address, transport="udp") == ("(default)", "deny")


def test_any_protocol_is_tcp_and_udp_where_a_port_is_given():
    # rule-processing.md, note in "Outbound connectivity"
    meaning = reading(allows(net("r", "*", protocols=["Any"], ports=["53"])))
    assert decided(meaning, None, 53) == decided(meaning, None, 53, transport="udp") == ("r", "allow")
    assert decided(meaning, None, 54) == ("(default)", "deny")


def test_service_tags_are_opaque_in_lower_case_and_beside_addresses():
    (ruling,) = reading(allows(net("r", "AzureMonitor", "Storage.WestEurope", "203.0.113.10"))).rulings[:1]
    assert sorted(sorted(block.tags) for block in ruling.blocks) == [[], ["azuremonitor"], ["storage.westeurope"]]
    assert not ruling.doubt


def test_sources():
    meaning = reading(allows(app("r", "w.example.com", sources=["10.1.0.0/28", "10.1.0.64-10.1.0.65"])))
    for source, expected in (("10.1.0.15", "r"), ("10.1.0.65", "r"), ("10.1.0.16", None), ("10.1.0.66", None)):
        assert (decided(meaning, "w.example.com", source=source)[0] == "r") is (expected == "r")


# -- what nothing matches


def test_what_no_rule_matches_is_denied():
    meaning = reading(allows(app("r", "w.example.com")))
    assert meaning.default == "deny"


def test_infrastructure_names_may_get_through_unless_a_last_rule_denies_all():
    # rule-processing.md, "Infrastructure rule collection"
    allow = collection("a", 200, "Allow", app("r", "w.example.com"))
    last = app("last", "*", protocols=[("Http", 80), ("Https", 443)])
    for closing, port, expected in (
        (None, 443, "unknown"),
        (last, 443, "deny"),
        (last, 80, "deny"),
        (app("last", "*"), 80, "unknown"),  # HTTP stays open
        (app("last", "*", sources=["10.1.0.5"], protocols=[("Http", 80), ("Https", 443)]), 443, "unknown"),
        (app("last", "*.com", protocols=[("Http", 80), ("Https", 443)]), 443, "unknown"),
    ):
        parts = [allow] + ([collection("z", 900, "Deny", closing)] if closing else [])
        assert allowed(reading(group("main", 200, *parts)), "x.example.net", port, source="10.1.0.6") == expected
    assert allowed(reading(group("main", 200, allow), where=site(closing=False)), "x.example.net") == "deny"


def test_a_deny_of_all_before_an_allow_is_a_rule_like_any_other():
    last = app("last", "*", protocols=[("Http", 80), ("Https", 443)])
    live = group(
        "main", 200, collection("z", 100, "Deny", last), collection("a", 200, "Allow", app("r", "w.example.com"))
    )
    assert decided(reading(live), "w.example.com") == ("last", "deny")


# -- HTTP and HTTPS on one port


def mixed(*denies):
    allow = app("allow", "*.example.com", protocols=[("Http", 8443)])
    other = app("other", "*.example.org", protocols=[("Https", 8443)])
    return group("main", 200, collection("d", 100, "Deny", *denies), collection("a", 200, "Allow", allow, other))


def test_a_deny_of_https_does_not_surely_stop_http_on_the_same_port():
    https = app("deny", "w.example.com", protocols=[("Https", 8443)])
    assert decided(reading(mixed(https)), "w.example.com", 8443) == ("deny", "unknown")
    http = app("double", "w.example.com", protocols=[("Http", 8443)])
    assert decided(reading(mixed(https, http)), "w.example.com", 8443) == ("deny", "deny")
    both = app("deny", "w.example.com", protocols=[("Https", 8443), ("Http", 8443)])
    assert decided(reading(mixed(both)), "w.example.com", 8443) == ("deny", "deny")


def test_a_deny_of_one_protocol_is_sure_where_nothing_allows_its_names_by_the_other():
    https = app("deny", "w.example.net", protocols=[("Https", 8443)])
    assert decided(reading(mixed(https)), "w.example.net", 8443) == ("deny", "deny")
    wide = app("deny", "w.example.com", protocols=[("Https", 8443), ("Https", 443)])
    meaning = reading(mixed(wide))
    assert decided(meaning, "w.example.com", 443) == ("deny", "deny")
    assert decided(meaning, "w.example.com", 8443) == ("deny", "unknown")


def test_an_allow_by_the_other_protocol_that_stands_before_takes_nothing_from_a_deny():
    first = collection("a", 100, "Allow", app("first", "w.example.com", protocols=[("Http", 8443)]))
    deny = collection("b", 200, "Deny", app("deny", "*.example.com", protocols=[("Https", 8443)]))
    last = collection("c", 300, "Allow", app("last", "*.example.org", protocols=[("Https", 8443)]))
    meaning = reading(group("main", 200, first, deny, last))
    assert decided(meaning, "w.example.com", 8443) == ("first", "allow")
    assert decided(meaning, "v.example.com", 8443) == ("deny", "deny")


# -- TLS inspection


OPENED = app("opened", "*.example.com", terminateTLS=True)


def test_only_application_rules_that_terminate_tls_open_it():
    meaning = reading(allows(OPENED, app("closed", "*.example.org")), described())
    assert inspected(meaning, "w.example.com") == "inspect"
    assert inspected(meaning, "w.example.org") == "exempt"
    assert inspected(meaning, "w.example.com", 8443) == "exempt"
    assert reading(allows(app("closed", "*.example.org"))).inspections == ()
    assert (
        reading(allows(app("plain", "*.example.org", protocols=[("Http", 443)], terminateTLS=True))).inspections == ()
    )


def test_the_rule_that_matches_first_says_whether_tls_is_opened():
    closed = app("closed", "w.example.com", sources=["10.1.0.5"])
    meaning = reading(allows(closed, OPENED))
    assert inspected(meaning, "w.example.com") == "exempt"
    assert inspected(meaning, "w.example.com", source="10.1.0.6") == "inspect"
    assert inspected(meaning, "v.example.com") == "inspect"
    assert inspected(reading(allows(OPENED, closed)), "w.example.com") == "inspect"
    plain = app("closed", "w.example.com", protocols=[("Http", 443)])
    assert inspected(reading(allows(plain, OPENED)), "w.example.com") == "inspect"


def test_what_a_network_rule_lets_through_is_never_opened():
    live = group(
        "main",
        200,
        collection("n", 900, "Allow", net("n", "203.0.113.0/24", "AzureCloud", ports=["443"])),
        collection("a", 100, "Allow", OPENED),
    )
    meaning = reading(live)
    assert inspected(meaning, "w.example.com", address="203.0.113.10") == "exempt"
    assert inspected(meaning, "w.example.com", address="198.51.100.1") == "inspect"
    (ruling,) = meaning.inspections
    assert ruling.blocks[0].no_tags == {"azurecloud"}
    assert (
        reading(
            group("main", 200, collection("n", 900, "Allow", net("n", "*")), collection("a", 100, "Allow", OPENED))
        ).inspections
        == ()
    )
    named = net("n", destinationFqdns=["sql.example.com"])
    meaning = reading(group("main", 200, collection("n", 900, "Allow", named), collection("a", 100, "Allow", OPENED)))
    assert inspected(meaning, "w.example.com") == "perhaps"


def test_to_see_a_path_the_firewall_opens_the_whole_host():
    rule = app("r", targetFqdns=None, targetUrls=["w.example.com/a", "w.example.com/a/*"], terminateTLS=True)
    meaning = reading(allows(rule))
    assert inspected(meaning, "w.example.com", path="/a/b") == "inspect"
    assert inspected(meaning, "w.example.com", path="/b") == "perhaps"


@pytest.mark.parametrize("policy", [described(sku={"tier": "Standard"}), described(transportSecurity=None)])
def test_a_policy_that_cannot_inspect_may_open_nothing(policy):
    assert inspected(reading(allows(OPENED), policy), "w.example.com") == "perhaps"


def test_whether_tls_is_terminated_may_not_be_known():
    assert inspected(reading(allows(app("r", "w.example.com", terminateTLS="perhaps"))), "w.example.com") == "perhaps"
    assert inspected(reading(allows(app("r", "w.example.com", terminateTLS=None))), "w.example.com") == "exempt"


def test_nothing_of_this_is_a_doubt():
    closing = app("last", "*", protocols=[("Http", 80), ("Https", 443)])
    live = [*example()[2:], group("z", 60000, collection("z", 100, "Deny", closing))]
    assert doubts(reading(live, described())) == []
