"""Deviations, and the question that finds one: what does a ruling take that it must not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from egressc.flows_search import in_both

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from egressc.flows import Box, Flow
    from egressc.flows_index import BlockIndex, Prefix
    from egressc.flows_index_left import Remaining
    from egressc.meaning import Block, Ruling
    from egressc.proof_rulings import Perhaps
    from egressc.site import BoundRule

    Search = Callable[
        [Sequence[Box], Sequence[Box], Sequence[BlockIndex | Prefix], Remaining | None], tuple[Flow, int] | None
    ]
    Left = Callable[[BlockIndex, Sequence[Box], Sequence[BlockIndex]], Remaining]


class Kind(StrEnum):
    """What is different."""

    ALLOWS_MORE = "allows-more"
    ALLOWS_LESS = "allows-less"
    UNDECIDED = "undecided"
    UNKNOWN = "unknown"
    EXEMPTS_MORE = "exempts-more"
    INSPECTS_MORE = "inspects-more"
    INSPECTS_LESS = "inspects-less"


@dataclass(frozen=True, slots=True)
class Deviation:
    """Flows that are decided otherwise: one of them, the ruling that does it, and the rule of the policy it concerns.

    ``ruling`` is ``None`` where a ruling is missing, ``rule`` where no rule of the policy is concerned. ``sentence``
    says it in words.
    """

    kind: Kind
    flow: Flow
    sentence: str
    rule: BoundRule | None = None
    ruling: Ruling | None = None


def boxes_of(blocks: Iterable[Block]) -> tuple[Box, ...]:
    """The boxes of blocks."""
    return tuple([box for block in blocks for box in block.boxes()])


class Question:
    """What one ruling takes that it must not: asked of everything that it matches behind the rulings before it."""

    def __init__(
        self,
        ruling: Ruling,
        kind: Kind,
        found: Search,
        left: Left,
        before: Sequence[BlockIndex | Prefix],
        vague: Sequence[Perhaps],
        position: int,
    ) -> None:
        self._ruling = ruling
        self._found = found
        self._left = left
        self._kind = kind
        self._before = before
        self._vague = () if self._ruling.doubt else vague
        self._position = position
        self._some = boxes_of(self._ruling.blocks)
        self._but = boxes_of(self._ruling.but)

    def told(
        self,
        minus: Sequence[Box],
        without: Sequence[BlockIndex],
        inside: BlockIndex | None,
        tell: Callable[[int], tuple[BoundRule | None, str]],
    ) -> Iterator[Deviation]:
        """The deviation, if there is such a flow; ``tell`` gives the rule and the sentence for an entry of ``inside``.

        Unknown, if the ruling or one before it that would decide otherwise may match less than it holds.
        """
        lacking = (*without, *self._before)
        left = self._left(inside, minus, without).less(minus, lacking) if inside is not None else None
        minus = (*self._but, *minus)
        answer = self._found(self._some, minus, lacking, left)
        if answer is None:
            return
        cause = self._ruling
        held, perhaps = self._held()
        if held or perhaps:
            certain = self._found(self._some, (*minus, *held), (*lacking, *perhaps), left)
            if certain is None:
                cause, answer = self._doubted(answer, minus, lacking, left)
            else:
                answer = certain
        rule, sentence = tell(answer[1])
        kind = Kind.UNKNOWN if cause.doubt else self._kind
        yield Deviation(kind, answer[0], doubted(sentence, cause), rule, cause)

    def _held(self) -> tuple[list[Box], list[BlockIndex | Prefix]]:
        """What the doubtful rulings before this one hold at most, as boxes and as indexes."""
        boxes: list[Box] = []
        indexes: list[BlockIndex | Prefix] = []
        for each in self._vague:
            some, index = each.held(self._position, odd=False)
            boxes += some
            indexes += index
        return boxes, indexes

    def _doubted(
        self,
        answer: tuple[Flow, int],
        minus: Sequence[Box],
        lacking: Sequence[BlockIndex | Prefix],
        left: Remaining | None,
    ) -> tuple[Ruling, tuple[Flow, int]]:
        """The first doubtful ruling that may decide such a flow before this one, and the flow."""
        for each in self._vague:
            for ruling, held in each.meeting(self._some, self._position, odd=False):
                perhaps = self._found(in_both(self._some, held), minus, lacking, left)
                if perhaps is not None:
                    return ruling, perhaps
        return self._ruling, answer


def doubted(sentence: str, ruling: Ruling) -> str:
    """The sentence, with why nobody knows whether the ruling matches."""
    return f"{sentence}; whether a live rule matches it is not known: {ruling.doubt}" if ruling.doubt else sentence
