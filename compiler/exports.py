"""Lists for proxies: what a bypass or exemption list holds, exactly and as a format can say it.

A list looks at what a client *asks for*: a host name, or an address written in place of one; a port; over plain HTTP
also a path. It knows no source, no account, and (but for a few formats) no address that a name resolves to. So its
requests are of two kinds, by name and by address, and the two are never compared with each other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from egressc.anything import ANY
from egressc.hosts import HostPattern
from egressc.policy import AddressEndpoint, HostEndpoint
from egressc.quick_init import quick_init
from egressc.reach import Reach
from egressc.services import FIRST_PORT, LAST_PORT, PortSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.addresses import AddressSet
    from egressc.diagnostics import Level
    from egressc.flows import Flow
    from egressc.policy import Rule, TagEndpoint
    from egressc.ranges import Ranges
    from egressc.reasons import Effect, Reason

ANY_NAME = HostPattern((), deep=True)
"""Every host name, also one of a single label."""

ANY_PORT: Ranges = ((FIRST_PORT, LAST_PORT),)
"""Every TCP port."""


class ListKind(StrEnum):
    """What a list is for: destinations that clients reach directly, or those whose TLS the proxy leaves closed."""

    BYPASS = "bypass"
    EXEMPTION = "exemption"


@quick_init
@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """What the policy wants in the list, exactly: one destination on some TCP ports.

    ``what`` is a host pattern (any-address is ``ANY_NAME``, and all addresses beside it), addresses, or a service tag
    whose addresses nobody knows. ``path`` is a prefix as in the language; ``plain`` says that a path can be seen: the
    ports are for plain HTTP. ``exceptions`` are hosts that are not meant, ``rules`` the allows that it came from.
    """

    what: HostPattern | AddressSet | TagEndpoint
    ports: Ranges
    rules: tuple[Rule, ...]
    path: str | None = None
    plain: bool = False
    exceptions: tuple[HostEndpoint, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """What two entries for the same requests have in common."""
        return (self.what, self.ports, self.path, self.plain, self.exceptions)


class Shape(StrEnum):
    """What a line of a list is for."""

    EXACT = "exact"  # one host
    BELOW = "below"  # the names below a domain, not the domain itself
    DOMAIN = "domain"  # a domain and the names below it
    INNER = "inner"  # a pattern with a wildcard elsewhere
    ADDRESS = "address"  # a network, a range or one address
    EVERYTHING = "everything"  # whatever is asked for, names and addresses alike; exceptions are hosts


@quick_init
@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line of a list, as a format is to spell it, and what it then matches there.

    ``pattern`` is the host pattern (``*.d`` for ``BELOW`` and for ``DOMAIN``), ``addresses`` the addresses of an
    ``ADDRESS``. ``ports`` are TCP ports (``ANY_PORT``: the format is to say none). ``path`` only where the format can
    say it; then ``plain`` (also where only an exception has one). ``exceptions`` are to be said with it. ``matched``
    are the patterns that the spelling really matches, ``unmatched`` those that it leaves out by itself. ``rules`` are
    the rules that it stands for.
    """

    shape: Shape
    pattern: HostPattern | None
    addresses: AddressSet | None
    ports: Ranges
    rules: tuple[Rule, ...]
    path: str | None = None
    plain: bool = False
    exceptions: tuple[HostEndpoint, ...] = ()
    matched: tuple[HostPattern, ...] = ()
    unmatched: tuple[HostPattern, ...] = ()

    @property
    def reach(self) -> Reach:
        """The requests that it matches: by name, or (an ``ADDRESS``) by address."""
        if self.addresses is not None:
            return Reach(ANY, ANY, (AddressEndpoint(self.addresses),), (), PortSet(self.ports))
        out = (*self.exceptions, *(HostEndpoint(each) for each in self.unmatched))
        inside = tuple([HostEndpoint(each, self.path) for each in self.matched])
        return Reach(ANY, ANY, inside, out, PortSet(self.ports))

    @property
    def domain(self) -> str:
        """The name that an ``EXACT``, ``BELOW`` or ``DOMAIN`` is for, without a wildcard."""
        assert self.pattern is not None
        return ".".join(self.pattern.labels)

    @property
    def sort_key(self) -> tuple[object, ...]:
        """A key for a deterministic order: names by their labels from the right, then addresses; then ports, paths."""
        if self.addresses is not None:
            return (1, not self.addresses.v4, self.addresses.v4, self.addresses.v6, self.ports, self.path or "")
        assert self.pattern is not None
        order = tuple(Shape).index(self.shape)
        return (0, self.pattern.sort_key[0], order, self.ports, self.path or "", [e.text for e in self.exceptions])

    def with_rules(self, *others: tuple[Rule, ...]) -> Line:
        """The same line that stands for other rules, too."""
        return replace(self, rules=joined((self.rules, *others)))


