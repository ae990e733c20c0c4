"""The order of allows with exceptions, which top-down matching says by denies directly above each of them.

Such a deny also stops what a later allow would let through. So plain allows stand first, and among the others each
stands behind those that its deny cuts into. The denies here match less than ``egressc.except_order`` has to assume: an
excepted host only at the part's own addresses, and addresses are hardly ever excepted by a deny.
"""

from __future__ import annotations

from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from egressc.addresses import ALL
from egressc.diagnostics import Level
from egressc.lowering import Recognition, Step
from egressc.policy import AddressEndpoint, HostEndpoint
from egressc.reach import Reach, for_every_process
from egressc.reasons import Effect, Reason
from egressc.rule_index import RuleIndex
from egressc.targets.paloalto.lower_split import denied_exceptions, destinations_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egressc.addresses import AddressSet
    from egressc.lowering import Part
    from egressc.policy import Endpoint
    from egressc.site import BoundRule, Site
    from egressc.targets.paloalto.settings import Settings


def placed(
    parts: list[Part], site: Site[Settings], sharing: Mapping[str, frozenset[str]]
) -> tuple[tuple[Part, ...], frozenset[Part]]:
    """The parts in an order in which no exception cuts into a later one, and those that have no place.

    All are allows with exceptions that denies above them say. A part has no place when its exceptions and those of
    another cut into each other. Exceptions also cut into the allows of accounts that share processes.
    """
    stand_ins = {_stand_in(part): part for part in parts}
    index = RuleIndex(tuple(stand_ins), site.tags)
    before: dict[Part, list[Part]] = {}
    for part in parts:
        cut = index.allows_meeting(for_every_process(_footprint(part, site.tags), sharing))
        before[part] = [other for rule in cut if (other := stand_ins[rule]) is not part]
    stuck: set[Part] = set()
    while True:
        graph = {p: [o for o in before[p] if o not in stuck] for p in parts if p not in stuck}
        try:
            return tuple(TopologicalSorter(graph).static_order()), frozenset(stuck)
        except CycleError as error:
            stuck.update(error.args[1])


def with_closes(part: Part, site: Site[Settings]) -> Part:
    """The part with what its exceptions deny, if that is more than the closing deny does: at internal addresses.

    Beside FQDN objects an exception is an address, and never an internal one.
    """
    assert part.reach is not None
    if part.recognition is Recognition.DNS or not destinations_of(part, site.tags).overlaps(site.internal):
        return part
    sentence = "the hosts that it excepts are stopped at internal addresses too"
    stop = Step(Reason.DEFAULT, Effect.NARROWER, sentence, part.reach, part.reach, Level.NOTE)
    return replace(part, steps=(*part.steps, stop), closes=(_footprint(part, site.tags),))


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


def _footprint(part: Part, tags: Mapping[str, AddressSet]) -> Reach:
    """What the deny of the part's exceptions matches: excepted hosts where the part itself reaches, or addresses.

    A host at some addresses only is written as that host except at all others.
    """
    reach = part.reach
    assert reach is not None
    denied = denied_exceptions(part)
    elsewhere: tuple[Endpoint, ...] = ()
    if any(isinstance(e, HostEndpoint) for e in denied):
        others = ALL.difference(destinations_of(part, tags))
        elsewhere = () if others.is_empty else (AddressEndpoint(others),)
    return Reach(
        reach.groups,
        reach.accounts,
        denied,
        elsewhere,
        reach.ports,
        source_families=reach.source_families,
    )
