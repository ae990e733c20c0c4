"""What entries of an index have in common besides their endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.addresses import ALL
from egressc.flows import Box
from egressc.flows_intervals import Intervals
from egressc.reach import BOTH_FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.meaning import Block
    from egressc.services import PortSet

TRANSPORTS = ("tcp", "udp")
"""What a flow goes over."""


class Signature:
    """The entries of one kind (names, or addresses) that have all but the endpoint in common, by their number.

    ``box`` is what they share, with any destination. ``plain`` are those that subtract nothing of the other kind.
    """

    __slots__ = ("box", "numbers", "plain")

    def __init__(self, block: Block) -> None:
        self.box = Box(
            block.objects,
            BOTH_FAMILIES,
            block.accounts,
            block.ports,
            ALL,
            sources=block.sources,
            processes=block.processes,
        )
        self.numbers: list[int] = []
        self.plain: list[int] = []


class Signatures:
    """Signatures in an order, found by their ports."""

    __slots__ = ("_ports", "every")

    def __init__(self, every: Iterable[Signature]) -> None:
        self.every = tuple(every)
        self._ports = Intervals(
            (transport, first, last, number)
            for number, each in enumerate(self.every)
            for transport in TRANSPORTS
            for first, last in each.box.ports.transport(transport)
        )

    def over(self, ports: PortSet) -> tuple[Signature, ...]:
        """Those whose ports overlap these, in order."""
        found = {
            number
            for transport in TRANSPORTS
            for first, last in ports.transport(transport)
            for number in self._ports.meeting(transport, first, last)
        }
        return tuple([self.every[number] for number in sorted(found)])


def differ_in_addresses(box: Box, held: Box) -> bool:
    """True if the boxes are the same but for their addresses; an entry may hold boxes of several signatures."""
    return (
        box.ports == held.ports
        and box.groups == held.groups
        and box.accounts == held.accounts
        and box.sources == held.sources
        and box.processes == held.processes
    )
