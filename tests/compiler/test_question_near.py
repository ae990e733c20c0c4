"""Near misses: a rule is told only where nothing else than the one thing is in its way."""

from __future__ import annotations

from datetime import date

import pytest
from support import prepared_of

from egressc.bind import bind_everything
from egressc.question_explanation import answer
from egressc.question_who import Parties
from egressc.question_words import parse_to, with_address

POLICY = """service-account app "App" { linux-user app }
service-account batch "Batch" { linux-user batch }
parameter tenant "Tenant"
policy web "Web" {
    from both
    allow tenant "Tenant" { to ${tenant}.example.com ports 443/https }
    allow anyone "Anyone" { to ${tenant}.any.example.com ports 443/https from any-group }
    allow path "Path" { to www.example.net/pki ports 443/https }
    allow cut "Cut" { to *.example.org except *.secret.example.org ports 443/https }
    allow pieces "Pieces" { to *.${tenant}.example.edu except a.blue.example.edu ports 443/https }
    allow apex "Apex" { to *.tree.example.net/pki ports 443/https }
    allow exact "Exact" { to host.example.net/pki ports 443/https }
    allow inner "Inner" { to a.*.inner.example.net/pki ports 443/https }
    allow several "Several" { to login.several.example.net admin1.several.example.net ports 443/https }
    allow whom "Whom" { to whom.example.net ports 443/https as app }
    allow net "Net" { to 198.51.100.0/24 ports 5000/tcp from red }
    allow name-service "Name service" { to 198.51.100.53 ports 53/udp }
    deny shout "Shout" { to any-address ports 137-139/udp }
    allow later "Later" { to later.example.net ports 443/https feature beta }
    allow past "Past" { to past.example.net ports 443/https expires 2026-01-01 }
    allow gone "Gone" { to gone.example.net ports 443/https feature beta expires 2026-01-01 }
    allow worn "Worn" { to *.worn.example.net except no.worn.example.net ports 443/https feature beta expires 2026-01-01 }
    allow but "But" { to *.but.example.net except no.but.example.net ports 443/https from red as app }
}
"""

INVENTORY = """groups:
  red: {networks: [10.0.0.0/24], parameters: {tenant: red}}
  blue: {networks: [10.0.1.0/24], parameters: {tenant: blue}}
  both: {members: [red, blue]}
  away: {networks: [10.0.2.0/24], parameters: {tenant: away}}
"""


@pytest.fixture(scope="module")
def near():
    """A function that gives the near misses of a question: the rule, its part and what it misses."""
    prepared = prepared_of(POLICY, INVENTORY, date(2026, 11, 22))
    whole = bind_everything(prepared)
    parties = Parties(prepared, whole)

    def asked(who, to, at="192.0.2.1"):
        place = parse_to(to)
        if place.pattern is not None and at is not None:
            place = with_address(place, at)
        found = answer(prepared, whole, parties.parse(who), place).near
        return {(miss.rule.identity.removeprefix("web/"), miss.part): (miss.what, miss.sentence) for miss in found}

    return asked


def test_a_group_with_other_parameters(near):
    """The rule is for the group as well: it is the parameters that differ."""
    sentence = "it matches for group `blue`, by the parameters of that group"
    for host, rule in (("blue.example.com", "tenant"), ("blue.any.example.com", "anyone")):
        found = near("red", f"{host}:443")
        assert found[rule, "blue"] == ("group", sentence)
        assert found[rule, "red"][0] == "host"


@pytest.mark.parametrize(
    ("to", "rule"),
    [
        ("https://www2.example.net/pki", "path"),
        ("https://tree.example.net/pki", "apex"),
        ("https://a.host.example.net/pki/crl", "exact"),
        ("https://a.b.c.inner.example.net/pki", "inner"),
        ("https://hostexample.net/pki", "exact"),
        ("hosts.example.net:443", "exact"),
    ],
)
def test_the_host_alone(near, to, rule):
    assert near("red", to)[rule, ""][0] == "host"


