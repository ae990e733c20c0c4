"""TLS inspection: what decryption rules match, and which connections are surely decrypted because of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.flows import boxes
from egressc.flows_search import witness
from egressc.policy import AddressEndpoint, HostEndpoint, Inspection
from egressc.reach import Reach, for_every_process
from egressc.rule_index import RuleIndex
from egressc.services import PortSet
from egressc.targets.paloalto.lower_split import addresses_in, tls_services_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from egressc.addresses import AddressSet
    from egressc.lowering import Part
    from egressc.policy import Endpoint
    from egressc.site import BoundRule
    from egressc.targets.paloalto.settings import Settings


def decryption_reach(part: Part, settings: Settings, tags: Mapping[str, AddressSet]) -> Reach | None:
    """What the decryption rule for a part matches; ``None`` if it has none.

    The rule sees the handshake only, so hosts are whole there. It says nothing of excepted hosts: what they take out is
    denied, or another rule's.
    """
    reach = part.reach
    wanted = part.rule.rule.inspection
    if reach is None or part.rule.is_deny or wanted is Inspection.MAY or not settings.tls_inspection:
        return None
    if wanted is Inspection.MUST and settings.decryption_profile is None:
        return None
    services = tls_services_of(part)
    if not services:
        return None
    hosts = dict.fromkeys(
        HostEndpoint(e.pattern) if isinstance(e, HostEndpoint) and e.path else e for e in reach.endpoints
    )
    ports = PortSet.of(services)
    exceptions = _excepted_addresses(reach, tags)
    return Reach(reach.groups, reach.accounts, tuple(hosts), exceptions, ports, reach.shared, reach.source_families)


def _excepted_addresses(reach: Reach, tags: Mapping[str, AddressSet]) -> tuple[Endpoint, ...]:
    found = addresses_in(reach.exceptions, tags)
    return () if found.is_empty else (AddressEndpoint(found),)


class Decrypted:
    """The connections that the decryption rules of a site surely decrypt: those of `decrypt` and of no `no-decrypt`."""

    def __init__(
        self,
        parts: Iterable[Part],
        settings: Settings,
        tags: Mapping[str, AddressSet],
        sharing: Mapping[str, frozenset[str]],
    ) -> None:
        exempt: list[BoundRule] = []
        opened: list[BoundRule] = []
        for part in parts:
            reach = decryption_reach(part, settings, tags)
            if reach is not None:
                rule = replace(
                    part.rule,
                    endpoints=reach.endpoints,
                    exceptions=reach.exceptions,
                    services=part.services,
                    reach=reach,
                )
                (opened if rule.rule.inspection is Inspection.MUST else exempt).append(rule)
        self._tags = tags
        self._sharing = sharing
        self._exempt = RuleIndex(exempt, tags)
        self._opened = RuleIndex(opened, tags)

    def covers(self, reach: Reach) -> bool:
        """True if every TLS connection of the reach, also to the hosts that it excepts, is surely decrypted."""
        whole = replace(reach, exceptions=_excepted_addresses(reach, self._tags))
        if self._exempt.allows_meeting(for_every_process(whole, self._sharing)):
            return False
        met = self._opened.allows_meeting(whole)
        return witness(boxes(whole, self._tags), [b for rule in met for b in boxes(rule.reach, self._tags)]) is None
