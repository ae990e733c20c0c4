"""What each approximation reason may change, and nothing else: the second column of the reasons' table, as code.

No target owns this. A step that changes what its reason has no licence for is a defect, whatever it says of itself.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from egressc.addresses import union_of
from egressc.anything import ANY, Anything
from egressc.flows import boxes
from egressc.flows_index import FlowIndex, uncovered
from egressc.flows_search import witness
from egressc.host_index import HostIndex
from egressc.hosts import apex, contains, covered
from egressc.policy import AddressEndpoint, HostEndpoint
from egressc.reach import BOTH_FAMILIES
from egressc.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from egressc.addresses import AddressSet
    from egressc.flows import Box
    from egressc.hosts import HostPattern
    from egressc.lowering import Part, Step
    from egressc.policy import Endpoint
    from egressc.reach import Reach
    from egressc.site import BoundGroup, BoundRule

_FIELDS = ("groups", "accounts", "endpoints", "exceptions", "ports", "shared", "source_families")

_WORDS = {
    "groups": "the source",
    "accounts": "the account",
    "endpoints": "the endpoints",
    "exceptions": "the exceptions",
    "ports": "the ports",
    "shared": "how the name is known",
    "source_families": "the IP versions of the sources",
}


class Licensing:
    """What the licences ask of the site and its lowering besides the step."""

    def __init__(self, tags: Mapping[str, AddressSet], parts: Sequence[Part]) -> None:
        self.tags = tags
        self._parts = parts

    @cached_property
    def written_allows(self) -> FlowIndex:
        """What the allows of the artefact let through."""
        return FlowIndex([p.reach for p in self._parts if p.reach is not None and not p.rule.is_deny], self.tags)


def breach(step: Step, rule: BoundRule, licensing: Licensing) -> str | None:
    """What the step changes without a licence, in words; ``None`` if it keeps to its reason."""
    before, after = step.before, step.after
    if after is before:
        return None
    if after is None:
        if step.reason is Reason.FAMILY:
            problem = _family_only(before, None, rule, licensing)
            return f"`{step.reason}` {problem}" if problem is not None else None
        return None if step.reason in _GONE else f"`{step.reason}` has no licence to take the rule away"
    if step.reason in {Reason.FAMILY, Reason.ORDER}:
        problem = (
            _family_only(before, after, rule, licensing)
            if step.reason is Reason.FAMILY
            else _order(before, after, rule, licensing)
        )
        return f"`{step.reason}` {problem}" if problem is not None else None
    field, check = _LICENCES.get(step.reason, ("", None))
    for name in _FIELDS:
        was, now = getattr(before, name), getattr(after, name)
        if was is now or was == now:
            continue
        if name == "exceptions" and step.reason in _WIDENING_NAMES:
            problem = _still_excepted(before, after, licensing)
            if problem is not None:
                return f"`{step.reason}` {problem}"
            continue
        if check is None or name != field:
            return f"`{step.reason}` has no licence to change {_WORDS[name]}"
        problem = check(before, after, rule)
        if problem is not None:
            return f"`{step.reason}` {problem}"
    return None


def _account(_before: Reach, after: Reach, _rule: BoundRule) -> str | None:
    """Any account, since the enforcement point sees none; one that sees some has no approximation to make."""
    return None if after.accounts is ANY else "makes the account another one, not any"


def _source(_before: Reach, after: Reach, _rule: BoundRule) -> str | None:
    return None if after.groups is ANY else "makes the source another one, not any"


def _shared(_before: Reach, after: Reach, _rule: BoundRule) -> str | None:
    return None if after.shared else "forgets that the name is known by its address"


def _path(before: Reach, after: Reach, _rule: BoundRule) -> str | None:
    wanted = {HostEndpoint(e.pattern) if isinstance(e, HostEndpoint) else e for e in before.endpoints}
    known = set(before.endpoints)
    if any(endpoint not in wanted and endpoint not in known for endpoint in after.endpoints):
        return "adds hosts"
    left = set(after.endpoints)
    for endpoint in before.endpoints:
        whole = HostEndpoint(endpoint.pattern) if isinstance(endpoint, HostEndpoint) else endpoint
        if endpoint not in left and whole not in left:
            return f"loses `{endpoint.text}`"
    return None


def _apex(before: Reach, after: Reach, _rule: BoundRule) -> str | None:
    deep = [e for e in before.endpoints if isinstance(e, HostEndpoint) and e.pattern.deep]
    bases = {HostEndpoint(apex(e.pattern), e.path) for e in deep}

    def licensed(new: HostEndpoint) -> bool:
        if new in bases:
            return True
        # `*.x` for `*.*.x` is that and its base `[one-label].x`.
        own = [e.pattern for e in deep if e.path == new.path]
        return covered(new.pattern, [each for pattern in own for each in (pattern, apex(pattern))])

    return _grown(before, after, licensed, "which is no base of a `*.`")


def _depth(before: Reach, after: Reach, _rule: BoundRule) -> str | None:
    exact = {e.pattern.labels for e in before.endpoints if isinstance(e, HostEndpoint) and e.pattern.is_tree}
    tails = _tails(before)
    return _grown(
        before,
        after,
        lambda new: new.pattern.deep and (new.pattern.labels in exact or _under(new.pattern, tails)),
        "which is not below a name, nor of more labels",
    )


def _label(before: Reach, after: Reach, _rule: BoundRule) -> str | None:
    tails = _tails(before)
    return _grown(
        before,
        after,
        lambda new: _under(new.pattern, tails),
        "which is not under the parent of a label with a wildcard",
    )


def _tails(reach: Reach) -> set[tuple[str, ...]]:
    """The parents of the labels with a wildcard: what stands behind the last of them in each name."""
    return {e.pattern.tail for e in reach.endpoints if isinstance(e, HostEndpoint) and not e.pattern.is_tree}


def _under(pattern: HostPattern, tails: set[tuple[str, ...]]) -> bool:
    """True if every name of the pattern is under one of the parents."""
    labels = pattern.tail
    least = 0 if pattern.deep or len(labels) < len(pattern.labels) else 1
    return any(labels[at:] in tails for at in range(least, len(labels)))


def _except(before: Reach, after: Reach, _rule: BoundRule) -> str | None:
    known = set(before.exceptions)
    held = union_of(e.addresses for e in known if isinstance(e, AddressEndpoint))
    for endpoint in after.exceptions:
        if endpoint in known or (isinstance(endpoint, AddressEndpoint) and held.contains(endpoint.addresses)):
            continue
        return f"adds the exception `{endpoint.text}`"
    return None


def _fallback(before: Reach, after: Reach, rule: BoundRule) -> str | None:
    if rule.is_deny or rule.fallback is None:
        return "uses a fallback that the rule does not have"
    if not all(isinstance(e, HostEndpoint) for e in before.endpoints):
        return "stands in for something that is no name"
    known = set(rule.fallback)
    return None if all(e in known for e in after.endpoints) else "uses addresses that the fallback does not hold"


def _still_excepted(before: Reach, after: Reach, licensing: Licensing) -> str | None:
    """A problem if an exception is lost, or if a wider one takes away what the part had.

    Where names are widened to whole domains, exceptions are, too: of names that the part did not have.
    """
    kept = set(after.exceptions)
    lost = [e for e in before.exceptions if e not in kept]
    problem = _uncovered(lost, after.exceptions) if lost else None
    if problem is not None:
        return f"{problem} among the exceptions"
    flow = witness(tuple(boxes(before, licensing.tags)), tuple(boxes(after, licensing.tags)))
    return None if flow is None else "excepts more, and something that the part had"


def _order(before: Reach, after: Reach, rule: BoundRule, licensing: Licensing) -> str | None:
    """A problem if the step adds anything, or takes away something that no allow has, as it is written."""
    has = _versions(before, rule)
    whole, left = _of_versions(before, has, licensing), _of_versions(after, has, licensing)
    if witness(left, whole) is not None:
        return "adds flows"
    if uncovered(whole, left, (licensing.written_allows,)) is not None:
        return "takes away flows that no allow has"
    return None


def _family_only(before: Reach, after: Reach | None, rule: BoundRule, licensing: Licensing) -> str | None:
    """A problem if the step adds anything, or takes away something of both IP versions."""
    has = _versions(before, rule)
    whole = _of_versions(before, has, licensing)
    left = () if after is None else _of_versions(after, has, licensing)
    if witness(left, whole) is not None:
        return "adds flows"
    for family in (4, 6):
        version = frozenset((family,))
        if witness([replace(box, families=box.families & version) for box in whole], left) is None:
            return None
    return "takes away flows of both IP versions"


def _versions(reach: Reach, rule: BoundRule) -> frozenset[int]:
    """The IP versions of the sources of a reach of the rule: without sources of one there are no flows of it."""
    if isinstance(reach.groups, Anything):
        return BOTH_FAMILIES
    groups = [group for group in rule.groups if group.name in reach.groups]
    return frozenset(family for family in (4, 6) if any(_sends(group, family) for group in groups))


def _of_versions(reach: Reach, versions: frozenset[int], licensing: Licensing) -> tuple[Box, ...]:
    """The boxes of a reach for sources of these IP versions."""
    return tuple([replace(box, families=box.families & versions) for box in boxes(reach, licensing.tags)])


def _sends(group: BoundGroup, family: int) -> bool:
    """True if the group may have sources of an IP version."""
    if isinstance(group.addresses, Anything) or group.addresses.is_empty:
        return True
    return bool(group.addresses.v4 if family == 4 else group.addresses.v6)


def _grown(before: Reach, after: Reach, licensed: Callable[[HostEndpoint], bool], what: str) -> str | None:
    """A problem if an endpoint is added that is not licensed, or one is lost that no other covers."""
    known = set(before.endpoints)
    for endpoint in after.endpoints:
        if endpoint in known:
            continue
        if not isinstance(endpoint, HostEndpoint):
            return f"adds `{endpoint.text}`, which is no name"
        if not licensed(endpoint):
            return f"adds `{endpoint.text}`, {what}"
    kept = set(after.endpoints)
    lost = [e for e in before.endpoints if e not in kept]
    return _uncovered(lost, after.endpoints) if lost else None


def _uncovered(lost: Iterable[Endpoint], endpoints: Sequence[Endpoint]) -> str | None:
    index = HostIndex([(e.pattern, e) for e in endpoints if isinstance(e, HostEndpoint)])
    for endpoint in lost:
        if not isinstance(endpoint, HostEndpoint):
            return f"loses `{endpoint.text}`"
        if not any(
            contains(other.pattern, endpoint.pattern) and other.path in (None, endpoint.path)
            for other in index.intersecting(endpoint.pattern)
        ):
            return f"loses `{endpoint.text}`"
    return None


_WIDENING_NAMES = frozenset({Reason.APEX, Reason.DEPTH, Reason.LABEL_WILDCARD})

_GONE = frozenset({Reason.NO_NAMES, Reason.PORTS, Reason.ORDER})

_LICENCES: dict[Reason, tuple[str, Callable[[Reach, Reach, BoundRule], str | None]]] = {
    Reason.ACCOUNT: ("accounts", _account),
    Reason.SOURCE: ("groups", _source),
    Reason.PATH: ("endpoints", _path),
    Reason.RESOLVED_ADDRESS: ("shared", _shared),
    Reason.APEX: ("endpoints", _apex),
    Reason.DEPTH: ("endpoints", _depth),
    Reason.LABEL_WILDCARD: ("endpoints", _label),
    Reason.EXCEPT: ("exceptions", _except),
    Reason.FALLBACK: ("endpoints", _fallback),
}
"""The reasons that may change what a part matches: which field, and how."""
