"""`egressc export` as a user meets it, with the plain table; what the formats do is tested where they live."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from types import SimpleNamespace

import jsonschema
import pytest
from test_machine_forms import schema

from egressc.targets import list_registry
from egressc.targets.list_registry import load_format

POLICY = """service-account app "App" { windows-service App }
policy web "Web" {
    from servers
    allow api "The API" {
        to    api.example.com *.cdn.example.com
        ports 443/https
        as    app
        no-tls-inspection
    }
    allow docs "Documents" {
        to    docs.example.com/public
        ports 80/http 443/https
    }
    allow time "Time" { to time.example.com ports 123/udp }
}
"""

INVENTORY = """groups:
  servers: {networks: [10.1.0.10]}
  others: {networks: [10.2.0.10]}
firewalls:
  edge: {target: iptables, groups: [servers], settings: {mode: gateway, interface: lan0}}
exports:
  table: {format: csv, list: bypass, groups: [servers], accept: [{reason: account, why: RISK-7}]}
  closed: {format: csv, list: exemption, account: app}
"""

HEAD = "destination,ports,path,except,rules\n"
EXEMPTION = HEAD + "api.example.com,443,,,web/api\n*.cdn.example.com,443,,,web/api\n"
BYPASS = HEAD + (
    "api.example.com,443,,,web/api\n"
    "*.cdn.example.com,443,,,web/api\n"
    "docs.example.com,80,/public,,web/docs\n"
    "docs.example.com,443,/public,,web/docs\n"
)
AS_OF = ("--as-of", "2026-11-22")


@pytest.fixture(autouse=True)
def project(place):
    (place / "web.egress").write_text(POLICY, encoding="utf-8")
    (place / "inventory.yaml").write_text(INVENTORY, encoding="utf-8")
    return place


def checked(text):
    found = json.loads(text)
    jsonschema.Draft202012Validator(schema("export")).validate(found)
    return found


def test_a_list_on_standard_output_and_what_is_said_beside_it(run):
    status, out, err = run("export", "csv", "--list", "bypass", "--group", "servers", *AS_OF)
    assert (status, sorted(out.splitlines())) == (0, sorted(BYPASS.splitlines()))
    assert "warning[W0601]: `web/api` in the csv (bypass list): the list does not see which account asks" in err
    assert "note[N0625]: `web/time` is not in the csv (bypass list): no proxy carries UDP" in err
    assert run("export", "csv", "--list", "exemption", "--account", "app", *AS_OF)[1] == EXEMPTION


def test_rules_by_a_pattern(run):
    status, out, _ = run("export", "csv", "--list", "bypass", "--rule", "web/a*", *AS_OF)
    assert (status, out) == (0, EXEMPTION)


def test_a_list_and_its_report_in_files(run, project):
    words = ("export", "csv", "--list", "exemption", "--account", "app", "-o", "a.csv", *AS_OF)
    status, out, err = run(*words, "--report", "a.json")
    assert (status, out, err) == (0, "a.csv: 2 entries of 1 rules, proved\n", "")
    assert (project / "a.csv").read_text() == EXEMPTION
    found = checked((project / "a.json").read_text())
    assert found["entries"] == [
        {"text": "api.example.com", "ports": "443", "rules": ["web/api"]},
        {"text": "*.cdn.example.com", "ports": "443", "rules": ["web/api"]},
    ]
    assert [(rule["rule"], rule["line"], rule["verdict"]) for rule in found["rules"]] == [("web/api", 4, "exact")]
    assert run(*words, "--report", "a.md")[0] == 0
    told = (project / "a.md").read_text()
    assert "| `*.cdn.example.com` | 443 | `web/api` |" in told
    assert "Nothing: every rule is said exactly." in told


def test_json(run):
    status, out, err = run("export", "csv", "--list", "bypass", "--group", "servers", "--format", "json", *AS_OF)
    found = checked(out)
    assert (status, err) == (0, "")
    assert sorted(found["text"].splitlines()) == sorted(BYPASS.splitlines())
    (api,) = [rule for rule in found["rules"] if rule["rule"] == "web/api"]
    assert api["approximations"][0]["example"] == {
        "group": "servers",
        "host": "api.example.com",
        "transport": "tcp",
        "port": 443,
    }


def test_accepted_and_strict(run):
    words = ("export", "csv", "--list", "bypass", "--group", "servers", *AS_OF)
    status, out, err = run(*words, "--strict")
    assert (status, out) == (1, "")
    assert "error[W0601]" in err
    status, out, err = run(*words, "--strict", "--accept", "account")
    assert (status, len(out.splitlines())) == (0, 5)
    assert "error" not in err


USAGE = {
    "no kind of list": (("csv",), "`csv` holds lists of two kinds"),
    "a misspelt format": (("cvs", "--list", "bypass"), "did you mean `csv`?"),
    "a kind that a format cannot hold": (("winhttp", "--list", "exemption"), "`winhttp` holds bypass lists alone"),
    "no such form": (("csv", "--list", "bypass", "--form", "x"), "`csv` has no form `x`"),
    "programs where none matter": (
        ("csv", "--list", "bypass", "--for", "curl"),
        "`csv` is read alike by every program",
    ),
    "probe-free": (("csv", "--list", "bypass", "--probe-free"), "`csv` calls no function that could be left out"),
    "no proxy": (("csv", "--list", "bypass", "--proxy", "nope"), "`nope` is no proxy"),
    "a misspelt group": (("csv", "--list", "bypass", "--group", "server"), "did you mean `servers`?"),
    "a misspelt account": (("csv", "--list", "bypass", "--account", "apq"), "did you mean `app`?"),
    "no such rule": (("csv", "--list", "bypass", "--rule", "web/apj"), "did you mean `web/api`?"),
    "a misspelt reason": (("csv", "--list", "bypass", "--accept", "acount"), "did you mean `account`?"),
    "no date": (("csv", "--list", "bypass", "--as-of", "soon"), "`soon` is no date"),
    "no such file": (("csv", "nope.egress", "--list", "bypass"), "nope.egress"),
    "a list that is not there": (("csv", "nope.csv", "--check", "--list", "bypass"), "cannot read `nope.csv`"),
    "no list to check": (("csv", "--check", "--list", "bypass"), "`--check` needs the list"),
    "a place that cannot be written": (
        ("csv", "--list", "bypass", "-o", "no/such/a.csv"),
        "cannot write `no/such/a.csv`",
    ),
}


@pytest.mark.parametrize("case", USAGE)
def test_what_cannot_run(run, case):
    words, told = USAGE[case]
    status, out, err = run("export", *words)
    assert (status, out) == (2, "")
    assert told in err


def test_errors_in_the_policy_write_nothing(run, project):
    (project / "web.egress").write_text(POLICY.replace("api.example.com", "no-such-set"), encoding="utf-8")
    status, out, err = run("export", "csv", "--list", "bypass", "-o", "a.csv")
    assert (status, out) == (1, "")
    assert "E0207" in err
    assert not (project / "a.csv").exists()


def test_two_rules_that_contradict_each_other(run, project):
    more = POLICY.rstrip()[:-1] + 'allow seen "S" { to api.example.com ports 443/https as app tls-inspection } }\n'
    (project / "web.egress").write_text(more, encoding="utf-8")
    status, out, err = run("export", "csv", "--list", "exemption")
    assert (status, out) == (1, "")
    assert "E0508" in err


def test_an_empty_list_is_written_and_told(run):
    status, out, err = run("export", "csv", "--list", "exemption", "--group", "others")
    assert (status, out) == (0, HEAD)
    assert "W0627" in err


def test_checking_a_list(run, project):
    (project / "mine.csv").write_text(EXEMPTION.replace("*.cdn", "*.cnd") + "192.0.2.0/24,any,,,\n", encoding="utf-8")
    words = ("export", "--check", "csv", "mine.csv", "--list", "exemption", "--account", "app", *AS_OF)
    status, out, err = run(*words)
    assert (status, err) == (1, "")
    assert out == (
        "beyond the policy\n"
        "  + *.cnd.example.com  mine.csv:3\n"
        "      e.g. a.cnd.example.com:443\n"
        "  + 192.0.2.0/24  mine.csv:4\n"
        "      e.g. 192.0.2.10:1\n"
        "lacking\n"
        "  - *.cdn.example.com  rule web/api (web.egress:4)\n"
        "      e.g. a.cdn.example.com:443\n"
        "mine.csv: 3 entries, 2 beyond the policy, 1 lacking, 0 not known\n"
    )
    status, out, _ = run(*words, "--format", "json")
    found = checked(out)
    assert (status, found["equal"]) == (1, False)
    assert [(each["text"], each["line"]) for each in found["beyond"]] == [("*.cnd.example.com", 3), ("192.0.2.0/24", 4)]
    assert [each["rules"] for each in found["lacks"]] == [["web/api"]]


def test_a_list_that_says_what_the_policy_wants(run, project, monkeypatch):
    (project / "mine.csv").write_bytes(b"\xef\xbb\xbf" + EXEMPTION.replace("\n", "\r\n").upper().encode())
    words = ("export", "--check", "csv", "mine.csv", "--list", "exemption", "--account", "app", *AS_OF)
    assert run(*words)[0] == 2, "the head of the table is not in capitals"
    (project / "mine.csv").write_bytes(b"\xef\xbb\xbf" + EXEMPTION.replace("\n", "\r\n").encode())
    status, out, _ = run(*words)
    assert (status, out) == (0, "mine.csv: 2 entries, what the policy wants in the exemption list\n")
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(EXEMPTION.encode())))
    assert run(*(("-" if word == "mine.csv" else word) for word in words))[0] == 0


def test_what_is_no_list(run, project):
    words = ("export", "--check", "csv", "mine.csv", "--list", "exemption", *AS_OF)
    (project / "mine.csv").write_bytes(HEAD.encode() + b"a.example.com,443,,,\nb c,443,,,\n")
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert "mine.csv:3: `b c` is neither a host nor addresses" in err
    (project / "mine.csv").write_bytes(HEAD.encode() + b"\xff\xfe\xfd")
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert "mine.csv:2: this is no text in UTF-8" in err


def test_lists_in_the_build(run, project):
    status, out, _ = run("compile", *AS_OF)
    assert status == 0
    table, closed = out.splitlines()[-2:]
    assert table.split()[:3] == ["table", "csv", "bypass"]
    assert "account 1 (accepted 1)" in table
    assert closed.endswith("proved, 2 entries")
    assert sorted(path.name for path in (project / "build" / "closed").iterdir()) == [
        "list.csv",
        "report.json",
        "report.md",
    ]
    assert (project / "build" / "closed" / "list.csv").read_text() == EXEMPTION
    checked((project / "build" / "closed" / "report.json").read_text())
    entries = json.loads((project / "build" / "manifest.json").read_text())["firewalls"]
    assert set(entries) == {"edge", "table", "closed"}
    assert run("compile", "--firewall", "edge", *AS_OF)[0] == 0
    assert (project / "build" / "closed" / "list.csv").exists(), "a part of the build leaves the rest as it is"
    (project / "inventory.yaml").write_text(INVENTORY.partition("exports:")[0], encoding="utf-8")
    assert run("compile", *AS_OF)[0] == 0
    assert not (project / "build" / "closed").exists()


def test_lists_without_a_firewall(run, project):
    inventory = INVENTORY.partition("firewalls:")[0] + "exports:" + INVENTORY.partition("exports:")[2]
    (project / "inventory.yaml").write_text(inventory, encoding="utf-8")
    status, out, _ = run("compile", *AS_OF)
    assert (status, len(out.splitlines())) == (0, 2)


WRONG = {
    "a misspelt format": ("{format: cvs, list: bypass}", "E0445", "cvs"),
    "no kind": ("{format: csv}", "E0446", "table"),
    "a kind that it cannot hold": ("{format: winhttp, list: exemption}", "E0446", "exemption"),
    "a form": ("{format: csv, list: bypass, form: x}", "E0446", "x"),
    "a proxy": ("{format: csv, list: bypass, proxy: nope}", "E0446", "nope"),
    "a group": ("{format: csv, list: bypass, groups: [server]}", "E0423", "server"),
    "an account": ("{format: csv, list: bypass, account: apq}", "E0520", "table"),
    "a key": ("{format: csv, list: bypass, lsit: x}", "E0410", "lsit"),
    "a reason": ("{format: csv, list: bypass, accept: [acount]}", "E0430", "acount"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_an_export(run, project, case):
    entry, code, at = WRONG[case]
    text = INVENTORY.partition("exports:")[0] + f"exports:\n  table: {entry}\n"
    (project / "inventory.yaml").write_text(text, encoding="utf-8")
    status, out, err = run("compile", "--format", "json", *AS_OF)
    (found,) = [each for each in json.loads(out)["diagnostics"] if each["level"] == "error"]
    assert (status, found["code"], err) == (1, code, "")
    line = text.splitlines()[found["line"] - 1]
    assert line[found["column"] - 1 :].startswith(at)
    assert not (project / "build").exists()


def test_a_list_and_a_firewall_of_one_name(run, project):
    (project / "inventory.yaml").write_text(INVENTORY.replace("  table:", "  edge:"), encoding="utf-8")
    status, _, err = run("compile", *AS_OF)
    assert status == 1
    assert "E0447" in err


@pytest.fixture
def broken(monkeypatch):
    """A function that exports with a format whose text is changed on its way."""

    def use(change):
        real = load_format("csv")
        made = replace(real, render=lambda model: change(real.render(model)))
        monkeypatch.setattr(list_registry, "load_format", lambda _name: made)
        for module in ("api_export_options", "verb_export"):
            monkeypatch.setattr(f"egressc.{module}.load_format", lambda _name: made)

    return use


BROKEN = {
    "wider": lambda text: text + "evil.example.com,443,,,web/api\n",
    "a port more": lambda text: text.replace("api.example.com,443", "api.example.com,443 444"),
    "narrower": lambda text: "".join(line for line in text.splitlines(keepends=True) if "cdn" not in line),
    "an address more": lambda text: text + "192.0.2.1,443,,,web/api\n",
    "the domain as well": lambda text: text + "cdn.example.com,443,,,web/api\n",
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_list_that_says_anything_else_is_never_written(run, project, broken, case):
    broken(BROKEN[case])
    status, out, err = run("export", "csv", "--list", "bypass", "-o", "a.csv", *AS_OF)
    assert (status, out) == (70, "")
    assert "unannounced" in err
    assert not (project / "a.csv").exists()


def test_checking_a_list_takes_no_proxy(run, project):
    (project / "mine.pac").write_text('function FindProxyForURL(u, h) { return "DIRECT"; }', encoding="utf-8")
    status, out, err = run("export", "--check", "pac", "mine.pac")
    assert (status, out) == (2, "")
    assert err.startswith("egressc export: mine.pac")
    status, _, err = run("export", "pac")
    assert status == 2
    assert "E0446" in err


def test_without_a_format(run):
    status, out, err = run("export")
    assert (status, out) == (2, "")
    assert "the following arguments are required: FORMAT\n" in err


def test_the_proxy_of_the_groups(run, project):
    behind = INVENTORY.replace("[10.1.0.10]}", "[10.1.0.10], proxy: {address: 10.9.0.1, port: 8080, bypass: ['*']}}")
    (project / "inventory.yaml").write_text(behind, encoding="utf-8")
    status, out, _ = run("export", "pac", "--group", "servers", *AS_OF)
    assert status == 0
    assert '"PROXY 10.9.0.1:8080"' in out
    (project / "inventory.yaml").write_text(behind.replace("10.9.0.1,", "[10.9.0.1, 10.9.0.2],"), encoding="utf-8")
    status, _, err = run("export", "pac", "--group", "servers", *AS_OF)
    assert status == 2, "which of the two it is, nobody says"
    assert "E0446" in err
    assert run("export", "pac", "--group", "servers", "--proxy", "10.9.0.2:8080", *AS_OF)[0] == 0
