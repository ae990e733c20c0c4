"""Runs the expectations of a policy test: exactly, for every flow that each of them stands for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet, union_of
from egressc.diagnostics import Diagnostic, Related
from egressc.flows import EVERY, Choice, addresses_of, opaque_tags
from egressc.policy import HostEndpoint
from egressc.policy_tests import Kind, Outcome, Result
from egressc.policy_tests_load import diagnostic_of
from egressc.problems import Problem
from egressc.question import Question, To, Who, readable
from egressc.question_answer import decide, deciding, inspections
from egressc.question_near import near_misses
from egressc.question_who import Parties
from egressc.question_words import no_such_flow, parse_at, parse_to, with_address
from egressc.services import ALL_PORTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.bind import Prepared
    from egressc.flows import Flow
    from egressc.located_value import Located
    from egressc.policy_tests import Expectation
    from egressc.question_answer import Decision
    from egressc.site import BoundRule, Site

ANYTHING = To("anything", None, None, ALL, ALL_PORTS, any_name=True)
"""Every destination: what an expectation without ``to`` is about."""


@dataclass(frozen=True)
class Subject:
    """A policy that is tested. ``whole`` is the site of everything (``bind_everything``)."""

    prepared: Prepared
    whole: Site[None]

    @cached_property
    def parties(self) -> Parties:
        """The groups and accounts that there are."""
        return Parties(self.prepared, self.whole)

    @cached_property
    def unnamed(self) -> AddressSet:
        """The addresses that no rule names."""
        named = [
            held
            for rule in self.whole.rules
            for endpoint in (*rule.endpoints, *rule.exceptions)
            if not isinstance(endpoint, HostEndpoint)
            and (held := addresses_of(endpoint, self.whole.tags)) is not None
            and held is not ALL
        ]
        return ALL.difference(union_of(named)) if named else ALL

    @cached_property
    def opaque(self) -> frozenset[str]:
        """The service tags of the rules whose addresses are not known."""
        every = tuple([e for rule in self.whole.rules for e in (*rule.endpoints, *rule.exceptions)])
        return opaque_tags(every, self.whole.tags)


class Wrong(Exception):  # noqa: N818 - it is the diagnostics that matter
    """An expectation that cannot be run, and what is wrong with its words."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = tuple(diagnostics)


def questions_of(subject: Subject, expectation: Expectation) -> tuple[Question, ...]:
    """The flows that an expectation is about: one question for each destination. Raises ``Wrong``."""
    problems: list[Diagnostic] = []
    who = _who(subject, expectation, problems)
    accounts = _accounts(subject, expectation, problems)
    targets = targets_of(subject, expectation, problems)
    if problems:
        raise Wrong(problems)
    found = [(Question(who, to, accounts), node) for to, node in targets]
    for question, node in found:
        lacking = _without_address(subject, question, expectation, node)
        problems.extend(lacking)
        if not lacking and not question.boxes():
            assert node is not None, "anything is of both IP versions"
            problems.append(diagnostic_of(no_such_flow(who, question.to), node))
    if problems:
        raise Wrong(problems)
    return tuple([question for question, _ in found])


def run(subject: Subject, expectation: Expectation) -> Outcome:
    """What comes of one expectation."""
    try:
        questions = questions_of(subject, expectation)
    except Wrong as error:
        return Outcome(expectation.name, expectation.kind, expectation.span, Result.ERROR, error.diagnostics)
    for question in questions:
        problem = _failure(subject, expectation, question)
        if problem is not None:
            return Outcome(expectation.name, expectation.kind, expectation.span, Result.FAILED, (problem,))
    return Outcome(expectation.name, expectation.kind, expectation.span, Result.PASSED)


def _who(subject: Subject, expectation: Expectation, problems: list[Diagnostic]) -> Who:
    senders = {}
    for node in expectation.senders or ():
        text = str(node.value)
        if ":" in text.partition("@")[0]:
            at = text.index(":")
            help_ = f"write `from: {text[:at]}` and `as: {text[at + 1 :]}`"
            wrong = Problem("E0903", "an account stands under `from`", "an account", help_, at, len(text))
            problems.append(diagnostic_of(wrong, node))
            continue
        found = subject.parties.parse(text)
        if isinstance(found, Problem):
            problems.append(diagnostic_of(found, node))
            continue
        senders.update({(sender.group, sender.sources): sender for sender in found.senders})
    if expectation.senders is None:
        found = subject.parties.parse("any-group")
        assert isinstance(found, Who), "any group is always one"
        return found
    return Who(", ".join(str(node.value) for node in expectation.senders), tuple(senders.values()))


def _accounts(subject: Subject, expectation: Expectation, problems: list[Diagnostic]) -> Choice:
    if expectation.accounts is None:
        return EVERY
    names = []
    for node in expectation.accounts:
        wrong = subject.parties.account_problem(str(node.value))
        if wrong is not None:
            problems.append(diagnostic_of(wrong, node))
        names.append(str(node.value))
    return Choice(frozenset(names))


