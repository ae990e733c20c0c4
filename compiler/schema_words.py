"""What a failed rule of a JSON Schema means, in words: the diagnostics for one finding."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from egressc.diagnostics import Diagnostic
from egressc.schema_phrases import alternatives, clipped, expected, found, joined, kinds_of, titled
from egressc.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egressc.located_value import Located
    from egressc.source import Span

_TRUTH = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
}


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One rule of a schema that a value breaks.

    ``rule`` and ``wanted`` are the keyword and its value, ``schema`` the subschema that holds it. With ``is_key`` the
    rule is about the key of ``node``, not about its value.
    """

    rule: str
    wanted: Any
    schema: Mapping[str, Any]
    node: Located
    path: tuple[str | int, ...]
    is_key: bool


def explain(finding: Finding) -> tuple[Diagnostic, ...]:
    """The diagnostics for one finding: one for each mistake in it."""
    if finding.is_key:
        return (_bad_key(finding),)
    match finding.rule:
        case "additionalProperties" | "unevaluatedProperties":
            return tuple(_unknown_key(finding, key) for key in _unknown_keys(finding))
        case "required":
            return tuple(_missing_key(finding, key) for key in _missing_keys(finding))
        case "dependentRequired":
            return tuple(
                _missing_key(finding, key, because=present)
                for present, keys in finding.wanted.items()
                if present in finding.node.children
                for key in keys
                if key not in finding.node.children
            )
        case "type":
            return (_wrong_type(finding),)
        case "enum" | "const":
            values = list(finding.wanted) if finding.rule == "enum" else [finding.wanted]
            return (_wrong_value(finding, values, alternatives(values)),)
        case "oneOf" | "anyOf":
            return (_no_form(finding),)
        case "pattern" | "minLength" | "maxLength" | "format":
            return (_wrong_form(finding),)
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf":
            return (_out_of_range(finding),)
        case "minItems" | "maxItems" | "minProperties" | "maxProperties" | "uniqueItems" | "contains":
            return (_wrong_count(finding),)
        case "oneOf twice":
            return (_at(finding, "E0417", f"{_subject(finding)} fits more than one form"),)
        case _:
            text = finding.schema.get("description", "")
            message = f"{_subject(finding)} cannot be {found(finding.node)}"
            if finding.wanted == {}:
                message = f"{_subject(finding)} is not allowed here"
            return (_at(finding, "E0417", message, help_text=text),)


def _at(
    finding: Finding, code: str, message: str, *, label: str = "", help_text: str = "", span: Span | None = None
) -> Diagnostic:
    shown = span or finding.node.span
    # settings that stand nowhere (a run without an inventory) have no place to show
    return Diagnostic(
        code=code, message=message, span=shown if shown.source.name else None, label=label, help=help_text
    )


def _subject(finding: Finding) -> str:
    """What the value is, for a sentence."""
    names = [step for step in finding.path if isinstance(step, str)]
    key = finding.node.key_span.text.strip("'\"") if finding.node.key_span else ""
    if not finding.path:
        return f"`{key}`" if key else "the file" if finding.node.span.source.name else "the settings"
    if isinstance(finding.path[-1], int):
        return f"an item of `{names[-1]}`" if names else "an item"
    return f"`{finding.path[-1]}`"


def _unknown_keys(finding: Finding) -> list[str]:
    known = finding.schema.get("properties", {})
    patterns = finding.schema.get("patternProperties", {})
    return [
        key
        for key, _ in finding.node.entries()
        if key not in known and not any(re.search(pattern, key) for pattern in patterns)
    ]


def _suggested_key(finding: Finding, key: str) -> str | None:
    known = finding.schema.get("properties", {})
    return nearest(key, [name for name in known if name not in finding.node.children])


