"""Inspection: what an artefact exempts from TLS inspection, compared with what the policy asks for.

With N the flows that must not be inspected, M those that must, X what the device may inspect and Y what it surely
inspects: N∩X and M∖Y are `tls-unenforced`, what is exempted beyond N is `tls-scope`. Only flows that the policy allows
are compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egressc.lowering import Kind, Recognition
from egressc.policy import Inspection
from egressc.reach import Reach
from egressc.reasons import Reason
from egressc.services import PortSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.flows import Flow
    from egressc.lowering import Part
    from egressc.rule_index import RuleIndex
    from egressc.services import Service
    from egressc.site import BoundRule, Site


def tls_services(services: Sequence[Service]) -> tuple[Service, ...]:
    """The services whose connections are TLS: `https` and `tls`."""
    return tuple(s for s in services if s.application.recognition == "sni")


def tls_reach(rule: BoundRule) -> Reach | None:
    """What a rule matches on its TLS ports; ``None`` if it has none."""
    services = tls_services(rule.services)
    if not services:
        return None
    if len(services) == len(rule.services):
        return rule.reach
    reach = rule.reach
    return Reach(reach.groups, reach.accounts, reach.endpoints, reach.exceptions, PortSet.of(services))


def conflict(index: RuleIndex, one: BoundRule) -> Iterator[tuple[BoundRule, Flow]]:
    """The rules that forbid the inspection that ``one`` demands, each with a flow that both allow."""
    mine = tls_reach(one)
    if mine is None:
        return
    for other in index.allows_meeting(mine):
        if other.rule.inspection is not Inspection.MUST_NOT:
            continue
        theirs = tls_reach(other)
        flow = None if theirs is None else index.overlap(mine, theirs)
        if flow is not None:
            yield other, flow


def exemption_differences(
    site: Site[Any], parts: Sequence[Part]
) -> Iterator[tuple[BoundRule, Reason, str, Flow | None]]:
    """Where a device that inspects does not inspect as the policy asks: rule, reason, sentence, example."""
    index = site.index
    demanded = [p for p in parts if p.rule.rule.inspection is Inspection.MUST and p.reach and _has_tls(p)]
    for part in parts:
        rule = part.rule
        if rule.is_deny or part.reach is None or not _has_tls(part):
            continue
        if part.exempt is not None:
            flow = index.exempted_beyond(part.exempt)
            if flow is not None:
                yield (
                    rule,
                    Reason.TLS_SCOPE,
                    "the exemption also covers flows that did not ask for it",
                    flow,
                )
        elif rule.rule.inspection is Inspection.MUST_NOT and not _said(part):
            yield (
                rule,
                Reason.TLS_UNENFORCED,
                "the device may inspect what must not be inspected",
                index.any_allowed(part.reach),
            )
        if rule.rule.inspection is Inspection.MUST and part.inspect is None and not _said(part):
            yield (
                rule,
                Reason.TLS_UNENFORCED,
                "the device does not surely inspect what must be inspected",
                index.any_allowed(part.reach),
            )
    if not demanded:
        return
    for part in parts:
        if part.exempt is None:
            continue
        for other in demanded:
            wanted = tls_reach(other.rule)
            flow = None if wanted is None else index.overlap(part.exempt, wanted)
            if flow is not None:
                yield (
                    other.rule,
                    Reason.TLS_UNENFORCED,
                    f"the exemption of `{part.rule.identity}` covers it on this device",
                    flow,
                )


def _has_tls(part: Part) -> bool:
    if part.kind is Kind.NAMES and part.services and part.recognition is Recognition.HOST:
        return False
    return bool(tls_services(part.services))


def _said(part: Part) -> bool:
    return any(step.reason is Reason.TLS_UNENFORCED for step in part.steps)
