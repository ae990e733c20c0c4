"""Accounts that are bound otherwise: more processes, or fewer, are what the policy calls by the same name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.anything import ANY, Anything
from egressc.diff_flows import inspected_otherwise, newly_allowed
from egressc.diff_lines import Process, changes_of
from egressc.diff_sides import Side, Sides, Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from egressc.policy import Account
    from egressc.review import Change


def account_changes(
    sides: Sides, inspection_changed: Iterable[Change]
) -> tuple[tuple[Change, ...], tuple[Change, ...], tuple[Change, ...]]:
    """What processes may newly do, may no longer do, and do inspected otherwise: an account is bound otherwise.

    A process that an account gains was of no account before: what any account may do does not change for it, and what
    changes for any account, inspection as in ``inspection_changed``, is not told of it again.
    """
    known = {_but_for_accounts(each) for each in inspection_changed if isinstance(each.accounts, Anything)}
    old, new = sides.old.prepared.accounts, sides.new.prepared.accounts
    wider: list[Change] = []
    narrower: list[Change] = []
    inspected: list[Change] = []
    for name in sorted(old.keys() & new.keys()):
        before, after = _values(old, name), _values(new, name)
        for mine, theirs, is_gained in ((after, before, True), (before, after, False)):
            if before == after or _within(mine, theirs):
                continue
            process = Process(account=name, text=_told(mine, theirs), is_gained=is_gained)
            was = _seen_by(sides.old, None if is_gained else name)
            now = _seen_by(sides.new, name if is_gained else None)
            told = _seen_by(sides.new if is_gained else sides.old, None)
            more, less = newly_allowed(was, now, told), newly_allowed(now, was, told)
            wider.extend(changes_of(more, sides, sides.new, turned=False, process=process))
            narrower.extend(changes_of(less, sides, sides.old, turned=True, process=process))
            inspection = list(inspected_otherwise(was, now))
            for seen, side in ((was, sides.old), (now, sides.new)):
                found = [each for each in inspection if each.rule in seen.known]
                some = changes_of(found, sides, side, turned=False, process=process)
                inspected.extend(each for each in some if _but_for_accounts(each) not in known)
    return tuple(wider), tuple(narrower), tuple(inspected)


def _but_for_accounts(change: Change) -> tuple[object, ...]:
    return (
        change.groups, change.sources, change.endpoint, change.within, change.beyond, change.ports,
        change.before, change.after,
    )  # fmt: skip


def _seen_by(side: Side, account: str | None) -> Side:
    """The side as a process of the account (``None``: of no account) sees it: who it is is no question any more."""
    mine = []
    for each in side.rules:
        accounts = each.reach.accounts
        if isinstance(accounts, Anything):
            mine.append(each)
        elif account in accounts:
            mine.append(Told(each.rule, replace(each.reach, accounts=ANY), each.tags))
    return Side(side.number, side.prepared, side.site, tuple(mine))


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
