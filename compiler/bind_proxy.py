"""Groups behind a proxy: what they reach directly, the rule to the proxy, and what is wrong with either.

A group that has a ``proxy`` in the inventory reaches the proxy, and directly only what its ``bypass`` names. So before
a firewall each allow is cut to that part, and a rule to the proxy is added. The policy's own meaning stays: what is not
in the bypass is allowed, through the proxy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from egressc.anything import ANY
from egressc.bind_cut import Within
from egressc.inventory_proxy import PROXY_POLICY
from egressc.policy import (
    Action,
    AddressEndpoint,
    Destinations,
    GroupName,
    Inspection,
    PolicyHead,
    Rule,
)
from egressc.services import Application, Service

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from egressc.addresses import AddressSet
    from egressc.bind_cut import Unsaid
    from egressc.fill import Filled, Filler
    from egressc.inventory import Group, Inventory
    from egressc.inventory_proxy import Bypass, Proxy
    from egressc.policy import Endpoint, EndpointSet, Policy
    from egressc.source import Source

_WITH_PATHS: Final = frozenset({Application.HTTP, Application.HTTPS})


@dataclass(frozen=True, slots=True, eq=False)
class NamedSet:
    """An item of ``bypass`` that names an endpoint set, and the destinations of that set for the group.

    ``failed`` says that a parameter in it could not be filled, which is an error already.
    """

    item: Bypass
    within: Within
    failed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Behind:
    """A group behind a proxy: the rule to the proxy, and what it reaches directly.

    ``patterns`` are the items of ``bypass`` that name rules, ``sets`` those that name a set; ``within`` is all of these
    sets together.
    """

    group: Group
    proxy: Proxy
    rule: Rule
    patterns: tuple[Bypass, ...]
    sets: tuple[NamedSet, ...]
    within: Within

    def names(self, identity: str) -> bool:
        """True if an item of ``bypass`` names the rule."""
        return any(item.covers(identity) for item in self.patterns)


class Proxies:
    """The groups behind proxies by name, and what is left of rules for them; each worked out once."""

    def __init__(self, policy: Policy, inventory: Inventory, filler: Filler) -> None:
        self._filler = filler
        tags = {} if inventory.service_tags is None else inventory.service_tags.tags
        self._tags = {name.lower(): addresses for name, addresses in tags.items()}
        sets: dict[str, list[EndpointSet]] = {}
        self._behind: dict[str, Behind] = {}
        self._within: dict[tuple[Endpoint, ...], Within] = {}
        self._held: dict[tuple[int, int, bool], tuple[Filled, tuple[Unsaid, ...]]] = {}
        self._kept: list[Filled] = []
        if inventory.source is None or not any(group.proxy is not None for group in inventory.groups):
            return
        for each in policy.sets:
            sets.setdefault(each.name, []).append(each)
        for group in inventory.groups:
            if group.proxy is not None:
                self._behind[group.name] = self._of(group, group.proxy, sets, inventory.source)

    def __bool__(self) -> bool:
        return bool(self._behind)

    def of(self, group: str) -> Behind | None:
        """What is known of a group that is behind a proxy; ``None`` for any other."""
        return self._behind.get(group)

    def every(self) -> tuple[Behind, ...]:
        """What is known of each group that is behind a proxy, in the order of the inventory."""
        return tuple(self._behind.values())

    @property
    def tags(self) -> Mapping[str, AddressSet]:
        """The addresses of service tags by their name in lower case."""
        return self._tags

    def directly(self, rule: Rule, group: Group, filled: Filled) -> Filled:
        """What a group reaches without its proxy, of what a rule is for; ``filled`` itself where that is all of it."""
        behind = self._behind.get(group.name)
        if behind is None or rule is behind.rule or rule.action is Action.DENY or behind.names(rule.identity):
            return filled
        return self.cut(rule, behind, filled)[0]

    def cut(self, rule: Rule, behind: Behind, filled: Filled) -> tuple[Filled, tuple[Unsaid, ...]]:
        """What of a rule's destinations lies in the sets of a bypass, and what of that cannot be said."""
        paths = all(service.application in _WITH_PATHS for service in rule.services)
        key = (id(filled), id(behind.within), paths)
        found = self._held.get(key)
        if found is None:
            self._kept.append(filled)
            cut = behind.within.cut(filled.endpoints, paths=paths)
            left = self._filler.tidied(cut.endpoints, filled.exceptions)
            is_whole = set(left.endpoints) == set(filled.endpoints)
            found = self._held[key] = (filled if is_whole else left, cut.unsaid)
        return found

    def _of(self, group: Group, proxy: Proxy, sets: Mapping[str, list[EndpointSet]], source: Source) -> Behind:
        named = []
        every: list[Endpoint] = []
        for item in proxy.bypass:
            known = sets.get(item.text, ())
            if item.is_pattern or not known or not are_same(known):
                continue
            filled = self._filler.destinations(known[0].to, group)
            every.extend(filled.endpoints)
            named.append(NamedSet(item, self._of_endpoints(filled.endpoints), filled.failed))
        return Behind(
            group,
            proxy,
            _rule(group, proxy, source),
            tuple(item for item in proxy.bypass if item.is_pattern),
            tuple(named),
            self._of_endpoints(tuple(every)),
        )

    def _of_endpoints(self, endpoints: tuple[Endpoint, ...]) -> Within:
        """These destinations; one value for groups that have the same, so that rules are cut once for all of them."""
        found = self._within.get(endpoints)
        if found is None:
            found = self._within[endpoints] = Within(endpoints, self._tags)
        return found


def are_same(sets: Iterable[EndpointSet]) -> bool:
    """True if all of these hold the same endpoints."""
    return len({frozenset(endpoint.text for endpoint in each.to.endpoints) for each in sets}) <= 1


def _rule(group: Group, proxy: Proxy, source: Source) -> Rule:
    """The rule from a group to its proxy, as if a policy said it."""
    head = PolicyHead(
        name=PROXY_POLICY,
        description="The proxies of the inventory",
        owner="",
        reference="",
        ticket="",
        review_by=None,
        source=source,
        span=proxy.span,
    )
    return Rule(
        identity=proxy.identity(group.name),
        action=Action.ALLOW,
        description=f"The proxy that {group.name} is behind",
        groups=(GroupName(group.name, proxy.span),),
        accounts=ANY,
        to=Destinations(endpoints=(AddressEndpoint(proxy.address_set),)),
        services=(Service(Application.TCP, proxy.port, proxy.port),),
        inspection=Inspection.MAY,
        log=None,
        feature=None,
        feature_span=None,
        expires=None,
        ticket="",
        reference="",
        policy=head,
        span=proxy.span,
    )
