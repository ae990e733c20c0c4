"""`egressc test` as a user meets it: what holds, what fails and why, in every form; slips in the files and around them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.resources import files

import jsonschema
import pytest
from cli_support import tree
from test_machine_forms import schema

POLICY = """service-account app "App" { linux-user app }
service-account batch "Batch" { linux-user batch }
policy web "Web" {
    from servers
    allow tree "Tree" { to *.example.com ports 443/https no-tls-inspection }
    allow whom "Whom" { to only.example.net ports 443/https as app }
    allow pki "PKI" { to pki.example.net/crl ports 80/http }
    allow net "Net" { to 198.51.100.0/24 ports 5000/tcp }
    deny hole "Hole" { to 203.0.113.0/24 ports any/tcp }
    allow berlin "Berlin" { to berlin.example.net ports 443/https from berlin expires 2026-06-30 }
}
"""

INVENTORY = """groups:
  berlin: {networks: [10.1.0.10]}
  munich: {networks: [10.2.0.10]}
  servers: {members: [berlin, munich]}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web.egress").write_text(POLICY, encoding="utf-8")
    (tmp_path / "inventory.yaml").write_text(INVENTORY, encoding="utf-8")
    return tmp_path


def write(folder, text, name="web.test.yaml"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        text if text.startswith("#") or "policy" in text else f"policy: web.egress\n{text}", encoding="utf-8"
    )


def told(run, *words):
    """The status and the JSON, checked against the schema."""
    status, out, err = run("test", *words, "--format", "json")
    assert err == ""
    found = json.loads(out)
    jsonschema.Draft202012Validator(schema("test")).validate(found)
    return status, found


@pytest.mark.parametrize(
    ("item", "allowed", "denied"),
    [
        ('{from: servers, to: "a.example.com:443"}', True, False),
        ('{from: [berlin, munich], to: ["a.example.com:443", "b.c.example.com:443"]}', True, False),
        ('{from: berlin@10.1.0.10, to: "a.example.com:443"}', True, False),
        ('{to: "a.example.com:443"}', True, False),
        ('{from: berlin, to: "example.com:443"}', False, True),
        ('{from: berlin, to: ["a.example.com:443", "example.com:443"]}', False, False),
        ('{from: berlin, as: app, to: "only.example.net:443"}', True, False),
        ('{from: berlin, as: batch, to: "only.example.net:443"}', False, True),
        ('{from: berlin, to: "only.example.net:443"}', False, False),  # not every account may
        ('{from: berlin, to: "http://pki.example.net/crl/x"}', True, False),
        ('{from: berlin, to: "http://pki.example.net/other"}', False, True),
        ('{from: berlin, to: "pki.example.net:80"}', False, False),  # not every path may
        ('{from: berlin, to: "198.51.100.7:5000"}', True, False),
        ('{from: berlin, to: "198.51.100.0/24:5000"}', True, False),
        ('{from: berlin, to: "198.51.100.0/23:5000"}', False, False),
        # Without an address: one that no rule names, so neither that of `net` nor that of `hole`.
        ('{from: berlin, to: "other.example.net:5000"}', False, True),
        ('{from: berlin, to: "other.example.net:5000", at: 198.51.100.7}', True, False),
        ('{from: berlin, to: "a.example.com:443", at: 203.0.113.7}', False, True),
        ('{from: servers, to: "berlin.example.net:443"}', False, False),  # one member may
        ("{from: munich, at: 203.0.113.7}", False, True),
        ("{from: munich}", False, False),
    ],
)  # fmt: skip
def test_an_expectation_is_for_all_that_it_leaves_out(folder, run, item, allowed, denied):
    for kind, holds in (("allows", allowed), ("denies", denied)):
        write(folder, f"as-of: 2026-06-01\n{kind}:\n  - {item}\n")
        status, out, _ = run("test")
        assert status == (0 if holds else 1), (kind, out)
        assert out == ("web.test.yaml: 1 passed\n" if holds else "web.test.yaml: 0 passed, 1 failed\n")


@pytest.mark.parametrize(
    ("to", "state"),
    [("a.example.com:443", "must-not"), ("only.example.net:443", "may"), ("198.51.100.7:5000", "may")],
)
def test_inspection(folder, run, to, state):
    for wanted in ("may", "must-not", "must"):
        write(folder, f'allows:\n  - {{from: berlin, as: app, to: "{to}", inspection: {wanted}}}\n')
        status, _, err = run("test")
        assert status == (0 if wanted == state else 1)
        if wanted != state:
            assert f"error[E0912]: inspection is not `{wanted}`: berlin" in err


