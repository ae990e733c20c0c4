"""Lowering: from the rules of a site to chains, sets and domain lines, and what that approximates."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from egressc.anything import Anything
from egressc.approximate import left_out, named, note
from egressc.diagnostics import Diagnostic
from egressc.lowering import Lowering
from egressc.parts import parts_of
from egressc.reasons import Reason
from egressc.services import PortSet
from egressc.targets.iptables import lower_frame
from egressc.targets.iptables.announce import Cuts, opening
from egressc.targets.iptables.capabilities import CELLS, LAST_DAY, RULE_LINE
from egressc.targets.iptables.cells import Cell, split
from egressc.targets.iptables.chain_writer import ChainWriter, Side
from egressc.targets.iptables.feeding import VOID, Feed, feeding
from egressc.targets.iptables.ground import Ground, Placed
from egressc.targets.iptables.lower_denies import NamedDenies, lower_denies
from egressc.targets.iptables.lower_inspection import inspected, lower_inspection
from egressc.targets.iptables.lower_part import Shaped, Shaper
from egressc.targets.iptables.model import Accept, Cgroup, Chains, Firewall, Owner, Reject, Resolver, ToSet
from egressc.targets.iptables.processes import size
from egressc.targets.iptables.remarks import remarks
from egressc.targets.iptables.set_table import NAMED, NETWORKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.lowering import Part
    from egressc.site import Site
    from egressc.targets.iptables.cells import Bar
    from egressc.targets.iptables.feeding import Feeding
    from egressc.targets.iptables.settings import Settings

_NO_LOG = "the rule is to be logged, and `nflog-group` is not set"
_ROOM = RULE_LINE - 2_048
"""Bytes of a chain rule that conditions on processes may take; everything else takes far less than what is left."""
_TOO_LATE = "iptables counts no further than 2037, so the end of the rule is seen to at compile time"


@dataclass(slots=True)
class _Sorted:
    """The shapes of a site by what becomes of them. ``parts`` are those that need nothing more."""

    parts: list[Part] = field(default_factory=list)
    denies: list[Placed] = field(default_factory=list)
    named_denies: list[Shaped] = field(default_factory=list)
    allows: list[Placed] = field(default_factory=list)
    named_allows: list[tuple[Shaped, Cell]] = field(default_factory=list)


def lower(site: Site[Settings]) -> Lowering[Firewall]:
    """The firewall of a site, and how each of its rules is said there."""
    ground = Ground(site)
    shapes = _sorted(ground)
    cut = lower_denies(ground, shapes.named_denies, shapes.named_allows, shapes.allows)
    feeds = [*cut.feeds]
    named_allows = _placed_by_name(ground, shapes.named_allows, cut.bars, feeds)
    if cut.barriers:
        cuts = Cuts(site, cut.barriers)
        named_allows = [_cut(each, cuts) for each in named_allows]
    allows = [*shapes.allows, *named_allows]
    fed = feeding(feeds, cut.barriers)
    allows = [_fed(each, fed) for each in allows]
    allows.sort(key=lambda each: each.shaped.part.rule.key)
    chain = _filter(ground, shapes.denies, allows, cut, fed)
    nat = lower_inspection(ground, shapes.denies, allows)
    filled = sorted({stem for line in fed.lines for stem in line.stems})
    ground.table.check_number(len(filled))
    senders = _senders(ground, (*shapes.denies, *allows), cut)
    settings = site.settings
    firewall = Firewall(
        site.name,
        settings.mode,
        settings.chain,
        (
            Chains(4, tuple(chain.v4), None if nat is None else tuple(nat.v4)),
            Chains(6, tuple(chain.v6), None if nat is None else tuple(nat.v6)),
        ),
        tuple(ground.table.networks[stem] for stem in sorted(ground.table.networks)),
        tuple(filled),
        tuple(sorted(ground.table.foreign)),
        Resolver(settings.dnsmasq_user, settings.servers, fed.lines) if settings.dns else None,
        tuple(sorted({m.user for m in senders if isinstance(m, Owner) and not m.user.isdigit()})),
        tuple(sorted({m.path for m in senders if isinstance(m, Cgroup)})),
        remarks(site.rules, ground.long_comments),
    )
    parts = [*shapes.parts, *cut.parts, *(named(p.shaped.part, *_names(p)) for p in (*shapes.denies, *allows))]
    return Lowering(
        firewall,
        tuple(parts),
        lower_frame.site_steps(site),
        (*ground.diagnostics, *ground.table.diagnostics),
        lower_frame.assumptions(site),
        inspects=settings.tls_proxy_port is not None,
        opening=opening(settings) if lower_frame.has_infrastructure(site) else (),
        overlapping=tuple(ground.overlapping.items()),
    )


def _sorted(ground: Ground) -> _Sorted:
    """The parts of all rules in their shapes."""
    shaper = Shaper(ground.site)
    result = _Sorted()
    for rule in ground.site.rules:
        for start in parts_of(rule):
            for shaped in shaper.shaped(start):
                if isinstance(shaped, Diagnostic):
                    ground.diagnostics.append(shaped)
                    result.parts.append(start)
                elif shaped.part.reach is None:
                    part = shaped.part
                    result.parts.append(left_out(part) if rule.is_deny and _is_covered(ground, part) else part)
                elif rule.is_deny:
                    _sort_deny(ground, shaped, result)
                else:
                    _sort_allow(ground, shaped, result)
    return result


def _sort_deny(ground: Ground, shaped: Shaped, result: _Sorted) -> None:
    part = shaped.part
    if not shaped.is_named and part.steps and _is_covered(ground, part):
        result.parts.append(left_out(part))
        return
    shaped = replace(shaped, part=_with_log(ground, part))
    if shaped.is_named:
        result.named_denies.append(shaped)
    else:
        result.denies.append(_placed_by_address(ground, shaped))


def _sort_allow(ground: Ground, shaped: Shaped, result: _Sorted) -> None:
    part = inspected(ground, _with_log(ground, shaped.part))
    expires = part.rule.rule.expires
    if expires is not None and expires > LAST_DAY:
        part = note(part, Reason.EXPIRY, _TOO_LATE)
    if part is not shaped.part:
        shaped = Shaped(part, shaped.domains, shaped.excluded, shaped.holes, shaped.addresses, shaped.origin)
    if shaped.is_named:
        result.named_allows.append((shaped, ground.cell(part)))
    else:
        result.allows.append(_placed_by_address(ground, shaped))


def _with_log(ground: Ground, part: Part) -> Part:
    if part.rule.rule.log and ground.settings.nflog_group is None:
        return note(part, Reason.LOG, _NO_LOG)
    return part


def _is_covered(ground: Ground, part: Part) -> bool:
    """True if the closing deny stops what a deny is for.

    Then no allow of the site meets it, and it names no address of the internal networks, which the closing deny leaves
    alone.
    """
    site = ground.site
    return site.closing_deny and not site.names_internal(part.start.endpoints) and not ground.meets_allow(part.rule)


def _placed_by_address(ground: Ground, shaped: Shaped) -> Placed:
    rule = shaped.part.rule
    addresses = shaped.addresses
    sides = ground.table.towards(addresses, NETWORKS, f"{rule.key}{shaped.origin}", rule)
    internal = ground.site.internal
    inside = not internal.is_empty if isinstance(addresses, Anything) else addresses.overlaps(internal)
    return Placed(shaped, ((ground.cell(shaped.part), sides),), inside)


def _placed_by_name(
    ground: Ground, shapes: Sequence[tuple[Shaped, Cell]], bars: dict[int, list[Bar]], feeds: list[Feed]
) -> list[Placed]:
    """The allows by name, in cells; the sets of each are added to ``feeds``, and named in the cells' places."""
    cells: list[tuple[Cell, ...]] = []
    barred: dict[int, set[frozenset[str]]] = {}
    for number, (shaped, cell) in enumerate(shapes):
        found = split(cell, bars[number]) if number in bars else (cell,)
        identity = shaped.part.rule.identity
        if len(found) > CELLS:
            what = f"the denies by name cut `{identity}` into more than {CELLS} pieces"
            ground.diagnostics.append(_too_many(shaped, what))
            found = found[:1]
        elif number in bars and any(size(each) > _ROOM for piece in found for each in piece.processes):
            what = f"the denies by name leave `{identity}` with more conditions on its processes than a rule can hold"
            ground.diagnostics.append(_too_many(shaped, what))
        cells.append(found)
        barred.setdefault(id(shaped.part.rule), set()).update(each.barred for each in found)
    placed = []
    told: set[str] = set()
    for (shaped, _), found in zip(shapes, cells, strict=True):
        rule = shaped.part.rule
        holes = ground.table.beyond(shaped.holes, rule) if not shaped.holes.is_empty else ()
        boxes = []
        for cell in found:
            key = rule.key
            if cell.barred and len(barred[id(rule)]) > 1:
                key = f"{key} without {' '.join(sorted(cell.barred))}"
            stem = ground.table.stem(NAMED, key, rule.rule.span)
            if stem not in told:
                told.add(stem)
                feeds.append(Feed(stem, shaped.domains, shaped.excluded, cell.barred))
            boxes.append((cell, (Side((ToSet(stem), *holes)),)))
        placed.append(Placed(shaped, tuple(boxes)))
    return placed


