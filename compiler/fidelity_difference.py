"""What one step of a lowering changes in what the artefact decides, with a flow that shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from egressc.anything import ANY, Anything
from egressc.fidelity_integrity import says
from egressc.flows import Flow, boxes
from egressc.flows_index import FlowIndex, uncovered
from egressc.flows_search import in_both, witness
from egressc.hosts import example, matches
from egressc.lowering import BrokenLoweringError, Kind
from egressc.policy import HostEndpoint
from egressc.quick_init import quick_init
from egressc.reach import for_every_process
from egressc.reasons import Effect, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.flows import Box
    from egressc.lowering import Lowering, Part, Step
    from egressc.policy import Endpoint
    from egressc.reach import Reach
    from egressc.site import BoundRule, Site

_FEW = 8
"""Up to so many endpoints a search from the left is faster than a set."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A deny that was widened so far that it stops what the policy allows.

    Without a ``reason`` it is not written at all, and the allow as it is written has the example, which it is for.
    """

    deny: BoundRule
    allow: BoundRule
    sentence: str
    reason: Reason | None
    example: Flow


@quick_init
@dataclass(frozen=True, slots=True)
class Difference:
    """What a step does to what is allowed, with a flow that is decided otherwise; ``None`` where none is."""

    effect: Effect
    example: Flow | None


class Differences:
    """Compares the policy of a site with what its lowering decides.

    With A and D the flows of the policy's allows and denies, A' and D' those of the written ones, a step makes the
    artefact wider where it adds a flow to A' that is in neither A less D nor D', and narrower where it takes a flow of
    A less D from A' altogether. A deny that is widened must not stop anything of A less D.

    A process that belongs to several accounts is denied what a deny for one of them says, whatever an allow for another
    lets through: so denies are looked at for the overlapping accounts, too.
    """

    def __init__(self, site: Site[Any], lowering: Lowering[Any]) -> None:
        self._site = site
        self._index = site.index
        self._parts = lowering.parts
        self._tags = site.tags
        self._overlapping = dict(lowering.overlapping)
        self._least: dict[frozenset[str], str] = {}
        denies = [part for part in lowering.parts if part.rule.is_deny]
        weaker = [part.start for part in denies if _is_weaker(part)]
        self._weaker_denies = FlowIndex(weaker, site.tags) if weaker else None
        self._has_wider_denies = any(s.after is not s.before for p in denies if p.reach is not None for s in p.steps)

    @cached_property
    def _written_allows(self) -> FlowIndex:
        written = [p.reach for p in self._parts if p.reach is not None and not p.rule.is_deny]
        return FlowIndex(written, self._tags)

    @cached_property
    def _written_denies(self) -> FlowIndex:
        return FlowIndex([p.reach for p in self._parts if p.reach is not None and p.rule.is_deny], self._tags)

    @cached_property
    def _firm_denies(self) -> FlowIndex:
        """The written denies that hold at any address: not those that are only taken out of allows by name."""
        held = [p.reach for p in self._parts if p.reach is not None and p.rule.is_deny and not p.cut_out]
        return FlowIndex(held, self._tags)

    def _denies_behind(self, part: Part) -> FlowIndex:
        """The denies that may stop what the rules for a part let through."""
        return self._written_denies if part.kind is Kind.NAMES else self._firm_denies

    def of(self, part: Part, step: Step) -> Difference | Cut | None:
        """What the step changes; ``None`` if no flow is decided otherwise because of it."""
        after = step.after
        if after is step.before:
            return Difference(step.effect, self._left_open(part, step))
        if part.rule.is_deny:
            return self._of_deny(part, step)
        if after is None or step.effect is Effect.NARROWER:
            return self._lost(part, step)
        if part.reach is None:
            return None  # What a later step takes away whole was not added.
        if _is_weaker(part):
            flow = self._newly_allowed(part, step.before, in_both(boxes(after, self._tags), self._boxes(part.reach)))
        else:
            flow = self._quick(part.rule, step.before, after)
            flow = flow or self._newly_allowed(part, step.before, self._boxes(after))
        if flow is None and step.reason is Reason.FALLBACK:
            # Its addresses add nothing; the names at all other addresses are lost all the same.
            return self._lost(part, step)
        return None if flow is None else Difference(step.effect, flow)

    def _boxes(self, reach: Reach) -> tuple[Box, ...]:
        return tuple(boxes(reach, self._tags))

    @cached_property
    def _known_allows(self) -> tuple[tuple[Part, ...], FlowIndex]:
        """The written allows, and what they let through of what can be told from the name that was asked for."""
        known = tuple([p for p in self._parts if p.reach is not None and not p.rule.is_deny])
        return known, FlowIndex([replace(p.reach, shared=False) for p in known if p.reach is not None], self._tags)

    def of_left_out(self, part: Part) -> Cut | None:
        """What is wrong with leaving a deny out: an allow that is written wider than it is has what the deny is for.

        Raises ``BrokenLoweringError`` if an allow of the policy has it, or nothing stops it.
        """
        whole = self._with_overlapping(part.start)
        found = self._index.allows.first_inside(self._boxes(whole), (), (self._written_denies,))
        if found is not None:
            what = "it is left out, and an allow lets this through"
            raise BrokenLoweringError(says(self._site, part.rule, what, found[0]))
        internal = self._site.internal
        if self._site.names_internal(part.start.endpoints):
            what = f"it is left out, and the closing deny leaves {internal.text} alone"
            raise BrokenLoweringError(says(self._site, part.rule, what))
        written, index = self._known_allows
        found = index.first_inside(self._boxes(whole), (), (self._written_denies,))
        if found is None:
            return None
        allow = written[found[1]].rule
        return Cut(part.rule, allow, "what it is for cannot be told from what is allowed here", None, found[0])

    def _of_deny(self, part: Part, step: Step) -> Difference | Cut | None:
        after = step.after
        if step.reason is Reason.FAMILY:
            # What the target does not carry at all needs no deny.
            return Difference(Effect.NONE, None)
        if after is None or step.effect is Effect.NARROWER:
            return self._no_longer_denied(part, step)
        if part.reach is None:
            return None
        wide = part.reach if _is_weaker(part) else after
        cut = self._index.wrongly_denied(wide, step.before)
        others = self._others(step.before.accounts)
        if cut is None and others and wide.accounts is not ANY:
            cut = self._index.wrongly_denied(replace(wide, accounts=others), replace(step.before, accounts=others))
        if cut is not None:
            return Cut(part.rule, cut[1], step.sentence, step.reason, cut[0])
        if self._site.closing_deny:
            return None
        flow = self._index.newly_matched(after, step.before)
        return None if flow is None else Difference(step.effect.opposite, flow)

    def _no_longer_denied(self, part: Part, step: Step) -> Difference | None:
        """What a deny that is gone or smaller lets through: what an allow has, or a missing closing deny leaves."""
        minus = () if step.after is None else self._boxes(self._with_overlapping(step.after))
        before = self._boxes(self._with_overlapping(step.before))
        lost = in_both(self._boxes(self._with_overlapping(part.start)), before)
        flow = None
        if lost:
            found = self._written_allows.first_inside(lost, minus, (self._written_denies,))
            flow = None if found is None else found[0]
            if flow is None and not self._site.closing_deny:
                flow = uncovered(lost, minus, (self._written_denies,))
        return None if flow is None else Difference(Effect.WIDER, flow)

    def _left_open(self, part: Part, step: Step) -> Flow | None:
        """What a deny that is taken out of allows by name leaves open, and that this step tells of."""
        if part.cut_out and step.reason is Reason.RESOLVED_ADDRESS and step.effect is Effect.WIDER:
            return self._open_by_address(part)
        if part.cut_out and step.reason is Reason.ORDER:
            found = self._allows_by_address.first_inside(self._boxes(part.start), (), (self._firm_denies,))
            return None if found is None else found[0]
        return None

    @cached_property
    def _allows_by_address(self) -> FlowIndex:
        parts = [p for p in self._parts if p.kind is not Kind.NAMES and not p.rule.is_deny]
        return FlowIndex([p.reach for p in parts if p.reach is not None], self._tags)

    def _open_by_address(self, part: Part) -> Flow | None:
        """A flow to a name that was taken out of the allows, at an address that an allowed name shares."""
        mine = [box for box in self._boxes(part.start) if box.inside]
        for signature in self._written_allows.signatures_over(part.start.ports, names=True):
            for number in signature.numbers[:_FEW]:
                shared = [box for box in self._written_allows.boxes_of(number) if box.shared_inside]
                for both in in_both(mine, shared):
                    flow = witness((both,), self._cut_out)
                    if flow is not None:
                        return flow
        return None

    @cached_property
    def _cut_out(self) -> tuple[Box, ...]:
        """The shared names that denies take out of the allows."""
        cut = [p.reach for p in self._parts if p.cut_out and p.reach is not None]
        return tuple([box for reach in cut for box in self._boxes(replace(reach, shared=True)) if box.shared_inside])

    def _others(self, accounts: frozenset[str] | Anything) -> frozenset[str]:
        """The other accounts that a process of these may belong to."""
        if not self._overlapping or isinstance(accounts, Anything):
            return frozenset()
        return frozenset().union(*(self._overlapping.get(name, ()) for name in accounts)) - accounts

    def _with_overlapping(self, reach: Reach) -> Reach:
        """The reach of a deny for every account that a process of its accounts may belong to."""
        return for_every_process(reach, self._overlapping)

    def _lost(self, part: Part, step: Step) -> Difference | None:
        """What the policy allows and no written allow does any more."""
        minus = () if step.after is None else self._boxes(step.after)
        mine = in_both(boxes(part.start, self._tags), self._boxes(step.before))
        flow = uncovered(mine, minus, (self._written_allows, self._index.denies))
        return None if flow is None else Difference(Effect.NARROWER, flow)

    def _newly_allowed(self, part: Part, before: Reach, after: Sequence[Box]) -> Flow | None:
        """A flow of ``after`` beyond ``before`` that the policy does not allow and no written deny stops."""
        minus = self._boxes(before)
        decided = [self._index.allows, self._index.denies]
        if self._has_wider_denies:
            decided.append(self._denies_behind(part))
        flow = uncovered(after, minus, decided)
        if flow is None and self._weaker_denies is not None:
            # What the policy denies is let through where the deny is not written, or not in full.
            found = self._weaker_denies.first_inside(after, minus, (self._denies_behind(part),))
            flow = None if found is None else found[0]
        return flow

    def _quick(self, rule: BoundRule, before: Reach, after: Reach) -> Flow | None:
        """A flow that shows the commonest changes of a rule whose hosts no other rule names; ``None``: look closer."""
        first = after.endpoints[0]
        if after.exceptions or before.exceptions or not isinstance(first, HostEndpoint):
            return None
        if after.ports != before.ports or after.source_families != before.source_families:
            return None
        for_others = after.accounts is ANY and before.accounts is not ANY
        grown = for_others or (after.groups is ANY and before.groups is not ANY)
        endpoint = first
        if after.endpoints is not before.endpoints:
            new = None if grown or after.shared is not before.shared else _added(before.endpoints, after.endpoints)
            if new is None:
                return None
            endpoint = new
        host = _a_host(endpoint)
        if host is None or (self._has_wider_denies and self._may_be_denied(host, after)):
            return None
        if after.endpoints is not before.endpoints:
            if any(_holds(e, host, endpoint.path) for e in (*before.endpoints, *rule.endpoints)):
                return None
        elif after.shared is not before.shared:
            return None if grown or before.shared else self._flow(after, None, None, host)
        elif not grown:
            return None
        alone = self._index.names_alone(rule, host, after.ports)
        return self._flow(after, host, endpoint.path, None, for_others=for_others) if alone else None

    def _may_be_denied(self, host: str, reach: Reach) -> bool:
        """True if a written deny may stop flows to the host; it may do so without the policy's saying so."""
        denies = self._written_denies
        return bool(denies.names.matching(host) or denies.signatures_over(reach.ports, names=False))

    def _flow(
        self, reach: Reach, host: str | None, path: str | None, shared: str | None, *, for_others: bool = False
    ) -> Flow | None:
        """The flow to that host, at an address where no rule that names addresses matches it; ``None`` without one."""
        elsewhere = self._index.elsewhere(reach.ports)
        if elsewhere is None:
            return None
        transport, port = reach.ports.first()
        families = reach.source_families
        family = next(iter(families)) if len(families) == 1 else None
        groups, accounts = self._first_of(reach.groups), self._first_of(reach.accounts)
        unnamed = ("account",) if for_others else ()
        flow = Flow(groups, accounts, host, path, None, shared, transport, port, family, unnamed=unnamed)
        if elsewhere.spots is None and not elsewhere.everywhere:
            return flow
        free, address = elsewhere.free_address(flow)
        if not free:
            return None
        return replace(flow, address=address)

    def _first_of(self, names: object) -> str | None:
        if names is ANY or not isinstance(names, frozenset):
            return None
        found = self._least.get(names)
        if found is None:
            found = self._least[names] = min(names)
        return found


def _is_weaker(part: Part) -> bool:
    return part.reach is None or any(s.effect is Effect.NARROWER and s.after is not s.before for s in part.steps)


def _added(before: Sequence[Endpoint], after: Iterable[Endpoint]) -> HostEndpoint | None:
    known = before if len(before) <= _FEW else frozenset(before)
    for endpoint in after:
        if isinstance(endpoint, HostEndpoint) and endpoint not in known:
            return endpoint
    return None


def _a_host(endpoint: HostEndpoint) -> str | None:
    pattern = endpoint.pattern
    if pattern.is_exact:
        return pattern.text
    return example((pattern,))


def _holds(endpoint: Endpoint, host: str, path: str | None) -> bool:
    if not isinstance(endpoint, HostEndpoint) or not matches(endpoint.pattern, host):
        return False
    prefix = endpoint.path
    return prefix is None or (path is not None and (path == prefix or path.startswith(prefix + "/")))
