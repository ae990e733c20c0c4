"""Filling parameters for a group, and subtracting exceptions from what a rule is for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from egressc.addresses import ALL, EMPTY, AddressSet, union_of
from egressc.diagnostics import Diagnostic
from egressc.flows import addresses_of
from egressc.host_index import HostIndex
from egressc.hosts import covered, minimise
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint, TemplateEndpoint
from egressc.suggest import nearest
from egressc.words import HostWord, bad_value, fill

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from egressc.inventory import Group, Inventory
    from egressc.policy import Destinations, Endpoint, Rule


@dataclass(frozen=True, slots=True)
class Filled:
    """The endpoints and exceptions of a rule for a group, without parameters, tidied.

    Endpoints that others contain are dropped, addresses are merged, same-kind exceptions are subtracted; an exception
    that is left overlaps some endpoint. ``failed`` says that a parameter could not be filled: then both are empty.
    """

    endpoints: tuple[Endpoint, ...]
    exceptions: tuple[Endpoint, ...]
    failed: bool = False


class Filler:
    """Fills destinations, each once for each set of values.

    What is wrong is collected in ``diagnostics``; ``unfilled`` are the parameters that some group has no value for.
    """

    def __init__(self, inventory: Inventory) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.unfilled: set[str] = set()
        self._inventory = inventory
        self._published = {} if inventory.service_tags is None else inventory.service_tags.tags
        self._held: dict[tuple[int, str], Filled] = {}
        self._tidied: dict[int, Filled] = {}
        self._told: set[tuple[object, ...]] = set()
        self._kept: list[Destinations] = []

    def filled(self, rule: Rule, group: Group) -> Filled:
        """The rule's destinations for a group; empty, with a diagnostic, where a parameter cannot be filled."""
        return self.destinations(rule.to, group)

    def destinations(self, to: Destinations, group: Group) -> Filled:
        """The same for any destinations."""
        if not to.has_parameters:
            found = self._tidied.get(id(to))
            if found is None:
                found = self._tidied[id(to)] = self.tidied(_plain(to.endpoints), _plain(to.exceptions))
                self._kept.append(to)
            return found
        key = (id(to), group.name)
        found = self._held.get(key)
        if found is None:
            self._kept.append(to)
            endpoints = self._fill(to.endpoints, group)
            exceptions = self._fill(to.exceptions, group)
            if endpoints is None or exceptions is None:
                found = Filled((), (), failed=True)
            else:
                found = self.tidied(endpoints, exceptions)
            self._held[key] = found
        return found

    def _fill(self, endpoints: tuple[Endpoint | TemplateEndpoint, ...], group: Group) -> tuple[Endpoint, ...] | None:
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
                failed |= self._has_bad_value(name, group, labels=name in endpoint.with_labels)
            if failed:
                continue
            for chosen in product(*values):
                word = fill(endpoint.word, dict(zip(names, chosen, strict=True)), endpoint.with_labels)
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

    def tidied(self, endpoints: tuple[Endpoint, ...], exceptions: tuple[Endpoint, ...]) -> Filled:
        """Endpoints and exceptions without parameters, tidied."""
        hosts = [e for e in endpoints if isinstance(e, HostEndpoint)]
        others = [e for e in endpoints if not isinstance(e, HostEndpoint)]
        if not exceptions:
            return Filled((*_fewest(hosts), *_addresses(others, EMPTY)), ())
        host_exceptions = [e for e in exceptions if isinstance(e, HostEndpoint)]
        excluded = union_of(e.addresses for e in exceptions if isinstance(e, AddressEndpoint))
        if any(isinstance(e, AnyAddressEndpoint) for e in exceptions):
            excluded = ALL
        tags = tuple(dict.fromkeys(e for e in exceptions if isinstance(e, TagEndpoint)))
        gone = {e.name.lower() for e in tags}
        excepting = _Excepting(host_exceptions)
        hosts = [] if excluded == ALL else [e for e in hosts if not excepting.whole(e)]
        named = [e for e in others if not (isinstance(e, TagEndpoint) and e.name.lower() in gone)]
        left = self._not_covered(named, excluded, tags)
        addresses = [] if excluded == ALL else _addresses(left, excluded)
        kept: list[Endpoint] = list(host_exceptions) if addresses else list(excepting.touching(hosts))
        if not excluded.is_empty and (hosts or any(isinstance(e, TagEndpoint) for e in addresses)):
            kept.append(AddressEndpoint(excluded))
        if hosts or addresses:
            kept.extend(tags)
        return Filled((*_fewest(hosts), *addresses), tuple(kept))

    def _not_covered(
        self, endpoints: Sequence[Endpoint], excluded: AddressSet, tags: Iterable[TagEndpoint]
    ) -> Sequence[Endpoint]:
        """The addresses and tags of which something is left, as far as the inventory's file says what tags hold."""
        published = self._published
        if not published:
            return endpoints
        known = [published.get(tag.name.lower()) for tag in tags]
        without = union_of([excluded, *(addresses for addresses in known if addresses is not None)])
        result = []
        for endpoint in endpoints:
            held = addresses_of(endpoint, published)
            if held is None or held.is_empty or not without.contains(held):
                result.append(endpoint)
        return result

    def _has_bad_value(self, name: str, group: Group, *, labels: bool) -> bool:
        """True, with one error at the value in the inventory, if a value of the parameter cannot stand in a host."""
        wrong = False
        for (given, values), (_, spans) in zip(group.parameters, group.parameter_spans, strict=True):
            if given != name:
                continue
            for value, span in zip(values, spans, strict=True):
                problem = bad_value(name, value, labels=labels)
                if problem is None:
                    continue
                wrong = True
                if (name, group.name, value) not in self._told:
                    self._told.add((name, group.name, value))
                    self.diagnostics.append(
                        Diagnostic(
                            code=problem.code,
                            message=f"{problem.message}, in group `{group.name}`",
                            span=span,
                            label=problem.label,
                            help=problem.help,
                        )
                    )
        return wrong

    def _unbound(self, endpoint: TemplateEndpoint, name: str, group: Group) -> None:
        if (name, group.name) in self._told:
            return
        self._told.add((name, group.name))
        self.unfilled.add(name)
        near = nearest(name, [given for given, _ in group.parameters])
        where = "the inventory" if self._inventory.source is not None else "an inventory"
        self.diagnostics.append(
            Diagnostic(
                code="E0504",
                message=f"parameter `{name}` has no value for group `{group.name}`",
                span=endpoint.span,
                label="this host waits for it",
                help=f"group `{group.name}` gives a value to `{near}`: did you mean `{name}`?"
                if near
                else f"give it one in {where}: `{group.name}: {{parameters: {{{name}: …}}}}`",
            )
        )


