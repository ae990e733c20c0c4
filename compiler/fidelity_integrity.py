"""What every lowering must keep, checked by code that no target owns: no rule and no step goes missing in silence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from egressc.approximate import with_endpoints
from egressc.flows import boxes
from egressc.flows_search import witness
from egressc.licences import Licensing, breach
from egressc.lowering import BrokenLoweringError
from egressc.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from egressc.flows import Box, Flow
    from egressc.lowering import Lowering, Part
    from egressc.policy import Endpoint
    from egressc.reach import Reach
    from egressc.site import BoundRule, Site


def check_lowering(site: Site[Any], lowering: Lowering[Any]) -> dict[BoundRule, list[Part]]:
    """The parts of each rule of the site, in the order of the site.

    Raises ``BrokenLoweringError`` if a rule has no parts, if its parts do not begin with exactly what it matches,
    if the steps of a part do not lead from where it begins to where it ends, or if a rule is left out that is no deny
    or has no closing deny behind it.
    """
    parts: dict[BoundRule, list[Part]] = {rule: [] for rule in site.rules}
    for part in lowering.parts:
        held = parts.get(part.rule)
        if held is None:
            raise BrokenLoweringError(f"`{part.rule.key}` is no rule of `{site.name}` ({site.target})")
        held.append(part)
    licensing = Licensing(site.tags, lowering.parts)
    for rule, some in parts.items():
        if not some:
            flow = witness(boxes(rule.reach, site.tags), ())
            raise BrokenLoweringError(says(site, rule, "it has no part", flow))
        if len(some) > 1 or some[0].start is not rule.reach:
            _check_start(site, rule, some)
        for part in some:
            _check_steps(site, part, licensing)
            if part.closes:
                _check_closes(site, part)
    if lowering.opening and not any(step.reason is Reason.INFRASTRUCTURE for step in lowering.site_steps):
        raise BrokenLoweringError(f"`{site.name}` ({site.target}) lets something through first, and does not say so")
    return parts


def _check_start(site: Site[Any], rule: BoundRule, parts: Sequence[Part]) -> None:
    """The parts together begin with what the rule matches; endpoint by endpoint, so that this stays linear."""
    mine: dict[Endpoint, list[Reach]] = {endpoint: [] for endpoint in rule.reach.endpoints}
    for part in parts:
        for endpoint in part.start.endpoints:
            if endpoint not in mine:
                raise BrokenLoweringError(
                    says(site, rule, f"a part begins with `{endpoint.text}`, which the rule lacks")
                )
            mine[endpoint].append(part.start)
    for endpoint, starts in mine.items():
        if any(_same_but_endpoints(start, rule.reach) for start in starts):
            continue
        whole = _boxes_to(rule.reach, endpoint, site.tags)
        some = [box for start in starts for box in _boxes_to(start, endpoint, site.tags)]
        flow = witness(whole, some)
        if flow is not None:
            raise BrokenLoweringError(says(site, rule, "no part begins with this flow", flow))
        flow = witness(some, whole)
        if flow is not None:
            raise BrokenLoweringError(
                says(site, rule, "a part begins with this flow, which the rule does not match", flow)
            )


def _check_steps(site: Site[Any], part: Part, licensing: Licensing) -> None:
    if part.left_out:
        if part.reach is not None or not part.rule.is_deny or not site.closing_deny:
            raise BrokenLoweringError(says(site, part.rule, "it is left out, and no closing deny makes up for it"))
        return
    at: Reach | None = part.start
    for step in part.steps:
        if step.before is not at and (at is None or not _equal(site, step.before, at)):
            what = f"the step `{step.reason}` does not begin where the part stands"
            raise BrokenLoweringError(says(site, part.rule, what))
        unlicensed = breach(step, part.rule, licensing)
        if unlicensed is not None:
            raise BrokenLoweringError(says(site, part.rule, unlicensed, _differs(site, step.before, step.after)))
        at = step.after
    if part.reach is at:
        return
    if part.reach is None or at is None or not _equal(site, part.reach, at):
        what = "a part changed without a step that says so"
        raise BrokenLoweringError(says(site, part.rule, what, _differs(site, at, part.reach)))


def _check_closes(site: Site[Any], part: Part) -> None:
    """What a part denies below the allows is within its exceptions, or for a deny within what it matches."""
    reach = part.reach
    if reach is None:
        raise BrokenLoweringError(says(site, part.rule, "a part that is gone denies something below the allows"))
    if part.rule.is_deny:
        whole = replace(reach, shared=True, exceptions=())
    elif reach.exceptions:
        whole = replace(with_endpoints(reach, reach.exceptions), exceptions=())
    else:
        raise BrokenLoweringError(says(site, part.rule, "an allow without exceptions denies something"))
    flow = witness([b for each in part.closes for b in boxes(each, site.tags)], tuple(boxes(whole, site.tags)))
    if flow is not None:
        raise BrokenLoweringError(says(site, part.rule, "it denies more below the allows than it excepts", flow))


def _differs(site: Site[Any], one: Reach | None, other: Reach | None) -> Flow | None:
    """A flow that is in only one of two reaches."""
    mine = () if one is None else tuple(boxes(one, site.tags))
    theirs = () if other is None else tuple(boxes(other, site.tags))
    return witness(mine, theirs) or witness(theirs, mine)


def _equal(site: Site[Any], one: Reach, other: Reach) -> bool:
    """True if two reaches are the same flows: as they are written, or a service tag and its addresses."""
    if one == other:
        return True
    return _differs(site, one, other) is None


def _same_but_endpoints(one: Reach, other: Reach) -> bool:
    return (
        one.groups == other.groups
        and one.accounts == other.accounts
        and one.ports == other.ports
        and one.exceptions == other.exceptions
        and one.shared is other.shared
        and one.source_families == other.source_families
    )


def _boxes_to(reach: Reach, endpoint: Endpoint, tags: Mapping[str, Any]) -> list[Box]:
    return list(boxes(with_endpoints(reach, (endpoint,)), tags))


def says(site: Site[Any], rule: BoundRule, what: str, flow: Flow | None = None) -> str:
    """A sentence about a broken lowering: the rule, the artefact, what is wrong and the flow that shows it."""
    shown = f": {flow.text}" if flow is not None else ""
    return f"`{rule.key}` on `{site.name}` ({site.target}): {what}{shown}"
