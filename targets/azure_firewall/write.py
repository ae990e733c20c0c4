"""Drafts to rules: what a part has become, in the words of the target's model."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from egressc.anything import ANY
from egressc.approximate import named, note
from egressc.lowering import Recognition
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint
from egressc.reasons import Reason
from egressc.services import Application
from egressc.targets.azure_firewall.capabilities import SERVICE_TAG, SUFFIX, TLS_PORT, URL_HTTP
from egressc.targets.azure_firewall.describe import describe
from egressc.targets.azure_firewall.draft import Form
from egressc.targets.azure_firewall.fqdn import fqdns, is_partial, urls
from egressc.targets.azure_firewall.lower_except import cuts
from egressc.targets.azure_firewall.model import ApplicationRule, NetworkRule, Protocol, ProtocolType
from egressc.targets.azure_firewall.names import rule_name
from egressc.targets.azure_firewall.sources import ANY_SOURCE, address_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.lowering import Part
    from egressc.policy import Endpoint
    from egressc.ranges import Ranges
    from egressc.reach import Reach
    from egressc.services import PortSet, Service
    from egressc.site import BoundRule
    from egressc.targets.azure_firewall.draft import Desk, Draft
    from egressc.targets.azure_firewall.model import Rule, Sources


_DENIED = {Form.APPLICATION: "denied", Form.NETWORK: "denied-addresses"}


class Writer:
    """Writes rules, and remembers which descriptions did not fit."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._last: tuple[BoundRule | None, str] = (None, "")
        self.shortened: dict[BoundRule, None] = {}

    def allow_or_deny(self, draft: Draft) -> tuple[Rule, ...]:
        """The rules that say a draft, its exceptions aside."""
        reach = draft.part.reach
        assert reach is not None, "only written drafts have rules"
        return tuple(self._rules(draft, draft.form, reach.endpoints, draft.nature, is_cut=False))

    def exceptions(self, draft: Draft) -> tuple[tuple[Form, tuple[Rule, ...]], ...]:
        """The rules that deny a draft's exceptions, by type."""
        return tuple(
            (form, tuple(self._rules(draft, form, endpoints, f"{draft.nature}-{_DENIED[form]}", is_cut=True)))
            for form, endpoints in cuts(draft)
        )

    def _rules(
        self, draft: Draft, form: Form, endpoints: tuple[Endpoint, ...], nature: str, *, is_cut: bool
    ) -> Iterator[Rule]:
        part = draft.part
        reach = part.reach
        assert reach is not None, "only written drafts have rules"
        description = self._description(part.rule)
        sources = self._sources(reach, part.rule)
        for found in sources:
            word = f"{nature}-ip-groups" if len(sources) > 1 and found.ip_groups else nature
            if form is Form.APPLICATION:
                yield from _application_rules(draft, endpoints, word, description, found, is_cut=is_cut)
                yield from self._seen_otherwise(draft, endpoints, word, description, found)
            else:
                yield from _network_rules(part.rule, reach.ports, endpoints, word, description, found)

    def _seen_otherwise(
        self, draft: Draft, endpoints: tuple[Endpoint, ...], nature: str, description: str, sources: Sources
    ) -> Iterator[ApplicationRule]:
        """A deny once more, for HTTP instead of TLS or the reverse, on the ports on which something allows that."""
        part = draft.part
        ports = self._desk.seen_otherwise(part).tcp
        if ports:
            kind = ProtocolType.HTTP if part.recognition is Recognition.SNI else ProtocolType.HTTPS
            protocols = tuple(Protocol(kind, port) for first, last in ports for port in range(first, last + 1))
            name = rule_name(part.rule, f"{nature}-as-{kind.lower()}")
            hosts = (e for e in endpoints if isinstance(e, HostEndpoint))
            yield ApplicationRule(name, description, sources, protocols, fqdns(hosts))

    def _sources(self, reach: Reach, rule: BoundRule) -> tuple[Sources, ...]:
        if reach.groups is ANY:
            return ANY_SOURCE
        found = self._desk.sources.of(rule.groups)
        assert found, "a part without sources is gone"
        return found

    def _description(self, rule: BoundRule) -> str:
        known, text = self._last
        if known is not rule:
            text, is_short = describe(rule)
            self._last = (rule, text)
            if is_short:
                self.shortened[rule] = None
        return text


def _application_rules(
    draft: Draft, endpoints: tuple[Endpoint, ...], nature: str, description: str, sources: Sources, *, is_cut: bool
) -> Iterator[ApplicationRule]:
    """One rule; for exceptions (``is_cut``) one for names and one for URLs, where there are both."""
    rule = draft.part.rule
    protocols = _protocols(draft.part.services)
    hosts = [e for e in endpoints if isinstance(e, HostEndpoint)]
    if not is_cut:
        name = rule_name(rule, nature)
        if draft.uses_urls:
            yield ApplicationRule(name, description, sources, protocols, (), urls(hosts), draft.terminates)
        else:
            yield ApplicationRule(name, description, sources, protocols, fqdns(hosts), (), draft.terminates)
        return
    whole = [e for e in hosts if not e.path]
    if whole:
        yield ApplicationRule(rule_name(rule, nature), description, sources, protocols, fqdns(whole))
    with_path = [e for e in hosts if e.path]
    if with_path:
        # A URL inside TLS is seen only where TLS is terminated, for a deny as for the allow below it.
        name = rule_name(rule, f"{nature}-url")
        yield ApplicationRule(name, description, sources, protocols, (), urls(with_path), draft.terminates)


