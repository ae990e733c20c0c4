"""`changes:` of a policy test: a pull request that allows only what it says, against a revision."""

from __future__ import annotations

import json

import pytest
from revisions_support import commit, git

INVENTORY = """groups:
  berlin: {networks: [10.1.0.10]}
  munich: {networks: [10.2.0.10]}
  servers: {members: [berlin, munich]}
"""

POLICY = """service-account app "App" { linux-user app }
policy web "Web" {
    from servers
    allow tree "Tree" { to *.example.com ports 443/https no-tls-inspection }
    allow whom "Whom" { to only.example.net ports 443/https as app }
    allow net "Net" { to 198.51.100.0/24 ports 5000/tcp }
    deny hole "Hole" { to *.bad.example.com ports 443/https }
}
"""

SILENT = "policy: web.egress\nchanges:\n  since: main\n  allows-only: none\n  removes-only: none\n  inspection: none\n"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository whose branch `main` has the policy; the working tree stands on a branch of its own."""
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, {"web.egress": POLICY, "inventory.yaml": INVENTORY, "web.test.yaml": SILENT})
    git(tmp_path, "checkout", "-q", "-b", "change")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(repository, *pairs, file="web.egress"):
    path = repository / file
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def results(run):
    """For each expectation on changes, what came of it."""
    _, out, _ = run("test", "--format", "json")
    found = json.loads(out)["files"][0]["expectations"]
    return {each["name"].rpartition(" ")[2]: each["result"] for each in found}


NOTHING = {"allows-only": "passed", "removes-only": "passed", "inspection": "passed"}


def failing(*sides):
    return {**NOTHING, **dict.fromkeys(sides, "failed")}


@pytest.mark.parametrize(
    ("pairs", "file", "expected"),
    [
        ([], "web.egress", ()),
        ([("allow tree", "allow names")], "web.egress", ()),
        ([("to *.example.com", "to *.example.com a.example.com")], "web.egress", ()),
        ([("198.51.100.0/24", "198.51.100.0/25 198.51.100.128/25")], "web.egress", ()),
        ([("to *.example.com", "to *.example.com b.example.org")], "web.egress", ("allows-only",)),
        ([("443/https no-tls", "443-444/https no-tls")], "web.egress", ("allows-only",)),
        ([("https as app", "https")], "web.egress", ("allows-only",)),
        ([("198.51.100.0/24", "198.51.100.0/23")], "web.egress", ("allows-only",)),
        ([("198.51.100.0/24", "198.51.100.0/25")], "web.egress", ("removes-only",)),
        ([("*.bad.example.com", "*.worse.example.com")], "web.egress", ("allows-only", "removes-only")),
        ([("*.bad.example.com", "*.bad.example.com *.elsewhere.org")], "web.egress", ()),
        ([(" no-tls-inspection", "")], "web.egress", ("inspection",)),
        ([(" no-tls-inspection", " tls-inspection")], "web.egress", ("inspection",)),
        ([("ports 443/https as app", "ports 443/https as app tls-inspection")], "web.egress", ("inspection",)),
        ([("from servers", "from berlin")], "web.egress", ("removes-only",)),
        ([("10.1.0.10", "10.1.0.10, 10.1.0.11")], "inventory.yaml", ("allows-only",)),
        ([("[10.2.0.10]", "[10.2.0.11]")], "inventory.yaml", ("allows-only", "removes-only")),
        ([("munich", "rome"), ("berlin, munich", "berlin, rome")][:1], "inventory.yaml", ()),
        ([("linux-user app", "linux-user app linux-user other")], "web.egress", ("allows-only",)),
    ],
)  # fmt: skip
def test_what_changed_is_seen(repository, run, pairs, file, expected):
    change(repository, *pairs, file=file)
    assert results(run) == failing(*expected)
    assert run("test")[0] == (1 if expected else 0)


@pytest.mark.parametrize(
    ("pairs", "side", "items", "holds"),
    [
        ([("to *.example.com", "to *.example.com *.example.org")], "allows-only", '[{to: "*.example.org:443"}]', True),
        ([("to *.example.com", "to *.example.com *.example.org")], "allows-only", '[{from: servers, to: "*.example.org:443"}]', True),
        ([("to *.example.com", "to *.example.com *.example.org")], "allows-only", '[{from: [berlin, munich], to: "*.example.org:443"}]', True),
        ([("to *.example.com", "to *.example.com *.example.org")], "allows-only", '[{from: berlin, to: "*.example.org:443"}]', False),
        ([("to *.example.com", "to *.example.com *.example.org")], "allows-only", '[{from: servers, as: app, to: "*.example.org:443"}]', False),
        ([("to *.example.com", "to *.example.com *.example.org")], "allows-only", '[{from: servers, to: "a.example.org:443"}]', False),
        ([("to *.example.com", "to *.example.com *.example.org")], "allows-only", '[{from: servers, to: "*.example.org:80"}]', False),
        ([("to *.example.com", "to *.example.com *.example.org")], "allows-only", "[{from: servers}]", True),
        ([("to *.example.com", "to *.example.com *.example.org")], "allows-only", "[]", False),
        ([("198.51.100.0/24", "198.51.100.0/23")], "allows-only", '[{to: "198.51.101.0/24:5000"}]', True),
        ([("198.51.100.0/24", "198.51.100.0/23")], "allows-only", '[{to: "198.51.101.0/25:5000"}]', False),
        ([("198.51.100.0/24", "198.51.100.0/25")], "removes-only", '[{to: "198.51.100.128/25:5000"}]', True),
        ([("https as app", "https")], "allows-only", '[{as: app, to: "only.example.net:443"}]', False),
        ([("https as app", "https")], "allows-only", '[{to: "only.example.net:443"}]', True),
        ([(" no-tls-inspection", "")], "inspection", '[{to: "*.example.com:443"}]', True),
        ([(" no-tls-inspection", "")], "inspection", '[{to: "a.example.com:443"}]', False),
        ([("*.bad.example.com", "*.x.bad.example.com")], "allows-only", '[{to: "*.bad.example.com:443"}]', True),
        ([("linux-user app", "linux-user app linux-user other")], "allows-only", '[{as: app, to: "only.example.net:443"}]', True),
        ([("linux-user app", "linux-user app linux-user other")], "allows-only", '[{as: app, to: "a.example.com:443"}]', False),
    ],
)  # fmt: skip
def test_what_may_change(repository, run, pairs, side, items, holds):
    change(repository, *pairs)
    text = f"policy: web.egress\nchanges:\n  since: main\n  {side}: {items}\n"
    (repository / "web.test.yaml").write_text(text, encoding="utf-8")
    assert results(run) == {side: "passed" if holds else "failed"}


def test_a_failure_names_the_flow_and_the_rules(repository, run):
    change(repository, ("to *.example.com", "to *.example.com b.example.org"))
    change(repository, ('    deny hole "Hole" { to *.bad.example.com ports 443/https }\n', ""))
    _, out, err = run("test")
    assert out == "web.test.yaml: 2 passed, 1 failed\n"
    assert "error[E0913]: newly allowed since `main`, and not listed: 10.1.0.10 of berlin → b.example.org:443\n" in err
    assert " --> web.test.yaml:4:3\n" in err
    assert "this allow is new" in err
    assert "::: main:web.egress:7:10" in err
    assert "this deny is gone" in err
    assert "this allow decides" in err


def test_the_merge_base(repository, run):
    """`main...`: what has come to `main` since is no change of this branch."""
    git(repository, "checkout", "-q", "main")
    commit(repository, {"web.egress": POLICY.replace("to *.example.com", "to *.example.com later.example.org")})
    git(repository, "checkout", "-q", "change")
    assert results(run) == failing("removes-only")
    (repository / "web.test.yaml").write_text(SILENT.replace("main", "main..."), encoding="utf-8")
    assert results(run) == NOTHING


def test_where_the_policy_is_new(repository, run):
    (repository / "new.egress").write_text(POLICY.replace("policy web", "policy new"), encoding="utf-8")
    (repository / "web.test.yaml").unlink()
    (repository / "new.test.yaml").write_text(SILENT.replace("web.egress", "new.egress"), encoding="utf-8")
    assert results(run) == failing("allows-only")


@pytest.mark.parametrize(
    ("since", "found"),
    [
        ("mian", ["no revision `mian`", "did you mean `main`?"]),
        ("main..change", ["`main..change` is no single revision"]),
        ("broken", ["the policy at `broken` has 1 error: E0207"]),
    ],
)
def test_revisions_that_cannot_be_compared(repository, run, since, found):
    git(repository, "checkout", "-q", "-b", "broken")
    commit(repository, {"web.egress": POLICY.replace("*.bad.example.com", "nowhere")})
    git(repository, "checkout", "-q", "change")
    (repository / "web.test.yaml").write_text(SILENT.replace("main", since), encoding="utf-8")
    status, out, err = run("test")
    assert (status, out) == (1, "web.test.yaml: 0 passed, 3 could not be run\n")
    assert "error[E0915]" in err
    assert " --> web.test.yaml:3:10\n" in err
    for each in found:
        assert each in err


def test_without_a_repository(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "web.egress").write_text(POLICY, encoding="utf-8")
    (tmp_path / "inventory.yaml").write_text(INVENTORY, encoding="utf-8")
    (tmp_path / "web.test.yaml").write_text(SILENT, encoding="utf-8")
    status, _, err = run("test")
    assert status == 1
    assert "error[E0915]" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("item", "found"),
    [
        ("{from: berlln}", ["E0901", "did you mean `berlin`?"]),
        ('{from: "berlin@10.1.0.10"}', ["E0903", "whole groups", "write `berlin`"]),
        ('{from: "berlin:app"}', ["E0903", "whole groups", "under `as`"]),
        ("{as: ap}", ["E0902", "did you mean `app`?"]),
        ('{to: "a.example.com"}', ["E0904", "`a.example.com:443`"]),
        ('{to: "a.example.com:443", at: 192.0.2.1}', ["E0410", "`at`"]),
        ("nothing", ["E0412"]),
    ],
)
def test_slips(repository, run, item, found):
    text = f"policy: web.egress\nchanges:\n  since: main\n  allows-only:\n    - {item}\n"
    (repository / "web.test.yaml").write_text(text, encoding="utf-8")
    status, _, err = run("test")
    assert status == 1
    assert "web.test.yaml:5:" in err
    for each in found:
        assert each in err


def test_a_group_that_only_the_old_side_has(repository, run):
    """What a group that is gone may no longer do can still be named."""
    change(
        repository, ("  munich: {networks: [10.2.0.10]}\n", ""), ("[berlin, munich]", "[berlin]"), file="inventory.yaml"
    )
    for items, holds in (("none", False), ("[{from: munich}]", True), ("[{from: berlin}]", False)):
        text = f"policy: web.egress\nchanges:\n  since: main\n  removes-only: {items}\n"
        (repository / "web.test.yaml").write_text(text, encoding="utf-8")
        assert results(run) == {"removes-only": "passed" if holds else "failed"}, items


def test_a_process_that_an_account_gains_is_inspected_otherwise(repository, run):
    """As any account it may be inspected, as this one it must not."""
    rule = '    allow open "Open" { to only.example.net ports 443/https }\n    deny hole'
    text = POLICY.replace("https as app", "https as app no-tls-inspection").replace("    deny hole", rule)
    commit(repository, {"web.egress": text, "web.test.yaml": SILENT.replace("main", "HEAD")})
    assert results(run) == NOTHING
    change(repository, ("linux-user app", "linux-user app linux-user other"))
    assert results(run) == failing("inspection")
