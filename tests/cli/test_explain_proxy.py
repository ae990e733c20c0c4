"""`egressc explain WHO TO` where a group is behind a proxy: each firewall that does otherwise than the policy says so."""

from __future__ import annotations

import json

import jsonschema
import pytest
from test_machine_forms import schema

POLICY = """
endpoints media "Media" { *.media.example.net 203.0.113.0/24 }
policy p "P" {
    from berlin munich
    allow web "Web" { to *.example.net 203.0.113.7 198.51.100.0/24 ports 443/https no-tls-inspection }
    allow rest "Rest" { to www.example.org ports 443/https }
}
"""

INVENTORY = """groups:
  berlin: {networks: [10.1.0.10], proxy: {address: 10.9.9.9, port: 3128, bypass: [media]}}
  munich: {networks: [10.2.0.10]}
firewalls:
  edge: {target: paloalto, settings: {from-zone: in, to-zone: out}}
  gateway: {target: iptables, settings: {mode: gateway, interface: lan0}}
  cloud: {target: azure-firewall, settings: {policy: p, location: westeurope}}
  hosts: {target: windows-firewall}
"""

BEHIND = "the group is behind the proxy 10.9.9.9:3128: "
ONLY = "so it is reached through the proxy only"


@pytest.fixture
def told(tmp_path, monkeypatch, run):
    """A function that asks about some firewalls and gives the JSON, checked against the schema."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web.egress").write_text(POLICY, encoding="utf-8")
    (tmp_path / "inventory.yaml").write_text(INVENTORY, encoding="utf-8")

    def call(*words):
        _, out, err = run("explain", *words, "--format", "json")
        assert err == ""
        found = json.loads(out)
        jsonschema.Draft202012Validator(schema("explain")).validate(found)
        return found

    return call


FIREWALLS = ("edge", "gateway", "cloud", "hosts/berlin")


@pytest.mark.parametrize(
    ("to", "policy", "verdict", "words"),
    [
        # not in the bypass
        ("198.51.100.7:443", "allow", "deny", f"this destination is not in its `bypass`, {ONLY}"),
        # in it: nothing differs
        ("203.0.113.7:443", "allow", "allow", None),
        # allowed by nobody
        ("192.0.2.7:443", "deny", "deny", None),
        # the way to the proxy
        ("10.9.9.9:3128/tcp", "deny", "allow", "this is the way there"),
    ],
)
def test_a_firewall_that_does_otherwise_says_that_the_group_is_behind_a_proxy(told, to, policy, verdict, words):
    found = told("berlin", to)
    assert found["verdict"] == policy
    each_of = {each["firewall"]: each for each in found["firewalls"]}
    assert set(each_of) == set(FIREWALLS)
    for each in each_of.values():
        assert each["verdict"] == verdict, each["firewall"]
        assert each["proxy"] == (None if words is None else BEHIND + words)
        assert each["same_as_policy"] is (policy == verdict)
        # It is no approximation, neither of the firewall nor of a rule.
        assert each["approximations"] == []


def test_a_name_that_is_not_in_the_bypass(told):
    found = told("berlin", "www.example.org:443", "--at", "192.0.2.7")
    assert found["verdict"] == "allow"
    for each in found["firewalls"]:
        assert (each["verdict"], each["proxy"]) == ("deny", f"{BEHIND}this destination is not in its `bypass`, {ONLY}")


def test_a_name_in_the_bypass_and_a_group_without_a_proxy(told):
    for who, to in (("berlin", "eu.media.example.net:443"), ("munich", "www.example.org:443")):
        for each in told(who, to, "--at", "192.0.2.7")["firewalls"]:
            assert (each["verdict"], each["proxy"], each["same_as_policy"]) == ("allow", None, True)


def test_a_part_of_what_is_asked_about(told):
    # Of these the policy allows 203.0.113.7 alone, and that is in the bypass.
    assert {each["proxy"] for each in told("berlin", "203.0.113.0/24:443")["firewalls"]} == {None}
    found = told("berlin", "198.51.100.0/23:443")
    assert found["verdict"] == "unknown"
    assert {each["proxy"] for each in found["firewalls"]} == {
        f"{BEHIND}what the policy allows of this is not in its `bypass`, {ONLY}"
    }
    found = told("berlin", "10.9.9.0/24:3128/tcp", "--firewall", "edge")
    assert found["firewalls"][0]["proxy"] == f"{BEHIND}a part of these flows goes there"


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_people_read_it_as_well(told, run, form):
    _, out, _ = run("explain", "berlin", "198.51.100.7:443", "--firewall", "edge", "--format", form)
    assert BEHIND in out
    assert "the policy does not say so" not in out
