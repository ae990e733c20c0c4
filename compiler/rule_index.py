"""An index over the rules of a site, for overlap questions without comparing every rule with every other.

Names are found through a host tree, addresses through sorted intervals. Between the two kinds everything overlaps (any
name may resolve to any address), so there rules are met by *signature*: what they share besides the endpoint.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from egressc.addresses import ALL, EMPTY, AddressSet, union_of
from egressc.flows import Box, boxes, common, witness
from egressc.host_index import HostIndex
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, Inspection, TagEndpoint
from egressc.tls import tls_reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from egressc.flows import Flow
    from egressc.hosts import HostPattern
    from egressc.policy import Endpoint
    from egressc.reach import Reach
    from egressc.site import BoundRule


class _Side:
    """The rules of one action, found by what they overlap."""

    def __init__(self, rules: Sequence[BoundRule], tags: Mapping[str, AddressSet]) -> None:
        self.rules = rules
        names: list[tuple[HostPattern, int]] = []
        intervals: list[tuple[int, int, int, int]] = []
        self.everywhere: list[int] = []
        self.name_rules: dict[tuple[object, ...], list[int]] = {}
        self.address_rules: dict[tuple[object, ...], list[int]] = {}
        for number, rule in enumerate(rules):
            has_names = has_addresses = False
            for endpoint in rule.endpoints:
                if isinstance(endpoint, HostEndpoint):
                    names.append((endpoint.pattern, number))
                    has_names = True
                    continue
                has_addresses = True
                addresses = addresses_of(endpoint, tags)
                if addresses is None or addresses == ALL:
                    self.everywhere.append(number)
                else:
                    intervals.extend((4, first, last, number) for first, last in addresses.v4)
                    intervals.extend((6, first, last, number) for first, last in addresses.v6)
            reach = rule.reach
            signature = (reach.groups, reach.accounts, reach.ports)
            if has_names:
                self.name_rules.setdefault(signature, []).append(number)
            if has_addresses:
                self.address_rules.setdefault(signature, []).append(number)
        self.names: HostIndex[int] = HostIndex(names)
        intervals.sort()
        self.starts = [(family, first) for family, first, _, _ in intervals]
        self.intervals = intervals
        self.reaches = list(accumulate(((family, last) for family, _, last, _ in intervals), max))

    def by_name(self, pattern: HostPattern) -> Iterable[int]:
        """The rules with a host endpoint that overlaps the pattern (a rule may come more than once)."""
        return self.names.intersecting(pattern)

    def by_address(self, addresses: AddressSet) -> list[int]:
        """The rules with an address endpoint that overlaps the addresses, those for every address included."""
        found = list(self.everywhere)
        for family, ranges in ((4, addresses.v4), (6, addresses.v6)):
            for first, last in ranges:
                at = bisect_right(self.starts, (family, last)) - 1
                while at >= 0 and self.reaches[at] >= (family, first):
                    interval = self.intervals[at]
                    if interval[0] == family and interval[2] >= first:
                        found.append(interval[3])
                    at -= 1
        return found


class RuleIndex:
    """Answers overlap questions about the rules of one site. Immutable once built; near-linear to build."""

    def __init__(self, rules: Sequence[BoundRule], tags: Mapping[str, AddressSet]) -> None:
        self._tags = tags
        self._allows = _Side([r for r in rules if not r.is_deny], tags)
        self._denies = _Side([r for r in rules if r.is_deny], tags)
        self._cross = any(_crosses(rule) for rule in rules)
        named = [
            found
            for rule in rules
            for endpoint in rule.endpoints
            if not isinstance(endpoint, HostEndpoint) and (found := addresses_of(endpoint, tags)) and found != ALL
        ]
        self._unnamed = ALL.difference(union_of(named)) if named else ALL
        self._boxes: dict[int, tuple[Box, ...]] = {}

    def allows_meeting(self, reach: Reach) -> tuple[BoundRule, ...]:
        """The allows that overlap the reach, in the order of the site."""
        return self._meeting(self._allows, reach)

    def denies_meeting(self, reach: Reach) -> tuple[BoundRule, ...]:
        """The denies that overlap the reach, in the order of the site."""
        return self._meeting(self._denies, reach)

    def meets_allow(self, rule: BoundRule) -> bool:
        """True if an allow of the site overlaps the rule."""
        mine = tuple(boxes(rule.reach, self._tags))
        return any(
            any(common(box, other) for other in self._boxes_of(self._allows.rules[number]) for box in mine)
            for number in self._candidates(self._allows, rule.reach, first_of_signature=True)
        )

    def newly_matched(self, after: Reach, before: Reach | None) -> Flow | None:
        """A flow in ``after`` that is not in ``before`` and that the policy leaves to its default, or ``None``.

        This is what a widened allow lets through in vain: flows that another allow lets through, or a deny stops
        anyway, do not count.
        """
        minus = tuple(boxes(before, self._tags)) if before is not None else ()
        for box in boxes(after, self._tags):
            start, others = self._around(box, after)
            flow = witness((start,), (*minus, *others))
            if flow is not None:
                return flow
        return None

    def wrongly_denied(self, after: Reach, before: Reach) -> tuple[Flow, BoundRule] | None:
        """A flow that the policy allows and that a deny takes in when widened from ``before`` to ``after``.

        With the allow that it belongs to; ``None`` if the widening meets no allow.
        """
        mine = tuple(boxes(after, self._tags))
        minus = tuple(boxes(before, self._tags))
        for number in self._candidates(self._allows, after):
            allow = self._allows.rules[number]
            for other in self._boxes_of(allow):
                for box in mine:
                    both = common(box, other)
                    if both is None:
                        continue
                    denied = [b for rule in self.denies_meeting(allow.reach) for b in self._boxes_of(rule)]
                    flow = witness((both,), (*minus, *denied))
                    if flow is not None:
                        return flow, allow
        return None

    def overlap(self, one: Reach, other: Reach) -> Flow | None:
        """A flow in both reaches that no deny of the policy stops, or ``None``."""
        shared = [
            both
            for a in boxes(one, self._tags)
            for b in boxes(other, self._tags)
            if (both := common(a, b)) is not None
        ]
        if not shared:
            return None
        denied = [b for rule in self.denies_meeting(one) for b in self._boxes_of(rule)]
        return witness(shared, denied)

    def newly_matched_without(self, reach: Reach, rule: BoundRule, minus: Reach | None = None) -> Flow | None:
        """A flow that only this rule decides: in ``reach`` (of the rule), not in ``minus``, not in another rule's.

        This is what is lost when the rule, or what ``minus`` leaves of it, is not written.
        """
        start = tuple(boxes(reach, self._tags))
        others = [
            b
            for side in (self._allows, self._denies)
            for other in self._meeting(side, reach)
            if other is not rule
            for b in self._boxes_of(other)
        ]
        if minus is not None:
            others.extend(boxes(minus, self._tags))
        return witness(start, others)

    def exempted_beyond(self, exempt: Reach) -> Flow | None:
        """A flow that the policy allows, that the exemption covers, and that no `no-tls-inspection` asks for."""
        mine = tuple(boxes(exempt, self._tags))
        numbers = self._candidates(self._allows, exempt)
        asked: list[Box] | None = None
        for number in numbers:
            allow = self._allows.rules[number]
            shared = [c for a in mine for b in self._boxes_of(allow) if (c := common(a, b)) is not None]
            if not shared:
                continue
            if asked is None:
                asked = [
                    box
                    for other in numbers
                    if self._allows.rules[other].rule.inspection is Inspection.MUST_NOT
                    and (wanted := tls_reach(self._allows.rules[other])) is not None
                    for box in boxes(wanted, self._tags)
                ]
            denied = [b for rule in self.denies_meeting(allow.reach) for b in self._boxes_of(rule)]
            flow = witness(shared, (*asked, *denied))
            if flow is not None:
                return flow
        return None

    def any_allowed(self, reach: Reach) -> Flow | None:
        """A flow of the reach that no deny stops, as an example."""
        denied = [b for rule in self.denies_meeting(reach) for b in self._boxes_of(rule)]
        return witness(tuple(boxes(reach, self._tags)), denied)

    def _meeting(self, side: _Side, reach: Reach) -> tuple[BoundRule, ...]:
        mine = tuple(boxes(reach, self._tags))
        found = [
            number
            for number in self._candidates(side, reach)
            if any(common(box, other) for other in self._boxes_of(side.rules[number]) for box in mine)
        ]
        return tuple(side.rules[number] for number in found)

    def _candidates(self, side: _Side, reach: Reach, *, first_of_signature: bool = False) -> list[int]:
        """The rules that may overlap the reach, in order; a superset of those that do.

        With ``first_of_signature``, rules that a whole kind of endpoint makes overlap are represented by one of each
        signature (enough to answer whether there is any, unless rules subtract).
        """
        found: set[int] = set()
        names = addresses = False
        represented = first_of_signature and not self._cross
        for endpoint in reach.endpoints:
            if isinstance(endpoint, HostEndpoint):
                names = True
                found.update(side.by_name(endpoint.pattern))
            else:
                addresses = True
                known = addresses_of(endpoint, self._tags)
                found.update(side.by_address(ALL if known is None else known))
        for wanted, table in ((names, side.address_rules), (addresses or reach.shared, side.name_rules)):
            if wanted:
                for numbers in table.values():
                    found.update(numbers[:1] if represented else numbers)
        return sorted(found)

    def _around(self, box: Box, reach: Reach) -> tuple[Box, list[Box]]:
        """The box restricted to flows that fewer rules can match, and the boxes of the rules that still may.

        A name at an address that no rule names, or an address without a name: whatever is left there is left at all
        (unless rules subtract addresses from names or the reverse; then nothing is restricted).
        """
        sides = (self._allows, self._denies)
        if self._cross or self._unnamed.is_empty:
            rules = [side.rules[n] for side in sides for n in self._candidates(side, reach)]
            return box, [b for rule in rules for b in self._boxes_of(rule)]
        numbers: list[tuple[_Side, set[int]]]
        if box.inside or box.shared_inside:
            numbers = [
                (side, {*side.everywhere, *(n for p, _ in box.inside[:1] for n in side.by_name(p))}) for side in sides
            ]
            if box.addresses is ALL and self._unnamed is not ALL:
                box = Box(
                    box.groups,
                    box.families,
                    box.accounts,
                    box.ports,
                    self._unnamed,
                    None,
                    box.inside,
                    box.outside,
                    box.shared_inside,
                    box.shared_outside,
                )
        else:
            numbers = [(side, set(side.by_address(box.addresses))) for side in sides]
        return box, [b for side, found in numbers for n in sorted(found) for b in self._boxes_of(side.rules[n])]

    def _boxes_of(self, rule: BoundRule) -> tuple[Box, ...]:
        found = self._boxes.get(id(rule))
        if found is None:
            found = self._boxes[id(rule)] = tuple(boxes(rule.reach, self._tags))
        return found


def addresses_of(endpoint: Endpoint, tags: Mapping[str, AddressSet]) -> AddressSet | None:
    """The addresses of an endpoint that is no host; ``ALL`` for any-address; ``None`` for an opaque service tag."""
    match endpoint:
        case AddressEndpoint():
            return endpoint.addresses
        case AnyAddressEndpoint():
            return ALL
        case TagEndpoint():
            return tags.get(endpoint.name.lower())
        case HostEndpoint():
            return EMPTY


def _crosses(rule: BoundRule) -> bool:
    """True if the rule subtracts addresses from names, or names from addresses."""
    if not rule.exceptions:
        return False
    return len({isinstance(e, HostEndpoint) for e in (*rule.endpoints, *rule.exceptions)}) == 2
