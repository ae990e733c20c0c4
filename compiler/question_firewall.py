"""What one firewall does with the flows of a question, read from its own artefact, and why that differs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any

from egressc.addresses import ALL, AddressSet, union_of
from egressc.flows import EVERY, NO_TAGS, Box, Choice
from egressc.flows_index import BlockIndex
from egressc.flows_search import difference, in_both, witness
from egressc.meaning import Block, Handling, Outcome, Ruling
from egressc.proof_question import boxes_of
from egressc.proof_rulings import DEFAULT
from egressc.proof_sight import merged_processes
from egressc.proof_trees import Trees, processes_of
from egressc.question import NO_NAME
from egressc.reach import BOTH_FAMILIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.flows import Flow, Processes
    from egressc.lowering import Lowering
    from egressc.policy import Account
    from egressc.question import Question, Sender
    from egressc.site import Site
    from egressc.targets.protocol import Target


class Ruled(StrEnum):
    """What an artefact does with a set of flows; ``UNDECIDED`` leaves them to what else stands on the device."""

    ALLOW = "allow"
    DENY = "deny"
    UNDECIDED = "undecided"
    UNKNOWN = "unknown"


class Opened(StrEnum):
    """Whether a device opens the TLS of a set of flows."""

    INSPECTED = "inspected"
    MAYBE = "may-be-inspected"
    NOT_INSPECTED = "not-inspected"
    UNKNOWN = "unknown"


_NAMED = 4
"""So many of the rulings that know a name by its address are looked for."""

_OF = {Outcome.ALLOW: Ruled.ALLOW, Outcome.DENY: Ruled.DENY, Outcome.LEFT: Ruled.UNDECIDED}


@dataclass(frozen=True, slots=True)
class Step:
    """A ruling that decides some of the flows, in the order of the artefact, with one of them."""

    ruling: Ruling
    flow: Flow


@dataclass(frozen=True, slots=True)
class Decided:
    """What an artefact does with the flows. ``steps`` are the rulings that decide some of them, in their order.

    ``left`` is a flow that no ruling decides. ``why`` says why the verdict is unknown. ``by_address`` are the rulings
    that let the flows through if an allowed name has the same address (a firewall that knows names by address).
    """

    verdict: Ruled
    steps: tuple[Step, ...]
    left: Flow | None
    why: str = ""
    by_address: tuple[Ruling, ...] = ()
    opened: Opened | None = None
    opener: str = ""


class Enforcement:
    """One artefact, asked about flows. Works out once what it can of the configuration."""

    def __init__(
        self, site: Site[Any], target: Target[Any, Any], lowering: Lowering[Any], accounts: Sequence[Account]
    ) -> None:
        """Raises ``UnreadableError`` if the target cannot read its own artefact."""
        assert target.read is not None, f"nothing reads the artefacts of {target.name}"
        files = [each for each in target.render(lowering.model) if each.name not in target.derived]
        meaning = target.read(site, files)
        whom = {account.name: target.processes(account) for account in accounts}
        trees = Trees([*(p for some in whom.values() for p in some), *processes_of(meaning)])
        self._whom = {name: tuple([trees.processes(p) for p in some]) for name, some in whom.items()}
        self._meaning = trees.meaning(meaning)
        self._per_group = target.per_group(site.settings)
        self._sees_accounts = target.sees_accounts(site.settings)
        self._groups = {group.name: group for group in site.groups}
        rulings = list(self._meaning.rulings)
        self._internal = site.internal
        if self._meaning.default is not Outcome.LEFT and site.closing_deny:
            everything = site.internal.is_empty or lowering.internal is Outcome.DENY
            outside = ALL if everything else ALL.difference(site.internal)
            rulings.append(Ruling(DEFAULT, self._meaning.default, (Block(addresses=outside),)))
        self._rulings = rulings
        self._index = BlockIndex([ruling.blocks for ruling in rulings])
        self._opens = BlockIndex([each.blocks for each in self._meaning.inspections])

    def boxes(self, question: Question, sender: Sender, *, shared: bool) -> tuple[Box, ...]:
        """The flows of one sender as the enforcement point sees them; none if it cannot tell the account at all.

        With ``shared`` their addresses may also be those of other names. A name of which nobody says where it resolves
        to is taken to be outside of the house (inventory.md, *Egress means out of the house*).
        """
        to = question.to
        addresses = ALL.difference(self._internal) if to.is_open else to.addresses
        whom: tuple[Processes, ...] = ((),)
        if question.who.account is not None and self._sees_accounts:
            whom = merged_processes(list(self._whom.get(question.who.account, ())))
        return tuple(
            [
                Box(
                    objects,
                    BOTH_FAMILIES,
                    EVERY,
                    to.ports,
                    addresses,
                    question.inside(),
                    question.outside(),
                    (),
                    () if shared else tuple(pattern for pattern, _ in NO_NAME),
                    NO_TAGS,
                    to.no_tags,
                    sources,
                    processes,
                )
                for sources, objects in (self._seen(sender),)
                for processes in whom
            ]
        )

    def _seen(self, sender: Sender) -> tuple[AddressSet, Choice]:
        """How the enforcement point knows a sender: its addresses, and the object of the device that it is in.

        No two groups of one firewall share an address (inventory.md), so it is in no other group's networks or object.
        """
        if self._per_group:
            return ALL, EVERY
        own = self._groups[sender.group]
        others = [group for group in self._groups.values() if group.name != sender.group]
        sources = sender.sources
        if sources is ALL:
            known = [g.addresses for g in others if g.object_name is None and isinstance(g.addresses, AddressSet)]
            sources = ALL.difference(union_of(known)) if known else ALL
        if own.object_name is not None:
            return sources, Choice(frozenset((own.object_name,)))
        return sources, Choice(frozenset(g.object_name for g in others if g.object_name is not None), negated=True)

    def decide(self, question: Question, sender: Sender) -> Decided:
        """What the artefact does with the flows of one sender."""
        some = self.boxes(question, sender, shared=False)
        if witness(some, ()) is None:
            return Decided(Ruled.UNKNOWN, (), None, "it has no name for such an account")
        steps, left, doubt = self._go(some)
        verdict, why = _verdict(steps, left, doubt)
        by_address: tuple[Ruling, ...] = ()
        if verdict in {Ruled.DENY, Ruled.UNDECIDED}:
            by_address = tuple(islice(self._by_address(self.boxes(question, sender, shared=True)), _NAMED))
        opened, opener = self._opened(some) if verdict is Ruled.ALLOW else (None, "")
        return Decided(verdict, steps, left, why, by_address, opened, opener)

    def _by_address(self, some: Sequence[Box]) -> Iterator[Ruling]:
        """The rulings that let some of the flows through because another name has their address."""
        for number in self._index.meeting_boxes(some):
            ruling = self._rulings[number]
            held = self._held(number)
            if ruling.outcome is Outcome.ALLOW:
                if witness(in_both(some, held), ()) is not None:
                    yield ruling
            elif not ruling.doubt:
                some = difference(some, held)
                if not some:
                    return

    def _held(self, number: int) -> Sequence[Box]:
        held = self._index.boxes_of(number)
        but = self._rulings[number].but
        return difference(held, boxes_of(but)) if but else held

    def _go(self, some: Sequence[Box]) -> tuple[tuple[Step, ...], Flow | None, str]:
        """The rulings that decide some of the flows, a flow that none does, and why one may match less."""
        steps: list[Step] = []
        doubt = ""
        for number in self._index.meeting_boxes(some):
            ruling = self._rulings[number]
            held = self._held(number)
            flow = witness(in_both(some, held), ())
            if flow is None:
                continue
            steps.append(Step(ruling, flow))
            if ruling.doubt:
                doubt = doubt or ruling.doubt
                continue
            some = difference(some, held)
            if not some:
                return tuple(steps), None, doubt
        return tuple(steps), witness(some, ()), doubt

    def _opened(self, some: Sequence[Box]) -> tuple[Opened, str]:
        """Whether the device opens their TLS, and the rule that says so."""
        found: list[tuple[Opened, str]] = []
        for number in self._opens.meeting_boxes(some):
            ruling = self._meaning.inspections[number]
            held = self._opens.boxes_of(number)
            if witness(in_both(some, held), ()) is None:
                continue
            what = Opened.NOT_INSPECTED if ruling.handling is Handling.EXEMPT else Opened.INSPECTED
            if ruling.doubt and what is Opened.NOT_INSPECTED:
                what = Opened.UNKNOWN
            elif ruling.doubt or (what is Opened.INSPECTED and not ruling.sure):
                what = Opened.MAYBE
            found.append((what, ruling.name))
            if what is not Opened.UNKNOWN:
                # What may be inspected is not inspected otherwise: nothing behind it says more.
                some = difference(some, held)
        if witness(some, ()) is not None:
            found.append((Opened.NOT_INSPECTED, ""))
        kinds = {what for what, _ in found}
        return found[0] if len(kinds) == 1 else (Opened.UNKNOWN, found[0][1] if found else "")


def _verdict(steps: Sequence[Step], left: Flow | None, doubt: str) -> tuple[Ruled, str]:
    outcomes = {_OF[step.ruling.outcome] for step in steps}
    if left is not None:
        outcomes.add(Ruled.UNDECIDED)
    if len(outcomes) == 1:
        return outcomes.pop(), ""
    if doubt:
        return Ruled.UNKNOWN, f"whether a rule matches is not known: {doubt}"
    return Ruled.UNKNOWN, "it does not do the same with all of these flows"
