"""Denies that are taken out of allows instead of being written: what that may do, checked by code that no target owns.

An enforcement point that knows names by their addresses cannot refuse a name without refusing every other name that
shares its address. So the name is taken out of what the allows let in: by the host name and by the shared name alike.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.flows_index import BlockIndex, uncovered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.flows import Box, Flow
    from egressc.meaning import Block
    from egressc.proof_expected import Expected
    from egressc.site import BoundRule


def cell_problem(expected: Expected) -> tuple[BoundRule, str, Flow] | None:
    """What was taken out too much, or too little, with the rule and a flow; ``None`` if all is right.

    Of an allow nothing may be lost but what such a deny matches, and nothing gained; no such deny may leave a name of
    its own open that no other name shares an address with.
    """
    sight = expected.sight
    denied: list[tuple[BoundRule, tuple[Block, ...]]] = []
    for each in expected.denies:
        cut = [part.reach for part in each.parts if part.cut_out and part.reach is not None]
        denied.extend([(each.rule, sight.blocks(reach)) for reach in cut])
    shared = BlockIndex([[replace(b, by_address=True)] for _, some in denied for b in some if b.names is not None])
    for each in expected.allows:
        for part in each.parts:
            if part.cells is None or part.reach is None:
                continue
            whole, cells = sight.blocks(part.reach), expected.cells(part)
            flow = uncovered(_boxes(cells), (), (BlockIndex([whole]),))
            if flow is not None:
                return each.rule, "it lets more through than it announces", flow
            flow = uncovered(_boxes(whole), (), (BlockIndex([cells]), shared))
            if flow is not None:
                return each.rule, "it loses what no deny by name denies", flow
    names = [[replace(b, by_address=False) for b in each.decides if b.names is not None] for each in expected.allows]
    index = BlockIndex(names)
    written = BlockIndex([each.decides for each in expected.denies])
    for rule, blocks in denied:
        found = index.first_inside(_boxes(blocks), (), (written,))
        if found is not None:
            allow = expected.allows[found[1]].rule
            return rule, f"it is not taken out of `{allow.key}`", found[0]
    return None


def _boxes(blocks: Iterable[Block]) -> list[Box]:
    return [box for block in blocks for box in block.boxes()]
