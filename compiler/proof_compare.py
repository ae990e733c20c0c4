"""What a configuration decides against what it must: every flow that is decided otherwise belongs to a deviation.

With O, D, A, K, C, L the flows that must be let through first, denied, allowed, denied below the allows, denied by
default, and left open below the allows, a configuration is right if

- no ruling that allows takes a flow outside O, A and L, or one of D;
- no ruling that denies takes a flow of A less D, of O or L, or one outside D, K and C;
- no ruling that leaves takes a flow that must be decided;
- rulings that allow hold O, A less D, and L; rulings that deny hold D, and K and C less A;

each looked at behind the rulings that stand before it. Rules whose rulings hold exactly what they must hold, which is
nearly all, are found by their form; only the others are searched.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from egressc.addresses import ALL
from egressc.flows import EVERY, Box
from egressc.flows_index import BlockIndex, uncovered
from egressc.flows_index_left import Remaining
from egressc.flows_search import in_both, witness
from egressc.meaning import Outcome
from egressc.proof_canon import INSIDE, Canon
from egressc.proof_pairs import Pairs
from egressc.proof_question import Deviation, Kind, Question, boxes_of, doubted
from egressc.proof_rulings import DEFAULT
from egressc.reach import BOTH_FAMILIES
from egressc.services import ALL_PORTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from egressc.addresses import AddressSet
    from egressc.flows import Choice, Flow
    from egressc.flows_index import Prefix
    from egressc.meaning import Block, Ruling
    from egressc.proof_expected import Expected, RuleBlocks
    from egressc.proof_rulings import Rulings
    from egressc.site import BoundRule


class Comparison:
    """Compares one site. With ``quick`` off no pairing by name and form is relied on; the answers are the same."""

    def __init__(self, expected: Expected, rulings: Rulings, *, governed_only: bool, quick: bool = True) -> None:
        self.expected = expected
        self.rulings = rulings
        self.canon = Canon()
        self.pairs = Pairs(expected, rulings, self.canon, quick=quick)
        self._live = governed_only
        self._universe = self._governed() if governed_only else ()
        self._remaining: dict[object, tuple[int, Remaining | None]] = {}
        self.opening = boxes_of(b for ruling in expected.opening for b in ruling.blocks)
        self.left_open = boxes_of(expected.left_open)
        self.allow_rules = tuple([each for each in expected.allows if each.decides])
        self.deny_rules = tuple([each for each in expected.denies if each.decides])

    @cached_property
    def _opening_blocks(self) -> tuple[Block, ...]:
        return tuple([block for ruling in self.expected.opening for block in ruling.blocks])

    @cached_property
    def allows(self) -> BlockIndex:
        """What the allows must let through, by the number of the rule."""
        return BlockIndex([each.decides for each in self.allow_rules])

    @cached_property
    def denies(self) -> BlockIndex:
        """What the denies must deny, by the number of the rule."""
        return BlockIndex([each.decides for each in self.deny_rules])

    @cached_property
    def _addressed_denies(self) -> BlockIndex:
        return _addressed(self.deny_rules)

    @cached_property
    def _addressed_allows(self) -> BlockIndex:
        return _addressed(self.allow_rules)

    @cached_property
    def closes(self) -> BlockIndex:
        """What must be denied below the allows."""
        return BlockIndex([*(each.closes for each in self.expected.rules if each.closes), self.expected.closing])

    @cached_property
    def below(self) -> BlockIndex:
        """What must be left open below the allows."""
        return BlockIndex([self.expected.left_open])

    @cached_property
    def first(self) -> BlockIndex:
        """What must be let through first."""
        return BlockIndex([ruling.blocks for ruling in self.expected.opening])

    def deviations(self) -> Iterator[Deviation]:
        """Everything that is decided otherwise, at least one deviation for each ruling and rule that is at fault."""
        told: set[tuple[object, ...]] = set()
        for each in self._every():
            # The doubt about one live rule may show in several ways.
            key = (each.rule, each.ruling)
            if each.kind is not Kind.UNKNOWN or key not in told:
                told.add(key)
                yield each

    def _every(self) -> Iterator[Deviation]:
        for position, ruling in enumerate(self.rulings.every):
            match ruling.outcome:
                case Outcome.ALLOW:
                    yield from self._allowing(position)
                case Outcome.DENY:
                    yield from self._denying(position, ruling)
                case Outcome.LEFT:
                    yield from self._leaving(position, ruling)
        yield from self._missing_allows()
        yield from self._missing_denies()

    def found(
        self,
        some: Sequence[Box],
        minus: Sequence[Box] = (),
        without: Sequence[BlockIndex | Prefix] = (),
        inside: BlockIndex | Remaining | None = None,
    ) -> tuple[Flow, int] | None:
        """A flow of the boxes that is in an entry of ``inside`` (any, if left out), with its number; exact.

        It is in none of ``minus`` and in no entry of the indexes ``without``. It is a flow that counts: no loopback or
        multicast, and not by name alone to an internal address.
        """
        minus = (*minus, *self._impossible)
        if self._universe:
            some = in_both(some, self._universe)
        if self._first(some, minus, without, inside) is None:
            return None
        answer = self._first(_at(some, self._outside), minus, without, inside)
        if answer is not None or self.expected.internal.is_empty:
            return answer
        # Inside the house a flow counts if a rule names its address, or if none names the host either.
        within = _at(some, self._within)
        addressed = [
            box for number in self.by_address.meeting_boxes(within) for box in self.by_address.boxes_of(number)
        ]
        answer = self._first(in_both(within, addressed), minus, without, inside)
        return answer or self._first(within, minus, (*without, self.by_address, self.by_name), inside)

    @cached_property
    def _outside(self) -> AddressSet:
        """The destinations out of the house."""
        return INSIDE.difference(self.expected.internal)

    @cached_property
    def _within(self) -> AddressSet:
        """The destinations inside the house."""
        return INSIDE.intersection(self.expected.internal)

    def _counting(self, some: Sequence[Box]) -> Sequence[Box]:
        """The flows of the boxes that may count."""
        return _at(in_both(some, self._universe) if self._universe else some, INSIDE)

    @staticmethod
    def _first(
        some: Sequence[Box],
        minus: Sequence[Box],
        without: Sequence[BlockIndex | Prefix],
        inside: BlockIndex | Remaining | None,
    ) -> tuple[Flow, int] | None:
        if inside is not None:
            return inside.first_inside(some, minus, without)
        flow = uncovered(some, minus, without) if without else witness(some, minus)
        return None if flow is None else (flow, 0)

    @cached_property
    def by_address(self) -> BlockIndex:
        """What the rules say of addresses, whatever the name."""
        every = (*(each.decides for each in self.expected.rules), *(each.closes for each in self.expected.rules))
        return BlockIndex([[b] for b in (*self._opening_blocks, *chain.from_iterable(every)) if b.names is None])

    @cached_property
    def by_name(self) -> BlockIndex:
        """What the rules say of names."""
        every = (*(each.decides for each in self.expected.rules), *(each.closes for each in self.expected.rules))
        return BlockIndex([[b] for b in chain.from_iterable(every) if b.names is not None])

    @cached_property
    def _impossible(self) -> tuple[Box, ...]:
        """Flows whose source would be of two groups."""
        known = self.expected.sight.known
        return () if known is None else (_sent(*known),)

    def _is_foreign(self, position: int) -> bool:
        """True for a rule of other origin in a live configuration: it may decide what the policy leaves to it."""
        ruling = self.rulings.every[position]
        return self._live and self.pairs.owner(position) is None and ruling.name != DEFAULT

    def _governed(self) -> tuple[Box, ...]:
        senders = self.expected.sight.governed
        if any(sources is ALL and objects.negated for sources, objects in senders):
            return ()
        return tuple([_sent(sources, objects) for sources, objects in senders])

    def _allowing(self, position: int) -> Iterator[Deviation]:
        """What a ruling lets through that it must not."""
        if self.pairs.is_paired(position) and self.pairs.denies_first(position):
            return
        asked = self._asked(position, Kind.ALLOWS_MORE, Outcome.DENY, Outcome.LEFT)
        if not self.pairs.is_paired(position):
            found = False
            no_rule = "no rule of the policy allows it"
            if not self._is_foreign(position):
                for each in asked.told(
                    (*self.opening, *self.left_open), (self.allows,), None, lambda _: (None, no_rule)
                ):
                    found = True
                    yield each
            if not found and (self.left_open or self._is_foreign(position)):
                # What is left open, is so only where nothing is denied below the allows.
                yield from asked.told(self.opening, (self.allows,), self.closes, lambda _: (None, no_rule))
        if self.pairs.denies_first(position):
            return
        yield from asked.told(self.opening, (), self.pairs.loose_index, self._denied_late)

    def _denying(self, position: int, ruling: Ruling) -> Iterator[Deviation]:
        """What a ruling denies that it must not."""
        asked = self._asked(position, Kind.ALLOWS_LESS, Outcome.ALLOW, Outcome.LEFT)
        allows = self.rulings.of(Outcome.ALLOW)
        # What no ruling allows any more behind this one is missing there, and reported as that.
        if allows and allows[-1] > position and not self.pairs.allows_first(position):
            yield from asked.told((), (self.denies,), self.allows, self._allowed)
        first = "this must be let through"
        if self.opening:
            yield from asked.told((), (), self.first, lambda _: (None, first))
        if self.left_open:
            yield from asked.told((), (self.denies, self.closes), self.below, lambda _: (None, first))
        if self._is_foreign(position) or self.pairs.is_paired(position):
            return
        if self.canon.form(ruling.blocks) <= self.pairs.closing_form:
            return
        asked = self._asked(position, Kind.UNDECIDED, Outcome.ALLOW, Outcome.LEFT)
        decided = (self.denies, self.closes, self.allows, self.below, self.first)
        yield from asked.told((), decided, None, lambda _: (None, "nothing of the policy decides it here"))

    def _leaving(self, position: int, ruling: Ruling) -> Iterator[Deviation]:
        """What a ruling leaves to others although it must be decided."""
        less = self._asked(position, Kind.ALLOWS_LESS, Outcome.ALLOW, Outcome.DENY)
        more = self._asked(position, Kind.ALLOWS_MORE, Outcome.ALLOW, Outcome.DENY)
        denies, allows = self.denies, self.allows
        if all(self.expected.internal.contains(block.addresses) for block in ruling.blocks):
            # There only what rules say of addresses counts, and looking at their names would take long.
            denies, allows = self._addressed_denies, self._addressed_allows
        left = "it is left to others, and"
        must = (None, f"{left} it must be decided here")
        yield from less.told((), (), self.first, lambda _: must)
        yield from more.told((), (self.first,), denies, lambda n: (self.deny_rules[n].rule, f"{left} a deny has it"))
        yield from less.told(
            (), (self.denies,), allows, lambda n: (self.allow_rules[n].rule, f"{left} an allow has it")
        )
        yield from more.told((), (self.denies, self.allows, self.first), self.closes, lambda _: must)
        yield from less.told((), (self.denies, self.allows, self.closes), self.below, lambda _: must)

    def _denied_late(self, number: int) -> tuple[BoundRule | None, str]:
        rule = self.pairs.loose_denies[number].rule
        return rule, f"`{rule.key}` denies it, and that does not come first"

    def _allowed(self, number: int) -> tuple[BoundRule | None, str]:
        rule = self.allow_rules[number].rule
        return rule, f"`{rule.key}` allows it"

    def _asked(self, position: int, kind: Kind, *before: Outcome) -> Question:
        ruling = self.rulings.every[position]
        earlier = self.rulings.before(position, *before)

        def left(inside: BlockIndex, minus: Sequence[Box], without: Sequence[BlockIndex]) -> Remaining:
            return self._left(position, before, inside, minus, without)

        perhaps = [self.rulings.perhaps(outcome) for outcome in before]
        return Question(ruling, kind, self.found, left, earlier, perhaps, position)

    def _left(
        self,
        position: int,
        before: Sequence[Outcome],
        inside: BlockIndex,
        minus: Sequence[Box],
        without: Sequence[BlockIndex],
    ) -> Remaining:
        """What is left of an index; kept for the later positions, where more rulings stand before."""
        key = (tuple(before), inside, tuple(minus), tuple(without))
        last, found = self._remaining.get(key, (position, None))
        if found is None or position < last:
            found = Remaining(inside, self._counting)
        self._remaining[key] = position, found
        return found

    def _missing_allows(self) -> Iterator[Deviation]:
        """What no ruling allows although it must be let through."""
        for each in self.allow_rules:
            if not self.pairs.is_said(each):
                yield from self._missing(each, boxes_of(each.decides), (self.denies,), Outcome.ALLOW)
        no_rule = "no rule lets it through"
        yield from self._open(self.opening, (), no_rule, None, Outcome.ALLOW)
        yield from self._open(self.left_open, (self.denies, self.closes), no_rule, None, Outcome.ALLOW)

    def _missing_denies(self) -> Iterator[Deviation]:
        """What no ruling denies although it must be denied."""
        lacking: tuple[BlockIndex, ...]
        for each in self.expected.rules:
            if self.pairs.is_said(each):
                continue
            if each.rule.is_deny and each.decides:
                yield from self._missing(each, boxes_of(each.decides), (self.first,), Outcome.DENY)
            if each.closes:
                lacking = (self.first, self.denies, self.allows)
                yield from self._missing(each, boxes_of(each.closes), lacking, Outcome.DENY)
        if self.expected.closing and not self.pairs.is_closed:
            lacking = (self.first, self.denies, self.allows, self.below)
            missing = "the default deny is missing"
            yield from self._open(boxes_of(self.expected.closing), lacking, missing, None, Outcome.DENY)

    def _missing(
        self, each: RuleBlocks, some: Sequence[Box], without: Sequence[BlockIndex | Prefix], outcome: Outcome
    ) -> Iterator[Deviation]:
        does = "denies" if outcome is Outcome.DENY else "allows"
        yield from self._open(some, without, f"`{each.rule.key}` {does} it, and no rule says so", each.rule, outcome)

    def _open(
        self,
        some: Sequence[Box],
        without: Sequence[BlockIndex | Prefix],
        sentence: str,
        rule: BoundRule | None,
        outcome: Outcome,
    ) -> Iterator[Deviation]:
        """The deviation of flows that no sure ruling decides as it must; unknown if doubtful ones may."""
        sure = self._let_through if outcome is Outcome.ALLOW else self.rulings.sure(outcome)
        lacking = (*without, sure)
        answer = self.found(some, (), lacking)
        if answer is None:
            return
        perhaps, end = self.rulings.perhaps(outcome), len(self.rulings.every)
        held, may = perhaps.held(end, odd=True)
        certain = self.found(some, held, (*lacking, *may)) if held or may else answer
        if certain is not None:
            kind = Kind.ALLOWS_MORE if outcome is Outcome.DENY else Kind.ALLOWS_LESS
            yield Deviation(kind, certain[0], sentence, rule)
            return
        own = () if rule is None else self.pairs.positions(rule)
        # Each of many doubts may concern each of many rules: of those that are not about the rule itself, one is told.
        for some_of, every in ((perhaps.at(own), True), (perhaps.meeting(some, end, odd=True), rule is None)):
            told = False
            for ruling, most in some_of:
                maybe = self.found(in_both(some, most), (), lacking)
                if maybe is not None:
                    told = True
                    yield Deviation(Kind.UNKNOWN, maybe[0], doubted(sentence, ruling), rule, ruling)
                    if not every:
                        break
            if told:
                return

    @cached_property
    def _let_through(self) -> BlockIndex | Prefix:
        """The rulings that surely let through; the default of the device only if something comes down to it."""
        rulings = self.rulings
        last = len(rulings.every) - 1
        if last < 0 or rulings.every[last].name != DEFAULT or rulings.every[last].outcome is not Outcome.ALLOW:
            return rulings.sure(Outcome.ALLOW)
        held = rulings.before(last, *Outcome)
        if self.found(boxes_of(rulings.every[last].blocks), (), held) is None:
            return rulings.sure(Outcome.ALLOW, last)
        return rulings.sure(Outcome.ALLOW)


def _at(some: Iterable[Box], addresses: AddressSet) -> list[Box]:
    """The boxes at these destinations."""
    return [
        replace(box, addresses=addresses if box.addresses is ALL else box.addresses.intersection(addresses))
        for box in some
    ]


def _addressed(rules: Sequence[RuleBlocks]) -> BlockIndex:
    """What rules say of addresses, by the number of the rule."""
    return BlockIndex([[block for block in each.decides if block.names is None] for each in rules])


def _sent(sources: AddressSet, objects: Choice) -> Box:
    return Box(objects, BOTH_FAMILIES, EVERY, ALL_PORTS, ALL, sources=sources)
