"""Reaches as blocks, in the policy's own view: by group and account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.addresses import ALL, union_of
from egressc.anything import ANY
from egressc.flows import EVERY, NO_TAGS, Choice, addresses_of, opaque_tags
from egressc.meaning import Block
from egressc.policy import HostEndpoint, TagEndpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egressc.addresses import AddressSet
    from egressc.flows import Test
    from egressc.reach import Reach


def blocks_of(reach: Reach, tags: Mapping[str, AddressSet]) -> tuple[Block, ...]:
    """The flows of a reach: one block for its names, one for its addresses, one for each opaque service tag.

    ``tags`` holds the addresses of service tags by their name in lower case; one that is not there is opaque.
    """
    groups = EVERY if reach.groups is ANY else Choice(reach.groups)
    accounts = EVERY if reach.accounts is ANY else Choice(reach.accounts)
    names_out: tuple[Test, ...] = ()
    free, tags_out = ALL, NO_TAGS
    if reach.exceptions:
        names_out = tuple((e.pattern, e.path) for e in reach.exceptions if isinstance(e, HostEndpoint))
        known = [addresses_of(e, tags) for e in reach.exceptions if not isinstance(e, HostEndpoint)]
        if known:
            free = ALL.difference(union_of([a for a in known if a is not None]))
            tags_out = opaque_tags(reach.exceptions, tags)
    names: list[Test] = []
    addresses: list[AddressSet] = []
    opaque: list[str] = []
    for endpoint in reach.endpoints:
        if isinstance(endpoint, HostEndpoint):
            names.append((endpoint.pattern, endpoint.path))
            continue
        known_here = addresses_of(endpoint, tags)
        if known_here is not None:
            addresses.append(known_here)
        else:
            assert isinstance(endpoint, TagEndpoint), "only a tag is opaque"
            opaque.append(endpoint.name.lower())
    ports, families = reach.ports, reach.source_families
    found = []
    if names:
        found.append(
            Block(
                tuple(names),
                free,
                ports,
                ALL,
                (),
                reach.shared,
                names_out,
                groups,
                NO_TAGS,
                tags_out,
                accounts,
                families,
            )
        )
    if addresses:
        merged = addresses[0] if len(addresses) == 1 else union_of(addresses)
        left = merged if free is ALL else free if merged is ALL else merged.intersection(free)
        if not left.is_empty:
            found.append(
                Block(None, left, ports, ALL, (), False, names_out, groups, NO_TAGS, tags_out, accounts, families)  # noqa: FBT003
            )
    found.extend(
        [
            Block(None, free, ports, ALL, (), False, names_out, groups, frozenset((tag,)), tags_out, accounts, families)  # noqa: FBT003
            for tag in opaque
        ]
    )
    return tuple(found)
