"""What the rules of this firewall match where no reach of the policy says it: cells, and what the resolver needs.

The proof compares this with what it reads back, and the cells also with the denies by name that made them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egressc.addresses import ALL, AddressSet, parse_addresses, union_of
from egressc.anything import Anything
from egressc.flows import EVERY, Choice
from egressc.hosts import HostPattern
from egressc.meaning import Block, Outcome, Ruling
from egressc.services import PortSet
from egressc.targets.iptables.domains import DomainIndex, parents
from egressc.targets.iptables.model import Cgroup, Mode, Owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.flows import Processes, Test
    from egressc.site import Site
    from egressc.targets.iptables.cells import Cell, Sources
    from egressc.targets.iptables.feeding import Barrier
    from egressc.targets.iptables.lower_part import Shaped
    from egressc.targets.iptables.settings import Settings

_DNS_PORT: Final = PortSet(((53, 53),), ((53, 53),))

Layer = tuple[tuple["Test", ...], tuple["Test", ...]]
"""Names, and those taken out of them."""


class Cuts:
    """The domains of denies by name, found by the allows that they cut into."""

    def __init__(self, site: Site[Settings], barriers: Iterable[Barrier]) -> None:
        self._site = site
        self._barriers = {each.key: each for each in barriers}
        self._indexes: dict[str, tuple[DomainIndex, DomainIndex]] = {}

    def blocks(self, shaped: Shaped, cells: Iterable[Cell]) -> tuple[Block, ...]:
        """What the rules of an allow by name match, cell by cell."""
        addresses = ALL if shaped.holes.is_empty else ALL.difference(shaped.holes)
        return tuple(
            [
                Block(names, addresses, cell.ports, sources, processes, True, out, objects)  # noqa: FBT003
                for cell in cells
                for names, out in self._layers(shaped, cell.barred)
                for sources, objects in self._senders(cell.sources)
                for each in cell.processes
                if (processes := _processes(each.matches)) is not None
            ]
        )

    def _layers(self, shaped: Shaped, barred: frozenset[str]) -> list[Layer]:
        """The domains of an allow less those of the denies: a domain counts as the nearest marked one above it does."""
        denied: dict[str, set[str]] = {}
        lifted: dict[str, set[str]] = {}
        for key in sorted(barred):
            barrier = self._barriers[key]
            inside, outside = self._index(barrier)
            for index, domains, table in (
                (inside, barrier.domains, denied),
                (outside, sorted(barrier.excluded), lifted),
            ):
                for number in {number for domain in shaped.domains for number in index.overlapping(domain)}:
                    table.setdefault(domains[number], set()).add(key)
        own, off = set(shaped.domains), set(shaped.excluded)
        state: dict[str, tuple[bool, bool, frozenset[str], frozenset[str], int]] = {}
        layers: dict[int, tuple[list[str], list[str]]] = {}
        for domain in sorted(own | off | denied.keys() | lifted.keys(), key=lambda d: (d.count("."), d)):
            above = next((state[d] for d in parents(domain) if d in state), (False, False, frozenset(), frozenset(), 0))
            is_own, is_off = above[0] or domain in own, above[1] or domain in off
            shut, free = above[2] | denied.get(domain, set()), above[3] | lifted.get(domain, set())
            was_on = above[4] % 2 == 1
            is_on = is_own and not is_off and not shut - free
            depth = above[4] + (is_on is not was_on)
            state[domain] = (is_own, is_off, shut, free, depth)
            if is_on is not was_on:
                layers.setdefault((depth - 1) // 2, ([], []))[0 if is_on else 1].append(domain)
        return [(_tests(names), _tests(out)) for names, out in layers.values()]

    def _index(self, barrier: Barrier) -> tuple[DomainIndex, DomainIndex]:
        found = self._indexes.get(barrier.key)
        if found is None:
            inside = DomainIndex((domain, number) for number, domain in enumerate(barrier.domains))
            outside = DomainIndex((domain, number) for number, domain in enumerate(sorted(barrier.excluded)))
            found = self._indexes[barrier.key] = inside, outside
        return found

    def _senders(self, sources: Sources) -> list[tuple[AddressSet, Choice]]:
        """The sources as alternatives: addresses, and objects whose networks only the machine knows."""
        if self._site.settings.mode is Mode.HOST:
            return [(ALL, EVERY)]
        names = sources.outside if isinstance(sources.groups, Anything) else sources.groups
        groups = [group for group in self._site.groups if group.name in names]
        objects = frozenset([group.object_name for group in groups if group.object_name is not None])
        known = [g.addresses for g in groups if g.object_name is None and not isinstance(g.addresses, Anything)]
        if isinstance(sources.groups, Anything):
            return [(ALL.difference(union_of(known)) if known else ALL, Choice(objects, True))]  # noqa: FBT003
        return [*([(union_of(known), EVERY)] if known else ()), *([(ALL, Choice(objects))] if objects else ())]


def opening(settings: Settings) -> tuple[Ruling, ...]:
    """What the resolver is let through for: its questions to its servers."""
    to = ALL
    if settings.servers:
        found = [parse_addresses(server) for server in settings.servers]
        to = union_of([each for each in found if isinstance(each, AddressSet)])
    whom: Processes = (("linux-user", Choice(frozenset({settings.dnsmasq_user}))),)
    return (
        Ruling(
            "egressc: the resolver asks its servers",
            Outcome.ALLOW,
            (Block(addresses=to, ports=_DNS_PORT, processes=whom),),
        ),
    )


def _processes(matches: Sequence[Owner | Cgroup]) -> Processes | None:
    """The conditions on a process as the proof knows them; ``None`` where no process meets them."""
    user = EVERY
    groups: list[tuple[str, Choice]] = []
    for match in matches:
        if isinstance(match, Cgroup):
            groups.append(("linux-cgroup", Choice(frozenset({match.path}), match.other)))
        else:
            user = user.within(Choice(frozenset({match.user}), match.other))
    if user.is_empty:
        return None
    return (*groups, ("linux-user", user)) if user != EVERY else tuple(groups)


def _tests(domains: Iterable[str]) -> tuple[Test, ...]:
    """The domains with everything below each."""
    labels = [tuple(domain.split(".")) for domain in domains]
    return tuple([(HostPattern(each, deep=deep), None) for each in labels for deep in (False, True)])