def _unknown_key(finding: Finding, key: str) -> Diagnostic:
    known = [f"`{name}`" for name in finding.schema.get("properties", {})]
    near = _suggested_key(finding, key)
    hint = f"did you mean `{near}`? " if near else ""
    listed = f"the keys here are {joined(known, 'and')}" if known else "no key is allowed here"
    if len(known) == 1:
        listed = f"the only key here is {known[0]}"
    where = "" if not finding.path and not finding.node.key_span else f" of {_subject(finding)}"
    return _at(
        finding,
        "E0410",
        f"unknown key `{clipped(key)}`",
        label=f"not a key{where}",
        help_text=hint + listed,
        span=finding.node.children[key].key_span,
    )


def _missing_keys(finding: Finding) -> list[str]:
    """The keys that are missing, without those that are there under a misspelt name, which is a mistake of its own."""
    closed = finding.schema.get("additionalProperties") is False
    misspelt = {_suggested_key(finding, key) for key in _unknown_keys(finding)} if closed else set()
    return [key for key in finding.wanted if key not in finding.node.children and key not in misspelt]


def _missing_key(finding: Finding, key: str, because: str = "") -> Diagnostic:
    node = finding.node
    wanted = finding.schema.get("properties", {}).get(key, {})
    if because:
        span, message = node.children[because].key_span, f"`{because}` needs the key `{key}` beside it"
    else:
        first = next((child.key_span for _, child in node.entries()), None)
        span, message = node.key_span or first or node.span, f"{_subject(finding)} lacks the key `{key}`"
    kind = expected(wanted) if {"title", "enum", "const", "oneOf"} & set(wanted) else ""
    help_text = f"add `{key}: …`" + (f": {kind}" if kind else "")
    return _at(finding, "E0411", message, label=f"`{key}` is missing here", help_text=help_text, span=span)


def _bad_key(finding: Finding) -> Diagnostic:
    key = str(finding.path[-1])
    noun = finding.schema.get("title")
    message = f"`{clipped(key)}` is not {noun}" if noun else f"`{clipped(key)}` cannot be a key here"
    help_text = finding.schema.get("description", "")
    return _at(finding, "E0414", message, help_text=help_text, span=finding.node.key_span)


def _wrong_type(finding: Finding) -> Diagnostic:
    asked = expected({"type": finding.wanted, **titled(finding.schema)})
    kinds = {finding.wanted} if isinstance(finding.wanted, str) else set(finding.wanted)
    if finding.node.value is None:
        may_be_empty = "object" in kinds and not {"required", "minProperties"} & set(finding.schema)
        help_text = "write `{}` if it has no keys" if may_be_empty else ""
        message = f"{_subject(finding)} has no value"
        return _at(finding, "E0412", message, label=f"expected {asked}", help_text=help_text)
    return _at(
        finding,
        "E0412",
        f"{_subject(finding)} must be {asked}",
        label=f"found {found(finding.node)}",
        help_text=_type_help(finding.node, kinds, finding.schema),
    )


def _type_help(node: Located, kinds: set[str], schema: Mapping[str, Any]) -> str:
    """How to write a value that was read as another kind than was meant."""
    value, written = node.value, node.span.text
    if "string" in kinds and isinstance(value, (bool, int, float)):
        fits = re.search(schema.get("pattern", ""), written) and "format" not in schema  # formats are checked elsewhere
        return f'quote it: "{written}"' if fits else str(schema.get("description", ""))
    if "string" in kinds and isinstance(value, dict) and ":" in written and written[:1] != "{" and "\n" not in written:
        return f'quote it: "{written.strip()}"'
    if "boolean" in kinds and isinstance(value, str) and value.lower() in _TRUTH:
        return f"write `{_TRUTH[value.lower()]}`"
    if "boolean" in kinds and isinstance(value, str) and value.lower() in _TRUTH.values():
        return f"write `{value.lower()}`, without quotes"
    if "object" in kinds and isinstance(value, str) and (joint := re.match(r"([A-Za-z-]+):(?=\S)", value)):
        return f"write a blank behind the `:`: `{joint[1]}: …`"
    if kinds & {"integer", "number"} and isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        return f"write `{int(value)}`, without quotes or leading zeros"
    if "array" in kinds and isinstance(value, (str, int, float, bool)):
        return f"write `[{written}]`" if "\n" not in written else "write a list"
    return ""


