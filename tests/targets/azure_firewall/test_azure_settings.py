"""Settings of an inventory entry: defaults, and every mistake at its place."""

from __future__ import annotations

import pytest
from azure_samples import MINIMAL
from support import compilation_of, site_of
from test_azure_lower import GROUPS

from egressc.targets.azure_firewall.model import CertificateAuthority, Tier
from egressc.targets.azure_firewall.settings import Settings, load_settings


def problems(settings):
    text = f"{GROUPS.replace('two:', 'servers:')}\nfirewalls:\n  f:\n    target: azure-firewall\n    settings: {settings}\n"
    return [(d.code, d.span.text, d.help) for d in compilation_of(MINIMAL, text).diagnostics if d.level == "error"]


def test_defaults_without_an_inventory():
    settings, wrong = load_settings(None)
    assert wrong == ()
    assert settings == Settings(
        policy="egressc", location=None, tier=Tier.STANDARD, prefix="egressc", priority=1000, dns_proxy=False,
        ip_groups=False, tls_inspection=False, certificate_authority=None, max_rule_collection_groups=60, default_deny=True,
    )  # fmt: skip


@pytest.mark.parametrize("settings", [
    "{policy: p, location: westeurope}",
    "{policy: p, location: West Europe, tier: Premium}",
    "{policy: p_1.x-y_, location: x, rule-collection-group: {name: x}, max-rule-collection-groups: 100, default-deny: false}",
    "{policy: p, location: x, tier: Premium, certificate-authority: {name: a, key-vault-secret-id: 'https://v.vault.azure.net/secrets/n/0a'}}",
    "{policy: p, location: x, tier: Standard, dns-proxy: true, ip-groups: true}",
])  # fmt: skip
def test_good_settings(settings):
    assert problems(settings) == []


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ("{location: x}", None),
        ("{policy: p}", None),
        ("{policy: -p, location: x}", "-p"),
        (f"{{policy: {'p' * 81}, location: x}}", "p" * 81),
        ("{policy: p, location: x, teir: Premium}", "teir"),
        ("{policy: p, location: x, tier: premium}", "premium"),
        ("{policy: p, location: x, dns-proxy: 'yes'}", "'yes'"),
        ("{policy: p, location: x, rule-collection-group: {priority: 99}}", "99"),
        ("{policy: p, location: x, rule-collection-group: {priority: 64002}}", "64002"),
        ("{policy: p, location: x, rule-collection-group: {prefix: a}}", "prefix"),
        ("{policy: p, location: x, tier: Premium, certificate-authority: {name: a}}", None),
        (
            "{policy: p, location: x, tier: Premium, certificate-authority: {name: a, key-vault-secret-id: '[x]'}}",
            "'[x]'",
        ),
        ("{policy: p, location: x, tls-inspection: true}", "tls-inspection"),
        ("{policy: p, location: x, tier: Premium, tls-inspection: true}", "tls-inspection"),
        ("{policy: p, location: x, tier: Basic, dns-proxy: true}", "dns-proxy"),
    ],
)
def test_bad_settings(settings, where):
    ((_, found, help_text),) = problems(settings)
    assert help_text
    if where is not None:
        assert found == where


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("{policy: p, location: x, tls-inspection: true}", "E0730"),
        (
            "{policy: p, location: x, certificate-authority: {name: a, key-vault-secret-id: 'https://v/secrets/n'}}",
            "E0730",
        ),
        ("{policy: p, location: x, tier: Premium, tls-inspection: true}", "E0731"),
        ("{policy: p, location: x, tier: Basic, dns-proxy: true}", "E0732"),
    ],
)
def test_contradictions(settings, code):
    assert [found for found, _, _ in problems(settings)] == [code]


def test_certificate_authority():
    text = f"{GROUPS}\nfirewalls:\n  f:\n    target: azure-firewall\n    settings: {{policy: p, location: x, tier: Premium, certificate-authority: {{name: a, key-vault-secret-id: 'https://v/secrets/n'}}}}\n"
    site = site_of(MINIMAL.replace("servers", "one"), text, "f")
    assert site.settings.certificate_authority == CertificateAuthority("a", "https://v/secrets/n")
    assert site.settings.can_inspect