def joined(some: Iterable[tuple[Rule, ...]]) -> tuple[Rule, ...]:
    """All of the rules, each once, by identity."""
    found = {rule.identity: rule for rules in some for rule in rules}
    return tuple([found[identity] for identity in sorted(found)])


@quick_init
@dataclass(frozen=True, slots=True, eq=False)
class ListStep:
    """One approximation of an entry on its way to lines: ``before`` becomes ``after`` for ``reason``.

    ``after`` is ``None`` where the entry is gone. ``before`` is ``after`` where no request by the list's own measure
    changes (an account that a list does not see): then ``example`` is a flow that shows it. ``level`` is set where it
    is not the reason's own.
    """

    reason: Reason
    effect: Effect
    sentence: str
    before: Reach
    after: Reach | None
    level: Level | None = None
    example: Flow | None = None


@quick_init
@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """An entry as a format says it: ``lines`` (none, if it is gone) and the steps to them."""

    entry: Entry
    lines: tuple[Line, ...]
    steps: tuple[ListStep, ...]


class Exact(StrEnum):
    """What the narrowest spelling of one host, or of the names below one, matches."""

    EXACT = "exact"
    BELOW = "below"  # a host with every name below it
    APEX = "apex"  # the names below a domain with the domain


class Inner(StrEnum):
    """What a format does with a wildcard inside a label, or in an inner label."""

    EXACT = "exact"
    LABELS = "labels"  # whole labels alone
    GLOB = "glob"  # a star that also stands for dots
    NO = "no"


class Ports(StrEnum):
    """How a format says ports."""

    RANGES = "ranges"
    SINGLE = "single"  # one port on a line
    SPELLED = "spelled"  # the same, and compared only where a URL spells it: never the port of http or https
    NO = "no"


class Addresses(StrEnum):
    """How a format says addresses of one IP version."""

    RANGES = "ranges"
    NETWORKS = "networks"
    NETWORKS_AND_LITERALS = "networks-and-literals"  # a small network also address by address
    OCTETS = "octets"  # whole octets of IPv4: 10.*
    SINGLE = "single"
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a format can say, as data: from this an entry is approximated, and nothing else decides how.

    ``exact``: what the spelling of one host matches. ``below``: what that of ``*.d`` matches. ``levels``: so many
    labels at most before the domain (``None``: any number). ``inner``: other wildcards. ``address_ports``: how ports
    are said of addresses (``None``: as of names). ``path``: whether it can say the path of a plain HTTP request;
    ``tls_path``: of any (a table that only tells what is meant). ``exceptions``: whether a line can leave out hosts.
    ``resolves``: whether addresses are compared with what a name resolves to as well. ``everything``: whether it can
    say "whatever is asked for"; ``whole``: it says that, and nothing else. ``names``: whether it can say names at all.
    ``together``: so many whole-label wildcards side by side at most (``None``:
    any number). ``elsewhere``: where what this list cannot say of names or of addresses is, in words (another form of
    the same format): it is not lost, and said in a note.
    """

    exact: Exact = Exact.EXACT
    below: Exact = Exact.EXACT
    levels: int | None = None
    inner: Inner = Inner.NO
    ports: Ports = Ports.NO
    address_ports: Ports | None = None
    path: bool = False
    tls_path: bool = False
    exceptions: bool = False
    v4: Addresses = Addresses.NO
    v6: Addresses = Addresses.NO
    resolves: bool = False
    everything: bool = True
    whole: bool = False
    names: bool = True
    together: int | None = None
    elsewhere: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ReadEntry:
    """One thing that a list says: ``reach`` is by name or by address, never both. ``line`` is 1-based, 0 for none.

    ``doubt`` says why it may match less than ``reach``; it is empty where that is exact.
    """

    reach: Reach
    text: str
    line: int = 0
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class ReadList:
    """What a list says. ``remarks`` are about what was read and says nothing here, or could not be understood."""

    entries: tuple[ReadEntry, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A limit of a format that a list does not keep to: what is wrong, what to do, and the rules it is about."""

    message: str
    help: str
    rules: tuple[Rule, ...] = ()


def request_text(flow: Flow) -> str:
    """A request as an example in one line; who asks is said only where the list is to tell that apart."""
    where = flow.host or flow.address or "any address"
    where = f"[{where}]" if ":" in where else where
    at = f" at {flow.address}" if flow.host and flow.address else ""
    who = ""
    if flow.group is not None:
        who = f"{flow.group} as {flow.whom} → " if flow.whom else f"{flow.group} → "
    return f"{who}{where}:{flow.port}{flow.path or ''}{at}"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one program reads a format: most formats have one, without a name; NO_PROXY has one for each client."""

    name: str
    abilities: Abilities
