"""What the string of an ``import`` names: a policy file below the root, or a mistake."""

# os.path answers where pathlib raises: loops of links, names that are too long, folders without permission.
# ruff: noqa: PTH118, PTH120
from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic
from egressc.project_paths import SUFFIX, near_path, printable

if TYPE_CHECKING:
    from egressc.project_files import Files
    from egressc.syntax import Text

_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def imported_path(text: Text, importer: str, root: str, files: Files) -> str | Diagnostic:
    """The absolute path, with links resolved, of the file that a string in the file ``importer`` names.

    ``importer`` and ``root`` are absolute, with links resolved. A diagnostic instead when the string is no relative
    path, or when what it names is missing, outside the root, not a policy file, or the importing file itself.
    """
    value = text.value
    if not value.strip() or any(ord(c) < 32 or ord(c) == 127 for c in value):
        return Diagnostic(
            code="E0203",
            message="an import names no file",
            span=text.span,
            label="not the path of a file",
            help="write the path of a policy file, relative to this one",
        )
    if value.startswith(("/", "\\")) or _DRIVE.match(value) or _SCHEME.match(value):
        return Diagnostic(
            code="E0204",
            message=f"the import `{value}` is not a relative path",
            span=text.span,
            label="an import is relative to the file that it stands in",
            help=f"write `{_relative(value, importer, files)}`"
            if files.is_file(value)
            else "write a path relative to this file",
        )
    folder = os.path.dirname(importer)
    joined = os.path.join(folder, value)
    real = files.real(joined)
    if not _is_below(real, root):
        return Diagnostic(
            code="E0204",
            message=f"the import `{value}` leads out of the root",
            span=text.span,
            label="outside the root"
            if not files.is_link(os.path.normpath(joined))
            else "a link that leads outside the root",
            help="the root is the nearest folder upwards with `inventory.yaml` or `.git`, else the folder of the first "
            "PATH; move the file below it",
        )
    if value.endswith("/") and files.is_file(real):
        return _missing(text, folder, importer, files)
    if real == importer:
        return Diagnostic(
            code="E0206",
            message="a file imports itself",
            span=text.span,
            label="this very file",
            help="remove the import: the names of a file are visible in it anyway",
        )
    if files.is_file(real):
        return real if real.endswith(SUFFIX) else _other(text, "files of policies end in `.egress`")
    if files.is_dir(real):
        return _other(text, "this is a folder; import each of its files by itself")
    if files.lexists(real):
        return _other(text, "this is not a regular file")
    return _missing(text, folder, importer, files)


def _missing(text: Text, folder: str, importer: str, files: Files) -> Diagnostic:
    value = text.value
    if "\\" in value and files.is_file(os.path.join(folder, value.replace("\\", "/"))):
        help_ = f"write `{value.replace(chr(92), '/')}`: paths are written with `/`"
    elif files.is_file(os.path.join(folder, value.rstrip("/"))):
        help_ = f"write `{value.rstrip('/')}`"
    else:
        near = near_path(os.path.normpath(value), folder, files)
        if near is not None and files.real(os.path.join(folder, near)) == importer:
            near = None
        help_ = (
            f"did you mean `{printable(near).replace(os.sep, '/')}`?" if near else "the path is relative to this file"
        )
    return Diagnostic(
        code="E0203",
        message=f"there is no file `{value}`",
        span=text.span,
        label="not found",
        help=help_,
    )


def _other(text: Text, why: str) -> Diagnostic:
    return Diagnostic(
        code="E0205",
        message=f"the import `{text.value}` is not a policy file",
        span=text.span,
        label="not a policy file",
        help=why,
    )


def _is_below(path: str, root: str) -> bool:
    return path.startswith(root if root.endswith(os.sep) else root + os.sep)


def _relative(path: str, importer: str, files: Files) -> str:
    return printable(os.path.relpath(files.real(path), os.path.dirname(importer))).replace(os.sep, "/")