def test_a_failure_shows_a_flow_and_the_rule_that_decides(folder, run):
    write(folder, 'as-of: 2026-06-01\ndenies:\n  - {from: berlin, to: "only.example.net:443"}\n')
    status, out, err = run("test")
    assert (status, out) == (1, "web.test.yaml: 0 passed, 1 failed\n")
    assert "error[E0911]: not denied: berlin (IPv4) as app → only.example.net:443 at 192.0.2.10\n" in err
    assert " --> web.test.yaml:4:5\n" in err
    assert '4 |   - {from: berlin, to: "only.example.net:443"}\n' in err
    assert "::: web.egress:6:11" in err
    assert "this allow decides" in err


def test_a_failure_by_default_shows_what_nearly_matched(folder, run):
    write(folder, 'allows:\n  - {from: berlin, to: "a.example.com:8443"}\n')
    _, _, err = run("test")
    assert "it is denied by default: no rule matches" in err
    assert "`web/tree` (web.egress:5) would match, but port 8443 is not in `ports 443/https`" in err
    write(folder, 'allows:\n  - {from: berlin, to: "only.example.net:443"}\n')
    _, _, err = run("test")
    assert "`web/whom` (web.egress:6) allows only some of these flows" in err


def test_json(folder, run):
    write(
        folder,
        'allows:\n  - {to: "a.example.com:443"}\n  - {to: "example.com:443"}\ndenies:\n  - {from: x, to: "a.b:1"}\n',
    )
    before = tree(folder)
    status, found = told(run)
    assert tree(folder) == before
    assert (status, found["passed"], found["failed"], found["errors"]) == (1, 1, 1, 1)
    (file,) = found["files"]
    assert file["file"] == "web.test.yaml"
    assert [each["result"] for each in file["expectations"]] == ["passed", "failed", "error"]
    assert [each["line"] for each in file["expectations"]] == [3, 4, 6]
    failed = file["expectations"][1]
    assert failed["kind"] == "allows"
    assert failed["name"] == "allows any-group → example.com:443"
    assert [d["code"] for d in failed["diagnostics"]] == ["E0910"]
    assert [d["code"] for d in file["expectations"][2]["diagnostics"]] == ["E0901"]


def test_junit(folder, run):
    """As `JUnit.xsd` of Windy Road wants it, the stricter of the two schemas that are common."""
    write(
        folder,
        'allows:\n  - {to: "a.example.com:443"}\n  - {to: "<&\\">.com:443"}\ndenies:\n  - {to: "a.example.com:443"}\n',
    )
    write(folder, "policy: nothing.egress\ndenies: [{from: berlin}]\n", "b.test.yaml")
    status, out, err = run("test", "--format", "junit", "--as-of", "2026-11-22")
    assert (status, err) == (1, "")
    root = ET.fromstring(out)
    assert (root.tag, root.attrib) == ("testsuites", {})
    assert [suite.get("name") for suite in root] == ["b.test.yaml", "web.test.yaml"]
    for number, suite in enumerate(root):
        assert set(suite.attrib) == {
            "name", "timestamp", "hostname", "tests", "failures", "errors", "time", "id", "package",
        }  # fmt: skip
        assert suite.get("timestamp") == "2026-11-22T00:00:00"
        assert suite.get("id") == str(number)
        cases = suite.findall("testcase")
        assert [child.tag for child in suite] == ["properties", *["testcase"] * len(cases), "system-out", "system-err"]
        assert int(suite.get("tests")) == len(cases)
        for tag, key in (("failure", "failures"), ("error", "errors")):
            assert int(suite.get(key)) == len(suite.findall(f"testcase/{tag}"))
        for case in cases:
            assert set(case.attrib) == {"name", "classname", "time"}
            assert case.get("classname") == suite.get("name")
            assert len(case) <= 1
            for child in case:
                assert set(child.attrib) == {"message", "type"}
                assert re.fullmatch(r"E0\d{3}", child.get("type"))
                assert child.text.startswith(f"error[{child.get('type')}]: ")
    passed, wrong, failed = root[1].findall("testcase")
    assert len(passed) == 0
    assert wrong[0].tag == "error"
    assert '<&">.com' in wrong.get("name")
    assert failed[0].tag == "failure"
    assert "not denied" in failed[0].get("message")
    assert root[0].find("testcase/error").get("type") == "E0907"


