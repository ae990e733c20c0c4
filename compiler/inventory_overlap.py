"""Addresses that two groups of one firewall share: to that firewall a source would be in both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.addresses import address_text
from egressc.diagnostics import Diagnostic, Related

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from egressc.addresses import Family
    from egressc.inventory import Group, Inventory
    from egressc.inventory_groups import Network
    from egressc.source import Span


@dataclass(frozen=True, slots=True)
class _Range:
    """A range of addresses of one group: the first and last address, and where it is written."""

    first: int
    last: int
    group: str
    span: Span


def check_shared_addresses(
    inventory: Inventory, networks: Mapping[str, tuple[Network, ...]], report: list[Diagnostic]
) -> None:
    """Reports pairs of groups that one firewall governs and that share an address or an object, each pair once.

    Every group that shares an address with another appears in a report; the cost is that of sorting the networks.
    """
    seen_groups: set[tuple[str, ...]] = set()
    seen_pairs: set[frozenset[str]] = set()
    for firewall in inventory.firewalls:
        groups = inventory.leaves(firewall.groups)
        for first, second in _same_objects(groups, firewall.target):
            pair = frozenset((first.name, second.name))
            if pair not in seen_pairs:
                seen_pairs.add(pair)
                report.append(_same_object(firewall.name, firewall.target, first, second))
        names = tuple(group.name for group in groups)
        if names in seen_groups:
            continue
        seen_groups.add(names)
        for family in (4, 6):
            for one, other in _clashes(_ranges(groups, networks, family)):
                pair = frozenset((one.group, other.group))
                if pair not in seen_pairs:
                    seen_pairs.add(pair)
                    report.append(_clash(firewall.name, family, one, other))


def _same_objects(groups: Iterable[Group], target: str) -> Iterable[tuple[Group, Group]]:
    """For each object of a target: the first group that it holds, with each other one."""
    first: dict[str, Group] = {}
    for group in groups:
        name = group.object_for(target)
        if name is not None and first.setdefault(name, group) is not group:
            yield first[name], group


def _same_object(firewall: str, target: str, one: Group, other: Group) -> Diagnostic:
    def place(group: Group) -> Span:
        return group.object_spans[[name for name, _ in group.objects].index(target)]

    return Diagnostic(
        code="E0427",
        message=f"groups `{one.name}` and `{other.name}` of firewall `{firewall}` share the object "
        f"`{other.object_for(target)}`",
        span=place(other),
        label=f"here for `{other.name}`",
        help="name another object for one of the groups, or let the firewall govern only one of them",
        related=(Related(span=place(one), text=f"and here for `{one.name}`"),),
    )


def _ranges(groups: Iterable[Group], networks: Mapping[str, tuple[Network, ...]], family: Family) -> list[_Range]:
    found = [
        _Range(first, last, group.name, network.span)
        for group in groups
        for network in networks.get(group.name, ())
        for first, last in (network.addresses.v4 if family == 4 else network.addresses.v6)
    ]
    found.sort(key=lambda r: (r.first, r.last, r.span.start))
    return found


def _clashes(ranges: Iterable[_Range]) -> Iterable[tuple[_Range, _Range]]:
    """For sorted ranges: each that shares an address with the one so far that ends last, if that is of another group.

    That one is enough to name every group that shares an address: where it is of the same group, an earlier range of
    another group that reached this one would have shared an address with it, and been named then.
    """
    longest: _Range | None = None
    for each in ranges:
        if longest is not None and longest.last >= each.first and longest.group != each.group:
            yield longest, each
        if longest is None or each.last > longest.last:
            longest = each


def _clash(firewall: str, family: Family, one: _Range, other: _Range) -> Diagnostic:
    example = address_text(family, other.first)
    first, second = sorted((one, other), key=lambda r: r.span.start)
    return Diagnostic(
        code="E0427",
        message=f"groups `{first.group}` and `{second.group}` of firewall `{firewall}` share the address `{example}`",
        span=second.span,
        label=f"here in `{second.group}`",
        help="take the address out of one of the groups, or let the firewall govern only one of them",
        related=(Related(span=first.span, text=f"and here in `{first.group}`"),),
    )
