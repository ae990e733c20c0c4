"""What the policy itself says about a set of flows: exactly, by the algebra of flow sets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet, parse_addresses
from egressc.flows import boxes
from egressc.flows_index import uncovered
from egressc.flows_search import in_both, witness
from egressc.hosts import matches
from egressc.policy import Inspection
from egressc.tls import tls_reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.flows import Box, Flow, Test
    from egressc.rule_index import RuleIndex
    from egressc.site import BoundRule


class Verdict(StrEnum):
    """What is decided about a set of flows: the same of all of them, or it depends on what was left open."""

    ALLOW = "allow"
    DENY = "deny"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on a set of flows. ``allowed`` and ``denied`` are example flows, ``None`` where there is none.

    ``allower`` and ``denier`` are a rule that matches them; no rule where the default denies.
    ``by_default`` is a flow that no rule matches. ``allows`` and ``denies`` are the rules that match some of the flows,
    in the order of the site.
    """

    verdict: Verdict
    allowed: Flow | None
    denied: Flow | None
    by_default: Flow | None
    allows: tuple[BoundRule, ...]
    denies: tuple[BoundRule, ...]
    allower: BoundRule | None = None
    denier: BoundRule | None = None

    @property
    def matching(self) -> tuple[BoundRule, ...]:
        """All rules that match some of the flows, denies first."""
        return (*self.denies, *self.allows)

    @property
    def deciding(self) -> tuple[BoundRule, ...]:
        """The rules that decide: allows or denies, both where the verdict depends on what was left open."""
        match self.verdict:
            case Verdict.ALLOW:
                return self.allows
            case Verdict.DENY:
                return self.denies
            case Verdict.UNKNOWN:
                return self.matching

    @property
    def overruled(self) -> tuple[BoundRule, ...]:
        """The allows that match some of the flows, and denies decide them."""
        return self.allows if self.verdict is Verdict.DENY else ()


def decide(index: RuleIndex, some: Sequence[Box]) -> Decision:
    """What the policy decides about some flows, of which there must be one."""
    allows = tuple([index.allow_rules[number] for number in index.allows.meeting_boxes(some)])
    denies = tuple([index.deny_rules[number] for number in index.denies.meeting_boxes(some)])
    default = uncovered(some, (), (index.allows, index.denies))
    stopped = index.denies.first_inside(some, (), ()) if denies else None
    denied, denier = (stopped[0], index.deny_rules[stopped[1]]) if stopped is not None else (default, None)
    let_through = index.allows.first_inside(some, (), (index.denies,)) if allows else None
    allowed, allower = (let_through[0], index.allow_rules[let_through[1]]) if let_through is not None else (None, None)
    verdict = Verdict.DENY if allowed is None else Verdict.ALLOW if denied is None else Verdict.UNKNOWN
    return Decision(verdict, allowed, denied, default, allows, denies, allower, denier)


@dataclass(frozen=True, slots=True)
class Inspections:
    """What the policy says about the inspection of the allowed ones of some flows: a flow for each state there is.

    ``contradiction`` is a flow that must be inspected and must not be: an error of the policy that `check` names.
    """

    states: tuple[tuple[Inspection, Flow], ...]
    contradiction: Flow | None = None

    @property
    def only(self) -> Inspection | None:
        """The state that all of them have; ``None`` where they differ, or none is allowed."""
        return self.states[0][0] if len(self.states) == 1 else None


def inspections(index: RuleIndex, some: Sequence[Box], decision: Decision) -> Inspections:
    """How the allowed ones of some flows may be inspected."""
    wanted: dict[Inspection, list[Box]] = {Inspection.MUST_NOT: [], Inspection.MUST: []}
    for rule in decision.allows:
        reach = tls_reach(rule) if rule.rule.inspection in wanted else None
        if reach is not None:
            wanted[rule.rule.inspection].extend(boxes(reach, index.tags))
    states: list[tuple[Inspection, Flow]] = []
    said = [*wanted[Inspection.MUST_NOT], *wanted[Inspection.MUST]]
    free = index.allows.first_inside(some, said, (index.denies,)) if decision.allows else None
    if free is not None:
        states.append((Inspection.MAY, free[0]))
    for state, own in wanted.items():
        flow = uncovered(in_both(some, own), (), (index.denies,))
        if flow is not None:
            states.append((state, flow))
    both = in_both(in_both(some, wanted[Inspection.MUST_NOT]), wanted[Inspection.MUST])
    return Inspections(tuple(states), uncovered(both, (), (index.denies,)) if both else None)


def holds(box: Box, flow: Flow) -> bool:
    """True if an example flow is in a box, in the policy's own view."""
    ports = box.ports.transport(flow.transport)
    if not any(first <= flow.port <= last for first, last in ports) or box.tags:
        return False
    if (flow.group in box.groups.names) is box.groups.negated:
        return False
    if (flow.account in box.accounts.names) is box.accounts.negated:
        return False
    if box.addresses is not ALL:
        one = parse_addresses(flow.address) if flow.address is not None else None
        if not isinstance(one, AddressSet) or not box.addresses.contains(one):
            return False
    return all(_passes(test, flow) for test in box.inside) and not any(_passes(test, flow) for test in box.outside)


def _passes(test: Test, flow: Flow) -> bool:
    pattern, prefix = test
    if flow.host is None or not matches(pattern, flow.host):
        return False
    return prefix is None or (flow.path is not None and (flow.path == prefix or flow.path.startswith(f"{prefix}/")))


def deciding(index: RuleIndex, flow: Flow, decision: Decision) -> tuple[BoundRule, ...]:
    """The rules that decide an example flow, of those that match some of the flows; none where the default does."""
    is_denied = flow is decision.denied
    some = decision.denies if is_denied else decision.allows
    found = [rule for rule in some if any(holds(box, flow) for box in boxes(rule.reach, index.tags))]
    if found:
        return tuple(found)
    # An example does not say that it is under a service tag whose addresses are not known.
    known = decision.denier if is_denied else decision.allower if flow is decision.allowed else None
    return () if known is None else (known,)


def is_whole(index: RuleIndex, rule: BoundRule, some: Sequence[Box]) -> bool:
    """True if the rule matches all of the flows."""
    return witness(some, tuple(boxes(rule.reach, index.tags))) is None
