"""Drafts: parts on their way to rules, with what Azure Firewall adds to the question how a part is said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from egressc.anything import ANY
from egressc.approximate import any_source, change, drop_account, gone, named
from egressc.lowering import Part, Recognition
from egressc.policy import AddressEndpoint
from egressc.reach import Reach
from egressc.reasons import Reason
from egressc.services import NO_PORTS, PortSet
from egressc.targets.azure_firewall.capabilities import IPV6
from egressc.targets.azure_firewall.sources import SourceBook, has_v4

if TYPE_CHECKING:
    from egressc.policy import Endpoint
    from egressc.services import Service
    from egressc.site import BoundRule, Site
    from egressc.targets.azure_firewall.settings import Settings


class Form(StrEnum):
    """The type of rule that says a part. All network rules are processed before all application rules."""

    NETWORK = "net"
    APPLICATION = "app"


class Band(StrEnum):
    """Where a rule stands, in the order of priorities; the value is the word in the group's name."""

    DENY = "deny"
    EXEMPT = "exempt"
    ALLOW = "allow"
    UNINSPECTED = "uninspected"
    EXCEPT = "except"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A part and how it is said.

    ``nature`` is the last word of the rule's name. ``uses_urls`` says that the endpoints are said by ``targetUrls``,
    ``terminates`` that TLS is terminated. ``pieces`` stand for the part in the report where it had to be divided after
    it was drafted; else they are empty.
    """

    part: Part
    nature: str
    form: Form
    band: Band
    uses_urls: bool = False
    terminates: bool = False
    pieces: tuple[Part, ...] = ()

    @property
    def is_deny(self) -> bool:
        """True for a deny."""
        return self.part.rule.is_deny

    @property
    def is_written(self) -> bool:
        """True if rules are written for the part."""
        return self.part.reach is not None

    def with_part(self, part: Part) -> Draft:
        """The same draft of a part that went one step further."""
        return self if part is self.part else replace(self, part=part)


class Desk:
    """What drafting needs besides the part: the site, its sources, and answers that many parts share."""

    def __init__(self, site: Site[Settings]) -> None:
        self.site = site
        self.settings = site.settings
        self.sources = SourceBook(site)
        self._unbound: dict[int, bool] = {}

    def seen(self, part: Part) -> Part:
        """The part without what no gateway sees: accounts, and sources of an unbound group."""
        part = drop_account(part, "Azure Firewall sees no service accounts")
        groups = part.rule.groups
        unbound = self._unbound.get(id(groups))
        if unbound is None:
            unbound = self._unbound[id(groups)] = any(group.is_unbound for group in groups)
        return any_source(part, "a group of this rule has no networks in the inventory") if unbound else part

    def v4(self, part: Part) -> Part:
        """The part for IPv4 alone (reason ``family``); any source stays any source."""
        reach = part.reach
        if reach is None:
            return part
        has_v6 = reach.groups is not ANY and self.sources.has_v6(part.rule.groups)
        if not has_v6 and not _has_v6(reach.endpoints) and not _has_v6(reach.exceptions):
            return part
        if reach.groups is ANY and _has_v6(reach.exceptions):
            # From any source IPv6 may come, so this exception is lost; a bound group without IPv6 sends none.
            after = with_exceptions(reach, _v4(reach.exceptions))
            part = change(part, Reason.EXCEPT, after, "Azure Firewall takes no IPv6, so such an exception goes")
            reach = part.reach
            assert reach is not None, "an exception was lost, not the part"
        sentence = "Azure Firewall takes no IPv6, except in the network rules of its dual-stack preview"
        endpoints = _v4(reach.endpoints)
        families = frozenset({4}) if has_v6 else reach.source_families
        if not endpoints or (has_v6 and not any(map(has_v4, part.rule.groups))):
            part = gone(part, Reason.FAMILY, sentence)
        else:
            exceptions = _v4(reach.exceptions)
            after = Reach(reach.groups, reach.accounts, endpoints, exceptions, reach.ports, reach.shared, families)
            part = change(part, Reason.FAMILY, after, sentence)
        return named(part, assumptions=(IPV6.id,))

    def seen_otherwise(self, part: Part) -> PortSet:
        """The ports of a deny on which some allow knows its names in the other way (SNI, Host).

        An application rule for ``Https`` does not stop HTTP on the same port, nor the other way round.
        """
        if not part.rule.is_deny:
            return NO_PORTS
        other = Recognition.HOST if part.recognition is Recognition.SNI else Recognition.SNI
        return part.start.ports.intersection(self._allowed_ports[other])

    @cached_property
    def _allowed_ports(self) -> dict[Recognition, PortSet]:
        allowed = dict.fromkeys(s for rule in self.site.rules if not rule.is_deny for s in rule.services)
        return {
            kind: PortSet.of(tuple(s for s in allowed if s.application.recognition == kind))
            for kind in (Recognition.SNI, Recognition.HOST)
        }


def _has_v6(endpoints: tuple[Endpoint, ...]) -> bool:
    return any(isinstance(e, AddressEndpoint) and bool(e.addresses.v6) for e in endpoints)


def _v4(endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    """The endpoints without IPv6 addresses."""
    kept: list[Endpoint] = []
    for endpoint in endpoints:
        if not isinstance(endpoint, AddressEndpoint) or not endpoint.addresses.v6:
            kept.append(endpoint)
        elif endpoint.addresses.v4:
            kept.append(AddressEndpoint(endpoint.addresses.family(4)))
    return tuple(kept)


def divided(
    part: Part,
    *,
    services: tuple[Service, ...] | None = None,
    endpoints: tuple[Endpoint, ...] | None = None,
    exceptions: tuple[Endpoint, ...] | None = None,
) -> Part:
    """A part of a part that no step has touched yet, with fewer services, endpoints or (vain) exceptions."""
    assert not part.steps, "a part is divided before its steps"
    start = part.start
    ports = start.ports if services is None else PortSet.of(services)
    reach = Reach(
        start.groups,
        start.accounts,
        start.endpoints if endpoints is None else endpoints,
        start.exceptions if exceptions is None else exceptions,
        ports,
        start.shared,
        start.source_families,
    )
    return Part(part.rule, part.kind, part.recognition, part.services if services is None else services, reach, reach)


def with_exceptions(reach: Reach, exceptions: tuple[Endpoint, ...]) -> Reach:
    """The reach with other exceptions."""
    return Reach(
        reach.groups,
        reach.accounts,
        reach.endpoints,
        exceptions,
        reach.ports,
        reach.shared,
        reach.source_families,
    )


def policy_of(rule: BoundRule) -> str:
    """The policy by which rule collection groups are split: the outermost one, which the command line named."""
    return rule.identity.partition("/")[0]
