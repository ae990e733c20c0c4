"""Groups behind a proxy: what of a rule goes directly, the rule to the proxy, and what is wrong with either."""

from __future__ import annotations

import json
import tempfile

import pytest
from growth import assert_near_linear
from support import AS_OF, compilation_of, everything_of, prepared_of, site_of, sites_of, write_project

from egressc.api import load
from egressc.bind import bind_everything, prepare
from egressc.policy import Action

GATEWAY = (
    "{target: iptables, settings: {mode: gateway, interface: lan0, dnsmasq: {user: dnsmasq, servers: [10.9.9.9]}}}"
)
TAGS = json.dumps(
    {
        "changeNumber": 1,
        "cloud": "Public",
        "values": [
            {"name": name, "id": name, "properties": {"addressPrefixes": prefixes}}
            for name, prefixes in (
                ("Storage", ["203.0.113.0/24"]),
                ("Storage.WestEurope", ["203.0.113.64/26"]),
                ("AzureMonitor", ["203.0.113.128/25", "198.51.100.0/24"]),
                ("Sql", ["192.0.2.0/24"]),
            )
        ],
    }
)


def inventory(bypass, more="", tags=False):
    return (
        f"groups:\n  g: {{networks: [10.20.0.0/24], proxy: {{address: 10.1.1.5, port: 8080, bypass: [{bypass}]}}}}\n"
        f"{more}firewalls: {{fw: {GATEWAY}}}\n" + ("service-tags: tags.json\n" if tags else "")
    )


def policy(to, held="", ports="443", more=""):
    sets = f"endpoints s {{ {held} }}\n" if held else ""
    return f'{sets}policy p "P" {{ from g\n allow r "R" {{ to {to} ports {ports} }}\n{more}}}\n'


def problems_of(text, inventory_text, tags=None, **files):
    """What is wrong, and the site of everything that goes directly."""
    with tempfile.TemporaryDirectory() as folder:
        write_project(folder, text, inventory_text, **({"tags__json": tags} if tags else {}), **files)
        loaded = load((folder,))
    assert not loaded.diagnostics, [d.message for d in loaded.diagnostics]
    prepared, found = prepare(loaded.policy, loaded.inventory, AS_OF)
    return [d for d in found if d.code in CODES], prepared


CODES = {"E0438", "E0441", "E0442", "W0443", "W0444", "E0504"}


def directly(text, inventory_text, tags=None, **files):
    """The direct part of each rule for each group: endpoints and exceptions as text."""
    found, prepared = problems_of(text, inventory_text, tags, **files)
    assert [d for d in found if d.code != "W0444"] == []
    site = bind_everything(prepared, direct_only=True)
    return {
        (rule.key, group.name): " ".join(e.text for e in rule.endpoints)
        + "".join(f" except {e.text}" for e in rule.exceptions)
        for rule in site.rules
        for group in rule.groups
    }


def part(to, held, ports="443", tags=None):
    """What is left of a rule to `to` if its set `s` of `held` is the bypass; empty if nothing is."""
    found = directly(policy(to, held, ports), inventory("s", tags=tags is not None), tags)
    assert len(found) <= 1
    return next(iter(found.values()), "")


