"""Addresses that stand for many others: what covers a name where nobody names an address covers it nearly anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.addresses import ALL, EMPTY, AddressSet, union_of
from egressc.flows import Box
from egressc.flows_search import one_of_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.addresses import Family
    from egressc.flows_index import BlockIndex, Prefix


def holes(box: Box, spots: AddressSet, near: Sequence[Box]) -> AddressSet:
    """The addresses of the box where less may cover it than at the spots: of another IP version, or left out there."""
    held = [other.addresses for other in near if other.addresses is not ALL and other.addresses.overlaps(spots)]
    left: list[AddressSet] = []
    for family in sorted(box.families):
        version: Family = 4 if family == 4 else 6
        spot, mine = spots.family(version), box.addresses.family(version)
        if spot.is_empty:
            left.append(mine)
        else:
            left.extend([mine.difference(addresses) for addresses in held if addresses.overlaps(spot)])
    return union_of(left)


def unnamed_in(box: Box, indexes: Sequence[BlockIndex | Prefix]) -> AddressSet:
    """An address of each IP version in the box that no entry of the indexes names, as far as one is known.

    ``ALL`` if the box is for all addresses and no entry names any.
    """
    wholes = tuple([index.whole for index in indexes])
    held = wholes[0].spots
    found = held.get(wholes)
    if found is None:
        free = ALL
        for index in wholes:
            free = free if index.unnamed is ALL else free.intersection(index.unnamed)
        some = others = free
        if free is not ALL:
            some = one_of_each(free)
            # The first range of free addresses may begin with one that is no destination of a flow.
            largest = [AddressSet((max(free.v4, key=_size),)) if free.v4 else EMPTY]
            largest.append(AddressSet((), (max(free.v6, key=_size),)) if free.v6 else EMPTY)
            others = union_of([some, *(one_of_each(each) for each in largest)])
        found = held[wholes] = (some, others)
    some, others = found
    if box.addresses is ALL:
        return some
    both = box.addresses if others is ALL else box.addresses.intersection(others)
    return both if both.is_empty else one_of_each(both)


def _size(held: tuple[int, int]) -> int:
    return held[1] - held[0]


def at(box: Box, addresses: AddressSet) -> Box:
    """The box at these destinations only."""
    if addresses is ALL:
        return box
    return Box(
        box.groups,
        box.families,
        box.accounts,
        box.ports,
        addresses,
        box.inside,
        box.outside,
        box.shared_inside,
        box.shared_outside,
        box.tags,
        box.no_tags,
        box.sources,
        box.processes,
    )