def _plain(endpoints: tuple[Endpoint | TemplateEndpoint, ...]) -> tuple[Endpoint, ...]:
    return tuple(e for e in endpoints if not isinstance(e, TemplateEndpoint))


def _fewest(hosts: list[HostEndpoint]) -> tuple[HostEndpoint, ...]:
    """The hosts without those that another one contains, sorted."""
    if len(hosts) < 2:
        return tuple(hosts)
    whole = [HostEndpoint(p) for p in minimise([e.pattern for e in hosts if e.path is None])]
    with_path = sorted({e for e in hosts if e.path is not None}, key=lambda e: (e.pattern.sort_key, e.path or ""))
    if not with_path:
        return tuple(whole)
    excepting = _Excepting(whole)
    kept: dict[HostEndpoint, None] = {}
    for endpoint in with_path:
        # Sorted, a path stands behind those that it is below.
        above = (HostEndpoint(endpoint.pattern, path) for path in _paths_above(endpoint.path or ""))
        if not any(each in kept for each in above) and not excepting.whole(endpoint):
            kept[endpoint] = None
    return (*whole, *kept)


def _paths_above(path: str) -> Iterator[str]:
    """The paths that a path is below: ``/a`` and ``/a/b`` for ``/a/b/c``."""
    at = path.find("/", 1)
    while at > 0:
        yield path[:at]
        at = path.find("/", at + 1)


class _Excepting:
    """Hosts that are taken away from others, found without comparing each with each."""

    def __init__(self, hosts: Sequence[HostEndpoint]) -> None:
        self._hosts = hosts
        self._index: HostIndex[int] = HostIndex([(e.pattern, number) for number, e in enumerate(hosts)])

    def whole(self, host: HostEndpoint) -> bool:
        """True if nothing of the host is left."""
        near = [self._hosts[number] for number in self._index.intersecting(host.pattern)]
        patterns = [e.pattern for e in near if _below(host.path, e.path)]
        return bool(patterns) and covered(host.pattern, patterns)

    def touching(self, hosts: Iterable[HostEndpoint]) -> list[HostEndpoint]:
        """The hosts here that overlap one of ``hosts``, in their order."""
        found: set[int] = set()
        for host in hosts:
            for number in self._index.intersecting(host.pattern):
                other = self._hosts[number]
                if _below(host.path, other.path) or _below(other.path, host.path):
                    found.add(number)
        return [self._hosts[number] for number in sorted(found)]


def _below(path: str | None, prefix: str | None) -> bool:
    """True if every path that ``path`` stands for is one that ``prefix`` stands for; ``None`` is any."""
    if prefix is None:
        return True
    return path is not None and (path == prefix or path.startswith(prefix + "/"))


def _addresses(endpoints: Sequence[Endpoint], excluded: AddressSet) -> list[Endpoint]:
    """Addresses merged into one endpoint less ``excluded``; any-address contains the rest."""
    if any(isinstance(e, AnyAddressEndpoint) for e in endpoints):
        return [AnyAddressEndpoint() if excluded.is_empty else AddressEndpoint(ALL.difference(excluded))]
    result: list[Endpoint] = []
    known = union_of(e.addresses for e in endpoints if isinstance(e, AddressEndpoint))
    left = known.difference(excluded)
    if not left.is_empty:
        result.append(AnyAddressEndpoint() if left == ALL else AddressEndpoint(left))
    tags: list[TagEndpoint] = sorted(
        {e for e in endpoints if isinstance(e, TagEndpoint)}, key=lambda tag: tag.name.lower()
    )
    result.extend(tags)
    return result
