"""What `egressc diff` compares: OLD and NEW as files, folders or git revisions, and where their files come from."""

# os.path answers where pathlib raises: loops of links, names that are too long, folders without permission.
# ruff: noqa: PTH118, PTH120
from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from egressc.project_files import DISK, Disk, Overlay, below
from egressc.project_paths import INVENTORY, SUFFIX, find_files, near_path, printable, reason
from egressc.revisions_git import Contents, Repository, RevisionError, repository_of
from egressc.revisions_tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.project_files import Files

__all__ = ["Pair", "RevisionError", "Version", "versions"]

_COMMIT: Final = re.compile(r"\b[0-9a-f]{40}\b")

WORKING_TREE: Final = "working tree"
"""What the files on the disk are called beside a revision."""


@dataclass(frozen=True, slots=True)
class Version:
    """One side: what people call it, its files, and the PATHs to load.

    ``absent`` are those PATHs that this side does not have. ``prefix`` stands before the names of its files where both
    sides have files of the same name (``main:``).
    """

    name: str
    files: Files
    paths: tuple[str, ...]
    absent: tuple[str, ...] = ()
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides, the line that heads a report, and what was taken for granted."""

    title: str
    old: Version
    new: Version
    remarks: tuple[str, ...] = ()


@contextmanager
def versions(
    old: str,
    new: str | None,
    paths: Sequence[str] = (),
    stands_for: str | None = None,
    *,
    has_inventory: bool = False,
) -> Iterator[Pair]:
    """The two sides that the words of a command line mean; their files can be read until the block ends.

    ``stands_for`` is where in the working tree two files belong that were put elsewhere, as `git difftool` does.
    ``has_inventory``: the inventory is named elsewhere. Raises ``RevisionError``.
    """
    if new is not None and _is_path(old) and _is_path(new):
        if paths:
            raise RevisionError("PATHs go with revisions, not with two files or folders", "name the files themselves")
        yield _of_paths(old, new, stands_for)
        return
    ends = _ends(old, new)
    with _open(ends, paths, has_inventory=has_inventory) as pair:
        yield pair


@dataclass(frozen=True, slots=True)
class _Ends:
    """Two revisions as they were named, ``None`` for the working tree; ``path`` is what was named in its place."""

    title: str
    old: str | None
    new: str | None
    from_base: bool = False
    path: str | None = None


def _ends(old: str, new: str | None) -> _Ends:
    if new is not None:
        if _is_path(old):
            return _Ends(f"{WORKING_TREE} → {new}", None, new, path=old)
        if _is_path(new):
            return _Ends(f"{old} → {WORKING_TREE}", old, None, path=new)
        return _Ends(f"{old}..{new}", old, new)
    for dots in ("...", ".."):
        one, found, other = old.partition(dots)
        if found:
            return _Ends(old, one or "HEAD", other or "HEAD", from_base=dots == "...")
    return _Ends(f"{old} → {WORKING_TREE}", old, None)


@contextmanager
def _open(ends: _Ends, paths: Sequence[str], *, has_inventory: bool) -> Iterator[Pair]:
    wanted = tuple(_folder_or_file(path) for path in (*((ends.path,) if ends.path is not None else ()), *paths))
    try:
        repository = repository_of(".")
        commits = [None if each is None else repository.commit(each) for each in (ends.old, ends.new)]
    except RevisionError as error:
        raise _perhaps_a_path(error, ends) from None
    if ends.from_base:
        assert ends.old is not None
        assert ends.new is not None
        commits[0] = repository.merge_base(ends.old, ends.new)
    names = [_short(each or WORKING_TREE) for each in (ends.old, ends.new)]
    if ends.from_base:
        names[0] = _short(f"{ends.old}...{ends.new}")
    with Contents(repository) as contents:
        sides = [
            Version(name, _files(repository, commit, contents), (), prefix=f"{_name(commit, name)}:" if commit else "")
            for name, commit in zip(names, commits, strict=True)
        ]
        remarks: tuple[str, ...] = ()
        if not wanted:
            wanted, remarks = (".",), ()
            folder = None if has_inventory else _folder_of_all(sides)
            if folder is not None and folder != ".":
                wanted, remarks = (folder,), (f"no PATH was named: `{folder}` holds all policies and the inventory",)
        sides = [replace(side, paths=wanted) for side in sides]
        subject = " ".join(printable(os.path.normpath(below(repository.top, path))) for path in wanted if path != ".")
        title = f"{subject}  {_short(ends.title)}" if subject else _short(ends.title)
        yield Pair(title, *_present(sides), remarks=remarks)


def _folder_or_file(path: str) -> str:
    """The PATH; for an inventory the folder that it is in, since it counts for all policies there."""
    if not path:
        raise RevisionError("a PATH is empty", "`.` stands for this folder")
    folder, name = os.path.split(path)
    return folder or "." if name == INVENTORY else path


def _short(text: str) -> str:
    """The text with the names of commits in twelve digits, as `git log --abbrev=12` has them."""
    return _COMMIT.sub(lambda found: found[0][:12], text)


def _name(commit: str, name: str) -> str:
    """What git finds the commit by: the name that was given, unless that stands for another one (``A...B``)."""
    return commit[:12] if "..." in name else name


def _folder_of_all(sides: Sequence[Version]) -> str | None:
    """The one folder below this one that holds an inventory, if all policies of both sides are in it, too."""
    inventories: set[str] = set()
    policies: set[str] = set()
    for side in sides:
        if side.files.lexists(INVENTORY):
            return "."
        for place, folders, names in side.files.walk(".", lambda _: None):
            folders[:] = [name for name in folders if not name.startswith(".")]
            inventories.update({os.path.normpath(place)} if INVENTORY in names else ())
            policies.update(os.path.normpath(place) for name in names if name.endswith(SUFFIX))
    if len(inventories) != 1:
        return None
    folder = inventories.pop()
    return folder if all(place == folder or place.startswith(folder + os.sep) for place in policies) else None


def _files(repository: Repository, commit: str | None, contents: Contents) -> Files:
    if commit is None:
        return Disk(repository.top)
    return Tree(repository.top, repository.entries(commit), contents)


def _present(sides: Sequence[Version]) -> tuple[Version, Version]:
    """Both sides with the PATHs that they have. A PATH that only one side has was added or removed: no mistake."""
    for path in sides[0].paths:
        if not any(_has(side, path) for side in sides):
            shown = printable(os.path.normpath(path))
            some = [side for side in sides if side.files.lexists(path)]
            if some:
                raise RevisionError(
                    f"there is no policy file below `{shown}`, neither in `{sides[0].name}` nor in `{sides[1].name}`",
                    f"policy files end in `{SUFFIX}`",
                )
            near = near_path(os.path.normpath(path), files=sides[1].files) or near_path(
                os.path.normpath(path), files=sides[0].files
            )
            raise RevisionError(
                f"there is no `{shown}`, neither in `{sides[0].name}` nor in `{sides[1].name}`",
                f"did you mean `{printable(near)}`?" if near else "PATHs are relative to this folder",
            )
    one, other = (_with_what_it_has(side) for side in sides)
    return one, other


def _has(side: Version, path: str) -> bool:
    return bool(find_files((path,), side.files).files) or (path.endswith(SUFFIX) and side.files.lexists(path))


def _with_what_it_has(side: Version) -> Version:
    has = tuple(path for path in side.paths if _has(side, path))
    absent = tuple(path for path in side.paths if path not in has)
    if has:
        return replace(side, paths=has, absent=absent)
    # Nothing at all: a policy without rules in the place of the first, so that the inventory beside it counts.
    first = absent[0] if absent[0].endswith(SUFFIX) else os.path.join(absent[0], f"nothing{SUFFIX}")
    return replace(side, files=Overlay(side.files, {side.files.real(first): b""}), paths=(first,), absent=absent)


def _of_paths(old: str, new: str, stands_for: str | None) -> Pair:
    """Two files or folders, each with what is beside it; with ``stands_for``, both with what is beside that."""
    if stands_for is None and os.devnull in (old, new):
        stands_for = new if old == os.devnull else old
    if stands_for is None:
        return Pair(f"{printable(old)} → {printable(new)}", _plain(old), _plain(new))
    real = DISK.real(stands_for)
    if not stands_for.endswith(SUFFIX) and os.path.split(stands_for)[1] != INVENTORY:
        raise RevisionError(f"`{printable(stands_for)}` is neither a policy file nor an `{INVENTORY}`")
    path = stands_for if stands_for.endswith(SUFFIX) else os.path.dirname(stands_for) or "."
    sides = []
    for what, word in ((old, "old"), (new, "new")):
        try:
            data = b"" if what == os.devnull else DISK.read(what)
        except OSError as error:
            raise RevisionError(f"cannot read `{printable(what)}`: {reason(error)}") from None
        sides.append(Version(word, Overlay(DISK, {real: data}), (path,), prefix=f"{word}:"))
    return Pair(f"{printable(os.path.normpath(stands_for))}  old → new", sides[0], sides[1])


def _plain(path: str) -> Version:
    return Version(printable(path), DISK, (path,))


def _is_path(word: str) -> bool:
    return word == os.devnull or DISK.lexists(word)


def _perhaps_a_path(error: RevisionError, ends: _Ends) -> RevisionError:
    """The error; where the word is a path, or looks like one, with what may have been meant."""
    for word in (ends.old, ends.new):
        if word is None or f"`{word}`" not in error.message:
            continue
        shown = printable(word)
        if _is_path(word):
            advice = f"name two, or a revision: `egressc diff main -- {shown}`"
            return RevisionError(f"`{shown}` is a file or folder: compare it with what?", advice)
        near = near_path(os.path.normpath(word)) if "/" in word or word.endswith(SUFFIX) else None
        if near is not None and "did you mean" not in error.help:
            advice = f"did you mean `{printable(near)}`?"
            return RevisionError(f"`{shown}` is neither a file or folder nor a revision", advice)
    return error
