"""The table `nat`, by which a proxy on this machine gets connections or does not, before `filter` sees them.

A redirected connection does not go through FORWARD, and in OUTPUT it goes to the proxy's port: what `filter` says of
its destination is never asked (measured, see `lower_inspection`). What the proxy then does is its own business.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from egressc.addresses import ALL
from egressc.flows import EVERY
from egressc.flows_index import BlockIndex
from egressc.meaning import Handling, InspectionRuling, Outcome, Ruling
from egressc.services import PortSet
from egressc.targets.iptables.meaning_packets import takes_redirected
from egressc.targets.iptables.meaning_shown import name_of, place_of
from egressc.targets.iptables.model import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.meaning import Block
    from egressc.site import Site
    from egressc.targets.iptables.live import Live, LiveChain, LiveRule, LiveTable
    from egressc.targets.iptables.meaning_match import Held, Matcher
    from egressc.targets.iptables.model import Family
    from egressc.targets.iptables.settings import Settings

_TCP: Final = PortSet(tcp=((1, 65535),))
OTHERS: Final = "(rules behind the chain)"
"""What the ruling is called that stands for what other rules of the table may do."""

_OTHERS: Final = "what other rules stand in the table nat is not in these files"
_GOES_ON: Final = frozenset({"", "LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "SET", "TRACE", "SNAT", "MASQUERADE"})
"""Targets that leave the destination as it is (iptables-extensions(8))."""

_WAYS: Final = 200_000
"""So many rules are looked at on the ways through all chains."""
_DEEPEST: Final = 100
"""So many chains are gone into, one from the other."""


@dataclass(frozen=True, slots=True)
class _Nat:
    """One rule that ends the way through `nat`: a connection stays as it is, or goes to a port.

    ``blocks`` hold names also at addresses inside the house, which have left the chain before; ``flows`` do not.
    """

    name: str
    place: str
    blocks: tuple[Block, ...]
    flows: tuple[Block, ...]
    stays: bool
    doubt: str
    lost: bool = False
    elsewhere: bool = False


class Redirections:
    """What the table does to the connections of one family."""

    def __init__(self, live: Live, site: Site[Settings], family: Family, matcher: Matcher) -> None:
        self._live = live
        self._site = site
        self._family = family
        self._matcher = matcher
        self._tables = live.tables[family]
        self._left = _WAYS
        self._names_inside = any(site.names_internal(r.endpoints) for r in site.rules if not r.is_deny)
        self._tcp = replace(matcher.everything, ports=_TCP)
        self._rules: tuple[_Nat, ...] = tuple(self._read())

    def inspections(self) -> list[InspectionRuling]:
        """Who is exempt, and who is opened, in order; at last who may be, by rules that are not in these files."""
        found = [
            InspectionRuling(
                each.name,
                Handling.EXEMPT if each.stays else Handling.INSPECT,
                each.blocks,
                not each.lost,
                each.place,
                each.doubt,
            )
            for each in self._rules
        ]
        if self._live.is_artefact and self._site.settings.tls_proxy_port is not None:
            # An artefact holds our own chain: what stands behind it may open whatever the chain does not exempt.
            everything = self._matcher.blocks(self._tcp)
            found.append(InspectionRuling(OTHERS, Handling.INSPECT, everything, False, "", _OTHERS))  # noqa: FBT003
        return found

    def rulings(self, filtered: Sequence[Ruling]) -> list[Ruling]:
        """What goes to the proxy although `filter` would not let it through where it wants to go.

        Nothing for what one rule of `filter` lets through with no rule above it that denies: there both say the same.
        """
        sent = [(number, each) for number, each in enumerate(self._rules) if not each.stays]
        if not sent:
            return []
        allowed, denied = _before_denies(filtered)
        staying = [(number, each) for number, each in enumerate(self._rules) if each.stays and not each.doubt]
        stay = BlockIndex([each.blocks for _, each in staying])
        found = []
        for number, each in sent:
            boxes = [box for block in each.blocks for box in block.boxes()]
            if (
                not each.doubt
                and not each.lost
                and not denied.meeting_boxes(boxes)
                and _is_within(each.blocks, allowed)
            ):
                continue
            but = [
                block for at in stay.meeting_boxes(boxes) if staying[at][0] < number for block in staying[at][1].blocks
            ]
            outcome = Outcome.DENY if each.lost else Outcome.ALLOW
            found.append(Ruling(each.name, outcome, each.flows, each.place, each.doubt, tuple(but)))
            if each.elsewhere and not each.lost:
                # There `filter` sees another destination, which it may deny.
                found.append(Ruling(each.name, Outcome.DENY, each.flows, each.place, each.doubt, tuple(but)))
        return found

    def _read(self) -> Iterator[_Nat]:
        table = self._tables.get("nat")
        mangle = self._tables.get("mangle")
        if mangle is not None:
            yield from self._transparent(mangle)
        chain = table.chains.get(self._live.start.get("nat", "")) if table is not None else None
        if table is not None and chain is not None:
            yield from self._walk(table, chain, self._matcher.everything, frozenset())

    def _transparent(self, table: LiveTable) -> Iterator[_Nat]:
        for chain in table.chains.values():
            for rule in chain.rules:
                held = self._matcher.held(rule) if rule.target == "TPROXY" else None
                if held is not None:
                    yield self._nat(table, chain, rule, held, "it goes to a proxy by the table mangle", held)

    def _walk(self, table: LiveTable, chain: LiveChain, base: Held, above: frozenset[str]) -> Iterator[_Nat]:
        matcher = self._matcher
        by_name = base
        doubt = ""
        for rule in chain.rules:
            own = matcher.held(rule)
            # Names inside the house are no flows that anybody asks for where no rule names an address there.
            if own is None:
                continue
            held = matcher.both(by_name if own.fed else base, own)
            if held is None or not held.ports.tcp:
                continue
            if rule.target == "RETURN":
                if not held.doubts and _is_by_address(held, matcher):
                    left = matcher.without(base, held.addresses)
                    if left is None:
                        return
                    base = left
                    if self._names_inside or not self._site.internal.contains(held.addresses):
                        by_name = matcher.without(by_name, held.addresses) or left
                else:
                    doubt = f"{place_of(table.file, rule.line)} may lead out of the chain before"
            elif rule.target in table.chains:
                self._left -= len(table.chains[rule.target].rules) + 1
                too_many = self._left < 0 or len(above) > _DEEPEST
                if rule.target in above or rule.target == chain.name or too_many:
                    yield self._nat(table, chain, rule, held, "there are too many ways through the table nat", held)
                else:
                    yield from self._walk(table, table.chains[rule.target], held, above | {chain.name})
                if rule.goes:
                    doubt = doubt or f"{place_of(table.file, rule.line)} may lead out of the chain before"
            elif rule.target not in _GOES_ON:
                sent = matcher.both(base, own) if own.fed else held
                yield self._nat(table, chain, rule, held, doubt, sent)

    def _nat(
        self, table: LiveTable, chain: LiveChain, rule: LiveRule, held: Held, doubt: str, sent: Held | None
    ) -> _Nat:
        doubts = [*held.doubts, *([doubt] if doubt else ())]
        port = self._site.settings.tls_proxy_port
        stays = rule.target == "ACCEPT"
        elsewhere = not stays and (rule.target != "REDIRECT" or rule.value != str(port))
        if elsewhere:
            doubts.append(f"it is sent elsewhere ({rule.target} {rule.value})".replace(" )", ")"))
        lost = False
        if not stays and self._site.settings.mode is Mode.HOST and port is not None:
            filtered = self._tables.get("filter")
            start = filtered.chains.get(self._live.start["filter"]) if filtered is not None else None
            lost = (
                filtered is not None and start is not None and not takes_redirected(filtered, start, self._family, port)
            )
        blocks = self._tcp_blocks(held)
        return _Nat(
            name_of(rule, chain.name),
            place_of(table.file, rule.line),
            blocks,
            blocks if sent is held else self._tcp_blocks(sent),
            stays,
            "; ".join(dict.fromkeys(doubts)),
            lost,
            elsewhere,
        )

    def _tcp_blocks(self, held: Held | None) -> tuple[Block, ...]:
        over_tcp = None if held is None else self._matcher.both(held, self._tcp)
        return () if over_tcp is None else self._matcher.blocks(over_tcp)


def _is_by_address(held: Held, matcher: Matcher) -> bool:
    """True if nothing but the destination is asked for."""
    return (
        not held.fed
        and held.sources is ALL
        and held.objects == EVERY
        and held.users == EVERY
        and not held.groups
        and held.ports == matcher.everything.ports
    )


def _before_denies(filtered: Sequence[Ruling]) -> tuple[dict[tuple[object, ...], PortSet], BlockIndex]:
    """The ports that `filter` allows, by everything else that it asks for, and what it denies above these."""
    last = max((at for at, ruling in enumerate(filtered) if ruling.outcome is Outcome.ALLOW), default=-1)
    allowed: dict[tuple[object, ...], PortSet] = {}
    denied = []
    for ruling in filtered[: last + 1]:
        if ruling.outcome is Outcome.DENY:
            denied.append(ruling.blocks)
        elif ruling.outcome is Outcome.ALLOW and not ruling.doubt and not ruling.but:
            for block in ruling.blocks:
                key = _key(block)
                known = allowed.get(key)
                allowed[key] = block.ports if known is None else known.union(block.ports)
    return allowed, BlockIndex(denied)


def _is_within(blocks: Sequence[Block], allowed: dict[tuple[object, ...], PortSet]) -> bool:
    return all((ports := allowed.get(_key(block))) is not None and ports.contains(block.ports) for block in blocks)


def _key(block: Block) -> tuple[object, ...]:
    names = None if block.names is None else frozenset(block.names)
    return (names, block.addresses, block.sources, block.processes, block.by_address, block.names_out, block.objects)
