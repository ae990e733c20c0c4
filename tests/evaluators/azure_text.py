"""One flow through the text of ``template.json``, as Microsoft documents the processing (azure-firewall.md, section 3).

``Policy(text, parent, tags)``: ``decide(flow)`` is a ``Decision``, or ``None`` where no rule matches: then the firewall
denies. ``fqdn_matches`` and ``url_matches`` are the table of firewall-faq.yml. It imports nothing of egressc.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from functools import cache

_GROUP = "microsoft.network/firewallpolicies/rulecollectiongroups"
_IP_GROUP = "microsoft.network/ipgroups"
_REFERENCE = re.compile(r"\[resourceId\('([^']*)', '((?:[^']|'')*)'\)\]")


@dataclass(frozen=True)
class Decision:
    """What a rule does: ``action`` is ``"allow"`` or ``"deny"``, ``terminates`` whether TLS is terminated."""

    action: str
    rule: str
    terminates: bool


class Policy:
    """A firewall policy, with the one that it inherits from."""

    def __init__(self, text, parent=None, tags=None):
        template = json.loads(text)
        self._tags = tags or {}
        self._ip_groups = {
            _literal(each["name"]).lower(): each["properties"]["ipAddresses"]
            for each in template["resources"]
            if each["type"].lower() == _IP_GROUP
        }
        self._groups = [each["properties"] for each in template["resources"] if each["type"].lower() == _GROUP]
        self._parent = parent

    def rules(self, kind):
        """The rules of one kind in the order of processing, each with the action of its collection.

        All groups by priority, in each the collections by priority, in each the rules from the top; those of the parent
        policy before all of these (rule-processing.md).
        """
        found = list(self._parent.rules(kind)) if self._parent is not None else []
        for group in sorted(self._groups, key=lambda each: each["priority"]):
            for collection in sorted(group["ruleCollections"], key=lambda each: each["priority"]):
                found += [
                    (collection["action"]["type"].lower(), rule, self)
                    for rule in collection["rules"]
                    if rule["ruleType"] == kind
                ]
        return found

    def decide(self, flow):
        """The first network rule that matches; if there is none, the first application rule.

        IPv6 is taken by the text: `*` is any address. Whether any passes the firewall is an assumption (azure-ipv6).
        """
        for kind, matches in (("NetworkRule", _network), ("ApplicationRule", _application)):
            for action, rule, policy in self.rules(kind):
                if policy.source_matches(rule, flow.source) and matches(rule, flow, policy):
                    return Decision(action, rule["name"], flow.shows == "tls" and rule.get("terminateTLS") is True)
        return None

    def source_matches(self, rule, source):
        """True if a source is among the addresses or the IP groups of a rule."""
        texts = [_literal(text) for text in rule.get("sourceAddresses", ())]
        for text in rule.get("sourceIpGroups", ()):
            kind, name = _REFERENCE.fullmatch(text).groups()
            assert kind.lower() == _IP_GROUP
            texts += self._ip_groups[name.lower()]
        return self.holds(texts, source)

    def holds(self, texts, address):
        """True if an address is one of these, or in a network, range or service tag among them."""
        for text in texts:
            if text == "*":
                return True
            if text.lower() in self._tags:
                if self.holds(self._tags[text.lower()], address):
                    return True
            elif _contains(text, address):
                return True
        return False


def _network(rule, flow, policy):
    protocols = {each.lower() for each in rule["ipProtocols"]}
    if not {flow.transport, "any"} & protocols:
        return False
    if not any(_port(text, flow.port) for text in rule["destinationPorts"]):
        return False
    names = {_literal(text).lower() for text in rule.get("destinationFqdns", ())}
    assert not any("*" in name for name in names)
    # The firewall resolves the names: the address is one of theirs, whatever other name was asked for.
    return bool(names & {flow.host, flow.shared}) or policy.holds(rule.get("destinationAddresses", ()), flow.address)


def _application(rule, flow, _policy):
    protocol = {"tls": "Https", "http": "Http"}.get(flow.shows)
    if flow.transport != "tcp" or flow.host is None or protocol is None:
        return False
    if not any(each["protocolType"] == protocol and each["port"] == flow.port for each in rule["protocols"]):
        return False
    if any(fqdn_matches(_literal(text), flow.host) for text in rule.get("targetFqdns", ())):
        return True
    # The URL is seen in HTTP, and in HTTPS that is terminated.
    if protocol == "Https" and rule.get("terminateTLS") is not True:
        return False
    return flow.path is not None and any(
        url_matches(_literal(text), flow.host + flow.path) for text in rule.get("targetUrls", ())
    )


def fqdn_matches(text, host):
    """True if an entry of ``targetFqdns`` matches: `*` is the left-most character, and anything to the left."""
    assert supported(text), text
    return host.endswith(text[1:]) if text.startswith("*") else host == text


def url_matches(text, url):
    """True if an entry of ``targetUrls`` matches a URL without scheme; the query is no part of the comparison."""
    assert supported(text), text
    host, _, path = url.partition("?")[0].partition("/")
    name, slash, rest = text.partition("/")
    if not fqdn_matches(name, host):
        return False
    if rest.endswith("*"):
        return path.startswith(rest[:-1]) and path != rest[:-1]
    return path.rstrip("/") == rest if slash else not path


def supported(text):
    """False for what the table calls not supported: `*` inside, on both sides, a port, a query."""
    name, slash, rest = text.partition("/")
    return not ("*" in name[1:] or ":" in name or "?" in text or "*" in rest[:-1] or (rest.endswith("*") and not slash))


def _port(text, port):
    first, _, last = text.partition("-")
    return text == "*" or int(first) <= port <= int(last or first)


@cache
def _contains(text, address):
    value = ipaddress.ip_address(address)
    if "-" in text:
        first, last = map(ipaddress.ip_address, text.split("-"))
        return first.version == value.version and first <= value <= last
    network = ipaddress.ip_network(text)
    return network.version == value.version and value in network


def _literal(text):
    """The value of a string of a template; a `[` at the start is doubled where it is no expression."""
    if text.startswith("["):
        assert text.startswith("[["), f"an expression: {text}"
        return text[1:]
    return text
