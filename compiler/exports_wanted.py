"""What the policy wants in a list: the destinations of some groups' allows, without what denies take away.

A list does not see who asks. So it holds what *anyone* it is for may reach; where that is more than some of them may,
the difference is a step of its own (``account``, ``source``).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from egressc import ranges
from egressc.addresses import ALL, AddressSet
from egressc.anything import ANY, Anything
from egressc.diagnostics import Level
from egressc.exports import ANY_NAME, Entry, ListKind, ListStep, joined
from egressc.exports_cut import Cutter, beside_exceptions, is_any, left_out
from egressc.flows import Flow, boxes
from egressc.flows_index import FlowIndex, uncovered
from egressc.host_index import HostIndex
from egressc.hosts import HostPattern
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, Inspection, TagEndpoint
from egressc.reach import Reach
from egressc.reasons import Effect, Reason
from egressc.services import PortSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.policy import Rule
    from egressc.site import BoundRule, Site

OTHER = ""
"""The account of a process that no rule names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which requests a list is for.

    ``groups`` are names of groups that are no unions. ``account`` is one of the policy's, or ``None`` for every process
    of the hosts. ``rules`` is a pattern of identities.
    """

    kind: ListKind
    groups: tuple[str, ...]
    account: str | None = None
    rules: str = "*"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is to hold, exactly, in a deterministic order; what differs between those whom it is for.

    ``steps`` are by the key of the entry that they belong to. ``skipped`` are rules that are for UDP, too,
    ``cut`` what a list does not see of denies and of addresses that rules leave out.
    """

    entries: tuple[Entry, ...]
    steps: tuple[tuple[Entry, ListStep], ...]
    skipped: tuple[Rule, ...]
    cut: tuple[tuple[Entry, ListStep], ...]

    @property
    def reaches(self) -> tuple[Reach, ...]:
        """The requests of all entries, by name or by address; of tags nobody knows them."""
        return tuple(
            name_reach(each) if isinstance(each.what, HostPattern) else address_reach(each)
            for each in self.entries
            if not isinstance(each.what, TagEndpoint)
        )


def name_reach(entry: Entry) -> Reach:
    """The requests of an entry by name."""
    assert isinstance(entry.what, HostPattern)
    return Reach(ANY, ANY, (HostEndpoint(entry.what, entry.path),), entry.exceptions, PortSet(entry.ports))


def address_reach(entry: Entry) -> Reach:
    """The requests of an entry by address."""
    assert isinstance(entry.what, AddressSet)
    return Reach(ANY, ANY, (AddressEndpoint(entry.what),), (), PortSet(entry.ports))


def wanted(site: Site[None], selection: Selection) -> Wanted:
    """What the list is to hold. ``site`` has the groups and rules that count (for a bypass: what goes directly)."""
    asking = _classes(site, selection)
    found: dict[tuple[object, ...], Entry] = {}
    origins: dict[tuple[object, ...], list[tuple[Rule, ...]]] = defaultdict(list)
    holders: dict[tuple[object, ...], set[int]] = defaultdict(set)
    cut: list[tuple[Entry, ListStep]] = []
    for number, (allows, denies) in enumerate(asking.values()):
        cutter = Cutter(denies, site.tags)
        for rule in allows:
            for piece in _pieces(rule, site, selection.kind):
                left = cutter.left_of(piece)
                for entry in left.parts:
                    key = entry.key
                    found.setdefault(key, entry)
                    origins[key].append(entry.rules)
                    holders[key].add(number)
                cut += [(piece, step) for step in left.steps]
                beside = beside_exceptions(piece, rule, site.tags) if left.parts and rule.rule.to.exceptions else None
                if beside is not None:
                    cut.append((piece, beside))
    for key, some in origins.items():
        if len(some) > 1:
            found[key] = replace(found[key], rules=joined(some))
    entries = tuple(sorted(found.values(), key=_order))
    steps = tuple(_apart(entries, holders, list(asking), selection))
    # What a rule says of UDP is in no list; what it says of TCP is.
    chosen = [
        rule
        for rule in site.rules
        if not rule.is_deny
        and fnmatchcase(rule.identity, selection.rules)
        and any(group.name in selection.groups for group in rule.groups)
    ]
    skipped = {rule.identity: rule.rule for rule in chosen if any(s.transport == "udp" for s in rule.services)}
    return Wanted(entries, steps, tuple(skipped[each] for each in sorted(skipped)), tuple(cut))


_Class = frozenset[tuple[str, str]]
"""Pairs of group and account for which the same rules hold."""


def _classes(site: Site[None], selection: Selection) -> dict[_Class, tuple[list[BoundRule], list[BoundRule]]]:
    """Those whom the list is for, together where the same rules are for them, with their allows and denies."""
    groups = set(selection.groups)
    named = sorted({a.name for rule in site.rules if not isinstance(rule.accounts, Anything) for a in rule.accounts})
    accounts = (*named, OTHER) if selection.account is None else (selection.account,)
    # Rules are told apart by whom they are for: there are few such, however many rules there are.
    alike: dict[tuple[frozenset[str], frozenset[str] | None], list[BoundRule]] = defaultdict(list)
    for rule in site.rules:
        mine = frozenset(group.name for group in rule.groups) & groups
        whom = None if isinstance(rule.accounts, Anything) else frozenset(a.name for a in rule.accounts)
        if mine:
            alike[mine, whom].append(rule)
    keys = list(alike)
    members: dict[tuple[int, ...], set[tuple[str, str]]] = defaultdict(set)
    for group in selection.groups:
        for account in accounts:
            which = tuple(
                n for n, (mine, whom) in enumerate(keys) if group in mine and (whom is None or account in whom)
            )
            members[which].add((group, account))
    result: dict[_Class, tuple[list[BoundRule], list[BoundRule]]] = {}
    for which, pairs in members.items():
        rules = [rule for n in which for rule in alike[keys[n]]]
        rules.sort(key=lambda rule: rule.key)
        allows = [rule for rule in rules if not rule.is_deny and fnmatchcase(rule.identity, selection.rules)]
        result[frozenset(pairs)] = (allows, [rule for rule in rules if rule.is_deny])
    return result


