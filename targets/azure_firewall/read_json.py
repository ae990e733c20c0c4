"""Files of JSON, and what each is: a template, its parameters, or resources as the CLI and the REST API give them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from egressc.config_text import text_of
from egressc.meaning import UnreadableError
from egressc.targets.azure_firewall.read_expressions import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.targets.protocol import Artefact


@dataclass(frozen=True, slots=True)
class Document:
    """One file: a template or parameters (``value``), or else resources."""

    file: str
    template: dict[str, Any] | None
    parameters: dict[str, Any] | None
    resources: tuple[dict[str, Any], ...]


def documents_of(files: Sequence[Artefact]) -> tuple[Document, ...]:
    """The files. Raises ``UnreadableError`` for one that is nothing of the kind."""
    return tuple([_document(file) for file in files])


def _document(file: Artefact) -> Document:
    value = _load(text_of(file), file.name)
    if isinstance(value, dict):
        keys = {key.lower() for key in value}
        schema = str(value.get("$schema", "")).lower()
        if "deploymentparameters.json" in schema or (keys and keys <= {"$schema", "contentversion", "parameters"}):
            return Document(file.name, None, dict(_given(value, file.name)), ())
        if "deploymenttemplate.json" in schema or {"contentversion", "resources"} <= keys:
            return Document(file.name, value, None, ())
        listed = value.get("value")
        if isinstance(listed, list):
            if value.get("nextLink"):
                raise UnreadableError("the list goes on at its `nextLink`: its other pages are missing", file.name)
            value = listed
        else:
            value = [value]
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise UnreadableError("this is neither a template nor a list of resources", file.name)
    return Document(file.name, None, None, tuple(value))


def _given(value: dict[str, Any], file: str) -> Iterator[tuple[str, Any]]:
    """The values of a parameter file (parameter-files.md), by name in lower case."""
    parameters = value.get("parameters", {})
    if not isinstance(parameters, dict):
        raise UnreadableError("`parameters` is no object", file)
    for name, each in parameters.items():
        if isinstance(each, dict) and "value" in each:
            yield name.lower(), each["value"]
        else:
            yield name.lower(), Unknown(f"the parameter `{name}` is a secret of a key vault")


def _load(text: str, file: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise UnreadableError(f"this is no JSON: {error.msg}", file, error.lineno) from None
    except RecursionError:
        raise UnreadableError("the JSON is nested too deeply", file) from None
    except _TwiceError as error:
        raise UnreadableError(f"`{error}` stands twice in one object", file) from None
    except ValueError:
        raise UnreadableError("the JSON has a number that is too long", file) from None


class _TwiceError(Exception):
    """A key that stands twice in one object: programs disagree about which one counts."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _TwiceError(key)
            seen.add(key)
    return held
