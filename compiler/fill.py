"""Filling parameters for a group, and subtracting exceptions from what a rule is for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from egressc.addresses import ALL, EMPTY, AddressSet, union_of
from egressc.diagnostics import Diagnostic
from egressc.hosts import covered, intersects, minimise
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint, TemplateEndpoint
from egressc.words import HostWord, fill

if TYPE_CHECKING:
    from egressc.inventory import Group, Inventory
    from egressc.policy import Destinations, Endpoint, Rule


@dataclass(frozen=True, slots=True)
class Filled:
    """The endpoints and exceptions of a rule for a group, without parameters, tidied.

    Endpoints that others contain are dropped, addresses are merged, same-kind exceptions are subtracted; an exception
    that is left overlaps some endpoint.
    """

    endpoints: tuple[Endpoint, ...]
    exceptions: tuple[Endpoint, ...]


class Filler:
    """Fills destinations, each once for each set of values; collects what is wrong in ``diagnostics``."""

    def __init__(self, inventory: Inventory) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._inventory = inventory
        self._labels: dict[str, bool] = {}
        self._held: dict[tuple[int, str], Filled] = {}
        self._tidied: dict[int, Filled] = {}
        self._told: set[tuple[object, ...]] = set()
        self._kept: list[Destinations] = []

    def filled(self, rule: Rule, group: Group) -> Filled:
        """The rule's destinations for a group; empty, with a diagnostic, where a parameter cannot be filled."""
        to = rule.to
        if not to.has_parameters:
            found = self._tidied.get(id(to))
            if found is None:
                found = self._tidied[id(to)] = self._tidy(rule, _plain(to.endpoints), _plain(to.exceptions))
                self._kept.append(to)
            return found
        key = (id(to), group.name)
        found = self._held.get(key)
        if found is None:
            self._kept.append(to)
            endpoints = self._fill(to.endpoints, group)
            exceptions = self._fill(to.exceptions, group)
            if endpoints is None or exceptions is None:
                found = Filled((), ())
            else:
                found = self._tidy(rule, endpoints, exceptions)
            self._held[key] = found
        return found

    def _fill(
        self, endpoints: tuple[Endpoint | TemplateEndpoint, ...], group: Group
    ) -> tuple[Endpoint, ...] | None:
        result: list[Endpoint] = []
        failed = False
        for endpoint in endpoints:
            if not isinstance(endpoint, TemplateEndpoint):
                result.append(endpoint)
                continue
            names = endpoint.word.parameters
            values = [group.values_of(name) for name in names]
            for name, found in zip(names, values, strict=True):
                if not found:
                    failed = True
                    self._unbound(endpoint, name, group)
            if failed:
                continue
            for chosen in product(*values):
                word = fill(endpoint.word, dict(zip(names, chosen, strict=True)))
                if isinstance(word, HostWord):
                    result.append(HostEndpoint(word.pattern, word.path))
                    continue
                failed = True
                said = (endpoint.span.source.name, endpoint.span.start, word.message, group.name)
                if said not in self._told:
                    self._told.add(said)
                    self.diagnostics.append(
                        Diagnostic(
                            code=word.code,
                            message=f"{word.message}, in group `{group.name}`",
                            span=endpoint.span,
                            label=word.label,
                            help=word.help,
                        )
                    )
        return None if failed else tuple(result)

    def _unbound(self, endpoint: TemplateEndpoint, name: str, group: Group) -> None:
        said = (endpoint.span.source.name, endpoint.span.start, name, group.name)
        if said in self._told:
            return
        self._told.add(said)
        where = "the inventory" if self._inventory.source is not None else "an inventory"
        self.diagnostics.append(
            Diagnostic(
                code="E0504",
                message=f"parameter `{name}` has no value for group `{group.name}`",
                span=endpoint.span,
                label="this host waits for it",
                help=f"give it one in {where}: `{group.name}: {{parameters: {{{name}: …}}}}`",
            )
        )

    def _tidy(self, rule: Rule, endpoints: tuple[Endpoint, ...], exceptions: tuple[Endpoint, ...]) -> Filled:
        hosts = [e for e in endpoints if isinstance(e, HostEndpoint)]
        others = [e for e in endpoints if not isinstance(e, HostEndpoint)]
        if not exceptions:
            return Filled((*_fewest(hosts), *_addresses(others, EMPTY)), ())
        host_exceptions = [e for e in exceptions if isinstance(e, HostEndpoint)]
        excluded = union_of(e.addresses for e in exceptions if isinstance(e, AddressEndpoint))
        if any(isinstance(e, AnyAddressEndpoint) for e in exceptions):
            excluded = ALL
        tags = tuple(e for e in exceptions if isinstance(e, TagEndpoint))
        hosts = [] if excluded == ALL else [e for e in hosts if not _excepted(e, host_exceptions)]
        left = [e for e in others if e not in tags]
        addresses = [] if excluded == ALL else _addresses(left, excluded)
        kept: list[Endpoint] = [e for e in host_exceptions if addresses or any(_meet(e, h) for h in hosts)]
        if not excluded.is_empty and (hosts or any(isinstance(e, TagEndpoint) for e in addresses)):
            kept.append(AddressEndpoint(excluded))
        if hosts or addresses:
            kept.extend(tags)
        result = Filled((*_fewest(hosts), *addresses), tuple(kept))
        if not result.endpoints:
            self.diagnostics.append(
                Diagnostic(
                    code="E0505",
                    message=f"nothing is left of `{rule.identity}`: its exceptions remove every endpoint",
                    span=rule.span,
                    label="this rule matches nothing",
                    help="remove the rule, or make its `except` smaller",
                )
            )
        return result


