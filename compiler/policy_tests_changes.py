"""Runs `changes:` of a policy test: what is decided otherwise than at a revision lies within what may change."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from egressc.addresses import ALL
from egressc.anything import Anything
from egressc.diagnostics import Diagnostic, Related
from egressc.diff_accounts import account_changes
from egressc.diff_sides import both_sides
from egressc.flows import EVERY, Box, Choice, boxes
from egressc.flows_index import uncovered
from egressc.flows_search import witness
from egressc.policy import Inspection
from egressc.policy_tests import Kind, Outcome, Result, Side
from egressc.policy_tests_load import diagnostic_of
from egressc.policy_tests_run import targets_of
from egressc.problems import Problem
from egressc.question import Question, Sender, Who, readable
from egressc.reach import BOTH_FAMILIES
from egressc.services import PortSet, Service, parse_service
from egressc.source import Span
from egressc.words import AddressWord, AnyAddressWord, HostWord, endpoint_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.diff_sides import Side as OneSide
    from egressc.diff_sides import Sides, Told
    from egressc.flows import Flow, Test
    from egressc.policy_tests import Changes, Expectation
    from egressc.policy_tests_run import Subject
    from egressc.review import Change


@dataclass(frozen=True, slots=True)
class _Otherwise:
    """A flow that is decided otherwise, and the rules that are responsible, with what they do."""

    flow: Flow
    rules: tuple[tuple[Told, str], ...]
    note: str = ""


_SHOWN = 5
"""So many flows that changed unannounced are told."""

_TITLES = {
    Side.ALLOWS: ("newly allowed", "nothing else may be newly allowed"),
    Side.REMOVES: ("no longer allowed", "nothing else may cease to be allowed"),
    Side.INSPECTION: ("inspected otherwise", "the inspection of nothing else may change"),
}


def run_changes(changes: Changes, old: Subject, new: Subject) -> tuple[Outcome, ...]:
    """What comes of each expectation on changes since the old subject."""
    compared = _Compared(old, new)
    return tuple([_run(compared, changes, *each) for each in changes.sides])


def _run(compared: _Compared, changes: Changes, side: Side, span: Span, items: Sequence[Expectation]) -> Outcome:
    name = f"changes since {changes.since.value}: {side.value}"
    problems: list[Diagnostic] = []
    allowed = [box for item in items for box in compared.boxes_of(item, problems)]
    if problems:
        return Outcome(name, Kind.CHANGES, span, Result.ERROR, tuple(problems))
    what, label = _TITLES[side]
    told = tuple(
        [
            Diagnostic(
                code="E0913",
                message=f"{what} since `{changes.since.value}`, and not listed: {compared.text_of(found.flow)}",
                span=span,
                label=label,
                help=found.note,
                related=compared.places(found, str(changes.since.value)),
            )
            for found in islice(compared.beyond(side, allowed), _SHOWN)
        ]
    )
    return Outcome(name, Kind.CHANGES, span, Result.FAILED if told else Result.PASSED, told)


class _Compared:
    """Both sides in the same words, asked for flows that are decided otherwise and are not among some boxes."""

    def __init__(self, old: Subject, new: Subject) -> None:
        self._subjects = (old, new)
        self._sides: Sides = both_sides(old.prepared, new.prepared)

    def boxes_of(self, item: Expectation, problems: list[Diagnostic]) -> list[Box]:
        """The flows of an item; what is wrong with it goes to ``problems``."""
        groups = self._groups(item, problems)
        accounts = self._accounts(item, problems)
        targets = targets_of(self._subjects[1], item, problems)
        found = []
        for to, _ in targets:
            # Whatever name is asked for: a change of a rule for addresses is one for every name.
            question = Question(_NOBODY, replace(to, any_name=True), accounts)
            found.append(replace(question.box(_NOBODY.senders[0]), groups=groups, families=BOTH_FAMILIES))
        return found

    def _groups(self, item: Expectation, problems: list[Diagnostic]) -> Choice:
        if item.senders is None:
            return EVERY
        parties: set[str] = set()
        for node in item.senders:
            found = self._parties_of(str(node.value))
            if isinstance(found, Problem):
                problems.append(diagnostic_of(found, node))
            else:
                parties |= found
        return Choice(frozenset(parties))

    def _parties_of(self, name: str) -> frozenset[str] | Problem:
        """The parties that are in a group, or union, of either side."""
        group = re.split("[@:]", name, maxsplit=1)[0]
        if group != name:
            help_ = f"write `{group}`; an account stands under `as`"
            return Problem("E0903", "a change is of whole groups", "more than a group", help_, len(group), len(name))
        known = [subject.parties.leaves(name) for subject in self._subjects]
        if isinstance(known[0], Problem) and isinstance(known[1], Problem):
            return known[1]
        return frozenset(
            party
            for side, leaves in enumerate(known)
            if not isinstance(leaves, Problem)
            for leaf in leaves
            for party in self._sides.parties.of(leaf.name, side)
        )

    def _accounts(self, item: Expectation, problems: list[Diagnostic]) -> Choice:
        if item.accounts is None:
            return EVERY
        names = set()
        for node in item.accounts:
            name = str(node.value)
            known = [subject.parties.account_problem(name) for subject in self._subjects]
            if known[0] is not None and known[1] is not None:
                problems.append(diagnostic_of(known[1], node))
            # In the words of the new side.
            names.add(self._sides.renamed_accounts.get(name, name) if known[1] is not None else name)
        return Choice(frozenset(names))

    def beyond(self, side: Side, allowed: Sequence[Box]) -> Iterator[_Otherwise]:
        """What is decided otherwise and is in none of the boxes."""
        old, new = self._sides.old, self._sides.new
        match side:
            case Side.ALLOWS:
                yield from _newly(old, new, allowed, ("this allow is new", "this deny is gone", "this allow decides"))
                yield from self._of_accounts(0, allowed)
            case Side.REMOVES:
                yield from _newly(new, old, allowed, ("this allow is gone", "this deny is new", "this allow decided"))
                yield from self._of_accounts(1, allowed)
            case Side.INSPECTION:
                yield from _inspected(old, new, allowed)
                yield from self._of_accounts(2, allowed)

    @cached_property
    def _account_changes(self) -> tuple[tuple[Change, ...], ...]:
        return account_changes(self._sides, ())

    def _of_accounts(self, which: int, allowed: Sequence[Box]) -> Iterator[_Otherwise]:
        """What processes newly may, may no longer, or do inspected otherwise: an account is bound otherwise."""
        for change in self._account_changes[which]:
            box = self._box_of(change)
            if box is None or witness((box,), allowed) is not None:
                yield _Otherwise(change.example, (), "; ".join(change.notes))

    def _box_of(self, change: Change) -> Box | None:
        """What a change is about at most; ``None`` if its words do not say."""
        groups = EVERY
        if not isinstance(change.groups, Anything):
            every = [self._parties_of(name) for name in change.groups]
            groups = Choice(frozenset().union(*(some for some in every if not isinstance(some, Problem))))
            if not groups.names or any(isinstance(some, Problem) for some in every):
                return None
        accounts = EVERY if isinstance(change.accounts, Anything) else Choice(frozenset(change.accounts))
        services = [parse_service(word) for word in change.ports.split()]
        ports = PortSet.of([each for each in services if isinstance(each, Service)])
        addresses = ALL
        inside: tuple[Test, ...] = ()
        if change.endpoint:
            match endpoint_word(change.endpoint):
                case HostWord(pattern, path):
                    inside = ((pattern, path),)
                case AddressWord(held):
                    addresses = held
                case AnyAddressWord():
                    pass
                case _:
                    return Box(groups, BOTH_FAMILIES, accounts, ports, ALL)
        return Box(groups, BOTH_FAMILIES, accounts, ports, addresses, inside)

    def places(self, found: _Otherwise, since: str) -> tuple[Related, ...]:
        """Where the rules stand that are responsible; those of the old side as git writes it: ``main:p.egress``."""
        places = []
        for told, text in found.rules:
            span = told.rule.rule.span
            if told in self._sides.old.known:
                span = Span(
                    replace(span.source, shown=f"{since.removesuffix('...')}:{span.source.shown}"), span.start, span.end
                )
            places.append(Related(span=span, text=text))
        return tuple(places)

    def text_of(self, flow: Flow) -> str:
        """The flow with the groups that people know."""
        party = self._sides.parties.by_name.get(flow.group or "")
        if party is not None:
            name = min(party.new or party.old, default=None)
            source = "" if party.addresses is None else party.addresses.first()
            flow = replace(flow, group=name, source=source)
        text = readable(flow).text
        return f"{flow.source} of {text}" if flow.group is not None and flow.source else text


_NOBODY = Who("", (Sender(""),))
"""Stands in for the senders of an item, who are parties of both sides."""

_Said = tuple[str, str, str]


def _newly(before: OneSide, after: OneSide, allowed: Sequence[Box], said: _Said) -> Iterator[_Otherwise]:
    """Flows that ``after`` allows and ``before`` does not: one for each rule that is to blame.

    Either no allow of the side before had it, or one had it and a deny that is gone took it away.
    """
    for rule in after.allow_rules:
        if rule.key in before.keys:
            continue
        flow = uncovered(boxes(rule.reach, after.tags), allowed, (after.denies, before.allows))
        if flow is not None:
            yield _Otherwise(flow, ((rule, said[0]),))
    for deny in before.deny_rules:
        if deny.key in after.keys:
            continue
        found = after.allows.first_inside(before.boxes(deny.reach), allowed, (after.denies,))
        if found is not None:
            yield _Otherwise(found[0], ((deny, said[1]), (after.allow_rules[found[1]], said[2])))


def _inspected(old: OneSide, new: OneSide, allowed: Sequence[Box]) -> Iterator[_Otherwise]:
    """Flows that both sides allow, and of which only one says that they must, or must not, be inspected."""
    for said in (Inspection.MUST_NOT, Inspection.MUST):
        for mine, other, when in ((old, new, "said"), (new, old, "says")):
            known = {reach for _, reach in other.tls_rules(said)}
            theirs = other.exempt if said is Inspection.MUST_NOT else other.demanded
            for rule, reach in mine.tls_rules(said):
                if reach in known:
                    continue
                found = other.allows.first_inside(mine.boxes(reach), allowed, (theirs, mine.denies, other.denies))
                if found is not None:
                    yield _Otherwise(found[0], ((rule, f"this allow {when} `{said.value}`"),))
