"""Which rules do nothing because others hold all their flows, one alone or several together."""

from __future__ import annotations

from functools import partial
from itertools import chain, islice, product
from typing import TYPE_CHECKING, Final, TypeAlias

from egressc.flows import boxes
from egressc.flows_blocks import blocks_of
from egressc.flows_index import BlockIndex, Prefix, uncovered
from egressc.flows_search import common, in_both, witness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from egressc.addresses import AddressSet
    from egressc.flows import Box
    from egressc.flows_index import FlowIndex
    from egressc.hosts import HostPattern
    from egressc.policy import Rule
    from egressc.reach import Reach
    from egressc.site import BoundRule
    from egressc.source import Span

Unit: TypeAlias = "tuple[Span, list[BoundRule]]"
"""A rule as it is written (the span of its name), and the bound rules that it is."""

_APART: Final = 4
"""A rule for so many groups or accounts or fewer is looked for under each of them."""

_MANY: Final = "*"
"""What a rule for more of them is found under; no group or account is called so."""

_Key: TypeAlias = "tuple[str, str | None]"
"""A group and an account; ``None`` for any account."""


def lasts(of: Rule, by: Rule) -> bool:
    """True if ``by`` holds wherever and as long as ``of`` does: no feature and no end of its own."""
    if by.feature is not None and by.feature != of.feature:
        return False
    return by.expires is None or (of.expires is not None and by.expires >= of.expires)


