"""Checks located values against a JSON Schema, in the form of all diagnostics: the key or value that is wrong, and why.

A subschema may carry a ``title``, a noun phrase such as "an interface name": messages say it for what was expected.
Used for the inventory and, by targets, for their own settings.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from egressc.diagnostics import sort_key
from egressc.schema_words import Finding, explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from egressc.diagnostics import Diagnostic
    from egressc.located_value import Located


def _is_integer(_checker: object, value: object) -> bool:
    # JSON Schema takes 1.0 for an integer; whoever writes it means something else
    return isinstance(value, int) and not isinstance(value, bool)


def _pattern(validator: Any, pattern: str, value: object, _schema: object) -> Iterable[ValidationError]:
    # to JSON Schema `$` is the end of the text, to Python also the place before a last line break
    end = r"\Z" if pattern.endswith("$") and not pattern.endswith("\\$") else ""
    if validator.is_type(value, "string") and not re.search((pattern[:-1] if end else pattern) + end, str(value)):
        yield ValidationError("pattern")


_new_dialect: Any = extend
_Validator: Any = _new_dialect(
    Draft202012Validator,
    validators={"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)
_compiled: dict[int, tuple[Mapping[str, Any], Any]] = {}


@cache
def load_schema(package: str, name: str) -> Mapping[str, Any]:
    """The JSON Schema in the file ``name`` of a package; read once, and not to be changed."""
    text = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def check(located: Located, schema: Mapping[str, Any]) -> tuple[Diagnostic, ...]:
    """What is wrong with a value, by position: one diagnostic for each mistake.

    Where ``located`` is a part of a file, a key that it lacks is reported at the key under which it stands.
    """
    findings = [_finding(located, error) for error in _errors(located.value, schema)]
    found: dict[tuple[str, int, str], Diagnostic] = {}  # by place, as an alias shows the same place in several values
    for finding in _without_echoes(findings):
        for diagnostic in explain(finding):
            start = -1 if diagnostic.span is None else diagnostic.span.start
            which = diagnostic.message if start < 0 or diagnostic.code == "E0411" else ""
            found.setdefault((diagnostic.code, start, which), diagnostic)
    return tuple(sorted(found.values(), key=sort_key))


def _errors(value: object, schema: Mapping[str, Any]) -> Iterable[ValidationError]:
    entry = _compiled.get(id(schema))
    if entry is None:
        # the schema is kept with its validator, so that its id stays its own
        entry = _compiled[id(schema)] = (schema, _Validator(_inlined(schema, schema, ())))
    for error in entry[1].iter_errors(value):
        yield from _chosen(error)


def _inlined(schema: Any, root: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    """The schema with what it refers to (``#/$defs/…``) in its place, which saves half of the time of a check.

    A title or description beside the reference wins. Recursion, and rules beside a reference, are left as they are.
    """
    if isinstance(schema, list):
        return [_inlined(item, root, inside) for item in schema]
    if not isinstance(schema, dict):
        return schema
    properties = schema.get("properties")
    if isinstance(properties, dict) and False in properties.values():
        # jsonschema does not say which key a plain `false` forbids
        allowed: dict[str, Any] = {name: {"not": {}} if value is False else value for name, value in properties.items()}
        schema = {**schema, "properties": allowed}
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/") or reference in inside:
        return {key: _inlined(value, root, inside) for key, value in schema.items()}
    target: Any = root
    for step in reference[2:].split("/"):
        target = target[step]
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    if not set(beside) <= {"title", "description"}:
        return {key: _inlined(value, root, inside) for key, value in schema.items()}
    return {**_inlined(target, root, (*inside, reference)), **beside}


def _chosen(error: ValidationError) -> Iterable[ValidationError]:
    """The errors to speak of: for a choice of forms, those of the form that was meant, or the choice as a whole."""
    if error.validator not in {"oneOf", "anyOf"} or not error.context:
        yield error
        return
    forms: dict[int, list[ValidationError]] = {}
    for inner in error.context:
        forms.setdefault(int(inner.relative_schema_path[0]), []).append(inner)
    meant = [errors for errors in forms.values() if not any(_is_other_kind(inner) for inner in errors)]
    if not meant:
        yield error
        return
    for inner in min(meant, key=_distance):
        yield from _chosen(inner)


def _is_other_kind(inner: ValidationError) -> bool:
    """True if an error says that the value as a whole is of another kind than this form."""
    return inner.validator in {"type", "enum", "const"} and not inner.relative_path


def _distance(errors: list[ValidationError]) -> tuple[int, int]:
    """How far a value is from a form: by the keys that the form does not know, then by all errors."""
    unknown = 0
    for error in errors:
        if error.validator in {"additionalProperties", "required"}:
            unknown += 1
    return unknown, len(errors)


def _finding(located: Located, error: ValidationError) -> Finding:
    path = tuple(error.absolute_path)
    is_key = "propertyNames" in error.absolute_schema_path and isinstance(error.instance, str)
    node = located.at(path)
    if is_key:
        node = node.children[str(error.instance)]
    return Finding(
        rule="oneOf twice" if error.validator == "oneOf" and not error.context else str(error.validator),
        wanted=error.validator_value,
        schema=error.schema if isinstance(error.schema, dict) else {},
        node=node,
        path=(*path, str(error.instance)) if is_key else path,
        is_key=is_key,
    )


_PRECEDENCE = ("type", "const", "enum", "pattern", "minLength", "maxLength")


def _without_echoes(findings: list[Finding]) -> list[Finding]:
    """The findings without those that say of the same value once more that it is another."""
    best: dict[tuple[str | int, ...], int] = {}
    for finding in findings:
        if finding.rule in _PRECEDENCE:
            rank = _PRECEDENCE.index(finding.rule)
            best[finding.path] = min(rank, best.get(finding.path, rank))
    return [f for f in findings if f.rule not in _PRECEDENCE or _PRECEDENCE.index(f.rule) == best[f.path]]
