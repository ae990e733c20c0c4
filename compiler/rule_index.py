"""An index over the rules of a site: which of them meet, and what the policy decides about a set of flows.

``None`` for a flow means: there is none (exact).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.anything import Anything
from egressc.flows import boxes
from egressc.flows_index import FlowIndex, uncovered
from egressc.flows_search import in_both, one_of_each
from egressc.policy import Inspection
from egressc.reach import for_every_process
from egressc.tls import tls_reach

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from egressc.addresses import AddressSet
    from egressc.flows import Box, Flow
    from egressc.reach import Reach
    from egressc.services import PortSet
    from egressc.site import BoundRule


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An address of each IP version that no rule names (``None``: any is), and the boxes of rules for every address."""

    spots: AddressSet | None
    everywhere: tuple[Box, ...]

    def free_address(self, flow: Flow) -> tuple[bool, str | None]:
        """True if no rule for addresses matches the flow there, and the address (``None``: it does not matter)."""
        for box in self.everywhere:
            held = box.ports.transport(flow.transport)
            if (
                (flow.group in box.groups.names) is not box.groups.negated
                and (flow.account in box.accounts.names) is not box.accounts.negated
                and any(first <= flow.port <= last for first, last in held)
            ):
                return False, None
        if self.spots is None:
            return True, None
        spots = self.spots if flow.family is None else self.spots.family(4 if flow.family == 4 else 6)
        return (False, None) if spots.is_empty else (True, spots.first())


class RuleIndex:
    """Answers overlap questions about the rules of one site. Immutable once built; near-linear to build."""

    def __init__(self, rules: Sequence[BoundRule], tags: Mapping[str, AddressSet]) -> None:
        self.tags = tags
        self.allow_rules = tuple(rule for rule in rules if not rule.is_deny)
        self.deny_rules = tuple(rule for rule in rules if rule.is_deny)
        self.allows = FlowIndex([rule.reach for rule in self.allow_rules], tags)
        self.denies = FlowIndex([rule.reach for rule in self.deny_rules], tags)
        self._elsewhere: dict[PortSet, Elsewhere | None] = {}

    def allows_meeting(self, reach: Reach) -> tuple[BoundRule, ...]:
        """The allows that overlap the reach, in the order of the site."""
        return tuple([self.allow_rules[number] for number in self.allows.meeting(reach)])

    def denies_meeting(self, reach: Reach) -> tuple[BoundRule, ...]:
        """The denies that overlap the reach, in the order of the site."""
        return tuple([self.deny_rules[number] for number in self.denies.meeting(reach)])

    def meets_allow(self, rule: BoundRule) -> bool:
        """True if an allow of the site overlaps the rule."""
        return self.allows.meets(rule.reach)

    def newly_matched(self, after: Reach, before: Reach | None) -> Flow | None:
        """A flow in ``after`` that is not in ``before`` and that the policy leaves to its default.

        This is what a widened allow lets through in vain: flows that another allow lets through, or a deny stops
        anyway, do not count.
        """
        minus = tuple(boxes(before, self.tags)) if before is not None else ()
        return uncovered(boxes(after, self.tags), minus, (self.allows, self.denies))

    def wrongly_denied(self, after: Reach, before: Reach) -> tuple[Flow, BoundRule] | None:
        """A flow that the policy allows and that a deny takes in when widened from ``before`` to ``after``.

        With the allow that it belongs to; ``None`` if the widening meets no allow.
        """
        found = self.allows.first_inside(
            tuple(boxes(after, self.tags)), tuple(boxes(before, self.tags)), (self.denies,)
        )
        return None if found is None else (found[0], self.allow_rules[found[1]])

    def overlap(self, one: Reach, other: Reach) -> Flow | None:
        """A flow in both reaches that no deny of the policy stops."""
        return self._undenied(in_both(boxes(one, self.tags), tuple(boxes(other, self.tags))))

    def any_allowed(self, reach: Reach) -> Flow | None:
        """A flow of the reach that no deny stops, as an example."""
        return self._undenied(tuple(boxes(reach, self.tags)))

    def exempted_beyond(self, exempt: Reach, overlapping: Mapping[str, frozenset[str]]) -> Flow | None:
        """A flow that the policy allows, that the exemption covers, and that no `no-tls-inspection` asks for.

        The exemption also covers what ``overlapping`` accounts do with processes of its own accounts, and what a rule
        for all of its own accounts asks for, it asks for these processes.
        """
        whole = for_every_process(exempt, overlapping)
        asked: list[Box] = []
        for rule in self.allows_meeting(exempt):
            wanted = tls_reach(rule) if rule.rule.inspection is Inspection.MUST_NOT else None
            if wanted is None:
                continue
            if whole is not exempt and _are_among(exempt.accounts, wanted.accounts):
                wanted = for_every_process(wanted, overlapping)
            asked.extend(boxes(wanted, self.tags))
        found = self.allows.first_inside(tuple(boxes(whole, self.tags)), asked, (self.denies,))
        return None if found is None else found[0]

    def names_alone(self, rule: BoundRule, host: str, ports: PortSet) -> bool:
        """True if no other rule of the site names the host on one of these ports."""
        for side, rules in ((self.allows, self.allow_rules), (self.denies, self.deny_rules)):
            for number in side.names.matching(host):
                other = rules[number]
                if other is not rule and other.reach.ports.overlaps(ports):
                    return False
        return True

    def elsewhere(self, ports: PortSet) -> Elsewhere | None:
        """Where no rule that names addresses matches these ports; ``None`` if there is no such place."""
        if ports not in self._elsewhere:
            self._elsewhere[ports] = self._find_elsewhere(ports)
        return self._elsewhere[ports]

    def _find_elsewhere(self, ports: PortSet) -> Elsewhere | None:
        sides = (self.allows, self.denies)
        if not any(side.signatures_over(ports, names=False) for side in sides):
            return Elsewhere(None, ())
        left = self.allows.unnamed.intersection(self.denies.unnamed)
        everywhere = tuple(
            box
            for side in sides
            for number in side.everywhere
            for box in side.boxes_of(number)
            if not box.inside and box.ports.overlaps(ports)
        )
        return None if left.is_empty else Elsewhere(one_of_each(left), everywhere)

    def _undenied(self, some: Sequence[Box]) -> Flow | None:
        return uncovered(some, (), (self.denies,))


def _are_among(some: frozenset[str] | Anything, others: frozenset[str] | Anything) -> bool:
    return isinstance(others, Anything) or (not isinstance(some, Anything) and some <= others)
