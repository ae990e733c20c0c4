"""The fewest lines that say what was found rule by rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from egressc.anything import Anything
from egressc.diff_words import OTHER, Who, Words, in_row, is_on, narrowed, ports_text, rows_of, rules_at, services_of
from egressc.flows_search import witness
from egressc.host_index import HostIndex
from egressc.hosts import contains
from egressc.policy import HostEndpoint
from egressc.review import Change, Verdict
from egressc.services import PortSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from egressc.diff_flows import Found
    from egressc.diff_sides import Side, Sides, Told
    from egressc.diff_words import Row
    from egressc.flows import Flow
    from egressc.hosts import HostPattern
    from egressc.policy import Endpoint
    from egressc.services import Service

_EVERYTHING = 4
"""From so many endpoints of a rule on, all of them for senders that the other side does not know are told as one."""


def changes_of(found: Iterable[Found], sides: Sides, words: Side, *, turned: bool) -> tuple[Change, ...]:
    """What was found as changes, sorted, in the words of the side ``words``.

    ``turned``: it was found from the new side to the old one, and is told the other way round.
    """
    lines = _Lines(sides, words, turned=turned)
    for each in found:
        lines.add(each)
    return lines.told()


@dataclass(slots=True)
class _Line:
    """What will be one change, while it grows."""

    who: Who
    endpoint: Endpoint | None
    text: str
    before: Verdict
    after: Verdict
    rules: dict[Told, None]
    services: dict[Service, PortSet]
    example: Flow
    beyond: dict[str, None]
    unknown_senders: bool
    whole: bool
    count: int = 0

    @property
    def key(self) -> _Key:
        return self.who, self.before, self.after


_Key = tuple[Who, Verdict, Verdict]


def _but_for_senders(rule: Told) -> tuple[object, ...]:
    reach = rule.reach
    return rule.rule.identity, rule.rule.is_deny, reach.endpoints, reach.exceptions, reach.ports, reach.accounts


class _Lines:
    def __init__(self, sides: Sides, words: Side, *, turned: bool) -> None:
        self._words = Words(sides, words)
        self._turned = turned
        self._lines: dict[tuple[object, ...], _Line] = {}

    def add(self, found: Found) -> None:
        """Add what was found: one line for each group of senders that is concerned in the same way."""
        decisive = found.others or (found.rule,)
        for row in rows_of(found.pieces):
            for who, parties in self._words.senders(decisive[0], row):
                key = (who, found.endpoint, found.before, found.after)
                line = self._lines.get(key)
                if line is None:
                    self._lines[key] = self._line(found, who, parties, row)
                    continue
                line.rules.update(dict.fromkeys(decisive))
                for service, ports in services_of(found.rule, row.ports).items():
                    line.services[service] = line.services.get(service, PortSet()).union(ports)
                line.beyond = {text: None for text in line.beyond if text in found.beyond}

    def _line(self, found: Found, who: Who, parties: frozenset[str], row: Row) -> _Line:
        return _Line(
            who,
            found.endpoint,
            found.endpoint.text,
            found.before,
            found.after,
            dict.fromkeys(found.others or (found.rule,)),
            services_of(found.rule, row.ports),
            self._example(found, parties, row),
            dict.fromkeys(found.beyond),
            not any(self._words.is_known(party) for party in parties),
            row.ports.contains(found.rule.reach.ports) and not found.beyond,
        )

    def _example(self, found: Found, parties: frozenset[str], row: Row) -> Flow:
        """A flow of the row; the one that was found, if it is in it."""
        flow = found.example
        in_it = (flow.group is None or flow.group in parties) and (flow.account or OTHER) in row.accounts
        if not in_it or not is_on(row.ports, flow):
            pieces = [narrowed(p, parties, row) for p in found.pieces if in_row(p, parties, row)]
            flow = witness(pieces, ()) or flow
        by_path = any(path is not None for p in found.pieces for _, path in (*p.outside, *p.inside))
        return self._words.flow(flow, (found.others or (found.rule,))[0], parties, by_path=by_path)

    def told(self) -> tuple[Change, ...]:
        """The changes: what another line holds as well is left out, what is told of all endpoints is put together."""
        lines = self._without_held(list(self._lines.values()))
        changes = [self._change(line) for line in self._together(lines)]
        return tuple(sorted(changes, key=_order))

    def _without_held(self, lines: list[_Line]) -> list[_Line]:
        """The lines but for those of which another line of the same senders and ports holds the endpoint."""
        wild: dict[_Key, list[tuple[HostPattern, _Line]]] = {}
        for line in lines:
            if isinstance(line.endpoint, HostEndpoint) and not line.endpoint.pattern.is_exact:
                wild.setdefault(line.key, []).append((line.endpoint.pattern, line))
        indexes = {key: HostIndex((pattern, n) for n, (pattern, _) in enumerate(some)) for key, some in wild.items()}
        left = []
        for line in lines:
            numbers: Iterable[int] = ()
            if isinstance(line.endpoint, HostEndpoint) and line.key in indexes:
                numbers = indexes[line.key].intersecting(line.endpoint.pattern)
            holder = next((w for n in sorted(numbers) if _holds(w := wild[line.key][n][1], line)), None)
            if holder is None:
                left.append(line)
            else:
                holder.rules.update(line.rules)
        return left

    @cached_property
    def _on_both_sides(self) -> frozenset[object]:
        """What the rules of the other side say, whoever sends it."""
        return frozenset([_but_for_senders(rule) for rule in self._words.other.rules])

    def _together(self, lines: list[_Line]) -> Iterator[_Line]:
        """The lines; what a rule of both sides has, as one line for all senders that only one side knows."""
        by_rule: dict[tuple[_Key, Told], list[_Line]] = {}
        for line in lines:
            if line.unknown_senders and line.whole and len(line.rules) == 1:
                by_rule.setdefault((line.key, next(iter(line.rules))), []).append(line)
        gathered: dict[_Key, list[_Line]] = {}
        for (key, rule), some in by_rule.items():
            if len(some) == len(rule.reach.endpoints) and _but_for_senders(rule) in self._on_both_sides:
                gathered.setdefault(key, []).extend(some)
        done: set[int] = set()
        for some in gathered.values():
            if len(some) >= _EVERYTHING:
                done.update(map(id, some))
                rules = {rule: None for line in some for rule in line.rules}
                services: dict[Service, PortSet] = {}
                for line in some:
                    services |= line.services
                yield replace(some[0], rules=rules, services=services, endpoint=None, text="", count=len(some))
        yield from (line for line in lines if id(line) not in done)

    def _change(self, line: _Line) -> Change:
        mine = rules_at(line.rules)
        theirs = rules_at(self._words.decided_there(line.example))
        before, after = (line.after, line.before) if self._turned else (line.before, line.after)
        old, new = (mine, theirs) if self._words.side.number == 0 else (theirs, mine)
        return Change(
            groups=line.who.groups,
            accounts=line.who.accounts,
            sources=line.who.sources,
            endpoint=line.text,
            ports=ports_text(line.services),
            before=before,
            after=after,
            old_rules=old,
            new_rules=new,
            example=line.example,
            beyond=tuple(sorted(line.beyond)),
            count=line.count,
        )


def _holds(wide: _Line, line: _Line) -> bool:
    if wide is line or not isinstance(wide.endpoint, HostEndpoint) or not isinstance(line.endpoint, HostEndpoint):
        return False
    if wide.endpoint == line.endpoint or wide.endpoint.path is not None:
        return False
    if wide.beyond and not (line.endpoint.pattern.is_exact and not line.beyond and line.text not in wide.beyond):
        return False
    ports, mine = _union(wide.services), _union(line.services)
    return ports.contains(mine) and contains(wide.endpoint.pattern, line.endpoint.pattern)


def _union(services: dict[Service, PortSet]) -> PortSet:
    found = PortSet()
    for ports in services.values():
        found = found.union(ports)
    return found


def _order(change: Change) -> tuple[object, ...]:
    groups = () if isinstance(change.groups, Anything) else change.groups
    rules = tuple(each.identity for each in (*change.new_rules, *change.old_rules))
    return rules[:1], groups, change.sources, change.endpoint, change.ports
