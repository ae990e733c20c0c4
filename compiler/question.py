"""A question about a policy: who connects to what, as a set of flows. What is not said stays open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from egressc.addresses import ALL
from egressc.flows import EVERY, NO_TAGS, Box, Choice, Flow
from egressc.flows_search import common
from egressc.hosts import HostPattern
from egressc.reach import BOTH_FAMILIES

if TYPE_CHECKING:
    from egressc.addresses import AddressSet
    from egressc.flows import Test
    from egressc.services import PortSet

ANY_NAME = HostPattern((), deep=True)
"""Every host name: what a connection without a name leaves out."""

NO_NAME: tuple[Test, ...] = ((ANY_NAME, None),)
"""The tests of which a connection that shows no name passes none."""

_EXACTLY = "/\x00"
"""Behind a path: this path and nothing below it that a rule could name. No path of a policy holds the character."""


@dataclass(frozen=True, slots=True)
class Sender:
    """A group that is no union, and the addresses of it that are meant (``ALL``: nothing says which it has)."""

    group: str
    sources: AddressSet = ALL

    @property
    def families(self) -> frozenset[int]:
        """The IP versions of the addresses."""
        if self.sources is ALL:
            return BOTH_FAMILIES
        return frozenset(version for version, held in ((4, self.sources.v4), (6, self.sources.v6)) if held)


@dataclass(frozen=True, slots=True)
class Who:
    """Who connects: groups, with an account if one is given. ``text`` is how it was asked.

    ``any_source`` is true if no source was given; ``notes`` say what could not be checked.
    """

    text: str
    senders: tuple[Sender, ...]
    account: str | None = None
    any_source: bool = True
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class To:
    """What they connect to. ``text`` is how it was asked.

    ``pattern`` is ``None`` for an address: then the connection shows no name. ``path`` is ``None`` if none is given.
    ``addresses`` are those that are meant, ``ALL`` where nothing says to which address the name resolves. They are
    under none of ``no_tags``. With ``any_name`` an address is meant whatever name is asked for, or none.
    """

    text: str
    pattern: HostPattern | None
    path: str | None
    addresses: AddressSet
    ports: PortSet
    no_tags: frozenset[str] = NO_TAGS
    any_name: bool = False

    @property
    def is_open(self) -> bool:
        """True if the address that the name resolves to is not given."""
        return self.addresses is ALL


@dataclass(frozen=True, slots=True)
class Question:
    """A set of flows: from each sender to the same destination. ``accounts`` is what is meant of the accounts."""

    who: Who
    to: To
    accounts: Choice
    below: str | None = None
    """Stands in for an open path: only paths at this one or below it."""

    @classmethod
    def of(cls, who: Who, to: To) -> Question:
        """The question that WHO and TO make."""
        return cls(who, to, EVERY if who.account is None else Choice(frozenset((who.account,))))

    def inside(self) -> tuple[Test, ...]:
        """The tests of the name that the flows pass."""
        to = self.to
        if to.pattern is None:
            return ()
        return ((to.pattern, self.below if to.path is None else exactly(to.path)),)

    def outside(self) -> tuple[Test, ...]:
        """The tests of the name that the flows do not pass."""
        return NO_NAME if self.to.pattern is None and not self.to.any_name else ()

    def box(self, sender: Sender) -> Box:
        """The flows of one sender, in the policy's own view."""
        to = self.to
        return Box(
            Choice(frozenset((sender.group,))),
            sender.families,
            self.accounts,
            to.ports,
            to.addresses,
            self.inside(),
            self.outside(),
            no_tags=to.no_tags,
        )

    def boxes(self) -> tuple[Box, ...]:
        """All flows; none if there is no such flow (a packet has one IP version)."""
        found = [self.box(sender) for sender in self.who.senders]
        return tuple([box for box in found if common(box, box) is not None])

    def of_sender(self, sender: Sender) -> Question:
        """The same from one sender."""
        return replace(self, who=replace(self.who, senders=(sender,)))

    def of_accounts(self, accounts: Choice) -> Question:
        """The same of these accounts."""
        return replace(self, accounts=accounts)

    def at(self, addresses: AddressSet) -> Question:
        """The same to these addresses."""
        return replace(self, to=replace(self.to, addresses=addresses))

    def on(self, ports: PortSet) -> Question:
        """The same on these ports."""
        return replace(self, to=replace(self.to, ports=ports))

    def named(self, pattern: HostPattern) -> Question:
        """The same to these names."""
        return replace(self, to=replace(self.to, pattern=pattern))


def exactly(path: str) -> str:
    """What stands for one path, and nothing below it, in a test of the name."""
    return path.removesuffix("/") + _EXACTLY


def readable(flow: Flow) -> Flow:
    """The flow of an example with the path as people know it."""
    if flow.path is None or not flow.path.endswith(_EXACTLY):
        return flow
    return replace(flow, path=flow.path.removesuffix(_EXACTLY) or "/")