@pytest.mark.parametrize(
    ("who", "to", "rule"),
    [
        ("red", "https://www2.example.net/other", "path"),
        ("red", "https://tree.example.net/", "apex"),
        ("red", "https://a.host.example.net/pkix", "exact"),
        ("red", "https://a.b.c.inner.example.net/other", "inner"),
        ("red", "https://hostexample.net/other", "exact"),
        ("red", "www2.example.net:8443", "path"),  # the host and the port
        ("red", "a.secret.example.orgg:443", "cut"),  # without the slip it is excepted
        ("red:batch", "whoms.example.net:443", "whom"),  # the host and the account
        ("red:batch", "whom.example.net:8443", "whom"),  # the port and the account
        ("away", "whoms.example.net:443", "whom"),  # the host and the group
        ("away:batch", "whom.example.net:443", "whom"),  # the account and the group
        ("away", "https://www.example.net/other", "path"),  # the path and the group
        ("blue", "198.51.101.7:5000", "net"),  # the address and the group
        ("red", "198.51.101.7:5001", "net"),  # the address and the port
        ("red", "198.51.100.53:443", "name-service"),  # the number and the transport
        ("red", "192.0.2.7:443", "shout"),
        ("red", "198.51.100.7:53/udp", "net"),
        ("red", "no.worn.example.net:443", "worn"),  # excepted, expired, and the feature
        ("red", "later.example.net:8443", "later"),  # the feature and the port
        ("away", "past.example.net:443", "past"),  # expired, and the group
        ("red", "gone.example.net:443", "gone"),  # expired, and the feature
        ("blue:app", "no.but.example.net:443", "but"),  # excepted, and the group
        ("red:batch", "no.but.example.net:443", "but"),  # excepted, and the account
        ("red", "no.but.example.net:8443", "but"),  # excepted, and the port
    ],
)
def test_two_things(near, who, to, rule):
    assert rule not in {name for name, _ in near(who, to)}


@pytest.mark.parametrize(
    ("who", "to", "rule", "what"),
    [
        ("red:batch", "whom.example.net:443", "whom", "account"),
        ("away", "https://www.example.net/pki", "path", "group"),
        ("blue", "198.51.100.7:5000", "net", "group"),
        ("red", "198.51.101.7:5000", "net", "address"),
        ("red", "198.51.100.7:5001", "net", "port"),
        ("red", "198.51.100.7:5000/udp", "net", "port"),
        ("red", "198.51.100.53:53", "name-service", "port"),
        ("red", "198.51.100.53:54/udp", "name-service", "port"),
        ("red", "192.0.2.7:137", "shout", "port"),
        ("red", "later.example.net:443", "later", "feature"),
        ("red", "past.example.net:443", "past", "expired"),
        ("red:app", "no.but.example.net:443", "but", "except"),
        ("red", "no.but.example.net:443", "but", "except"),
    ],
)
def test_one_thing(near, who, to, rule, what):
    assert near(who, to)[rule, ""][0] == what


def test_without_an_address_the_host_is_at_one_that_no_rule_names(near):
    """So a rule for addresses lacks that, too."""
    assert near("blue", "www.example.edu:5000", "198.51.100.7")["net", ""][0] == "group"
    assert ("net", "") not in near("blue", "www.example.edu:5000", None)


def test_a_rule_that_matches_some_of_the_flows_is_no_miss(near):
    assert near("red:app", "no.but.example.net:443")["but", ""][0] == "except"
    assert ("but", "") not in near("red:app", "*.but.example.net:443")


def test_several_ports(near):
    _, sentence = near("red", "198.51.100.7:5001-5003")["net", ""]
    assert sentence == "port 5001-5003/tcp is not in `ports 5000/tcp`"


def test_a_host_with_parameters_that_is_excepted(near):
    found = near("blue", "a.blue.example.edu:443")
    assert found["pieces", "blue"] == ("except", "its `except` takes it out (`a.blue.example.edu`)")


def test_of_several_hosts_that_are_near_the_one_that_looks_alike(near):
    _, sentence = near("red", "admin2.several.example.net:443")["several", ""]
    assert sentence == "label `admin2` is not `admin1` as in `admin1.several.example.net`"
