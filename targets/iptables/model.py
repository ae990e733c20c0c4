"""The rules of an iptables firewall as its own programs know them: chains, ipsets, and what feeds them.

One value of ``Firewall`` is everything that an artefact says; `render` only spells it. A set is named by its *stem*:
each stands for a pair, ``STEM_4`` for IPv4 and ``STEM_6`` for IPv6, so a rule for both families is one value.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

    from egressc.addresses import AddressSet
    from egressc.ranges import Ranges

Family = Literal[4, 6]
"""An IP version."""

FAMILIES: tuple[Family, Family] = (4, 6)
"""Both IP versions: a firewall always has rules for each."""


class Mode(StrEnum):
    """Where the rules stand: on the host that they are for, or on a gateway that its packets pass."""

    HOST = "host"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Transport:
    """``-p``: TCP, UDP, or ICMP of the family."""

    name: Literal["tcp", "udp", "icmpv6"]


@dataclass(frozen=True, slots=True)
class ToPorts:
    """``--dport``, or ``-m multiport --dports``: at most fifteen slots, of which a range takes two. Never empty."""

    ports: Ranges


@dataclass(frozen=True, slots=True)
class ToSet:
    """``-m set --match-set … dst``: the destination is in the set; with ``outside`` it is not."""

    stem: str
    outside: bool = False


@dataclass(frozen=True, slots=True)
class FromSet:
    """``-m set --match-set … src``: the source is in the set; with ``outside`` it is not."""

    stem: str
    outside: bool = False


@dataclass(frozen=True, slots=True)
class ToAddress:
    """``-d``: one address or network."""

    block: str


@dataclass(frozen=True, slots=True)
class Owner:
    """``-m owner --uid-owner``: the sending process runs as this user, a name or a number; ``other``: as another."""

    user: str
    other: bool = False


@dataclass(frozen=True, slots=True)
class Cgroup:
    """``-m cgroup --path``: the process is in this control group or below it; ``other``: it is not."""

    path: str
    other: bool = False


@dataclass(frozen=True, slots=True)
class Until:
    """``-m time --datestop``: through the end of that day, UTC, by the clock of the machine."""

    day: date


@dataclass(frozen=True, slots=True)
class Established:
    """``-m conntrack --ctstate ESTABLISHED,RELATED``."""


@dataclass(frozen=True, slots=True)
class InInterface:
    """``-i``: the interface that the packet came in by; ``other``: any but this."""

    name: str
    other: bool = False


@dataclass(frozen=True, slots=True)
class OutInterface:
    """``-o``: the interface that the packet leaves by."""

    name: str


@dataclass(frozen=True, slots=True)
class IcmpType:
    """``--icmpv6-type``, by number."""

    number: int


@dataclass(frozen=True, slots=True)
class Limit:
    """``-m limit``: so many packets a second, after a burst."""

    per_second: int
    burst: int


Match = (
    Transport
    | ToPorts
    | ToSet
    | FromSet
    | ToAddress
    | Owner
    | Cgroup
    | Until
    | Established
    | InInterface
    | OutInterface
    | IcmpType
    | Limit
)
"""One condition of a rule."""


@dataclass(frozen=True, slots=True)
class Accept:
    """``-j ACCEPT``: this table lets the packet through (in `nat`: leaves it as it is)."""


@dataclass(frozen=True, slots=True)
class Return:
    """``-j RETURN``: the chain says nothing about the packet."""


@dataclass(frozen=True, slots=True)
class Reject:
    """``-j REJECT``: by a TCP reset, or else by ICMP *administratively prohibited* of the family."""

    reset: bool


@dataclass(frozen=True, slots=True)
class Log:
    """``-j NFLOG``: hand the packet to a listener of that group, and go on."""

    group: int
    prefix: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """``-j REDIRECT``: send the connection to a port of this machine (table `nat` only)."""

    port: int


Jump = Accept | Return | Reject | Log | Redirect
"""What a rule does with a packet that meets all of its conditions."""


@dataclass(frozen=True, slots=True)
class ChainRule:
    """One rule of our chain: all ``matches`` together (none: every packet), then ``jump``.

    ``comment`` is the text itself, at most 255 bytes, not quoted.
    """

    matches: tuple[Match, ...]
    jump: Jump
    comment: str


@dataclass(frozen=True, slots=True)
class Chains:
    """Our chain in the tables of one family. ``nat`` is ``None`` where nothing is redirected on this machine."""

    family: Family
    filter: tuple[ChainRule, ...]
    nat: tuple[ChainRule, ...] | None


@dataclass(frozen=True, slots=True)
class NetworkSet:
    """A pair of sets with fixed content. A family without addresses has an empty set."""

    stem: str
    addresses: AddressSet


@dataclass(frozen=True, slots=True)
class DomainLine:
    """``ipset=/DOMAIN/SETS``: addresses that the domain, or a name below it, resolves to go into these pairs of sets.

    dnsmasq takes the longest domain that fits a name and no other line. ``stems`` is never empty.
    """

    domain: str
    stems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resolver:
    """The dnsmasq that feeds the sets: who it runs as, whom it asks (nobody: as the machine is set up)."""

    user: str
    servers: tuple[str, ...]
    lines: tuple[DomainLine, ...]


@dataclass(frozen=True, slots=True)
class Firewall:
    """Everything that an artefact says.

    ``fed`` are the stems of the sets that dnsmasq fills, ``foreign`` those of sets that exist already and are never
    written. ``users`` and ``cgroups`` must exist where the rules are loaded. ``remarks`` are for people.
    """

    name: str
    mode: Mode
    chain: str
    chains: tuple[Chains, Chains]
    networks: tuple[NetworkSet, ...]
    fed: tuple[str, ...]
    foreign: tuple[str, ...]
    resolver: Resolver | None
    users: tuple[str, ...]
    cgroups: tuple[str, ...]
    remarks: tuple[str, ...]
