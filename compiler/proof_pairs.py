"""Rules of the policy paired with the rulings that bear their names: where both hold the same, nothing is searched."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from egressc.flows_index import BlockIndex, uncovered
from egressc.meaning import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.flows import Box
    from egressc.meaning import Block, Ruling
    from egressc.proof_canon import Canon, Form
    from egressc.proof_expected import Expected, RuleBlocks
    from egressc.proof_rulings import Rulings
    from egressc.site import BoundRule


class Pairs:
    """Which rules are said, whole and by rulings of their own, and what follows from that for the order.

    A rule is *said* if its rulings, by themselves and in their order, do exactly what the rule must do.
    """

    def __init__(self, expected: Expected, rulings: Rulings, canon: Canon, *, quick: bool) -> None:
        self._expected = expected
        self._rulings = rulings
        self._canon = canon
        self._quick = quick
        owners: dict[str, RuleBlocks | None] = {}
        for each in expected.rules:
            for name in each.names:
                owners[name] = each if name not in owners else None
        self._owner: list[RuleBlocks | None] = []
        self._positions: dict[BoundRule, list[int]] = {each.rule: [] for each in expected.rules}
        for position, ruling in enumerate(rulings.every):
            owner = owners.get(ruling.name)
            self._owner.append(owner)
            if owner is not None:
                self._positions[owner.rule].append(position)
        self._said = {each.rule: quick and self._is_said(each) for each in expected.rules}

    def owner(self, position: int) -> RuleBlocks | None:
        """The rule that the ruling at that position is a part of; ``None`` for a foreign one, or one of nobody's."""
        return self._owner[position]

    def positions(self, rule: BoundRule) -> Sequence[int]:
        """Where the rulings stand that bear names of the rule."""
        return self._positions[rule]

    def is_said(self, each: RuleBlocks) -> bool:
        """True if the rulings of the rule do exactly what it must do."""
        return self._said[each.rule]

    def is_paired(self, position: int) -> bool:
        """True if the ruling is one of a rule that is said."""
        owner = self._owner[position]
        return owner is not None and self._said[owner.rule]

    @cached_property
    def loose_denies(self) -> tuple[RuleBlocks, ...]:
        """The denies of which it is not plain that their rulings stand before every ruling that allows."""
        return tuple([each for each in self._expected.denies if each.decides and not self._is_early(each)])

    def denies_first(self, position: int) -> bool:
        """True if every deny of the policy is surely decided before the ruling, which allows."""
        return not self.loose_denies and position >= self._first_allow

    def allows_first(self, position: int) -> bool:
        """True if the ruling, which denies, surely takes nothing that an allow of the policy should have."""
        owner = self._owner[position]
        if (
            owner is not None
            and owner.rule.is_deny
            and self._said[owner.rule]
            and self._is_of_the_deny(owner, position)
        ):
            return True
        return self._quick and self._all_allows_said and position > self._last_allow

    def _is_of_the_deny(self, owner: RuleBlocks, position: int) -> bool:
        """True if what the ruling denies is the deny's own, not what it denies below the allows only."""
        if not owner.closes:
            return True
        return self._canon.form(self._rulings.every[position].blocks) <= self._canon.form(owner.decides)

    @cached_property
    def closing_form(self) -> Form:
        """The form of what is denied by default."""
        return self._canon.form(self._expected.closing) if self._quick else frozenset()

    @cached_property
    def is_closed(self) -> bool:
        """True if what is denied by default is what rulings of no rule deny."""
        rest = [
            block
            for position in self._rulings.of(Outcome.DENY)
            if self._owner[position] is None and not self._is_vague(self._rulings.every[position])
            for block in self._rulings.every[position].blocks
        ]
        return self._quick and self.closing_form <= self._canon.form(rest)

    @cached_property
    def loose_index(self) -> BlockIndex:
        """An index of what the loose denies must deny, in their order."""
        return BlockIndex([deny.decides for deny in self.loose_denies])

    @cached_property
    def _first_allow(self) -> int:
        """Where the first ruling stands that allows, those apart with which the configuration must begin."""
        opening = self._canon.form(b for ruling in self._expected.opening for b in ruling.blocks)
        for position in self._rulings.of(Outcome.ALLOW):
            ruling = self._rulings.every[position]
            if self._is_vague(ruling) or not self._canon.form(ruling.blocks) <= opening:
                return position
        return len(self._rulings.every)

    @cached_property
    def _last_allow(self) -> int:
        return max((p for each in self._expected.allows for p in self._positions[each.rule]), default=-1)

    @cached_property
    def _all_allows_said(self) -> bool:
        return all(self._said[each.rule] for each in self._expected.allows)

    def _is_early(self, each: RuleBlocks) -> bool:
        if not self._said[each.rule]:
            return False
        positions = [p for p in self._positions[each.rule] if p < self._first_allow]
        if len(positions) == len(self._positions[each.rule]):
            return True
        early = [block for p in positions for block in self._rulings.every[p].blocks]
        return self._canon.form(each.decides) <= self._canon.form(early)

    @staticmethod
    def _is_vague(ruling: Ruling) -> bool:
        return bool(ruling.doubt or ruling.but)

    def _is_said(self, each: RuleBlocks) -> bool:
        own = [self._rulings.every[p] for p in self._positions[each.rule]]
        if not own:
            return not each.decides and not each.closes
        if any(self._is_vague(ruling) or ruling.outcome is Outcome.LEFT for ruling in own):
            return False
        allows = [block for ruling in own if ruling.outcome is Outcome.ALLOW for block in ruling.blocks]
        denies = [block for ruling in own if ruling.outcome is Outcome.DENY for block in ruling.blocks]
        if each.rule.is_deny:
            return not allows and self._same((*each.decides, *each.closes), denies)
        if not denies:
            return not each.closes and self._same(each.decides, allows)
        return self._same_with_denies(each, own, denies)

    def _same(self, one: Sequence[Block], other: Sequence[Block]) -> bool:
        if self._canon.form(one) == self._canon.form(other):
            return True
        return _within(one, other) and _within(other, one)

    def _same_with_denies(self, each: RuleBlocks, own: Sequence[Ruling], denies: Sequence[Block]) -> bool:
        """The same for an allow that is said with denies above some of its rulings."""
        if not _within(denies, (*each.closes, *self._expected.closing)) or not _within(each.closes, denies):
            return False
        before: list[Block] = []
        index: BlockIndex | None = None
        let_through: list[Box] = []
        for ruling in own:
            if ruling.outcome is Outcome.DENY:
                before.extend(ruling.blocks)
                index = None
                continue
            index = index or BlockIndex([before])
            some = _boxes(ruling.blocks)
            if uncovered(some, (), (index, BlockIndex([each.decides]))) is not None:
                return False
            let_through.extend(some)
        if uncovered(_boxes(each.decides), let_through, (BlockIndex([()]),)) is not None:
            return False
        # Nothing that the rule lets through may be denied first.
        decided = BlockIndex([each.decides])
        passed: list[Block] = []
        for ruling in own:
            if ruling.outcome is Outcome.ALLOW:
                passed.extend(ruling.blocks)
            elif decided.first_inside(_boxes(ruling.blocks), _boxes(passed), ()) is not None:
                return False
        return True


def _boxes(blocks: Sequence[Block]) -> list[Box]:
    return [box for block in blocks for box in block.boxes()]


def _within(one: Sequence[Block], other: Sequence[Block]) -> bool:
    """True if every flow of the first blocks is in the second."""
    return uncovered(_boxes(one), (), (BlockIndex([other]),)) is None
