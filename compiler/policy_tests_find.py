"""Which policy tests a command means: what a PATH stands for."""

# os.path answers where pathlib raises: loops of links, names that are too long, folders without permission.
# ruff: noqa: PTH112, PTH118
from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from egressc.diagnostics import Diagnostic
from egressc.project_paths import SUFFIX, near_path, printable, reason

if TYPE_CHECKING:
    from collections.abc import Sequence

TEST_SUFFIX: Final = ".test.yaml"
"""How the name of every policy test ends."""


def find_tests(paths: Sequence[str]) -> tuple[tuple[str, ...], tuple[Diagnostic, ...]]:
    """The test files that some PATHs stand for, each once, sorted; and what kept a PATH from standing for any.

    A folder stands for every ``*.test.yaml`` below it, a policy ``NAME.egress`` for ``NAME.test.yaml`` beside it, no
    PATH for the working directory.
    """
    found: dict[str, str] = {}
    problems: list[Diagnostic] = []
    for path in paths or (".",):
        if os.path.isdir(path):
            files = _below(path, problems)
        else:
            files = [path.removesuffix(SUFFIX) + TEST_SUFFIX if path.endswith(SUFFIX) else path]
            if not os.path.lexists(files[0]):
                problems.append(_missing(path, files[0]))
                continue
            if not path.endswith((SUFFIX, TEST_SUFFIX)):
                problems.append(_other(path))
                continue
        for file in files:
            found.setdefault(os.path.realpath(file), os.path.normpath(file))
    return tuple(sorted(found.values())), tuple(problems)


def _below(folder: str, problems: list[Diagnostic]) -> list[str]:
    def refused(error: OSError) -> None:
        where = printable(os.path.normpath(str(error.filename)))
        message = f"cannot read the folder `{where}`: {reason(error)}"
        problems.append(Diagnostic(code="E0908", message=message, file=where))

    files: list[str] = []
    seen: set[str] = set()
    before = len(problems)
    for place, folders, names in os.walk(folder, onerror=refused, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:  # links in a circle, or two links to one folder
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files += [os.path.join(place, n) for n in sorted(names) if n.endswith(TEST_SUFFIX) and not n.startswith(".")]
    if not files and len(problems) == before:
        shown = printable(os.path.normpath(folder))
        problems.append(
            Diagnostic(
                code="E0908",
                message=f"there is no policy test below the folder `{shown}`",
                help=f"the names of policy tests end in `{TEST_SUFFIX}`; `egressc init` writes some to start from",
                file=shown,
            )
        )
    return files


def _missing(path: str, wanted: str) -> Diagnostic:
    if not path:
        return Diagnostic(code="E0908", message="a PATH is empty", help="`.` stands for the working directory")
    if wanted != path:
        message = f"there is no policy test `{printable(wanted)}` for `{printable(path)}`"
        return Diagnostic(code="E0908", message=message, help=f"write one: policy tests end in `{TEST_SUFFIX}`",
                          file=printable(path))  # fmt: skip
    near = near_path(os.path.normpath(path))
    return Diagnostic(
        code="E0908",
        message=f"there is no file or folder `{printable(path)}`",
        help=f"did you mean `{printable(near)}`?" if near else "",
        file=printable(path),
    )


def _other(path: str) -> Diagnostic:
    shown = printable(path)
    return Diagnostic(
        code="E0908",
        message=f"`{shown}` is no policy test",
        help=f"the names of policy tests end in `{TEST_SUFFIX}`",
        file=shown,
    )
