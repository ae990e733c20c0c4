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
        if inside is None:
            return os.path.realpath(path)
        return os.path.normpath(os.path.join(self._top, self._followed(inside)))

    def is_dir(self, path: str) -> bool:
        """See ``Files``."""
        at = self._at(path)
        return DISK.is_dir(path) if at is None else at in self._folders

    def is_file(self, path: str) -> bool:
        """See ``Files``."""
        at = self._at(path)
        return DISK.is_file(path) if at is None else at in self._entries and self._entries[at].mode != LINK

    def is_link(self, path: str) -> bool:
        """See ``Files``."""
        inside = self._inside(path)
        if inside is None:
            return DISK.is_link(path)
        folder, _, name = inside.rpartition("/")
        at = self._join(self._followed(folder), name)
        return at in self._entries and self._entries[at].mode == LINK

    def exists(self, path: str) -> bool:
        """See ``Files``."""
        at = self._at(path)
        return DISK.exists(path) if at is None else at == _GIT or at in self._folders or self.is_file(path)

    def lexists(self, path: str) -> bool:
        """See ``Files``."""
        return self.is_link(path) or self.exists(path)

    def listdir(self, path: str) -> list[str]:
        """See ``Files``."""
        at = self._at(path)
        if at is None:
            return DISK.listdir(path)
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
        at = self._at(path)
        if at is None:
            return DISK.read(path)
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

    def _at(self, path: str) -> str | None:
        """Where a path leads, links followed; ``None`` for what is outside the repository."""
        inside = self._inside(path)
        return None if inside is None else self._followed(inside, strict=True)

    def _followed(self, inside: str, *, strict: bool = False) -> str:
        """The path with the links of the commit followed. ``strict``: there is nothing behind ``missing/..``.

        What leads out of the repository keeps its ``..``, and a link to an absolute path stays: a commit has neither.
        """
        waiting = [part for part in inside.split("/") if part][::-1]
        done: list[str] = []
        links = 0
        while waiting:
            part = waiting.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not done or done[-1] == "..":
                    done.append("..")
                elif strict and "/".join(done) not in self._folders:
                    return _NOWHERE
                else:
                    done.pop()
                continue
            here = "/".join([*done, part])
            entry = self._entries.get(here)
            if entry is None or entry.mode != LINK or links == _MOST_LINKS:
                done.append(part)
                continue
            links += 1
            target = os.fsdecode(self._contents.read(entry.digest) or b"")
            if target.startswith("/"):
                return here
            waiting.extend([each for each in target.split("/") if each][::-1])
        return "/".join(done)

    @staticmethod
    def _join(folder: str, name: str) -> str:
        return f"{folder}/{name}" if folder else name
