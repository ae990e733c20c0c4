"""A review of a change to the proxies of groups: no flow of the policy, but the firewalls, and a sentence of its own."""

from __future__ import annotations

import tempfile

import pytest
from support import AS_OF, write_project

from egressc.api import load
from egressc.api_review import review_loaded
from egressc.review import EditKind

POLICY = """
endpoints media {{ {media} }}
policy p "P" {{
    from g h
    allow web "Web" {{ to *.example.net ports 443 }}
    allow rest "Rest" {{ to www.example.org ports 443 }}
}}
"""
FIREWALLS = """firewalls:
  edge: {target: paloalto, settings: {from-zone: t, to-zone: u}}
  gw: {target: iptables, settings: {mode: gateway, interface: lan0}}
  cloud: {target: azure-firewall, settings: {policy: p, location: x}}
  host: {target: windows-firewall, groups: [g]}
"""


def loaded(proxy, firewalls=FIREWALLS, media="*.media.example.net", name="g"):
    text = f"groups:\n  {name}: {{networks: [10.20.0.0/24]{proxy}}}\n  h: {{networks: [10.21.0.0/24]}}\n{firewalls}"
    with tempfile.TemporaryDirectory() as folder:
        write_project(folder, POLICY.format(media=media), text)
        return load((folder,))


def behind(bypass="media", address="10.1.1.5", port=8080):
    return f", proxy: {{address: {address}, port: {port}, bypass: [{bypass}]}}"


def reviewed(old, new):
    found = review_loaded(old, new, as_of=AS_OF).review
    assert found is not None
    return found


def is_touched(firewall):
    return bool(firewall.added or firewall.removed or firewall.changed)


@pytest.mark.parametrize(
    ("old", "new", "remarks"),
    [
        (
            "",
            behind(),
            [("group `g` is behind the proxy 10.1.1.5:8080 now: firewalls let it reach that, and directly only what its "
             "`bypass` names (`media`)")],
        ),
        (
            "",
            behind(""),
            ["group `g` is behind the proxy 10.1.1.5:8080 now: firewalls let it reach that, and nothing directly"],
        ),
        (
            behind(),
            "",
            ["group `g` is no longer behind the proxy 10.1.1.5:8080: what the policy allows, it reaches directly"],
        ),
        (
            behind("media"),
            behind("p/rest"),
            ["`bypass` of group `g` has `p/rest` now, and has `media` no more"],
        ),
        (
            behind(address="192.0.2.5"),
            behind(address="192.0.2.6", port=3128),
            ["the proxy of group `g` is 192.0.2.6:3128 now (it was 192.0.2.5:8080)"],
        ),
    ],
)  # fmt: skip
def test_another_proxy_changes_the_firewalls_and_no_flow_of_the_policy(old, new, remarks):
    found = reviewed(loaded(old), loaded(new))
    assert not found.newly_allowed
    assert not found.no_longer_allowed
    assert list(found.remarks) == remarks
    assert {each.name for each in found.per_firewall if is_touched(each)} == {"edge", "gw", "cloud", "host"}
    assert not found.edits


@pytest.mark.parametrize("both", ["", behind()])
def test_the_same_proxy_is_no_change(both):
    found = reviewed(loaded(both), loaded(both))
    assert found.is_empty
    assert not found.remarks


def test_the_order_of_items_and_addresses_is_no_other_proxy():
    old = loaded(behind("media, p/rest", "[10.1.1.5, 10.1.1.6]"))
    found = reviewed(old, loaded(behind("p/rest, media", "[10.1.1.6, 10.1.1.5]")))
    assert not found.remarks
    assert not any(is_touched(each) for each in found.per_firewall)
    assert [each.kind for each in found.edits] == [EditKind.REFORMATTED]


def test_without_firewalls_the_sentence_is_there_and_the_inventory_is_not_called_reformatted():
    found = reviewed(loaded("", ""), loaded(behind(), ""))
    assert len(found.remarks) == 1
    assert not found.edits


def test_another_set_of_a_bypass_changes_the_firewalls_that_have_it():
    found = reviewed(loaded(behind()), loaded(behind(), media="*.video.example.net"))
    assert not found.newly_allowed
    assert not found.no_longer_allowed
    assert {each.name for each in found.per_firewall if is_touched(each)} == {"edge", "gw", "cloud", "host"}
