"""Schema errors as diagnostics. In the texts, « stands before the place where a diagnostic is expected."""

from __future__ import annotations

import pytest

from egressc import located, schema_check
from egressc.located import Located
from egressc.source import Source

SETTINGS = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["from-zone", "to-zone"],
    "properties": {
        "version": {"enum": ["10.1", "10.2", "11.1"]},
        "tier": {"type": "string", "enum": ["Basic", "Standard", "Premium"]},
        "from-zone": {"$ref": "#/$defs/zone"},
        "to-zone": {"$ref": "#/$defs/zone"},
        "location": {
            "oneOf": [
                {"type": "string", "title": "a virtual system", "pattern": "^vsys[0-9]+$"},
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["device-group"],
                    "properties": {"device-group": {"type": "string"}, "rulebase": {"enum": ["pre", "post"]}},
                },
            ]
        },
        "place": {
            "oneOf": [
                {"const": "top"},
                {"type": "object", "required": ["before"], "properties": {"before": {"type": "string"}}},
            ]
        },
        "priority": {"type": "integer", "minimum": 100, "maximum": 65000},
        "count": {"type": "integer", "minimum": 1},
        "default-deny": {"type": "boolean"},
        "servers": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2, "uniqueItems": True},
        "tags": {"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}, "maxProperties": 2},
        "name": {"type": "string", "minLength": 2, "maxLength": 5},
        "either": {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        "pair": {"type": "object", "dependentRequired": {"a": ["b"]}},
        "gone": False,
    },
    "$defs": {"zone": {"type": "string", "title": "the name of a zone", "pattern": "^[a-z]+$"}},
}
ZONES = "from-zone: trust\nto-zone: untrust\n"


def check(text, schema=SETTINGS):
    root, problems = located.parse(Source.of("inventory.yaml", text))
    assert problems == ()
    return schema_check.check(root, schema)


CASES = {
    "fine": ("version: '10.1'\nlocation: vsys1\nplace: {before: clean-up}\nservers: [a, b]\n", ""),
    "unknown key": ("«frm-zone: x\n", "E0410"),
    "two unknown keys": ("«colour: x\n«shape: x\n", "E0410 E0410"),
    "unknown key in a form": ("location: {device-group: a, «rulebse: pre}\n", "E0410"),
    "number for a text of a list": ("version: «10.1\n", "E0413"),
    "letter case": ("tier: «premium\n", "E0413"),
    "number for a choice": ("tier: «5\n", "E0412"),
    "no form fits": ("place: «bottom\n", "E0413"),
    "no form fits a number": ("place: «5\n", "E0412"),
    "pattern of the form that was meant": ("location: «dg1\n", "E0414"),
    "line break at the end": ("location: «|\n  vsys1\n", "E0414"),
    "missing key of the form that was meant": ("«location: {rulebase: pre}\n", "E0411"),
    "two mistakes in one form": ("location: {device-group: «5, rulebase: «prae}\n", "E0412 E0413"),
    "text for a truth value": ("default-deny: «no\n", "E0412"),
    "number in quotes": ("priority: «'1000'\n", "E0412"),
    "fraction for a whole number": ("priority: «1000.0\n", "E0412"),
    "truth value for a number": ("priority: «true\n", "E0412"),
    "too small": ("priority: «99\n", "E0415"),
    "too large": ("priority: «65001\n", "E0415"),
    "too small, no upper bound": ("count: «0\n", "E0415"),
    "text for a list": ("servers: «a\n", "E0412"),
    "empty list": ("servers: «[]\n", "E0416"),
    "list too long": ("servers: «[a, b, c]\n", "E0416"),
    "item twice": ("servers: [a, «a]\n", "E0416"),
    "item of another kind": ("servers: [a, «7]\n", "E0412"),
    "no value": ("«servers:\n", "E0412"),
    "no value for a choice": ("«place:\n", "E0412"),
    "bad key": ("tags: {«A: x}\n", "E0414"),
    "too many keys": ("tags: «{a: x, b: y, c: z}\n", "E0416"),
    "too short": ("name: «a\n", "E0414"),
    "too long": ("name: «abcdef\n", "E0414"),
    "empty text": ("name: «''\n", "E0414"),
    "two forms at once": ("either: «{a: 1, b: 2}\n", "E0417"),
    "key that needs another": ("pair: {«a: 1}\n", "E0411"),
    "never allowed": ("gone: «1\n", "E0417"),
    "three mistakes": ("tier: «gold\nname: «a\npriority: «1\n", "E0413 E0414 E0415"),
}


