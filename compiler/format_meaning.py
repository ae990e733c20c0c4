"""What a syntax tree says, apart from its layout."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Final

from egressc.syntax import Text, Word

if TYPE_CHECKING:
    from egressc.syntax import File

_LAYOUT: Final = frozenset(("source", "span", "comments"))


def meaning(file: File) -> object:
    """A value that is equal for two trees exactly if they differ in positions and comments only."""
    return _meaning(file)


def _meaning(node: object) -> object:
    match node:
        case Word():
            return node.text
        case Text():
            return (Text, node.value)
        case tuple():
            return tuple(_meaning(part) for part in node)
        case str() | bool() | None:
            return node
        case _:
            return (type(node), *(_meaning(getattr(node, name)) for name in _parts(type(node))))


@cache
def _parts(kind: type) -> tuple[str, ...]:
    """The fields of a node that mean something."""
    return tuple(field.name for field in fields(kind) if field.name not in _LAYOUT)
