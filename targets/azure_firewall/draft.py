"""Drafts: parts on their way to rules, with what Azure Firewall adds to the question how a part is said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from egressc.approximate import any_source, change, drop_account, keep_family, named
from egressc.lowering import Part
from egressc.policy import AddressEndpoint
from egressc.reach import Reach
from egressc.reasons import Reason
from egressc.services import PortSet
from egressc.targets.azure_firewall.capabilities import IPV6
from egressc.targets.azure_firewall.sources import SourceBook

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
        """The part for IPv4 alone (reason ``family``)."""
        reach = part.reach
        if reach is None:
            return part
        sentence = "Azure Firewall's rules carry no IPv6"
        before = part
        if self.sources.has_v6(part.rule.groups) or _has_v6(reach.endpoints):
            part = keep_family(part, 4, sentence)
            reach = part.reach
        if reach is not None and reach.exceptions and _has_v6(reach.exceptions):
            kept = tuple(left for e in reach.exceptions if (left := _v4(e)) is not None)
            part = change(part, Reason.FAMILY, with_exceptions(reach, kept), sentence)
        return part if part is before else named(part, assumptions=(IPV6.id,))


def _has_v6(endpoints: tuple[Endpoint, ...]) -> bool:
    return any(isinstance(e, AddressEndpoint) and bool(e.addresses.v6) for e in endpoints)


def _v4(endpoint: Endpoint) -> Endpoint | None:
    if not isinstance(endpoint, AddressEndpoint) or not endpoint.addresses.v6:
        return endpoint
    return AddressEndpoint(endpoint.addresses.family(4)) if endpoint.addresses.v4 else None


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
