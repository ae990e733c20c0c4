"""Edits that change nothing: what was done to rules whose flows are decided as before, for people to count."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.anything import Anything
from egressc.diff_files import BY_NAME, Files
from egressc.diff_names import edits_of_files, renamed_things
from egressc.diff_words import rules_at
from egressc.flows_index import FlowIndex, uncovered
from egressc.review import Edit, EditKind, What

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from egressc.diff_definitions import Renamed
    from egressc.diff_files import Places
    from egressc.diff_sides import Side, Sides, Told
    from egressc.policy import Endpoint
    from egressc.review import Change, RuleAt


def edits_without_effect(sides: Sides, changes: Iterable[Change], places: Places = BY_NAME) -> tuple[Edit, ...]:
    """The edits that changed nothing, each once, sorted by kind and rule.

    A rule that decides what it did may still be named by a change that another rule made. ``places``: what a file of
    each side is compared by.
    """
    told = tuple(changes)
    files = Files(sides.old.prepared.policy.sources, sides.new.prepared.policy.sources, places)
    things = renamed_things(sides, files)
    policies = {each.old: each.new for each in things if each.what is What.POLICY}
    old, new = _by_identity(sides.old, policies), _by_identity(sides.new, {})
    named = {_called(each.identity, policies) for change in told for each in change.old_rules}
    named |= {each.identity for change in told for each in change.new_rules}
    edits: list[Edit] = []
    by_policy: dict[tuple[EditKind, tuple[str, str]], list[str]] = {}
    both = [identity for identity in new if identity in old]
    moved = _moved(both, old, new, files)
    for identity in both:
        if identity in named and not _is_same(old[identity], new[identity]):
            continue
        kind = _edit_of(old[identity], new[identity])
        if kind is None and identity in moved:
            kind = EditKind.MOVED
        if kind is None:
            continue
        head = _head_of(kind, old[identity][0], new[identity][0], files)
        if head is None:
            edits.append(_edit(kind, old[identity], new[identity]))
        else:
            by_policy.setdefault((kind, head), []).append(identity)
    for (kind, (before, after)), some in by_policy.items():
        was, now = (rules_at([rule for i in some for rule in side[i]]) for side in (old, new))
        edits.append(Edit(kind, was, now, now[0].span.source.name, What.POLICY, (before, after)))
    gone = {i: rules for i, rules in old.items() if i not in new}
    come = {i: rules for i, rules in new.items() if i not in old}
    edits.extend(_renamed(gone, come))
    changed = {i: rules for i, rules in gone.items() if i in named}, {i: r for i, r in come.items() if i in named}
    gone = {i: rules for i, rules in gone.items() if i not in named}
    come = {i: rules for i, rules in come.items() if i not in named}
    for alone, mine, other in ((come, sides.new, sides.old), (gone, sides.old, sides.new)):
        for identity in _limiting(alone, named, mine, other):
            del alone[identity]
    edits.extend(_parted(gone, come, sides))
    edits.extend(_parts_of_changed(changed[0], come, sides.old, is_split=True))
    edits.extend(_parts_of_changed(changed[1], gone, sides.new, is_split=False))
    edits.extend(Edit(EditKind.REMOVED, rules_at(rules), ()) for rules in gone.values())
    edits.extend(Edit(EditKind.ADDED, (), rules_at(rules)) for rules in come.values())
    touched = {place for edit in edits for place in _files(files, edit.old, edit.new)}
    touched.update(place for change in told for place in _files(files, change.old_rules, change.new_rules))
    edits.extend(_with_rules(edits_of_files(files, things, touched), sides))
    edits.extend(files.renamed)
    edits.extend(_of_thing(each, sides) for each in things)
    return tuple(sorted(edits, key=_order))


def _limiting(some: Mapping[str, list[Told]], named: set[str], mine: Side, other: Side) -> list[str]:
    """Denies of one side alone that keep a change from being wider: what was told is as it is because of them."""
    denies = [identity for identity, rules in some.items() if rules[0].rule.is_deny]
    reaches = [each.reach for each in mine.allow_rules if each.rule.identity in named] if denies else []
    if not reaches:
        return []
    index = FlowIndex(reaches, mine.tags)
    return [
        identity
        for identity in denies
        if any(index.first_inside(mine.boxes(rule.reach), (), (other.denies,)) is not None for rule in some[identity])
    ]


def _with_rules(edits: Iterable[Edit], sides: Sides) -> Iterator[Edit]:
    """The edits; those of rules that take effect with these, as other edits of rules have them."""
    known: list[dict[str, list[Told]]] = []
    for edit in edits:
        if edit.what is not What.RULE:
            yield edit
            continue
        if not known:
            for side in (sides.old, sides.new):
                known.append({})
                for rule in side.rules:
                    known[-1].setdefault("/".join(rule.rule.identity.split("/")[-2:]), []).append(rule)
        rules = [rules_at(known[side].get(name, ())) for side, name in enumerate(edit.names)]
        yield Edit(edit.kind, rules[0], rules[1]) if all(rules) else edit


def _files(files: Files, old: Iterable[RuleAt], new: Iterable[RuleAt]) -> set[str]:
    return {files.key(side, rule.span.source.name) for side, rules in enumerate((old, new)) for rule in rules}


def _of_thing(thing: Renamed, sides: Sides) -> Edit:
    """The edit of something that has another name; of a policy with its rules."""
    names = thing.old, thing.new
    rules: list[tuple[RuleAt, ...]] = [(), ()]
    if thing.what is What.POLICY:
        for side, name in enumerate(names):
            some = (sides.old, sides.new)[side].rules
            rules[side] = rules_at([rule for rule in some if name in rule.rule.identity.split("/")[:-1]])
    return Edit(EditKind.RENAMED, rules[0], rules[1], thing.file, thing.what, names)


def _called(identity: str, policies: Mapping[str, str]) -> str:
    """The identity of a rule in the names that policies have now."""
    if not policies:
        return identity
    *parts, rule = identity.split("/")
    return "/".join((*(policies.get(part, part) for part in parts), rule))


def _by_identity(side: Side, policies: Mapping[str, str]) -> dict[str, list[Told]]:
    found: dict[str, list[Told]] = {}
    for rule in side.rules:
        found.setdefault(_called(rule.rule.identity, policies), []).append(rule)
    return found


def _is_same(old: Sequence[Told], new: Sequence[Told]) -> bool:
    """True if a rule decides what it did: the same flows, or, where the inventory is another, in the same words."""
    if old[0].rule.rule.inspection is not new[0].rule.rule.inspection:
        return False
    same_words = _senders(old[0]) == _senders(new[0]) and _to(old[0]) == _to(new[0])
    return same_words or [r.key for r in old] == [r.key for r in new]


def _edit_of(old: Sequence[Told], new: Sequence[Told]) -> EditKind | None:
    """What was done to a rule that both sides have; ``None`` if nothing, but maybe its place."""
    before, after = old[0].rule.rule, new[0].rule.rule
    # What the inventory changed is no edit of the rule.
    is_written_otherwise = _senders(old[0]) != _senders(new[0])
    # Services and the addresses that stand in for names decide nothing, but firewalls know names by them.
    same = before.inspection is after.inspection and _to(old[0]) == _to(new[0])
    if not same or (is_written_otherwise and [r.key for r in old] != [r.key for r in new]):
        return EditKind.REWRITTEN
    if _words(old[0]) != _words(new[0]):
        return EditKind.REWORDED
    return None


def _head_of(kind: EditKind, old: Told, new: Told, files: Files) -> tuple[str, str] | None:
    """The policy, by its old and its new name, if what was done to a rule was done to that: once for all its rules."""
    before, after = old.rule.rule, new.rule.rule
    if kind is EditKind.MOVED:
        is_of_policy = files.key(0, before.span.source.name) != files.key(1, after.span.source.name)
    else:
        is_of_policy = kind is EditKind.REWORDED and _own_words(old) == _own_words(new)
    return (before.policy.name, after.policy.name) if is_of_policy else None


def _senders(rule: Told) -> tuple[object, ...]:
    """Whom a rule is for, as it was written, and what it does."""
    said = rule.rule.rule
    groups = said.groups if isinstance(said.groups, Anything) else {each.name for each in said.groups}
    accounts = said.accounts if isinstance(said.accounts, Anything) else {each.name for each in said.accounts}
    return said.action, groups, accounts, said.feature


def _to(rule: Told) -> tuple[object, ...]:
    """The destinations of a rule as they were written."""
    said = rule.rule.rule
    to, instead = said.to, said.to.fallback
    return (
        [each.text for each in to.endpoints],
        [each.text for each in to.exceptions],
        None if instead is None else [each.text for each in instead],
        [each.text for each in said.services],
    )


def _words(rule: Told) -> tuple[object, ...]:
    """What a rule and its policy say that decides no flow."""
    head = rule.rule.rule.policy
    return (*_own_words(rule), head.description, head.owner, head.reference, head.ticket, head.review_by)


def _own_words(rule: Told) -> tuple[object, ...]:
    said = rule.rule.rule
    return said.description, said.log, said.feature, said.expires, said.ticket, said.reference


def _moved(both: Sequence[str], old: dict[str, list[Told]], new: dict[str, list[Told]], files: Files) -> frozenset[str]:
    """The rules that stand in another file, or in another order, than before: the fewest that explain it."""
    moved: set[str] = set()
    by_file: dict[str, list[tuple[int, int, str]]] = {}
    for identity in both:
        before, after = old[identity][0].rule.rule.span, new[identity][0].rule.rule.span
        if files.key(0, before.source.name) != files.key(1, after.source.name):
            moved.add(identity)
        else:
            by_file.setdefault(after.source.name, []).append((after.start, before.start, identity))
    for places in by_file.values():
        places.sort()
        stay = _longest_rising([before for _, before, _ in places])
        moved.update(identity for n, (_, _, identity) in enumerate(places) if n not in stay)
    return frozenset(moved)


def _longest_rising(values: Sequence[int]) -> frozenset[int]:
    """The positions of one of the longest rising (not falling) subsequences."""
    tails: list[int] = []
    at: list[int] = []
    previous: list[int] = []
    for number, value in enumerate(values):
        place = bisect_left(tails, value + 1)
        if place == len(tails):
            tails.append(value)
            at.append(number)
        else:
            tails[place] = value
            at[place] = number
        previous.append(at[place - 1] if place else -1)
    found = []
    number = at[-1] if at else -1
    while number >= 0:
        found.append(number)
        number = previous[number]
    return frozenset(found)


def _renamed(gone: dict[str, list[Told]], come: dict[str, list[Told]]) -> list[Edit]:
    """The rules that have only another name; they are taken out of those that are gone and those that came."""
    edits: list[Edit] = []
    by_key: dict[object, list[str]] = {}
    for identity, rules in come.items():
        by_key.setdefault(_whole(rules), []).append(identity)
    for identity in list(gone):
        same = by_key.get(_whole(gone[identity]))
        if same:
            other = same.pop(0)
            edits.append(_edit(EditKind.RENAMED, gone.pop(identity), come.pop(other)))
    return edits


def _whole(rules: Sequence[Told]) -> frozenset[object]:
    return frozenset((*rule.key, rule.rule.rule.inspection) for rule in rules)


def _parted(gone: dict[str, list[Told]], come: dict[str, list[Told]], sides: Sides) -> list[Edit]:
    """One rule that several new ones hold together was split; several that one new rule holds were merged."""
    edits: list[Edit] = []
    for one, many, whole_side, is_split in ((gone, come, sides.old, True), (come, gone, sides.new, False)):
        having = _having(many)
        for identity in sorted(one):
            parts = [i for i in _near(one[identity], having) if i in many and _is_part(many[i], one[identity])]
            if len(parts) < 2 or not _fill(one[identity], [r for i in parts for r in many[i]], whole_side):
                continue
            some = [r for i in parts for r in many[i]]
            kind = EditKind.SPLIT if is_split else EditKind.MERGED
            edits.append(_edit(kind, one[identity], some) if is_split else _edit(kind, some, one[identity]))
            del one[identity]
            for part in parts:
                del many[part]
    return edits


def _parts_of_changed(
    changed: Mapping[str, list[Told]], others: dict[str, list[Told]], side: Side, *, is_split: bool
) -> Iterator[Edit]:
    """What became of rules that have another name and decide otherwise, which is told: others hold parts of them.

    ``side`` has the changed ones; the others are taken out of those that are left.
    """
    having = _having(others) if changed else {}
    for identity in sorted(changed):
        whole = changed[identity]
        near = [i for i in _near(whole, having) if i in others and _is_part(others[i], whole)]
        parts = [i for i in near if _is_held(others[i], whole, side)]
        if not parts:
            continue
        some = [rule for part in parts for rule in others.pop(part)]
        kind = EditKind.RENAMED if len(parts) == 1 else EditKind.SPLIT if is_split else EditKind.MERGED
        yield _edit(kind, whole, some) if is_split else _edit(kind, some, whole)


def _having(some: Mapping[str, list[Told]]) -> dict[Endpoint, list[str]]:
    """The rules that have an endpoint, by the endpoint."""
    having: dict[Endpoint, list[str]] = {}
    for identity, rules in some.items():
        for endpoint in dict.fromkeys(e for rule in rules for e in rule.reach.endpoints):
            having.setdefault(endpoint, []).append(identity)
    return having


def _near(rules: Iterable[Told], having: Mapping[Endpoint, list[str]]) -> list[str]:
    """The rules that share an endpoint with these."""
    return sorted({i for rule in rules for endpoint in rule.reach.endpoints for i in having.get(endpoint, ())})


def _is_held(part: Sequence[Told], whole: Sequence[Told], side: Side) -> bool:
    return all(rule.rule.rule.inspection is whole[0].rule.rule.inspection for rule in part) and _fill(part, whole, side)


def _is_part(some: Sequence[Told], whole: Sequence[Told]) -> bool:
    if some[0].rule.is_deny is not whole[0].rule.is_deny:
        return False
    endpoints = {e for rule in whole for e in rule.reach.endpoints}
    return all(e in endpoints for rule in some for e in rule.reach.endpoints)


def _fill(whole: Sequence[Told], parts: Sequence[Told], side: Side) -> bool:
    """True if the parts have together every flow of the whole."""
    from egressc.flows_index import FlowIndex  # noqa: PLC0415 - seldom needed

    index = FlowIndex([rule.reach for rule in parts], side.tags)
    return uncovered([box for rule in whole for box in side.boxes(replace(rule.reach))], (), (index,)) is None


def _edit(kind: EditKind, old: Iterable[Told], new: Iterable[Told]) -> Edit:
    return Edit(kind, rules_at(old), rules_at(new))


def _order(edit: Edit) -> tuple[object, ...]:
    def names(rules: Sequence[RuleAt]) -> tuple[str, ...]:
        return tuple(each.identity for each in rules)

    order = list(EditKind).index(edit.kind), list(What).index(edit.what)
    return *order, names(edit.old), names(edit.new), edit.names, edit.file
