"""Cells: what is left of an allow by name where denies by name cover only some of its ports, sources or processes.

A deny by name is said by taking its domains out of the sets of the allows that it cuts into. Where it covers an allow
as a whole, one pair of sets will do. Else the allow is split, and each piece has sets of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.anything import ANY, Anything
from egressc.targets.iptables.processes import Processes, within, without

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.services import PortSet


@dataclass(frozen=True, slots=True)
class Sources:
    """The groups that a packet may come from, or any source but those of ``outside``."""

    groups: frozenset[str] | Anything
    outside: frozenset[str] = frozenset()

    def within(self, other: frozenset[str] | Anything) -> Sources | None:
        """What is also in ``other``; ``None`` if that is nothing."""
        if isinstance(other, Anything):
            return self
        both = other - self.outside if isinstance(self.groups, Anything) else self.groups & other
        return Sources(both) if both else None

    def without(self, other: frozenset[str] | Anything) -> Sources | None:
        """What is not in ``other``; ``None`` if that is nothing."""
        if isinstance(other, Anything):
            return None
        if isinstance(self.groups, Anything):
            return Sources(ANY, self.outside | other)
        left = self.groups - other
        return Sources(left) if left else None


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of an allow: ports, sources, processes (alternatives), and the keys of the denies that cover it."""

    ports: PortSet
    sources: Sources
    processes: tuple[Processes, ...]
    barred: frozenset[str] = frozenset()

    def within(self, other: Cell) -> Cell | None:
        """What is also in the box of an allow by address; ``None`` if that is nothing."""
        ports = self.ports.intersection(other.ports)
        sources = self.sources.within(other.sources.groups)
        processes = tuple(dict.fromkeys(each for one in self.processes for each in within(one, other.processes)))
        if ports.is_empty or sources is None or not processes:
            return None
        return Cell(ports, sources, processes, self.barred)


@dataclass(frozen=True, slots=True, eq=False)
class Bar:
    """A deny by name as a box: what it is called, and its ports, groups and processes. Compared by identity."""

    key: str
    ports: PortSet
    groups: frozenset[str] | Anything
    processes: tuple[Processes, ...] | Anything

    def meets(self, cell: Cell) -> bool:
        """True if it covers some of the cell."""
        return (
            self.ports.overlaps(cell.ports)
            and cell.sources.within(self.groups) is not None
            and any(within(one, self.processes) for one in cell.processes)
        )


def split(cell: Cell, bars: Iterable[Bar]) -> tuple[Cell, ...]:
    """The cell in pieces, each covered as a whole or not at all by each of the denies."""
    cells = [cell]
    for bar in bars:
        cells = [piece for each in cells for piece in _split(each, bar)]
    return tuple(cells)


def _split(cell: Cell, bar: Bar) -> tuple[Cell, ...]:
    if not bar.meets(cell):
        return (cell,)
    pieces = []
    ports = cell.ports.difference(bar.ports)
    if not ports.is_empty:
        pieces.append(Cell(ports, cell.sources, cell.processes, cell.barred))
    ports = cell.ports.intersection(bar.ports)
    sources = cell.sources.without(bar.groups)
    if sources is not None:
        pieces.append(Cell(ports, sources, cell.processes, cell.barred))
    sources = cell.sources.within(bar.groups)
    assert sources is not None
    processes = tuple(dict.fromkeys(p for one in cell.processes for p in without(one, bar.processes)))
    if processes:
        pieces.append(Cell(ports, sources, processes, cell.barred))
    processes = tuple(dict.fromkeys(p for one in cell.processes for p in within(one, bar.processes)))
    pieces.append(Cell(ports, sources, processes, cell.barred | {bar.key}))
    return tuple(pieces)
