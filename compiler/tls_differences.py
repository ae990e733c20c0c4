"""Where a device that inspects does not inspect as the policy asks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from egressc.anything import ANY
from egressc.flows import boxes
from egressc.flows_index import FlowIndex, uncovered
from egressc.flows_search import in_both
from egressc.policy import Inspection
from egressc.reach import for_every_process
from egressc.reasons import Reason
from egressc.tls import tls_part, tls_reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from egressc.flows import Flow
    from egressc.lowering import Lowering, Part
    from egressc.reach import Reach
    from egressc.site import BoundRule, Site


@dataclass(frozen=True, slots=True)
class TlsDifference:
    """A rule whose wish about inspection is not met, or whose exemption takes in more: why, and such a flow."""

    rule: BoundRule
    reason: Reason
    sentence: str
    example: Flow


def tls_differences(site: Site[Any], lowering: Lowering[Any]) -> Iterator[TlsDifference]:
    """What a device that inspects does otherwise than the policy asks, on flows that the policy allows.

    A part that says so itself (a ``tls-unenforced`` step) is not examined again. An exemption also holds for what other
    accounts do with the processes that they share with its own.
    """
    every = [part for part in lowering.parts if not part.rule.is_deny]
    compared = _Comparison(site, [part for part in every if part.reach is not None], dict(lowering.overlapping))
    for part in every:
        yield from compared.of(part)
    if any(rule.rule.inspection is Inspection.MUST and not rule.is_deny for rule in site.rules):
        yield from compared.escaping()


class _Comparison:
    def __init__(self, site: Site[Any], parts: Sequence[Part], overlapping: Mapping[str, frozenset[str]]) -> None:
        self.parts = parts
        self._overlapping = overlapping
        self._index = site.index
        self._tags = site.tags

    @cached_property
    def _written(self) -> FlowIndex:
        return FlowIndex([part.reach for part in self.parts if part.reach is not None], self._tags)

    @cached_property
    def _exempted(self) -> FlowIndex:
        return FlowIndex([part.exempt for part in self.parts if part.exempt is not None], self._tags)

    @cached_property
    def _inspected(self) -> FlowIndex:
        return FlowIndex([part.inspect for part in self.parts if part.inspect is not None], self._tags)

    def of(self, part: Part) -> Iterator[TlsDifference]:
        """What is wrong about one part."""
        wanted = part.rule.rule.inspection
        mine = tls_part(part.start, part.services)
        asked = mine if wanted is Inspection.MUST_NOT else None
        if part.exempt is not None and (asked is None or _beyond(part.exempt, asked)):
            flow = self._index.exempted_beyond(part.exempt, self._overlapping)
            if flow is not None:
                sentence = "the exemption also covers flows that did not ask for it"
                yield TlsDifference(part.rule, Reason.TLS_SCOPE, sentence, flow)
        if mine is None or wanted is Inspection.MAY or any(s.reason is Reason.TLS_UNENFORCED for s in part.steps):
            return
        if wanted is Inspection.MUST_NOT:
            done, sentence = part.exempt, "the device may inspect what must not be inspected"
        else:
            done, sentence = part.inspect, "the device does not surely inspect what must be inspected"
        if done is not None and not _beyond(mine, done):
            return
        enforced = self._exempted if wanted is Inspection.MUST_NOT else self._inspected
        asked_of = tuple(boxes(mine, self._tags))
        flow = None
        if part.reach is not None:
            carried = in_both(asked_of, tuple(boxes(part.reach, self._tags)))
            flow = uncovered(carried, (), (enforced, self._index.denies))
        if flow is None and part.reach is not part.start:
            # What the part itself no longer says of a flow, another rule may let through.
            found = self._written.first_inside(asked_of, (), (enforced, self._index.denies))
            flow = None if found is None else found[0]
        if flow is not None:
            yield TlsDifference(part.rule, Reason.TLS_UNENFORCED, sentence, flow)

    def escaping(self) -> Iterator[TlsDifference]:
        """The rules that demand inspection of flows that the exemption of another covers."""
        for part in self.parts:
            if part.exempt is None:
                continue
            exempt = for_every_process(part.exempt, self._overlapping)
            for rule in self._index.allows_meeting(exempt):
                if rule.rule.inspection is not Inspection.MUST:
                    continue
                wanted = tls_reach(rule)
                flow = None if wanted is None else self._index.overlap(exempt, wanted)
                if flow is not None:
                    sentence = f"the exemption of `{part.rule.identity}` covers it on this device"
                    yield TlsDifference(rule, Reason.TLS_UNENFORCED, sentence, flow)


def _beyond(one: Reach, other: Reach) -> bool:
    """False if the first reach is surely within the other: the same endpoints, in everything else no more."""
    if one is other:
        return False
    return not (
        (one.endpoints is other.endpoints or one.endpoints == other.endpoints)
        and (one.exceptions == other.exceptions or not other.exceptions)
        and (other.groups is ANY or one.groups == other.groups)
        and (other.accounts is ANY or one.accounts == other.accounts)
        and (other.shared or not one.shared)
        and other.ports.contains(one.ports)
        and one.source_families <= other.source_families
    )
