"""Where files come from: the disk as it is, or what stands in its place (a revision, a file with another text)."""

# os.path answers where pathlib raises: loops of links, names that are too long, folders without permission.
# ruff: noqa: PTH110, PTH112, PTH113, PTH114, PTH118, PTH123, PTH208
from __future__ import annotations

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


class Overlay(Disk):
    """The disk, but that some files have other bytes, whether they are there or not.

    ``texts`` is by real path. What it names stands in the folder that it is in.
    """

    def __init__(self, texts: Mapping[str, bytes], root: str | None = None) -> None:
        super().__init__(root)
        self._texts = texts

    def is_dir(self, path: str) -> bool:
        """See ``Files``."""
        return super().is_dir(path) and not self._has(path)

    def is_file(self, path: str) -> bool:
        """See ``Files``."""
        return self._has(path) or super().is_file(path)

    def exists(self, path: str) -> bool:
        """See ``Files``."""
        return self._has(path) or super().exists(path)

    def lexists(self, path: str) -> bool:
        """See ``Files``."""
        return self._has(path) or super().lexists(path)

    def read(self, path: str) -> bytes:
        """See ``Files``."""
        text = self._texts.get(self.real(path))
        return super().read(path) if text is None else text

    def _has(self, path: str) -> bool:
        return self.real(path) in self._texts


def below(root: str, path: str) -> str:
    """The path as seen from ``root`` with forward slashes, if it is below it; else the path."""
    absolute = os.path.abspath(path)  # noqa: PTH100 - links stay as they are written
    inside = absolute.startswith(os.path.join(root, ""))
    return os.path.relpath(absolute, root).replace(os.sep, "/") if inside else path


DISK = Disk()
"""The disk, files named as the caller named them."""
