"""TLS inspection: what the rules exempt, and what they surely inspect.

Only an application rule with ``terminateTLS`` opens TLS; what a network rule matches is never opened
(premium-features.md, "TLS inspection").
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.approximate import named, note
from egressc.lowering import Recognition
from egressc.policy import Inspection
from egressc.reach import Reach
from egressc.reasons import Reason
from egressc.services import PortSet
from egressc.targets.azure_firewall.capabilities import CATEGORIES
from egressc.targets.azure_firewall.draft import Band, Draft, Form
from egressc.targets.azure_firewall.lower_except import AllowIndex
from egressc.tls import tls_part, tls_services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.lowering import Part
    from egressc.targets.azure_firewall.draft import Desk
    from egressc.targets.azure_firewall.lower_order import NetworkAllows


def inspects(drafts: Sequence[Draft], desk: Desk) -> bool:
    """True if the artefact makes the firewall open TLS at all."""
    settings = desk.settings
    return settings.can_inspect and (settings.tls_inspection or any(d.terminates and d.is_written for d in drafts))


def with_inspection(drafts: Sequence[Draft], desk: Desk, allows: NetworkAllows) -> tuple[Draft, ...]:
    """The drafts with what they exempt and inspect, for a firewall that opens TLS."""
    index: AllowIndex | None = None
    instead = _carrying_instead(drafts, desk)
    result = []
    for draft in drafts:
        part = draft.part
        wanted = part.rule.rule.inspection
        if not draft.is_deny and part.reach is not None and wanted is not Inspection.MAY and _has_tls(part):
            if draft.band is Band.EXCEPT and index is None:
                index = AllowIndex(drafts, desk)
            part = _exempted(draft, index) if wanted is Inspection.MUST_NOT else _inspected(draft, allows, index)
        if draft in instead:
            part = note(part, Reason.TLS_UNENFORCED, instead[draft])
        result.append(draft.with_part(part))
    return tuple(result)


def _carrying_instead(drafts: Sequence[Draft], desk: Desk) -> dict[Draft, str]:
    """The allows that carry connections of one that cannot be said, and treat them otherwise than that one asks."""
    found: dict[Draft, str] = {}
    index: AllowIndex | None = None
    for gone in drafts:
        wanted = gone.part.rule.rule.inspection
        if gone.is_deny or gone.is_written or wanted is Inspection.MAY:
            continue
        lost = tls_part(gone.part.start, gone.part.services)
        if lost is None:
            continue
        index = index or AllowIndex(drafts, desk)
        word = "forbids" if wanted is Inspection.MUST_NOT else "demands"
        for other in index.meeting(lost):
            is_tls = other.part.recognition is not Recognition.HOST
            if is_tls and other.terminates is (wanted is Inspection.MUST_NOT):
                lost_rule = gone.part.rule.identity
                sentence = f"it carries connections whose inspection `{lost_rule}` {word}, which cannot be said here"
                found.setdefault(other, sentence)
    return found


def _has_tls(part: Part) -> bool:
    return part.recognition is not Recognition.HOST and bool(tls_services(part.services))


def _exempted(draft: Draft, index: AllowIndex | None) -> Part:
    part, reach = draft.part, draft.part.reach
    assert reach is not None, "only written drafts exempt"
    if draft.form is Form.NETWORK:
        ports = PortSet.of(tls_services(part.services))
        tls = Reach(
            reach.groups,
            reach.accounts,
            reach.endpoints,
            reach.exceptions,
            ports,
            reach.shared,
            reach.source_families,
        )
        return replace(part, exempt=tls)
    if draft.band is Band.EXCEPT and index is not None:
        earlier = next((d for d in index.meeting(reach) if d.terminates), None)
        if earlier is not None:
            sentence = (
                "its exceptions keep it behind the other allows, and "
                f"`{earlier.part.rule.identity}` terminates TLS of the same connections before it"
            )
            return note(part, Reason.TLS_UNENFORCED, sentence)
    return replace(part, exempt=reach)


def _inspected(draft: Draft, allows: NetworkAllows, index: AllowIndex | None) -> Part:
    part, reach = draft.part, draft.part.reach
    assert reach is not None, "only written drafts inspect"
    if draft.form is Form.NETWORK:
        return note(part, Reason.TLS_UNENFORCED, "a network rule never terminates TLS")
    if not draft.terminates:
        return note(part, Reason.TLS_UNENFORCED, "Azure Firewall terminates TLS only for HTTP, not on `tls` ports")
    earlier = next(iter(allows.meeting(part.start)), None)
    if earlier is not None:
        sentence = f"`{earlier.rule.identity}` is a network rule and lets the same connections through before this one"
        return note(part, Reason.TLS_UNENFORCED, sentence)
    if draft.band is Band.EXCEPT and index is not None:
        others = (d for d in index.meeting(part.start) if d.form is Form.APPLICATION and d is not draft)
        before = next((d for d in others if not d.terminates), None)
        if before is not None:
            sentence = (
                "its exceptions keep it behind the other allows, and "
                f"`{before.part.rule.identity}` lets the same connections through before it"
            )
            return note(part, Reason.TLS_UNENFORCED, sentence)
    return named(replace(part, inspect=reach), assumptions=(CATEGORIES.id,))
