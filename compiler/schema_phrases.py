"""Noun phrases for messages: what a JSON Schema asks for, and what stands there instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from egressc.located_value import Located

_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true` or `false`",
    "array": "a list",
    "object": "keys and values",
    "null": "nothing",
}
_SHOWN = 60
_LISTED = 12


def titled(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The title of a subschema, where it stands for one kind of value."""
    return {"title": schema["title"]} if "title" in schema else {}


def kinds_of(schema: Mapping[str, Any]) -> list[str]:
    """The types that a subschema allows."""
    wanted = schema.get("type", [])
    return [wanted] if isinstance(wanted, str) else list(wanted)


def expected(schema: Any) -> str:
    """What a subschema asks for, as a noun phrase."""
    if not isinstance(schema, dict):
        return "another value"
    if "title" in schema:
        return str(schema["title"])
    if "const" in schema or "enum" in schema:
        return alternatives(list(schema.get("enum", [schema.get("const")])))
    for rule in ("oneOf", "anyOf"):
        if rule in schema:
            return joined(list(dict.fromkeys(expected(form) for form in schema[rule])), "or")
    kinds = kinds_of(schema)
    if kinds == ["object"] and schema.get("required"):
        return f"keys and values with {joined([f'`{key}`' for key in schema['required']], 'and')}"
    return joined([_KINDS[kind] for kind in kinds if kind != "null" or len(kinds) == 1], "or") or "another value"


def alternatives(values: list[Any]) -> str:
    """Values to choose from: all of them if they are few."""
    shown = [f"`{_spelled(value)}`" for value in values]
    return joined(shown if len(shown) <= _LISTED else [*shown[:_LISTED], f"{len(shown) - _LISTED} more"], "or")


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def found(node: Located) -> str:
    """What stands there, as a noun phrase."""
    match node.value:
        case None:
            return "nothing"
        case bool():
            return f"`{node.span.text}`"
        case int() | float():
            return f"the number `{clipped(node.span.text)}`"
        case str():
            return f"`{clipped(node.value)}`" if node.value else "empty text"
        case list():
            return "a list"
        case _:
            return "keys and values"


def clipped(text: str) -> str:
    """A text for a message: on one line, and not too long."""
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"


def joined(items: Iterable[str], word: str) -> str:
    """Items in a sentence: `a`, `b` or `c`."""
    listed = list(items)
    return f" {word} ".join(filter(None, [", ".join(listed[:-1]), listed[-1]])) if listed else ""
