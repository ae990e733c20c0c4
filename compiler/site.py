"""A site: what one artefact is compiled from, after policy and inventory have met.

A gateway firewall gives one site; a host firewall gives one for each group that it governs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from egressc.anything import ANY, Anything
from egressc.policy import Action, AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint
from egressc.quick_init import quick_init

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from egressc.addresses import AddressSet
    from egressc.policy import Account, Endpoint, Rule
    from egressc.reach import Reach
    from egressc.rule_index import RuleIndex
    from egressc.services import Service
    from egressc.source import Span

SettingsT = TypeVar("SettingsT")


@dataclass(frozen=True, slots=True)
class BoundGroup:
    """A group as this firewall sees it.

    ``addresses`` is ``ANY`` when the group is unbound, and an empty set when only ``object_name`` (an object that
    exists on the device already and is taken to hold the group's networks) says who the group is.
    """

    name: str
    description: str
    addresses: AddressSet | Anything
    object_name: str | None
    span: Span | None

    @property
    def is_unbound(self) -> bool:
        """True when nothing says which sources the group has."""
        return self.addresses is ANY


@quick_init
@dataclass(frozen=True, slots=True, eq=False)
class BoundRule:
    """A rule with its groups, its accounts' bindings and its parameters filled in for one site.

    ``part`` is empty, or the name of the group when the groups of the rule fill its parameters differently; identity
    and part together name the rule in the artefact. ``groups`` is never empty. ``reach`` is what the rule matches.
    Compared by identity of the object.
    """

    identity: str
    part: str
    rule: Rule
    groups: tuple[BoundGroup, ...]
    accounts: tuple[Account, ...] | Anything
    endpoints: tuple[Endpoint, ...]
    exceptions: tuple[Endpoint, ...]
    fallback: tuple[Endpoint, ...] | None
    services: tuple[Service, ...]
    reach: Reach

    @property
    def is_deny(self) -> bool:
        """True for a deny."""
        return self.rule.action is Action.DENY

    @property
    def key(self) -> str:
        """Identity and part in one text, from which artefact names and hashes are derived."""
        return f"{self.identity}@{self.part}" if self.part else self.identity


@dataclass(frozen=True)
class Site(Generic[SettingsT]):
    """What one artefact is compiled from. Rules stand in the order of their keys, denies and allows mixed.

    ``name`` is ``FIREWALL`` or ``FIREWALL/GROUP``. ``closing_deny`` says whether the artefact ends with the default
    deny: the setting is on and no governed group is unbound (or that was allowed aloud, ``unbound_allowed``). ``tags``
    holds the addresses of service tags when the inventory names Azure's file, else it is empty and tags are opaque.
    ``as_of`` is the date at which the proof holds.
    """

    name: str
    firewall: str
    target: str
    settings: SettingsT
    groups: tuple[BoundGroup, ...]
    rules: tuple[BoundRule, ...]
    internal: AddressSet
    default_deny: bool
    closing_deny: bool
    tags: Mapping[str, AddressSet]
    as_of: date
    span: Span | None
    unbound_allowed: bool = False

    @cached_property
    def index(self) -> RuleIndex:
        """The index over the site's rules that overlap questions are asked of; built when first used."""
        from egressc.rule_index import RuleIndex  # noqa: PLC0415 - the index imports this module's types

        return RuleIndex(self.rules, self.tags)

    def names_internal(self, endpoints: Iterable[Endpoint]) -> bool:
        """True if an endpoint names an address of the internal networks, which the closing deny leaves alone."""
        return any(self._names_internal(endpoint) for endpoint in endpoints)

    def _names_internal(self, endpoint: Endpoint) -> bool:
        match endpoint:
            case HostEndpoint():
                return False
            case AddressEndpoint():
                return endpoint.addresses.overlaps(self.internal)
            case AnyAddressEndpoint():
                return not self.internal.is_empty
            case TagEndpoint():
                known = self.tags.get(endpoint.name.lower())
                return known is not None and known.overlaps(self.internal)

    @property
    def has_unbound_group(self) -> bool:
        """True if a governed group is unbound."""
        return any(group.is_unbound for group in self.groups)
