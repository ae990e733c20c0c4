"""The project: the files of one run, read and parsed, and which of them import which.

Imports bring in names and nothing else, so a diamond is read once and a circle of imports does no harm.
"""

# os.path answers where pathlib raises: loops of links, names that are too long, folders without permission.
# ruff: noqa: PTH118, PTH120
from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic, Related
from egressc.parse import parse as parse_source
from egressc.project_files import DISK, read_regular
from egressc.project_imports import imported_path
from egressc.project_paths import FoundFile, find_files, find_root, printable, reason
from egressc.read_source import read_source
from egressc.source import Source
from egressc.syntax import File, Import

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.project_files import Files
    from egressc.syntax import Text


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """An ``import`` and the ``name`` of the source that it brings in; ``None`` when it could not be loaded."""

    statement: Import
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFile:
    """One file: its tree (``None`` if nothing of it could be parsed) and its imports, each file once, in source order.

    ``is_compiled`` is true for the files that the PATHs stand for: their policies take effect. The policies of the
    others, which are imported only, take effect where they are included.
    """

    source: Source
    tree: File | None
    imports: tuple[ImportedFile, ...]
    is_compiled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The files of one run, sorted by the name of their source, and everything that was wrong up to the parser.

    ``could_not_run`` says that one of the diagnostics is about a PATH that stands for nothing or about a file that
    cannot be read: exit status 2.
    """

    files: tuple[ProjectFile, ...]
    diagnostics: tuple[Diagnostic, ...]
    could_not_run: bool

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources of the files, in the same order."""
        return tuple(file.source for file in self.files)


Parse = Callable[[Source], tuple[File | None, tuple[Diagnostic, ...]]]
"""What reads a source: ``egressc.parse.parse``, or something that does the same quicker."""


def load_project(paths: Sequence[str], files: Files = DISK, parse: Parse = parse_source) -> Project:
    """The project that some PATHs stand for: their files, and all files that these import, directly or not.

    A source's ``name`` is its path below the root of the first PATH, with forward slashes, whatever the working
    directory is. No PATH at all stands for the working directory.
    """
    found = find_files(paths, files)
    loader = _Loader(find_root((paths or (".",))[0], files), files, parse)
    loader.diagnostics += found.diagnostics
    loader.could_not_run = bool(found.diagnostics)
    for file in found.files:
        loader.ask_for(file)
    return loader.load(frozenset(file.path for file in found.files))


@dataclass(frozen=True, slots=True)
class _Read:
    source: Source
    tree: File | None
    imports: tuple[tuple[Import, str | None], ...]


class _Loader:
    """Reads what it is asked for, and then what that imports. Files are known by their absolute path."""

    def __init__(self, root: str, files: Files, parse: Parse) -> None:
        self.root = root
        self.disk = files
        self.parse = parse
        self.names: dict[str, str] = {}
        self.waiting: list[tuple[FoundFile, Text | None]] = []
        self.diagnostics: list[Diagnostic] = []
        self.could_not_run = False

    def ask_for(self, file: FoundFile, wanted_by: Text | None = None) -> None:
        if file.path not in self.names:
            self.names[file.path] = printable(os.path.relpath(file.path, self.root)).replace(os.sep, "/")
            self.waiting.append((file, wanted_by))

    def load(self, compiled: frozenset[str]) -> Project:
        files: dict[str, _Read] = {}
        for file, wanted_by in self.waiting:  # grows while it is gone through
            read = self.read(file, wanted_by)
            if read is not None:
                files[file.path] = read
        return Project(
            files=tuple(
                ProjectFile(
                    source=file.source,
                    tree=file.tree,
                    imports=tuple(
                        ImportedFile(statement, self.names[target] if target in files else None)
                        for statement, target in file.imports
                    ),
                    is_compiled=path in compiled,
                )
                for path, file in sorted(files.items(), key=lambda item: item[1].source.name)
            ),
            diagnostics=tuple(self.diagnostics),
            could_not_run=self.could_not_run,
        )

    def read(self, file: FoundFile, wanted_by: Text | None) -> _Read | None:
        try:
            data = read_regular(file.path, self.disk)
        except OSError as error:
            self.could_not_run = True
            self.diagnostics.append(_unreadable(file, reason(error), wanted_by))
            return None
        source = read_source(data, name=self.names[file.path], shown=printable(self.disk.shown(file.shown)))
        if isinstance(source, Diagnostic):
            self.diagnostics.append(source)
            return None
        tree, diagnostics = self.parse(source)
        self.diagnostics += diagnostics
        imports = self.imports_of(tree, file) if tree is not None else ()
        # A tree that is known already has the source that it was read from, which says the same.
        return _Read(source if tree is None else tree.source, tree, imports)

    def imports_of(self, tree: File, importer: FoundFile) -> tuple[tuple[Import, str | None], ...]:
        inside = f"{importer.path}{os.sep}".startswith(os.path.join(self.root, ""))
        root = self.root if inside else find_root(importer.path, self.disk)
        imports: list[tuple[Import, str | None]] = []
        seen: dict[str, Import] = {}
        for item in tree.items:
            if not isinstance(item, Import):
                continue
            target = imported_path(item.path, importer.path, root, self.disk)
            if isinstance(target, Diagnostic):
                self.diagnostics.append(target)
                imports.append((item, None))
            elif target in seen:
                self.diagnostics.append(_repeated(item, seen[target]))
            else:
                seen[target] = item
                imports.append((item, target))
                shown = _shown(os.path.join(os.path.dirname(importer.shown), item.path.value), target, self.disk)
                self.ask_for(FoundFile(target, shown), item.path)
        return tuple(imports)


def _shown(path: str, real: str, files: Files) -> str:
    """A path without ``..`` where that can be had: behind a link to a folder, ``..`` is not the folder before it."""
    plain = os.path.normpath(path)
    return plain if files.real(plain) == real else os.path.relpath(real)


def _unreadable(file: FoundFile, why: str, wanted_by: Text | None) -> Diagnostic:
    shown = printable(file.shown)
    return Diagnostic(
        code="E0237",
        message=f"cannot read `{shown}`: {why}",
        span=None if wanted_by is None else wanted_by.span,
        label="" if wanted_by is None else "imported here",
        help="check the permissions of the file",
        file=shown,
    )


def _repeated(again: Import, first: Import) -> Diagnostic:
    return Diagnostic(
        code="W0242",
        message=f"`{again.path.value}` is imported twice",
        span=again.path.span,
        label="the same file again",
        help="remove one of the two",
        related=(Related(span=first.path.span, text="first imported here"),),
    )
