"""Changes in the words of one side: who, to which endpoints, on which ports, and a flow as an example."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet, parse_addresses, union_of
from egressc.anything import ANY, Anything
from egressc.diff_cells import OTHER
from egressc.diff_endpoints import written
from egressc.drift import holds
from egressc.flows_search import example_address
from egressc.policy import AnyAddressEndpoint, HostEndpoint
from egressc.review import RuleAt, Verdict
from egressc.services import PortSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from egressc.diff_cells import Cell
    from egressc.diff_parties import Party
    from egressc.diff_sides import Side, Sides, Told
    from egressc.flows import Box, Flow
    from egressc.flows_index import FlowIndex
    from egressc.policy import Endpoint
    from egressc.services import Service


@dataclass(frozen=True, slots=True)
class Who:
    """Senders in the words of one side; ``sources`` is empty for all addresses of the groups."""

    groups: tuple[str, ...] | Anything
    accounts: tuple[str, ...] | Anything
    sources: str


@dataclass(slots=True, kw_only=True)
class Line:
    """What will be one change. ``endpoint`` is ``None`` for everything that the rules have.

    ``left`` are the named accounts that are not concerned where any other is. ``example`` is in words that both sides
    share. ``is_whole``: it is about everything that the rules have of the endpoint.
    """

    who: Who
    parties: frozenset[str]
    accounts: frozenset[str]
    left: frozenset[str]
    endpoint: Endpoint | None
    within: tuple[Endpoint, ...]
    beyond: tuple[tuple[Endpoint, PortSet], ...]
    ports: PortSet
    services: dict[Service, PortSet]
    before: Verdict
    after: Verdict
    rules: dict[Told, None]
    there: dict[Told, None]
    example: Flow
    is_whole: bool
    count: int = 0

    @property
    def key(self) -> object:
        """Who, and what becomes of it."""
        return self.who, self.before, self.after


class Words:
    """The words of one side."""

    def __init__(self, sides: Sides, side: Side) -> None:
        self.sides = sides
        self.side = side
        self.other = sides.old if side.number == 1 else sides.new
        self._whole: dict[Told, tuple[tuple[str, ...] | Anything, frozenset[str]]] = {}
        # Both sides share the new names of accounts; the old side has its own.
        old = {new: old for old, new in sides.renamed_accounts.items()} if side.number == 0 else {}
        self._old_names = old

    def _groups_of(self, party: Party) -> frozenset[str]:
        return party.new if self.side.number == 1 else party.old

    def is_known(self, name: str) -> bool:
        """True if the party is in a group on the other side."""
        party = self.sides.parties.by_name[name]
        return bool(party.old if self.side.number == 1 else party.new)

    @cached_property
    def _on_both_sides(self) -> frozenset[object]:
        return frozenset([_but_for_senders(rule) for rule in self.other.rules])

    def is_on_both_sides(self, rule: Told) -> bool:
        """True if the other side has the rule as it is, whoever it is for there."""
        return _but_for_senders(rule) in self._on_both_sides

    def count(self, rule: Told) -> int:
        """How many endpoints were written that mean something."""
        return sum(1 for _ in written(rule, rule.reach))

    def senders(self, rules: Sequence[Told], cell: Cell) -> Iterator[tuple[Who, frozenset[str]]]:
        """The senders of a cell, with their parties: groups that are concerned whole, and each that is in part."""
        accounts = self._accounts(cell)
        for rule in rules:
            groups, every = self.written(rule)
            if cell.parties == every:
                yield Who(groups, accounts, ""), every
                return
        whole: list[str] = []
        held: set[str] = set()
        part: list[tuple[str, frozenset[str]]] = []
        parties = [self.sides.parties.by_name[name] for name in cell.parties]
        for name in sorted({n for party in parties for n in self._groups_of(party)}):
            mine = self.sides.parties.of(name, self.side.number)
            if mine <= cell.parties:
                whole.append(name)
                held |= mine
            else:
                part.append((name, mine & cell.parties))
        if whole:
            yield Who(tuple(whole), accounts, ""), frozenset(held)
        for name, some in part:
            left = some - held
            held |= left
            if left:
                known = [self.sides.parties.by_name[each].addresses for each in left]
                yield Who((name,), accounts, union_of([a for a in known if a is not None]).text), left

    def _accounts(self, cell: Cell) -> tuple[str, ...] | Anything:
        if OTHER not in cell.accounts:
            return tuple(sorted(self.account(name) for name in cell.accounts))
        left = sorted(self.account(name) for name in cell.left)
        return (f"any account but {', '.join(left)}",) if left else ANY

    def account(self, name: str) -> str:
        """What the account is called on this side."""
        return self._old_names.get(name, name)

    def written(self, rule: Told) -> tuple[tuple[str, ...] | Anything, frozenset[str]]:
        """The groups of a rule as they were written, and their parties."""
        found = self._whole.get(rule)
        if found is None:
            groups = rule.reach.groups
            every = frozenset(self.sides.parties.by_name) if isinstance(groups, Anything) else groups
            said = rule.rule.rule.groups
            names: tuple[str, ...] | Anything = ANY
            if rule.rule.part or rule.rule.rule.feature is not None:
                names = tuple(sorted(group.name for group in rule.rule.groups))
            elif not isinstance(said, Anything):
                names = tuple(sorted({group.name for group in said}))
            found = self._whole[rule] = names, every
        return found

    def example(self, cell: Cell, parties: frozenset[str]) -> Flow:
        """A flow of the cell that one of the parties sends; the group in it is a party."""
        # For all senders and accounts of what was found the same holds: each of them will do, but a packet has one IP
        # version.
        _, _, _, _, group, found, flow = min(
            (
                (not fits, each.rule.rule.key, replace(flow, group=None).text, order, name, each, flow)
                for each in cell.found
                for flow in (each.example, each.instead)
                if flow is not None
                for fits, order, name in self._who_sends(flow, parties & each.box.groups.names)
            ),
            key=lambda each: each[:4],
        )
        chosen = found.box.accounts
        account = flow.account
        if (account or OTHER) not in cell.accounts:
            named = sorted(n for n in cell.accounts - {OTHER} if (n in chosen.names) is not chosen.negated)
            account = named[0] if named else None
        paths = [path for _, path in (*found.box.outside, *found.box.inside)]
        paths += [each.path for each in found.beyond if isinstance(each, HostEndpoint)]
        by_path = any(path is not None for path in paths)
        path = "/" if by_path and flow.path is None and flow.host is not None else flow.path
        return replace(flow, group=group, account=account, path=path, unnamed=() if account else flow.unnamed)

    def _who_sends(self, flow: Flow, parties: frozenset[str]) -> Iterator[tuple[bool, tuple[object, ...], str]]:
        """The party to name, one that can send the flow before others: whether it can, its order, its name."""
        known = [(self._fits(flow, name), self._party_order(name), name) for name in parties]
        yield from sorted(known, key=lambda each: (not each[0], each[1]))[:1]

    def _fits(self, flow: Flow, name: str) -> bool:
        addresses = self.sides.parties.by_name[name].addresses
        return addresses is None or flow.address is None or not _of_version(addresses, flow).is_empty

    def _party_order(self, name: str) -> tuple[object, ...]:
        party = self.sides.parties.by_name[name]
        return sorted(self._groups_of(party)), party.addresses.text if party.addresses is not None else ""

    def flow(self, line: Line) -> Flow:
        """The example of a line in the words of this side: a group, an address of it, and the account's name."""
        flow = line.example
        party = self.sides.parties.by_name[flow.group] if flow.group is not None else None
        if flow.host is None and flow.address is None and isinstance(line.endpoint, AnyAddressEndpoint):
            flow = replace(flow, address=self._unnamed(party))
        account = None if flow.account is None else self.account(flow.account)
        if party is None:
            return replace(flow, account=account)
        names = self._groups_of(party)
        mine = sorted({g.name for rule in line.rules for g in rule.rule.groups if g.name in names}) or sorted(names)
        source = ""
        if party.addresses is not None:
            wanted = _of_version(party.addresses, flow)
            # Without one there is no such packet, as long as the group has no address of that version.
            source = wanted.first() if not wanted.is_empty else ""
        return replace(flow, group=mine[0], source=source, account=account)

    def _unnamed(self, party: Party | None) -> str | None:
        """An address that no rule of either side names and that the party can send to: each is decided the same."""
        free = ALL
        for side in (self.sides.old, self.sides.new):
            free = free.intersection(side.allows.unnamed).intersection(side.denies.unnamed)
            free = free.difference(side.site.internal)
        known = None if party is None else party.addresses
        for family in (4, 6):
            some = free.family(4 if family == 4 else 6)
            if not some.is_empty and (known is None or known.v4 if family == 4 else known is None or known.v6):
                return example_address(some)
        return None

    def lacks(self, line: Line) -> str:
        """A note where none of the senders has an address of the IP version of the destinations, else nothing."""
        flow = line.example
        parties = [self.sides.parties.by_name[name] for name in line.parties]
        if flow.address is None or any(
            p.addresses is None or _of_version(p.addresses, flow).v4 or _of_version(p.addresses, flow).v6
            for p in parties
        ):
            return ""
        return (
            f"none of the senders has an IPv{6 if ':' in (flow.address or '') else 4} address, so nothing is sent there"
        )

    def decided_there(self, line: Line) -> tuple[Told, ...]:
        """The rules of the other side that decide the example of a line: its denies, or where it is allowed its allows.

        Where the other side has neither, its default denies.
        """
        other = self.other
        if Verdict.DENY in (line.before, line.after):
            return _rules_of(line.example, other.denies, other.deny_rules)
        return _rules_of(line.example, other.allows, other.allow_rules)


