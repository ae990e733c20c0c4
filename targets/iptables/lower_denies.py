"""Denies by name: taken out of the sets of the allows that they cut into.

A REJECT by a set of addresses would stop every allowed name that shares one of them. So the domain goes to no set that
an allow asks for: exact in names, and what is left of the deny is left to the closing deny, or to a REJECT below the
allows where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from egressc.anything import ANY, Anything
from egressc.approximate import drop_exceptions, left_out, named, note
from egressc.lowering import Step
from egressc.policy import HostEndpoint
from egressc.reasons import Effect, Reason
from egressc.targets.iptables.cells import Bar
from egressc.targets.iptables.domains import DomainIndex
from egressc.targets.iptables.feeding import Barrier, Feed
from egressc.targets.iptables.set_table import NAMED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.lowering import Part
    from egressc.targets.iptables.cells import Cell
    from egressc.targets.iptables.ground import Ground, Placed
    from egressc.targets.iptables.lower_part import Shaped
    from egressc.targets.iptables.model import ToSet

_CUT = (
    "its names are taken out of the sets of the allows that they belong to; a connection to one of them still passes "
    "at an address that an allowed name shares"
)
_HOLES = "its names are taken out of the sets of the allows whatever they resolve to, also to the addresses excepted"
_REJECTED = (
    "its names are refused by the addresses that they resolved to, below the allows; other names that share such an "
    "address, and that no allow lets through, are refused with them"
)


@dataclass(slots=True)
class NamedDenies:
    """What becomes of the denies by name: their parts, what bars which allow, what is left to reject.

    ``bars`` are by the position of the allow among those given. ``closing`` are rules that stand below the allows.
    """

    parts: list[Part] = field(default_factory=list)
    bars: dict[int, list[Bar]] = field(default_factory=dict)
    barriers: list[Barrier] = field(default_factory=list)
    feeds: list[Feed] = field(default_factory=list)
    closing: list[tuple[Shaped, Cell, tuple[ToSet, ...], str]] = field(default_factory=list)


def lower_denies(
    ground: Ground, denies: Sequence[Shaped], allows: Sequence[tuple[Shaped, Cell]], addressed: Sequence[Placed]
) -> NamedDenies:
    """The denies by name against the allows by name, and against the allows by address, which they cannot cut."""
    result = NamedDenies()
    if not denies:
        return result
    index = DomainIndex((domain, number) for number, (shaped, _) in enumerate(allows) for domain in shaped.domains)
    boxes: dict[Cell, str] = {}
    for placed in addressed:
        for cell, sides in placed.boxes:
            if sides:
                boxes.setdefault(cell, placed.shaped.part.rule.key)
    for shaped in denies:
        result.parts.append(_lower(ground, shaped, index, allows, boxes, result))
    return result


def _lower(
    ground: Ground,
    shaped: Shaped,
    index: DomainIndex,
    allows: Sequence[tuple[Shaped, Cell]],
    boxes: dict[Cell, str],
    result: NamedDenies,
) -> Part:
    part = shaped.part
    reach = part.reach
    if reach is None:
        return part
    site = ground.site
    processes = ground.processes(part)
    key = f"{part.rule.key} {part.start.ports.text}"
    bar = Bar(key, reach.ports, reach.groups, ANY if isinstance(reach.accounts, Anything) else processes)
    met = sorted({number for domain in shaped.domains for number in index.overlapping(domain)})
    met = [number for number in met if bar.meets(allows[number][1])]
    meets = ground.meets_allow(part.rule)
    if site.closing_deny and not meets and (not met or site.index.allows_meeting(reach)):
        # Either nothing here allows it, or saying it would take in more and thereby stop what the policy allows.
        return left_out(part)
    conflict = next((other for cell, other in boxes.items() if bar.meets(cell)), None) if meets else None
    if site.closing_deny and not met and conflict is None:
        return left_out(part)
    if conflict is not None:
        part = note(part, Reason.ORDER, f"`{conflict}` allows addresses, whatever name was asked for")
    if met:
        # Out of a set a name goes whole, whatever it resolves to.
        part = drop_exceptions(part, _HOLES, lambda e: isinstance(e, HostEndpoint))
        for number in met:
            result.bars.setdefault(number, []).append(bar)
        result.barriers.append(Barrier(key, shaped.domains, shaped.excluded))
        part = note(part, Reason.RESOLVED_ADDRESS, _CUT)
    if site.closing_deny:
        if part.rule.rule.log and ground.settings.nflog_group is not None:
            part = note(part, Reason.LOG, "what it denies is logged as the default deny, without the name of the rule")
        return replace(named(part, *(f"ipset=/{domain}/" for domain in shaped.domains if met)), cut_out=True)
    # What refuses more than the rule is the other way round than what lets more through.
    at = part.reach
    assert at is not None
    rejected = Step(Reason.RESOLVED_ADDRESS, Effect.NARROWER, _REJECTED, at, at)
    part = replace(part, steps=(*part.steps, rejected), cut_out=True, closes=(replace(at, shared=True),))
    holes = ground.table.beyond(shaped.holes, part.rule) if not met else ()
    stem = ground.table.stem(NAMED, part.rule.key, part.rule.rule.span)
    result.feeds.append(Feed(stem, shaped.domains, shaped.excluded))
    result.closing.append((shaped, ground.cell(part), holes, stem))
    return named(part, part.rule.key, stem)
