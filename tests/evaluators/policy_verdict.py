"""What the policy itself says of one flow, slowly and straight from language.md.

It takes the rules of a site (groups, accounts and parameters filled in) and shares no code with the compiler: hosts are
matched label by label, addresses and ports number by number, and every rule is asked about every flow.

* ``Flow``: one flow, with what a client shows on the wire (``shows``) and which accounts its process belongs to.
* ``verdict(site, flow, tags)``: ``"allow"``, ``"deny"`` (a deny matches), or ``None`` (denied by default).
* ``inspection(site, flow, tags)``: what the policy says of an allowed flow: ``"must"``, ``"must-not"``, ``"may"``.
* ``matching(site, flow, tags)``: the rules that match.
* ``is_described(site, flow, addresses=…)``: False for a flow that shows its name otherwise than a rule on its port says; the
  application is no part of a flow, so nothing can be compared there.
* ``host_matches``, ``path_below``, ``within``, ``endpoint_holds``, ``test_holds``: the pieces.

``tags`` is the truth about service tags, also where the compiler does not know it: their networks by name in lower case.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import cache

from egressc.anything import ANY
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, Inspection, TagEndpoint

SHOWN = {"https": "tls", "tls": "tls", "http": "http", "tcp": None, "udp": None}
"""What a connection of an application shows on the wire."""


@dataclass(frozen=True)
class Flow:
    """One flow.

    ``accounts`` are the logical accounts that the process belongs to; ``process`` what it is on its platform, as pairs
    of a kind of binding and a value, where an evaluator needs that. ``shows`` is ``"tls"``, ``"http"`` or ``None``.
    """

    group: str | None
    source: str
    accounts: frozenset[str]
    host: str | None
    path: str | None
    address: str
    shared: str | None
    transport: str
    port: int
    shows: str | None = None
    process: tuple[tuple[str, str], ...] = ()


def host_matches(pattern, host):
    """True if a pattern matches a host name: label by label, from the left."""
    if host is None:
        return False
    labels = host.split(".")
    if not pattern.deep:
        return _labels_match(pattern.labels, labels)
    # One or more further labels before the rest.
    return any(_labels_match(pattern.labels, labels[more:]) for more in range(1, len(labels)))


def _labels_match(globs, labels):
    if not globs or not labels:
        return not globs and not labels
    return bool(_glob(globs[0]).fullmatch(labels[0])) and _labels_match(globs[1:], labels[1:])


@cache
def _glob(text):
    return re.compile(".*".join(re.escape(piece) for piece in text.split("*")))


def path_below(prefix, path):
    """True if a path is the prefix or below it; without a prefix every path is, and none."""
    return prefix is None or (path is not None and (path == prefix or path.startswith(f"{prefix}/")))


@cache
def number(address):
    """The IP version of an address, and the address as a number."""
    found = ipaddress.ip_address(address)
    return found.version, int(found)


def within(held, address):
    """True if an address set of the compiler's holds an address."""
    version, value = number(address)
    return any(first <= value <= last for first, last in (held.v4 if version == 4 else held.v6))


@cache
def span(text):
    """The IP version, first and last address of an address, a network or a range."""
    if "-" in text:
        first, last = text.split("-")
        return number(first)[0], number(first)[1], number(last)[1]
    network = ipaddress.ip_network(text)
    return network.version, int(network.network_address), int(network.broadcast_address)


def among(texts, address):
    """True if one of the addresses, networks and ranges holds an address."""
    version, value = number(address)
    return any(version == v and first <= value <= last for v, first, last in map(span, texts))


def test_holds(pattern, prefix, host, path):
    """True if a host name and a path pass a test of both."""
    return host_matches(pattern, host) and path_below(prefix, path)


test_holds.__test__ = False


def endpoint_holds(endpoint, flow, tags):
    """True if an endpoint matches the destination of a flow."""
    match endpoint:
        case HostEndpoint(pattern, prefix):
            return test_holds(pattern, prefix, flow.host, flow.path)
        case AddressEndpoint(addresses):
            return within(addresses, flow.address)
        case AnyAddressEndpoint():
            return True
        case TagEndpoint(name):
            return among(tags[name.lower()], flow.address)
    raise AssertionError(endpoint)


def service_holds(service, flow):
    """True if a flow is on the ports of a service."""
    transport = "udp" if service.application.value == "udp" else "tcp"
    return flow.transport == transport and service.first <= flow.port <= service.last


def rule_holds(rule, flow, tags):
    """True if a rule matches a flow."""
    return (
        any(group.name == flow.group for group in rule.groups)
        and (rule.accounts is ANY or any(account.name in flow.accounts for account in rule.accounts))
        and any(service_holds(service, flow) for service in rule.services)
        and any(endpoint_holds(endpoint, flow, tags) for endpoint in rule.endpoints)
        and not any(endpoint_holds(endpoint, flow, tags) for endpoint in rule.exceptions)
    )


def matching(site, flow, tags):
    """The rules of a site that match a flow."""
    return [rule for rule in site.rules if rule_holds(rule, flow, tags)]


def verdict(site, flow, tags):
    """What the policy makes of a flow: ``"deny"`` before ``"allow"``, ``None`` where no rule matches."""
    found = {rule.rule.action.value for rule in matching(site, flow, tags)}
    return "deny" if "deny" in found else "allow" if "allow" in found else None


def inspection(site, flow, tags):
    """What the policy says of the inspection of an allowed flow, by its rules for TLS (`https`, `tls`).

    Both at once is an error of the policy, but for a process of several accounts: the policy takes accounts as disjoint.
    """
    said = {
        rule.rule.inspection
        for rule in matching(site, flow, tags)
        if any(service_holds(s, flow) and SHOWN[s.application.value] == "tls" for s in rule.services)
    }
    if {Inspection.MUST, Inspection.MUST_NOT} <= said:
        assert len(flow.accounts) > 1, f"both at once is an error of the policy: {flow}"
        return "both"
    return "must-not" if Inspection.MUST_NOT in said else "must" if Inspection.MUST in said else "may"


def is_described(site, flow, *, addresses=False):
    """True if a flow shows its name as every rule about names on its port says; with ``addresses`` every rule at all."""
    for rule in site.rules:
        if not addresses and not any(
            isinstance(endpoint, HostEndpoint) for endpoint in (*rule.endpoints, *rule.exceptions)
        ):
            continue
        for service in rule.services:
            shown = SHOWN[service.application.value]
            if service_holds(service, flow) and shown is not None and shown != flow.shows:
                return False
    return True
