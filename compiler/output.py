"""Writing artefact folders: staged beside their place, swapped by two renames, the manifest last, all or nothing."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MANIFEST = "manifest.json"
_STAGED = ".egressc-new"
_OLD = ".egressc-old"


class OutputError(Exception):
    """The output folder cannot be written, or holds what egressc did not write. The text says what and what to do."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of one artefact. ``path`` is ``FIREWALL`` or ``FIREWALL/GROUP``, ``firewall`` its first part."""

    path: str
    firewall: str
    target: str
    files: tuple[tuple[str, bytes], ...]


def digest(content: bytes) -> str:
    """The SHA-256 of a file's content, as manifests write it."""
    return f"sha256:{sha256(content).hexdigest()}"


def write(out: Path, folders: Sequence[Folder], head: Mapping[str, Any], *, complete: bool) -> None:
    """Write all folders and the manifest, or nothing.

    With ``complete``, folders that an earlier manifest lists and this run did not make are removed; else they and their
    entries stay. Raises ``OutputError`` when a folder holds a file that no manifest lists, or when writing fails.
    """
    earlier = _read_manifest(out)
    mine = {folder.firewall for folder in folders}
    entries = {name: entry for name, entry in earlier.items() if not complete and name not in mine}
    gone = [name for name in earlier if complete and name not in mine]
    for name in [*sorted(mine), *gone]:
        _check_foreign(out / name, earlier.get(name, {}), name)
    for folder in folders:
        entry = entries.setdefault(folder.firewall, {"target": folder.target, "files": {}})
        inner = folder.path.removeprefix(folder.firewall).lstrip("/")
        for name, content in folder.files:
            entry["files"][f"{inner}/{name}" if inner else name] = digest(content)
    manifest = {**head, "firewalls": {name: _sorted(entries[name]) for name in sorted(entries)}}
    text = json.dumps(manifest, indent=2, ensure_ascii=True) + "\n"
    made = not out.exists()
    staged: list[Path] = []
    swapped: list[Path] = []
    removed: list[Path] = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in sorted(mine):
            staging = out / f"{name}{_STAGED}"
            _clear(staging)
            staged.append(staging)
            for folder in folders:
                if folder.firewall != name:
                    continue
                place = staging / folder.path.removeprefix(name).lstrip("/")
                place.mkdir(parents=True, exist_ok=True)
                for file, content in folder.files:
                    (place / file).write_bytes(content)
        manifest_staging = out / f"{MANIFEST}{_STAGED}"
        staged.append(manifest_staging)
        manifest_staging.write_text(text, encoding="utf-8", newline="\n")
        for name in sorted(mine):
            _swap_in(out, name)
            swapped.append(out / name)
        for name in gone:
            (out / name).rename(out / f"{name}{_OLD}")
            removed.append(out / name)
        manifest_staging.replace(out / MANIFEST)
    except OSError as error:
        _undo(swapped, removed)
        for path in staged:
            _clear(path)
        if made:
            _remove_if_empty(out)
        raise OutputError(f"cannot write `{out}`: {(error.strerror or str(error)).lower()}") from error
    for name in [*sorted(mine), *gone]:
        _clear(out / f"{name}{_OLD}")


def _swap_in(out: Path, name: str) -> None:
    place, old = out / name, out / f"{name}{_OLD}"
    _clear(old)
    if place.exists():
        place.rename(old)
    try:
        (out / f"{name}{_STAGED}").rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise


def _undo(swapped: Sequence[Path], removed: Sequence[Path]) -> None:
    for place in reversed(swapped):
        old = place.with_name(f"{place.name}{_OLD}")
        _clear(place)
        if old.exists():
            old.rename(place)
    for place in removed:
        place.with_name(f"{place.name}{_OLD}").rename(place)


def _check_foreign(folder: Path, entry: Mapping[str, Any], name: str) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise OutputError(f"`{folder}` stands where the folder of `{name}` goes: move it away")
    known = set(entry.get("files", {}))
    for root, folders, files in os.walk(folder):
        folders.sort()
        for file in sorted(files):
            path = Path(root, file)
            if path.relative_to(folder).as_posix() not in known:
                raise OutputError(f"`{path}` was not written by egressc: move it away, or build into another folder")


def _read_manifest(out: Path) -> dict[str, Any]:
    path = out / MANIFEST
    if not path.exists():
        if out.exists() and not out.is_dir():
            raise OutputError(f"`{out}` is not a folder")
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        firewalls = found["firewalls"]
        if not isinstance(firewalls, dict) or not all(_is_entry(name, e) for name, e in firewalls.items()):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(f"`{path}` is not a manifest of egressc: move it away, or build into another folder") from error
    return firewalls


def _is_entry(name: str, entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("files"), dict)
        and name not in {"", ".", ".."}
        and "/" not in name
        and "\\" not in name
    )


def _sorted(entry: dict[str, Any]) -> dict[str, Any]:
    return {"target": entry["target"], "files": dict(sorted(entry["files"].items()))}


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_if_empty(path: Path) -> None:
    try:
        path.rmdir()
    except OSError:
        return