@pytest.mark.parametrize(
    ("to", "held", "left"),
    [
        # names
        ("www.example.net", "www.example.net", "www.example.net"),
        ("www.example.net", "www.example.org", ""),
        ("www.example.net", "*.example.net", "www.example.net"),
        ("*.example.net", "www.example.net", "www.example.net"),
        ("*.example.net", "a.example.net b.example.net c.example.org", "a.example.net b.example.net"),
        ("*.example.net www.example.org", "*.a.example.net", "*.a.example.net"),
        ("example.net", "*.example.net", ""),
        ("a*.example.net", "*b.example.net", "a*b.example.net"),
        ("*.example.net", "azgn*.example.net", "azgn*.example.net"),
        # paths
        ("www.example.net/a/b", "www.example.net/a", "www.example.net/a/b"),
        ("www.example.net/a", "www.example.net/a/b", "www.example.net/a/b"),
        ("www.example.net/a", "www.example.net/ab", ""),
        ("www.example.net", "www.example.net/a", "www.example.net/a"),
        ("*.example.net/a", "www.example.net", "www.example.net/a"),
        # addresses
        ("203.0.113.0/24", "203.0.113.0/25", "203.0.113.0/25"),
        ("203.0.113.0/25", "203.0.113.0/24", "203.0.113.0/25"),
        ("203.0.113.0-203.0.113.9", "203.0.113.5-203.0.113.20", "203.0.113.5-203.0.113.9"),
        ("203.0.113.0/24", "203.0.113.0/25 203.0.113.128/25", "203.0.113.0/24"),
        ("203.0.113.7 2001:db8::1", "2001:db8::/32", "2001:db8::1"),
        ("203.0.113.7", "198.51.100.0/24", ""),
        # any-address holds everything, whatever is asked for
        ("any-address", "*.example.net 203.0.113.7", "*.example.net 203.0.113.7"),
        ("*.example.net 203.0.113.7", "any-address", "*.example.net 203.0.113.7"),
        ("any-address", "any-address", "any-address"),
        ("any-address", "service-tag Storage", "service-tag Storage"),
        # names are compared with names, addresses with addresses
        ("www.example.net", "203.0.113.0/24", ""),
        ("203.0.113.0/24", "www.example.net", ""),
        ("*.example.net 203.0.113.0/24", "www.example.net 203.0.113.7", "www.example.net 203.0.113.7"),
        # exceptions stay, as far as they take something away
        ("*.example.net except a.example.net", "*.example.net", "*.example.net except a.example.net"),
        ("*.example.net except a.example.net", "b.example.net", "b.example.net"),
        ("*.example.net except *.a.example.net", "x.a.example.net", ""),
        ("203.0.113.0/24 except 203.0.113.0/25", "203.0.113.64/26 203.0.113.128/26", "203.0.113.128/26"),
        ("any-address except bad.example.net", "*.example.net", "*.example.net except bad.example.net"),
        # a tag is itself
        ("service-tag Storage", "service-tag storage", "service-tag Storage"),
    ],
)
def test_what_of_a_rule_lies_in_a_set(to, held, left):
    assert part(to, held) == left


@pytest.mark.parametrize(
    ("to", "held", "left"),
    [
        ("service-tag Storage", "203.0.113.0/24", "service-tag Storage"),
        ("service-tag Storage", "203.0.113.0/25", "203.0.113.0/25"),
        ("service-tag Storage", "service-tag Storage.WestEurope", "service-tag Storage.WestEurope"),
        ("service-tag Storage.WestEurope", "service-tag Storage", "service-tag Storage.WestEurope"),
        ("service-tag Storage", "service-tag AzureMonitor", "203.0.113.128/25"),
        ("service-tag Storage", "service-tag Sql", ""),
        ("203.0.112.0/23", "service-tag Storage", "203.0.113.0/24"),
        ("203.0.113.7", "service-tag Storage", "203.0.113.7"),
    ],
)
def test_service_tags_with_the_file_of_azure(to, held, left):
    assert part(to, held, tags=TAGS) == left


@pytest.mark.parametrize(
    ("to", "held", "ports", "words"),
    [
        ("*a*-1.example.net", "b*c*1.example.net", "443", "no pattern says"),
        ("service-tag Storage", "service-tag Sql", "443", "`service-tags`"),
        ("service-tag Storage", "203.0.113.0/24", "443", "`service-tags`"),
        ("203.0.113.0/24", "service-tag Storage", "443", "`service-tags`"),
        ("www.example.net", "www.example.net/a", "443/tls", "a path"),
        ("any-address", "www.example.net/a", "443/tls", "a path"),
    ],
)
def test_what_cannot_be_said_is_an_error_at_the_set(to, held, ports, words):
    unknown, found = problems_of(policy(to, held, ports), inventory("other, s"))[0]
    assert unknown.code == "E0438"
    assert (found.code, found.span.text) == ("E0441", "s")
    assert words in found.message
    assert "`p/r`" in found.message


