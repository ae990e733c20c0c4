"""Flows, and sets of them as unions of boxes: products over the dimensions of a flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet, union_of
from egressc.anything import ANY
from egressc.hosts import HostPattern
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint
from egressc.quick_init import quick_init

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from egressc.policy import Endpoint
    from egressc.reach import Reach
    from egressc.services import PortSet

Test = tuple[HostPattern, str | None]
"""A test of the name: the host matches the pattern and, if there is one, the path begins with the prefix."""

NO_TAGS: frozenset[str] = frozenset()
"""No opaque service tag."""

Processes = tuple[tuple[str, "Choice"], ...]
"""A set of processes: for some kinds of binding which values they may have, sorted by kind; any of every other kind."""


@quick_init
@dataclass(frozen=True, slots=True)
class Flow:
    """One flow, as an example. ``None`` is: none, or one that nobody named (see the field).

    ``group`` and ``account`` are ``None`` for a source or process that no group or account names; ``host``, ``path``
    and ``shared`` for none; ``address`` where it does not matter. ``family`` is the IP version of the source where that
    matters. ``source`` is an address, and ``process`` what the process is called on its platform, of a flow as an
    enforcement point sees it; empty where any will do. ``unnamed`` are the kinds of binding (``account``: in the words
    of the policy) of which it has a value that nothing names: some of the named ones are not meant.
    """

    group: str | None
    account: str | None
    host: str | None
    path: str | None
    address: str | None
    shared: str | None
    transport: str
    port: int
    family: int | None = None
    source: str = ""
    process: str = ""
    unnamed: tuple[str, ...] = ()

    @property
    def whom(self) -> str:
        """What the process is called; empty where any will do."""
        named = self.account or self.process
        return ", ".join([*([named] if named else []), *(f"another {kind}" for kind in self.unnamed)])

    @property
    def text(self) -> str:
        """The flow in one line, as a report shows it."""
        where = self.host or self.address or "any address"
        if ":" in where:
            where = f"[{where}]"
        who = self.group or self.source or "another source"
        if self.family is not None:
            who += f" (IPv{self.family})"
        whom = self.whom
        as_whom = f" as {whom}" if whom else ""
        over = "/udp" if self.transport == "udp" else ""
        also = f" (an address that {self.shared} shares)" if self.shared else ""
        at = f" at {self.address}" if self.host and self.address else ""
        return f"{who}{as_whom} → {where}:{self.port}{over}{self.path or ''}{at}{also}"


@quick_init
@dataclass(frozen=True, slots=True)
class Choice:
    """A finite set of names, or (``negated``) every name but these, also names that nobody listed."""

    names: frozenset[str]
    negated: bool = False

    @property
    def is_empty(self) -> bool:
        """True if nothing is chosen."""
        return not self.names and not self.negated

    def meets(self, other: Choice) -> bool:
        """True if something is in both."""
        if self.negated:
            return other.negated or not other.names <= self.names
        return not self.names <= other.names if other.negated else not self.names.isdisjoint(other.names)

    def minus(self, other: Choice) -> Choice:
        """What is in this choice but not in ``other``."""
        if other.negated:
            return self.within(Choice(other.names))
        return Choice(self.names | other.names, True) if self.negated else Choice(self.names - other.names)  # noqa: FBT003

    def within(self, other: Choice) -> Choice:
        """What is in both."""
        if self.negated and other.negated:
            return Choice(self.names | other.names, True)  # noqa: FBT003
        if self.negated:
            return Choice(other.names - self.names)
        return Choice(self.names - other.names if other.negated else self.names & other.names)


EVERY = Choice(frozenset(), True)  # noqa: FBT003
"""The choice of any name."""


@quick_init
@dataclass(frozen=True, slots=True)
class Box:
    """A product of flows. ``inside`` tests all hold, ``outside`` tests none; the same for the shared name.

    ``tags`` are opaque service tags that the address is under, ``no_tags`` those that it is not under: unknown
    addresses, equal only to themselves. The policy knows ``groups`` and ``accounts``; an enforcement point knows
    ``sources`` and ``processes`` instead, and ``groups`` only as objects whose networks it alone knows.
    """

    groups: Choice
    families: frozenset[int]
    accounts: Choice
    ports: PortSet
    addresses: AddressSet
    inside: tuple[Test, ...] = ()
    outside: tuple[Test, ...] = ()
    shared_inside: tuple[HostPattern, ...] = ()
    shared_outside: tuple[HostPattern, ...] = ()
    tags: frozenset[str] = NO_TAGS
    no_tags: frozenset[str] = NO_TAGS
    sources: AddressSet = ALL
    processes: Processes = ()


def boxes(reach: Reach, tags: Mapping[str, AddressSet]) -> Iterator[Box]:
    """The boxes of a reach, one for each endpoint (two where a name is also matched as the shared name).

    ``tags`` holds the addresses of service tags by their name in lower case; one that is not there is opaque.
    """
    groups = EVERY if reach.groups is ANY else Choice(reach.groups)
    accounts = EVERY if reach.accounts is ANY else Choice(reach.accounts)
    families, ports = reach.source_families, reach.ports
    names_out: tuple[Test, ...] = ()
    free, tags_out = ALL, NO_TAGS
    if reach.exceptions:
        names_out = tuple((e.pattern, e.path) for e in reach.exceptions if isinstance(e, HostEndpoint))
        known = [addresses_of(e, tags) for e in reach.exceptions if not isinstance(e, HostEndpoint)]
        free = ALL.difference(union_of([a for a in known if a is not None]))
        tags_out = opaque_tags(reach.exceptions, tags)
    for endpoint in reach.endpoints:
        if isinstance(endpoint, HostEndpoint):
            inside = ((endpoint.pattern, endpoint.path),)
            yield Box(groups, families, accounts, ports, free, inside, names_out, (), (), NO_TAGS, tags_out)
            if reach.shared:
                shared = (endpoint.pattern,)
                shared_out = tuple(pattern for pattern, _ in names_out)
                yield Box(groups, families, accounts, ports, free, (), (), shared, shared_out, NO_TAGS, tags_out)
            continue
        addresses = addresses_of(endpoint, tags)
        if addresses is None:
            assert isinstance(endpoint, TagEndpoint), "only a tag is opaque"
            tag = frozenset((endpoint.name.lower(),))
            yield Box(groups, families, accounts, ports, free, (), names_out, (), (), tag, tags_out)
            continue
        left = addresses if free is ALL else addresses.intersection(free)
        yield Box(groups, families, accounts, ports, left, (), names_out, (), (), NO_TAGS, tags_out)


def addresses_of(endpoint: Endpoint, tags: Mapping[str, AddressSet]) -> AddressSet | None:
    """The addresses of an endpoint: ``ALL`` for any-address and for hosts, ``None`` for an opaque service tag."""
    match endpoint:
        case AddressEndpoint():
            return endpoint.addresses
        case AnyAddressEndpoint() | HostEndpoint():
            return ALL
        case TagEndpoint():
            return tags.get(endpoint.name.lower())


def opaque_tags(endpoints: tuple[Endpoint, ...], tags: Mapping[str, AddressSet]) -> frozenset[str]:
    """The service tags among the endpoints whose addresses are not known, in lower case."""
    names = {e.name.lower() for e in endpoints if isinstance(e, TagEndpoint)}
    return frozenset(name for name in names if name not in tags)
