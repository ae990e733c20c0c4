"""Who sends, on both sides of a change: the groups of two inventories cut into parties that both sides can name.

A party is the addresses that are in the same groups on the old side and in the same groups on the new side. So a group
that is renamed, split, or gains an address changes nothing for those who stay.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.addresses import AddressSet
from egressc.anything import Anything

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from egressc.addresses import Family
    from egressc.site import BoundGroup

_Members = tuple[frozenset[str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Party:
    """Some sources, with the groups that they are in on the old and on the new side (maybe none).

    ``addresses`` is ``None`` where the groups are known by their name only.
    """

    name: str
    old: frozenset[str]
    new: frozenset[str]
    addresses: AddressSet | None


class Parties:
    """The parties of two sets of groups."""

    def __init__(self, old: Sequence[BoundGroup], new: Sequence[BoundGroup]) -> None:
        named = {g.name for g in (*old, *new) if isinstance(g.addresses, Anything) or g.addresses.is_empty}
        held: dict[_Members, AddressSet] = {}
        for family in (4, 6):
            _sweep(4 if family == 4 else 6, old, new, named, held)
        found: list[tuple[_Members, AddressSet | None]] = [*held.items()]
        before, after = ({g.name for g in side} for side in (old, new))
        found.extend(((frozenset({n} & before), frozenset({n} & after)), None) for n in sorted(named))
        found.sort(key=lambda each: (sorted(each[0][0]), sorted(each[0][1])))
        self.every = tuple([Party(f"{n:04}", *members, addresses) for n, (members, addresses) in enumerate(found)])
        self.by_name = {party.name: party for party in self.every}
        self._of: tuple[dict[str, frozenset[str]], ...] = (self._table(0), self._table(1))

    def of(self, group: str, side: int) -> frozenset[str]:
        """The names of the parties that are in a group of the old (0) or the new side (1)."""
        return self._of[side].get(group, frozenset())

    def _table(self, side: int) -> dict[str, frozenset[str]]:
        table: dict[str, set[str]] = {}
        for party in self.every:
            for group in (party.old, party.new)[side]:
                table.setdefault(group, set()).add(party.name)
        return {group: frozenset(names) for group, names in table.items()}


def _sweep(
    family: Family,
    old: Iterable[BoundGroup],
    new: Iterable[BoundGroup],
    named: set[str],
    held: dict[_Members, AddressSet],
) -> None:
    """Add the addresses of one IP version to the parties that they belong to."""
    events: list[tuple[int, int, int, str]] = []
    for side, groups in enumerate((old, new)):
        for group in groups:
            if group.name in named or isinstance(group.addresses, Anything):
                continue
            for first, last in group.addresses.v4 if family == 4 else group.addresses.v6:
                events.append((first, 1, side, group.name))
                events.append((last + 1, -1, side, group.name))
    events.sort()
    inside: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    ranges: dict[_Members, list[tuple[int, int]]] = {}
    since = 0
    for at, step, side, name in events:
        members = (frozenset(+inside[0]), frozenset(+inside[1]))
        if at > since and (members[0] or members[1]):
            ranges.setdefault(members, []).append((since, at - 1))
        since = at
        inside[side][name] += step
        if not inside[side][name]:
            del inside[side][name]
    for members, some in ranges.items():
        mine = AddressSet(v4=_merged(some)) if family == 4 else AddressSet(v6=_merged(some))
        held[members] = held[members].union(mine) if members in held else mine


def _merged(some: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    result: list[tuple[int, int]] = []
    for first, last in some:
        if result and result[-1][1] + 1 == first:
            result[-1] = (result[-1][0], last)
        else:
            result.append((first, last))
    return tuple(result)


def renamed_accounts(
    old: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]],
    new: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]],
) -> dict[str, str]:
    """The accounts of the old side that are called otherwise on the new one: the same bindings under one new name."""
    gone = _by_bindings(old, new)
    come = _by_bindings(new, old)
    return {names[0]: come[key][0] for key, names in gone.items() if len(names) == 1 == len(come.get(key, ()))}


def _by_bindings(
    some: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]], others: Mapping[str, object]
) -> dict[frozenset[tuple[str, frozenset[str]]], list[str]]:
    """The accounts that are not among the others, by what they are bound to."""
    found: dict[frozenset[tuple[str, frozenset[str]]], list[str]] = {}
    for name, bindings in some.items():
        if name not in others and bindings:
            found.setdefault(frozenset((kind, frozenset(values)) for kind, values in bindings), []).append(name)
    return found
