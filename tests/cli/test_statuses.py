"""Exit statuses, streams, and what is on the disk afterwards: `compile` and `check`."""

from __future__ import annotations

import json
import shutil

import pytest
from cli_support import INVENTORY, POLICY, WRONG, tree

WITH_PATH = (
    POLICY.replace("198.51.100.7/32", "api.example.net/v1/")
    .replace("443/tcp", "80/http")
    .replace("from servers", 'owner "web@example.com" from servers')
)
"""No packet filter sees paths: a warning (`path`, W0603) that can be accepted. The rest of what it cannot do is noted."""


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["firewalls"]


def test_compile_done(place, run):
    status, out, err = run("compile", ".")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == ["edge", "other-edge", "hosts"]
    assert "error" not in err
    assert sorted(p.name for p in (place / "build").iterdir()) == ["edge", "hosts", "manifest.json", "other-edge"]


def test_a_host_firewall_of_two_groups_has_a_folder_for_each(place, run):
    assert run("compile", ".")[0] == 0
    hosts = place / "build" / "hosts"
    assert sorted(p.name for p in hosts.iterdir()) == ["berlin", "munich"]
    for group, own, others in (("berlin", "10.1.0.10", "10.2.0.10"), ("munich", "10.2.0.10", "10.1.0.10")):
        assert {"firewall.ps1", "fidelity.json", "fidelity.md"} <= {p.name for p in (hosts / group).iterdir()}
        report = json.loads((hosts / group / "fidelity.json").read_text(encoding="utf-8"))
        assert report["firewall"] == f"hosts/{group}"
        assert others not in (hosts / group / "rules.json").read_text(encoding="utf-8"), own
    assert {name.split("/")[0] for name in manifest(place / "build")["hosts"]["files"]} == {"berlin", "munich"}


def test_a_host_firewall_of_one_group_has_no_folder_for_it(place, run):
    text = INVENTORY.replace("windows-firewall\n    groups: [servers]", "windows-firewall\n    groups: [berlin]")
    (place / "inventory.yaml").write_text(text, encoding="utf-8")
    assert run("compile", ".")[0] == 0
    assert (place / "build" / "hosts" / "firewall.ps1").is_file()


def test_compile_errors_are_told_on_stderr_and_write_nothing(place, run):
    (place / "web.egress").write_text(WRONG, encoding="utf-8")
    before = tree(place)
    status, out, err = run("compile", ".")
    assert status == 1
    assert out == ""
    assert err.startswith("error[E0207]: ")
    assert "web.egress:4:15" in err
    assert err.endswith("1 error\n")
    assert tree(place) == before


def test_compile_errors_leave_an_earlier_build_alone(place, run):
    assert run("compile", ".")[0] == 0
    (place / "web.egress").write_text(WRONG, encoding="utf-8")
    before = tree(place)
    assert run("compile", ".")[0] == 1
    assert tree(place) == before


def test_errors_of_the_inventory_are_errors_too(place, run):
    (place / "inventory.yaml").write_text(INVENTORY.replace("[berlin, munich]", "[berlin, munihc]"), encoding="utf-8")
    before = tree(place)
    status, out, err = run("compile", ".")
    assert (status, out) == (1, "")
    assert "error[E0423]" in err
    assert "inventory.yaml:7:23" in err
    assert "`munich`" in err
    assert tree(place) == before


@pytest.mark.parametrize("verb", ["compile", "check"])
def test_strict_turns_warnings_into_errors(place, run, verb):
    (place / "web.egress").write_text(WITH_PATH, encoding="utf-8")
    status, _, err = run(verb, ".", "--firewall", "edge")
    assert status == 0
    assert "warning[W0603]" in err
    shutil.rmtree(place / "build", ignore_errors=True)
    before = tree(place)
    status, out, err = run(verb, ".", "--firewall", "edge", "--strict")
    assert status == 1
    assert out == ""
    assert "error[W0603]" in err
    assert tree(place) == before


@pytest.mark.parametrize("verb", ["compile", "check"])
def test_what_is_accepted_is_no_error_with_strict(place, run, verb):
    (place / "web.egress").write_text(WITH_PATH, encoding="utf-8")
    status, _, err = run(verb, ".", "--firewall", "edge", "--strict", "--accept", "account")
    assert status == 1, "another reason was accepted"
    accepted = [word for reason in ("path", "depth", "apex") for word in ("--accept", reason)]
    status, _, err = run(verb, ".", "--firewall", "edge", "--strict", *accepted)
    assert status == 0, err
    assert "error" not in err


