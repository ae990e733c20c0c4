"""What a syntax tree says, apart from its layout."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from egressc.syntax import (
    Binding,
    Endpoints,
    Fallback,
    File,
    Import,
    Include,
    Parameter,
    Policy,
    Rule,
    ServiceAccount,
    ServiceTag,
    Setting,
    Text,
    Word,
)

_LAYOUT: Final = frozenset(("source", "span", "comments"))
_PARTS: Final[dict[type, tuple[str, ...]]] = {
    kind: tuple(field.name for field in fields(kind) if field.name not in _LAYOUT)
    for kind in (
        Binding,
        Endpoints,
        Fallback,
        File,
        Import,
        Include,
        Parameter,
        Policy,
        Rule,
        ServiceAccount,
        ServiceTag,
        Setting,
        Text,
        Word,
    )
}
"""The fields of each node that mean something."""


def meaning(file: File) -> object:
    """A value that is equal for two trees exactly if they differ in positions and comments only."""
    return _meaning(file)


def _meaning(part: object) -> object:
    if isinstance(part, tuple):
        return tuple(_meaning(each) for each in part)
    kind = type(part)
    names = _PARTS.get(kind)
    return part if names is None else (kind, *(_meaning(getattr(part, name)) for name in names))
