"""What was found about one endpoint, put together: for which senders and accounts, on which ports, beyond what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.addresses import union_of
from egressc.diff_covers import cut
from egressc.diff_endpoints import hosts_meet, is_within
from egressc.policy import AddressEndpoint, HostEndpoint
from egressc.services import PortSet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from egressc.addresses import AddressSet
    from egressc.diff_covers import Found
    from egressc.flows import Choice
    from egressc.policy import Endpoint

OTHER = ""
"""Any account that no rule names."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Senders and accounts for which the same was found.

    ``accounts`` may hold ``OTHER``; ``left`` are then the named accounts that are not concerned. ``beyond`` holds what
    is left out of the endpoint, with the ports on which it is.
    """

    parties: frozenset[str]
    accounts: frozenset[str]
    left: frozenset[str]
    ports: PortSet
    beyond: Mapping[Endpoint, PortSet]
    found: tuple[Found, ...]


@dataclass(slots=True)
class _Layer:
    ports: PortSet
    beyond: dict[Endpoint, PortSet]
    found: dict[Found, None]

    @property
    def key(self) -> object:
        return self.ports, frozenset(self.beyond.items())


def cells_of(some: Sequence[Found], tags: Mapping[str, AddressSet]) -> list[Cell]:
    """What was found about one endpoint, in the fewest cells that say it exactly."""
    accounts = [OTHER, *sorted({name for found in some for name in found.box.accounts.names})]
    by_sender: dict[str, dict[str, list[Found]]] = {}
    for found in some:
        for party in found.box.groups.names:
            mine = by_sender.setdefault(party, {})
            for account in accounts:
                if _has(found.box.accounts, account):
                    mine.setdefault(account, []).append(found)
    known: dict[tuple[int, ...], list[_Layer]] = {}
    alike: dict[tuple[object, ...], tuple[list[str], dict[str, list[_Layer]]]] = {}
    for party, held in sorted(by_sender.items()):
        layers: dict[str, list[_Layer]] = {}
        for account, these in held.items():
            numbers = tuple(map(id, these))
            if numbers not in known:
                known[numbers] = _layers(these, tags)
            layers[account] = known[numbers]
        key = tuple((account, tuple(each.key for each in layered)) for account, layered in layers.items())
        parties, seen = alike.setdefault(key, ([], {}))
        parties.append(party)
        for account, layered in layers.items():
            seen[account] = [*seen.get(account, ()), *layered]
    cells = []
    for parties, by_account in alike.values():
        by_layer: dict[object, tuple[list[str], list[_Layer]]] = {}
        for account, layers_of in by_account.items():
            for layer in layers_of:
                names, same = by_layer.setdefault(layer.key, ([], []))
                names.append(account)
                same.append(layer)
        for names, same in by_layer.values():
            whom = frozenset(names)
            left = frozenset(accounts) - whom if OTHER in whom else frozenset[str]()
            every = tuple(dict.fromkeys(found for layer in same for found in layer.found))
            cells.append(Cell(frozenset(parties), whom, left, same[0].ports, same[0].beyond, every))
    return cells


def _has(choice: Choice, name: str) -> bool:
    return (name in choice.names) is not choice.negated


def _layers(some: Sequence[Found], tags: Mapping[str, AddressSet]) -> list[_Layer]:
    """What was found for one sender and account: as one, if what is left out of all of them can be said."""
    layers: list[_Layer] = []
    parts: list[PortSet] = [some[0].box.ports]
    for ports in dict.fromkeys(found.box.ports for found in some):
        rest = ports
        for part in parts:
            rest = rest.difference(part)
        parts = [piece for part in parts for piece in cut(part, ports)]
        parts.extend([] if rest.is_empty else [rest])
    for part in parts:
        together: list[tuple[tuple[Endpoint, ...], list[Found]]] = []
        for found in some:
            if not found.box.ports.overlaps(part):
                continue
            for number, (beyond, mine) in enumerate(together):
                both = _left_out_of_both(beyond, found.beyond, tags)
                if both is not None:
                    together[number] = both, [*mine, found]
                    break
            else:
                together.append((found.beyond, [found]))
        for number, (beyond, mine) in enumerate(together):
            if number == len(layers):
                layers.append(_Layer(PortSet(), {}, {}))
            layer = layers[number]
            layer.ports = layer.ports.union(part)
            layer.found.update(dict.fromkeys(mine))
            for each in beyond:
                layer.beyond[each] = layer.beyond.get(each, PortSet()).union(part)
    return layers


def _left_out_of_both(
    some: tuple[Endpoint, ...], others: tuple[Endpoint, ...], tags: Mapping[str, AddressSet]
) -> tuple[Endpoint, ...] | None:
    """What both leave out; ``None`` if there are no words for it."""
    if some == others or not some or not others:
        return some if some == others else ()
    if len(some) * len(others) > _MANY:
        return None
    found: dict[Endpoint, None] = {}
    addresses = []
    for one in some:
        for other in others:
            if is_within(one, other, tags):
                found[one] = None
            elif is_within(other, one, tags):
                found[other] = None
            elif isinstance(one, AddressEndpoint) and isinstance(other, AddressEndpoint):
                addresses.append(one.addresses.intersection(other.addresses))
            elif one.text != other.text and not _are_apart(one, other):
                return None
    rest = union_of(addresses)
    if not rest.is_empty:
        found[AddressEndpoint(rest)] = None
    return tuple(found)


def _are_apart(one: Endpoint, other: Endpoint) -> bool:
    return isinstance(one, HostEndpoint) and isinstance(other, HostEndpoint) and not hosts_meet(one, other)


_MANY = 10_000
"""So many pairs are not looked at one by one."""
