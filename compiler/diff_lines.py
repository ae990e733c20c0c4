"""The fewest lines that say what was found rule by rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from egressc.anything import Anything
from egressc.diff_cells import cells_of
from egressc.diff_held import without_held
from egressc.diff_words import Line, Words, ports_text, rules_at, services_of
from egressc.review import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from egressc.diff_covers import Found
    from egressc.diff_sides import Side, Sides, Told
    from egressc.policy import Endpoint
    from egressc.services import PortSet, Service

_EVERYTHING = 4
"""From so many endpoints of a rule on, all of them for senders that the other side does not know are told as one."""

_EVERYTHING_OF_A_PROCESS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process that is what the policy calls by an account's name, newly or no longer."""

    account: str
    text: str
    is_gained: bool


def changes_of(
    found: Iterable[Found], sides: Sides, side: Side, *, turned: bool, process: Process | None = None
) -> tuple[Change, ...]:
    """What was found as changes, sorted, in the words of one side; about one process, or everyone.

    ``turned``: it was found from the new side to the old one, and is told the other way round.
    """
    alike: dict[tuple[object, ...], list[Found]] = {}
    for each in found:
        # What is no endpoint is told for each deny.
        key = (each.endpoint, each.within, each.before, each.after, each.endpoint or each.there)
        alike.setdefault(key, []).append(each)
    words = Words(sides, side)
    lines = [line for some in alike.values() for line in _lines_of(some, words)]
    lines = list(_together(without_held(lines, side.tags), words, everyone=process is None))
    changes = [_change(line, words, turned=turned) for line in lines]
    if process is not None:
        changes = [_about(change, process, side.number) for change in changes]
    return tuple(sorted(changes, key=_order))


def _about(change: Change, process: Process, side: int) -> Change:
    """A change for every process as one for this process."""
    note = f"`{process.text}` {'counts as' if process.is_gained else 'is no longer'} `{process.account}`"
    is_of_account = process.is_gained is (side == 1)
    return replace(
        change,
        accounts=(process.account,),
        example=replace(
            change.example, account=process.account if is_of_account else None, process=process.text, unnamed=()
        ),
        notes=(note, *change.notes),
    )


def _lines_of(some: list[Found], words: Words) -> Iterator[Line]:
    """The lines about one endpoint: one for all senders and accounts that are concerned in the same way."""
    first = some[0]
    for cell in cells_of(some, words.side.tags):
        rules = dict.fromkeys(rule for found in cell.found for rule in found.rules or (found.rule,))
        there = dict.fromkeys(rule for found in cell.found for rule in found.there)
        beyond = tuple(cell.beyond.items())
        own = frozenset(each for found in cell.found for each in found.own)
        for who, parties in words.senders(list(rules), cell):
            yield Line(
                who=who,
                parties=parties,
                accounts=cell.accounts,
                left=cell.left,
                endpoint=first.endpoint,
                within=first.within,
                beyond=beyond,
                ports=cell.ports,
                services=_services(rules, cell.ports),
                before=first.before,
                after=first.after,
                rules=rules,
                there=there,
                example=words.example(cell, parties),
                is_whole=all(each in own for each, _ in beyond) and not first.within,
                count=sum(found.count for found in cell.found),
            )


def _services(rules: Iterable[Told], ports: PortSet) -> dict[Service, PortSet]:
    services: dict[Service, PortSet] = {}
    for rule in rules:
        for service, held in services_of(rule, ports).items():
            services[service] = services[service].union(held) if service in services else held
    return services


def _together(lines: list[Line], words: Words, *, everyone: bool) -> Iterator[Line]:
    """The lines; what rules of both sides have, as one line for all senders that only one side knows.

    Or, if it is not about everyone: what rules have, as one line for the process that it is about.
    """
    by_rule: dict[tuple[object, Told], list[Line]] = {}
    for line in lines:
        if (
            line.endpoint is not None
            and line.is_whole
            and not (everyone and any(words.is_known(party) for party in line.parties))
        ):
            for rule in line.rules:
                if line.ports.contains(rule.reach.ports):
                    by_rule.setdefault((line.key, rule), []).append(line)
    whole = {
        each
        for each, some in by_rule.items()
        if len(some) == words.count(each[1]) and not (everyone and not words.is_on_both_sides(each[1]))
    }
    gathered: dict[object, list[Line]] = {}
    left: list[Line] = []
    for line in lines:
        if line.endpoint is not None and all((line.key, rule) in whole for rule in line.rules):
            gathered.setdefault(line.key, []).append(line)
        else:
            left.append(line)
    for some in gathered.values():
        if len(some) < (_EVERYTHING if everyone else _EVERYTHING_OF_A_PROCESS):
            left.extend(some)
            continue
        rules = dict.fromkeys(rule for line in some for rule in line.rules)
        services: dict[Service, PortSet] = {}
        for line in some:
            services |= line.services
        yield replace(some[0], rules=rules, services=services, endpoint=None, beyond=(), count=len(some))
    yield from left


def _change(line: Line, words: Words, *, turned: bool) -> Change:
    mine = rules_at(line.rules)
    theirs = rules_at((*line.there, *words.decided_there(line)))
    before, after = (line.after, line.before) if turned else (line.before, line.after)
    old, new = (mine, theirs) if words.side.number == 0 else (theirs, mine)
    return Change(
        groups=line.who.groups,
        accounts=line.who.accounts,
        sources=line.who.sources,
        endpoint="" if line.endpoint is None else line.endpoint.text,
        ports=ports_text(line.services),
        before=before,
        after=after,
        old_rules=old,
        new_rules=new,
        example=words.flow(line),
        beyond=tuple(sorted(text for each, ports in line.beyond for text in _beyond(each, ports, line))),
        within=tuple(sorted(each.text for each in line.within)),
        count=line.count,
        notes=tuple(_notes(line, words)),
    )


def _notes(line: Line, words: Words) -> Iterator[str]:
    for text in sorted(each.text for each in line.within):
        yield f"only as far as `{text}` has it, too"
    if lacking := words.lacks(line):
        yield lacking


def _beyond(endpoint: Endpoint, ports: PortSet, line: Line) -> Iterator[str]:
    """What is left out, in words; with its ports where it is left out on some of them only."""
    on = "" if ports.contains(line.ports) else f" on {ports_text(_services(line.rules, ports))}"
    texts = [endpoint.text] if " " not in endpoint.text or endpoint.text.startswith("service-tag") else []
    yield from (f"{text}{on}" for text in texts or endpoint.text.split())


def _order(change: Change) -> tuple[object, ...]:
    groups = () if isinstance(change.groups, Anything) else change.groups
    rules = tuple(each.identity for each in (*change.new_rules, *change.old_rules))
    return rules[:1], groups, change.sources, change.endpoint, change.ports, change.within
