"""The pieces of a part that are said in different ways, and how each shows the name of a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet, union_of
from egressc.approximate import with_endpoints
from egressc.diagnostics import Diagnostic
from egressc.lowering import Kind, Part, Recognition
from egressc.policy import AddressEndpoint, HostEndpoint, TagEndpoint
from egressc.reach import Reach
from egressc.services import Application, PortSet
from egressc.targets.paloalto.capabilities import FQDN, FQDN_PATTERN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from egressc.policy import Endpoint
    from egressc.services import Service
    from egressc.site import BoundRule

VISIBLE = (Recognition.SNI, Recognition.HOST)
"""Where a URL category can know the name."""

_SHOWN = {
    Application.HTTPS: Recognition.SNI,
    Application.TLS: Recognition.SNI,
    Application.HTTP: Recognition.HOST,
    Application.TCP: Recognition.NONE,
    Application.UDP: Recognition.NONE,
}


def recognition_of(part: Part) -> Recognition:
    """How the hosts of a part, excepted ones too, can be recognised: by what its services show of the name."""
    if part.kind is Kind.NAMES:
        return part.recognition
    found = {_SHOWN[service.application] for service in part.services}
    return found.pop() if len(found) == 1 else Recognition.NONE


def tls_services_of(part: Part) -> tuple[Service, ...]:
    """The services of a part that are TLS."""
    return tuple(s for s in part.services if _SHOWN[s.application] is Recognition.SNI)


def hosts_of(part: Part) -> list[HostEndpoint]:
    """The hosts of what is left of a part."""
    return [] if part.reach is None else [e for e in part.reach.endpoints if isinstance(e, HostEndpoint)]


def excepted_hosts_of(part: Part) -> list[HostEndpoint]:
    """The excepted hosts of what is left of a part."""
    return [] if part.reach is None else [e for e in part.reach.exceptions if isinstance(e, HostEndpoint)]


def addresses_in(endpoints: Iterable[Endpoint], tags: Mapping[str, AddressSet]) -> AddressSet:
    """The addresses among the endpoints; those of a service tag only where they are known."""
    known = []
    for endpoint in endpoints:
        if isinstance(endpoint, AddressEndpoint):
            known.append(endpoint.addresses)
        elif isinstance(endpoint, TagEndpoint) and endpoint.name.lower() in tags:
            known.append(tags[endpoint.name.lower()])
    return union_of(known)


def destinations_of(part: Part, tags: Mapping[str, AddressSet]) -> AddressSet:
    """The destination addresses of the rule for what is left of a part that no FQDN objects say.

    Excepted addresses are none of them: those of a list are taken out of it, any others are said by negating them.
    """
    reach = part.reach
    assert reach is not None
    whole = addresses_in(reach.endpoints, tags) if part.kind is Kind.ADDRESSES else ALL
    return whole.difference(addresses_in(reach.exceptions, tags)) if reach.exceptions else whole


def denied_exceptions(part: Part) -> tuple[Endpoint, ...]:
    """The exceptions of what is left of a part that only a deny above its rule can say.

    Those are excepted hosts; beside FQDN objects, which are addresses too and cannot be negated, all.
    """
    reach = part.reach
    if reach is None:
        return ()
    if part.kind is Kind.NAMES and part.recognition is Recognition.DNS:
        return reach.exceptions
    return tuple(e for e in reach.exceptions if isinstance(e, HostEndpoint))


def has_fqdn(endpoint: Endpoint) -> bool:
    """True if an address object can hold the host: one name, in the characters that PAN-OS takes."""
    if not isinstance(endpoint, HostEndpoint) or not endpoint.pattern.is_exact:
        return False
    name = endpoint.pattern.text
    return len(name) <= FQDN and FQDN_PATTERN.fullmatch(name) is not None


def split(part: Part) -> tuple[Part, ...]:
    """The part in pieces, which together are the part.

    Names on opaque ports: those that an address object can hold, and the others. Addresses with excepted hosts: by what
    the services show of the name.
    """
    if part.kind is Kind.NAMES:
        if part.recognition in VISIBLE:
            return (part,)
        held = tuple(e for e in part.start.endpoints if has_fqdn(e))
        if not held or len(held) == len(part.start.endpoints):
            return (part,)
        others = tuple(e for e in part.start.endpoints if not has_fqdn(e))
        return tuple(_piece(part, with_endpoints(part.start, some), part.services) for some in (held, others))
    if not excepted_hosts_of(part):
        return (part,)
    by_recognition: dict[Recognition, list[Service]] = {}
    for service in part.services:
        by_recognition.setdefault(_SHOWN[service.application], []).append(service)
    if len(by_recognition) == 1:
        return (part,)
    start = part.start
    pieces = []
    for services in by_recognition.values():
        ports = PortSet.of(services)
        reach = Reach(start.groups, start.accounts, start.endpoints, start.exceptions, ports)
        pieces.append(_piece(part, reach, tuple(services)))
    return tuple(pieces)


def _piece(part: Part, reach: Reach, services: tuple[Service, ...]) -> Part:
    return Part(part.rule, part.kind, part.recognition, services, reach, reach)


def nothing_left(rule: BoundRule, message: str, help_text: str) -> Diagnostic:
    """The error about a rule without any address: an empty list would be any."""
    return Diagnostic(
        code="E0708",
        message=message,
        span=rule.rule.span,
        label="nothing is left of this rule",
        help=help_text,
    )