def test_junit_beside_another_form(folder, run):
    write(folder, 'allows:\n  - {to: "a.example.com:443"}\n')
    assert run("test", "--junit", "report.xml")[:2] == (0, "web.test.yaml: 1 passed\n")
    written = (folder / "report.xml").read_bytes()
    assert run("test", "--junit", "again.xml", "--format", "json")[0] == 0
    assert (folder / "again.xml").read_bytes() == written
    assert ET.fromstring(written).find("testsuite").get("tests") == "1"
    status, out, err = run("test", "--junit", "no/such/folder.xml")
    assert (status, out) == (2, "")
    assert "cannot write `no/such/folder.xml`" in err


def test_what_stands_where(folder, run):
    """Paths are relative to the file, wherever one stands; every file below a folder is run, in order."""
    write(folder, 'allows:\n  - {to: "a.example.com:443"}\n')
    write(folder, 'policy: ../web.egress\ndenies:\n  - {to: "example.com:443"}\n', "more/a.test.yaml")
    write(folder, 'policy: ../web.egress\ndenies:\n  - {to: "a.example.com:443"}\n', ".hidden/x.test.yaml")
    (folder / "more" / "notes.yaml").write_text("x: y\n", encoding="utf-8")
    status, out, _ = run("test")
    assert status == 0
    assert out == "more/a.test.yaml: 1 passed\nweb.test.yaml: 1 passed\n2 files: 2 passed\n"
    assert run("test", "more")[1] == "more/a.test.yaml: 1 passed\n"
    assert run("test", "web.egress")[1] == "web.test.yaml: 1 passed\n"
    assert run("test", "more", "more/a.test.yaml")[1] == "more/a.test.yaml: 1 passed\n", "each file once"


def test_dates_and_inventories(folder, run):
    item = 'allows:\n  - {from: berlin, to: "berlin.example.net:443"}\n'
    write(folder, item)
    assert run("test", "--as-of", "2026-06-30")[0] == 0
    status, _, err = run("test", "--as-of", "2026-07-01")
    assert status == 1
    assert "it expired on 2026-06-30" in err
    write(folder, f"as-of: 2026-06-30\n{item}")
    assert run("test", "--as-of", "2026-07-01")[0] == 0, "what the file says counts"
    other = INVENTORY.replace("berlin", "hamburg").replace("servers: {members: [hamburg", "servers: {members: [hamburg")
    (folder / "other.yaml").write_text(other, encoding="utf-8")
    write(folder, 'inventory: other.yaml\nallows:\n  - {from: hamburg, to: "a.example.com:443"}\n')
    status, _, err = run("test")
    assert status == 1
    assert "not in other.yaml" in err, "a rule is for `berlin`, which that inventory does not have"
    (folder / "web.egress").write_text(POLICY.replace(" from berlin", ""), encoding="utf-8")
    assert run("test")[0] == 0
    write(folder, 'allows:\n  - {from: hamburg, to: "a.example.com:443"}\n')
    assert run("test", "--inventory", "other.yaml")[0] == 0
    assert run("test")[0] == 1


def test_without_an_inventory(folder, run):
    (folder / "inventory.yaml").unlink()
    write(folder, 'allows:\n  - {from: servers, to: "a.example.com:443"}\n')
    assert run("test")[0] == 0


