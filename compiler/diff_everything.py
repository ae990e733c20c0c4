"""What many allows have behind a deny, put together: one by one nobody would read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.addresses import ALL
from egressc.diff_covers import Found
from egressc.diff_endpoints import as_box, is_within, meet
from egressc.flows import addresses_of
from egressc.flows_index import uncovered
from egressc.flows_search import common
from egressc.policy import HostEndpoint
from egressc.review import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.diff_sides import Side, Told
    from egressc.flows import Box, Choice, Flow
    from egressc.policy import Endpoint


def clear_of_denies(numbers: Sequence[int], box: Box, endpoint: Endpoint, side: Side) -> Iterator[int]:
    """Those of the allows of which no deny of the side holds a part in the same words, and which leave nothing out."""
    denies, allows = side.denies, side.allows
    if isinstance(endpoint, HostEndpoint):
        near = denies.everywhere or denies.names.intersecting(endpoint.pattern)
    else:
        near = denies.by_address(box.addresses)
    if near:
        return
    touched: set[int] = set()
    for each in {e for deny in side.deny_rules for e in deny.reach.endpoints}:
        if isinstance(each, HostEndpoint):
            touched.update(allows.names.intersecting(each.pattern))
        else:
            touched.update(allows.by_address(addresses_of(each, side.tags) or ALL))
    for number in numbers:
        if number not in touched and not side.allow_rules[number].reach.exceptions:
            yield number


def everything_of(rules: Sequence[Told], box: Box, endpoint: Endpoint, deny: Told, side: Side) -> Iterator[Found]:
    """All that the allows have within an endpoint of the deny that is gone, for all senders and accounts alike."""
    alike: dict[tuple[Choice, Choice], list[Told]] = {}
    for rule in rules:
        mine = as_box(rule.reach.endpoints[0], rule.reach, side.tags)
        alike.setdefault((mine.groups.within(box.groups), mine.accounts.within(box.accounts)), []).append(rule)
    for some in alike.values():
        by_ports: dict[object, list[Told]] = {}
        for rule in some:
            by_ports.setdefault(rule.reach.ports.intersection(box.ports), []).append(rule)
        for same in by_ports.values():
            found = _example(same, box, side)
            if found is None:
                continue
            both, flow = found
            count = sum(1 for rule in same for each in rule.reach.endpoints if meet(each, endpoint, side.tags))
            within = () if _is_everything(endpoint, same, side) else (endpoint,)
            yield Found(
                same[0], None, within, (), (), both, Verdict.DENY, Verdict.ALLOW, flow, (deny,), tuple(same), count
            )


def _is_everything(endpoint: Endpoint, rules: Sequence[Told], side: Side) -> bool:
    return all(is_within(each, endpoint, side.tags) for rule in rules for each in rule.reach.endpoints)


def _example(rules: Sequence[Told], box: Box, side: Side) -> tuple[Box, Flow] | None:
    for rule in rules:
        for endpoint in rule.reach.endpoints:
            both = common(as_box(endpoint, rule.reach, side.tags), box)
            flow = None if both is None else uncovered([both], (), (side.denies,))
            if both is not None and flow is not None:
                return both, flow
    return None
