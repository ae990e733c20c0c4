"""The order in which rules with exceptions can stand on a target that matches top-down.

There an exception is said by a deny directly above its allow. That deny also stops what a later allow would let
through, so a rule with exceptions must stand after every allow that its exceptions cut into.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from egressc.reach import Reach

if TYPE_CHECKING:
    from egressc.site import BoundRule, Site


def order_exceptions(site: Site[Any]) -> tuple[tuple[BoundRule, ...], frozenset[BoundRule]]:
    """The allows with exceptions in an order in which no exception cuts into a later one, and those without a place.

    Plain allows stand before all of them. A rule has no place when its exceptions and those of another rule cut into
    each other, or when there is no closing deny (then the deny of an exception would decide what nothing else does).
    """
    rules = [rule for rule in site.rules if rule.reach.exceptions and not rule.is_deny]
    if not site.closing_deny:
        return (), frozenset(rules)
    mine = set(rules)
    placed: list[BoundRule] = []
    stuck: set[BoundRule] = set()
    before: dict[BoundRule, list[BoundRule]] = {}
    for rule in rules:
        reach = rule.reach
        cut = site.index.allows_meeting(Reach(reach.groups, reach.accounts, reach.exceptions, (), reach.ports))
        before[rule] = [other for other in cut if other in mine and other is not rule]
    while True:
        sorter = TopologicalSorter({r: [o for o in before[r] if o not in stuck] for r in rules if r not in stuck})
        try:
            placed = list(sorter.static_order())
        except CycleError as error:
            stuck.update(error.args[1])
            continue
        return tuple(placed), frozenset(stuck)
