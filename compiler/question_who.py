"""WHO connects: a group, an account, a source, as people write them, met with the inventory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet, parse_addresses, union_of
from egressc.anything import ANY, Anything
from egressc.bind import ANY_GROUP
from egressc.problems import Problem
from egressc.question import Sender, Who
from egressc.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.bind import Prepared
    from egressc.site import BoundGroup, Site

OTHER = "other"
"""Any account that the policies do not name, unless one of them is called so."""

_SHOWN = 8
"""How many names a message lists."""


class Parties:
    """The groups and accounts that there are, for questions about them."""

    def __init__(self, prepared: Prepared, whole: Site[None]) -> None:
        """``whole`` is the site of everything (``bind_everything``)."""
        self._prepared = prepared
        self._leaves: dict[str, BoundGroup] = {group.name: group for group in whole.groups}

    def parse(self, text: str) -> Who | Problem:
        """Who a text means (``GROUP[:ACCOUNT][@SOURCE]``), or what is wrong with it; offsets are into the text."""
        named, at, source = text.partition("@")
        group, colon, account = named.partition(":")
        if not (group or source):
            help_ = "write `GROUP`, `GROUP:ACCOUNT` or `GROUP:ACCOUNT@SOURCE`"
            return _bad(text, "no group is given", help_, 0, len(text))
        if at and not source:
            return _bad(text, "the source behind `@` is missing", "write an address of the group, or leave `@` out",
                        len(named), len(text))  # fmt: skip
        leaves = self.leaves(group) if group else tuple(self._leaves.values())
        if isinstance(leaves, Problem):
            return leaves
        if colon:
            problem = self.account_problem(account)
            if problem is not None:
                return problem.moved(len(group) + 1)
        who = Who(text, tuple([_sender(leaf) for leaf in leaves]), account if colon else None)
        return self._from(who, leaves, group, source, len(named) + 1) if at else who

    def leaves(self, name: str) -> tuple[BoundGroup, ...] | Problem:
        """The groups that are no unions behind a name."""
        if name == ANY_GROUP:
            return tuple(self._leaves.values())
        inventory = self._prepared.inventory
        if inventory.source is None:
            found = [self._leaves[name]] if name in self._leaves else []
            known: Iterable[str] = self._leaves
        else:
            found = [self._leaves[group.name] for group in inventory.leaves((name,))]
            known = [group.name for group in inventory.groups]
        if found:
            return tuple(found)
        if inventory.source is None and list(known) == [ANY_GROUP]:
            # No rule and no inventory names a group: every rule is for any group, whatever it is called.
            return (self._leaves[ANY_GROUP],)
        places = "the inventory" if inventory.source is not None else "the policies name"
        listed = listed_names(known)
        where = f"the groups of {places} are {listed}" if inventory.source is not None else f"{places} {listed}"
        help_ = did_you_mean(name, known) or (where if listed else "no policy names a group")
        return Problem("E0901", f"there is no group `{name}`", "no such group", help_, 0, len(name))

    def account_problem(self, name: str) -> Problem | None:
        """What is wrong with the name of an account; ``None`` if there is such an account."""
        accounts = self._prepared.accounts
        if name in accounts or name == OTHER:
            return None
        if not name:
            return _bad(name, "the account behind `:` is missing", "write the name of a service account", 0, 1)
        listed = listed_names(accounts)
        help_ = did_you_mean(name, accounts)
        if not help_:
            help_ = (
                f"the service accounts are {listed}; `{OTHER}` is any other"
                if listed
                else "the policies define no service account"
            )
        return Problem("E0902", f"there is no service account `{name}`", "no such account", help_, 0, len(name))

    def _from(self, who: Who, leaves: Sequence[BoundGroup], group: str, source: str, start: int) -> Who | Problem:
        """The same from a source address, which must be one of the group's; from a network, all of it must be."""
        bare = source[1:-1] if source.startswith("[") and source.endswith("]") else source
        addresses = parse_addresses(bare)
        if isinstance(addresses, Problem):
            return addresses.moved(start + (bare != source))
        known: list[Sender] = []
        vague: list[Sender] = []
        for leaf in leaves:
            if isinstance(leaf.addresses, Anything):
                vague.append(Sender(leaf.name, addresses))
            elif leaf.addresses.overlaps(addresses):
                known.append(Sender(leaf.name, leaf.addresses.intersection(addresses)))
        if union_of(sender.sources for sender in known).contains(addresses):
            return Who(who.text, tuple(known), who.account, any_source=False)
        if vague:
            names = listed_names([sender.group for sender in vague])
            note = f"nothing says whether {addresses.text} is of {names}: the inventory gives no networks"
            return Who(who.text, tuple(vague), who.account, any_source=False, notes=(note,))
        return self._not_of(leaves, group, addresses, start, start + len(source))

    def _not_of(self, leaves: Sequence[BoundGroup], group: str, addresses: AddressSet, start: int, end: int) -> Problem:
        others = [leaf.name for leaf in self._leaves.values() if _holds(leaf, addresses)]
        whose = f"group `{group}`" if group else "any group"
        help_ = f"it is of {listed_names(others)}" if others else "the inventory gives each group its `networks`"
        if not others and len(leaves) == 1 and isinstance(leaves[0].addresses, AddressSet):
            help_ = f"`{leaves[0].name}` has {leaves[0].addresses.text}"
        return Problem(
            "E0903", f"the source {addresses.text} is not of {whose}", "not of this group", help_, start, end
        )


def _sender(leaf: BoundGroup) -> Sender:
    return Sender(leaf.name, ALL if isinstance(leaf.addresses, Anything) else leaf.addresses)


def _holds(leaf: BoundGroup, addresses: AddressSet) -> bool:
    return leaf.addresses is not ANY and isinstance(leaf.addresses, AddressSet) and leaf.addresses.contains(addresses)


def _bad(text: str, message: str, help_: str, start: int, end: int) -> Problem:
    return Problem("E0903", message, "not complete", help_, start, max(end, start + 1) if text else end)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question for the nearest name, or nothing."""
    near = nearest(name, known)
    return f"did you mean `{near}`?" if near else ""


def listed_names(names: Iterable[str]) -> str:
    """Some names in a sentence: the first few, sorted."""
    every = sorted(names)
    shown = ", ".join(f"`{name}`" for name in every[:_SHOWN])
    return f"{shown}, … ({len(every)} in all)" if len(every) > _SHOWN else shown
