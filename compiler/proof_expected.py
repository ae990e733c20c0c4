"""What an artefact must do: the policy of a site with its rules replaced by the approximated ones, as blocks.

Flows are decided in this order: what the enforcement point needs for itself is let through; denied by a part of a deny;
let through by a part of an allow; denied below the allows (by what exceptions leave there, by the default deny); and
what is left is undecided, or what the target says of the internal networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from egressc.addresses import ALL, EMPTY
from egressc.meaning import Block, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.lowering import Lowering, Part
    from egressc.meaning import Ruling
    from egressc.proof_sight import Sight
    from egressc.proof_trees import Trees
    from egressc.site import BoundRule, Site


@dataclass(frozen=True, slots=True)
class RuleBlocks:
    """What one rule must do: ``decides`` by its own action, ``closes`` below all allows; ``names`` in the artefact."""

    rule: BoundRule
    parts: tuple[Part, ...]
    decides: tuple[Block, ...]
    closes: tuple[Block, ...]
    names: frozenset[str]


class Expected:
    """What the artefact of one site must do.

    ``internal`` are the destinations about which policies say nothing unless a rule names an address there: what a
    configuration does with a name at such an address is no difference (inventory.md, *Egress means out of the house*).
    """

    internal = EMPTY

    def __init__(self, site: Site[Any], lowering: Lowering[Any], sight: Sight, trees: Trees) -> None:
        self.site = site
        self.sight = sight
        self.inspects = lowering.inspects
        self.internal = site.internal
        self.opening: tuple[Ruling, ...] = tuple([trees.ruling(each) for each in lowering.opening])
        self._trees = trees
        self._internal = lowering.internal
        by_rule: dict[BoundRule, list[Part]] = {}
        for part in lowering.parts:
            by_rule.setdefault(part.rule, []).append(part)
        self.rules = tuple([self._rule(rule, parts) for rule, parts in by_rule.items()])

    def _rule(self, rule: BoundRule, parts: Sequence[Part]) -> RuleBlocks:
        decides: list[Block] = []
        closes: list[Block] = []
        names: set[str] = set()
        for part in parts:
            names.update(part.names)
            for reach in part.closes:
                closes.extend(self.sight.blocks(reach))
            if part.reach is None or part.cut_out:
                continue
            decides.extend(self.sight.blocks(part.reach) if part.cells is None else self.cells(part))
        return RuleBlocks(rule, tuple(parts), tuple(decides), tuple(closes), frozenset(names))

    def cells(self, part: Part) -> tuple[Block, ...]:
        """What the artefact's rules for a part match where denies by name were taken out of them."""
        return self._trees.blocks(part.cells or ())

    @cached_property
    def allows(self) -> tuple[RuleBlocks, ...]:
        """The allows."""
        return tuple([each for each in self.rules if not each.rule.is_deny])

    @cached_property
    def denies(self) -> tuple[RuleBlocks, ...]:
        """The denies, also those that are taken out of the allows and decide nothing themselves."""
        return tuple([each for each in self.rules if each.rule.is_deny])

    @cached_property
    def closing(self) -> tuple[Block, ...]:
        """What the default deny stops; nothing without one."""
        if not self.site.closing_deny:
            return ()
        internal = self.site.internal
        addresses = ALL if internal.is_empty or self._internal is Outcome.DENY else ALL.difference(internal)
        if addresses.is_empty:
            return ()
        return tuple([Block(addresses=addresses, sources=s, objects=o) for s, o in self.sight.governed])

    @cached_property
    def left_open(self) -> tuple[Block, ...]:
        """What is let through below the allows: the internal networks, where the target cannot leave them to others."""
        internal = self.site.internal
        if not self.site.closing_deny or self._internal is not Outcome.ALLOW or internal.is_empty:
            return ()
        return tuple([Block(addresses=internal, sources=s, objects=o) for s, o in self.sight.governed])