@pytest.mark.parametrize("verb", ["compile", "check"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--as-of", "30.6.2027"), "30.6.2027"),
        (("--as-of", "2027-02-30"), "2027-02-30"),
        (("--as-of", "20270630"), "2027-06-30"),
        (("--as-of", "2027-W26-3"), "2027-06-30"),
        (("--as-of", ""), "YYYY-MM-DD"),
        (("--accept", "acount"), "did you mean `account`?"),
        (("--firewall", "egde"), "did you mean `edge`?"),
        (("--target", "iptable"), "did you mean `iptables`?"),
        (("--inventory", "nowhere.yaml"), "name a file with"),
        (("--inventory", "inventry.yaml"), "did you mean `inventory.yaml`?"),
        (("--inventory", "wep/inventory.yaml"), "name a file with"),
        (("--fierwall", "edge"), "did you mean `--firewall`?"),
        (("--format", "yaml"), "yaml"),
        (("--inventory", ""), "E0435"),
        (("nowhere",), "nowhere"),
    ],
    ids=" ".join,
)
def test_could_not_run(place, run, verb, words, said):
    before = tree(place)
    status, out, err = run(verb, ".", *words)
    assert status == 2
    assert out == ""
    assert said in err
    assert "Traceback" not in err
    assert tree(place) == before


@pytest.mark.parametrize("verb", ["compile", "check"])
def test_two_inventories_are_one_too_many(place, run, verb):
    (place / "other").mkdir()
    (place / "other/more.egress").write_text(POLICY.replace("policy web", "policy more"), encoding="utf-8")
    assert run(verb, "web.egress", "other")[0] == 0, "one inventory for both"
    (place / "other/inventory.yaml").write_text("groups: {servers: {}}\n", encoding="utf-8")
    before = tree(place)
    status, out, err = run(verb, "web.egress", "other")
    assert (status, out) == (2, "")
    assert err.startswith("error[E0436]: the PATHs have 2 inventories: `inventory.yaml`, `other/inventory.yaml`\n")
    assert "--inventory FILE" in err
    assert tree(place) == before
    assert run(verb, "web.egress", "other", "--inventory", "inventory.yaml")[0] == 0
    assert run(verb, "web.egress", ".", "other/more.egress", "--inventory", "inventory.yaml")[0] == 0


@pytest.mark.parametrize("words", [(), ("--strict",), ("complie",)], ids=["nothing", "option", "typo"])
def test_without_a_verb(place, run, words):
    before = tree(place)
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert "compile" in err
    assert tree(place) == before


def test_as_of_decides_what_has_expired(place, run):
    (place / "web.egress").write_text(
        POLICY.replace("        ports 443/tcp", "        ports 443/tcp\n        expires 2027-06-30"), encoding="utf-8"
    )
    last = run("check", ".", "--as-of", "2027-06-30")
    after = run("check", ".", "--as-of", "2027-07-01")
    assert last[0] == after[0] == 0
    assert "W0506" not in last[2]
    assert "W0506" in after[2]


def test_one_artefact_to_standard_output(place, run):
    assert run("compile", ".", "--firewall", "edge", "-o", "there")[0] == 0
    before = tree(place)
    status, out, err = run("compile", ".", "--firewall", "edge", "-o", "-")
    assert status == 0
    assert out == (place / "there" / "edge" / "rules.v4").read_text(encoding="utf-8")
    assert "edge" in err, "the summary goes to standard error"
    assert tree(place) == before


def test_many_artefacts_do_not_go_to_standard_output(place, run):
    before = tree(place)
    for words, names in (((), ("edge", "other-edge")), (("--firewall", "hosts"), ("hosts/berlin", "hosts/munich"))):
        status, out, err = run("compile", ".", "-o", "-", *words)
        assert (status, out) == (2, "")
        assert all(f"`{name}`" in err for name in names)
    assert tree(place) == before


def test_no_artefact_is_said(place, run):
    (place / "inventory.yaml").write_text(
        "groups: {}\nfirewalls: {hosts: {target: windows-firewall}}\n", encoding="utf-8"
    )
    (place / "web.egress").write_text(POLICY.replace("from servers", "from any-group"), encoding="utf-8")
    status, out, err = run("compile", ".")
    assert (status, out) == (0, "")
    assert err.startswith("warning[W0516]: there is no group for `hosts` (windows-firewall)")
    status, out, err = run("compile", ".", "-o", "-")
    assert (status, out) == (2, "")
    assert err.endswith("egressc compile: there is no artefact to write\n")


def test_errors_with_standard_output_as_the_place(place, run):
    (place / "web.egress").write_text(WRONG, encoding="utf-8")
    status, out, err = run("compile", ".", "--firewall", "edge", "-o", "-")
    assert (status, out) == (1, "")
    assert "E0207" in err


