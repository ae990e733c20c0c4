"""An independent reading of deployment templates: literals, what Azure would refuse, and how the firewall decides.

Written from Microsoft's documents, not from the target's code: it imports nothing of it.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass

NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?$")
GROUPS = "Microsoft.Network/firewallPolicies/ruleCollectionGroups"
IP_GROUPS = "Microsoft.Network/ipGroups"


def literal(text):
    """What Resource Manager makes of a string value; an expression is an error."""
    if text.startswith("[") and text.endswith("]"):
        assert text.startswith("[["), f"an expression: {text}"
        return text[1:]
    return text


def template_of(artefacts):
    text = artefacts["template.json"].decode("ascii")
    template = json.loads(text)
    assert json.dumps(template, indent=2) + "\n" == text, "not the canonical layout"
    return template


def resources(template, kind):
    return [r for r in template["resources"] if r["type"] == kind]


def groups(template):
    return {r["name"].partition("/")[2]: r["properties"] for r in resources(template, GROUPS)}


def rules(template, collection_prefix=""):
    """All rules by name: (group, collection, rule)."""
    found = {}
    for name, group in groups(template).items():
        for collection in group["ruleCollections"]:
            if collection["name"].startswith(collection_prefix):
                for rule in collection["rules"]:
                    assert rule["name"] not in found
                    found[rule["name"]] = (name, collection, rule)
    return found


def refusals(template):
    """What Azure would refuse although the published schema takes it (each with its reason)."""
    found = []
    seen = set()
    for name, group in groups(template).items():
        if not NAME.match(name):
            found.append(f"group name {name}")
        if group["priority"] in seen or not 100 <= group["priority"] <= 65000:
            found.append(f"group priority {group['priority']}")
        seen.add(group["priority"])
        if len(json.dumps(group, separators=(",", ":"))) > 1_400_000:
            found.append(f"size of {name}")
        priorities, names = set(), set()
        for collection in group["ruleCollections"]:
            if not NAME.match(collection["name"]) or collection["name"] in names:
                found.append(f"collection name {collection['name']}")
            if collection["priority"] in priorities or not 100 <= collection["priority"] <= 65000:
                found.append(f"collection priority {collection['priority']}")
            priorities.add(collection["priority"])
            names.add(collection["name"])
            if len({rule["ruleType"] for rule in collection["rules"]}) != 1:
                found.append(f"types in {collection['name']}")
            own = [rule["name"] for rule in collection["rules"]]
            if len(own) != len(set(own)):
                found.append(f"a name twice in {collection['name']}")
            for rule in collection["rules"]:
                found.extend(f"{rule['name']}: {problem}" for problem in _rule_refusals(rule))
    return found


def _rule_refusals(rule):
    if not NAME.match(rule["name"]):
        yield "name"
    if len(rule["description"].encode("utf-16-le")) // 2 > 256:
        yield "description"
    for key, value in rule.items():
        if isinstance(value, list):
            if not value:
                yield f"empty {key}"
            if len({json.dumps(item) for item in value}) != len(value):
                yield f"an entry twice in {key}"
    if ("sourceAddresses" in rule) == ("sourceIpGroups" in rule):
        yield "one kind of source"
    for text in (*rule.get("sourceAddresses", ()), *rule.get("destinationAddresses", ())):
        if text != "*" and not re.fullmatch(r"[A-Z][A-Za-z0-9.]*", text):
            try:
                if span(text) is None:
                    yield f"address {text}"
            except ValueError:
                yield f"address {text}"
    if rule["ruleType"] == "ApplicationRule":
        if ("targetFqdns" in rule) == ("targetUrls" in rule):
            yield "one kind of target"
        if not isinstance(rule.get("terminateTLS"), bool):
            yield "terminateTLS"
        if not rule["protocols"]:
            yield "protocols"
        for protocol in rule["protocols"]:
            if protocol["protocolType"] not in {"Http", "Https"} or not 1 <= protocol["port"] <= 64000:
                yield f"protocol {protocol}"
        for text in rule.get("targetFqdns", ()):
            if "*" in text[1:] or not text or "/" in text:
                yield f"target {text}"
        for text in rule.get("targetUrls", ()):
            if not re.fullmatch(r"[a-z0-9_.-]+/[^*?#]+(/\*)?", text):
                yield f"url {text}"
    else:
        if ("destinationAddresses" in rule) == ("destinationFqdns" in rule):
            yield "one kind of destination"
        if not set(rule["ipProtocols"]) <= {"TCP", "UDP"}:
            yield "protocols"
        for text in rule["destinationPorts"]:
            first, _, last = text.partition("-")
            if text != "*" and not 1 <= int(first) <= int(last or first) <= 65535:
                yield f"port {text}"
        for text in rule.get("destinationFqdns", ()):
            if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+", text):
                yield f"name {text}"


def span(text):
    """First and last address of an address, prefix or range."""
    if "-" in text:
        first, last = (int(ipaddress.IPv4Address(part)) for part in text.split("-"))
        return (first, last) if first < last else None
    network = ipaddress.IPv4Network(text, strict=True)
    return int(network.network_address), int(network.broadcast_address)


@dataclass(frozen=True)
class Flow:
    """A connection as the firewall sees it: ``host`` is what the client shows or resolved, ``shared`` another name."""

    source: str
    transport: str
    port: int
    address: str
    host: str | None = None
    path: str | None = None
    shared: str | None = None
    shows: str | None = None
    """What is on the wire: ``Http``, ``Https``, or nothing."""


@dataclass(frozen=True)
class Decision:
    """What decides a flow: the action, the rule, and whether TLS is terminated; ``None`` if nothing matches."""

    action: str
    group: str
    rule: str
    terminates: bool


class Firewall:
    """A firewall policy with the groups of a template; ``tags`` gives each service tag its prefixes."""

    def __init__(self, template, tags=None):
        self._tags = tags or {}
        self._ip_groups = {
            f"[resourceId('{IP_GROUPS}', '{r['name']}')]": r["properties"]["ipAddresses"]
            for r in resources(template, IP_GROUPS)
        }
        self._passes = {"NetworkRule": [], "ApplicationRule": []}
        for name, group in sorted(groups(template).items(), key=lambda item: item[1]["priority"]):
            for collection in sorted(group["ruleCollections"], key=lambda c: c["priority"]):
                for rule in collection["rules"]:
                    self._passes[rule["ruleType"]].append((name, collection["action"]["type"], rule))

    def decide(self, flow):
        """All network rules by priority, then all application rules; the first match decides (rule-processing.md)."""
        for kind, matches in (("NetworkRule", self._network), ("ApplicationRule", self._application)):
            for group, action, rule in self._passes[kind]:
                if self._source(rule, flow.source) and matches(rule, flow):
                    return Decision(action, group, rule["name"], bool(rule.get("terminateTLS")))
        return None

    def _source(self, rule, source):
        texts = rule.get("sourceAddresses")
        if texts is None:
            texts = [text for name in rule["sourceIpGroups"] for text in self._ip_groups[name]]
        return self._within(source, texts)

    def _within(self, address, texts):
        value = int(ipaddress.IPv4Address(address))
        for text in texts:
            if text == "*":
                return True
            if text in self._tags:
                if self._within(address, self._tags[text]):
                    return True
                continue
            first, last = span(text)
            if first <= value <= last:
                return True
        return False

    def _network(self, rule, flow):
        if flow.transport.upper() not in rule["ipProtocols"]:
            return False
        if not any(_port(flow.port, text) for text in rule["destinationPorts"]):
            return False
        if "destinationFqdns" in rule:
            return flow.host in rule["destinationFqdns"] or flow.shared in rule["destinationFqdns"]
        return self._within(flow.address, rule["destinationAddresses"])

    @staticmethod
    def _application(rule, flow):
        if flow.transport != "tcp" or flow.host is None or flow.shows is None:
            return False
        if {"protocolType": flow.shows, "port": flow.port} not in rule["protocols"]:
            return False
        if "targetFqdns" in rule:
            return any(_fqdn(flow.host, text) for text in rule["targetFqdns"])
        if flow.shows == "Https" and not rule["terminateTLS"]:
            return False
        return any(_url(flow.host, flow.path or "/", text) for text in rule["targetUrls"])


def _port(port, text):
    first, _, last = text.partition("-")
    return text == "*" or int(first) <= port <= int(last or first)


def _fqdn(host, text):
    """The table of firewall-faq.yml: ``*`` is literally anything to the left, but ``*.x`` is not ``x``."""
    return host.endswith(text[1:]) if text.startswith("*") else host == text


def _url(host, path, text):
    name, _, rest = text.partition("/")
    if host != name:
        return False
    if rest.endswith("/*"):
        return path.startswith(f"/{rest[:-1]}") and path != f"/{rest[:-1]}"
    return path in {f"/{rest}", f"/{rest}/"}
