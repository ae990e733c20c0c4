"""Exceptions: addresses are subtracted from addresses; anything else is a block rule, where that is exact.

A block rule stops every allow, not only the one that it belongs to, and it decides where no rule did before. So it can
stand for an exception only under a closing deny, outside the internal networks, and where no other allow overlaps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from egressc.addresses import ALL, EMPTY, AddressSet, union_of
from egressc.anything import ANY, Anything
from egressc.approximate import drop_exceptions
from egressc.diagnostics import Diagnostic
from egressc.lowering import Kind
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint
from egressc.reach import Reach

if TYPE_CHECKING:
    from egressc.hosts import HostPattern
    from egressc.lowering import Part
    from egressc.policy import Endpoint
    from egressc.site import Site
    from egressc.targets.windows_firewall.settings import Settings

_DENY: Final = "Windows Firewall cannot let an exception through a block rule"
_NAMES: Final = "Windows Firewall cannot subtract a name from addresses"
_BLOCK: Final = "Windows Firewall can say the exception only by a block rule, which would stop more than this allow"


@dataclass(frozen=True, slots=True)
class Cut:
    """What block rules take out of an allow: names, and addresses (``None`` for none)."""

    patterns: tuple[HostPattern, ...] = ()
    addresses: AddressSet | None = None


_NOTHING: Final = Cut()


class Exceptions:
    """Settles the exceptions of one site's rules."""

    def __init__(self, site: Site[Settings]) -> None:
        self._site = site

    def settle(self, part: Part) -> tuple[Part, Cut]:
        """A part by name without the exceptions that cannot be said, and what block rules must say for the others."""
        if part.reach is None or not part.reach.exceptions:
            return part, _NOTHING
        if part.rule.is_deny:
            return drop_exceptions(part, _DENY), _NOTHING
        kept = [e for e in part.reach.exceptions if self._can_block(part, part.reach, e)]
        patterns = tuple(e.pattern for e in kept if isinstance(e, HostEndpoint))
        addresses = union_of(self._addresses(e) or EMPTY for e in kept if not isinstance(e, HostEndpoint))
        part = drop_exceptions(part, _BLOCK, lambda endpoint: endpoint in kept)
        return part, Cut(patterns, None if addresses.is_empty else addresses)

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

    def _can_block(self, part: Part, reach: Reach, exception: Endpoint) -> bool:
        """True if a block rule for the exception stops exactly what this allow must not let through."""
        if not self._site.closing_deny:
            return False
        if isinstance(exception, HostEndpoint):
            if exception.path is not None or not exception.pattern.is_tree:
                return False
        else:
            addresses = self._addresses(exception)
            if addresses is None or addresses.overlaps(self._site.internal):
                return False
        alone = Reach(reach.groups, reach.accounts, (exception,), (), reach.ports)
        return all(other is part.rule for other in self._site.index.allows_meeting(alone))

    def _addresses(self, endpoint: Endpoint) -> AddressSet | None:
        """The addresses of an endpoint that is no name; ``None`` for a service tag that nobody published to us."""
        match endpoint:
            case AddressEndpoint():
                return endpoint.addresses
            case TagEndpoint():
                return self._site.tags.get(endpoint.name.lower())
            case AnyAddressEndpoint():
                return ALL
            case HostEndpoint():
                return EMPTY

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
