"""One flow through the text of a Windows Firewall configuration, as Microsoft documents it (windows-firewall.md).

``Machine.decide(flow, world)`` is ``"allow"``, ``"deny"`` or ``None``, where it is left to whatever else is on the
machine. ``windows_files`` makes machines of texts.

``World`` is what no file says: the profile of the network, the kind of interface, and whether what nobody documents
matches. The flow's ``process`` has the kinds ``windows-account``, ``windows-service`` and ``windows-program``; its
``host`` and ``shared`` are the names that resolved to its address. It imports nothing of egressc.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from dataclasses import dataclass, field
from functools import cache

PROFILES = ("Domain", "Private", "Public")

_ALIASES = {"WD": "S-1-1-0", "SY": "S-1-5-18", "LS": "S-1-5-19", "NS": "S-1-5-20", "BA": "S-1-5-32-544"}
"""Two letters that stand for an identifier in an authorisation list ([MS-DTYP] 2.5.1.1)."""

_BUILT_IN = {"SYSTEM": "S-1-5-18", "LOCAL SERVICE": "S-1-5-19", "NETWORK SERVICE": "S-1-5-20"}


@dataclass(frozen=True)
class World:
    """What no file says. ``perhaps``: whether a condition holds of which nobody knows what it matches."""

    profile: str = "Domain"
    interface: str = "Lan"
    perhaps: bool = False


@dataclass(frozen=True)
class Rule:
    """One rule; ``None`` in a condition means that there is none. Conditions hold together, their values do not."""

    name: str
    action: str
    outbound: bool = True
    active: bool = True
    local: bool = True
    protocol: str | None = None
    profiles: tuple[str, ...] | None = None
    interfaces: tuple[str, ...] | None = None
    ports: tuple[str, ...] | None = None
    addresses: tuple[str, ...] | None = None
    keywords: tuple[str, ...] | None = None
    users: str | None = None
    service: str | None = None
    program: str | None = None


@dataclass
class Machine:
    """A machine: its rules, its keywords by identifier, and per profile what it does with what no rule matches."""

    rules: list[Rule]
    keywords: dict[str, str]
    default: dict[str, str | None]
    off: set[str] = field(default_factory=set)
    no_local_rules: set[str] = field(default_factory=set)
    identifiers: dict[str, str] = field(default_factory=dict)

    def decide(self, flow, world=World()):
        """Block over allow over default; with the firewall off nothing is blocked ([MS-FASP] 2.2.34, 2.2.38)."""
        if world.profile in self.off:
            return "allow"
        actions = {rule.action for rule in self.rules if self.matches(rule, flow, world)}
        if "Block" in actions:
            return "deny"
        return "allow" if "Allow" in actions else self.default[world.profile]

    def matches(self, rule, flow, world):
        """True if every condition of a rule in force holds."""
        if not (rule.outbound and rule.active):
            return False
        if rule.local and world.profile in self.no_local_rules:
            return False
        if rule.profiles is not None and world.profile not in rule.profiles:
            return False
        if rule.interfaces is not None and world.interface not in rule.interfaces:
            return False
        if rule.protocol not in {None, flow.transport}:
            return False
        if rule.ports is not None and not any(_port(text, flow.port) for text in rule.ports):
            return False
        process = dict(flow.process)
        if rule.service is not None and not _same(rule.service, process.get("windows-service")):
            return False
        if rule.program is not None and not _same(rule.program, process.get("windows-program")):
            return False
        if rule.users is not None and not self.may(rule.users, process.get("windows-account")):
            return False
        return self.reaches(rule, flow, world)

    def reaches(self, rule, flow, world):
        """True if the address is among those of the rule, or one of a name of the rule's keywords resolved to it."""
        if rule.addresses is None and rule.keywords is None:
            return True
        if any(_address(text, flow.address, world) for text in rule.addresses or ()):
            return True
        for identifier in rule.keywords or ():
            keyword = self.keywords.get(identifier.lower())
            if keyword is None or not _is_documented(keyword):
                if world.perhaps:
                    return True
            elif any(name is not None and keyword_matches(keyword, name) for name in (flow.host, flow.shared)):
                return True
        return False

    def may(self, text, account):
        """True if the token of a process passes an authorisation list: the first entry about it decides."""
        token = {"S-1-1-0"} if account is None else {"S-1-1-0", self.identifier(account)}
        for kind, sid in entries(text):
            if sid in token:
                return kind == "A"
        return False

    def identifier(self, account):
        """The identifier of an account: what the machine says, or what is the same on each."""
        for name, sid in self.identifiers.items():
            if name.upper() == account.upper():
                return sid
        return identifier_of(account)


def identifier_of(account):
    """The identifier of a built-in account or a service; of any other account one of this test's own."""
    if account.upper().startswith("S-1-"):
        return account.upper()
    domain, _, name = account.upper().rpartition("\\")
    if domain == "NT SERVICE":
        digest = hashlib.sha1(name.encode("utf-16-le"), usedforsecurity=False).digest()
        return "S-1-5-80-" + "-".join(str(int.from_bytes(digest[at : at + 4], "little")) for at in range(0, 20, 4))
    if domain == "NT AUTHORITY":
        return _BUILT_IN[name]
    return f"S-1-5-21-7-7-7-{int.from_bytes(account.upper().encode(), 'big')}"


def entries(text):
    """The entries of an authorisation list: ``A`` or ``D``, and whom; their right is ``CC`` ([MS-FASP] 2.2.37)."""
    acl = re.fullmatch(r"(?:O:[A-Z]{2})?(?:G:[A-Z]{2})?D:((?:\([^()]*\))*)", text)
    assert acl is not None, text
    found = []
    for entry in re.findall(r"\(([^()]*)\)", acl[1]):
        kind, flags, right, *none, sid = entry.split(";")
        assert kind in {"A", "D"}, entry
        assert (flags, right, none) == ("", "CC", ["", ""]), entry
        found.append((kind, sid if sid.startswith("S-1-") else _ALIASES[sid]))
    return found


def keyword_matches(keyword, name):
    """True if a keyword is the name, or ``*.`` and what the name is below (assumption windows-keyword-wildcard)."""
    assert keyword == keyword.lower(), "they are said to be case sensitive"
    return name.endswith(keyword[1:]) if keyword.startswith("*.") else name == keyword


def _is_documented(keyword):
    return "*" not in keyword.removeprefix("*.") and "." in keyword.removeprefix("*.")


def _same(text, value):
    """True if a service or program is the one of a process; `*` is every service."""
    return value is not None and (text == "*" or text.casefold() == value.casefold())


def _port(text, port):
    first, _, last = text.partition("-")
    return text == "Any" or int(first) <= port <= int(last or first)


def _address(text, address, world):
    if text in {"LocalSubnet", "LocalSubnet4", "LocalSubnet6"}:
        return world.perhaps
    return text == "Any" or _contains(text, address)


@cache
def _contains(text, address):
    value = ipaddress.ip_address(address)
    if "-" in text:
        first, last = map(ipaddress.ip_address, text.split("-"))
        return first.version == value.version and first <= value <= last
    network = ipaddress.ip_network(text)
    return network.version == value.version and value in network
