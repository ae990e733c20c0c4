"""A deny that cannot be said is left out only where nothing that is written lets through what it is for: on every target."""

from __future__ import annotations

import pytest
from support import compilation_of

FIREWALLS = {
    "paloalto": "settings: {from-zone: trust, to-zone: untrust}",
    "azure-firewall": "settings: {policy: p1, location: westeurope}",
    "iptables": "settings: {mode: gateway, interface: lan0}",
    "windows-firewall": "settings: {}",
}
HEAD = """
service-account one "One" { linux-user one windows-service One }
service-account two "Two" { linux-user two windows-service Two }
policy p "P" { from g
"""
ALLOW = 'allow portal "P" { to portal.test.io/public ports 443 as one }'


def told(target, *rules):
    """The codes about the deny and the message of its error."""
    inventory = (
        "groups: {g: {networks: [10.20.0.0/24]}}\n"
        f"firewalls: {{f: {{target: {target}, groups: [g], {FIREWALLS[target]}}}}}\n"
    )
    found = [
        d for d in compilation_of(HEAD + "\n".join(rules) + "\n}\n", inventory).diagnostics if d.subject == "p/not"
    ]
    return [d.code for d in found], "".join(d.label for d in found)


OTHER_PATH = 'deny not "N" { to portal.test.io/private ports 443 as one }'
OTHER_ACCOUNT = 'deny not "N" { to portal.test.io ports 443 as two }'
OTHERS_NETWORK = 'deny not "N" { to 192.0.2.0/25 ports 443 as two }'
NETWORK = 'allow net "N" { to 192.0.2.0/24 ports 443 as one }'
BLIND = ("paloalto", "azure-firewall", "iptables")
"""Those that see no accounts here."""


@pytest.mark.parametrize("target", FIREWALLS)
def test_a_deny_of_another_path_is_an_error_where_nobody_sees_paths(target):
    codes, label = told(target, ALLOW, OTHER_PATH)
    assert codes == ["E0621"]
    # Where it was widened, it would stop what is allowed; where it is not written, nothing stops what it is for.
    assert label.endswith("/public" if target == "paloalto" else "/private")


@pytest.mark.parametrize("target", BLIND)
@pytest.mark.parametrize(("deny", "allow"), [(OTHER_ACCOUNT, ALLOW), (OTHERS_NETWORK, NETWORK)])
def test_a_deny_for_another_account_is_an_error_where_nobody_sees_accounts(target, deny, allow):
    codes, label = told(target, allow, deny)
    assert codes == ["E0621"]
    assert "as one" in label if target == "paloalto" else "as two" in label


def test_a_deny_for_another_account_is_said_or_left_to_the_default_where_accounts_are_seen():
    assert told("windows-firewall", ALLOW, OTHER_ACCOUNT)[0] == ["N0623"]
    assert told("windows-firewall", NETWORK, OTHERS_NETWORK)[0] == []


@pytest.mark.parametrize("target", BLIND)
@pytest.mark.parametrize(
    ("deny", "allow"),
    [
        (OTHER_ACCOUNT.replace("portal", "archive"), ALLOW),
        (OTHER_ACCOUNT.replace("443", "8443/https"), ALLOW),
        (OTHERS_NETWORK.replace("192.0.2.0/25", "192.0.3.0/25"), NETWORK),
    ],
)
def test_a_deny_that_meets_no_allow_as_it_is_written_is_left_to_the_default(target, deny, allow):
    assert told(target, allow, deny)[0] == ["N0623"]
