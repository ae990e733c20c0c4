"""The manifest of an output folder: which files in it are ours."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MANIFEST = "manifest.json"
"""The name of the manifest."""


class OutputError(Exception):
    """The output folder cannot be written, or holds what egressc did not write. The text says what and what to do."""


def entries_of(path: Path) -> dict[str, dict[str, Any]]:
    """The entry of each firewall in a manifest; none where there is no such file.

    Raises ``OutputError`` when the file is no manifest.
    """
    try:
        return _checked(json.loads(path.read_text(encoding="utf-8"))["firewalls"])
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise OutputError(
            f"`{path}` is not a manifest of egressc: move it away, or build into another folder"
        ) from error


def _checked(firewalls: object) -> dict[str, dict[str, Any]]:
    """The entries, if they are such; raises ``TypeError`` if not."""
    if not isinstance(firewalls, dict) or not all(_is_entry(name, e) for name, e in firewalls.items()):
        raise TypeError
    return firewalls


def _is_entry(name: str, entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("target"), str)
        and isinstance(entry.get("files"), dict)
        and all(isinstance(digest, str) for digest in entry["files"].values())
        and name not in {"", ".", ".."}
        and "/" not in name
        and "\\" not in name
        and "\0" not in name
    )


def files_of(entry: Mapping[str, Any] | None) -> frozenset[str]:
    """The files of an entry, by their path below the firewall's folder."""
    return frozenset(entry["files"]) if entry is not None else frozenset()


def check_foreign(folder: Path, known: Collection[str], name: str) -> None:
    """Raise ``OutputError`` if the folder of a firewall holds anything that is not one of the ``known`` files.

    Folders that hold nothing else are no harm. Links are never followed: egressc makes none.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise OutputError(f"`{folder}` stands where the folder of `{name}` goes: move it away")
    for root, folders, files in os.walk(folder):
        links = [each for each in folders if Path(root, each).is_symlink()]
        folders.sort()
        for each in sorted([*files, *links]):
            path = Path(root, each)
            if path.is_symlink() or path.relative_to(folder).as_posix() not in known:
                raise OutputError(f"`{path}` was not written by egressc: move it away, or build into another folder")