@lru_cache(maxsize=1024)
def _protocols(services: tuple[Service, ...]) -> tuple[Protocol, ...]:
    """One protocol for each port: Https for what begins with a TLS hello, Http for what carries a Host header."""
    found = {
        (ProtocolType.HTTP if service.application is Application.HTTP else ProtocolType.HTTPS, port)
        for service in services
        for port in range(service.first, service.last + 1)
    }
    return tuple(Protocol(kind, port) for kind, port in sorted(found, key=lambda item: (item[1], item[0])))


def _network_rules(
    rule: BoundRule,
    ports: PortSet,
    endpoints: tuple[Endpoint, ...],
    nature: str,
    description: str,
    sources: Sources,
) -> Iterator[NetworkRule]:
    """One rule, or one for each transport where their ports differ."""
    addresses, names = _destinations(endpoints)
    for transports, held, word in _by_transport(ports):
        name = rule_name(rule, f"{nature}-{word}" if word else nature)
        yield NetworkRule(name, description, sources, transports, addresses, names, held)


def _destinations(endpoints: tuple[Endpoint, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    addresses: list[str] = []
    names: list[str] = []
    for endpoint in endpoints:
        match endpoint:
            case HostEndpoint():
                assert endpoint.pattern.is_exact, "a network rule takes no wildcards"
                names.append(endpoint.pattern.text)
            case AddressEndpoint():
                addresses.extend(address_texts(endpoint.addresses))
            case AnyAddressEndpoint():
                addresses.append("*")
            case TagEndpoint():
                addresses.append(endpoint.name)
    return tuple(dict.fromkeys(addresses)), tuple(dict.fromkeys(names))


@lru_cache(maxsize=1024)
def _by_transport(ports: PortSet) -> tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...]:
    if ports.tcp == ports.udp:
        return ((("TCP", "UDP"), _port_texts(ports.tcp), ""),)
    if ports.tcp and ports.udp:
        return ((("TCP",), _port_texts(ports.tcp), "tcp"), (("UDP",), _port_texts(ports.udp), "udp"))
    if ports.tcp:
        return ((("TCP",), _port_texts(ports.tcp), ""),)
    return ((("UDP",), _port_texts(ports.udp), ""),)


def _port_texts(ports: Ranges) -> tuple[str, ...]:
    if ports == ((1, 65535),):
        return ("*",)
    return tuple(str(first) if first == last else f"{first}-{last}" for first, last in ports)


def announced(draft: Draft, rules: tuple[Rule, ...]) -> tuple[Part, ...]:
    """The parts of a draft for the report: names of its rules, what they rest on, and what Azure has no word for."""
    names = tuple([rule.name for rule in rules])
    assumptions = _assumptions(draft) if rules else ()
    return tuple(_announced(part, names, assumptions) for part in draft.pieces or (draft.part,))


def _announced(part: Part, names: tuple[str, ...], assumptions: tuple[str, ...]) -> Part:
    rule = part.rule.rule
    if rule.log is False:
        part = note(part, Reason.LOG, "no rule can leave the log out: diagnostic settings hold for the whole firewall")
    if rule.expires is not None and not part.rule.is_deny:
        part = note(
            part,
            Reason.EXPIRY,
            f"Azure Firewall's rules have no end: the first compilation after {rule.expires.isoformat()} leaves it out",
        )
    return named(part, *names, assumptions=assumptions)


def _assumptions(draft: Draft) -> tuple[str, ...]:
    reach = draft.part.reach
    assert reach is not None, "only written drafts have rules"
    found = set()
    recognition = draft.part.recognition
    is_application = draft.form is Form.APPLICATION
    if is_application and recognition is Recognition.SNI and _has_other_tls(draft.part.services):
        found.add(TLS_PORT.id)
    for endpoint in (*reach.endpoints, *reach.exceptions) if reach.exceptions else reach.endpoints:
        if isinstance(endpoint, HostEndpoint):
            if not endpoint.pattern.is_tree and is_application:
                assert is_partial(endpoint.pattern), "no other wildcard is left"
                found.add(SUFFIX.id)
            if endpoint.path is not None and recognition is Recognition.HOST:
                found.add(URL_HTTP.id)
        elif isinstance(endpoint, TagEndpoint):
            found.add(SERVICE_TAG.id)
    return tuple(sorted(found))


@lru_cache(maxsize=1024)
def _has_other_tls(services: tuple[Service, ...]) -> bool:
    return any(service.application is Application.TLS for service in services)
