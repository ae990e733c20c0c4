"""What a configuration inspects against what it must: on flows that the policy allows, and on no others.

With E the flows that are announced as exempt and I those that are announced as surely inspected, a configuration is
right if what it exempts of the allowed flows is in E, if it opens nothing of E, and if it surely opens I less E.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.flows_index import BlockIndex, Prefix
from egressc.flows_search import in_both
from egressc.meaning import Handling, InspectionRuling, Outcome, Ruling
from egressc.policy import Inspection
from egressc.proof_question import Deviation, Kind, boxes_of
from egressc.tls import tls_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.flows import Box, Flow
    from egressc.lowering import Part
    from egressc.meaning import Block, Meaning
    from egressc.proof_compare import Comparison
    from egressc.reach import Reach


def inspection_deviations(comparison: Comparison, meaning: Meaning) -> Iterator[Deviation]:
    """Everything that is inspected otherwise than was announced; nothing where nobody says anything about it."""
    compared = _Inspections(comparison, meaning)
    if compared.exempt or compared.inspect or meaning.inspections:
        yield from compared.deviations()


class _Inspections:
    def __init__(self, comparison: Comparison, meaning: Meaning) -> None:
        self._comparison = comparison
        self._rulings = meaning.inspections
        self._inspects = comparison.expected.inspects
        self.exempt: list[tuple[Part, tuple[Block, ...]]] = []
        self.inspect: list[tuple[Part, tuple[Block, ...]]] = []
        for each in comparison.expected.allows:
            for part in each.parts:
                if part.reach is None:
                    continue
                exempt = part.exempt if self._inspects else _never(part)
                if exempt is not None:
                    self.exempt.append((part, self._blocks(part, exempt)))
                if part.inspect is not None:
                    self.inspect.append((part, self._blocks(part, part.inspect)))
        self._indexes: dict[tuple[Handling, bool], tuple[list[int], BlockIndex]] = {}
        canon = comparison.canon
        self._asked = frozenset(piece for _, blocks in self.exempt for piece in canon.form(blocks))

    def _blocks(self, part: Part, reach: Reach) -> tuple[Block, ...]:
        """The flows of a part that are to be exempt, or opened: of what denies by name have left of it."""
        expected = self._comparison.expected
        whole = part.reach
        if part.cells is None or whole is None or replace(reach, ports=whole.ports) != whole:
            return expected.sight.blocks(reach)
        found = [replace(block, ports=block.ports.intersection(reach.ports)) for block in expected.cells(part)]
        return tuple([block for block in found if not block.ports.is_empty])

    def deviations(self) -> Iterator[Deviation]:
        canon = self._comparison.canon
        asked = self._asked
        index = BlockIndex([blocks for _, blocks in self.exempt])
        first_inspecting = next((p for p, r in enumerate(self._rulings) if r.handling is Handling.INSPECT), None)
        done: set[tuple[object, ...]] = set()
        for position, ruling in enumerate(self._rulings):
            form = canon.form(ruling.blocks)
            if ruling.handling is Handling.EXEMPT:
                if self._inspects and not form <= asked:
                    yield from self._exempting(position, ruling, index)
                if not ruling.doubt and (first_inspecting is None or position < first_inspecting):
                    done |= form
        if first_inspecting is not None and not asked <= done:
            for position in range(first_inspecting, len(self._rulings)):
                yield from self._opening(position, self._rulings[position], index)
        yield from self._closed(index)

    def _before(self, position: int, handling: Handling, *, sure: bool = False) -> BlockIndex | Prefix:
        """The rulings before a position that surely handle flows so."""
        key = (handling, sure)
        held = self._indexes.get(key)
        if held is None:
            at = [
                number
                for number, ruling in enumerate(self._rulings)
                if ruling.handling is handling and not ruling.doubt and (ruling.sure or not sure)
            ]
            held = self._indexes[key] = at, BlockIndex([self._rulings[number].blocks for number in at])
        positions, index = held
        limit = bisect_left(positions, position)
        return index if limit == len(positions) else Prefix(index, limit)

    def _exempting(self, position: int, ruling: InspectionRuling, asked: BlockIndex) -> Iterator[Deviation]:
        """What is exempt and was not announced to be; where nothing would be opened anyway, all is as if it were."""
        before = self._before(position, Handling.INSPECT)
        opened = [each for each in self._rulings[position + 1 :] if each.handling is Handling.INSPECT]
        some = boxes_of(ruling.blocks)
        if not self.inspect and not opened:
            some = ()
        lacking = (asked, self._comparison.denies, before)
        answer, cause = self._asked_of(position, Handling.INSPECT, some, lacking, self._comparison.allows)
        if answer is not None:
            kind = Kind.UNKNOWN if cause.doubt else Kind.EXEMPTS_MORE
            sentence = _doubted(cause, "no rule of the policy asks for this exemption from inspection")
            yield Deviation(kind, answer[0], sentence, None, _as_ruling(cause))

    def _opening(self, position: int, ruling: InspectionRuling, asked: BlockIndex) -> Iterator[Deviation]:
        """What is opened and was announced to be exempt."""
        if ruling.handling is not Handling.INSPECT:
            return
        comparison = self._comparison
        # What a ruling before this one opens is told of that one.
        before = [self._before(position, handling) for handling in Handling]
        some, lacking = boxes_of(ruling.blocks), (comparison.denies, *before)
        answer = comparison.found(some, (), lacking, asked)
        if answer is None:
            return
        told: Deviation | None = None
        for number in dict.fromkeys((answer[1], *asked.meeting_boxes(some))):
            part, blocks = self.exempt[number]
            mine = in_both(some, boxes_of(blocks))
            allowed, cause = self._asked_of(position, Handling.EXEMPT, mine, lacking, comparison.allows)
            if allowed is not None:
                kind = Kind.UNKNOWN if cause.doubt else Kind.INSPECTS_MORE
                sentence = _doubted(cause, f"`{part.rule.key}` exempts it from inspection")
                found = Deviation(kind, allowed[0], sentence, part.rule, _as_ruling(cause))
                if kind is not Kind.UNKNOWN or ruling.doubt:
                    yield found
                    return
                told = told or found
        if told is not None:
            yield told

    def _asked_of(
        self,
        position: int,
        otherwise: Handling,
        some: Sequence[Box],
        lacking: Sequence[BlockIndex | Prefix],
        inside: BlockIndex,
        *,
        sure: bool = False,
    ) -> tuple[tuple[Flow, int] | None, InspectionRuling]:
        """A flow as `Comparison.found` finds it, with the ruling that does it.

        That is the one at the position, if the flow surely gets there; else one before it that may handle it otherwise.
        """
        ruling, found = self._rulings[position], self._comparison.found
        answer = found(some, (), lacking, inside)
        if answer is None or ruling.doubt:
            return answer, ruling
        vague = [
            each
            for each in self._rulings[:position]
            if each.doubt and each.handling is otherwise and (each.sure or not sure)
        ]
        if not vague:
            return answer, ruling
        certain = found(some, (), (*lacking, BlockIndex([each.blocks for each in vague])), inside)
        if certain is not None:
            return certain, ruling
        for each in vague:
            perhaps = found(in_both(some, boxes_of(each.blocks)), (), lacking, inside)
            if perhaps is not None:
                return perhaps, each
        return answer, ruling

    def _closed(self, asked: BlockIndex) -> Iterator[Deviation]:
        """What must surely be opened and is not."""
        if not self.inspect:
            return
        comparison, canon = self._comparison, self._comparison.canon
        opened = [r for r in self._rulings if r.handling is Handling.INSPECT and r.sure and not r.doubt]
        vague = [r for r in self._rulings if r.handling is Handling.INSPECT and r.sure and r.doubt]
        forms = frozenset(piece for ruling in opened for piece in canon.form(ruling.blocks))
        sure = BlockIndex([ruling.blocks for ruling in opened])
        wanted = BlockIndex([blocks for _, blocks in self.inspect])
        for part, blocks in self.inspect:
            if canon.form(blocks) <= forms:
                continue
            some, lacking = boxes_of(blocks), (asked, comparison.denies, sure)
            answer = comparison.found(some, (), lacking, comparison.allows)
            if answer is None:
                continue
            certain: tuple[Flow, int] | None = answer
            if vague:
                held = BlockIndex([ruling.blocks for ruling in vague])
                certain = comparison.found(some, (), (*lacking, held), comparison.allows)
            if certain is not None:
                sentence = f"`{part.rule.key}` demands inspection, and nothing surely inspects it"
                yield Deviation(Kind.INSPECTS_LESS, certain[0], sentence, part.rule)
                continue
            for ruling in vague:
                perhaps = comparison.found(in_both(some, boxes_of(ruling.blocks)), (), lacking, comparison.allows)
                if perhaps is not None:
                    sentence = _doubted(ruling, f"`{part.rule.key}` demands inspection of it")
                    yield Deviation(Kind.UNKNOWN, perhaps[0], sentence, part.rule, _as_ruling(ruling))
                    break
        surely = (p for p, r in enumerate(self._rulings) if r.handling is Handling.INSPECT and r.sure)
        last_sure = max(surely, default=-1)
        for position, ruling in enumerate(self._rulings):
            # One that only may inspect takes flows from those behind it that surely would; without these it takes none.
            if ruling.handling is Handling.INSPECT and (ruling.sure or position > last_sure):
                continue
            if canon.form(ruling.blocks) <= self._asked:
                continue
            before = self._before(position, Handling.INSPECT, sure=True)
            some, behind = boxes_of(ruling.blocks), (asked, comparison.denies, before)
            answer, cause = self._asked_of(position, Handling.INSPECT, some, behind, wanted, sure=True)
            if answer is not None:
                part = self.inspect[answer[1]][0]
                sentence = _doubted(cause, f"`{part.rule.key}` demands inspection of it")
                kind = Kind.UNKNOWN if cause.doubt else Kind.INSPECTS_LESS
                yield Deviation(kind, answer[0], sentence, part.rule, _as_ruling(cause))


def _never(part: Part) -> Reach | None:
    """What must not be inspected of a part on a device that was not to inspect at all."""
    if part.rule.rule.inspection is not Inspection.MUST_NOT or part.reach is None:
        return None
    return tls_part(part.reach, part.services)


def _as_ruling(ruling: InspectionRuling) -> Ruling:
    """The same rule, for a report."""
    return Ruling(ruling.name, Outcome.ALLOW, ruling.blocks, ruling.place, ruling.doubt)


def _doubted(ruling: InspectionRuling, sentence: str) -> str:
    return f"{sentence}; whether it is matched is not known: {ruling.doubt}" if ruling.doubt else sentence
