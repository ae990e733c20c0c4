"""JSON: everything that a policy says, in the form that the schema describes."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from lists_support import exported, options_for, policy_of, reasons_of, text_of

from egressc.exports_judge import Requests
from egressc.meaning import UnreadableError
from egressc.targets.list_registry import load_format

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "grammar" / "list.schema.json").read_text(encoding="utf-8"))


def read(held, kind="bypass"):
    text = held if isinstance(held, str) else json.dumps(held)
    return load_format("json").read(text, options_for("json", kind), "")


def entries_of(policy, kind="bypass"):
    held = json.loads(text_of(policy, "json", kind))
    jsonschema.Draft202012Validator(SCHEMA).validate(held)
    return held["entries"]


def one(**more):
    entry = {"kind": "host", "destination": "foo.test", "ports": [{"from": 443, "to": 443}], "path": None}
    return {
        "version": 1,
        "list": "bypass",
        "title": "t",
        "entries": [{**entry, "except": [], "rules": ["p/r"], **more}],
    }


def test_every_kind_of_destination():
    policy = policy_of("foo.test", "*.bar.test", "a*.b.test", "203.0.113.0/24", ports="443/https 8000-8080/tls")
    ports = [{"from": 443, "to": 443}, {"from": 8000, "to": 8080}]
    same = {"ports": ports, "path": None, "except": [], "rules": ["p/web"]}
    assert entries_of(policy) == [
        {"kind": "pattern", "destination": "a*.b.test", **same},
        {"kind": "pattern", "destination": "*.bar.test", **same},
        {"kind": "host", "destination": "foo.test", **same},
        {"kind": "addresses", "destination": "203.0.113.0/24", **same},
    ]
    assert reasons_of(policy, "json") == [("address", "narrower")]


def test_domain_path_except_and_everything():
    policy = policy_of("foo.test/pki", "*.bar.test", "bar.test", "except", "a.bar.test", ports="80/http")
    found = [(each["kind"], each["destination"], each["path"], each["except"]) for each in entries_of(policy)]
    assert found == [
        ("host", "bar.test", None, []), ("pattern", "*.bar.test", None, ["a.bar.test"]), ("host", "foo.test", "/pki", []),
    ]  # fmt: skip
    assert reasons_of(policy, "json") == []
    (found,) = entries_of(policy_of("any-address", ports="1-65535/tcp"))
    assert (found["kind"], found["destination"], found["ports"]) == ("everything", "*", [{"from": 1, "to": 65535}])


def test_the_text_is_one_entry_on_a_line():
    text = text_of(policy_of("foo.test"), "json")
    assert text == (
        '{\n "version": 1,\n "list": "bypass",\n "title": "bypass list for g",\n "entries": [\n'
        '  {"kind": "host", "destination": "foo.test", "ports": [{"from": 443, "to": 443}], "path": null, "except": [], '
        '"rules": ["p/web"]}\n ]\n}\n'
    )
    build, _ = exported(policy_of("foo.test"), "json", "exemption")
    assert json.loads(build.text)["entries"] == []


def test_reading_a_list_of_people():
    found = read(one(destination="FOO.test", path="/P/", **{"except": ["a.foo.test/x"]}))
    (entry,) = found.entries
    assert [e.text for e in entry.reach.endpoints] == ["foo.test/p"]
    assert [e.text for e in entry.reach.exceptions] == ["a.foo.test/x"]
    assert Requests([entry.reach]).names
    held = one()
    del (
        held["entries"][0]["ports"],
        held["entries"][0]["except"],
        held["entries"][0]["path"],
        held["entries"][0]["rules"],
    )
    assert read(held).entries[0].reach.ports.tcp == ((1, 65535),)
    assert read(one(), "exemption").remarks == ("this is a list of another kind: `bypass`",)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "pattern"}, {"kind": "addresses"}, {"kind": "everything"}, {"kind": "x"}, {"destination": 1},
        {"destination": "*.foo.test"}, {"destination": "foo..test"}, {"ports": []}, {"ports": [{"from": 0, "to": 1}]},
        {"ports": [{"from": 2, "to": 1}]}, {"ports": [{"from": True, "to": 1}]}, {"path": "x"}, {"path": "/*"},
        {"except": "a.foo.test"}, {"except": ["a..test"]}, {"except": [1]},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_entry_is_an_error_with_its_number(change):
    with pytest.raises(UnreadableError) as caught:
        read(one(**change))
    assert caught.value.message.startswith("entry 1: ")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2, "entries": []}', '{"version": 1}', "[" * 100_000])
def test_what_is_no_list_is_an_error(text):
    with pytest.raises(UnreadableError):
        read(text)


def test_the_line_of_what_is_no_json():
    with pytest.raises(UnreadableError) as caught:
        read('{\n "version": 1,\n x\n}')
    assert caught.value.line == 3