def targets_of(
    subject: Subject, expectation: Expectation, problems: list[Diagnostic]
) -> list[tuple[To, Located | None]]:
    """The destinations of an expectation, each with its place; what is wrong with them goes to ``problems``."""
    at = expectation.at
    if expectation.targets is None:
        if at is None:
            return [(ANYTHING, None)]
        addresses = parse_at(str(at.value))
        if isinstance(addresses, Problem):
            problems.append(diagnostic_of(addresses, at))
            return []
        return [(replace(ANYTHING, addresses=addresses), at)]
    targets: list[tuple[To, Located | None]] = []
    for node in expectation.targets:
        to = parse_to(str(node.value))
        if isinstance(to, Problem):
            problems.append(diagnostic_of(to, node))
            continue
        if at is not None:
            placed = with_address(to, str(at.value))
            if isinstance(placed, Problem):
                problems.append(diagnostic_of(placed, at))
                continue
            to = placed
        elif to.is_open and to.pattern is not None and expectation.kind is not Kind.CHANGES:
            # Without `at:` the destination is an address that no rule names.
            to = replace(to, addresses=subject.unnamed, no_tags=subject.opaque)
        targets.append((to, node))
    return targets


def _without_address(
    subject: Subject, question: Question, expectation: Expectation, node: Located | None
) -> list[Diagnostic]:
    """An error if rules name every address of an IP version: then there is none for the expectation to be about."""
    if node is None or expectation.at is not None or question.to.pattern is None:
        return []
    families = frozenset().union(*(sender.families for sender in question.who.senders))
    lacking = [v for v, held in ((4, subject.unnamed.v4), (6, subject.unnamed.v6)) if v in families and not held]
    if not lacking:
        return []
    which = " and ".join(f"IPv{version}" for version in lacking)
    return [
        Diagnostic(
            code="E0906",
            message=f"rules name every {which} address, so none is left for this expectation to be about",
            span=node.span,
            label="it is about addresses that no rule names",
            help="say which address the name resolves to: `at: ADDRESS`",
        )
    ]


def _failure(subject: Subject, expectation: Expectation, question: Question) -> Diagnostic | None:
    """Why the expectation does not hold for these flows; ``None`` if it holds."""
    index = subject.whole.index
    some = question.boxes()
    decision = decide(index, some)
    if expectation.kind is Kind.DENIES:
        if decision.allowed is None:
            return None
        return _failed(subject, "E0911", expectation, question, decision, decision.allowed, "allowed")
    if decision.denied is not None:
        return _failed(subject, "E0910", expectation, question, decision, decision.denied, "denied")
    wanted = expectation.inspection
    if wanted is None:
        return None
    for state, flow in inspections(index, some, decision).states:
        if state is not wanted:
            words = {"may": "may be inspected", "must-not": "must not be inspected", "must": "must be inspected"}
            return _failed(subject, "E0912", expectation, question, decision, flow, words[state.value])
    return None


_SAY = {"E0910": "allowed", "E0911": "denied"}


def _failed(
    subject: Subject,
    code: str,
    expectation: Expectation,
    question: Question,
    decision: Decision,
    flow: Flow,
    is_what: str,
) -> Diagnostic:
    shown = readable(flow).text
    rules = deciding(subject.whole.index, flow, decision)
    wanted = expectation.inspection.value if expectation.inspection is not None and code == "E0912" else ""
    what = f"not {_SAY[code]}" if code in _SAY else f"inspection is not `{wanted}`"
    by = " by default: no rule matches" if is_what == "denied" and not rules else ""
    help_ = _help(subject, question, decision) if by else _unknown_tags(subject, rules, flow)
    return Diagnostic(
        code=code,
        message=f"{what}: {shown}",
        span=expectation.span,
        label=f"it is {is_what}{by}" if code in _SAY else f"it {is_what}",
        help=help_,
        related=tuple([Related(span=rule.rule.span, text=_decides(rule)) for rule in rules[:3]]),
    )


def _decides(rule: BoundRule) -> str:
    inspection = "" if rule.is_deny or rule.rule.inspection.value == "may" else f", `{rule.rule.inspection.value}`"
    return f"this {rule.rule.action.value} decides{inspection}"


def _unknown_tags(subject: Subject, rules: Sequence[BoundRule], flow: Flow) -> str:
    """That a flow is one under a service tag, if it may be: nobody knows which addresses those are."""
    if flow.address is not None:
        return ""
    tags = [tag for rule in rules for tag in sorted(opaque_tags(rule.endpoints, subject.whole.tags))]
    which = ", ".join(f"`service-tag {tag}`" for tag in dict.fromkeys(tags))
    return f"it may be under {which}: name Azure's file in the inventory (`service-tags`)" if which else ""


def _help(subject: Subject, question: Question, decision: Decision) -> str:
    """The rule that matches some of the flows, or that nearly matched, if there is one."""
    for rule in decision.allows:
        span = rule.rule.span
        return f"`{rule.identity}` ({span.source.shown}:{span.line}) allows only some of these flows"
    near = near_misses(subject.prepared, subject.whole, question, decision.matching)
    for miss in near:
        if miss.rule.action.value == "allow":
            span = miss.rule.span
            return f"`{miss.rule.identity}` ({span.source.shown}:{span.line}) would match, but {miss.sentence}"
    return ""
