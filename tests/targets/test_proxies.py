"""A group behind a proxy on every target: proved, reported, and what is cut otherwise is stopped."""

from __future__ import annotations

import json

import pytest
from support import compilation_of

from egressc.diagnostics import has_errors
from egressc.fidelity import Verdict
from egressc.fidelity_files import fidelity_json
from egressc.proof import UnprovedError, prove

POLICY = """
endpoints media "Media servers" { *.media.example.net 203.0.113.0/24 }
policy p "P" {
    from g h
    allow web "Web" { to *.media.example.net www.example.org 203.0.113.7 198.51.100.0/24 ports 443/https }
    allow rest "Rest" { to www.example.com ports 443 no-tls-inspection }
    deny bad "Bad" { to 203.0.113.66 ports any/tcp }
}
"""
FIREWALLS = {
    "paloalto": "{target: paloalto, settings: {from-zone: t, to-zone: u}}",
    "azure-firewall": "{target: azure-firewall, settings: {policy: p, location: x}}",
    "iptables": "{target: iptables, settings: {mode: gateway, interface: lan0}}",
    "iptables-host": "{target: iptables, groups: [g], settings: {mode: host}}",
    "windows-firewall": "{target: windows-firewall, groups: [g]}",
}
PLACES = ("10.1.1.5", "203.0.113.9", "2001:db8::5")
"""In the house, outside, and of the other IP version."""


def build_of(kind, proxy, groups="h: {networks: [10.21.0.0/24]}"):
    inventory = (
        f'groups:\n  g: {{networks: [10.20.0.0/24, "2001:db8:20::/64"]{proxy}}}\n  {groups}\n'
        f"firewalls: {{fw: {FIREWALLS[kind]}}}\n"
    )
    result = compilation_of(POLICY, inventory, accept=("apex", "depth", "resolved-address", "path"))
    assert not has_errors(result.diagnostics), [(d.code, d.message) for d in result.diagnostics]
    (build,) = result.builds
    return build


def behind(address="10.1.1.5", port=8080, bypass="media"):
    return f', proxy: {{address: "{address}", port: {port}, bypass: [{bypass}]}}'


@pytest.mark.parametrize("kind", FIREWALLS)
@pytest.mark.parametrize("address", PLACES)
def test_the_rule_to_the_proxy_is_proved_and_reported(kind, address):
    build = build_of(kind, behind(address))
    assert set(build.fidelity.proved) == {file.name for file in build.files} - set(build.target.derived)
    report = json.loads(fidelity_json(build.fidelity, build.target))
    (rule,) = [each for each in report["rules"] if each["rule"] == "inventory_proxy/g"]
    assert (rule["file"], rule["line"], rule["action"]) == ("inventory.yaml", 2, "allow")
    if kind == "azure-firewall" and ":" in address:
        # No IPv6 passes an Azure Firewall: that is said, as of any other rule.
        assert [each["reason"] for each in rule["approximations"]] == ["family"]
    else:
        assert rule["verdict"] == Verdict.EXACT.value
        assert rule["names"]


@pytest.mark.parametrize("kind", FIREWALLS)
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (behind(), ""),  # the firewall of a group that is behind no proxy
        (behind(), behind(bypass="")),
        (behind(), behind(bypass="media, p/web")),
        # outside of the house: what is inside, a Windows host lets through whether a rule names it or not
        (behind("192.0.2.5"), behind("192.0.2.5", 8081)),
        (behind("192.0.2.5"), behind("192.0.2.6")),
    ],
)
def test_an_artefact_of_another_proxy_is_not_proved(kind, one, other):
    mine, theirs = build_of(kind, one), build_of(kind, other)
    for build, wrong in ((mine, theirs), (theirs, mine)):
        files = [file for file in wrong.files if file.name not in wrong.target.derived]
        with pytest.raises(UnprovedError):
            prove(build.site, build.target, build.lowering, files)


@pytest.mark.parametrize("kind", ["paloalto", "azure-firewall", "iptables"])
def test_two_groups_behind_two_proxies(kind):
    build = build_of(
        kind, behind(), "h: {networks: [10.21.0.0/24], proxy: {address: 10.1.1.6, port: 3128, bypass: [p/*]}}"
    )
    assert build.fidelity.proved
    names = {
        each.rule.identity: each.verdict for each in build.fidelity.rules if "inventory_proxy" in each.rule.identity
    }
    assert names == {"inventory_proxy/g": Verdict.EXACT, "inventory_proxy/h": Verdict.EXACT}
