"""The rulebase of a PAN-OS firewall or Panorama device group, as far as an egress policy needs it.

Everything that ``config.xml`` and ``commands.set`` say stands here, and nothing about how they say it. Where PAN-OS
writes ``any``, the model holds ``ANY``; no tuple in a rule is empty, because PAN-OS reads an empty list as ``any``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from egressc.anything import Anything
    from egressc.lowering import Recognition


@dataclass(frozen=True, slots=True)
class Vsys:
    """A virtual system of one firewall: ``vsys1``."""

    name: str


@dataclass(frozen=True, slots=True)
class DeviceGroup:
    """A device group of Panorama; ``rulebase`` is ``pre`` or ``post``."""

    name: str
    rulebase: str


Location = Vsys | DeviceGroup
"""Where rules and objects are kept."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag, which must exist before a rule bears it."""

    name: str


@dataclass(frozen=True, slots=True)
class Address:
    """An address object. ``kind`` is ``ip-netmask`` or ``fqdn``."""

    name: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class AddressGroup:
    """A static address group; ``members`` are names of address objects."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceObject:
    """A service object. ``transport`` is ``tcp`` or ``udp``, ``ports`` the destination ports: ``443``, ``1-1024``."""

    name: str
    transport: str
    ports: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule that does not recur. ``span`` is its only member: ``2000/01/01@00:00-2027/06/30@23:59``."""

    name: str
    span: str


@dataclass(frozen=True, slots=True)
class UrlCategory:
    """A custom URL category of the type ``URL List``."""

    name: str
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityRule:
    """A rule of the security rulebase.

    ``recognition`` says how the rule knows a name; where that is SNI or Host, ``categories`` are never ``ANY``.
    ``action`` is ``allow`` or ``deny``. Sources and destinations are names of objects, or addresses.
    """

    name: str
    recognition: Recognition
    description: str
    from_zone: str | Anything
    to_zone: str | Anything
    sources: tuple[str, ...] | Anything
    users: tuple[str, ...] | Anything
    destinations: tuple[str, ...] | Anything
    negate_destination: bool = False
    categories: tuple[str, ...] | Anything
    applications: tuple[str, ...] | Anything
    services: tuple[str, ...] | Anything
    action: str
    schedule: str | None = None
    tags: tuple[str, ...] = ()
    group_tag: str | None = None
    log_end: bool = True
    log_setting: str | None = None
    profile_group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecryptionRule:
    """A rule of the decryption rulebase, for forward proxying of TLS.

    ``action`` is ``no-decrypt`` or ``decrypt``. ``log_success`` and ``log_fail`` are ``None`` for the device's default.
    """

    name: str
    description: str
    from_zone: str | Anything
    to_zone: str | Anything
    sources: tuple[str, ...] | Anything
    users: tuple[str, ...] | Anything
    destinations: tuple[str, ...] | Anything
    negate_destination: bool = False
    categories: tuple[str, ...] | Anything
    services: tuple[str, ...] | Anything
    action: str
    profile: str | None = None
    tags: tuple[str, ...] = ()
    group_tag: str | None = None
    log_success: bool | None = None
    log_fail: bool | None = None
    log_setting: str | None = None


@dataclass(frozen=True, slots=True)
class Top:
    """The top of a rulebase."""


@dataclass(frozen=True, slots=True)
class Before:
    """Before a rule that exists already."""

    rule: str


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Where a new rule lands: at the end of the rulebase."""


Place = Top | Before | Unplaced
"""Where in a rulebase the rules go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What is written for one site. Objects are sorted by name; rules stand in the order in which they are matched.

    ``version`` is the version attribute of the configuration. ``existing`` are the names of objects on the device that
    rules refer to and that are never written.
    """

    version: str
    location: Location
    place: Place
    decryption_place: Place
    tags: tuple[Tag, ...]
    addresses: tuple[Address, ...]
    address_groups: tuple[AddressGroup, ...]
    services: tuple[ServiceObject, ...]
    schedules: tuple[Schedule, ...]
    categories: tuple[UrlCategory, ...]
    security_rules: tuple[SecurityRule, ...]
    decryption_rules: tuple[DecryptionRule, ...]
    existing: frozenset[str]
