"""The settings of an Azure Firewall in the inventory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from egressc.diagnostics import Diagnostic
from egressc.schema_check import check, load_schema
from egressc.targets.azure_firewall.model import CertificateAuthority, Tier

if TYPE_CHECKING:
    from egressc.located_value import Located


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings with their defaults, those of ``--target azure-firewall`` without an inventory.

    ``location`` is ``None`` only there: the location of the resource group. ``prefix`` and ``priority`` are those of
    ``rule-collection-group``.
    """

    policy: str = "egressc"
    location: str | None = None
    tier: Tier = Tier.STANDARD
    prefix: str = "egressc"
    priority: int = 1000
    dns_proxy: bool = False
    ip_groups: bool = False
    tls_inspection: bool = False
    certificate_authority: CertificateAuthority | None = None
    max_rule_collection_groups: int = 60
    default_deny: bool = True

    @property
    def filters_urls(self) -> bool:
        """True if rules may name URLs (features-by-sku.md: URL filtering is Premium)."""
        return self.tier is Tier.PREMIUM

    @property
    def can_inspect(self) -> bool:
        """True if rules may terminate TLS: Premium, with a CA certificate."""
        return self.tier is Tier.PREMIUM and self.certificate_authority is not None


def load_settings(located: Located | None) -> tuple[Settings | None, tuple[Diagnostic, ...]]:
    """The settings of an inventory entry, or what is wrong with them; the defaults without an entry."""
    if located is None:
        return Settings(), ()
    wrong = check(located, load_schema("egressc.targets.azure_firewall", "settings.schema.json"))
    if wrong:
        return None, wrong
    entry: Any = located.value
    group = entry.get("rule-collection-group", {})
    authority = entry.get("certificate-authority")
    settings = Settings(
        policy=entry["policy"],
        location=entry["location"],
        tier=Tier(entry.get("tier", Tier.STANDARD)),
        prefix=group.get("name", "egressc"),
        priority=group.get("priority", 1000),
        dns_proxy=entry.get("dns-proxy", False),
        ip_groups=entry.get("ip-groups", False),
        tls_inspection=entry.get("tls-inspection", False),
        certificate_authority=CertificateAuthority(authority["name"], authority["key-vault-secret-id"])
        if authority
        else None,
        max_rule_collection_groups=entry.get("max-rule-collection-groups", 60),
        default_deny=entry.get("default-deny", True),
    )
    wrong = _contradictions(located, settings)
    return (None, wrong) if wrong else (settings, ())


def _contradictions(located: Located, settings: Settings) -> tuple[Diagnostic, ...]:
    """Settings that the tier does not have (features-by-sku.md, 2025-09-18, feature comparison table)."""
    found = []
    if settings.tier is not Tier.PREMIUM:
        # Both settings together are one mistake.
        key = "tls-inspection" if settings.tls_inspection else "certificate-authority"
        if settings.tls_inspection or settings.certificate_authority is not None:
            found.append(
                Diagnostic(
                    code="E0730",
                    message=f"the {settings.tier} tier has no TLS inspection, so `{key}` means nothing there",
                    span=located.key_span_of((key,)),
                    label="Premium only",
                    help="write `tier: Premium`, if the policy has it, or leave the setting out",
                )
            )
    elif settings.tls_inspection and settings.certificate_authority is None:
        found.append(
            Diagnostic(
                code="E0731",
                message="`tls-inspection` is on, and there is no `certificate-authority` to inspect with",
                span=located.key_span_of(("tls-inspection",)),
                label="it needs a CA certificate",
                help="add `certificate-authority: {name: NAME, key-vault-secret-id: https://…}`",
            )
        )
    if settings.dns_proxy and settings.tier is Tier.BASIC:
        found.append(
            Diagnostic(
                code="E0732",
                message="the Basic tier has neither a DNS proxy nor names in network rules",
                span=located.key_span_of(("dns-proxy",)),
                label="Standard and Premium only",
                help="write `tier: Standard`, if the policy has it, or leave `dns-proxy` out",
            )
        )
    return tuple(found)
