"""The files of one commit, as the loader asks for them: the same paths as in the working tree, nothing checked out."""

# os.path splits and joins here; nothing of it looks at the disk but where a path leads out of the repository.
# ruff: noqa: PTH109, PTH118
from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from egressc.project_files import DISK, below
from egressc.revisions_git import LINK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from egressc.revisions_git import Contents, Entry

_MOST_LINKS: Final = 40
"""How many links one path may lead through, as on Linux (path_resolution(7))."""

_GIT: Final = ".git"

_NOWHERE: Final = "\0"
"""A path that nothing has."""


class Tree:
    """The files of a commit below the top folder of the repository, and the disk everywhere else.

    Submodules are not looked into. ``top`` is absolute, with links resolved.
    """

    def __init__(self, top: str, entries: Mapping[str, Entry], contents: Contents) -> None:
        self._top = top
        self._contents = contents
        self._entries = entries
        self._folders: dict[str, list[str]] = {"": []}
        for path in entries:
            self._add(path)

    def _add(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        known = self._folders.get(folder)
        if known is None:
            self._add(folder)
            known = self._folders[folder] = []
        known.append(name)

    def real(self, path: str) -> str:
        """See ``Files``."""
        inside = self._inside(path)
        return os.path.realpath(path) if inside is None else self._followed(inside)

    def is_dir(self, path: str) -> bool:
        """See ``Files``."""
        at, there = self._place(path)
        return DISK.is_dir(there) if at is None else at in self._folders

    def is_file(self, path: str) -> bool:
        """See ``Files``."""
        at, there = self._place(path)
        return DISK.is_file(there) if at is None else at in self._entries and self._entries[at].mode != LINK

    def is_link(self, path: str) -> bool:
        """See ``Files``."""
        inside = self._inside(path)
        if inside is None:
            return DISK.is_link(path)
        folder, _, name = inside.rpartition("/")
        there = os.path.join(self._followed(folder), name)
        at = self._below(there)
        return DISK.is_link(there) if at is None else at in self._entries and self._entries[at].mode == LINK

    def exists(self, path: str) -> bool:
        """See ``Files``."""
        at, there = self._place(path)
        return DISK.exists(there) if at is None else at == _GIT or at in self._folders or self.is_file(path)

    def lexists(self, path: str) -> bool:
        """See ``Files``."""
        return self.is_link(path) or self.exists(path)

    def listdir(self, path: str) -> list[str]:
        """See ``Files``."""
        at, there = self._place(path)
        if at is None:
            return DISK.listdir(there)
        if at in self._entries and self._entries[at].mode != LINK:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        if at not in self._folders:
            raise self._error(at, path)
        return list(self._folders[at])

    def walk(self, path: str, onerror: Callable[[OSError], None]) -> Iterator[tuple[str, list[str], list[str]]]:
        """See ``Files``."""
        try:
            names = self.listdir(path)
        except OSError as error:
            onerror(error)
            return
        folders = [name for name in names if self.is_dir(os.path.join(path, name))]
        held = set(folders)
        yield path, folders, [name for name in names if name not in held]
        for name in folders:
            yield from self.walk(os.path.join(path, name), onerror)

    def read(self, path: str) -> bytes:
        """See ``Files``."""
        at, there = self._place(path)
        if at is None:
            return DISK.read(there)
        if at not in self._entries or self._entries[at].mode == LINK:
            raise self._error(at, path)
        data = self._contents.read(self._entries[at].digest)
        if data is None:
            raise OSError(errno.EIO, "git does not have its contents here", path)
        return data

    def shown(self, path: str) -> str:
        """See ``Files``."""
        return below(self._top, path)

    def _error(self, at: str, path: str) -> OSError:
        if at in self._folders:
            return IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        number = errno.ELOOP if at in self._entries else errno.ENOENT
        return OSError(number, os.strerror(number), path)

    def _inside(self, path: str) -> str | None:
        """The path below the top as it is written, ``..`` in it too; ``None`` for what is elsewhere."""
        absolute = os.path.join(os.getcwd(), path)
        top = os.path.join(self._top, "")
        if not absolute.startswith(top) and absolute != self._top:
            plain = os.path.normpath(absolute)
            # Another way to the same place: links outside the repository are those of the disk.
            absolute = plain if f"{plain}/".startswith(top) else os.path.realpath(absolute)
            if not f"{absolute}/".startswith(top):
                return None
        return absolute[len(top) :]

    def _place(self, path: str) -> tuple[str | None, str]:
        """Where a path leads, links followed: below the top (``None`` for what is elsewhere), and absolute."""
        inside = self._inside(path)
        there = path if inside is None else self._followed(inside, strict=True)
        return (None if inside is None else self._below(there)), there

    def _below(self, absolute: str) -> str | None:
        if absolute == self._top:
            return ""
        top = os.path.join(self._top, "")
        return absolute[len(top) :] if absolute.startswith(top) else None

    def _followed(self, inside: str, *, strict: bool = False, links: int = 0) -> str:
        """The absolute path with the links of the commit followed. ``strict``: there is nothing behind ``missing/..``.

        What a link names outside the repository has no versions: it is the disk's, for every commit.
        """
        waiting = [part for part in inside.split("/") if part][::-1]
        done: list[str] = []
        while waiting:
            part = waiting.pop()
            if part == ".":
                continue
            if part == "..":
                if not done or done[-1] == "..":
                    done.append("..")
                elif strict and done[0] != ".." and "/".join(done) not in self._folders:
                    return os.path.join(self._top, _NOWHERE)
                else:
                    done.pop()
                continue
            entry = self._entries.get("/".join([*done, part]))
            if entry is None or entry.mode != LINK or links == _MOST_LINKS:
                done.append(part)
                continue
            links += 1
            target = os.fsdecode(self._contents.read(entry.digest) or b"")
            if target.startswith("/"):
                return self._elsewhere("/".join([target, *waiting[::-1]]), strict=strict, links=links)
            waiting.extend([each for each in target.split("/") if each][::-1])
        there = os.path.join(self._top, *done)
        return self._elsewhere(os.path.normpath(there), strict=strict, links=links) if done[:1] == [".."] else there

    def _elsewhere(self, path: str, *, strict: bool, links: int) -> str:
        """Where an absolute path leads that may be back in the repository."""
        inside = self._inside(path)
        return os.path.realpath(path) if inside is None else self._followed(inside, strict=strict, links=links)
