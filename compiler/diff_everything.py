"""What many rules have behind a deny, or under an exemption, put together: one by one nobody would read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.addresses import ALL
from egressc.diff_covers import Found
from egressc.diff_endpoints import as_box, is_within, meet
from egressc.flows import addresses_of
from egressc.flows_index import uncovered
from egressc.flows_search import common
from egressc.policy import HostEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from egressc.addresses import AddressSet
    from egressc.diff_covers import Cover
    from egressc.diff_sides import Side, Told
    from egressc.flows import Box, Choice, Flow
    from egressc.flows_index import FlowIndex
    from egressc.policy import Endpoint
    from egressc.review import Verdict
    from egressc.services import PortSet


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


def clear_of(numbers: Sequence[int], box: Box, held: Cover, covers: Iterable[Cover]) -> Iterator[int]:
    """Those of the entries of which none of the covers has a part within the box, and which leave nothing out."""
    for number in numbers:
        if held.reaches[number].exceptions:
            continue
        mine = [both for each in held.index.boxes_of(number) if (both := common(each, box)) is not None]
        if not any(cover.index.meets_boxes(mine) for cover in covers):
            yield number


@dataclass(frozen=True, slots=True)
class Together:
    """What is asked of many rules at once: what of them within an endpoint of ``there``, for its flows ``box``.

    It was ``before`` and is ``after`` wherever none of ``indexes`` holds it; ``tags`` are those of the many.
    """

    box: Box
    endpoint: Endpoint
    there: Told
    before: Verdict
    after: Verdict
    indexes: tuple[FlowIndex, ...]
    tags: Mapping[str, AddressSet]


def everything_of(rules: Sequence[Told], asked: Together) -> Iterator[Found]:
    """All that the rules have within the endpoint, for all senders and accounts alike."""
    box, endpoint, tags = asked.box, asked.endpoint, asked.tags
    alike: dict[tuple[Choice, Choice, PortSet], list[Told]] = {}
    for rule in rules:
        mine = as_box(rule.reach.endpoints[0], rule.reach, tags)
        ports = rule.reach.ports.intersection(box.ports)
        alike.setdefault((mine.groups.within(box.groups), mine.accounts.within(box.accounts), ports), []).append(rule)
    for same in alike.values():
        found = _example(same, asked)
        if found is None:
            continue
        both, flow = found
        count = sum(1 for rule in same for each in rule.reach.endpoints if meet(each, endpoint, tags))
        within = () if _is_everything(endpoint, same, tags) else (endpoint,)
        yield Found(
            same[0], None, within, (), (), both, asked.before, asked.after, flow, (asked.there,), tuple(same), count
        )


def _is_everything(endpoint: Endpoint, rules: Sequence[Told], tags: Mapping[str, AddressSet]) -> bool:
    return all(is_within(each, endpoint, tags) for rule in rules for each in rule.reach.endpoints)


def _example(rules: Sequence[Told], asked: Together) -> tuple[Box, Flow] | None:
    for rule in rules:
        for endpoint in rule.reach.endpoints:
            both = common(as_box(endpoint, rule.reach, asked.tags), asked.box)
            flow = None if both is None else uncovered([both], (), asked.indexes)
            if both is not None and flow is not None:
                return both, flow
    return None