def test_what_cannot_be_said_does_not_matter_where_the_rule_is_named():
    text = policy("*a*-1.example.net", "b*c*1.example.net")
    assert directly(text, inventory("s, p/r")) == {("p/r", "g"): "*a*-1.example.net"}


MANY = """
endpoints media { *.media.example.net }
endpoints every { media www.example.org }
policy p "P" {
    from g h
    allow media "Media" { to *.example.net ports 443/https 3478/udp }
    allow web "Web" { to www.example.org *.media.example.net ports 443 }
    allow rest "Rest" { to www.example.com ports 443 }
    deny bad "Bad" { to bad.example.net ports 443 }
}
"""
OTHER = "  h: {networks: [10.21.0.0/24]}\n"


def test_the_groups_of_a_rule_are_cut_each_by_its_own_proxy():
    more = OTHER + "  i: {networks: [10.22.0.0/24], proxy: {address: 10.1.1.6, port: 3128, bypass: [p/rest, every]}}\n"
    text = MANY.replace("from g h", "from g h i")
    assert directly(text, inventory("media", more)) == {
        ("p/media", "h"): "*.example.net",
        ("p/media@g", "g"): "*.media.example.net",
        ("p/media@g", "i"): "*.media.example.net",  # the same is left for both: one part, called after the first
        ("p/web@g", "g"): "*.media.example.net",
        ("p/web", "h"): "*.media.example.net www.example.org",
        ("p/web", "i"): "*.media.example.net www.example.org",  # all of it is in `every`: no part of its own
        ("p/rest", "h"): "www.example.com",
        ("p/rest", "i"): "www.example.com",
        ("p/bad", "g"): "bad.example.net",
        ("p/bad", "h"): "bad.example.net",
        ("p/bad", "i"): "bad.example.net",
    }


def test_the_policy_means_what_it_meant():
    alone = MANY, inventory("media", OTHER).replace(", proxy: {address: 10.1.1.5, port: 8080, bypass: [media]}", "")
    assert [(r.key, r.reach) for r in everything_of(MANY, inventory("media", OTHER)).rules] == [
        (r.key, r.reach) for r in everything_of(*alone).rules
    ]


@pytest.mark.parametrize("bypass", ["", "media", "'p/*'"])
def test_a_firewall_gets_the_rule_to_the_proxy(bypass):
    site = site_of(MANY, inventory(bypass, OTHER), "fw")
    (rule,) = [each for each in site.rules if each.identity.startswith("inventory_proxy/")]
    assert (rule.key, rule.rule.action, rule.accounts is rule.reach.accounts) == (
        "inventory_proxy/g",
        Action.ALLOW,
        True,
    )
    assert [group.name for group in rule.groups] == ["g"]
    assert [e.text for e in rule.endpoints] == ["10.1.1.5"]
    assert [s.text for s in rule.services] == ["8080/tcp"]
    assert rule.rule.span.text == "proxy"
    assert rule.rule.span.source.name == "inventory.yaml"
    others = {each.key for each in site.rules} - {rule.key}
    assert (
        others
        == {
            "": {"p/media", "p/web", "p/rest", "p/bad"},
            "media": {"p/media", "p/media@g", "p/web", "p/web@g", "p/rest", "p/bad"},
            "'p/*'": {"p/media", "p/web", "p/rest", "p/bad"},
        }[bypass]
    )
    for_g = {each.key for each in site.rules if any(group.name == "g" for group in each.groups)} - {rule.key}
    assert (
        for_g
        == {
            "": {"p/bad"},
            "media": {"p/media@g", "p/web@g", "p/bad"},
            "'p/*'": {"p/media", "p/web", "p/rest", "p/bad"},
        }[bypass]
    )


