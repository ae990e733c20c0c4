"""Writing chain rules: boxes of ports, sources, processes and destinations, spelled out as single rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from egressc.services import FIRST_PORT, LAST_PORT
from egressc.targets.iptables.capabilities import LOG_BURST, LOG_PER_SECOND, SLOTS
from egressc.targets.iptables.model import FAMILIES, ChainRule, Limit, Log, ToPorts, Transport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.ranges import Ranges
    from egressc.services import PortSet
    from egressc.targets.iptables.model import Family, Jump, Match

_EVERY_PORT = ((FIRST_PORT, LAST_PORT),)
_LIMIT = Limit(LOG_PER_SECOND, LOG_BURST)


@dataclass(frozen=True, slots=True)
class Side:
    """One way to meet a condition on an address, and the families in which there is such an address."""

    matches: tuple[Match, ...]
    families: tuple[Family, ...] = FAMILIES


ANYWHERE = (Side(()),)
"""No condition on an address."""


@dataclass(slots=True)
class ChainWriter:
    """The rules of one chain, or of a section of it, in both families."""

    v4: list[ChainRule] = field(default_factory=list)
    v6: list[ChainRule] = field(default_factory=list)

    def add(self, matches: tuple[Match, ...], jump: Jump, comment: str, families: Sequence[Family] = FAMILIES) -> None:
        """Write one rule."""
        rule = ChainRule(matches, jump, comment)
        if 4 in families:
            self.v4.append(rule)
        if 6 in families:
            self.v6.append(rule)

    def write(
        self,
        ports: PortSet,
        sources: Sequence[Side],
        processes: Sequence[tuple[Match, ...]],
        destinations: Sequence[Side],
        jump: Jump,
        comment: str,
        *,
        until: tuple[Match, ...] = (),
        log: Log | None = None,
    ) -> None:
        """Write the rules of a box: each choice of ports, source, processes and destination is one; with a log, two."""
        for doors in _doors(ports):
            for source in sources:
                for destination in destinations:
                    families = (
                        source.families
                        if destination.families == FAMILIES
                        else tuple(f for f in source.families if f in destination.families)
                    )
                    for process in processes:
                        matches = (*doors, *source.matches, *destination.matches, *process, *until)
                        if log is not None:
                            self.add((*matches, _LIMIT), log, comment, families)
                        self.add(matches, jump, comment, families)

    def extend(self, other: ChainWriter) -> None:
        """Write all rules of another section behind these."""
        self.v4.extend(other.v4)
        self.v6.extend(other.v6)


def logged(matches: tuple[Match, ...]) -> tuple[Match, ...]:
    """The conditions of the rule that logs what these conditions meet."""
    return (*matches, _LIMIT)


@lru_cache(maxsize=4096)
def _doors(ports: PortSet) -> tuple[tuple[Match, ...], ...]:
    """The conditions on transport and port, as alternatives."""
    found: list[tuple[Match, ...]] = []
    for name, ranges in (("tcp", ports.tcp), ("udp", ports.udp)):
        transport = Transport("tcp" if name == "tcp" else "udp")
        if ranges == _EVERY_PORT:
            found.append((transport,))
        else:
            found.extend((transport, ToPorts(chunk)) for chunk in _chunks(ranges))
    return tuple(found)


def _chunks(ranges: Ranges) -> list[Ranges]:
    """The ranges in pieces that one multiport match can hold."""
    chunks: list[Ranges] = []
    held: list[tuple[int, int]] = []
    used = 0
    for first, last in ranges:
        slots = 1 if first == last else 2
        if used + slots > SLOTS:
            chunks.append(tuple(held))
            held, used = [], 0
        held.append((first, last))
        used += slots
    if held:
        chunks.append(tuple(held))
    return chunks
