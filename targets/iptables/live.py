"""What stands on a Linux machine, whoever put it there: rules of both families, sets, and what dnsmasq feeds to them.

Broader than ``model``, which holds what this target writes. Conditions that a reader does not understand are
``doubts``: the rule may then match less than its other fields say, never more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.quick_init import quick_init

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from egressc.addresses import AddressSet
    from egressc.services import PortSet
    from egressc.targets.iptables.model import Family


@dataclass(frozen=True, slots=True)
class InSet:
    """The destination is in the set (``is_source``: the source is); with ``outside`` it is not."""

    name: str
    is_source: bool
    outside: bool


@dataclass(frozen=True, slots=True)
class At:
    """The destination is one of these addresses (``is_source``: the source is)."""

    addresses: AddressSet
    is_source: bool


@dataclass(frozen=True, slots=True)
class User:
    """The process runs as this user: a name, a uid, or uids from ``FIRST-LAST``; ``other``: as another."""

    text: str
    other: bool


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """The process is in this control group or below it; ``other``: it is not."""

    path: str
    other: bool


@dataclass(frozen=True, slots=True)
class Interface:
    """The packet leaves by this interface (``is_in``: came in by it); ``other``: by another. A `+` ends a prefix."""

    name: str
    is_in: bool
    other: bool


@dataclass(frozen=True, slots=True)
class Period:
    """Between these times, UTC; ``None``: no such bound."""

    start: datetime | None
    stop: datetime | None


Condition = InSet | At | User | ControlGroup | Interface | Period
"""One condition of a rule besides its protocol and ports."""


@quick_init
@dataclass(frozen=True, slots=True)
class LiveRule:
    """One rule: all conditions together, then ``target``.

    ``ports`` are those of TCP and UDP; they are empty for a rule about other protocols alone, of which ``protocol``
    says the name. ``states`` are the connection states that it asks for (``None``: any), ``icmp`` the type. ``target``
    is a built-in verdict or a chain, empty where the rule only counts; ``goes`` marks ``-g``, and ``value`` is the port
    of a redirection.
    """

    line: int
    protocol: str
    ports: PortSet
    conditions: tuple[Condition, ...]
    target: str
    comment: str = ""
    goes: bool = False
    value: str = ""
    states: frozenset[str] | None = None
    icmp: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def sees_new(self) -> bool:
        """True if it may match the first packet of a connection."""
        return self.states is None or "NEW" in self.states


@dataclass(slots=True)
class LiveChain:
    """One chain; ``policy`` is what a built-in one does at its end, empty for any other."""

    name: str
    policy: str
    rules: list[LiveRule]


@dataclass(frozen=True, slots=True)
class LiveTable:
    """One table of one family."""

    name: str
    file: str
    chains: dict[str, LiveChain]


@dataclass(frozen=True, slots=True)
class LiveSet:
    """One ipset: its members, less those that dnsmasq may have put there. ``doubt`` says why they may be others.

    ``timeout`` is how many seconds a member stays, ``None`` where it stays for good; ``passing`` is how many members
    go by themselves, which is what the resolver's do: they are not in ``addresses``. ``parts`` are the sets that a list
    of sets holds; ``no_room`` says why the resolver may find no place in it for what it adds.
    """

    name: str
    family: Family | None
    addresses: AddressSet
    timeout: int | None = None
    doubt: str = ""
    passing: int = 0
    parts: tuple[str, ...] = ()
    no_room: str = ""


@dataclass(frozen=True, slots=True)
class Zones:
    """The names of which the addresses go into a set: layers of domains, and the domains below them that do not."""

    layers: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Live:
    """A whole configuration. ``start`` are the chains in which packets begin, by table.

    ``is_artefact`` tells ours, in which only our own chain stands, from what a machine gave. ``fed`` are the zones of
    sets by name, ``uids`` what is known of users.
    """

    tables: Mapping[Family, Mapping[str, LiveTable]]
    start: Mapping[str, str]
    sets: Mapping[str, LiveSet]
    fed: Mapping[str, Zones]
    uids: Mapping[str, int]
    is_artefact: bool
    remarks: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
