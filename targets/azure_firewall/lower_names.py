"""Names to drafts: application rules where the name is seen in SNI or Host, else the address that it resolved to."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from egressc.addresses import ALL, union_of
from egressc.approximate import by_address, drop_paths, gone, map_hosts, use_fallback, with_endpoints
from egressc.host_index import HostIndex
from egressc.lowering import Kind, Recognition
from egressc.policy import AddressEndpoint, HostEndpoint, Inspection
from egressc.reasons import Reason
from egressc.services import Application
from egressc.targets.azure_firewall.draft import Band, Draft, Form, divided, with_exceptions
from egressc.targets.azure_firewall.fqdn import with_deeper_names, with_shallow_names, without_inner_wildcards
from egressc.targets.azure_firewall.limits import LARGEST_APPLICATION_PORT, MOST_SPELLED_PORTS
from egressc.targets.azure_firewall.model import Tier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from egressc.lowering import Part
    from egressc.policy import Endpoint
    from egressc.services import Service
    from egressc.targets.azure_firewall.draft import Desk

_NATURES = {Recognition.SNI: "https", Recognition.HOST: "http", Recognition.DNS: "dns"}
_PATH = "Azure Firewall sees a path only in HTTP and in TLS that it terminates, on the Premium tier"
_INNER = "an application rule takes `*` only as the first character of a name"
_DEPTH = "`*` in an application rule stands for any number of labels"


def draft_names(part: Part, desk: Desk) -> Iterator[Draft]:
    """The drafts of a part whose endpoints are names; together they are the part."""
    if part.recognition is Recognition.DNS:
        yield from _opaque(part, desk, ports=False)
        return
    sayable, others = _by_port(part.services)
    if others:
        yield from _opaque(divided(part, services=others), desk, ports=True)
        if not sayable:
            return
        part = divided(part, services=sayable)
    for nature, services, terminates in _by_inspection(part, desk):
        mine = part if services is part.services else divided(part, services=services)
        yield from _application(mine, desk, nature, terminates=terminates)


@lru_cache(maxsize=1024)
def _by_port(services: tuple[Service, ...]) -> tuple[tuple[Service, ...], tuple[Service, ...]]:
    """The services that an application rule takes (single ports, a short range one by one), and the others."""
    taken = tuple(s for s in services if s.last <= LARGEST_APPLICATION_PORT and s.last - s.first < MOST_SPELLED_PORTS)
    return taken, tuple(s for s in services if s not in taken)


def _by_inspection(part: Part, desk: Desk) -> Iterator[tuple[str, tuple[Service, ...], bool]]:
    """The part's services by whether TLS is terminated: nature of the rule, services, and the answer.

    Only HTTP inside TLS can be read, so `tls` services are never terminated.
    """
    services = part.services
    if part.recognition is Recognition.SNI:
        https, tls = _by_application(services)
        rule = part.rule.rule
        inspect = (
            not part.rule.is_deny
            and desk.settings.can_inspect
            and (
                rule.inspection is Inspection.MUST
                or (rule.inspection is Inspection.MAY and desk.settings.tls_inspection)
            )
        )
        if not https:
            yield "tls", services, False
        elif not inspect or not tls:
            yield "https", services, inspect
        else:
            yield "https", https, True
            yield "tls", tls, False
    else:
        yield "http", services, False


@lru_cache(maxsize=1024)
def _by_application(services: tuple[Service, ...]) -> tuple[tuple[Service, ...], tuple[Service, ...]]:
    https = tuple(s for s in services if s.application is Application.HTTPS)
    return https, tuple(s for s in services if s.application is not Application.HTTPS)


def _application(part: Part, desk: Desk, nature: str, *, terminates: bool) -> Iterator[Draft]:
    """Drafts of application rules: URLs and names apart, and apart what exceptions touch."""
    start = part.start
    if sees_paths(part, desk, terminates) and any(isinstance(e, HostEndpoint) and e.path for e in start.endpoints):
        with_url, others = _parted(start.endpoints, lambda e: bool(e.path) and e.pattern.is_exact)
        if with_url:
            apart = divided(part, endpoints=with_url)
            yield from _with_exceptions(apart, desk, f"{nature}-url", uses_urls=True, terminates=terminates)
        if not others:
            return
        part = divided(part, endpoints=others) if with_url else part
    yield from _with_exceptions(part, desk, nature, uses_urls=False, terminates=terminates)


def sees_paths(part: Part, desk: Desk, terminates: bool) -> bool:  # noqa: FBT001
    """True if rules for the part can tell paths apart: in HTTP, and in TLS that must be terminated (Premium).

    Not so a deny that must also stop the names where they are seen in the other way.
    """
    if not desk.settings.filters_urls or not desk.seen_otherwise(part).is_empty:
        return False
    if part.recognition is Recognition.HOST:
        return True
    return terminates and part.rule.rule.inspection is Inspection.MUST


def _with_exceptions(part: Part, desk: Desk, nature: str, *, uses_urls: bool, terminates: bool) -> Iterator[Draft]:
    exceptions = part.start.exceptions
    if exceptions:
        touched, untouched = _touched(part.start.endpoints, exceptions)
        if untouched:
            plain = divided(part, endpoints=untouched, exceptions=())
            yield _draft(plain, desk, nature, uses_urls=uses_urls, terminates=terminates)
        if not touched:
            return
        hosts: HostIndex[None] = HostIndex((e.pattern, None) for e in touched if isinstance(e, HostEndpoint))
        relevant = tuple(e for e in exceptions if not isinstance(e, HostEndpoint) or hosts.intersecting(e.pattern))
        part = divided(part, endpoints=touched, exceptions=relevant)
        nature = f"{nature}-except"
    yield _draft(part, desk, nature, uses_urls=uses_urls, terminates=terminates)


def _touched(
    endpoints: tuple[Endpoint, ...], exceptions: tuple[Endpoint, ...]
) -> tuple[tuple[Endpoint, ...], tuple[Endpoint, ...]]:
    """The endpoints that an exception overlaps, and the others; an exception by address touches every name."""
    if any(not isinstance(e, HostEndpoint) for e in exceptions):
        return endpoints, ()
    names: HostIndex[None] = HostIndex((e.pattern, None) for e in exceptions if isinstance(e, HostEndpoint))
    return _parted(endpoints, lambda e: bool(names.intersecting(e.pattern)))


def _parted(
    endpoints: tuple[Endpoint, ...], is_first: Callable[[HostEndpoint], bool]
) -> tuple[tuple[Endpoint, ...], tuple[Endpoint, ...]]:
    """The hosts for which the test holds, and all other endpoints."""
    first: list[Endpoint] = []
    others: list[Endpoint] = []
    for endpoint in endpoints:
        (first if isinstance(endpoint, HostEndpoint) and is_first(endpoint) else others).append(endpoint)
    return tuple(first), tuple(others)


def _draft(part: Part, desk: Desk, nature: str, *, uses_urls: bool, terminates: bool) -> Draft:
    part = desk.seen(part)
    if not uses_urls:
        part = drop_paths(part, _PATH)
    for endpoint in part.start.endpoints:
        if isinstance(endpoint, HostEndpoint) and not endpoint.pattern.is_tree:
            part = map_hosts(part, Reason.LABEL_WILDCARD, without_inner_wildcards, _INNER)
            part = map_hosts(part, Reason.DEPTH, with_deeper_names, _DEPTH)
            part = map_hosts(part, Reason.APEX, with_shallow_names, _DEPTH)
            break
    return Draft(desk.v4(part), nature, Form.APPLICATION, _band(part, desk, terminates), uses_urls, terminates)


def _band(part: Part, desk: Desk, terminates: bool) -> Band:  # noqa: FBT001
    """Where a rule without exceptions stands.

    What is exempted stands before what is inspected, and what is merely not inspected behind it: else a rule that asks
    for nothing would take flows away from one that asks for inspection.
    """
    if part.rule.is_deny:
        return Band.DENY
    if part.recognition is Recognition.SNI and not terminates:
        if part.rule.rule.inspection is Inspection.MUST_NOT:
            return Band.EXEMPT
        if desk.settings.can_inspect:
            return Band.UNINSPECTED
    return Band.ALLOW


def _opaque(part: Part, desk: Desk, *, ports: bool) -> Iterator[Draft]:
    """Drafts of network rules for names: resolved by the firewall, or the addresses of the fallback.

    With ``ports``, the names could be seen, but the ports do not fit into an application rule.
    """
    nature = f"{_NATURES[part.recognition]}-ports" if ports else "dns"
    band = Band.DENY if part.rule.is_deny else Band.ALLOW
    if desk.settings.dns_proxy:
        exact, others = _parted(part.start.endpoints, lambda e: e.pattern.is_exact)
        if exact:
            resolved = desk.seen(divided(part, endpoints=exact) if others else part)
            resolved = drop_paths(resolved, "a network rule knows a name only by its addresses")
            resolved = by_address(resolved, "a network rule matches the addresses to which the name resolves")
            yield Draft(desk.v4(resolved), f"{nature}-fqdn", Form.NETWORK, band)
            if not others:
                return
            part = divided(part, endpoints=others)
    part = desk.seen(part)
    why = _why_no_names(desk, ports=ports)
    if part.rule.is_deny or not part.rule.fallback:
        if part.rule.fallback:
            why += ", and a deny of the addresses of its fallback would leave the names open at all others"
        yield Draft(gone(part, Reason.PORTS if ports else Reason.NO_NAMES, why), nature, Form.NETWORK, band)
        return
    is_said = False
    for found in use_fallback(part, why):
        left = _less_addresses(found)
        if left is not None:
            is_said = True
            words = [nature, "fallback", *_KIND_WORDS.get(found.kind, ())]
            yield Draft(desk.v4(left), "-".join(words), Form.NETWORK, band)
    if not is_said:
        why += ", and the exceptions of the rule take its whole fallback away"
        yield Draft(gone(part, Reason.NO_NAMES, why), nature, Form.NETWORK, band)


_KIND_WORDS = {Kind.TAGS: ("tags",), Kind.ANY_ADDRESS: ("any",)}


def _less_addresses(part: Part) -> Part | None:
    """The part of a fallback with its exceptions by address subtracted: the same flows; ``None`` if none is left."""
    reach = part.reach
    if reach is None or part.kind is Kind.TAGS:
        return part
    excepted = union_of(e.addresses for e in reach.exceptions if isinstance(e, AddressEndpoint))
    if excepted.is_empty:
        return part
    held = ALL
    if part.kind is Kind.ADDRESSES:
        held = union_of(e.addresses for e in reach.endpoints if isinstance(e, AddressEndpoint))
    left = held.difference(excepted)
    if left.is_empty:
        return None
    rest = tuple(e for e in reach.exceptions if not isinstance(e, AddressEndpoint))
    after = with_exceptions(with_endpoints(reach, (AddressEndpoint(left),)), rest)
    return replace(part, kind=Kind.ADDRESSES, reach=after)


def _why_no_names(desk: Desk, *, ports: bool) -> str:
    if ports:
        return (
            f"names go with single ports up to {LARGEST_APPLICATION_PORT} in application rules, and only ranges of up "
            f"to {MOST_SPELLED_PORTS} ports are spelled out"
        )
    if desk.settings.dns_proxy:
        return "a network rule takes no wildcard names"
    if desk.settings.tier is Tier.BASIC:
        return "the Basic tier takes no names in network rules"
    return "names on opaque ports need the policy's DNS proxy (`dns-proxy: true`)"