def _cut(placed: Placed, cuts: Cuts) -> Placed:
    """An allow by name that says what denies by name have left of it."""
    cells = [cell for cell, _ in placed.boxes]
    if not any(cell.barred for cell in cells):
        return placed
    shaped = placed.shaped
    part = replace(shaped.part, cells=cuts.blocks(shaped, cells))
    return Placed(replace(shaped, part=part), placed.boxes, placed.early)


def _fed(placed: Placed, fed: Feeding) -> Placed:
    """An allow by name with the sets that its own stand for in the lines of the resolver."""
    if not placed.shaped.is_named:
        return placed
    boxes = []
    changed = False
    for cell, sides in placed.boxes:
        own, *holes = sides[0].matches
        assert isinstance(own, ToSet)
        stems = fed.stems[own.stem]
        if stems == (own.stem,):
            boxes.append((cell, sides))
            continue
        changed = True
        boxes.append((cell, tuple(Side((ToSet(stem), *holes)) for stem in stems)))
    return Placed(placed.shaped, tuple(boxes)) if changed else placed


def _filter(
    ground: Ground, denies: Iterable[Placed], allows: Sequence[Placed], cut: NamedDenies, fed: Feeding
) -> ChainWriter:
    """The chain in the table `filter`, top to bottom."""
    chain = lower_frame.opening(ground.site, ground.table)
    for placed in denies:
        _write_deny(ground, chain, placed)
    for early in (True, False):
        if not early:
            lower_frame.internal(ground.table, chain)
        for placed in allows:
            if placed.early is early:
                _write_allow(ground, chain, placed)
    for shaped, cell, holes, stem in cut.closing:
        sides = tuple(Side((ToSet(each), *holes)) for each in fed.stems[stem])
        _write_deny(ground, chain, Placed(shaped, ((cell, sides),)))
    chain.extend(lower_frame.closing(ground.site, ground.table))
    return chain