def _of_version(addresses: AddressSet, flow: Flow) -> AddressSet:
    """The addresses that can send to where the flow goes: a packet has one IP version."""
    if flow.address is None:
        return addresses if not addresses.v4 else addresses.family(4)
    return addresses.family(6 if ":" in flow.address else 4)


def _but_for_senders(rule: Told) -> tuple[object, ...]:
    reach = rule.reach
    return rule.rule.identity, rule.rule.is_deny, reach.endpoints, reach.exceptions, reach.ports, reach.accounts


def _rules_of(flow: Flow, index: FlowIndex, rules: Sequence[Told]) -> tuple[Told, ...]:
    """The rules that match a flow, in order. Without an address it goes to one that no rule names."""
    numbers = set(index.everywhere)
    if flow.host is not None:
        numbers.update(index.names.matching(flow.host))
    one = parse_addresses(flow.address) if flow.address is not None else None
    if isinstance(one, AddressSet):
        numbers.update(index.by_address(one))
    return tuple(
        [rules[n] for n in sorted(numbers) if any(_holds(box, flow) for box in index.boxes_about(n, flow.host))]
    )


def _holds(box: Box, flow: Flow) -> bool:
    return (flow.account in box.accounts.names) is not box.accounts.negated and holds(box, flow)


def services_of(rule: Told, ports: PortSet) -> dict[Service, PortSet]:
    """The services of the rule that have these ports, each with those of its ports that are concerned."""
    found = {}
    for service in rule.rule.services:
        held = PortSet.of((service,)).intersection(ports)
        if not held.is_empty:
            found[service] = held
    return found


def ports_text(services: dict[Service, PortSet]) -> str:
    """The ports as the language writes them: services that are concerned whole, else their ports that are."""
    texts = []
    for service, ports in sorted(services.items(), key=lambda each: each[0].sort_key):
        if ports.contains(PortSet.of((service,))):
            texts.append(service.text)
            continue
        for first, last in ports.transport(service.transport):
            texts.append(f"{first}-{last}/{service.application}" if last > first else f"{first}/{service.application}")
    return " ".join(dict.fromkeys(texts))


def rules_at(rules: Iterable[Told]) -> tuple[RuleAt, ...]:
    """The rules with their places, each once, in the order of their identities."""
    found = {RuleAt(r.rule.identity, r.rule.part, r.rule.rule.action, r.rule.rule.span): None for r in rules}
    return tuple(sorted(found, key=lambda each: (each.identity, each.part)))
