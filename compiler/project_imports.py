"""What the string of an ``import`` names: a policy file below the root, or a mistake."""

# os.path answers where pathlib raises: loops of links, names that are too long, folders without permission.
# ruff: noqa: PTH112, PTH113, PTH114, PTH118, PTH120
from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic
from egressc.project_paths import SUFFIX, near_path, printable

if TYPE_CHECKING:
    from egressc.syntax import Text

_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def imported_path(text: Text, importer: str, root: str) -> str | Diagnostic:
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
            help=f"write `{_relative(value, importer)}`"
            if os.path.isfile(value)
            else "write a path relative to this file",
        )
    folder = os.path.dirname(importer)
    joined = os.path.join(folder, value)
    real = os.path.realpath(joined)
    if not _is_below(real, root):
        return Diagnostic(
            code="E0204",
            message=f"the import `{value}` leads out of the root",
            span=text.span,
            label="outside the root"
            if not os.path.islink(os.path.normpath(joined))
            else "a link that leads outside the root",
            help="the root is the nearest folder upwards with `inventory.yaml` or `.git`, else the folder of the first "
            "PATH; move the file below it",
        )
    if value.endswith("/") and os.path.isfile(real):
        return _missing(text, folder, importer)
    if real == importer:
        return Diagnostic(
            code="E0206",
            message="a file imports itself",
            span=text.span,
            label="this very file",
            help="remove the import: the names of a file are visible in it anyway",
        )
    if os.path.isfile(real):
        return real if real.endswith(SUFFIX) else _other(text, "files of policies end in `.egress`")
    if os.path.isdir(real):
        return _other(text, "this is a folder; import each of its files by itself")
    if os.path.lexists(real):
        return _other(text, "this is not a regular file")
    return _missing(text, folder, importer)


def _missing(text: Text, folder: str, importer: str) -> Diagnostic:
    value = text.value
    if "\\" in value and os.path.isfile(os.path.join(folder, value.replace("\\", "/"))):
        help_ = f"write `{value.replace(chr(92), '/')}`: paths are written with `/`"
    elif os.path.isfile(os.path.join(folder, value.rstrip("/"))):
        help_ = f"write `{value.rstrip('/')}`"
    else:
        near = near_path(os.path.normpath(value), folder)
        if near is not None and os.path.realpath(os.path.join(folder, near)) == importer:
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


def _relative(path: str, importer: str) -> str:
    return printable(os.path.relpath(os.path.realpath(path), os.path.dirname(importer))).replace(os.sep, "/")
