"""Endpoints of both sides of a change: as they were written, the flows that they have, and what two of them share."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from egressc.addresses import ALL, union_of
from egressc.flows import EVERY, Box, addresses_of, boxes
from egressc.hosts import contains, intersects
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint
from egressc.reach import BOTH_FAMILIES
from egressc.services import FIRST_PORT, LAST_PORT, PortSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from egressc.addresses import AddressSet
    from egressc.diff_sides import Told
    from egressc.policy import Endpoint
    from egressc.reach import Reach

_PORTS = PortSet(tcp=((FIRST_PORT, LAST_PORT),), udp=((FIRST_PORT, LAST_PORT),))


def written(rule: Told, reach: Reach) -> Iterator[tuple[Endpoint, Endpoint, tuple[Endpoint, ...]]]:
    """The endpoints of a reach of the rule: as written, as it is in the reach, and which addresses were left out."""
    said = rule.rule.rule.to.endpoints
    for endpoint in reach.endpoints:
        if not isinstance(endpoint, AddressEndpoint):
            yield endpoint, endpoint, ()
        elif any(isinstance(each, AnyAddressEndpoint) for each in said):
            yield AnyAddressEndpoint(), endpoint, (AddressEndpoint(ALL.difference(endpoint.addresses)),)
        else:
            parts = [each for each in said if isinstance(each, AddressEndpoint)]
            for each in dict.fromkeys(parts):
                held = each.addresses.intersection(endpoint.addresses)
                left = each.addresses.difference(held)
                # What another one holds as a whole is told by that one.
                if not held.is_empty and not any(o != each and o.addresses.contains(each.addresses) for o in parts):
                    yield each, AddressEndpoint(held), () if left.is_empty else (AddressEndpoint(left),)


def as_box(endpoint: Endpoint, reach: Reach, tags: Mapping[str, AddressSet]) -> Box:
    """The flows of one endpoint of a reach."""
    return next(iter(boxes(replace(reach, endpoints=(endpoint,)), tags)))


def open_box(endpoint: Endpoint, tags: Mapping[str, AddressSet]) -> Box:
    """Every flow to an endpoint, whoever sends it on whatever port."""
    inside = ((endpoint.pattern, endpoint.path),) if isinstance(endpoint, HostEndpoint) else ()
    known = addresses_of(endpoint, tags)
    tag = frozenset((endpoint.name.lower(),)) if known is None and isinstance(endpoint, TagEndpoint) else frozenset()
    return Box(EVERY, BOTH_FAMILIES, EVERY, _PORTS, ALL if known is None else known, inside, (), (), (), tag)


def exceptions_near(
    endpoint: Endpoint, exceptions: Iterable[Endpoint], tags: Mapping[str, AddressSet]
) -> tuple[Endpoint, ...]:
    """Those of the exceptions that leave something out of the endpoint."""
    return tuple(each for each in exceptions if meet(endpoint, each, tags))


def meet(one: Endpoint, other: Endpoint, tags: Mapping[str, AddressSet]) -> bool:
    """True if a flow to both is thinkable: any name may resolve to any address."""
    if isinstance(one, HostEndpoint) and isinstance(other, HostEndpoint):
        return hosts_meet(one, other)
    if isinstance(one, HostEndpoint) or isinstance(other, HostEndpoint):
        return True
    mine, theirs = addresses_of(one, tags), addresses_of(other, tags)
    return mine is None or theirs is None or mine.overlaps(theirs)


@lru_cache(maxsize=4096)
def hosts_meet(one: HostEndpoint, other: HostEndpoint) -> bool:
    """True if some host and path is in both."""
    paths = one.path is None or other.path is None or _below(one.path, other.path) or _below(other.path, one.path)
    return paths and intersects(one.pattern, other.pattern)


def is_within(one: Endpoint, other: Endpoint, tags: Mapping[str, AddressSet]) -> bool:
    """True if every flow to the one is a flow to the other."""
    if isinstance(other, AnyAddressEndpoint) or one == other:
        return True
    if isinstance(one, HostEndpoint) or isinstance(other, HostEndpoint):
        if not (isinstance(one, HostEndpoint) and isinstance(other, HostEndpoint)):
            return False
        paths = other.path is None or (one.path is not None and _below(one.path, other.path))
        return paths and contains(other.pattern, one.pattern)
    mine, theirs = addresses_of(one, tags), addresses_of(other, tags)
    if mine is None or theirs is None:
        return mine is theirs and one.text.lower() == other.text.lower()
    return theirs.contains(mine)


def _below(path: str, prefix: str) -> bool:
    return f"{path}/".startswith(f"{prefix}/")


def narrowed(
    one: Endpoint, other: Endpoint, within: tuple[Endpoint, ...], tags: Mapping[str, AddressSet]
) -> tuple[Endpoint, tuple[Endpoint, ...]]:
    """How to say what two endpoints share: one of them, and those that it must be within besides."""
    if is_within(one, other, tags):
        return one, within
    if is_within(other, one, tags):
        found, rest = other, within
    elif isinstance(one, AddressEndpoint) and isinstance(other, AddressEndpoint):
        found, rest = AddressEndpoint(one.addresses.intersection(other.addresses)), within
    elif isinstance(other, HostEndpoint) and not isinstance(one, HostEndpoint):
        found, rest = other, (one, *within)
    else:
        found, rest = one, (other, *within)
    return found, tuple(dict.fromkeys(each for each in rest if not is_within(found, each, tags)))


def fewest(endpoints: Iterable[Endpoint], tags: Mapping[str, AddressSet]) -> tuple[Endpoint, ...]:
    """The endpoints without those that another one holds; addresses together."""
    some = list(dict.fromkeys(endpoints))
    known = [each for each in some if isinstance(each, AddressEndpoint)]
    found: list[Endpoint] = [each for each in some if not isinstance(each, AddressEndpoint)]
    if known:
        found.append(AddressEndpoint(union_of([each.addresses for each in known])))
    if len(found) > _MANY:
        return tuple(found)
    return tuple(e for e in found if not any(o is not e and is_within(e, o, tags) for o in found))


_MANY = 200
"""So many endpoints are not compared with each other any more: nobody reads them."""
