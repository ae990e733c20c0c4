"""What stands in a configuration of PAN-OS, whoever wrote it: wider than ``model``, with what could not be understood.

Texts are as they were found; a list that says ``any`` (or nothing, which PAN-OS reads as that) is ``WIDEST``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.quick_init import quick_init

if TYPE_CHECKING:
    from collections.abc import Mapping

Texts = tuple[str, ...]

WIDEST: Texts = ("any",)
"""A list without a condition."""


@quick_init
@dataclass(frozen=True, slots=True)
class LiveRule:
    """A rule of the security or of the decryption rulebase that is not disabled; ``place`` is for people.

    ``kind`` is the ``rule-type`` of a security rule (``universal``, ``intrazone``, ``interzone``), and the ``type`` of
    a decryption rule. ``profile`` is what content is held against: all of `profile-setting`, or the decryption profile.
    ``doubts`` say in words why the rule may match less than it seems to.
    """

    name: str
    place: str
    kind: str
    from_zones: Texts
    to_zones: Texts
    sources: Texts
    negates_sources: bool
    users: Texts
    destinations: Texts
    negates_destinations: bool
    categories: Texts
    applications: Texts
    services: Texts
    action: str
    schedule: str
    profile: Texts
    doubts: Texts = ()


@quick_init
@dataclass(frozen=True, slots=True)
class LiveAddress:
    """An address object. ``kind`` is ``ip-netmask``, ``ip-range``, ``fqdn`` or ``ip-wildcard``; empty if unclear."""

    kind: str
    value: str


@quick_init
@dataclass(frozen=True, slots=True)
class LiveService:
    """A service object; ``ports`` as they were written. ``transport`` is ``tcp``, ``udp``, ``sctp`` or empty."""

    transport: str
    ports: str
    has_source_port: bool = False


@quick_init
@dataclass(frozen=True, slots=True)
class LiveCategory:
    """A custom URL category. ``is_list`` is False for the type `Category Match`."""

    entries: Texts
    is_list: bool


@quick_init
@dataclass(frozen=True, slots=True)
class LiveSchedule:
    """A schedule: its spans if it does not recur."""

    spans: Texts
    recurs: bool


@dataclass(frozen=True, slots=True)
class Live:
    """What one virtual system, or the firewalls of one device group, go through, in the order of evaluation.

    Objects are found by their names. A group without ``members`` (``None``) is dynamic. ``twice`` are the names of
    objects that stand in several places with different contents. ``exclusions`` are the names of the SSL decryption
    exclusion; ``perhaps_excluded`` stand in templates, or are excluded in one place and not in another. ``defaults``
    are the actions of the default rules that were overridden, by the name of the rule. ``is_whole`` says that the files
    hold everything that the device has, not a part of it.
    """

    security: tuple[LiveRule, ...]
    decryption: tuple[LiveRule, ...]
    addresses: Mapping[str, LiveAddress]
    address_groups: Mapping[str, Texts | None]
    services: Mapping[str, LiveService]
    service_groups: Mapping[str, Texts]
    categories: Mapping[str, LiveCategory]
    schedules: Mapping[str, LiveSchedule]
    external_lists: frozenset[str]
    twice: frozenset[str]
    exclusions: Texts
    perhaps_excluded: Texts
    defaults: Mapping[str, Texts]
    is_whole: bool
    remarks: Texts = ()