def test_a_firewall_that_does_not_govern_the_group_gets_no_rule_to_its_proxy():
    text = inventory("media", OTHER).replace("target: iptables,", "target: iptables, groups: [h],")
    site = site_of(MANY, text, "fw")
    assert [rule.key for rule in site.rules] == ["p/bad", "p/media", "p/rest", "p/web"]


def test_a_group_that_is_allowed_nothing_gets_no_rule_to_its_proxy():
    text = MANY.replace("from g h", "from h").replace('deny bad "Bad" {', 'deny bad "Bad" { from g')
    site = site_of(text, inventory("", OTHER), "fw")
    assert {rule.key: [g.name for g in rule.groups] for rule in site.rules}["p/bad"] == ["g"]
    assert not any(rule.identity.startswith("inventory_proxy/") for rule in site.rules)


def test_a_host_firewall_gets_it_as_well():
    text = inventory("media", OTHER).replace(GATEWAY, "{target: windows-firewall}")
    keys = {site.name: [rule.key for rule in site.rules] for site in sites_of(MANY, text, "fw")}
    assert keys == {
        "fw/g": ["inventory_proxy/g", "p/bad", "p/media@g", "p/web@g"],
        "fw/h": ["p/bad", "p/media", "p/rest", "p/web"],
    }


def test_a_policy_may_be_called_like_anything():
    # The identity of a rule to a proxy can be that of no rule of a policy, also where Azure writes a dot for a slash.
    text = 'policy inventory-proxy "P" { from g allow g "G" { to www.example.net ports 443 } }\n'
    site = site_of(text, inventory("'*'"), "fw")
    assert [rule.key for rule in site.rules] == ["inventory-proxy/g", "inventory_proxy/g"]


def test_sets_with_parameters_are_filled_for_the_group():
    text = (
        'parameter region "R"\nendpoints s { ${region}.media.example.net }\n'
        'policy p "P" { from g h allow r "R" { to *.media.example.net ports 443 } }\n'
    )
    more = "  h: {networks: [10.21.0.0/24], parameters: {region: us}, proxy: {address: 10.1.1.5, port: 8080, bypass: [s]}}\n"
    given = inventory("s", more).replace("g: {", "g: {parameters: {region: [eu, uk]}, ")
    assert directly(text, given) == {
        ("p/r@g", "g"): "eu.media.example.net uk.media.example.net",
        ("p/r@h", "h"): "us.media.example.net",
    }
    (found,), _ = problems_of(text, given.replace("parameters: {region: us}, ", ""))
    assert (found.code, "`h`" in found.message) == ("E0504", True)


def test_rules_with_parameters_are_cut_for_each_group():
    text = (
        'parameter region "R"\nendpoints s { eu.media.example.net }\n'
        'policy p "P" { from g h allow r "R" { to ${region}.media.example.net ports 443 } }\n'
    )
    more = "  h: {networks: [10.21.0.0/24], parameters: {region: us}, proxy: {address: 10.1.1.5, port: 8080, bypass: [s]}}\n"
    given = inventory("s", more).replace("g: {", "g: {parameters: {region: [eu, uk]}, ")
    assert directly(text, given) == {("p/r@g", "g"): "eu.media.example.net"}


def test_rules_of_an_included_policy_are_named_by_their_whole_identity():
    text = (
        'template policy lib "L" { allow r "R" { to www.example.net ports 443 } }\n'
        'policy p "P" { from g include lib allow own "O" { to www.example.org ports 443 } }\n'
    )
    assert directly(text, inventory("p/lib/r")) == {("p/lib/r", "g"): "www.example.net"}
    assert directly(text, inventory("'*/r'")) == {("p/lib/r", "g"): "www.example.net"}


