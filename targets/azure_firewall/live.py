"""What stands in a firewall policy, whoever wrote it: wider than ``model``, with what could not be understood.

Texts are as they were found. ``doubts`` say in words why a rule may match less than it seems to; a list that could not
be read is ``WIDEST``, the most that it can be.
"""

from __future__ import annotations

from dataclasses import dataclass

from egressc.quick_init import quick_init

WIDEST: tuple[str, ...] = ("*",)
"""A list of which nobody knows what it holds."""

HERE = "(here)"
"""The subscription or resource group that a template is deployed to, in identifiers."""


@quick_init
@dataclass(frozen=True, slots=True)
class LiveApplicationRule:
    """An application rule. ``protocols`` are type and port (``None``: not stated or not known), in lower case.

    ``has_categories`` says that FQDN tags or web categories are named; ``terminates`` is ``None`` where nobody knows.
    """

    name: str
    addresses: tuple[str, ...]
    ip_groups: tuple[str, ...]
    protocols: tuple[tuple[str, int | None], ...]
    fqdns: tuple[str, ...]
    urls: tuple[str, ...]
    has_categories: bool
    terminates: bool | None
    doubts: tuple[str, ...] = ()


@quick_init
@dataclass(frozen=True, slots=True)
class LiveNetworkRule:
    """A network rule. ``ip_protocols`` are in lower case."""

    name: str
    addresses: tuple[str, ...]
    ip_groups: tuple[str, ...]
    ip_protocols: tuple[str, ...]
    destinations: tuple[str, ...]
    destination_groups: tuple[str, ...]
    fqdns: tuple[str, ...]
    ports: tuple[str, ...]
    doubts: tuple[str, ...] = ()


LiveRule = LiveApplicationRule | LiveNetworkRule
"""A rule of a filter collection."""


@dataclass(frozen=True, slots=True)
class LiveCollection:
    """A filter collection; ``allows`` is ``None`` where its action is not known. ``place`` is for people."""

    name: str
    priority: int
    allows: bool | None
    rules: tuple[LiveRule, ...]
    place: str
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveGroup:
    """A rule collection group. ``policy`` is the identifier or name of its policy; empty where nobody says."""

    name: str
    policy: str
    priority: int
    collections: tuple[LiveCollection, ...]
    file: str


@dataclass(frozen=True, slots=True)
class LiveIpGroup:
    """An IP group: its identifier (or name), and its entries."""

    identifier: str
    addresses: tuple[str, ...]
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class LivePolicy:
    """A firewall policy without its rules: ``None`` where nothing is said, ``groups`` are the names of its groups."""

    identifier: str
    base: str | None
    has_dns_proxy: bool | None
    can_inspect: bool | None
    groups: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Live:
    """Everything that was read."""

    groups: tuple[LiveGroup, ...]
    ip_groups: tuple[LiveIpGroup, ...]
    policies: tuple[LivePolicy, ...]
    remarks: tuple[str, ...] = ()


def last_name(identifier: str) -> str:
    """The name in an identifier (or name alone), in lower case: Azure's names know no case."""
    return identifier.rpartition("/")[2].lower()
