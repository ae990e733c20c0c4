"""Where files come from: the disk as it is, or what stands in its place (a revision, a file with another text)."""

# os.path answers where pathlib raises: loops of links, names that are too long, folders without permission.
# ruff: noqa: PTH110, PTH112, PTH113, PTH114, PTH118, PTH119, PTH120, PTH123, PTH208
from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Files(Protocol):
    """What a run may ask about files. Paths are absolute, or relative to the working directory."""

    def real(self, path: str) -> str:
        """The path, absolute, with links resolved; also of what does not exist."""
        ...

    def is_dir(self, path: str) -> bool:
        """True for a folder, or a link to one."""
        ...

    def is_file(self, path: str) -> bool:
        """True for a regular file, or a link to one."""
        ...

    def is_link(self, path: str) -> bool:
        """True for a link, wherever it leads."""
        ...

    def exists(self, path: str) -> bool:
        """True if there is something; a link that leads nowhere is nothing."""
        ...

    def lexists(self, path: str) -> bool:
        """True if there is something, be it a link that leads nowhere."""
        ...

    def listdir(self, path: str) -> list[str]:
        """The names in a folder. Raises ``OSError``."""
        ...

    def walk(self, path: str, onerror: Callable[[OSError], None]) -> Iterator[tuple[str, list[str], list[str]]]:
        """As ``os.walk`` from the top down, links followed."""
        ...

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises ``OSError``."""
        ...

    def shown(self, path: str) -> str:
        """How a report names the file at a path."""
        ...


class Disk:
    """The disk as it is. ``root`` is the folder from which reports name files; without it, as the caller did."""

    def __init__(self, root: str | None = None) -> None:
        self._root = root

    def real(self, path: str) -> str:
        """See ``Files``."""
        return os.path.realpath(path)

    def is_dir(self, path: str) -> bool:
        """See ``Files``."""
        return os.path.isdir(path)

    def is_file(self, path: str) -> bool:
        """See ``Files``."""
        return os.path.isfile(path)

    def is_link(self, path: str) -> bool:
        """See ``Files``."""
        return os.path.islink(path)

    def exists(self, path: str) -> bool:
        """See ``Files``."""
        return os.path.exists(path)

    def lexists(self, path: str) -> bool:
        """See ``Files``."""
        return os.path.lexists(path)

    def listdir(self, path: str) -> list[str]:
        """See ``Files``."""
        return os.listdir(path)

    def walk(self, path: str, onerror: Callable[[OSError], None]) -> Iterator[tuple[str, list[str], list[str]]]:
        """See ``Files``."""
        return os.walk(path, onerror=onerror, followlinks=True)

    def read(self, path: str) -> bytes:
        """See ``Files``."""
        with open(path, "rb") as stream:
            return stream.read()

    def shown(self, path: str) -> str:
        """See ``Files``."""
        return path if self._root is None else below(self._root, path)


class Overlay:
    """Other files, but that some have other bytes, whether they are there or not. ``texts`` is by real path."""

    def __init__(self, base: Files, texts: Mapping[str, bytes]) -> None:
        self._base = base
        self._texts = texts

    def real(self, path: str) -> str:
        """See ``Files``."""
        return self._base.real(path)

    def is_dir(self, path: str) -> bool:
        """See ``Files``."""
        return not self._has(path) and self._base.is_dir(path)

    def is_file(self, path: str) -> bool:
        """See ``Files``."""
        return self._has(path) or self._base.is_file(path)

    def is_link(self, path: str) -> bool:
        """See ``Files``."""
        return self._base.is_link(path)

    def exists(self, path: str) -> bool:
        """See ``Files``."""
        return self._has(path) or self._base.exists(path)

    def lexists(self, path: str) -> bool:
        """See ``Files``."""
        return self._has(path) or self._base.lexists(path)

    def listdir(self, path: str) -> list[str]:
        """See ``Files``. A file that is in ``texts`` alone is not listed: who asks for it knows its path."""
        return self._base.listdir(path)

    def walk(self, path: str, onerror: Callable[[OSError], None]) -> Iterator[tuple[str, list[str], list[str]]]:
        """See ``Files``, and ``listdir``."""
        return self._base.walk(path, onerror)

    def read(self, path: str) -> bytes:
        """See ``Files``."""
        text = self._texts.get(self.real(path))
        return self._base.read(path) if text is None else text

    def shown(self, path: str) -> str:
        """See ``Files``."""
        return self._base.shown(path)

    def _has(self, path: str) -> bool:
        return self.real(path) in self._texts


def read_regular(path: str, files: Files) -> bytes:
    """The bytes of a file; raises ``OSError`` for what may have no end (a device, a pipe)."""
    if files.exists(path) and not files.is_file(path) and not files.is_dir(path):
        raise OSError(errno.EINVAL, "not a regular file")
    return files.read(path)


def below(root: str, path: str) -> str:
    """The path as seen from ``root`` with forward slashes, if it is below it; else the path."""
    absolute = os.path.abspath(path)  # noqa: PTH100 - links stay as they are written
    for each in (absolute, os.path.join(os.path.realpath(os.path.dirname(absolute)), os.path.basename(absolute))):
        if each.startswith(os.path.join(root, "")):
            return os.path.relpath(each, root).replace(os.sep, "/")
    return path


DISK = Disk()
"""The disk, files named as the caller named them."""