def test_a_place_that_cannot_be_written(place, run):
    (place / "taken").write_text("a file", encoding="utf-8")
    before = tree(place)
    for output in ("taken", "taken/below"):
        status, out, err = run("compile", ".", "-o", output)
        assert (status, out) == (2, "")
        assert "taken" in err
        assert "Traceback" not in err
    assert tree(place) == before


def test_a_folder_without_the_right_to_write(place, run, as_nobody):
    assert run("compile", ".", "-o", "open")[0] == 0
    (place / "locked").mkdir(mode=0o500)
    as_nobody(place)
    status, out, err = run("compile", ".", "-o", "locked")
    assert (status, out) == (2, "")
    assert "permission denied" in err


@pytest.mark.parametrize("words", [(), ("--firewall", "edge")], ids=["all", "one"])
def test_a_foreign_file_in_the_folder_of_a_firewall(place, run, words):
    assert run("compile", ".")[0] == 0
    (place / "build" / "edge" / "notes.txt").write_text("mine", encoding="utf-8")
    (place / "web.egress").write_text(POLICY.replace("443", "8443"), encoding="utf-8")
    before = tree(place)
    status, out, err = run("compile", ".", *words)
    assert (status, out) == (2, "")
    assert "notes.txt" in err
    assert tree(place) == before


def test_one_firewall_leaves_the_others_alone(place, run):
    assert run("compile", ".")[0] == 0
    folder = place / "build"
    before, entries = tree(folder), manifest(folder)
    (place / "web.egress").write_text(POLICY.replace("443", "8443"), encoding="utf-8")
    assert run("compile", ".", "--firewall", "edge")[0] == 0
    after = tree(folder)
    assert after.keys() == before.keys()
    for name in before:
        if not name.startswith("edge/") and name != "manifest.json":
            assert after[name] == before[name], name
    assert before["edge/rules.v4"] != after["edge/rules.v4"]
    assert list(manifest(folder)) == sorted(entries)
    assert {name: entry for name, entry in manifest(folder).items() if name != "edge"} == {
        name: entry for name, entry in entries.items() if name != "edge"
    }
    assert manifest(folder)["edge"] != entries["edge"]


def test_a_firewall_that_left_the_inventory_leaves_the_build(place, run):
    assert run("compile", ".")[0] == 0
    head, _, tail = INVENTORY.partition("  other-edge:")
    (place / "inventory.yaml").write_text(head + "  hosts:" + tail.partition("  hosts:")[2], encoding="utf-8")
    assert run("compile", ".", "--firewall", "edge")[0] == 0
    assert (place / "build" / "other-edge").is_dir(), "a run about one firewall removes nothing"
    assert run("compile", ".")[0] == 0
    assert sorted(p.name for p in (place / "build").iterdir()) == ["edge", "hosts", "manifest.json"]
    assert list(manifest(place / "build")) == ["edge", "hosts"]


def test_compile_tells_machines_on_standard_output(place, run):
    status, out, err = run("compile", ".", "--format", "json")
    told = json.loads(out)
    assert status == 0
    assert err == ""
    assert told["output"] == "build"
    assert {each["firewall"] for each in told["firewalls"]} == {"edge", "other-edge", "hosts/berlin", "hosts/munich"}


@pytest.mark.parametrize("verb", ["compile", "check"])
def test_errors_for_machines(place, run, verb):
    (place / "web.egress").write_text(WRONG, encoding="utf-8")
    status, out, err = run(verb, ".", "--format", "json")
    assert (status, err) == (1, "")
    (found,) = json.loads(out)["diagnostics"]
    assert (found["code"], found["level"]) == ("E0207", "error")
    assert (found["file"], found["line"], found["column"]) == ("web.egress", 4, 15)
    assert (found["end_line"], found["end_column"]) == (4, 15 + len("no-such-set"))
    assert not (place / "build").exists()


@pytest.mark.parametrize("verb", ["compile", "check"])
def test_an_unreadable_file_for_machines(place, run, verb):
    status, out, err = run(verb, "nowhere", "--format", "json")
    assert (status, err) == (2, "")
    assert [found["level"] for found in json.loads(out)["diagnostics"]] == ["error"]


# check


def test_check_writes_nothing(place, run):
    before = tree(place)
    status, out, err = run("check", ".")
    assert (status, out) == (0, "")
    assert "error" not in err
    assert tree(place) == before


def test_check_says_no(place, run):
    (place / "web.egress").write_text(WRONG, encoding="utf-8")
    status, out, err = run("check", ".")
    assert (status, out) == (1, "")
    assert "error[E0207]" in err


def test_check_for_code_scanners(place, run):
    (place / "web.egress").write_text(WRONG, encoding="utf-8")
    status, out, err = run("check", ".", "--format", "sarif")
    assert (status, err) == (1, "")
    (result,) = json.loads(out)["runs"][0]["results"]
    assert result["ruleId"] == "E0207"
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 4
