"""Which flows one side allows and the other does not, and which are inspected otherwise: found rule by rule, exactly.

Only rules that the other side does not have word for word are looked at, so that the cost goes with the edits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diff_covers import Question
from egressc.diff_endpoints import as_box, exceptions_near, narrowed, written
from egressc.diff_everything import clear_of_denies, everything_of
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


def newly_allowed(before: Side, after: Side) -> Iterator[Found]:
    """What ``after`` allows and ``before`` does not.

    Either no allow of the side before had it, or one had it and a deny that is gone took it away.
    """
    covers = (before.allowed, after.denied)
    for rule in after.allow_rules:
        if rule.key in before.keys:
            continue
        for box, endpoint, own in boxes_by_endpoint(rule, rule.reach, after):
            question = Question(rule, Verdict.DENY, Verdict.ALLOW, covers, after.tags)
            yield from question.changed(box, endpoint, (), own)
    for deny in before.deny_rules:
        if deny.key not in after.keys:
            yield from _behind_deny(deny, before, after)


def _behind_deny(deny: Told, before: Side, after: Side) -> Iterator[Found]:
    """What allows have where a deny of the side before is gone."""
    covers = (after.denied,)
    for box, endpoint, own in boxes_by_endpoint(deny, deny.reach, before):
        numbers = after.allows.meeting_boxes([box])
        if len(numbers) > FEW and not own:
            clear = set(clear_of_denies(numbers, box, endpoint, after))
            numbers = [number for number in numbers if number not in clear]
            yield from everything_of([after.allow_rules[n] for n in sorted(clear)], box, endpoint, deny, after)
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
        for cell in there.cells(box, endpoint):
            if uncovered([cell], (), (there.index,)) is None:
                yield from question.changed(cell, endpoint, (), own)
                continue
            for number in there.index.meeting_boxes([cell]):
                reach = there.reaches[number]
                for held in reach.endpoints:
                    theirs = as_box(held, reach, other.tags), held, exceptions_near(held, reach.exceptions, other.tags)
                    yield from _in_both(question, (cell, endpoint, own), theirs)


def boxes_by_endpoint(rule: Told, reach: Reach, side: Side) -> Iterator[_Part]:
    """The endpoints of a reach of the rule: their flows, how they were written, and what is left out of them."""
    for said, held, left in written(rule, reach):
        yield as_box(held, reach, side.tags), said, (*left, *exceptions_near(held, reach.exceptions, side.tags))