def test_the_files_keep_the_order_and_the_names_of_their_policies(folder, run):
    write(folder, 'policy: [web.egress, more.egress]\nallows:\n  - {from: munich, to: "m.example.net:443"}\n')
    (folder / "more.egress").write_text(
        'policy more "More" { from munich allow m "M" { to m.example.net ports 443 } }\n'
    )
    assert run("test", "web.test.yaml")[0] == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("alows: []\n", ["E0410", "2:1", "`alows`", "did you mean `allows`?"]),
        ("allows:\n  - {form: berlin}\n", ["E0410", "3:6", "did you mean `from`?"]),
        ("denies:\n  - {from: berlin, inspection: may}\n", ["E0410", "3:20", "`inspection`"]),
        ("allows:\n  - {from: berlin, inspection: mustnot}\n", ["E0413", "3:32", "`mustnot`", "`must-not`"]),
        ("allows:\n  - berlin\n", ["E0412", "3:5"]),
        ("allows: []\n", ["E0416", "2:9"]),
        ("as-of: tomorrow\nallows: [{from: berlin}]\n", ["2:8", "2027-06-30"]),
        ("as-of: 2026-02-30\nallows: [{from: berlin}]\n", ["E0342", "2:8", "there is no day"]),
        ("inventory: inventroy.yaml\nallows: [{from: berlin}]\n", ["E0907", "2:12", "did you mean `inventory.yaml`?"]),
        ("# nothing\n", ["E0403", "1:1"]),
        ("policy: web.egress\n", ["E0909", "1:1", "expects nothing"]),
        ("policy: wep.egress\nallows: [{from: berlin}]\n", ["E0907", "1:9", "did you mean `web.egress`?"]),
        ("policy: web.egress\nchanges: {since: main}\n", ["E0909", "2:1", "allows-only"]),
        ('allows:\n  - {from: berlln, to: "a.example.com:443"}\n', ["E0901", "3:12", "did you mean `berlin`?"]),
        ('allows:\n  - {from: "berlin:app", to: "a.b.com:443"}\n', ["E0903", "3:19", "`as: app`"]),
        ('allows:\n  - {from: berlin, as: ap, to: "a.b.com:443"}\n', ["E0902", "3:24", "did you mean `app`?"]),
        ("allows:\n  - {from: berlin, to: a.example.com}\n", ["E0904", "3:24", "`a.example.com:443`"]),
        ('allows:\n  - from: berlin\n    to:\n      - "a.example.com:443"\n      - "b..com:443"\n', ["E0312", "6:11"]),
        ('allows:\n  - {from: berlin, to: "a.b.com:443", at: 1.2.3}\n', ["E0303", "3:43"]),
        ('allows:\n  - {from: berlin, to: "1.2.3.4:443", at: 1.2.3.4}\n', ["E0904", "3:43", "already"]),
        ('allows:\n  - {from: berlin, to: "[2001:db8::7]:443"}\n', ["E0905", "3:25"]),
        ("allows: [\n", ["E04", ":"]),
    ],
)  # fmt: skip
def test_slips_in_a_file(folder, run, text, found):
    write(folder, text)
    status, out, err = run("test")
    assert status == 1, err
    assert "could not be run" in out
    assert "Traceback" not in err
    for each in found:
        assert each in err, err
    assert "web.test.yaml:" in err
    assert "\n  |" in err or " | " in err, "the line is shown"
    code, report = told(run)
    assert (code, report["passed"], report["failed"]) == (1, 0, 0)
    assert report["errors"] == 1


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("wep.test.yaml",), ["no file or folder `wep.test.yaml`", "did you mean `web.test.yaml`?"]),
        (("inventory.yaml",), ["is no policy test", "`.test.yaml`"]),
        (("other.egress",), ["no policy test `other.test.yaml`"]),
        (("empty",), ["no policy test below the folder `empty`"]),
        (("",), ["a PATH is empty"]),
        (("--as-of", "soon"), ["`soon` is no date"]),
        (("--fromat", "json"), ["no option `--fromat`", "did you mean `--format`?"]),
    ],
)
def test_slips_on_the_command_line(folder, run, words, found):
    write(folder, 'allows:\n  - {to: "a.example.com:443"}\n')
    (folder / "empty").mkdir()
    status, out, err = run("test", *words)
    assert (status, out) == (2, "")
    for each in found:
        assert each in err
    if not words[0].startswith("--"):
        code, report = told(run, *words)
        assert (code, report["files"]) == (2, [])
        assert [d["code"] for d in report["diagnostics"]] == ["E0908"]


def test_no_test_at_all_is_not_taken_for_one_that_passed(folder, run):
    assert run("test")[:2] == (2, "")


def test_a_policy_with_errors_is_told_once(folder, run):
    (folder / "web.egress").write_text(POLICY.replace("*.example.com", "nowhere"), encoding="utf-8")
    for name in ("a.test.yaml", "b.test.yaml"):
        write(folder, 'policy: web.egress\nallows:\n  - {to: "a.example.com:443"}\n', name)
    status, out, err = run("test")
    assert status == 1
    assert out.splitlines() == [
        "a.test.yaml: could not be run", "b.test.yaml: could not be run", "2 files: 0 passed, 2 files could not be run",
    ]  # fmt: skip
    assert err.count("error[E0207]") == 1


def test_a_template_alone_has_no_rule(folder, run):
    (folder / "lib.egress").write_text('template policy lib "L" { allow a "A" { to a.example.com ports 443 } }\n')
    write(folder, 'policy: lib.egress\ndenies:\n  - {from: berlin, to: "a.example.com:443"}\n')
    status, out, err = run("test")
    assert (status, out) == (0, "web.test.yaml: 1 passed\n")
    assert "warning[W0914]" in err


