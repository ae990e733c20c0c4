"""From what a rule reaches to Windows Firewall's own rules: split, described, and named.

A name is ``egressc-IDENTITY-CONTENT``: the first half is a hash of the rule's identity and the part it is for, the
second of everything that the rule says. The first finds a rule again, the second tells whether it must be replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from egressc.addresses import ALL_V4, ALL_V6, AddressSet
from egressc.anything import ANY, Anything
from egressc.diagnostics import Diagnostic
from egressc.services import FIRST_PORT, LAST_PORT
from egressc.targets.windows_firewall.capabilities import MAX_ADDRESSES, MAX_KEYWORDS, MAX_PORTS, MAX_TEXT
from egressc.targets.windows_firewall.conditions import EVERY_PROCESS, Condition
from egressc.targets.windows_firewall.keywords import keyword_of
from egressc.targets.windows_firewall.model import (
    Action,
    FirewallRule,
    Protocol,
    RemoteAddresses,
    RemoteKeywords,
)
from egressc.targets.windows_firewall.quote import field_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.hosts import HostPattern
    from egressc.ranges import Ranges
    from egressc.services import PortSet
    from egressc.site import BoundRule
    from egressc.source import Span
    from egressc.targets.windows_firewall.model import Keyword, Remote

PREFIX: Final = "egressc-"
"""What the names of all rules begin with."""

INTERNAL: Final = "internal-networks"
"""The identity of the rule that leaves the internal networks open; no policy rule can have it, it has no ``/``."""

_UNSPECIFIED: Final = AddressSet(v6=((0, 1),))
"""``::`` and ``::1``: no range may begin or end there ([MS-FASP] 2.2.6, 2.2.10), and neither is ever a destination."""

_V6_LESS: Final = ALL_V6.difference(_UNSPECIFIED)

Chunk = tuple[str, "Remote | Anything"]
"""Destinations of one rule, and what this share of them is called: empty where there is only one."""


@dataclass(slots=True)
class Builder:
    """The rules of one artefact as they come about. ``context`` is what every rule says besides its own fields."""

    context: str
    rules: list[FirewallRule] = field(default_factory=list)
    keywords: dict[str, Keyword] = field(default_factory=dict)
    collisions: list[Diagnostic] = field(default_factory=list)
    _taken: dict[str, str] = field(default_factory=dict)
    _shares: dict[PortSet, tuple[tuple[Protocol, str, tuple[str, ...] | Anything], ...]] = field(default_factory=dict)

    def add(
        self,
        rule: BoundRule,
        nature: str,
        action: Action,
        conditions: Sequence[Condition],
        ports: PortSet,
        chunks: Sequence[Chunk],
    ) -> tuple[str, ...]:
        """The names of the rules that now say this: one for each condition, protocol, and share of what is too long.

        ``nature`` tells apart what several parts of one policy rule become.
        """
        description = describe(rule)
        names = []
        for condition in conditions:
            shown, key = _shown(condition), condition.key
            for protocol, port_share, texts in self._port_shares(ports):
                for share, remote in chunks:
                    names.append(
                        self._add(
                            f"{rule.key}\n{nature}\n{key}\n{protocol.value}\n{port_share}\n{share}",
                            f"{rule.key}{shown} {protocol.value} ({nature})",
                            description,
                            action,
                            condition,
                            protocol,
                            texts,
                            remote,
                            rule.rule.span,
                        )
                    )
        return tuple(names)

    def _port_shares(self, ports: PortSet) -> tuple[tuple[Protocol, str, tuple[str, ...] | Anything], ...]:
        """Ports by protocol, in shares that a rule can hold, each with what it is called."""
        found = self._shares.get(ports)
        if found is None:
            found = self._shares[ports] = tuple(
                (protocol, name, texts)
                for protocol, ranges in ((Protocol.TCP, ports.tcp), (Protocol.UDP, ports.udp))
                for name, texts in _port_shares(ranges)
            )
        return found

    def add_internal(self, internal: AddressSet) -> None:
        """Adds the rule that lets every process reach the internal networks; none where there are no such networks."""
        for share, remote in address_chunks(internal):
            self._add(
                f"{INTERNAL}\n{share}",
                "internal networks",
                "Internal networks: what the default deny leaves to other rules.",
                Action.ALLOW,
                EVERY_PROCESS[0],
                Protocol.ANY,
                ANY,
                remote,
                None,
            )

    def keyword_chunks(self, patterns: Iterable[HostPattern]) -> tuple[Chunk, ...]:
        """Host names, or all names below one, as destinations; their keywords become part of the artefact."""
        found = [keyword_of(pattern) for pattern in patterns]
        for keyword in found:
            self.keywords[keyword.name] = keyword
        if len(found) <= MAX_KEYWORDS:
            return (("", RemoteKeywords(tuple([keyword.id for keyword in found]))),)
        shares = [found[i : i + MAX_KEYWORDS] for i in range(0, len(found), MAX_KEYWORDS)]
        return tuple((share[0].name, RemoteKeywords(tuple(k.id for k in share))) for share in shares)

    def _add(
        self,
        identity: str,
        display_name: str,
        description: str,
        action: Action,
        condition: Condition,
        protocol: Protocol,
        ports: tuple[str, ...] | Anything,
        remote: Remote | Anything,
        span: Span | None,
    ) -> str:
        display = field_text(f"egressc: {display_name}", MAX_TEXT)
        stable = sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        content = repr(
            (
                self.context,
                display,
                description,
                action.value,
                protocol.value,
                _plain(ports),
                _remote(remote),
                None
                if isinstance(condition.users, Anything)
                else [(type(u).__name__, u.value) for u in condition.users],
                _plain(condition.service),
                _plain(condition.program),
            )
        )
        name = f"{PREFIX}{stable}-{sha256(content.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
        taken = self._taken.get(stable)
        if taken is None:
            self._taken[stable] = display
        else:
            self.collisions.append(
                Diagnostic(
                    code="E0794",
                    message=f"`{taken}` and `{display}` would both be called `{PREFIX}{stable}`",
                    span=span,
                    label="one of two rules of this artefact with the same name",
                    help="rename the rule",
                )
            )
        self.rules.append(
            FirewallRule(
                name=name,
                display_name=display,
                description=description,
                action=action,
                protocol=protocol,
                ports=ports,
                remote=remote,
                users=condition.users,
                service=condition.service,
                program=condition.program,
            )
        )
        return name


def describe(rule: BoundRule) -> str:
    """What the description of a rule says: its identity first, so that no text can pass for a resource (``@…``)."""
    stated = rule.rule
    notes = [f"{rule.key}: {stated.description}"]
    for title, text in (
        ("Owner", stated.policy.owner),
        ("Ticket", stated.ticket or stated.policy.ticket),
        ("Reference", stated.reference or stated.policy.reference),
        ("Expires", stated.expires.isoformat() if stated.expires is not None else ""),
    ):
        if text:
            notes.append(f"{title}: {text}")
    return field_text(" - ".join(notes), MAX_TEXT)


def address_chunks(addresses: AddressSet) -> tuple[Chunk, ...]:
    """Addresses as destinations, in shares that a rule can hold; none if nothing is left that can be a destination."""
    v6 = addresses.family(6).difference(_UNSPECIFIED)
    if addresses.v4 == ALL_V4.v4 and v6 == _V6_LESS:
        return (("", ANY),)
    texts: list[str] = []
    if addresses.v4 == ALL_V4.v4:
        texts.append("0.0.0.0-255.255.255.255")  # a mask of length 0 is invalid ([MS-FASP] 2.2.4)
    elif addresses.v4:
        texts.extend(addresses.family(4).text.split())
    if not v6.is_empty:
        texts.extend(v6.text.split())
    if len(texts) <= MAX_ADDRESSES:
        return (("", RemoteAddresses(tuple(texts))),) if texts else ()
    shares = [texts[i : i + MAX_ADDRESSES] for i in range(0, len(texts), MAX_ADDRESSES)]
    return tuple((share[0], RemoteAddresses(tuple(share))) for share in shares)


def _port_shares(ranges: Ranges) -> tuple[tuple[str, tuple[str, ...] | Anything], ...]:
    """Ports in shares that a rule can hold, each with what it is called; none for no ports."""
    if not ranges:
        return ()
    if ranges == ((FIRST_PORT, LAST_PORT),):
        return (("", ANY),)
    texts = tuple([str(first) if first == last else f"{first}-{last}" for first, last in ranges])
    if len(texts) <= MAX_PORTS:
        return (("", texts),)
    return tuple((texts[i], texts[i : i + MAX_PORTS]) for i in range(0, len(texts), MAX_PORTS))


def _plain(value: tuple[str, ...] | str | Anything) -> tuple[str, ...] | str | None:
    return None if isinstance(value, Anything) else value


def _remote(remote: Remote | Anything) -> tuple[str, ...] | None:
    if isinstance(remote, Anything):
        return None
    return remote.ids if isinstance(remote, RemoteKeywords) else remote.values


def _shown(condition: Condition) -> str:
    """Whom a rule is for, for its display name."""
    if not condition.account:
        return ""
    service = "" if isinstance(condition.service, Anything) else f", service {condition.service}"
    program = "" if isinstance(condition.program, Anything) else f", program {condition.program}"
    return f" as {condition.account}{service}{program}"