class Covers:
    """Rules that may hold the flows of others, found by group and endpoint: near-linear as people write policies.

    ``fits(of, by)`` says whether a rule may count as holding the flows of another at all. ``part`` gives what of a rule
    counts as holding something: all of it if left out. Rules in ``gone``, which may grow, hold nothing.
    """

    def __init__(
        self,
        rules: Sequence[BoundRule],
        tags: Mapping[str, AddressSet],
        fits: Callable[[Rule, Rule], bool],
        part: Callable[[BoundRule], Iterable[Reach]] = lambda rule: (rule.reach,),
        gone: set[Span] | None = None,
    ) -> None:
        self._tags = tags
        self._fits = fits
        self._part = part
        self._gone: set[Span] = set() if gone is None else gone
        self._every = tuple(rules)
        self._rules: dict[_Key, list[BoundRule]] = {}
        for rule in rules:
            for key in product(_groups_of(rule), _accounts_of(rule)):
                self._rules.setdefault(key, []).append(rule)
        self._indexes: dict[_Key | None, tuple[Sequence[BoundRule], BlockIndex]] = {}

    def _index(self, key: _Key | None) -> tuple[Sequence[BoundRule], BlockIndex]:
        """The rules that are found under a key (``None``: all rules), with an index over them."""
        found = self._indexes.get(key)
        if found is None:
            rules = self._every if key is None else self._rules.get(key, ())
            index = BlockIndex([[b for reach in self._part(r) for b in blocks_of(reach, self._tags)] for r in rules])
            found = self._indexes[key] = (rules, index)
        return found

    def _near(self, rule: BoundRule) -> Iterator[tuple[Sequence[BoundRule], BlockIndex]]:
        """The indexes over rules that may hold something of the rule."""
        groups, accounts = _groups_of(rule), _accounts_of(rule)
        if groups == (_MANY,) or accounts == (_MANY,):
            yield self._index(None)
            return
        # What is for any account, also those that nothing names, is held by rules for any account only.
        more = () if accounts == (None,) else (_MANY, None)
        for key in product((*groups, _MANY), (*accounts, *more)):
            if key in self._rules:
                yield self._index(key)

    def _others(self, rule: BoundRule) -> list[Others]:
        return [Others(index, partial(self._holds, rule, rules)) for rules, index in self._near(rule)]

    def _holds(self, rule: BoundRule, rules: Sequence[BoundRule], number: int) -> bool:
        return self._may_hold(rule, rules[number])

    def _may_hold(self, rule: BoundRule, other: BoundRule) -> bool:
        span = other.rule.span
        return span != rule.rule.span and span not in self._gone and self._fits(rule.rule, other.rule)

    def covering(
        self,
        unit: Sequence[BoundRule],
        part: Callable[[BoundRule], Iterable[Reach]] = lambda rule: (rule.reach,),
        without: Sequence[BlockIndex] = (),
        *,
        alone: bool = False,
    ) -> tuple[BoundRule, ...] | None:
        """Rules that together hold all flows of the unit that are not in ``without``; ``None`` if there are none.

        ``part`` gives what of the unit must be held. Nothing if ``without`` holds all of it. With ``alone`` one rule
        must hold it.
        """
        found: dict[BoundRule, None] = {}
        less = [Quick(index) for index in without]
        for rule in unit:
            mine = [box for reach in part(rule) for box in boxes(reach, self._tags)]
            one = self._one(rule, mine)
            if one is None and (alone or uncovered(mine, (), [*self._others(rule), *less]) is not None):
                return None
            if less and uncovered(mine, (), less) is None:
                continue
            found.update(dict.fromkeys(self._few(rule, mine, without) if one is None else (one,)))
        return tuple(found)

    def _one(self, rule: BoundRule, mine: Sequence[Box]) -> BoundRule | None:
        """A rule that alone holds the boxes, if one of the first that hold something of them does."""
        for rules, index in self._near(rule) if mine else ():
            first = mine[0]
            numbers = _by_name(index, first) if first.inside else _by_address(index, first)
            counting = (number for number in numbers if self._holds(rule, rules, number))
            for number in islice(counting, _TRIED):
                held = index.boxes_of(number)
                if witness(mine, held) is None and in_both(mine, held):
                    return rules[number]
        return None

    def _few(self, rule: BoundRule, mine: Sequence[Box], without: Sequence[BlockIndex]) -> list[BoundRule]:
        """Some of the rules that hold the boxes: one if it is enough, else as few as are easily found."""
        near: dict[BoundRule, tuple[Box, ...]] = {}
        for rules, index in self._near(rule):
            for number in index.near(mine):
                other = rules[number]
                if self._may_hold(rule, other) and other not in near:
                    held = index.boxes_of(number)
                    if any(common(a, b) for a in mine for b in held):
                        near[other] = held
        less = [b for index in without for n in index.near(mine) for b in index.boxes_of(n)]
        for other, held in near.items():
            if witness(mine, [*less, *held]) is None:
                return [other]
        if len(near) <= _TRIED:
            for other in list(near):
                if witness(mine, [*less, *(b for o, held in near.items() if o is not other for b in held)]) is None:
                    del near[other]
        return list(near)

    def superfluous(self, units: Sequence[Unit]) -> Iterator[tuple[Unit, tuple[BoundRule, ...]]]:
        """The units of these rules that could all be removed without a loss, each with rules that hold its flows."""
        yield from removable(units, self._gone, lambda rules, *, alone: self.covering(rules, alone=alone))


def removable(
    units: Sequence[Unit], gone: set[Span], covering: Callable[..., tuple[BoundRule, ...] | None]
) -> Iterator[tuple[Unit, tuple[BoundRule, ...]]]:
    """The units that others hold and that could all be removed; ``gone`` grows by them.

    Those that one rule holds come first, so that of a wide rule and its parts the wide one stays; and of those the
    last, so that of two equal rules the first stays. ``covering(rules, alone=…)`` gives what holds a unit.
    """
    for alone in (True, False):
        for span, rules in reversed(units):
            by = None if span in gone else covering(rules, alone=alone)
            if by:
                gone.add(span)
                yield (span, rules), by


_TRIED: Final = 16
"""Of so many rules it is tried which of them hold something alone, and which are not needed.

So many on the same ports are looked at one by one: there may be thousands at one name that differ in their ports.
"""


def _groups_of(rule: BoundRule) -> tuple[str, ...]:
    """The groups that a rule is found under."""
    names = rule.reach.groups
    return tuple(sorted(names)) if isinstance(names, frozenset) and len(names) <= _APART else (_MANY,)