def test_a_set_of_an_imported_file_counts_also_one_that_no_rule_names():
    text = 'import "sets.egress"\npolicy p "P" { from g allow r "R" { to *.example.net ports 443 } }\n'
    held = "endpoints s { a.example.net inner }\nendpoints inner { b.example.net }\n"
    with tempfile.TemporaryDirectory() as folder:
        write_project(folder, text, inventory("s"), sets__egress=held)
        loaded = load((f"{folder}/policy.egress",), f"{folder}/inventory.yaml")
    prepared, found = prepare(loaded.policy, loaded.inventory, AS_OF)
    assert not found
    (rule,) = bind_everything(prepared, direct_only=True).rules
    assert [e.text for e in rule.endpoints] == ["a.example.net", "b.example.net"]


@pytest.mark.parametrize(
    ("bypass", "words", "help_"),
    [
        ("medai", "no endpoint set of this run is called `medai`", "did you mean `media`?"),
        ("p/meda", "no allow of this run is called `p/meda`", "did you mean `p/media`?"),
        ("p/bad", "no allow of this run is called `p/bad`", "only denies"),
        ("'*.example.net'", "no allow of this run is called `*.example.net`", "hosts and addresses stand in"),
        ("www.example.net", "no endpoint set of this run is called `www.example.net`", "hosts and addresses stand in"),
        ("10.0.0.0/8", "no allow of this run is called `10.0.0.0/8`", "hosts and addresses stand in"),
        ("nothing-like-it", "no endpoint set of this run", "the endpoint sets are `every`, `media`"),
    ],
)
def test_an_item_that_names_nothing_is_an_error_at_its_place(bypass, words, help_):
    (found,), _ = problems_of(MANY, inventory(bypass, OTHER))
    assert (found.code, found.span.text) == ("E0438", bypass)
    assert words in found.message
    assert help_ in found.help


def test_a_name_of_several_sets_that_differ_is_an_error_and_of_equal_ones_is_not():
    one = 'endpoints s { a.example.net }\npolicy p "P" { from g allow r "R" { to *.example.net ports 443 } }\n'
    (found,), _ = problems_of(one, inventory("s"), more__egress="endpoints s { b.example.net }\n")
    assert (found.code, found.span.text, len(found.related)) == ("E0438", "s", 2)
    assert directly(one, inventory("s"), more__egress="endpoints s { a.example.net }\n") == {
        ("p/r@g", "g"): "a.example.net"
    }


def test_a_group_that_no_rule_is_for_is_not_asked():
    assert problems_of(MANY.replace("from g h", "from h"), inventory("medai", OTHER))[0] == []


@pytest.mark.parametrize(
    ("to", "held", "bypass", "idle"),
    [
        ("www.example.net", "203.0.113.0/24", "s", ["s"]),
        ("www.example.net", "*.example.org", "s", ["s"]),
        ("www.example.net", "*.example.net", "s", []),
        ("www.example.net", "*.example.net", "s, p/r", []),
        ("www.example.net", "*.example.net", "p/h", ["p/h"]),
        ("www.example.net", "*.example.net", "s, p/old", []),
    ],
)
def test_an_item_that_does_nothing_for_the_group_is_a_warning(to, held, bypass, idle):
    more = ' allow h "H" { from h to x.example.com ports 443 }\n'
    more += ' allow old "Old" { to x.example.com ports 443 expires 2020-01-01 }\n'
    found, _ = problems_of(policy(to, held, more=more), inventory(bypass, OTHER))
    assert [(d.code, d.span.text) for d in found] == [("W0444", each) for each in idle]


def test_an_expired_allow_does_not_open_the_way_to_the_proxy():
    text = policy("www.example.net", more="").replace("ports 443", "ports 443 expires 2020-01-01")
    assert site_of(text, inventory(""), "fw").rules == ()


