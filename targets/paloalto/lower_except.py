"""The order of allows with exceptions, which top-down matching says by denies directly above each of them.

Such a deny also stops what a later allow would let through. So plain allows stand first, and among the others each
stands behind those that its denies cut into. The denies here match less than ``egressc.except_order`` has to assume: an
excepted address only together with the part's own hosts, an excepted host only at the part's own addresses.
"""

from __future__ import annotations

from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet, union_of
from egressc.lowering import Kind, Part, Recognition
from egressc.policy import AddressEndpoint, HostEndpoint, TagEndpoint
from egressc.reach import Reach
from egressc.rule_index import RuleIndex

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egressc.policy import Endpoint
    from egressc.site import BoundRule, Site
    from egressc.targets.paloalto.settings import Settings


def placed(parts: list[Part], site: Site[Settings]) -> tuple[tuple[Part, ...], frozenset[Part]]:
    """The parts in an order in which no exception cuts into a later one, and those that have no place.

    All are allows with exceptions that rules can say. A part has no place when its exceptions and those of another cut
    into each other.
    """
    stand_ins = {_stand_in(part): part for part in parts}
    index = RuleIndex(tuple(stand_ins), site.tags)
    before: dict[Part, list[Part]] = {}
    for part in parts:
        cut = [rule for reach in _footprints(part, site.tags) for rule in index.allows_meeting(reach)]
        before[part] = [other for rule in cut if (other := stand_ins[rule]) is not part]
    stuck: set[Part] = set()
    while True:
        graph = {p: [o for o in before[p] if o not in stuck] for p in parts if p not in stuck}
        try:
            return tuple(TopologicalSorter(graph).static_order()), frozenset(stuck)
        except CycleError as error:
            stuck.update(error.args[1])


def _stand_in(part: Part) -> BoundRule:
    """A rule that matches what is left of the part."""
    assert part.reach is not None
    return replace(
        part.rule,
        endpoints=part.reach.endpoints,
        exceptions=part.reach.exceptions,
        services=part.services,
        reach=part.reach,
    )


def _footprints(part: Part, tags: Mapping[str, AddressSet]) -> tuple[Reach, ...]:
    """What the denies of the part's exceptions match: excepted hosts, and excepted addresses.

    A host at some addresses only is written as that host except at all others.
    """
    reach = part.reach
    assert reach is not None
    hosts = tuple(e for e in reach.exceptions if isinstance(e, HostEndpoint))
    addresses = _addresses(reach.exceptions, tags)
    found = []
    if hosts:
        elsewhere: tuple[Endpoint, ...] = ()
        if part.kind is Kind.ADDRESSES:
            elsewhere = (AddressEndpoint(ALL.difference(_addresses(reach.endpoints, tags))),)
        found.append(_matching(reach, hosts, elsewhere))
    if not addresses.is_empty:
        if part.kind is Kind.NAMES and part.recognition is not Recognition.DNS:
            elsewhere = (AddressEndpoint(ALL.difference(addresses)),)
            found.append(_matching(reach, reach.endpoints, elsewhere))
        else:
            found.append(_matching(reach, (AddressEndpoint(addresses),), ()))
    return tuple(found)


def _matching(reach: Reach, endpoints: tuple[Endpoint, ...], exceptions: tuple[Endpoint, ...]) -> Reach:
    return Reach(reach.groups, reach.accounts, endpoints, exceptions, reach.ports)


def _addresses(endpoints: tuple[Endpoint, ...], tags: Mapping[str, AddressSet]) -> AddressSet:
    return union_of(
        e.addresses if isinstance(e, AddressEndpoint) else tags[e.name.lower()]
        for e in endpoints
        if isinstance(e, (AddressEndpoint, TagEndpoint))
    )
