"""`egressc explain WHO TO` as a user meets it: the answer in every form, each firewall's own, and slips."""

from __future__ import annotations

import json
import subprocess
import sys

import jsonschema
import pytest
from cli_support import tree
from test_machine_forms import schema

POLICY = """service-account app "App" { windows-service App linux-user app }
policy web "Web" {
    from servers
    allow tree "Tree" { to *.example.com ports 443/https as app no-tls-inspection }
    allow pki "PKI" { to pki.example.net/crl ports 80/http 443/https }
    allow net "Net" { to 198.51.100.0/24 ports 5000/tcp }
    deny hole "Hole" { to 198.51.100.9 ports 5000/tcp }
    allow mail "Mail" { to mail.example.net ports 5000/tcp }
}
"""

INVENTORY = """groups:
  berlin: {networks: [10.1.0.10]}
  munich: {networks: [10.2.0.10]}
  servers: {members: [berlin, munich]}
internal-networks: [10.0.0.0/8]
firewalls:
  edge:
    target: paloalto
    groups: [berlin]
    settings: {from-zone: in, to-zone: out}
  cloud:
    target: azure-firewall
    groups: [munich]
    settings: {policy: p, location: westeurope, dns-proxy: true}
  gateway:
    target: iptables
    groups: [servers]
    settings: {mode: gateway, interface: lan0}
  hosts:
    target: windows-firewall
    groups: [servers]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web.egress").write_text(POLICY, encoding="utf-8")
    (tmp_path / "inventory.yaml").write_text(INVENTORY, encoding="utf-8")
    return tmp_path


@pytest.fixture
def told(folder, run):
    """A function that asks and gives the status and the JSON, checked against the schema."""

    def call(*words):
        status, out, err = run("explain", *words, "--format", "json")
        assert err == ""
        found = json.loads(out)
        jsonschema.Draft202012Validator(schema("explain")).validate(found)
        assert "pages" not in found
        return status, found

    return call


def by_firewall(found):
    return {(each["firewall"], each["group"]): each for each in found["firewalls"]}


def test_an_answer(told, folder):
    before = tree(folder)
    status, found = told("berlin:app@10.1.0.10", "a.example.com:443")
    assert status == 0
    assert tree(folder) == before, "nothing is written"
    assert (found["verdict"], found["inspection"]) == ("allow", "must-not")
    (rule,) = found["rules"]
    assert rule == {
        "rule": "web/tree", "action": "allow", "file": "web.egress", "line": 4, "column": 11, "matches": "all",
    }  # fmt: skip
    assert found["groups"] == ["berlin"]
    assert found["account"] == "app"
    assert found["denied"] is None
    assert found["unknown"] == []
    firewalls = by_firewall(found)
    assert set(firewalls) == {("edge", "berlin"), ("gateway", "berlin"), ("hosts/berlin", "berlin")}
    assert {each["verdict"] for each in firewalls.values()} == {"allow"}
    for each in firewalls.values():
        assert each["same_as_policy"] is True
        assert each["approximations"] == []
        assert each["policy_rules"] == ["web/tree"]
        assert each["inspection"] == "not-inspected"
        assert each["rule"] == each["rules"][0]["name"]
    assert "tree" in firewalls["edge", "berlin"]["rule"]


@pytest.mark.parametrize(
    ("who", "to", "verdict", "expected"),
    [
        # PAN-OS, Azure and a gateway see no account, so they let the others through, too.
        ("berlin", "a.example.com:443", "unknown", {"edge": ("allow", "account"), "gateway": ("allow", "account"),
                                                    "hosts/berlin": ("unknown", None)}),
        # Subdomains come only with their domain where dnsmasq is asked.
        ("berlin:app", "example.com:443", "deny", {"edge": ("deny", None), "gateway": ("allow", "apex"),
                                                   "hosts/berlin": ("deny", None)}),
        # A path is seen in clear text by PAN-OS and Azure, by packet filters never.
        ("berlin", "http://pki.example.net/other", "deny", {"edge": ("deny", None), "gateway": ("allow", "path"),
                                                            "hosts/berlin": ("allow", "path")}),
        ("berlin", "https://pki.example.net/other", "deny", {"edge": ("allow", "path"), "gateway": ("allow", "path"),
                                                             "hosts/berlin": ("allow", "path")}),
        ("munich", "198.51.100.8:5000", "allow", {"cloud": ("allow", None), "gateway": ("allow", None),
                                                  "hosts/munich": ("allow", None)}),
        ("munich", "198.51.100.9:5000", "deny", {"cloud": ("deny", None), "gateway": ("deny", None),
                                                 "hosts/munich": ("deny", None)}),
    ],
    ids=["account", "apex", "path", "path in TLS", "address", "deny"],
)  # fmt: skip
def test_each_firewall_and_the_approximation_that_makes_it_differ(told, who, to, verdict, expected):
    status, found = told(who, to)
    assert status == 0
    assert found["verdict"] == verdict
    seen = {
        each["firewall"]: (each["verdict"], each["approximation"] and each["approximation"]["reason"])
        for each in found["firewalls"]
    }
    assert seen == expected
    for each in found["firewalls"]:
        assert each["same_as_policy"] is (each["verdict"] == verdict)
        if each["approximation"]:
            assert each["approximation"]["effect"] == "wider"
            assert each["approximation"]["rule"].startswith("web/")


def test_all_approximations_that_make_it_differ_together(told, folder):
    """Only with the path and the account gone does the rule let this through."""
    rule = 'allow both "Both" { to both.example.net/crl ports 443/https as app }'
    text = POLICY.replace('deny hole "Hole"', f'{rule}\n    deny hole "Hole"')
    (folder / "web.egress").write_text(
        f'{text}service-account other "Other" {{ linux-user other windows-service O }}\n'
    )
    for account, path, wanted in (
        ("other", "/x", {"account", "path"}),
        ("other", "/crl", {"account"}),
        ("app", "/x", {"path"}),
        ("app", "/crl", set()),
    ):
        _, found = told(f"berlin:{account}", f"https://both.example.net{path}", "--firewall", "gateway")
        (firewall,) = found["firewalls"]
        assert firewall["verdict"] == "allow"
        assert {each["reason"] for each in firewall["approximations"]} == wanted


def test_a_deny_by_name_that_cannot_stand_before_an_allow_by_address(told, folder):
    """It is an error of the compilation unless it is accepted; then it is the cause."""
    policy = """policy web "Web" {
    from servers
    allow net "Net" { to 198.51.100.0/24 ports 443/tcp }
    allow tree "Tree" { to *.example.com ports 443/https }
    deny name "Name" { to bad.example.com *.bad.example.com ports 443/https }
}
"""
    text = INVENTORY.replace("    target: iptables\n", "    target: iptables\n    accept: [order]\n")
    (folder / "web.egress").write_text(policy, encoding="utf-8")
    (folder / "inventory.yaml").write_text(text, encoding="utf-8")
    _, found = told("berlin", "bad.example.com:443", "--at", "198.51.100.7", "--firewall", "gateway")
    assert found["verdict"] == "deny"
    (firewall,) = found["firewalls"]
    assert firewall["verdict"] == "allow"
    assert firewall["policy_rules"] == ["web/net"]
    assert [(each["reason"], each["rule"]) for each in firewall["approximations"]] == [("order", "web/name")]


def test_what_the_fidelity_report_accepts_is_said(told, folder):
    text = INVENTORY.replace("groups: [berlin]\n", "groups: [berlin]\n    accept: [{reason: account, why: known}]\n")
    (folder / "inventory.yaml").write_text(text, encoding="utf-8")
    _, found = told("berlin", "a.example.com:443", "--firewall", "edge")
    (firewall,) = found["firewalls"]
    assert firewall["approximation"]["accepted"] is True
    _, found = told("berlin", "a.example.com:443", "--firewall", "gateway")
    (firewall,) = found["firewalls"]
    assert firewall["approximation"]["accepted"] is False


def test_a_deny_shows_the_rule_of_the_artefact(told):
    _, found = told("munich", "198.51.100.9:5000")
    for each in found["firewalls"]:
        assert each["policy_rules"] == ["web/hole"], each
        assert "hole" in each["rules"][0]["name"] or each["firewall"] == "hosts/munich"


def test_the_members_of_a_union(told):
    _, found = told("servers:app", "a.example.com:443")
    assert found["groups"] == ["berlin", "munich"]
    assert len(found["firewalls"]) == 6
    assert {each["group"] for each in found["firewalls"]} == {"berlin", "munich"}


def test_what_is_internal_and_named_by_no_rule_is_left_to_others(told):
    _, found = told("munich", "10.9.9.9:443")
    assert found["verdict"] == "deny"
    assert any("internal" in note for note in found["notes"])
    firewalls = by_firewall(found)
    assert firewalls["cloud", "munich"]["verdict"] == "undecided"
    assert firewalls["gateway", "munich"]["verdict"] == "undecided"
    assert firewalls["hosts/munich", "munich"]["verdict"] == "allow"
    assert all(each["notes"] for each in firewalls.values())


def test_names_that_are_known_by_address(told):
    _, found = told("berlin", "evil.example.org:5000", "--at", "192.0.2.1", "--firewall", "gateway")
    (firewall,) = found["firewalls"]
    assert firewall["verdict"] == "deny"
    assert any("`web/mail`" in note for note in firewall["notes"]), "another name at the same address would open it"


def test_an_address_rule_asked_about_a_name(told):
    status, found = told("berlin", "mail.example.net:5000")
    assert (status, found["verdict"]) == (0, "unknown")
    (open_,) = found["unknown"]
    assert open_["dimension"] == "address"
    assert "--at" in open_["help"]
    assert found["allowed"]["address"] != "198.51.100.9"
    assert found["denied"]["address"] == "198.51.100.9"
    assert told("berlin", "mail.example.net:5000", "--at", "198.51.100.9")[1]["verdict"] == "deny"
    assert told("berlin", "mail.example.net:5000", "--at", "192.0.2.1")[1]["verdict"] == "allow"


def test_a_firewall_that_cannot_be_compiled(told, folder):
    """The policy is answered all the same, and so are the other firewalls."""
    policy = POLICY.replace('allow net "Net"', 'allow glob "Glob" { to a*.example.org ports 443 }\n    allow net "Net"')
    (folder / "web.egress").write_text(policy, encoding="utf-8")
    status, found = told("berlin", "ab.example.org:443")
    assert (status, found["verdict"]) == (0, "allow")
    firewalls = {each["firewall"]: each for each in found["firewalls"]}
    assert firewalls["gateway"]["verdict"] == "unknown"
    assert "E0607" in firewalls["gateway"]["reason"] or "cannot be compiled" in firewalls["gateway"]["reason"]


def test_without_an_inventory(told, folder):
    (folder / "inventory.yaml").unlink()
    status, found = told("servers:app", "a.example.com:443")
    assert (status, found["verdict"], found["firewalls"]) == (0, "allow", [])
    assert any("no inventory" in note for note in found["notes"])


def test_a_group_that_no_firewall_governs(told, folder):
    (folder / "inventory.yaml").write_text(INVENTORY.partition("firewalls:")[0], encoding="utf-8")
    _, found = told("berlin", "a.example.com:443")
    assert found["firewalls"] == []
    assert any("names no firewall for `berlin`" in note for note in found["notes"])


def test_the_date(told, folder):
    text = POLICY.replace("ports 5000/tcp }\n    deny", "ports 5000/tcp expires 2026-06-30 }\n    deny")
    (folder / "web.egress").write_text(text, encoding="utf-8")
    assert told("berlin", "198.51.100.8:5000", "--as-of", "2026-06-30")[1]["verdict"] == "allow"
    _, found = told("berlin", "198.51.100.8:5000", "--as-of", "2026-07-01")
    assert found["verdict"] == "deny"
    assert [d["code"] for d in found["diagnostics"]] == ["W0506"]
    assert ("web/net", "expired") in {(miss["rule"], miss["dimension"]) for miss in found["near_misses"]}


def test_the_text(folder, run):
    status, out, err = run("explain", "berlin:app", "example.com:443", "--firewall", "gateway")
    assert (status, err) == (0, "")
    assert out.splitlines()[:2] == ["berlin:app → example.com:443: deny", "  deny  by default: no rule matches"]
    assert "  allow web/tree  web.egress:4\n      `example.com` itself is not below it" in out
    assert "  gateway (iptables): allow, not inspected  (the policy does not say so)\n      by rule web/tree (" in out
    assert "      apex (wider): " in out
    assert "edge" not in out, "only the firewall that was named"


def test_colour(folder, run):
    assert "\x1b[1;31mdeny" in run("explain", "berlin:app", "example.com:443", "--color", "always")[1]
    assert "\x1b" not in run("explain", "berlin:app", "example.com:443")[1]


def test_the_markdown(folder, run):
    status, out, _ = run("explain", "berlin", "https://pki.example.net/other", "--format", "markdown")
    assert status == 0
    assert out.startswith("# berlin → https://pki.example.net/other: deny\n")
    assert "| allow | `web/pki` | web.egress:5 | " in out
    assert "| gateway (iptables) | allow, not inspected | `web/pki`" in out
    assert "path: " in out


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("berlln", "a.example.com:443"), ["E0901", "`berlln`", "did you mean `berlin`?"]),
        (("berlin:ap", "a.example.com:443"), ["E0902", "`ap`", "did you mean `app`?"]),
        (("berlin@10.2.0.10", "a.example.com:443"), ["E0903", "10.2.0.10", "it is of `munich`"]),
        (("berlin", "a.example.com"), ["E0904", "port is missing", "`a.example.com:443`"]),
        (("berlin", "a.example.com:443/htps"), ["E0337", "`htps`", "did you mean `443/https`?"]),
        (("berlin", "[2001:db8::7]:443"), ["E0905", "IP version"]),
        (("berlin", "a.example.com:443", "--at", "192.0.2"), ["E0303", "192.0.2"]),
        (("berlin", "192.0.2.7:443", "--at", "192.0.2.8"), ["E0904", "already"]),
        (("berlin", "a.example.com:443", "--firewall", "egde"), ["E0520", "did you mean `edge`?"]),
        (("berlin", "a.example.com:443", "--as-of", "soon"), ["`soon` is no date"]),
        (("berlin", "a.example.com:443", "wbe.egress"), ["E0200", "did you mean `web.egress`?"]),
        (("berlin",), ["no diagnostic `berlin`", "WHO and TO", "broken-allowance, "]),
        (("shadowed",), ["no diagnostic `shadowed`", "did you mean `shadowed-rule`?"]),
        (("missing",), ["did you mean `missing-owner` or `missing-reference`?"]),
        (("berlin@10.1.0.10",), ["WHO and TO"]),
        (("berlin", "munich"), ["no diagnostic `berlin`", "WHO and TO"]),
        (("E0207", "--at", "192.0.2.1"), ["`--at`", "WHO TO"]),
        (("E0207", "--format", "markdown"), ["`--format markdown`"]),
    ],
)
def test_slips(folder, run, words, found):
    status, out, err = run("explain", *words)
    assert (status, out) == (2, "")
    for text in found:
        assert text in err
    assert "Traceback" not in err


def test_a_policy_with_errors(folder, run):
    (folder / "web.egress").write_text(POLICY.replace("*.example.com", "nowhere"), encoding="utf-8")
    status, out, err = run("explain", "berlin", "a.example.com:443")
    assert (status, out) == (1, "")
    assert "error[E0207]" in err
    status, out, _ = run("explain", "berlin", "a.example.com:443", "--format", "json")
    found = json.loads(out)
    jsonschema.Draft202012Validator(schema("explain")).validate(found)
    assert (status, found["verdict"], found["who"], found["firewalls"]) == (1, None, "berlin", [])


def test_usage_errors_as_json(told):
    status, found = told("berlln", "a.example.com:443")
    assert (status, found["verdict"]) == (2, None)
    assert [d["code"] for d in found["diagnostics"]] == ["E0901"]


def test_a_pipe_that_closes(folder):
    """`egressc explain … | head -1`"""
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m egressc explain berlin 198.51.100.8:5000 | head -1"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout == "berlin → 198.51.100.8:5000: allow, may be inspected\n"
    assert done.stderr == ""


def test_a_narrow_terminal(folder, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    wide = run("explain", "berlin", "198.51.100.8:5000")
    assert wide[0] == 0
    assert "198.51.100.8:5000: allow" in wide[1], "the answer is not cut"


def test_codes_are_still_explained(folder, run):
    status, out, err = run("explain", "E0207", "W0601")
    assert (status, err) == (0, "")
    assert out.startswith("# E0207: ")
    assert "\n# W0601: " in out
