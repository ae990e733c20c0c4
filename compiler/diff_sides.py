"""The two sides of a change in the same words: rules with their parties and accounts, and the flows that they have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from egressc.anything import ANY, Anything
from egressc.bind import ANY_GROUP, bind_everything
from egressc.diff_covers import Cover
from egressc.diff_parties import Parties, renamed_accounts
from egressc.flows import boxes
from egressc.flows_index import FlowIndex
from egressc.policy import Inspection, TagEndpoint
from egressc.tls import tls_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from egressc.addresses import AddressSet
    from egressc.bind import Prepared
    from egressc.flows import Box
    from egressc.policy import Endpoint
    from egressc.reach import Reach
    from egressc.site import BoundRule, Site


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """A rule of one side with what it matches, in words that both sides share."""

    rule: BoundRule
    reach: Reach
    tags: tuple[AddressSet | None, ...] = ()
    """What the inventory says of each service tag that it names."""

    @property
    def key(self) -> tuple[bool, Reach, tuple[AddressSet | None, ...]]:
        """What it decides, inspection apart."""
        return self.rule.is_deny, self.reach, self.tags


class Side:
    """One side of a change. ``number`` is 0 for the old and 1 for the new one."""

    def __init__(self, number: int, prepared: Prepared, site: Site[None], rules: tuple[Told, ...]) -> None:
        self.number = number
        self.prepared = prepared
        self.site = site
        self.rules = rules
        self.tags: Mapping[str, AddressSet] = site.tags
        self.allow_rules = tuple([each for each in rules if not each.rule.is_deny])
        self.deny_rules = tuple([each for each in rules if each.rule.is_deny])
        self.known = frozenset(rules)
        self.keys = frozenset([each.key for each in rules])

    @cached_property
    def allows(self) -> FlowIndex:
        """What the allows match, by the number of the rule among ``allow_rules``."""
        return FlowIndex([each.reach for each in self.allow_rules], self.tags)

    @cached_property
    def denies(self) -> FlowIndex:
        """What the denies match, by the number of the rule among ``deny_rules``."""
        return FlowIndex([each.reach for each in self.deny_rules], self.tags)

    def boxes(self, reach: Reach) -> tuple[Box, ...]:
        """The flows of a reach of this side."""
        return tuple(boxes(reach, self.tags))

    def tls_rules(self, inspection: Inspection) -> tuple[tuple[Told, Reach], ...]:
        """The allows that say this of inspection, each with what it matches on its TLS ports."""
        return self._tls[inspection]

    @cached_property
    def _tls(self) -> dict[Inspection, tuple[tuple[Told, Reach], ...]]:
        found: dict[Inspection, list[tuple[Told, Reach]]] = {each: [] for each in Inspection}
        for each in self.allow_rules:
            reach = tls_part(each.reach, each.rule.services)
            if reach is not None:
                found[each.rule.rule.inspection].append((each, reach))
        return {inspection: tuple(some) for inspection, some in found.items()}

    @cached_property
    def allowed(self) -> Cover:
        """What the allows match, endpoint by endpoint."""
        return Cover(self.allows, [each.reach for each in self.allow_rules], self.tags)

    @cached_property
    def denied(self) -> Cover:
        """What the denies match, endpoint by endpoint."""
        return Cover(self.denies, [each.reach for each in self.deny_rules], self.tags)

    @property
    def exempt(self) -> FlowIndex:
        """The flows that must not be inspected, by the number among ``tls_rules``."""
        return self.exempted.index

    @property
    def demanded(self) -> FlowIndex:
        """The flows that must be inspected, by the number among ``tls_rules``."""
        return self.inspected.index

    @cached_property
    def exempted(self) -> Cover:
        """What must not be inspected, endpoint by endpoint."""
        return self._said(Inspection.MUST_NOT)

    @cached_property
    def inspected(self) -> Cover:
        """What must be inspected, endpoint by endpoint."""
        return self._said(Inspection.MUST)

    def _said(self, inspection: Inspection) -> Cover:
        reaches = [reach for _, reach in self.tls_rules(inspection)]
        return Cover(FlowIndex(reaches, self.tags), reaches, self.tags)


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides, the parties that they share, and the accounts that have another name now."""

    old: Side
    new: Side
    parties: Parties
    renamed_accounts: Mapping[str, str]


def both_sides(old: Prepared, new: Prepared) -> Sides:
    """Two prepared policies in the same words: those of the new side, where something has only another name."""
    also = frozenset() if old.inventory.source is not None else _named(old) | _named(new)
    if also and any(isinstance(rule.groups, Anything) for side in (old, new) for rule in side.policy.rules):
        # Who is in none of the groups that are named sends, too.
        also |= {ANY_GROUP}
    sites = (bind_everything(old, also), bind_everything(new, also if new.inventory.source is None else frozenset()))
    parties = Parties(sites[0].groups, sites[1].groups)
    accounts = renamed_accounts(
        {name: account.bindings for name, account in old.accounts.items()},
        {name: account.bindings for name, account in new.accounts.items()},
    )
    rename = _Renaming(parties, accounts)
    sides = [
        Side(
            number, prepared, site, tuple([_told(rule, rename.reach(rule.reach, number), site) for rule in site.rules])
        )
        for number, (prepared, site) in enumerate(zip((old, new), sites, strict=True))
    ]
    return Sides(sides[0], sides[1], parties, accounts)


def _told(rule: BoundRule, reach: Reach, site: Site[None]) -> Told:
    if not site.tags:
        return Told(rule, reach)
    named = [each.name.lower() for each in (*reach.endpoints, *reach.exceptions) if isinstance(each, TagEndpoint)]
    return Told(rule, reach, tuple([site.tags.get(name) for name in named]))


def _named(prepared: Prepared) -> frozenset[str]:
    """The groups that the rules name."""
    return frozenset(
        group.name for rule in prepared.policy.rules if not isinstance(rule.groups, Anything) for group in rule.groups
    )


class _Renaming:
    """Reaches in the words of both sides; what was said once is kept, so that equal rules share their values."""

    def __init__(self, parties: Parties, accounts: Mapping[str, str]) -> None:
        self._parties = parties
        self._accounts = accounts
        self._groups: dict[tuple[int, frozenset[str]], frozenset[str]] = {}
        self._endpoints: dict[tuple[Endpoint, ...], tuple[Endpoint, ...]] = {}

    def reach(self, reach: Reach, side: int) -> Reach:
        """The reach of a rule of that side."""
        groups: frozenset[str] | Anything = ANY
        if not isinstance(reach.groups, Anything):
            key = (side, reach.groups)
            known = self._groups.get(key)
            if known is None:
                known = self._groups[key] = self._of(reach.groups, side)
            groups = known
        accounts = reach.accounts
        if side == 0 and self._accounts and not isinstance(accounts, Anything):
            accounts = frozenset(self._accounts.get(name, name) for name in accounts)
        # Neither the order of endpoints nor one that stands twice means anything.
        return replace(
            reach,
            groups=groups,
            accounts=accounts,
            endpoints=self._sorted(reach.endpoints),
            exceptions=self._sorted(reach.exceptions),
        )

    def _of(self, groups: Iterable[str], side: int) -> frozenset[str]:
        return frozenset().union(*(self._parties.of(group, side) for group in groups))

    def _sorted(self, endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
        if len(endpoints) < 2:
            return endpoints
        found = self._endpoints.get(endpoints)
        if found is None:
            found = tuple(sorted(dict.fromkeys(endpoints), key=lambda e: (type(e).__name__, e.text)))
            self._endpoints[endpoints] = found
        return found
