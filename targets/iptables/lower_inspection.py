"""TLS inspection: the chain in the table `nat`, by which a proxy on this machine gets connections, or does not.

What must not be inspected is accepted there, so that no rule behind it redirects it (RETURN would only leave our
chain); what must be inspected is redirected to the proxy; what may be is left alone. What goes to the internal networks
is left to others but for the addresses that a rule names: there names count as everywhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.approximate import note
from egressc.policy import Inspection
from egressc.reach import Reach
from egressc.reasons import Reason
from egressc.services import NO_PORTS, PortSet
from egressc.targets.iptables import lower_frame
from egressc.targets.iptables.chain_writer import ChainWriter, Side
from egressc.targets.iptables.ground import Placed
from egressc.targets.iptables.model import Accept, Mode, OutInterface, Redirect, Return
from egressc.tls import tls_services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.addresses import AddressSet
    from egressc.anything import Anything
    from egressc.lowering import Part
    from egressc.targets.iptables.cells import Cell
    from egressc.targets.iptables.ground import Ground

_LOOP = "every process would be redirected, also the proxy itself: on a host the rule must name an account"


def inspected(ground: Ground, part: Part) -> Part:
    """The part with what the chain exempts or surely inspects of it; unchanged where nothing intercepts."""
    reach = part.reach
    if ground.settings.tls_proxy_port is None or reach is None or part.rule.is_deny:
        return part
    services = tls_services(part.services)
    wanted = part.rule.rule.inspection
    if not services or wanted is Inspection.MAY:
        return part
    on_tls = Reach(
        reach.groups,
        reach.accounts,
        reach.endpoints,
        reach.exceptions,
        PortSet.of(services),
        reach.shared,
        reach.source_families,
    )
    if wanted is Inspection.MUST_NOT:
        return replace(part, exempt=on_tls)
    if ground.settings.mode is Mode.HOST and any(each.is_all for each in ground.processes(part)):
        return note(part, Reason.TLS_UNENFORCED, _LOOP)
    return replace(part, inspect=on_tls)


def lower_inspection(ground: Ground, denies: Sequence[Placed], allows: Sequence[Placed]) -> ChainWriter | None:
    """The chain in `nat`; ``None`` where nothing intercepts. The denies by address stand above what is redirected."""
    port = ground.settings.tls_proxy_port
    if port is None:
        return None
    chain = ChainWriter()
    if ground.settings.mode is Mode.HOST:
        chain.add((OutInterface("lo"),), Return(), "egressc: loopback")
    lower_frame.entrance(ground.site, chain)
    if any(placed.shaped.part.inspect is not None for placed in allows):
        # A redirected packet never gets to the rejection in `filter`; an accepted one does.
        for placed in denies:
            for cell, sides in placed.boxes:
                ports = PortSet(tcp=cell.ports.tcp)
                _write(ground, chain, placed, ports, cell, sides, Accept())
    early = [placed for placed in allows if placed.early]
    late = [placed for placed in allows if not placed.early]
    opens_early = any(placed.shaped.part.inspect is not None for placed in early)
    named = [placed for placed in late if placed.shaped.is_named and _tls_ports(placed.shaped.part)]
    inside = _at_inside(ground, named, early)
    _exempt(ground, chain, early)
    # An exemption goes before every redirection, also one that names addresses inside the house.
    _exempt(ground, chain, late if opens_early else inside)
    _open(ground, chain, early, port)
    _open(ground, chain, inside, port)
    lower_frame.internal(ground.table, chain)
    if not opens_early:
        _exempt(ground, chain, late)
    _open(ground, chain, late, port)
    return chain


def _tls_ports(part: Part) -> tuple[PortSet, ...]:
    return tuple([reach.ports for reach in (part.exempt, part.inspect) if reach is not None])


def _at_inside(ground: Ground, named: Sequence[Placed], early: Sequence[Placed]) -> list[Placed]:
    """The allows by name as far as they go to addresses inside the house that others name, each in its own box."""
    asked = NO_PORTS
    for placed in named:
        for ports in _tls_ports(placed.shaped.part):
            asked = asked.union(ports)
    named_there: dict[Cell, list[AddressSet | Anything]] = {}
    for placed in early:
        for cell, _ in placed.boxes:
            if cell.ports.overlaps(asked):
                named_there.setdefault(cell, []).append(placed.shaped.addresses)
    sides: dict[Cell, Side | None] = {}
    found = []
    for placed in named:
        boxes = []
        for cell, to in placed.boxes:
            for other, addresses in named_there.items():
                both = cell.within(other)
                if both is None:
                    continue
                if other not in sides:
                    sides[other] = ground.table.inside(addresses)
                at = sides[other]
                if at is not None:
                    boxes.append((both, _met(to, at)))
        if boxes:
            found.append(Placed(placed.shaped, tuple(boxes)))
    return found


def _met(sides: tuple[Side, ...], at: Side) -> tuple[Side, ...]:
    """The ways to meet the conditions on the destination, and the one on where it is as well."""
    families = [tuple(family for family in side.families if family in at.families) for side in sides]
    return tuple([Side((*side.matches, *at.matches), some) for side, some in zip(sides, families, strict=True) if some])


def _exempt(ground: Ground, chain: ChainWriter, allows: Sequence[Placed]) -> None:
    for placed in allows:
        reach = placed.shaped.part.exempt
        if reach is not None:
            for cell, sides in placed.boxes:
                _write(ground, chain, placed, cell.ports.intersection(reach.ports), cell, sides, Accept())


def _open(ground: Ground, chain: ChainWriter, allows: Sequence[Placed], port: int) -> None:
    for placed in allows:
        reach = placed.shaped.part.inspect
        if reach is not None:
            for cell, sides in placed.boxes:
                _write(ground, chain, placed, cell.ports.intersection(reach.ports), cell, sides, Redirect(port))


def _write(
    ground: Ground,
    chain: ChainWriter,
    placed: Placed,
    ports: PortSet,
    cell: Cell,
    sides: tuple[Side, ...],
    jump: Accept | Redirect,
) -> None:
    rule = placed.shaped.part.rule
    chain.write(
        ports,
        ground.sources(cell.sources),
        [each.matches for each in cell.processes],
        sides,
        jump,
        ground.comment(rule),
        until=ground.until(rule),
    )
