"""Which policy files a command means: what a PATH stands for, where the root is, where the inventory lies."""

# os.path answers where pathlib raises: loops of links, names that are too long, folders without permission.
# ruff: noqa: PTH118, PTH119, PTH120
from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from egressc.diagnostics import Diagnostic
from egressc.project_files import DISK
from egressc.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.project_files import Files

SUFFIX: Final = ".egress"
"""How the name of every policy file ends."""

INVENTORY: Final = "inventory.yaml"
"""The name under which an inventory is found without being asked for."""

_ROOT_MARKS = (INVENTORY, ".git")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A policy file: ``path`` is absolute with links resolved, ``shown`` is how the caller would type it."""

    path: str
    shown: str


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """The files that the PATHs stand for, each once, sorted by path; and what kept a PATH from standing for any."""

    files: tuple[FoundFile, ...]
    diagnostics: tuple[Diagnostic, ...]


def find_root(path: str, files: Files = DISK) -> str:
    """The folder below which all imports must stay, absolute, with links resolved.

    That is the nearest folder upwards from ``path`` (a file or a folder, which need not exist) that holds
    ``inventory.yaml`` or ``.git``; else ``path`` itself if it is a folder, or the folder that it is in.
    """
    real = files.real(path)
    own = real if files.is_dir(real) else os.path.dirname(real)
    folder = own
    while True:
        if any(files.exists(os.path.join(folder, mark)) for mark in _ROOT_MARKS):
            return folder
        above = os.path.dirname(folder)
        if above == folder:
            return own
        folder = above


def find_inventories(paths: Sequence[str], files: Files = DISK) -> tuple[str, ...]:
    """The ``inventory.yaml`` in each PATH that is a folder, or beside each that is a file; the same file once.

    Each path is spelled the way the PATH was; no PATH at all stands for the working directory.
    """
    found: dict[str, str] = {}
    for path in paths or (".",):
        folder = path if files.is_dir(path) else os.path.dirname(path)
        candidate = os.path.normpath(os.path.join(folder, INVENTORY))
        # A folder or a broken link of that name is an inventory that cannot be read: it is not passed over.
        if files.lexists(candidate):
            found.setdefault(files.real(candidate), candidate)
    return tuple(found.values())


def find_files(paths: Sequence[str], files: Files = DISK) -> FoundFiles:
    """The policy files that some PATHs stand for: a file for itself, a folder for every ``*.egress`` below it.

    What begins with a dot is not looked at below a folder, as everywhere on the command line. No PATH at all stands
    for the working directory.
    """
    found: dict[str, FoundFile] = {}
    diagnostics: list[Diagnostic] = []
    for path in paths or (".",):
        if files.is_dir(path):
            before = len(diagnostics)
            meant = _below(path, files, diagnostics)
            if not meant and len(diagnostics) == before:
                diagnostics.append(_empty_folder(path))
        elif files.lexists(path):
            meant = [path]
            if not path.endswith(SUFFIX):
                meant = []
                diagnostics.append(_other_file(path))
        else:
            meant = []
            diagnostics.append(_missing(path, files))
        for file in meant:
            real = files.real(file)
            found.setdefault(real, FoundFile(real, os.path.normpath(file)))
    return FoundFiles(tuple(found[real] for real in sorted(found)), tuple(diagnostics))


def _below(folder: str, files: Files, diagnostics: list[Diagnostic]) -> list[str]:
    def refused(error: OSError) -> None:
        where = printable(os.path.normpath(str(error.filename)))
        diagnostics.append(
            Diagnostic(code="E0200", message=f"cannot read the folder `{where}`: {reason(error)}", file=where),
        )

    found = []
    seen = set()
    for place, folders, names in files.walk(folder, refused):
        real = files.real(place)
        if real in seen:  # links in a circle, or two links to one folder
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [os.path.join(place, n) for n in sorted(names) if n.endswith(SUFFIX) and not n.startswith(".")]
    return found


def _missing(path: str, files: Files) -> Diagnostic:
    if not path:
        return Diagnostic(code="E0200", message="a PATH is empty", help="`.` stands for the working directory")
    near = near_path(os.path.normpath(path), files=files)
    return Diagnostic(
        code="E0200",
        message=f"there is no file or folder `{printable(path)}`",
        help=f"did you mean `{printable(near)}`?" if near else "",
        file=printable(path),
    )


def _empty_folder(path: str) -> Diagnostic:
    shown = printable(os.path.normpath(path))
    return Diagnostic(
        code="E0201",
        message=f"there is no policy file below the folder `{shown}`",
        help=f"policy files end in `{SUFFIX}`; `egressc init {shown}` writes some to start from",
        file=shown,
    )


def _other_file(path: str) -> Diagnostic:
    shown = printable(path)
    return Diagnostic(
        code="E0202",
        message=f"`{shown}` is not a policy file",
        help=f"policy files end in `{SUFFIX}`; an inventory is given with `--inventory`",
        file=shown,
    )


def near_path(path: str, folder: str = "", files: Files = DISK) -> str | None:
    """What a path that does not exist may be a slip of: the same with its first missing part corrected; else ``None``.

    ``path`` is relative to ``folder`` (if that is empty, to the working directory), and so is the answer.
    """
    if files.is_file(os.path.join(folder, path + SUFFIX)):
        return path + SUFFIX
    parent, missing, rest = os.path.dirname(path), os.path.basename(path), ""
    while parent and not files.is_dir(os.path.join(folder, parent)):
        above, name = os.path.split(parent)
        if above == parent:
            return None
        parent, missing, rest = above, name, os.path.join(missing, rest) if rest else missing
    try:
        beside = files.listdir(os.path.join(folder, parent) or ".")
    except OSError:
        return None
    near = nearest(missing, [name for name in sorted(beside) if not name.startswith(".")])
    if near is None:
        return None
    corrected = os.path.join(parent, near)
    whole = os.path.join(corrected, rest)
    return whole if rest and files.exists(os.path.join(folder, whole)) else corrected


def printable(path: str) -> str:
    """The path as text that can be written as UTF-8: a byte of a file name that cannot is spelled out in digits."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def reason(error: OSError) -> str:
    """Why the system refused something, in lower case: ``permission denied``."""
    return (error.strerror or str(error)).lower()