def _accounts_of(rule: BoundRule) -> tuple[str | None, ...]:
    """The accounts that a rule is found under."""
    names = rule.reach.accounts
    if not isinstance(names, frozenset):
        return (None,)
    return tuple(sorted(names)) if len(names) <= _APART else (_MANY,)


class Others(Prefix):
    """An index without the entries that do not count, as far as ``uncovered`` asks."""

    def __init__(self, index: BlockIndex, counts: Callable[[int], bool]) -> None:
        super().__init__(index, 0)
        self._counts = counts

    def over_names(self, box: Box, aside: Iterable[HostPattern]) -> list[Box]:
        """The boxes that may cover a part of the box at an address that no entry names."""
        index = self._index
        if box.inside:
            numbers = _by_name(index, box)
        else:
            named = _on_ports(index, box, lambda: chain.from_iterable(map(index.names.intersecting, aside)), names=True)
            numbers = sorted(named | _on_ports(index, box, lambda: index.everywhere, names=False))
        return [b for n in numbers if self._counts(n) for b in index.boxes_of(n)]

    def over_addresses(self, box: Box) -> list[Box]:
        """The boxes by address that may cover a part of the box."""
        index = self._index
        return [b for n in _by_address(index, box) if self._counts(n) for b in index.boxes_of(n)]


class Quick(Prefix):
    """An index, of which few entries on the ports of a box are looked at without a look at names and addresses."""

    def __init__(self, index: BlockIndex) -> None:
        super().__init__(index, 0)

    def over_names(self, box: Box, aside: Iterable[HostPattern]) -> list[Box]:
        """The boxes that may cover a part of the box at an address that no entry names."""
        index = self._index
        named, placed = _few_on_ports(index, box, names=True), _few_on_ports(index, box, names=False)
        if named is None or placed is None:
            return index.over_names(box, aside)
        return [b for n in sorted(named | placed) for b in index.boxes_of(n)]

    def over_addresses(self, box: Box) -> list[Box]:
        """The boxes by address that may cover a part of the box."""
        index = self._index
        placed = _few_on_ports(index, box, names=False)
        return index.over_addresses(box) if placed is None else [b for n in sorted(placed) for b in index.boxes_of(n)]


def meets(index: FlowIndex, reach: Reach, tags: Mapping[str, AddressSet]) -> bool:
    """True if one of the entries overlaps the reach; the few on its ports are looked at alone."""
    mine = tuple(boxes(reach, tags))
    near: set[int] = set()
    for box in mine:
        for names in (True, False):
            few = _few_on_ports(index, box, names=names)
            if few is None:
                return index.meets(reach)
            near |= few
    return any(common(box, other) for number in sorted(near) for other in index.boxes_of(number) for box in mine)


def _by_name(index: BlockIndex, box: Box) -> list[int]:
    """The entries that may hold a part of a box with a name, wherever it resolves to."""
    named = _on_ports(index, box, lambda: index.names.intersecting(box.inside[0][0]), names=True)
    return sorted(named | _on_ports(index, box, lambda: index.everywhere, names=False))


def _by_address(index: BlockIndex, box: Box) -> list[int]:
    """The entries by address that may hold a part of a box."""
    return sorted(_on_ports(index, box, lambda: index.by_address(box.addresses), names=False))


def _on_ports(index: BlockIndex, box: Box, numbers: Callable[[], Iterable[int]], *, names: bool) -> set[int]:
    """Some entries, or all on the ports of the box if these are few: then nobody looks for the others."""
    few = _few_on_ports(index, box, names=names)
    return set(numbers()) if few is None else few


def _few_on_ports(index: BlockIndex, box: Box, *, names: bool) -> set[int] | None:
    """The entries by name (or else by address) on the ports of the box; ``None`` if they are many."""
    there: set[int] = set()
    for signature in index.signatures_over(box.ports, names=names):
        there.update(signature.numbers)
        if len(there) > _TRIED:
            return None
    return there