def _wrong_value(finding: Finding, values: list[Any], asked: str) -> Diagnostic:
    value, written = finding.node.value, finding.node.span.text
    texts = [item for item in values if isinstance(item, str)]
    near = nearest(value, texts) if isinstance(value, str) else None
    if value is None:
        return _at(finding, "E0412", f"{_subject(finding)} has no value", label=f"expected {asked}")
    if isinstance(value, (bool, int, float)) and written in texts:
        help_text = f'quote it: "{written}"'
    elif isinstance(value, str) and any(isinstance(item, bool) for item in values) and value.lower() in _TRUTH:
        help_text = f"write `{_TRUTH[value.lower()]}`"
    else:
        help_text = f"did you mean `{near}`?" if near else ""
    message = f"{_subject(finding)} cannot be {found(finding.node)}"
    return _at(finding, "E0413", message, label=f"expected {asked}", help_text=help_text)


def _no_form(finding: Finding) -> Diagnostic:
    forms = [form for form in finding.wanted if isinstance(form, dict)]
    values = [v for form in forms for v in (form.get("enum") or ([form["const"]] if "const" in form else []))]
    asked = joined(list(dict.fromkeys(expected(form) for form in forms)), "or")
    diagnostic = _wrong_value(finding, values, asked)
    if diagnostic.code == "E0413" and not isinstance(finding.node.value, str):
        kinds = {kind for form in forms for kind in kinds_of(form)}
        text_form = next((form for form in forms if "string" in kinds_of(form)), {})
        help_text = diagnostic.help or _type_help(finding.node, kinds, text_form)
        return _at(finding, "E0412", diagnostic.message, label=diagnostic.label, help_text=help_text)
    return diagnostic


def _wrong_form(finding: Finding) -> Diagnostic:
    value = str(finding.node.value)
    noun = finding.schema.get("title")
    help_text = finding.schema.get("description", "")
    label = ""
    if not value:
        message = f"{_subject(finding)} is empty"
    elif finding.rule in {"minLength", "maxLength"}:
        bound = "at least" if finding.rule == "minLength" else "at most"
        message = f"{_subject(finding)} must have {bound} {finding.wanted} characters"
        label = f"has {len(value)}"
    elif noun:
        message = f"{found(finding.node)} is not {noun}"
    else:
        message, label = f"{_subject(finding)} cannot be {found(finding.node)}", "does not have the right form"
        help_text = help_text or f"it must match `{finding.wanted}`"
    if finding.node.span.text[:1] == '"' and "\\" in finding.node.span.text:
        help_text = "in double quotes a backslash begins an escape: use single quotes"
    return _at(finding, "E0414", message, label=label, help_text=help_text)


def _out_of_range(finding: Finding) -> Diagnostic:
    schema = finding.schema
    if finding.rule in {"minimum", "maximum"} and "minimum" in schema and "maximum" in schema:
        limit = f"{schema['minimum']} to {schema['maximum']}"
    else:
        limit = _LIMITS[finding.rule].format(finding.wanted)
    message = f"{_subject(finding)} must be {limit}"
    return _at(finding, "E0415", message, label=f"found {found(finding.node)}", help_text=schema.get("description", ""))


def _wrong_count(finding: Finding) -> Diagnostic:
    node, subject = finding.node, _subject(finding)
    if finding.rule == "uniqueItems":
        elements = node.elements()
        seen: list[object] = []
        for element in elements:
            if element.value in seen:
                return _at(finding, "E0416", f"{found(element)} stands twice in {subject}", span=element.span)
            seen.append(element.value)
    if not node.children:
        return _at(finding, "E0416", f"{subject} is empty", help_text="name at least one, or leave the key out")
    bound = "at least" if finding.rule.startswith("min") else "at most"
    message = f"{subject} must hold {bound} {finding.wanted}"
    if finding.rule == "contains":
        message = f"{subject} must hold {expected(finding.wanted)}"
    return _at(finding, "E0416", message, label=f"holds {len(node.children)}")