def test_where_rules_name_every_address(folder, run):
    text = POLICY.replace("to 203.0.113.0/24 ports any/tcp", "to 0.0.0.0/0 ports 22/tcp")
    (folder / "web.egress").write_text(text, encoding="utf-8")
    write(folder, 'allows:\n  - {from: berlin, to: "a.example.com:443"}\n')
    status, _, err = run("test")
    assert status == 1
    assert "error[E0906]" in err
    assert "`at: ADDRESS`" in err
    write(folder, 'allows:\n  - {from: berlin, to: "a.example.com:443", at: 192.0.2.7}\n')
    assert run("test")[0] == 0


def test_any_address_is_every_address_and_names_none(folder, run):
    text = POLICY.replace("to 203.0.113.0/24 ports any/tcp", "to any-address ports 22/tcp")
    (folder / "web.egress").write_text(text, encoding="utf-8")
    write(folder, 'allows:\n  - {from: berlin, to: "a.example.com:443"}\ndenies:\n  - {to: "a.example.com:22"}\n')
    assert run("test")[0] == 0


def test_a_service_tag_whose_addresses_nobody_knows(folder, run):
    text = POLICY.replace("to 203.0.113.0/24 ports any/tcp", "to service-tag Sql ports any/tcp")
    (folder / "web.egress").write_text(text, encoding="utf-8")
    write(folder, 'allows:\n  - {from: berlin, to: "a.example.com:443"}\n')
    assert run("test")[0] == 0, "an address that no rule names is under no tag that a rule names"
    write(folder, 'allows:\n  - {from: berlin, to: "a.example.com:443", at: 192.0.2.7}\n')
    assert run("test")[0] == 1, "whether this one is, nobody knows"


def test_a_rule_for_a_service_tag_decides(folder, run):
    """Not the other rule that matches the flow, nor the default."""
    text = POLICY.replace("to 203.0.113.0/24 ports any/tcp", "to service-tag Sql ports 443/tcp")
    text += 'policy tags "Tags" { from berlin allow storage "S" { to service-tag Storage ports 1444/tcp } }\n'
    (folder / "web.egress").write_text(text, encoding="utf-8")
    for item, rule, help_ in (
        ('allows: [{from: berlin, to: "a.example.com:443", at: 192.0.2.7}]', "deny hole", "`service-tag sql`"),
        ("allows: [{from: berlin, at: 192.0.2.7}]", "deny hole", "`service-tag sql`"),
        ('denies: [{from: berlin, to: "a.example.org:1444", at: 192.0.2.7}]', "allow storage", "`service-tag storage`"),
    ):
        write(folder, f"{item}\n")
        status, found = told(run)
        (problem,) = found["files"][0]["expectations"][0]["diagnostics"]
        assert status == 1
        assert help_ in problem["help"]
        _, _, err = run("test")
        assert f" {rule} " in err
        assert "by default" not in err
        assert f"this {rule.partition(' ')[0]} decides" in err


def test_a_byte_order_mark_and_crlf(folder, run):
    text = 'policy: web.egress\r\nallows:\r\n  - {to: "a.example.com:443"}\r\n'
    (folder / "web.test.yaml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert run("test")[0] == 0
    (folder / "web.test.yaml").write_bytes(b"\xff\xfe")
    status, out, err = run("test")
    assert (status, out) == (1, "web.test.yaml: could not be run\n")
    assert "Traceback" not in err


def test_a_pipe_that_closes(folder):
    write(folder, 'allows:\n  - {to: "a.example.com:443"}\n')
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m egressc test --format junit | head -1"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout == '<?xml version="1.0" encoding="UTF-8"?>\n'
    assert done.stderr == ""


def test_the_schema_of_the_files_is_closed():
    found = schema("policy-test")
    jsonschema.Draft202012Validator.check_schema(found)
    for each in (found, *found["$defs"].values()):
        assert each.get("type") != "object" or each["additionalProperties"] is False
    jsonschema.Draft202012Validator.check_schema(schema("test"))


def test_what_ships_is_tested_and_can_be_copied(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "main.test.yaml" in {entry.name for entry in files("egressc.policies").iterdir()}
    assert run("init", "mine")[0] == 0
    status, out, err = run("test", "mine")
    assert (status, err) == (0, "")
    assert re.fullmatch(r"mine/main\.test\.yaml: \d+ passed\n", out)
