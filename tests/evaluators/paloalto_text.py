"""One flow through the text of ``config.xml`` or ``commands.set``, as paloalto.md (sections 1 and 2) says PAN-OS works.

* ``from_xml(text)``, ``from_set(text, existing)``: a configuration of one vsys or device group, as one element.
* ``Device(scope, …).decide(flow)``: ``"allow"``, ``"deny"``, or ``None`` where no rule matches.
* ``Device(scope, …).decryption(flow)``: ``"decrypt"``, ``"no-decrypt"``, or ``None``.

It imports nothing of egressc.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
import xml.etree.ElementTree as ET
from datetime import datetime
from functools import cache

_CONTAINERS = {
    "address", "address-group", "service", "service-group", "tag", "schedule", "custom-url-category", "rules",
    "ssl-exclude-cert",
}  # fmt: skip
"""Elements that hold entries (in a rule, `service` and `tag` hold members)."""

_MEMBERS = {
    "from", "to", "source", "destination", "source-user", "category", "application", "service", "tag", "static", "list",
    "non-recurring", "group", "daily", "source-hip",
}  # fmt: skip
"""Fields that hold members."""

_STRUCTURE = {"protocol", "tcp", "udp", "schedule-type", "profile-setting", "dynamic", "recurring"}
"""Fields that hold other elements."""


def from_xml(text):
    """The one vsys or device group of a configuration."""
    root = ET.fromstring(text)
    scopes = [*root.findall("devices/entry/vsys/entry"), *root.findall("devices/entry/device-group/entry")]
    assert len(scopes) == 1
    return scopes[0]


def from_set(text, existing=""):
    """What a vsys or device group holds after these commands, and those of ``existing`` before them."""
    scope = ET.Element("entry")
    for line in [*existing.splitlines(), *text.splitlines()]:
        words = _words(line)
        command, words = words[0], words[1:]
        if words[0] in {"device-group", "vsys"}:
            words = words[2:]
        if words[0] == "external-list":
            continue  # what is in one stands elsewhere
        if command == "set":
            _set(scope, words)
        else:
            assert command == "move", line
            _move(scope, words)
    return scope


def _words(line):
    """Words in double or single quotes or bare, without escapes; ``[`` and ``]`` around lists."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="")
    lexer.whitespace_split, lexer.escape, lexer.commenters = True, "", ""
    return list(lexer)


def _set(node, words):
    within_rule = False
    words = list(words)
    while words:
        word = words.pop(0)
        child = node.find(word)
        if child is None:
            child = ET.SubElement(node, word)
        if word in _CONTAINERS and not within_rule:
            name = words.pop(0)
            found = [each for each in child.findall("entry") if each.get("name") == name]
            node = found[0] if found else ET.SubElement(child, "entry", name=name)
            within_rule = True
        elif word in _MEMBERS:
            for value in words[1:-1] if words[0] == "[" else words:
                ET.SubElement(child, "member").text = value
            return
        elif word in _STRUCTURE or not within_rule:
            node = child
        elif words:
            (child.text,) = words
            return


def _move(scope, words):
    rules = scope
    while words[0] != "rules":
        rules = rules.find(words.pop(0))
    _, name, where, *anchor = words
    rules = rules.find("rules")
    entries = {each.get("name"): each for each in rules}
    rules.remove(entries[name])
    at = 0 if where == "top" else list(rules).index(entries[anchor[0]]) + (where == "after")
    rules.insert(at, entries[name])


