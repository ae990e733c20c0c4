"""Finding targets: an entry-point group, so that a target can come from another package."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any

from egressc.targets.protocol import Target

GROUP = "egressc.targets"
"""The entry-point group: a name as the inventory writes it, and the ``Target`` it stands for."""


@cache
def target_names() -> tuple[str, ...]:
    """The names of all installed targets, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


@cache
def load_target(name: str) -> Target[Any, Any]:
    """The target of that name. Raises ``KeyError`` if none is installed, ``TypeError`` if it is no target."""
    for point in entry_points(group=GROUP):
        if point.name == name:
            found = point.load()
            if not isinstance(found, Target):
                raise TypeError(f"the entry point `{name}` of `{GROUP}` is not a Target")
            return found
    raise KeyError(name)
