"""Accounts that are bound otherwise: more processes, or fewer, are what the policy calls by the same name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.anything import ANY, Anything
from egressc.bind import ANY_GROUP
from egressc.diff_words import Words, ports_text, rules_at, services_of
from egressc.flows import Choice
from egressc.flows_search import witness
from egressc.review import Change, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egressc.diff_sides import Side, Sides, Told
    from egressc.policy import Account
    from egressc.services import PortSet, Service


def account_changes(sides: Sides) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """What processes may newly do, and may no longer do, because an account is bound otherwise."""
    old, new = sides.old.prepared.accounts, sides.new.prepared.accounts
    wider: list[Change] = []
    narrower: list[Change] = []
    for name in sorted(old.keys() & new.keys()):
        before, after = _values(old, name), _values(new, name)
        if before != after and not _within(after, before):
            wider.extend(_everything(name, sides, sides.new, _told(after, before)))
        if before != after and not _within(before, after):
            narrower.extend(_everything(name, sides, sides.old, _told(before, after)))
    return tuple(wider), tuple(narrower)


def _everything(name: str, sides: Sides, side: Side, processes: str) -> list[Change]:
    """What the account is allowed, as one change about these processes; nothing if it is allowed nothing."""
    words = Words(sides, side)
    groups: dict[str, None] = {}
    rules: list[Told] = []
    services: dict[Service, PortSet] = {}
    count = 0
    example = None
    for rule in side.allow_rules:
        whom = rule.reach.accounts
        if isinstance(whom, Anything) or name not in whom:
            continue
        found = witness([replace(box, accounts=Choice(frozenset((name,)))) for box in side.boxes(rule.reach)], ())
        if found is None:
            continue
        written, parties = words.written(rule)
        groups.update(dict.fromkeys((ANY_GROUP,) if isinstance(written, Anything) else written))
        if example is None:
            flow = words.flow(found, rule, parties, by_path=False)
            example = replace(flow, process=processes)
        rules.append(rule)
        services |= services_of(rule, rule.reach.ports)
        count += len(rule.reach.endpoints)
    if example is None:
        return []
    is_new = side.number == 1
    told = rules_at(rules)
    return [
        Change(
            groups=ANY if ANY_GROUP in groups else tuple(sorted(groups)),
            accounts=(name,),
            endpoint="",
            ports=ports_text(services),
            before=Verdict.DENY if is_new else Verdict.ALLOW,
            after=Verdict.ALLOW if is_new else Verdict.DENY,
            old_rules=() if is_new else told,
            new_rules=told if is_new else (),
            example=example,
            count=count,
            notes=(f"`{processes}` {'counts as' if is_new else 'is no longer'} `{name}`",),
        )
    ]


def _values(accounts: Mapping[str, Account], name: str) -> dict[str, frozenset[str]]:
    return {kind: frozenset(values) for kind, values in accounts[name].bindings}


def _within(one: dict[str, frozenset[str]], other: dict[str, frozenset[str]]) -> bool:
    """True if every process of the one is one of the other: kinds are a conjunction, values of a kind alternatives."""
    return all(kind in one and one[kind] <= values for kind, values in other.items())


def _told(mine: dict[str, frozenset[str]], theirs: dict[str, frozenset[str]]) -> str:
    """Processes that are in the first account and not in the second, in words."""
    more = [f"{kind} {value}" for kind in sorted(mine) for value in sorted(mine[kind] - theirs.get(kind, frozenset()))]
    free = [kind for kind in sorted(theirs) if kind not in mine]
    return " or ".join(more) or f"any {' and '.join(free)}"
