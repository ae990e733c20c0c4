"""The order in which the rule collections of a policy and its parents are gone through.

"Parent policy rule collection groups always have priority over child policy rule collection groups, whatever their
priority", then groups and collections by their number (rule-processing.md, "Rule processing using Firewall Policy").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from egressc.meaning import UnreadableError
from egressc.targets.azure_firewall.live import last_name
from egressc.targets.azure_firewall.meaning_match import may_be_one

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from egressc.targets.azure_firewall.live import Live, LiveCollection, LiveGroup, LivePolicy


@dataclass(frozen=True, slots=True)
class Order:
    """The collections in their order; ``policy`` is the identifier of the policy itself, as far as it was said.

    ``unknown`` says in words what else has rules there that nobody gave us: they come before all others, perhaps.
    """

    policy: str
    collections: tuple[LiveCollection, ...]
    unknown: tuple[str, ...]
    has_dns_proxy: bool | None
    can_inspect: bool | None
    remarks: tuple[str, ...]


def in_order(live: Live, name: str) -> Order:
    """The collections of the policy with that name. Raises ``UnreadableError`` where only other policies are."""
    mine = _own_identifier(live, name)
    described = _described(live, mine)
    remarks: list[str] = []
    unknown: list[str] = []
    chain = _chain(live, mine, unknown)
    ordered: list[LiveCollection] = []
    seen: set[int] = set()
    for identifier in chain:
        own = [group for group in live.groups if _is_of(group, identifier, mine)]
        seen.update(map(id, own))
        ordered.extend(_of_policy(own))
    others = [group for group in live.groups if id(group) not in seen]
    above: list[LiveCollection] = []
    for group in others:
        if described is not None:
            remarks.append(
                f"{group.name}: it belongs to the policy `{last_name(group.policy)}`, which has no bearing here"
            )
        else:
            why = f"nothing says whether the policy `{last_name(group.policy)}` is a parent of `{name}`"
            above.extend([replace(each, doubts=(*each.doubts, why)) for each in _of_policy([group])])
    return Order(
        mine,
        (*above, *ordered),
        tuple(unknown),
        described.has_dns_proxy if described else None,
        described.can_inspect if described else None,
        tuple(remarks),
    )


def _own_identifier(live: Live, name: str) -> str:
    """The identifier of the policy in the files; the longest, where some files say more than others."""
    said = [group.policy for group in live.groups] + [policy.identifier for policy in live.policies]
    found = sorted({each for each in said if each and last_name(each) == name.lower()}, key=lambda each: each.lower())
    parents = [policy.base for policy in live.policies if policy.base is not None]
    if len(found) > 1:
        found = [each for each in found if not any(each.lower() == base.lower() for base in parents)] or found
    for one in found:
        for other in found:
            if not may_be_one(one, other):
                raise UnreadableError(f"there are two policies `{name}`: `{one}` and `{other}`")
    others = sorted({last_name(group.policy) for group in live.groups if group.policy})
    if not found and others and not any(not group.policy for group in live.groups):
        raise UnreadableError(
            f"no rule collection group belongs to the policy `{name}`, but to `{'`, `'.join(others)}`"
        )
    return max(found, key=len, default=name)


def _described(live: Live, identifier: str) -> LivePolicy | None:
    return next((policy for policy in live.policies if may_be_one(policy.identifier, identifier)), None)


def _is_of(group: LiveGroup, identifier: str, mine: str) -> bool:
    """True if a group belongs to a policy; one that does not say to which belongs to our own."""
    return may_be_one(group.policy, identifier) if group.policy else identifier == mine


def _chain(live: Live, mine: str, unknown: list[str]) -> list[str]:
    """The policy and its parents, the uppermost first; what is missing of them goes to ``unknown``."""
    chain: list[str] = []
    current: str | None = mine
    while current is not None:
        if any(may_be_one(current, other) for other in chain):
            raise UnreadableError(f"the policy `{last_name(current)}` is its own parent")
        chain.append(current)
        policy = _described(live, current)
        own = {group.name.lower() for group in live.groups if _is_of(group, current, mine)}
        if policy is None:
            if not own and current != mine:
                unknown.append(f"the rules of the parent policy `{last_name(current)}` are not in the files")
            break
        unknown.extend(
            f"the rule collection group `{name}` of the policy `{last_name(current)}` is not in the files"
            for name in policy.groups or ()
            if name not in own and not _has_nameless(live)
        )
        if not own and policy.groups is None and current != mine:
            unknown.append(f"the rules of the parent policy `{last_name(current)}` are not in the files")
        current = policy.base
    return chain[::-1]


def _has_nameless(live: Live) -> bool:
    return any(not group.name for group in live.groups)


def _of_policy(groups: Iterable[LiveGroup]) -> Iterator[LiveCollection]:
    """The collections of one policy in their order."""
    ordered = sorted(groups, key=lambda group: group.priority)
    twice = _tied([group.priority for group in ordered])
    for group in ordered:
        collections = sorted(group.collections, key=lambda collection: collection.priority)
        tied = _tied([collection.priority for collection in collections])
        for each in collections:
            doubts = each.doubts
            if group.priority in twice:
                doubts = (*doubts, f"several rule collection groups have the priority {group.priority}")
            if each.priority in tied:
                doubts = (*doubts, f"several rule collections of its group have the priority {each.priority}")
            yield each if doubts is each.doubts else replace(each, doubts=doubts)


def _tied(priorities: list[int]) -> frozenset[int]:
    return frozenset(one for one, other in pairwise(priorities) if one == other)
