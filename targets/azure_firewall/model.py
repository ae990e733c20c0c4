"""The target's own rules: a firewall policy's rule collection groups, with the words of Azure Resource Manager.

A model holds everything that any form of the artefact needs (ARM JSON, Bicep, Terraform), and nothing of the policy
language. Lists keep their order. ``*`` in sources and destinations is Azure's own "any"; no list of a rule is empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tier(StrEnum):
    """The tier of a firewall policy."""

    BASIC = "Basic"
    STANDARD = "Standard"
    PREMIUM = "Premium"


class Verdict(StrEnum):
    """What a collection does with what its rules match."""

    ALLOW = "Allow"
    DENY = "Deny"


class ProtocolType(StrEnum):
    """How an application rule reads a connection."""

    HTTP = "Http"
    HTTPS = "Https"


@dataclass(frozen=True, slots=True)
class IpGroupReference:
    """An IP group as a rule refers to it: one of the deployment's resource group by name, or any by its identifier."""

    name: str
    identifier: str | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of a rule: addresses or IP groups, never both, never neither."""

    addresses: tuple[str, ...] = ()
    ip_groups: tuple[IpGroupReference, ...] = ()

    @property
    def count(self) -> int:
        """How many there are; an IP group counts as one."""
        return len(self.addresses) + len(self.ip_groups)


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol of an application rule, on one port."""

    type: ProtocolType
    port: int


@dataclass(frozen=True, slots=True)
class ApplicationRule:
    """A rule on names, seen in the SNI or the Host header: ``fqdns`` or ``urls``, never both, never neither."""

    name: str
    description: str
    sources: Sources
    protocols: tuple[Protocol, ...]
    fqdns: tuple[str, ...]
    urls: tuple[str, ...] = ()
    terminate_tls: bool = False


@dataclass(frozen=True, slots=True)
class NetworkRule:
    """A rule on addresses: ``addresses`` (also ``*`` and service tags) or ``fqdns``, never both, never neither."""

    name: str
    description: str
    sources: Sources
    ip_protocols: tuple[str, ...]
    addresses: tuple[str, ...]
    fqdns: tuple[str, ...]
    ports: tuple[str, ...]


Rule = ApplicationRule | NetworkRule
"""A rule of a collection."""


@dataclass(frozen=True, slots=True)
class RuleCollection:
    """Rules of one type and one action; the first that matches decides."""

    name: str
    priority: int
    action: Verdict
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class RuleCollectionGroup:
    """Collections that are deployed as one resource."""

    name: str
    priority: int
    collections: tuple[RuleCollection, ...]


@dataclass(frozen=True, slots=True)
class IpGroup:
    """An IP group that the artefact owns."""

    name: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """The CA certificate with which a Premium policy inspects TLS."""

    name: str
    key_vault_secret_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallPolicy:
    """The policy that the rule collection groups belong to. ``location`` is ``None`` for that of the resource group."""

    name: str
    location: str | None
    tier: Tier
    dns_proxy: bool
    certificate_authority: CertificateAuthority | None


@dataclass(frozen=True, slots=True)
class Model:
    """Everything that one artefact holds, in the order in which it is deployed."""

    policy: FirewallPolicy
    ip_groups: tuple[IpGroup, ...]
    groups: tuple[RuleCollectionGroup, ...]
