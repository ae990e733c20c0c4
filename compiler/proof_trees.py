"""Processes of kinds whose values hold one another: a control group holds what is below it.

The search knows values that are equal or apart. So a path becomes the paths in use at it or below it, of which each
stands for the processes that are there and no deeper.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from egressc.flows import Choice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.flows import Processes
    from egressc.meaning import Block, InspectionRuling, Meaning, Ruling

KINDS: Final = frozenset({"linux-cgroup"})
"""The kinds whose values are paths, of which one holds what is below it (iptables-extensions(8), cgroup, `--path`)."""


class Trees:
    """What the paths in use stand for. Without any, everything stays as it is."""

    def __init__(self, every: Iterable[Processes]) -> None:
        used = {name for processes in every for kind, choice in processes if kind in KINDS for name in choice.names}
        self._below: dict[str, set[str]] = {path: set() for path in used}
        for path in used:
            at = path
            while True:
                if at in self._below:
                    self._below[at].add(path)
                if "/" not in at:
                    break
                at = at.rpartition("/")[0]
        self.is_needed = len(used) > 1
        self._known: dict[Processes, Processes] = {}

    def processes(self, processes: Processes) -> Processes:
        """The processes with the paths in use for each path; several conditions on one kind hold together.

        A choice in them is empty where no process meets the conditions.
        """
        if not self.is_needed or not processes:
            return processes
        found = self._known.get(processes)
        if found is None:
            wide: dict[str, Choice] = {}
            for kind, choice in processes:
                held = self._widened(choice) if kind in KINDS else choice
                known = wide.get(kind)
                wide[kind] = held if known is None else known.within(held)
            found = self._known[processes] = tuple(wide.items())
        return found

    def blocks(self, blocks: Iterable[Block]) -> tuple[Block, ...]:
        """The blocks with the paths in use for each path, but for those that no process meets."""
        if not self.is_needed:
            return tuple(blocks)
        found = []
        for block in blocks:
            whom = self.processes(block.processes)
            if not any(choice.is_empty for _, choice in whom):
                found.append(replace(block, processes=whom) if whom is not block.processes else block)
        return tuple(found)

    def ruling(self, ruling: Ruling) -> Ruling:
        """The ruling with the paths in use for each path."""
        if not self.is_needed:
            return ruling
        return replace(ruling, blocks=self.blocks(ruling.blocks), but=self.blocks(ruling.but))

    def meaning(self, meaning: Meaning) -> Meaning:
        """The whole configuration with the paths in use for each path."""
        if not self.is_needed:
            return meaning
        inspections = tuple([self._inspection(each) for each in meaning.inspections])
        return replace(meaning, rulings=tuple([self.ruling(r) for r in meaning.rulings]), inspections=inspections)

    def _inspection(self, ruling: InspectionRuling) -> InspectionRuling:
        return replace(ruling, blocks=self.blocks(ruling.blocks))

    def _widened(self, choice: Choice) -> Choice:
        return Choice(frozenset().union(*(self._below.get(name, {name}) for name in choice.names)), choice.negated)


def processes_of(meaning: Meaning) -> Iterable[Processes]:
    """Every condition on processes in a configuration."""
    for ruling in meaning.rulings:
        for block in (*ruling.blocks, *ruling.but):
            yield block.processes
    for each in meaning.inspections:
        for block in each.blocks:
            yield block.processes