def _plain(endpoints: tuple[Endpoint | TemplateEndpoint, ...]) -> tuple[Endpoint, ...]:
    return tuple(e for e in endpoints if not isinstance(e, TemplateEndpoint))


def _fewest(hosts: list[HostEndpoint]) -> tuple[HostEndpoint, ...]:
    """The hosts without those that another one contains, sorted."""
    if len(hosts) < 2:
        return tuple(hosts)
    whole = minimise([e.pattern for e in hosts if e.path is None])
    paths = {e for e in hosts if e.path is not None}
    if paths:
        ordered = sorted(paths, key=lambda e: (e.pattern.sort_key, e.path or ""))
        alone = [e for e in ordered if not _excepted(e, [HostEndpoint(p) for p in whole])]
        kept = [e for e in alone if not any(o is not e and _holds(o, e) for o in alone)]
        return (*(HostEndpoint(p) for p in whole), *kept)
    return tuple(HostEndpoint(p) for p in whole)


def _holds(one: HostEndpoint, other: HostEndpoint) -> bool:
    return one.pattern == other.pattern and _below(other.path, one.path)


def _excepted(host: HostEndpoint, exceptions: list[HostEndpoint]) -> bool:
    patterns = [e.pattern for e in exceptions if _below(host.path, e.path)]
    return bool(patterns) and covered(host.pattern, patterns)


def _meet(one: HostEndpoint, other: HostEndpoint) -> bool:
    return intersects(one.pattern, other.pattern) and (_below(one.path, other.path) or _below(other.path, one.path))


def _below(path: str | None, prefix: str | None) -> bool:
    """True if every path that ``path`` stands for is one that ``prefix`` stands for; ``None`` is any."""
    if prefix is None:
        return True
    return path is not None and (path == prefix or path.startswith(prefix + "/"))


def _addresses(endpoints: list[Endpoint], excluded: AddressSet) -> list[Endpoint]:
    """Addresses merged into one endpoint less ``excluded``; any-address contains the rest."""
    if any(isinstance(e, AnyAddressEndpoint) for e in endpoints):
        return [AnyAddressEndpoint() if excluded.is_empty else AddressEndpoint(ALL.difference(excluded))]
    result: list[Endpoint] = []
    known = union_of(e.addresses for e in endpoints if isinstance(e, AddressEndpoint))
    left = known.difference(excluded)
    if not left.is_empty:
        result.append(AnyAddressEndpoint() if left == ALL else AddressEndpoint(left))
    result.extend(sorted({e for e in endpoints if isinstance(e, TagEndpoint)}, key=lambda e: e.name.lower()))
    return result
