"""Why a question has no one answer: what was left open, and what the answer is for each way to close it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet, union_of
from egressc.anything import Anything
from egressc.flows import Choice, addresses_of, opaque_tags
from egressc.flows_search import witness
from egressc.policy import HostEndpoint
from egressc.question_answer import Verdict, decide, inspections
from egressc.services import PortSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from egressc.flows import Box
    from egressc.hosts import HostPattern
    from egressc.policy import Endpoint
    from egressc.question import Question
    from egressc.rule_index import RuleIndex
    from egressc.site import BoundRule

_MOST = 64
"""So many ways to close what is open are tried; more would tell nobody more."""


@dataclass(frozen=True, slots=True)
class Case:
    """One way to close what is open, in words, and the answer then."""

    text: str
    answer: str


@dataclass(frozen=True, slots=True)
class Open:
    """Something that the question leaves open. ``what`` is one word; ``sentence`` says it, ``help`` how to close it."""

    what: str
    sentence: str
    help: str
    cases: tuple[Case, ...]


_Cases = list[tuple[str, "Sequence[Box]"]]


def left_open(index: RuleIndex, question: Question, rules: Sequence[BoundRule]) -> tuple[Open, ...]:
    """What the verdict depends on; ``rules`` are those that match some of the flows."""
    return _depends(index, question, rules, lambda some: decide(index, some).verdict.value)


def inspection_open(index: RuleIndex, question: Question, rules: Sequence[BoundRule]) -> tuple[Open, ...]:
    """What the inspection depends on, where all flows are allowed."""

    def answer(some: Sequence[Box]) -> str:
        only = inspections(index, some, decide(index, some)).only
        return Verdict.UNKNOWN.value if only is None else only.value

    return _depends(index, question, rules, answer)


def _depends(
    index: RuleIndex, question: Question, rules: Sequence[BoundRule], answer: Callable[[Sequence[Box]], str]
) -> tuple[Open, ...]:
    found: list[Open] = []
    others: list[Open] = []
    for what, sentence, help_, cases in _dimensions(index, question, rules):
        known = [Case(text, answer(some)) for text, some in cases[:_MOST] if witness(some, ()) is not None]
        if len(known) < 2:
            continue
        each = Open(what, sentence, help_, tuple(known))
        (found if len({case.answer for case in known}) > 1 else others).append(each)
    # Two things that matter only together show in no one of them.
    return tuple(found or others)


def _dimensions(
    index: RuleIndex, question: Question, rules: Sequence[BoundRule]
) -> Iterator[tuple[str, str, str, _Cases]]:
    who, to = question.who, question.to
    if len(who.senders) > 1:
        cases: _Cases = [(sender.group, question.of_sender(sender).boxes()) for sender in who.senders]
        yield "group", "the groups differ", "ask about one of them", cases
    if question.accounts.negated:
        reaches = [rule.reach.accounts for rule in rules if not isinstance(rule.reach.accounts, Anything)]
        names = frozenset(name for accounts in reaches for name in accounts)
        cases = [(f"as {name}", question.of_accounts(Choice(frozenset((name,)))).boxes()) for name in sorted(names)]
        cases.append(("as any other account", question.of_accounts(Choice(names, negated=True)).boxes()))
        yield "account", "no account is given, and rules are for accounts", "write `GROUP:ACCOUNT`", cases
    every = [endpoint for rule in rules for endpoint in (*rule.endpoints, *rule.exceptions)]
    yield from _addresses(index, question, every)
    if to.pattern is not None and to.path is None:
        paths = sorted({e.path for e in every if isinstance(e, HostEndpoint) and e.path is not None})
        cases = [(f"{path} and below", replace(question, below=path).boxes()) for path in paths]
        cases.append(("any other path", replace(question, to=replace(to, path="/")).boxes()))
        help_ = "write `https://HOST/PATH` or `http://HOST/PATH`"
        yield "path", "no path is given, and rules are for paths", help_, cases
    if to.pattern is not None and not to.pattern.is_exact:
        patterns = dict.fromkeys(e.pattern for e in every if isinstance(e, HostEndpoint))
        cases = [(pattern.text, _both(question, pattern)) for pattern in patterns]
        cases.append(("any other name", _other_names(question, list(patterns))))
        yield "host", "the names differ", "ask about one host", cases
    if to.ports.size > 1:
        yield "port", "the ports differ", "ask about one port", list(_ports(question, rules))


def _addresses(
    index: RuleIndex, question: Question, every: Sequence[Endpoint]
) -> Iterator[tuple[str, str, str, _Cases]]:
    to = question.to
    named: dict[AddressSet, str] = {}
    cases: _Cases
    for endpoint in every:
        held = None if isinstance(endpoint, HostEndpoint) else addresses_of(endpoint, index.tags)
        if held is not None and held is not ALL:
            both = held if to.addresses is ALL else held.intersection(to.addresses)
            named.setdefault(both, f"at {endpoint.text}")
    if to.addresses.size > 1:
        cases = [(text, question.at(addresses).boxes()) for addresses, text in named.items()]
        cases.append(("at any other address", question.at(to.addresses.difference(union_of(named))).boxes()))
        sentence, help_ = "the addresses differ", "ask about one address"
        if to.pattern is not None and to.is_open:
            sentence = "the name may resolve to any address, and rules are for addresses"
            help_ = "give the address that it resolves to with `--at ADDRESS`"
        yield "address", sentence, help_, cases
    for tag in sorted(opaque_tags(tuple(every), index.tags)):
        one = frozenset((tag,))
        some = question.boxes()
        cases = [
            (f"under service-tag {tag}", [replace(box, tags=box.tags | one) for box in some if tag not in box.no_tags]),
            (f"not under service-tag {tag}", [replace(box, no_tags=box.no_tags | one) for box in some]),
        ]
        text = f"which addresses Azure publishes under `service-tag {tag}` is not known here"
        yield "service-tag", text, "name Azure's file in the inventory (`service-tags`)", cases


def _both(question: Question, pattern: HostPattern) -> Sequence[Box]:
    """The flows to names of another pattern, too."""
    extra = ((pattern, None),)
    return [replace(box, inside=(*box.inside, *extra)) for box in question.boxes()]


def _other_names(question: Question, patterns: Sequence[HostPattern]) -> Sequence[Box]:
    out = tuple((pattern, None) for pattern in patterns)
    return [replace(box, outside=(*box.outside, *out)) for box in question.boxes()]


def _ports(question: Question, rules: Sequence[BoundRule]) -> Iterator[tuple[str, Sequence[Box]]]:
    left = question.to.ports
    for rule in rules:
        for service in rule.services:
            own = PortSet.of((service,)).intersection(left)
            if not own.is_empty:
                yield f"on {service.text}", question.on(own).boxes()
                left = left.difference(own)
    if not left.is_empty:
        yield "on any other port", question.on(left).boxes()