def _pieces(rule: BoundRule, site: Site[None], kind: ListKind) -> Iterator[Entry]:
    """What an allow says, endpoint by endpoint, before any deny."""
    services = [s for s in rule.services if s.transport == "tcp"]
    if kind is ListKind.EXEMPTION:
        if rule.rule.inspection is not Inspection.MUST_NOT:
            return
        services = [s for s in services if s.application.recognition == "sni"]
    if not services:
        return
    names_out: HostIndex[HostEndpoint] = HostIndex(
        [(e.pattern, e) for e in rule.exceptions if isinstance(e, HostEndpoint)]
    )
    addresses_out = left_out(rule, site.tags)
    origin = (rule.rule,)
    ports = PortSet.of(services).tcp
    # Where a path can be seen: what was written with one is told apart by its application.
    seen = PortSet.of([s for s in services if s.application.recognition == "host"]).tcp
    unseen = ranges.difference(ports, seen)
    for endpoint in rule.endpoints:
        match endpoint:
            case HostEndpoint():
                out = tuple(sorted(names_out.intersecting(endpoint.pattern), key=lambda e: e.text))
                apart = endpoint.path is not None or any(each.path is not None for each in out)
                for some, plain in ((seen, True), (unseen, False)) if apart else ((ports, False),):
                    if some:
                        yield Entry(endpoint.pattern, some, origin, endpoint.path, plain, out)
            case AnyAddressEndpoint() | AddressEndpoint() if is_any(endpoint, rule, site.tags):
                out = tuple(sorted(names_out.intersecting(ANY_NAME), key=lambda e: e.text))
                yield Entry(ANY_NAME, ports, origin, exceptions=out)
                if not (left := ALL.difference(addresses_out)).is_empty:
                    yield Entry(left, ports, origin)
            case AddressEndpoint():
                left = endpoint.addresses.difference(addresses_out)
                if not left.is_empty:
                    yield Entry(left, ports, origin)
            case TagEndpoint():
                known = site.tags.get(endpoint.name.lower())
                if known is None:
                    yield Entry(endpoint, ports, origin)
                elif not (left := known.difference(addresses_out)).is_empty:
                    yield Entry(left, ports, origin)


def _apart(
    entries: Sequence[Entry],
    holders: dict[tuple[object, ...], set[int]],
    classes: Sequence[_Class],
    selection: Selection,
) -> Iterator[tuple[Entry, ListStep]]:
    """The steps of entries that only some of those may reach whom the list is for."""
    if len(classes) < 2:
        return
    indexes: dict[tuple[int, bool], FlowIndex] = {}
    for entry in entries:
        mine = holders[entry.key]
        if len(mine) == len(classes) or isinstance(entry.what, TagEndpoint):
            continue
        by_name = isinstance(entry.what, HostPattern)
        reach = name_reach(entry) if by_name else address_reach(entry)
        told: set[Reason] = set()
        for number, pairs in enumerate(classes):
            if number in mine:
                continue
            index = indexes.get((number, by_name))
            if index is None:
                some = [e for e in entries if number in holders[e.key] and isinstance(e.what, HostPattern) is by_name]
                found = [name_reach(e) if by_name else address_reach(e) for e in some if not _is_tag(e)]
                index = indexes[number, by_name] = FlowIndex(found, {})
            flow = uncovered(boxes(reach, {}), (), [index])
            if flow is None:
                continue
            holding = {pair for other in mine for pair in classes[other]}
            for group, account in sorted(pairs):
                same_group = any(g == group for g, _ in holding)
                reason = Reason.ACCOUNT if same_group else Reason.SOURCE
                if reason not in told:
                    told.add(reason)
                    yield entry, _seen_by(reason, reach, flow, group, account, selection)


def _is_tag(entry: Entry) -> bool:
    return isinstance(entry.what, TagEndpoint)


def _seen_by(reason: Reason, reach: Reach, flow: Flow, group: str, account: str, selection: Selection) -> ListStep:
    who = Flow(
        group, account or None, flow.host, flow.path, flow.address, None, "tcp", flow.port,
        unnamed=() if account or selection.account else ("account",),
    )  # fmt: skip
    sentence = (
        "the list does not see which account asks"
        if reason is Reason.ACCOUNT
        else f"the list is for group `{group}`, too, which may not reach this: export it with `--group`"
    )
    return ListStep(reason, Effect.WIDER, sentence, reach, reach, Level.WARNING, who)


def _order(entry: Entry) -> tuple[object, ...]:
    what = entry.what
    place: tuple[object, ...]
    match what:
        case HostPattern():
            place = (0, what.sort_key)
        case AddressSet():
            place = (1, not what.v4, what.v4, what.v6)
        case TagEndpoint():
            place = (2, what.name)
    out = [each.text for each in entry.exceptions]
    return (*place, entry.ports, entry.path or "", entry.plain, out)
