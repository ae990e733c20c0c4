"""Which flows one side allows and the other does not, and which are inspected otherwise: found rule by rule, exactly.

Only rules that the other side does not have word for word are looked at, so that the cost goes with the edits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diff_covers import Question
from egressc.diff_endpoints import as_box, exceptions_near, narrowed, written
from egressc.diff_everything import Together, clear_of, clear_of_denies, everything_of
from egressc.flows_index import uncovered
from egressc.flows_search import common
from egressc.policy import Inspection
from egressc.review import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.diff_covers import Cover, Found
    from egressc.diff_sides import Side, Told
    from egressc.flows import Box
    from egressc.policy import Endpoint
    from egressc.reach import Reach


def newly_allowed(before: Side, after: Side, told: Side | None = None) -> Iterator[Found]:
    """What ``after`` allows and ``before`` does not.

    Either no allow of the side before had it, or one had it and a deny that is gone took it away. With ``told``, one of
    the sides as a process of no account sees it, the other one is seen by such a process: what changes for that is told
    already.
    """
    covers = (before.allowed, after.denied, *(() if told is None else (told.allowed,)))
    is_of_before = told is not None and told.number == before.number
    # What no allow of an account had, none for any account had.
    for rule in () if is_of_before else after.allow_rules:
        if rule.key in before.keys:
            continue
        for box, endpoint, own in boxes_by_endpoint(rule, rule.reach, after):
            question = Question(rule, Verdict.DENY, Verdict.ALLOW, covers, after.tags)
            yield from question.changed(box, endpoint, (), own)
    also = () if told is None else (told.denied if is_of_before else told.allowed,)
    for deny in before.deny_rules:
        if deny.key not in after.keys:
            yield from _behind_deny(deny, before, after, also)


def _behind_deny(deny: Told, before: Side, after: Side, also: tuple[Cover, ...]) -> Iterator[Found]:
    """What allows have where a deny of the side before is gone, but for what the covers ``also`` have."""
    covers = (after.denied, *also)
    for box, endpoint, own in boxes_by_endpoint(deny, deny.reach, before):
        if any(cover.has(box, endpoint) for cover in covers):
            continue
        numbers = after.allows.meeting_boxes([box])
        if len(numbers) > FEW and not own and not also:
            clear = set(clear_of_denies(numbers, box, endpoint, after))
            numbers = [number for number in numbers if number not in clear]
            asked = Together(box, endpoint, deny, Verdict.DENY, Verdict.ALLOW, (after.denies,), after.tags)
            yield from everything_of([after.allow_rules[n] for n in sorted(clear)], asked)
        for allow in [after.allow_rules[number] for number in numbers]:
            question = Question(allow, Verdict.DENY, Verdict.ALLOW, covers, after.tags, (deny,))
            for part in boxes_by_endpoint(allow, allow.reach, after):
                yield from _in_both(question, (box, endpoint, own), part)


FEW = 16
"""What so many allows have behind a deny is told one by one; of more, all together."""

_Part = tuple["Box", "Endpoint", tuple["Endpoint", ...]]


def _in_both(question: Question, one: _Part, other: _Part) -> Iterator[Found]:
    """What of two endpoints, each with its flows and what it leaves out, is decided otherwise."""
    both = common(one[0], other[0])
    if both is None:
        return
    endpoint, within = narrowed(one[1], other[1], (), question.tags)
    own = exceptions_near(endpoint, dict.fromkeys((*one[2], *other[2])), question.tags)
    yield from question.changed(both, endpoint, within, own)


def inspected_otherwise(old: Side, new: Side) -> Iterator[Found]:
    """What both sides allow and inspect otherwise, in the words of the side that says more about it."""
    for said, verdict in ((Inspection.MUST_NOT, Verdict.MUST_NOT), (Inspection.MUST, Verdict.MUST)):
        for mine, other in ((old, new), (new, old)):
            known = {reach for _, reach in other.tls_rules(said)}
            for rule, reach in mine.tls_rules(said):
                if reach not in known:
                    for box, endpoint, own in boxes_by_endpoint(rule, reach, mine):
                        yield from _of_inspection(rule, (box, endpoint, own), mine, other, verdict)


def _of_inspection(rule: Told, part: _Part, mine: Side, other: Side, verdict: Verdict) -> Iterator[Found]:
    """What a rule says of inspection and the other side does not, where both allow it."""
    denied = (mine.denied, other.denied)
    exempt, demanded = other.exempted, other.inspected
    asked: list[tuple[Verdict, Cover, tuple[Cover, ...]]] = []
    if verdict is Verdict.MUST_NOT:
        # On the other side it is demanded, or left to the device.
        asked.append((Verdict.MUST, demanded, (exempt, *denied)))
        asked.append((Verdict.MAY, other.allowed, (exempt, demanded, *denied)))
    else:
        # What one side exempts is told by that exemption.
        asked.append((Verdict.MAY, other.allowed, (demanded, exempt, mine.exempted, *denied)))
    for state, there, covers in asked:
        pair = (verdict, state) if mine.number == 0 else (state, verdict)
        question = Question(rule, *pair, covers, mine.tags)
        box, endpoint, own = part
        if any(cover.has(box, endpoint) for cover in covers):
            continue
        for cell in there.cells(box, endpoint):
            if uncovered([cell], (), (there.index,)) is None:
                yield from question.changed(cell, endpoint, (), own)
                continue
            numbers = there.index.meeting_boxes([cell])
            if len(numbers) > FEW and not own:
                clear = set(clear_of(numbers, cell, there, covers))
                numbers = [number for number in numbers if number not in clear]
                many = Together(cell, endpoint, rule, *pair, (), other.tags)
                rules = other.allow_rules
                if state is not Verdict.MAY:
                    rules = tuple([each for each, _ in other.tls_rules(Inspection.MUST)])
                yield from everything_of([rules[number] for number in sorted(clear)], many)
            for number in numbers:
                reach = there.reaches[number]
                for each in there.parts_over(number, [pattern for pattern, _ in cell.inside]):
                    held = each.endpoint
                    theirs = each.exact, held, exceptions_near(held, reach.exceptions, other.tags)
                    yield from _in_both(question, (cell, endpoint, own), theirs)


def boxes_by_endpoint(rule: Told, reach: Reach, side: Side) -> Iterator[_Part]:
    """The endpoints of a reach of the rule: their flows, how they were written, and what is left out of them."""
    for said, held, left in written(rule, reach):
        yield as_box(held, reach, side.tags), said, (*left, *exceptions_near(held, reach.exceptions, side.tags))