@pytest.mark.parametrize(
    ("deny", "code"),
    [
        ("to 10.1.1.5 ports 8080/tcp", "E0442"),
        ("to 10.0.0.0/8 ports any/tcp", "E0442"),
        ("to any-address ports 8000-8999/tcp", "E0442"),
        ("to any-address except www.example.net ports any/tcp", "E0442"),
        ("to 10.0.0.0/8 except 10.1.1.5 ports any/tcp", ""),
        ("to 10.1.1.5 ports 8081/tcp", ""),
        ("to 10.1.1.5 ports 8080/udp", ""),
        ("from h to 10.1.1.5 ports 8080/tcp", ""),
        ("feature f to 10.1.1.5 ports 8080/tcp", ""),
        ("as svc to 10.1.1.5 ports 8080/tcp", "W0443"),
        # what a deny names, it denies through the proxy, too: it is none of the proxy itself
        ("to *.example.net ports any/tcp", ""),
        # the addresses of a tag that nobody knows are Azure's, not the house's
        ("to service-tag Storage ports any/tcp", ""),
    ],
)
def test_a_deny_in_the_way_to_the_proxy(deny, code):
    text = "service-account svc { linux-user svc }\n" + policy("www.example.net", more=f' deny d "D" {{ {deny} }}\n')
    found, _ = problems_of(text, inventory("", OTHER.replace("}", ", features: [f]}")))
    assert [d.code for d in found] == ([code] if code else [])
    for each in found:
        assert each.span.text == "proxy"
        assert "`g`" in each.message
        assert "10.1.1.5:8080" in each.message
        assert [r.span.text for r in each.related] == ["d"]


def test_denies_are_in_the_way_together():
    more = ' deny d "D" { to 10.1.1.0-10.1.1.5 ports any/tcp }\n deny e "E" { to 10.1.1.6/31 ports 8080/tcp }\n'
    given = inventory("").replace("10.1.1.5", "[10.1.1.5, 10.1.1.7]")
    (found,), _ = problems_of(policy("www.example.net", more=more), given)
    assert (found.code, [r.span.text for r in found.related]) == ("E0442", ["d", "e"])
    (found,), _ = problems_of(policy("www.example.net", more=more.partition("\n")[0]), given)
    assert found.code == "W0443"


def test_a_tag_of_which_nobody_knows_the_addresses_may_hold_a_public_proxy():
    text = policy("www.example.net", more=' deny d "D" { to service-tag Storage ports any/tcp }\n')
    found, _ = problems_of(text, inventory("").replace("10.1.1.5", "203.0.113.9"))
    assert [d.code for d in found] == ["W0443"]
    found, _ = problems_of(text, inventory("", tags=True).replace("10.1.1.5", "203.0.113.9"), TAGS)
    assert [d.code for d in found] == ["E0442"]
    found, _ = problems_of(text, inventory("", tags=True).replace("10.1.1.5", "198.51.100.9"), TAGS)
    assert found == []


def test_a_rule_that_goes_through_the_proxy_needs_no_exemption_there():
    text = 'policy p "P" { from g no-tls-inspection allow r "R" { to www.example.net ports 443 } }\n'
    firewall = "{target: paloalto, settings: {from-zone: a, to-zone: b}}"
    through, direct = (
        compilation_of(text, inventory(bypass).replace(GATEWAY, firewall)).builds[0].render() for bypass in ("", "p/r")
    )
    assert any(b"no-decrypt" in each.content for each in direct)
    assert not any(b"no-decrypt" in each.content for each in through)


def test_prepared_policies_without_proxies_are_not_touched():
    text = inventory("media", OTHER).replace(", proxy: {address: 10.1.1.5, port: 8080, bypass: [media]}", "")
    prepared = prepared_of(MANY, text)
    assert not prepared.proxies
    assert [r.reach for r in bind_everything(prepared, direct_only=True).rules] == [
        r.reach for r in bind_everything(prepared).rules
    ]


INSPECTION = """
endpoints media {{ *.media.example.net }}
policy p "P" {{
    from g h
    allow one "One" {{ to {one} ports {ports} {mine} }}
    allow two "Two" {{ to {two} ports 443 {theirs} }}
}}
"""


