"""Exceptions: addresses are subtracted from addresses, and from names by a block rule, where that is exact.

A block rule stops every allow, not only the one that it belongs to, and it decides where no rule did before. So it can
stand for an exception only under a closing deny, outside the internal networks, and where no other allow overlaps it.
It cannot stand for an excepted name: it would stop the allowed names that share an address with it, too.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from egressc.addresses import ALL, EMPTY, AddressSet, union_of
from egressc.anything import ANY, Anything
from egressc.approximate import drop_exceptions
from egressc.diagnostics import Diagnostic
from egressc.flows import addresses_of
from egressc.flows_index import FlowIndex
from egressc.lowering import Kind
from egressc.policy import AddressEndpoint, HostEndpoint
from egressc.reach import Reach

if TYPE_CHECKING:
    from collections.abc import Collection

    from egressc.lowering import Part
    from egressc.policy import Endpoint
    from egressc.site import BoundRule, Site
    from egressc.targets.windows_firewall.conditions import Accounts
    from egressc.targets.windows_firewall.settings import Settings

_DENY: Final = "Windows Firewall cannot let an exception through a block rule"
_NAMES: Final = "Windows Firewall cannot subtract a name from addresses"
_SHARED: Final = "Windows Firewall could except a name only by blocking its addresses, for allowed names too"
_BLOCK: Final = "Windows Firewall can say the exception only by a block rule, which would stop more than this allow"


class Exceptions:
    """Settles the exceptions of one site's rules."""

    def __init__(self, site: Site[Settings], accounts: Accounts) -> None:
        self._site = site
        self._accounts = accounts

    def settle(self, part: Part) -> tuple[Part, AddressSet]:
        """A part by name without the exceptions that cannot be said, and the addresses that block rules must stop."""
        reach = part.reach
        if reach is None or not reach.exceptions:
            return part, EMPTY
        if part.rule.is_deny:
            return drop_exceptions(part, _DENY), EMPTY
        kept = self._kept.get(part.rule, {})
        shared = any(isinstance(e, HostEndpoint) for e in reach.exceptions)
        part = drop_exceptions(part, _SHARED if shared else _BLOCK, lambda endpoint: endpoint in kept)
        return part, union_of(kept.values())

    def subtracted(self, part: Part) -> tuple[Part, AddressSet | Anything] | Diagnostic:
        """A part by address without its excepted names, and the addresses that are left of it (maybe none).

        An error if an excepted service tag has no known addresses.
        """
        reach = part.reach
        assert reach is not None
        part = drop_exceptions(part, _DENY if part.rule.is_deny else _NAMES, lambda e: not isinstance(e, HostEndpoint))
        excepted = []
        for endpoint in reach.exceptions:
            if isinstance(endpoint, HostEndpoint):
                continue
            known = self._addresses(endpoint)
            if known is None:
                return self._unknown_tag(part, endpoint)
            excepted.append(known)
        if part.kind is Kind.ANY_ADDRESS:
            return part, ALL.difference(union_of(excepted)) if excepted else ANY
        held = [endpoint.addresses for endpoint in reach.endpoints if isinstance(endpoint, AddressEndpoint)]
        addresses = held[0] if len(held) == 1 else union_of(held)
        return part, addresses.difference(union_of(excepted)) if excepted else addresses

    @cached_property
    def _kept(self) -> dict[BoundRule, dict[Endpoint, AddressSet]]:
        """The exceptions of each allow by name that block rules can say, with their addresses.

        An allow that loses an exception allows more, and a block rule for another's exception would stop that too. So
        exceptions go until none of those that are left meets an allow as it is written.
        """
        site = self._site
        if not site.closing_deny:
            return {}
        kept = {
            rule: {e: known for e in rule.exceptions if (known := self._blockable(rule, e)) is not None}
            for rule in site.rules
            if rule.exceptions and not rule.is_deny and any(isinstance(e, HostEndpoint) for e in rule.endpoints)
        }
        while True:
            wider = {rule: _without_lost(rule, some) for rule, some in kept.items() if len(some) < len(rule.exceptions)}
            rules, index = tuple(wider), FlowIndex(tuple(wider.values()), site.tags)
            left = {
                rule: {
                    e: known
                    for e, known in some.items()
                    if all(rules[number] is rule for number in index.meeting(self._alone(rule, e)))
                }
                for rule, some in kept.items()
            }
            if left == kept:
                return kept
            kept = left

    def _blockable(self, rule: BoundRule, exception: Endpoint) -> AddressSet | None:
        """The addresses of an exception, if blocking them stops nothing that another rule or nobody allows."""
        if isinstance(exception, HostEndpoint):
            return None
        addresses = self._addresses(exception)
        if addresses is None or addresses.overlaps(self._site.internal):
            return None
        met = self._site.index.allows_meeting(self._alone(rule, exception))
        return addresses if all(other is rule for other in met) else None

    def _alone(self, rule: BoundRule, exception: Endpoint) -> Reach:
        """What a block rule for the exception stops."""
        reach = rule.reach
        return Reach(reach.groups, self._accounts.meeting(reach.accounts), (exception,), (), reach.ports)

    def _addresses(self, endpoint: Endpoint) -> AddressSet | None:
        """The addresses that an endpoint says; ``None`` for a service tag that nobody published to us."""
        return addresses_of(endpoint, self._site.tags)

    def _unknown_tag(self, part: Part, endpoint: Endpoint) -> Diagnostic:
        site = self._site
        return Diagnostic(
            code="E0502",
            message=f"`{site.firewall}` ({site.target}) has no service tags, and the addresses of "
            f"`{endpoint.text.removeprefix('service-tag ')}` are not known",
            span=part.rule.rule.span,
            label="this rule needs them",
            help="the tag is not in the file that `service-tags` names: check its spelling"
            if site.tags
            else "name Azure's published file in the inventory: `service-tags: ServiceTags_Public.json`",
        )


def _without_lost(rule: BoundRule, kept: Collection[Endpoint]) -> Reach:
    """What an allow by name reaches with only these of its exceptions."""
    reach = rule.reach
    names = tuple(e for e in reach.endpoints if isinstance(e, HostEndpoint))
    return Reach(reach.groups, reach.accounts, names, tuple(e for e in reach.exceptions if e in kept), reach.ports)
