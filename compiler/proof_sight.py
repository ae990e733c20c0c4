"""Reaches as an enforcement point sees them: sources for groups, processes for accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egressc.addresses import ALL, ALL_V4, ALL_V6, EMPTY, AddressSet, union_of
from egressc.anything import Anything
from egressc.flows import EVERY, Choice
from egressc.flows_blocks import blocks_of
from egressc.meaning import Block
from egressc.reach import BOTH_FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from egressc.flows import Processes
    from egressc.policy import Account
    from egressc.reach import Reach
    from egressc.site import BoundGroup, Site

Senders = tuple[tuple[AddressSet, Choice], ...]
"""Sources as alternatives: addresses, and the objects of the device of which the source must be in one."""


class Sight:
    """Turns what the policy says of groups and accounts into what one enforcement point sees; works each out once.

    ``processes`` is how the target knows an account. With ``per_group`` the site is a host: every source is its own.
    """

    def __init__(
        self, site: Site[Any], processes: Callable[[Account], tuple[Processes, ...]], *, per_group: bool
    ) -> None:
        self._tags: Mapping[str, AddressSet] = site.tags
        self._per_group = per_group
        self._groups = {group.name: group for group in site.groups}
        self._processes_of = processes
        self._accounts = {
            account.name: account
            for rule in site.rules
            if not isinstance(rule.accounts, Anything)
            for account in rule.accounts
        }
        self._senders: dict[object, Senders] = {}
        self._whom: dict[object, tuple[Processes, ...]] = {}

    def blocks(self, reach: Reach) -> tuple[Block, ...]:
        """The flows of a reach as the enforcement point sees them; none if none of its sources are known."""
        senders = self.senders(reach.groups, reach.source_families)
        whom = self.processes(reach.accounts)
        return tuple(
            [
                Block(
                    each.names,
                    each.addresses,
                    each.ports,
                    sources,
                    processes,
                    each.by_address,
                    each.names_out,
                    objects,
                    each.tags,
                    each.no_tags,
                )
                for each in blocks_of(reach, self._tags)
                for sources, objects in senders
                for processes in whom
            ]
        )

    def senders(self, groups: frozenset[str] | Anything, families: frozenset[int] = BOTH_FAMILIES) -> Senders:
        """Who sends for these groups, of these IP versions."""
        key = (groups, families)
        found = self._senders.get(key)
        if found is None:
            found = self._senders[key] = tuple(
                (part, objects)
                for sources, objects in self._whole(groups)
                # Of which IP versions the networks of an object are, only the device knows.
                if not (part := _of(sources, families) if objects.negated else sources).is_empty
            )
        return found

    def processes(self, accounts: frozenset[str] | Anything) -> tuple[Processes, ...]:
        """What the processes of these accounts are, as alternatives; without accounts: any process."""
        if isinstance(accounts, Anything):
            return _EVERY_PROCESS
        found = self._whom.get(accounts)
        if found is None:
            every = [p for name in sorted(accounts) for p in self._processes_of(self._accounts[name])]
            found = self._whom[accounts] = merged_processes(every)
        return found

    @property
    def governed(self) -> Senders:
        """The senders of all groups of the site; every sender, if one of them is unbound."""
        if any(g.is_unbound and g.object_name is None for g in self._groups.values()):
            return ((ALL, EVERY),)
        return self.senders(frozenset(self._groups))

    @property
    def known(self) -> tuple[AddressSet, Choice] | None:
        """The sources of the groups whose networks are known, and the objects of the others; ``None`` without either.

        No source is in both: two groups of one firewall share no address (inventory.md).
        """
        whole = self._whole(frozenset(self._groups))
        known = [sources for sources, objects in whole if objects.negated and sources is not ALL]
        objects = [objects for _, objects in whole if not objects.negated]
        return (known[0], objects[0]) if known and objects else None

    def _whole(self, groups: frozenset[str] | Anything) -> Senders:
        if self._per_group or isinstance(groups, Anything):
            return ((ALL, EVERY),)
        known: list[AddressSet] = []
        found: list[tuple[AddressSet, Choice]] = []
        objects: set[str] = set()
        for name in sorted(groups):
            group: BoundGroup = self._groups[name]
            if group.object_name is not None:
                objects.add(group.object_name)
            elif isinstance(group.addresses, Anything):
                # Nobody knows these sources: what is said of them is equal to nothing else.
                objects.add(f"the unbound group {name}")
            else:
                known.append(group.addresses)
        if known:
            found.append((known[0] if len(known) == 1 else union_of(known), EVERY))
        if objects:
            found.append((ALL, Choice(frozenset(objects))))
        return tuple(found)


_EVERY_PROCESS: tuple[Processes, ...] = ((),)


def merged_processes(every: list[Processes]) -> tuple[Processes, ...]:
    """Alternatives of which those that differ in the values of one kind only are one."""
    by_shape: dict[tuple[str, ...], list[Processes]] = {}
    for each in every:
        by_shape.setdefault(tuple([kind for kind, _ in each]), []).append(each)
    found: list[Processes] = []
    for kinds, some in by_shape.items():
        if len(kinds) == 1:
            choice = some[0][0][1]
            for each in some[1:]:
                choice = either(choice, each[0][1])
            found.append(((kinds[0], choice),))
        else:
            found.extend(dict.fromkeys(some))
    return tuple(found)


def either(one: Choice, other: Choice) -> Choice:
    """What is in one of the two."""
    if one.negated or other.negated:
        if one.negated and other.negated:
            return Choice(one.names & other.names, True)  # noqa: FBT003
        out, names = (one.names, other.names) if one.negated else (other.names, one.names)
        return Choice(out - names, True)  # noqa: FBT003
    return Choice(one.names | other.names)


def _of(sources: AddressSet, families: frozenset[int]) -> AddressSet:
    if families == BOTH_FAMILIES:
        return sources
    if sources is ALL:
        return ALL_V4 if families == {4} else ALL_V6 if families == {6} else EMPTY
    return union_of([sources.family(4 if family == 4 else 6) for family in sorted(families)])
