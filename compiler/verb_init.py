"""`egressc init`: the shipped policies and an example inventory in a new folder."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from egressc.console import complain, say
from egressc.exits import COULD_NOT_RUN, DONE
from egressc.report_json import json_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

_SUFFIXES = (".egress", ".yaml")


def run(options: argparse.Namespace) -> int:
    """Copy the policies. Returns the exit status: 2 if the folder holds something already."""
    if not options.folder:
        complain("egressc init: DIR is empty: name a new folder")
        return COULD_NOT_RUN
    folder = Path(options.folder)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            complain(f"egressc init: `{options.folder}` exists and is not an empty folder")
            complain("  name a new folder: egressc init DIR")
            return COULD_NOT_RUN
        written = []
        for name, content in _shipped(files("egressc.policies"), ""):
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            written.append(name)
    except OSError as error:
        complain(f"egressc init: cannot write `{error.filename}`: {(error.strerror or str(error)).lower()}")
        return COULD_NOT_RUN
    if options.format == "json":
        say(json_text({"folder": options.folder, "files": written}))
        return DONE
    for name in written:
        say(f"{folder / name}\n")
    complain(f"next: edit {folder / 'inventory.yaml'}, then: egressc compile {folder}")
    return DONE


def _shipped(folder: Traversable, below: str) -> Iterator[tuple[str, bytes]]:
    """The shipped files by their path below the package, sorted."""
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            yield from _shipped(entry, f"{below}{entry.name}/")
        elif entry.name.endswith(_SUFFIXES):
            yield below + entry.name, entry.read_bytes()