def _write_deny(ground: Ground, chain: ChainWriter, placed: Placed) -> None:
    rule = placed.shaped.part.rule
    for cell, sides in placed.boxes:
        sources = ground.sources(cell.sources)
        processes = [each.matches for each in cell.processes]
        for ports, jump in (
            (PortSet(tcp=cell.ports.tcp), Reject(reset=True)),
            (PortSet(udp=cell.ports.udp), Reject(reset=False)),
        ):
            chain.write(ports, sources, processes, sides, jump, ground.comment(rule), log=ground.log(rule))


def _write_allow(ground: Ground, chain: ChainWriter, placed: Placed) -> None:
    rule = placed.shaped.part.rule
    for cell, sides in placed.boxes:
        chain.write(
            cell.ports,
            ground.sources(cell.sources),
            [each.matches for each in cell.processes],
            sides,
            Accept(),
            ground.comment(rule),
            until=ground.until(rule),
            log=ground.log(rule),
        )


def _senders(ground: Ground, placed: Iterable[Placed], cut: NamedDenies) -> set[Owner | Cgroup]:
    """The users and control groups in the rules."""
    cells = {cell.processes for each in placed for cell, sides in each.boxes if sides}
    cells.update(cell.processes for _, cell, _, _ in cut.closing)
    found = {match for processes in cells for each in processes for match in each.matches}
    if lower_frame.has_infrastructure(ground.site):
        found.add(Owner(ground.settings.dnsmasq_user))
    return found


def _names(placed: Placed) -> tuple[str, ...]:
    """What the rule is called in the files: in comments, and the sets of its destinations."""
    stems = dict.fromkeys(
        match.stem
        for _, sides in placed.boxes
        for side in sides
        for match in side.matches
        if isinstance(match, ToSet) and not match.outside and match.stem != VOID
    )
    return (placed.shaped.part.rule.key, *stems)


def _too_many(shaped: Shaped, what: str) -> Diagnostic:
    return Diagnostic(
        code="E0768",
        message=what,
        span=shaped.part.rule.rule.span,
        label="each piece needs chain rules and sets of its own",
        help="let the denies cover all ports and accounts of the allow, or list the hosts that remain",
    )
