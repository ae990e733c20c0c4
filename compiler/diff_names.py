"""Edits without effect that are none of a rule's: names that changed, definitions, and the layout of files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.diff_definitions import Renamed, in_new_words, renamed
from egressc.review import Edit, EditKind, What

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from egressc.diff_definitions import Words, Written
    from egressc.diff_files import Files
    from egressc.diff_sides import Sides
    from egressc.inventory import Group, Inventory

_Key = tuple[What, str]


@dataclass(frozen=True, slots=True)
class _Thing:
    """Something that a file says: its words in the names of the new side, its own name, and where it stands."""

    words: Words
    name: str
    place: str
    file: str


def renamed_things(sides: Sides, files: Files) -> tuple[Renamed, ...]:
    """What is called otherwise than before and is the same: sets, parameters, policies, accounts, groups."""
    sources = [[pair[side] for pair in files.changed.values()] for side in (0, 1)]
    old, new = ([files.written(side, s) for s in some if s is not None] for side, some in enumerate(sources))
    accounts = sides.new.prepared.accounts
    return (
        *renamed(old, new),
        *(
            Renamed(What.ACCOUNT, before, after, accounts[after].span.source.name)
            for before, after in sides.renamed_accounts.items()
        ),
        *_groups(sides.old.prepared.inventory, sides.new.prepared.inventory),
    )


def _groups(old: Inventory, new: Inventory) -> Iterator[Renamed]:
    before, after = ({group.name: group for group in side.groups} for side in (old, new))
    names: dict[str, str] = {}
    while True:
        gone = _by_content((g for name, g in before.items() if name not in after and name not in names), names)
        come = _by_content((g for n, g in after.items() if n not in before and n not in names.values()), {})
        found = {some[0]: come[key][0] for key, some in gone.items() if len(some) == 1 == len(come.get(key, ()))}
        if not found:
            return
        names |= found
        for one, other in found.items():
            yield Renamed(What.GROUP, one, other, after[other].span.source.name)


def _by_content(groups: Iterable[Group], names: Mapping[str, str]) -> dict[object, list[str]]:
    """The names of groups by their addresses or members; a group without either is known by its name only."""
    found: dict[object, list[str]] = {}
    for group in groups:
        if group.networks is not None or group.members:
            members = frozenset(names.get(name, name) for name in group.members)
            found.setdefault((group.networks, members), []).append(group.name)
    return found


def edits_of_files(files: Files, names: Iterable[Renamed], touched: AbstractSet[str]) -> Iterator[Edit]:
    """What else stands otherwise in files to whose rules nothing was done, by the name of what is defined."""
    some = tuple(names)
    called = {(each.what, each.old): each.new for each in some}
    words = {each.old: each.new for each in some}
    old: dict[_Key, _Thing] = {}
    new: dict[_Key, _Thing] = {}
    for place, (was, now) in files.changed.items():
        if was is not None:
            old |= _things(files.written(0, was), place, was.name, called, words)
        if now is not None:
            new |= _things(files.written(1, now), place, now.name, {}, {})
    edits = [each for each in _edits(old, new) if each[0] not in touched]
    said = {place for place, edit in edits if edit.what is not What.IMPORT}
    said.update(files.key(1, each.file) for each in some)
    yield from (edit for place, edit in edits if edit.what is not What.IMPORT or place not in said)
    said.update(place for place, _ in edits)
    for place, (was, now) in files.changed.items():
        if place in touched or place in said:
            continue
        if was is None or now is None:
            # Of a file that defines something, that was told, or stands elsewhere now.
            if now is not None and not files.written(1, now).definitions:
                yield Edit(EditKind.ADDED, (), (), now.name, What.FILE, ("", now.name))
            if was is not None and not files.written(0, was).definitions:
                yield Edit(EditKind.REMOVED, (), (), was.name, What.FILE, (was.name, ""))
        elif _says_names(files.written(0, was), words):
            continue
        else:
            yield Edit(EditKind.REFORMATTED, (), (), now.name, What.FILE, (was.name, now.name))


def _says_names(some: Written, names: Mapping[str, str]) -> bool:
    """True if a file says something by a name that is another now."""
    return any(in_new_words(words, names) != words for words in some.words)


def _things(
    some: Written, place: str, file: str, called: Mapping[_Key, str], words: Mapping[str, str]
) -> dict[_Key, _Thing]:
    found: dict[_Key, _Thing] = {}
    for (what, name), each in some.definitions.items():
        new = called.get((what, name), name)
        found[what, new] = _Thing(in_new_words(each.head, words), name, place, file)
        for rule, said in each.rules.items():
            found[What.RULE, f"{new}/{rule}"] = _Thing(in_new_words(said, words), f"{name}/{rule}", place, file)
    for said in some.rest:
        found[What.IMPORT, said[1]] = _Thing(said, said[1], place, file)
    return found


def _edits(old: Mapping[_Key, _Thing], new: Mapping[_Key, _Thing]) -> Iterator[tuple[str, Edit]]:
    """What is not as it was, each with the place where it is, or was."""

    def edit(kind: EditKind, what: What, was: _Thing | None, now: _Thing | None) -> tuple[str, Edit]:
        where = now or was
        assert where is not None
        names = ("" if was is None else was.name, "" if now is None else now.name)
        return where.place, Edit(kind, (), (), where.file, what, names)

    gone = {key: thing for key, thing in old.items() if key not in new and not _is_of(key, old, new)}
    come = {key: thing for key, thing in new.items() if key not in old and not _is_of(key, new, old)}
    by_words: dict[tuple[str, Words], _Key] = {(_policy(key), thing.words): key for key, thing in come.items()}
    for key, was in gone.items():
        same = by_words.pop((_policy(key), was.words), None) if key[0] is What.RULE else None
        yield edit(
            EditKind.REMOVED if same is None else EditKind.RENAMED, key[0], was, come.pop(same) if same else None
        )
    for key, now in come.items():
        yield edit(EditKind.ADDED, key[0], None, now)
    for key, now in new.items():
        before = old.get(key)
        if before is None or key[0] is What.IMPORT:
            continue
        if before.words != now.words:
            # What is called otherwise holds the same, maybe in another order.
            if key[0] is not What.RULE and key[0] is not What.POLICY and before.name != now.name:
                continue
            yield edit(EditKind.REWRITTEN, key[0], before, now)
        elif before.place != now.place and not (key[0] is What.RULE and _is_moved(key, old, new)):
            yield edit(EditKind.MOVED, key[0], before, now)


def _policy(key: _Key) -> str:
    return key[1].partition("/")[0]


def _is_of(key: _Key, mine: Mapping[_Key, _Thing], others: Mapping[_Key, _Thing]) -> bool:
    """True for a rule of a policy that the other side does not have at all."""
    policy = What.POLICY, _policy(key)
    return key[0] is What.RULE and policy in mine and policy not in others


def _is_moved(key: _Key, old: Mapping[_Key, _Thing], new: Mapping[_Key, _Thing]) -> bool:
    """True for a rule of a policy that stands in another file as a whole."""
    before, after = old.get((What.POLICY, _policy(key))), new.get((What.POLICY, _policy(key)))
    return before is not None and after is not None and before.place != after.place