@pytest.mark.parametrize("case", CASES)
def test_each_mistake_is_reported_once_at_its_place(case):
    marked, codes = CASES[case]
    parts = (marked + ZONES).split("«")
    places = [len("".join(parts[: i + 1])) for i in range(len(parts) - 1)]
    problems = check("".join(parts))
    assert [(d.code, d.span.start) for d in problems] == list(zip(codes.split(), places, strict=True))
    for problem in problems:
        words = f"{problem.message} {problem.label} {problem.help}"
        for raw in ("is not valid under", "is not of type", "does not match", "dependentRequired", "None", "$ref"):
            assert raw not in words
        assert not problem.message.endswith(".")


def test_near_names_and_valid_names_are_shown():
    (unknown,) = check(ZONES + "versoin: '10.1'\n")
    assert unknown.span.text == "versoin"
    assert "did you mean `version`?" in unknown.help
    assert "`from-zone`" in unknown.help
    (value,) = check(ZONES + "tier: premium\n")
    assert value.help == "did you mean `Premium`?"
    assert value.label == "expected `Basic`, `Standard` or `Premium`"


def test_a_number_that_should_be_text_says_how_to_write_it():
    (problem,) = check(ZONES + "version: 10.1\n")
    assert problem.span.text == "10.1"
    assert 'quote it: "10.1"' in problem.help


def test_a_truth_value_in_quotes_says_how_to_write_it():
    (problem,) = check(ZONES + "default-deny: 'false'\n")
    assert problem.help == "write `false`, without quotes"


def test_one_valid_key_is_spoken_of_as_one():
    closed = {"type": "object", "additionalProperties": False, "properties": {"before": {"type": "string"}}}
    (problem,) = check("befor: x\n", closed)
    assert problem.help == "did you mean `before`? the only key here is `before`"


def test_a_misspelt_required_key_is_one_mistake():
    problems = check("from-zon: trust\nto-zone: untrust\n")
    assert [(d.code, d.span.text) for d in problems] == [("E0410", "from-zon")]


def test_missing_keys_are_shown_where_the_settings_stand():
    root, _ = located.parse(Source.of("inventory.yaml", "firewalls:\n  edge:\n    settings: {to-zone: a}\n"))
    (problem,) = schema_check.check(root.at(["firewalls", "edge", "settings"]), SETTINGS)
    assert (problem.code, problem.span.line, problem.span.text) == ("E0411", 3, "settings")
    assert "`from-zone`" in problem.message


def test_positions_are_right_in_a_part_of_a_file():
    root, _ = located.parse(Source.of("i", "a:\n  b:\n    from-zone: trust\n    to-zone: UNTRUST\n    colour: red\n"))
    problems = schema_check.check(root.at(["a", "b"]), SETTINGS)
    assert [(d.code, d.span.line, d.span.column) for d in problems] == [("E0414", 4, 14), ("E0410", 5, 5)]


def test_settings_that_stand_nowhere_are_checked_without_a_place():
    problems = schema_check.check(Located.empty(), SETTINGS)
    assert [(d.code, d.span) for d in problems] == [("E0411", None), ("E0411", None)]


def test_backslashes_in_double_quotes_are_explained():
    schema = {"properties": {"gpo": {"type": "string", "pattern": r"^[^\s]+$"}}}
    (problem,) = check(r'gpo: "contoso\new"' + "\n", schema)
    assert "single quotes" in problem.help


def test_a_mistake_in_an_aliased_value_is_reported_once():
    problems = check("from-zone: trust\nto-zone: untrust\nservers: &s [5]\ntags: {a: *s}\n")
    assert [(d.code, d.span.line) for d in problems] == [("E0412", 3)]
    schema = {"additionalProperties": {"items": {"type": "string"}}}
    problems = check("a: &s [5]\nb: *s\n", schema)
    assert [(d.code, d.span.line) for d in problems] == [("E0412", 1)]


def test_a_schema_is_read_once():
    schema = schema_check.load_schema("egressc.grammar", "inventory.schema.json")
    assert schema is schema_check.load_schema("egressc.grammar", "inventory.schema.json")
    assert schema["additionalProperties"] is False
