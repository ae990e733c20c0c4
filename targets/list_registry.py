"""Finding formats of lists: an entry-point group, so that a format can come from another package."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from egressc.targets.list_protocol import ListFormat

GROUP = "egressc.lists"
"""The entry-point group: a name as the command line writes it, and the ``ListFormat`` it stands for."""


@cache
def format_names() -> tuple[str, ...]:
    """The names of all installed formats, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


@cache
def load_format(name: str) -> ListFormat:
    """The format of that name. Raises ``KeyError`` if none is installed, ``TypeError`` if it is none."""
    for point in entry_points(group=GROUP):
        if point.name == name:
            found = point.load()
            if not isinstance(found, ListFormat):
                raise TypeError(f"the entry point `{name}` of `{GROUP}` is not a ListFormat")
            return found
    raise KeyError(name)
