"""Writing artefact folders: staged beside their place, swapped by two renames, the manifest last, all or nothing.

The staged manifest is the journal: while it is there, a run has not come to its end, and what it swapped is taken back.
Renaming it over the manifest is the moment at which everything counts.
"""

from __future__ import annotations

import json
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from egressc.output_manifest import MANIFEST, OutputError, check_foreign, entries_of, files_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_STAGED = ".egressc-new"
_OLD = ".egressc-old"
_LEFT = re.compile(r"(?:[a-z][a-z0-9-]*|manifest\.json)\.egressc-(?:new|old)")
"""What runs that were killed leave behind."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of one artefact. ``path`` is ``FIREWALL`` or ``FIREWALL/GROUP``, ``firewall`` its first part."""

    path: str
    firewall: str
    target: str
    files: tuple[tuple[str, bytes], ...]

    @property
    def below(self) -> str:
        """The path below the firewall's folder: empty, or the group."""
        return self.path.removeprefix(self.firewall).lstrip("/")


def digest(content: bytes) -> str:
    """The SHA-256 of a file's content, as manifests write it."""
    return f"sha256:{sha256(content).hexdigest()}"


def write(out: Path, folders: Sequence[Folder], version: str, made_from: Mapping[str, Any], *, complete: bool) -> None:
    """Write all folders and the manifest, or nothing.

    ``made_from`` is what the manifest says of the inputs of each of these firewalls, ``version`` who wrote it. With
    ``complete``, folders that an earlier manifest lists and this run did not make are removed; else they and their
    entries stay. Raises ``OutputError`` when a folder holds a file that no manifest lists, or when writing fails. What
    a run left behind that was killed half-way is taken back first.
    """
    try:
        if out.exists() and not out.is_dir():
            raise OutputError(f"`{out}` is not a folder")
        earlier = entries_of(out / MANIFEST)
        _recover(out, earlier)
        made = _entries(folders, made_from)
        gone = sorted(name for name in earlier if complete and name not in made)
        for name in [*made, *gone]:
            check_foreign(out / name, files_of(earlier.get(name)), name)
        entries = {**({} if complete else earlier), **made}
        manifest = {"egressc": version, "firewalls": {name: entries[name] for name in sorted(entries)}}
        _write(out, folders, list(made), gone, manifest, earlier)
    except OSError as error:
        raise OutputError(f"cannot write `{out}`: {(error.strerror or str(error)).lower()}") from error


def _write(
    out: Path,
    folders: Sequence[Folder],
    made: Sequence[str],
    gone: Sequence[str],
    manifest: Mapping[str, Any],
    earlier: Mapping[str, Any],
) -> None:
    journal = out / f"{MANIFEST}{_STAGED}"
    missing = _missing(out)
    swapped: list[str] = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in made:
            _clear(out / f"{name}{_STAGED}")
        for folder in folders:
            place = out / f"{folder.firewall}{_STAGED}" / folder.below
            place.mkdir(parents=True)
            for file, content in folder.files:
                (place / file).write_bytes(content)
        journal.write_text(json.dumps(manifest, indent=2, ensure_ascii=True) + "\n", encoding="utf-8", newline="\n")
        for name in [*made, *gone]:
            swapped.append(name)
            if (out / name).exists():
                (out / name).rename(out / f"{name}{_OLD}")
            if name in made:
                (out / f"{name}{_STAGED}").rename(out / name)
        journal.replace(out / MANIFEST)
    except BaseException:
        # Also when it was interrupted: what is there afterwards is what was there before.
        _take_back(out, swapped, had=earlier)
        _clear(journal)
        for name in made:
            _clear(out / f"{name}{_STAGED}")
        for parent in missing:
            with suppress(OSError):
                parent.rmdir()
        raise
    for name in [*made, *gone]:
        shutil.rmtree(out / f"{name}{_OLD}", ignore_errors=True)


def _entries(folders: Iterable[Folder], made_from: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The entries of the manifest, sorted."""
    targets: dict[str, str] = {}
    files: dict[str, dict[str, str]] = {}
    for folder in folders:
        targets[folder.firewall] = folder.target
        own = files.setdefault(folder.firewall, {})
        for name, content in folder.files:
            own[f"{folder.below}/{name}" if folder.below else name] = digest(content)
    return {
        name: {"target": targets[name], **made_from, "files": dict(sorted(files[name].items()))}
        for name in sorted(files)
    }


def _missing(out: Path) -> list[Path]:
    """The folder and those above it that do not exist, innermost first."""
    missing = []
    while not out.exists():
        missing.append(out)
        out = out.parent
    return missing


def _take_back(out: Path, names: Iterable[str], *, had: Mapping[str, Any]) -> None:
    """Undo the swaps of these names: what was there comes back, what is new goes."""
    for name in names:
        place, old = out / name, out / f"{name}{_OLD}"
        if old.exists():
            _clear(place)
            old.rename(place)
        elif name not in had and not (out / f"{name}{_STAGED}").exists():
            # New, and no longer staged: it was swapped in where there was nothing.
            _clear(place)


def _recover(out: Path, earlier: Mapping[str, Any]) -> None:
    """Take back what a killed run swapped, or finish the tidying of one that was killed at the very end.

    Raises ``OutputError`` if somebody has put something into a folder since.
    """
    journal = out / f"{MANIFEST}{_STAGED}"
    if journal.exists():
        try:
            unfinished = entries_of(journal)
        except OutputError:
            unfinished = {}  # Killed while it was written: nothing had been swapped.
        for name in sorted({*unfinished, *earlier}):
            check_foreign(out / name, files_of(unfinished.get(name)) | files_of(earlier.get(name)), name)
        _take_back(out, sorted({*unfinished, *earlier}), had=earlier)
        _clear(journal)
    if out.is_dir():
        for left in sorted(out.iterdir()):
            if _LEFT.fullmatch(left.name):
                _clear(left)


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
