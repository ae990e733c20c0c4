"""TLS inspection: what is exempted stands first, what must be inspected is, and what cannot be is said."""

from __future__ import annotations

import pytest
from azure_arm import Firewall, Flow, groups, rules
from test_azure_lower import PREMIUM, announced, inventory, policy, template

INSPECTING = f"{PREMIUM}, tls-inspection: true"


def bands(result):
    return {
        name: (groups(result)[g]["priority"], r["terminateTLS"])
        for name, (g, _, r) in rules(result, "app-allow").items()
    }


FREE = policy(
    'allow free "M" { to *.may.com ports 443 }',
    'allow pinned "N" { to *.not.com ports 443 no-tls-inspection }',
    'allow plain "H" { to *.http.com ports 80 }',
    'allow queue "Q" { to *.queue.com ports 5671/tls }',
)
MIXED = policy(
    'allow free "M" { to *.may.com ports 443 }',
    'allow opened "Y" { to *.must.com ports 443 tls-inspection }',
    'allow pinned "N" { to *.not.com ports 443 no-tls-inspection }',
    'allow plain "H" { to *.http.com ports 80 }',
    'allow queue "Q" { to *.queue.com ports 5671/tls }',
)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", {"free": (1400, False), "pinned": (1200, False), "plain": (1400, False), "queue": (1400, False)}),
        (PREMIUM, {"free": (1401, False), "opened": (1400, True), "pinned": (1200, False), "plain": (1400, False), "queue": (1401, False)}),
        (INSPECTING, {"free": (1400, True), "opened": (1400, True), "pinned": (1200, False), "plain": (1400, False), "queue": (1401, False)}),
    ],
)  # fmt: skip
def test_bands(settings, expected):
    found = bands(template(MIXED if settings else FREE, inventory(settings)))
    assert {name.partition(".")[2].partition("_")[0]: value for name, value in found.items()} == expected


def test_no_allow_that_is_merely_not_inspected_takes_flows_from_one_that_must_be():
    text = policy('allow a "A" { to *.x.com ports 443 }', 'allow b "B" { to secret.x.com ports 443 tls-inspection }')
    firewall = Firewall(template(text, inventory(PREMIUM)))
    found = firewall.decide(Flow("10.1.0.5", "tcp", 443, "192.0.2.1", "secret.x.com", shows="Https"))
    assert (found.rule, found.terminates) == ("p.b_https", True)
    assert announced(text, inventory(PREMIUM)) == {"a": {}, "b": {}}


def test_no_inspecting_allow_stands_before_an_exemption_of_another_policy():
    text = (
        'policy a "A" { from one allow wide "W" { to *.x.com ports 443 } }\n'
        'policy b "B" { from one allow narrow "N" { to pinned.x.com ports 443 no-tls-inspection } }\n'
    )
    firewall = Firewall(template(text, inventory(INSPECTING)))
    found = firewall.decide(Flow("10.1.0.5", "tcp", 443, "192.0.2.1", "pinned.x.com", shows="Https"))
    assert (found.rule, found.terminates) == ("b.narrow_https", False)


def test_services_are_divided_only_where_they_are_treated_differently():
    text = policy('allow a "A" { to x.com ports 443/https 5671/tls }')
    assert set(bands(template(text, inventory()))) == {"p.a_https"}
    assert bands(template(text, inventory(INSPECTING))) == {"p.a_https": (1400, True), "p.a_tls": (1401, False)}


@pytest.mark.parametrize(
    ("rule", "other"),
    [
        ('allow a "A" { to x.com ports 5671/tls tls-inspection }', ""),  # TLS that is not HTTP
        ('allow a "A" { to 192.0.2.1 ports 443/https tls-inspection }', ""),  # a network rule
        ('allow a "A" { to x.com ports 443 tls-inspection }', 'allow b "B" { to 192.0.2.0/24 ports 443/tcp }'),
        ('allow a "A" { to *.x.com except y.x.com ports 443 tls-inspection }', 'allow b "B" { to *.x.com ports 443 }'),
    ],
)
def test_what_cannot_be_inspected_is_an_error(rule, other):
    text = policy(rule, other, 'allow z "Z" { to z.com ports 443 tls-inspection }')
    found = announced(text, inventory(PREMIUM))
    assert found["a"] == {"tls-unenforced": "error"}
    if "192.0.2.0/24" not in other:
        assert found["z"] == {} or "192.0.2.1" in rule


@pytest.mark.parametrize(
    ("word", "other", "unmet"),
    [
        ("no-tls-inspection", "to x.com ports 1000-1063/https 1064-1100/https", True),
        ("no-tls-inspection", "to any-address ports any/tcp", False),
        ("tls-inspection", "to x.com ports 1000-1063/https 1064-1100/https", False),
        ("tls-inspection", "to any-address ports any/tcp", True),
    ],
)
def test_a_wish_of_a_rule_that_cannot_be_said_holds_for_what_carries_its_connections(word, other, unmet):
    # The ports of `a` do not fit into an application rule; `b` lets all of its connections through.
    text = policy(
        f'allow a "A" {{ to x.com ports 1000-1100/https {word} }}',
        f'allow b "B" {{ {other} }}',
        'allow z "Z" { to z.com ports 80 }',
    )
    assert announced(text, inventory(INSPECTING))["b"] == ({"tls-unenforced": "error"} if unmet else {})


def test_an_exempted_pair_stands_before_what_is_inspected_where_it_can():
    text = policy(
        'allow a "A" { to *.x.com except y.x.com ports 443 no-tls-inspection }', 'allow b "B" { to *.z.com ports 443 }'
    )
    result = template(text, inventory(INSPECTING))
    assert groups(result)["egressc-exempt.except-p"]["priority"] == 1200
    assert announced(text, inventory(INSPECTING)) == {"a": {}, "b": {}}
    # Another allow for the excepted name: among the exemptions, the deny would stop it.
    text = policy(
        'allow a "A" { to *.x.com except y.x.com ports 443 no-tls-inspection }', 'allow b "B" { to y.x.com ports 443 }'
    )
    result = template(text, inventory(INSPECTING))
    assert groups(result)["egressc-except-p"]["priority"] == 1900
    assert announced(text, inventory(INSPECTING)) == {"a": {}, "b": {}}
    # And an inspecting allow for the same names before it: the exemption is lost, and that is said.
    text = policy(
        'allow a "A" { to *.x.com except y.x.com ports 443 no-tls-inspection }',
        'allow b "B" { to y.x.com z.x.com ports 443 }',
    )
    assert announced(text, inventory(INSPECTING))["a"] == {"tls-unenforced": "error"}


def test_an_exemption_of_a_network_rule_needs_nothing():
    text = policy('allow a "A" { to 192.0.2.1 ports 443 80 no-tls-inspection }')
    assert announced(text, inventory(INSPECTING)) == {"a": {}}


def test_a_firewall_that_never_inspects_owes_nothing():
    text = policy('allow a "A" { to x.com ports 443 no-tls-inspection }')
    assert announced(text) == {"a": {}}