class Device:
    """A firewall with one configuration.

    ``objects`` are address objects that exist elsewhere, with their networks. ``clock`` is what the firewall shows.
    """

    def __init__(self, scope, *, zones=("t", "u"), objects=None, clock=datetime(2026, 11, 22, 12, 0)):  # noqa: DTZ001
        self.zones = zones
        self.clock = clock
        self.objects = {name: [("net", text) for text in texts] for name, texts in (objects or {}).items()}
        for entry in scope.findall("address/entry"):
            (kind,) = [each for each in entry if each.tag in {"ip-netmask", "ip-range", "fqdn"}]
            self.objects[entry.get("name")] = [("name" if kind.tag == "fqdn" else "net", kind.text)]
        self.groups = {e.get("name"): _members(e, "static") for e in scope.findall("address-group/entry")}
        self.services = {}
        for entry in scope.findall("service/entry"):
            (protocol,) = entry.find("protocol")
            self.services[entry.get("name")] = (protocol.tag, protocol.findtext("port"))
        self.categories = {
            e.get("name"): _members(e, "list") for e in scope.findall("profiles/custom-url-category/entry")
        }
        self.schedules = {
            e.get("name"): _members(e, "schedule-type/non-recurring") for e in scope.findall("schedule/entry")
        }
        self.security = self._rules(scope, "security")
        self.closed = self._rules(scope, "decryption")

    @staticmethod
    def _rules(scope, kind):
        # Section 2: pre rules, local rules, post rules; in each, top down.
        return [
            rule
            for rulebase in ("pre-rulebase", "rulebase", "post-rulebase")
            for rule in scope.findall(f"{rulebase}/{kind}/rules/entry")
            if rule.findtext("disabled") != "yes"
        ]

    def decide(self, flow):
        """What the first security rule that matches does."""
        decrypted = self.decryption(flow) == "decrypt"
        for rule in self.security:
            if self._matches(rule, flow, path_is_seen=decrypted or flow.shows == "http") and (
                self._application(rule, flow, decrypted=decrypted) and self._is_on(rule)
            ):
                action = rule.findtext("action")
                assert action in {"allow", "deny", "drop", "reset-client", "reset-server", "reset-both"}
                return "allow" if action == "allow" else "deny"
        return None

    def decryption(self, flow):
        """What the first decryption rule that matches does; only TLS is decrypted, and only the host is known then."""
        rule = self._decrypting(flow)
        if rule is None:
            return None
        assert rule.find("type")[0].tag if len(rule.find("type")) else rule.findtext("type")
        return rule.findtext("action") or "no-decrypt"

    def profile_of(self, flow):
        """The decryption profile of the first decryption rule that matches."""
        return self._decrypting(flow).findtext("profile")

    def _decrypting(self, flow):
        if flow.shows != "tls":
            return None
        return next((rule for rule in self.closed if self._matches(rule, flow, path_is_seen=False)), None)

    def _matches(self, rule, flow, *, path_is_seen):
        for field, zone in zip(("from", "to"), self.zones, strict=True):
            if not {zone, "any"} & set(_members(rule, field)):
                return False
        users = _members(rule, "source-user")
        if users != ["any"] and dict(flow.process).get("directory-user") not in users:
            return False
        for field in ("source", "destination"):
            negated = rule.findtext(f"negate-{field}") == "yes"
            members = _members(rule, field)
            if (members == ["any"] or any(self._address(m, field, flow) for m in members)) is negated:
                return False
        services = _members(rule, "service")
        if services != ["any"] and not any(self._service(name, flow) for name in services):
            return False
        categories = _members(rule, "category")
        return categories == ["any"] or any(
            entry_matches(entry, flow.host, flow.path if path_is_seen else None)
            for name in categories
            for entry in self.categories[name]
            if flow.host is not None and flow.shows is not None
        )

    def _address(self, member, field, flow):
        for name in self.groups.get(member, (member,)):
            for kind, text in self.objects.get(name, (("net", name),)):
                if kind == "name":
                    # The device resolves the name: it has this address if it is the flow's, or shares it.
                    if field == "destination" and text.lower() in {flow.host, flow.shared}:
                        return True
                elif _in_network(text, flow.source if field == "source" else flow.address):
                    return True
        return False

    def _service(self, name, flow):
        transport, ports = self.services[name]
        for piece in ports.split(","):
            first, _, last = piece.partition("-")
            if transport == flow.transport and int(first) <= flow.port <= int(last or first):
                return True
        return False

    @staticmethod
    def _application(rule, flow, *, decrypted):
        known = {"http": "web-browsing", "tls": "web-browsing" if decrypted and flow.path else "ssl"}
        return bool({"any", known.get(flow.shows, "unknown")} & set(_members(rule, "application")))

    def _is_on(self, rule):
        name = rule.findtext("schedule")
        if name is None:
            return True
        for text in self.schedules[name]:
            first, last = (datetime.strptime(each, "%Y/%m/%d@%H:%M") for each in text.split("-"))  # noqa: DTZ007
            if first <= self.clock <= last:
                return True
        return False


def _members(entry, field):
    found = [each.text for each in entry.findall(f"{field}/member")]
    # An empty member list means any (section 4).
    return found or ["any"]


@cache
def _in_network(text, address):
    address = ipaddress.ip_address(address)
    if ":" in text and address.version == 4:
        # "the firewall converts an IPv4 address into an IPv6 prefix where the first 96 bits are 0" (PAN-OS guide, Policy)
        address = ipaddress.IPv6Address(int(address))
    if re.fullmatch("[0-9a-f.:]+-[0-9a-f.:]+", text):
        first, last = map(ipaddress.ip_address, text.split("-"))
        return first.version == address.version and first <= address <= last
    network = ipaddress.ip_network(text)
    return network.version == address.version and address in network


def entry_matches(entry, host, path):
    """True if an entry of a URL category matches a name, with the path where it is seen (section 2, *URL entry grammar*).

    Without an ending token the older generation reads `example.com` as `example.com.*` too; the wider reading holds.
    """
    names, slash, rest = entry.lower().partition("/")
    labels, tokens = host.split("."), names.split(".")
    if not slash:
        return _tokens(tokens, labels) or _tokens([*tokens, "*"], labels)
    if not _tokens(tokens, labels):
        return False
    if not rest:
        return True
    # `host/path/` is what is below, `host/path` that path alone (assumption pan-path-prefix).
    return path is not None and (path.startswith(f"/{rest}") if rest.endswith("/") else path == f"/{rest}")


def _tokens(entry, labels):
    if not entry or not labels:
        return not entry and not labels
    if entry[0] == "*":
        return _tokens(entry[1:], labels[1:]) or _tokens(entry, labels[1:])
    return entry[0] in {"^", labels[0]} and _tokens(entry[1:], labels[1:])