@pytest.mark.parametrize(
    ("one", "two", "ports", "mine", "theirs", "bypass", "is_lost"),
    [
        ("*.example.net", "www.example.net", "443", "", "no-tls-inspection", "p/one", True),
        ("*.example.net", "www.example.net", "443", "", "tls-inspection", "p/one", True),
        ("*.example.net", "www.example.net", "443", "no-tls-inspection", "no-tls-inspection", "p/one", False),
        ("*.example.net", "www.example.net", "443", "", "no-tls-inspection", "p/one, p/two", False),
        ("*.example.net", "www.example.net", "443", "", "", "p/one", False),
        ("*.example.net", "www.example.net", "443", "", "no-tls-inspection", "p/two", False),
        # Connections to port 443 are exempt, whatever application the other rule knows them by.
        ("*.example.net", "www.example.net", "443/tcp", "", "no-tls-inspection", "p/one", True),
        ("*.example.net", "www.example.net", "8443/https", "", "no-tls-inspection", "p/one", False),
        # Both are cut to the same set.
        ("*.example.net", "*.media.example.net", "443", "", "no-tls-inspection", "media", False),
        ("any-address", "www.example.net", "443", "", "no-tls-inspection", "p/one", True),
        ("any-address", "203.0.113.7", "443", "", "no-tls-inspection", "p/one", True),
        # Names are not compared with addresses.
        ("203.0.113.0/24", "www.example.net", "443", "", "no-tls-inspection", "p/one", False),
        ("203.0.113.0/24", "203.0.113.7", "443", "", "no-tls-inspection", "p/one", True),
    ],
)
def test_what_a_rule_behind_the_proxy_says_of_inspection_is_not_lost(one, two, ports, mine, theirs, bypass, is_lost):
    text = INSPECTION.format(one=one, two=two, ports=ports, mine=mine, theirs=theirs)
    found = [d for d in problems_of(text, inventory(bypass, OTHER))[0] if d.code != "W0444"]
    assert [(d.code, d.span.text) for d in found] == [("E0441", "proxy")] * is_lost
    for each in found:
        assert "`p/two` says that flows" in each.message
        assert "`p/one` lets past the proxy of `g`" in each.message
        assert [r.span.text for r in each.related] == ["two", "one"]


def test_a_denied_flow_is_not_inspected_anyway():
    text = INSPECTION.format(
        one="*.example.net", two="www.example.net", ports="443", mine="", theirs="no-tls-inspection"
    ).replace("allow one", 'deny bad "Bad" { to www.example.net ports any/tcp } allow one')
    assert problems_of(text, inventory("p/one", OTHER))[0] == []


def test_many_rules_for_groups_behind_a_proxy_cost_no_more_each():
    groups = "\n".join(
        f"  h{n}: {{networks: [10.22.{n}.0/24], proxy: {{address: 10.1.1.5, port: 8080, bypass: [s, p/r1]}}}}"
        for n in range(5)
    )

    def prepared(size):
        held = " ".join(f"*.m{n}.example.net 203.0.{n // 256}.{n % 256}" for n in range(0, size, 2))
        rules = "\n".join(
            f'deny r{n} "R" {{ to b{n}.example.com 198.18.{n // 256}.{n % 256} ports any/tcp }}'
            if n % 4 == 0
            else f'allow r{n} "R" {{ to x.m{n}.example.net *.y{n}.example.org 203.0.{n // 256}.{n % 256} ports 443 '
            f"{'no-tls-inspection' if n % 4 == 1 else ''} }}"
            for n in range(size)
        )
        with tempfile.TemporaryDirectory() as folder:
            text = f'endpoints s {{ {held} }}\npolicy p "P" {{ from any-group\n{rules}\n}}\n'
            write_project(folder, text, inventory("s", groups + "\n"))
            loaded = load((folder,))
        return lambda: bind_everything(prepare(loaded.policy, loaded.inventory, AS_OF)[0], direct_only=True)

    assert_near_linear(prepared, 500, 4000)
