"""What every lowering must keep, checked by code that no target owns: no rule and no step goes missing in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egressc.approximate import with_endpoints
from egressc.flows import boxes
from egressc.flows_search import witness
from egressc.licences import Licensing, breach
from egressc.lowering import BrokenLoweringError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from egressc.flows import Box, Flow
    from egressc.lowering import Lowering, Part, Step
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
            raise BrokenLoweringError(f"`{rule.key}` has no part on `{site.name}` ({site.target})")
        if len(some) > 1 or some[0].start is not rule.reach:
            _check_start(site, rule, some)
        for part in some:
            _check_steps(site, part, licensing)
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
            raise BrokenLoweringError(says(site, part.rule, unlicensed, _changed(site, step)))
        at = step.after
    if part.reach is at:
        return
    if part.reach is None or at is None or not _equal(site, part.reach, at):
        raise BrokenLoweringError(says(site, part.rule, "a part changed without a step that says so"))


def _changed(site: Site[Any], step: Step) -> Flow | None:
    """A flow that the step adds or takes away."""
    before = tuple(boxes(step.before, site.tags))
    after = () if step.after is None else tuple(boxes(step.after, site.tags))
    return witness(before, after) or witness(after, before)


def _equal(site: Site[Any], one: Reach, other: Reach) -> bool:
    """True if two reaches are the same flows: as they are written, or a service tag and its addresses."""
    if one == other:
        return True
    mine, theirs = tuple(boxes(one, site.tags)), tuple(boxes(other, site.tags))
    return witness(mine, theirs) is None and witness(theirs, mine) is None


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
