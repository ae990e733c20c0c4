"""Windows Firewall's own rules, as one artefact writes them.

Complete: every form (the script, its data as JSON, an Intune profile) is made from this alone, and a reader of such a
form can make the same. There is no order: a block rule wins over every allow rule ([MS-FASP] 2.2.34).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from egressc.anything import Anything


class Action(StrEnum):
    """What a rule does with the traffic that it matches (``-Action``)."""

    ALLOW = "Allow"
    BLOCK = "Block"


class Protocol(StrEnum):
    """The protocol of a rule (``-Protocol``): rules with ports have exactly one."""

    TCP = "TCP"
    UDP = "UDP"
    ANY = "Any"


class Profile(StrEnum):
    """A kind of network, as Windows classifies it (``-Profile``)."""

    DOMAIN = "Domain"
    PRIVATE = "Private"
    PUBLIC = "Public"


@dataclass(frozen=True, slots=True)
class PersistentStore:
    """The rules are kept on each host."""


@dataclass(frozen=True, slots=True)
class GroupPolicyStore:
    r"""The rules are kept in a group policy object, named ``DOMAIN\NAME``."""

    gpo: str


Store = PersistentStore | GroupPolicyStore
"""Where rules are kept."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """A dynamic keyword address that Defender resolves: a GUID in braces, and a host name or ``*.`` and one."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Sid:
    """A security identifier, ``S-1-…``."""

    value: str


@dataclass(frozen=True, slots=True)
class AccountName:
    """An account that the host turns into its identifier when the rules are applied."""

    value: str


Principal = Sid | AccountName
"""Who a process runs as."""


@dataclass(frozen=True, slots=True)
class RemoteAddresses:
    """Destinations by address: single addresses, networks and ranges, as ``-RemoteAddress`` takes them; never none."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteKeywords:
    """Destinations by name: the ids of dynamic keywords; never none."""

    ids: tuple[str, ...]


Remote = RemoteAddresses | RemoteKeywords
"""The destinations of a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallRule:
    """One outbound rule. Conditions of different fields hold together, values of one field are alternatives.

    ``ports`` are numbers and ranges; ``ANY`` where the protocol has none. ``users`` are whom the process runs as.
    """

    name: str
    display_name: str
    description: str
    action: Action
    protocol: Protocol
    ports: tuple[str, ...] | Anything
    remote: Remote | Anything
    users: tuple[Principal, ...] | Anything
    service: str | Anything
    program: str | Anything


@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallPolicy:
    """Everything of one artefact. ``closing_deny`` is whether the script offers to block what no rule allows.

    ``keywords`` are sorted by name and hold exactly those that the rules use. Names of rules are unique.
    """

    site: str
    group: str
    store: Store
    profiles: tuple[Profile, ...] | Anything
    closing_deny: bool
    keywords: tuple[Keyword, ...]
    rules: tuple[FirewallRule, ...]
