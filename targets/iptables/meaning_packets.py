"""Packets that are no flows, and without which nothing works: loopback, answers, neighbour discovery, redirected ones.

A chain that rejects them stops what it lets through; the flows of a policy do not show that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from egressc.targets.iptables.live import At, Interface

if TYPE_CHECKING:
    from egressc.targets.iptables.live import Condition, LiveChain, LiveRule, LiveTable
    from egressc.targets.iptables.model import Family


@dataclass(frozen=True, slots=True)
class Packet:
    """A kind of packet that this machine sends: what is not said (``None``) may be anything.

    ``address`` is the destination as a number, ``out`` the interface that it leaves by.
    """

    protocol: str
    state: str
    port: int | None = None
    icmp: str = ""
    address: int | None = None
    out: str | None = None


_LOOPBACK: Final = {4: 0x7F000001, 6: 1}
"""Where REDIRECT sends what the machine itself sends (iptables-extensions(8), REDIRECT)."""

_DEEPEST: Final = 100
"""So many chains are gone into, one from the other."""

_DISCOVERY: Final = ("133", "135", "136")
"""Router solicitation, neighbour solicitation and advertisement (RFC 4861 4.1, 4.3, 4.4)."""

_NUMBERS: Final = {
    "router-solicitation": "133", "neighbour-solicitation": "135", "neighbor-solicitation": "135",
    "neighbour-advertisement": "136", "neighbor-advertisement": "136",
}  # fmt: skip
"""The names of these types (ip6tables -p icmpv6 -h)."""


def stopped(table: LiveTable, chain: LiveChain, family: Family) -> str:
    """What the chain of a host rejects although it must not, in words; empty if nothing."""
    packets = [
        (Packet("tcp", "NEW", out="lo"), "loopback"),
        (Packet("tcp", "ESTABLISHED"), "packets of established connections"),
    ]
    if family == 6:
        packets += [
            (Packet("icmpv6", "UNTRACKED", icmp=number), f"neighbour discovery (ICMPv6 type {number})")
            for number in _DISCOVERY
        ]
    for packet, what in packets:
        if accepts(table, chain, packet) is False:
            return f"it rejects {what}"
    return ""


def takes_redirected(table: LiveTable, chain: LiveChain, family: Family, port: int) -> bool:
    """True if the chain of a host does not reject what was redirected to that port of the same machine."""
    packet = Packet("tcp", "NEW", port=port, address=_LOOPBACK[family])
    return accepts(table, chain, packet) is not False


def accepts(
    table: LiveTable, chain: LiveChain, packet: Packet, known: dict[str, bool | None] | None = None, depth: int = 0
) -> bool | None:
    """True if the chain accepts every packet of that kind, False if it rejects them, ``None`` if it leaves them.

    That is also what comes of chains too deep in one another. Each chain is gone through once, however many rules jump
    to it; ``known`` holds what came of it.
    """
    known = {} if known is None else known
    if chain.name not in known and depth <= _DEEPEST:
        known[chain.name] = None  # who comes here again from here goes in a circle
        known[chain.name] = _decides(table, chain, packet, known, depth)
    return known.get(chain.name)


def _decides(
    table: LiveTable, chain: LiveChain, packet: Packet, known: dict[str, bool | None], depth: int
) -> bool | None:
    for rule in chain.rules:
        if not _matches(rule, packet):
            continue
        if rule.target == "ACCEPT":
            return True
        if rule.target in {"DROP", "REJECT"}:
            return False
        if rule.target == "RETURN":
            return None
        inner = table.chains.get(rule.target)
        if inner is not None:
            answer = accepts(table, inner, packet, known, depth + 1)
            if answer is not None:
                return answer
            if rule.goes:
                break
    return False if chain.policy == "DROP" else None


def _matches(rule: LiveRule, packet: Packet) -> bool:
    """True if the rule matches every packet of that kind."""
    if rule.doubts or (rule.states is not None and packet.state not in rule.states):
        return False
    if rule.protocol not in {"any", packet.protocol}:
        return False
    if rule.icmp and _NUMBERS.get(rule.icmp, rule.icmp) != packet.icmp:
        return False
    if packet.protocol == "tcp":
        ports = rule.ports.tcp
        if packet.port is None:
            if ports != ((1, 65535),):
                return False
        elif not any(first <= packet.port <= last for first, last in ports):
            return False
    return all(_meets(condition, packet) for condition in rule.conditions)


def _meets(condition: Condition, packet: Packet) -> bool:
    if isinstance(condition, Interface) and not condition.is_in and packet.out is not None:
        return (condition.name in {packet.out, "+"}) is not condition.other
    if isinstance(condition, At) and not condition.is_source and packet.address is not None:
        held = (*condition.addresses.v4, *condition.addresses.v6)
        return any(first <= packet.address <= last for first, last in held)
    return False
