"""Changes in the words of the policy: who, to which endpoints, on which ports, and a flow as an example."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from egressc.addresses import AddressSet, parse_addresses, union_of
from egressc.anything import ANY, Anything
from egressc.diff_flows import rules_of
from egressc.flows import Choice
from egressc.review import RuleAt
from egressc.services import PortSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from egressc.diff_parties import Party
    from egressc.diff_sides import Side, Sides, Told
    from egressc.flows import Box, Flow
    from egressc.services import Service

OTHER = ""
"""Any account that no rule names."""


@dataclass(frozen=True, slots=True)
class Row:
    """Who, on which ports: a part of a product that is concerned as a whole.

    ``accounts`` may hold ``OTHER``; ``left`` are then the named accounts that are not concerned.
    """

    parties: frozenset[str]
    accounts: frozenset[str]
    ports: PortSet
    left: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Who:
    """Senders in the words of one side; ``sources`` is empty for all addresses of the groups."""

    groups: tuple[str, ...] | Anything
    accounts: tuple[str, ...] | Anything
    sources: str


class Words:
    """The words of one side."""

    def __init__(self, sides: Sides, side: Side) -> None:
        self.sides = sides
        self.side = side
        self.other = sides.old if side.number == 1 else sides.new
        self._whole: dict[Told, tuple[tuple[str, ...] | Anything, frozenset[str]]] = {}

    def is_known(self, name: str) -> bool:
        """True if the party is in a group on the other side."""
        party = self.sides.parties.by_name[name]
        return bool(party.old if self.side.number == 1 else party.new)

    def senders(self, rule: Told, row: Row) -> Iterator[tuple[Who, frozenset[str]]]:
        """The senders of a row, with their parties: groups that are concerned whole, and each that is in part."""
        accounts = _accounts(rule, row)
        written, every = self.written(rule)
        if row.parties >= every:
            yield Who(written, accounts, ""), every
            return
        number = self.side.number
        whole: list[str] = []
        held: set[str] = set()
        part: list[tuple[str, frozenset[str]]] = []
        parties = [self.sides.parties.by_name[name] for name in row.parties]
        for name in sorted({n for party in parties for n in (party.new if number == 1 else party.old)}):
            mine = self.sides.parties.of(name, number)
            if mine <= row.parties:
                whole.append(name)
                held |= mine
            else:
                part.append((name, mine & row.parties))
        if whole:
            yield Who(tuple(whole), accounts, ""), frozenset(held)
        for name, some in part:
            left = some - held
            held |= left
            if left:
                known = [self.sides.parties.by_name[each].addresses for each in left]
                yield Who((name,), accounts, union_of([a for a in known if a is not None]).text), left

    def written(self, rule: Told) -> tuple[tuple[str, ...] | Anything, frozenset[str]]:
        """The groups of a rule as they were written, and their parties."""
        found = self._whole.get(rule)
        if found is None:
            groups = rule.reach.groups
            every = frozenset(self.sides.parties.by_name) if isinstance(groups, Anything) else groups
            said = rule.rule.rule.groups
            names: tuple[str, ...] | Anything = ANY
            if rule.rule.part:
                names = tuple(sorted(group.name for group in rule.rule.groups))
            elif not isinstance(said, Anything):
                names = tuple(sorted({group.name for group in said}))
            found = self._whole[rule] = names, every
        return found

    def flow(self, flow: Flow, rule: Told, parties: frozenset[str], *, by_path: bool) -> Flow:
        """The flow with a group and an address of it in place of the party, and a path where paths matter."""
        name = flow.group if flow.group is not None else min(parties, default=None)
        party = self.sides.parties.by_name.get(name) if name is not None else None
        group, source = (None, "") if party is None else self._sender(party, rule, flow)
        path = "/" if by_path and flow.path is None and flow.host is not None else flow.path
        return replace(flow, group=group, source=source, path=path)

    def _sender(self, party: Party, rule: Told, flow: Flow) -> tuple[str | None, str]:
        names = party.new if self.side.number == 1 else party.old
        mine = [group.name for group in rule.rule.groups if group.name in names] or sorted(names)
        group = mine[0] if mine else None
        if party.addresses is None:
            return group, ""
        wanted = party.addresses.family(6 if flow.address is not None and ":" in flow.address else 4)
        return group, (party.addresses if wanted.is_empty else wanted).first()

    def decided_there(self, flow: Flow) -> tuple[Told, ...]:
        """The rules of the other side that decide a flow in words of this one: its denies, else its allows."""
        party = next((p for p in self.sides.parties.every if _is_of(p, flow, self.side.number)), None)
        if party is None:
            return ()
        there, other = replace(flow, group=party.name, source=""), self.other
        return rules_of(there, other.denies, other.deny_rules) or rules_of(there, other.allows, other.allow_rules)


def _is_of(party: Party, flow: Flow, side: int) -> bool:
    if flow.group is not None and flow.group not in (party.new if side == 1 else party.old):
        return False
    if party.addresses is None or not flow.source:
        return True
    one = parse_addresses(flow.source)
    return isinstance(one, AddressSet) and party.addresses.contains(one)


def rows_of(pieces: Sequence[Box]) -> list[Row]:
    """Who sends on which ports, exactly: senders and accounts that are concerned on the same ports belong together."""
    names = sorted({n for p in pieces for n in p.groups.names})
    accounts = [OTHER, *sorted({n for p in pieces for n in p.accounts.names})]
    ports: dict[tuple[str, str], PortSet] = {}
    for piece in pieces:
        for name in names:
            if (name in piece.groups.names) is piece.groups.negated:
                continue
            for account in accounts:
                if (account in piece.accounts.names) is piece.accounts.negated:
                    continue
                key = (name, account)
                ports[key] = ports[key].union(piece.ports) if key in ports else piece.ports
    by_group: dict[tuple[tuple[str, PortSet], ...], list[str]] = {}
    for name in names:
        mine = tuple((account, ports[name, account]) for account in accounts if (name, account) in ports)
        if mine:
            by_group.setdefault(mine, []).append(name)
    rows = []
    for mine, some in by_group.items():
        by_ports: dict[PortSet, list[str]] = {}
        for account, held in mine:
            by_ports.setdefault(held, []).append(account)
        for held, whom in by_ports.items():
            left = frozenset(accounts).difference(whom) if OTHER in whom else frozenset[str]()
            rows.append(Row(frozenset(some), frozenset(whom), held, left))
    return rows


def _accounts(rule: Told, row: Row) -> tuple[str, ...] | Anything:
    """The accounts of a row in words."""
    mine = rule.reach.accounts
    if not isinstance(mine, Anything):
        return tuple(sorted(row.accounts & mine))
    if OTHER not in row.accounts:
        return tuple(sorted(row.accounts))
    return (f"any account but {', '.join(sorted(row.left))}",) if row.left else ANY


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


def is_on(ports: PortSet, flow: Flow) -> bool:
    """True if the flow is on one of the ports."""
    return any(first <= flow.port <= last for first, last in ports.transport(flow.transport))


def in_row(piece: Box, parties: frozenset[str], row: Row) -> bool:
    """True if some of the parties and of the row's accounts may be in the piece."""
    chosen = any((name in piece.groups.names) is not piece.groups.negated for name in parties)
    return chosen and any((name in piece.accounts.names) is not piece.accounts.negated for name in row.accounts)


def narrowed(piece: Box, parties: frozenset[str], row: Row) -> Box:
    """The flows of the piece that are of these parties and in the row."""
    accounts = piece.accounts
    named = row.accounts - {OTHER}
    if OTHER not in row.accounts:
        accounts = accounts.within(Choice(named))
    return replace(
        piece,
        groups=piece.groups.within(Choice(parties)),
        accounts=accounts,
        ports=piece.ports.intersection(row.ports),
    )


def rules_at(rules: Iterable[Told]) -> tuple[RuleAt, ...]:
    """The rules with their places, each once, in the order of their identities."""
    found = {RuleAt(r.rule.identity, r.rule.part, r.rule.rule.action, r.rule.rule.span): None for r in rules}
    return tuple(sorted(found, key=lambda each: (each.identity, each.part)))
