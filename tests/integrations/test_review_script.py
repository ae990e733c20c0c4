"""The script that reviews a change in continuous integration, against a repository with two branches."""

from __future__ import annotations

import json
import shutil
import subprocess

import places_support as places
import pytest
import revisions_support as support
from places_support import INTEGRATIONS, TEST
from revisions_support import POLICY, git


@pytest.fixture
def repo(tmp_path):
    return places.repository(tmp_path / "repo")


def review(repo, **env):
    values = {"EGRESSC": str(places.program(repo.parent)), "EGRESSC_PATHS": "policies", "EGRESSC_BASE": "main", **env}
    done = places.script(repo, "review.sh", **values)
    return done, repo / env.get("EGRESSC_OUT", "egressc-review")


def test_a_change(repo):
    done, out = review(repo)
    assert done.returncode == 0, done.stderr
    assert "egressc check: exit status 0\negressc diff: exit status 0\n" in done.stdout
    assert json.loads((out / "egressc.sarif").read_text())["version"] == "2.1.0"
    assert "`g` | `*.c.example.net:443/https`" in (out / "review.md").read_text()
    assert "*.c.example.net" in (out / "review.html").read_text()
    assert (out / "review.log").read_text() == ""


def test_what_the_base_did_meanwhile_is_no_part_of_it(repo):
    git(repo, "checkout", "-q", "main")
    support.commit(repo, {"policies/main.egress": POLICY.replace("b.example", "meanwhile.example")})
    git(repo, "checkout", "-q", "topic")
    _, out = review(repo)
    text = (out / "review.md").read_text()
    assert "*.c.example.net" in text
    assert "meanwhile" not in text


def test_it_fails_on_what_it_is_told_to(repo):
    done, out = review(repo, EGRESSC_FAIL_ON="widened,inspection")
    assert done.returncode == 1
    assert "egressc diff: exit status 1\n" in done.stdout
    assert (out / "review.md").is_file()
    assert review(repo, EGRESSC_FAIL_ON="narrowed")[0].returncode == 0
    assert review(repo, EGRESSC_FAIL_ON="nonsense")[0].returncode == 2


def test_errors(repo):
    support.write(repo, {"policies/main.egress": POLICY.replace("a.example.net", "no-such-set")})
    git(repo, "commit", "-q", "-a", "-m", "wrong")
    done, out = review(repo)
    assert done.returncode == 1
    assert "error[E0207]" in done.stderr
    assert [r["ruleId"] for r in json.loads((out / "egressc.sarif").read_text())["runs"][0]["results"]] == ["E0207"]
    assert not (out / "review.md").exists()
    assert "HEAD:policies/main.egress:3" in (out / "review.log").read_text()


def test_strict(repo):
    assert review(repo, EGRESSC_STRICT="true")[0].returncode == 1
    assert review(repo, EGRESSC_STRICT="$(touch x)")[0].returncode == 0


def test_policy_tests(repo):
    support.commit(repo, {"policies/main.test.yaml": TEST})
    done, out = review(repo)
    assert done.returncode == 0, done.stderr
    assert "egressc test: exit status 0\n" in done.stdout
    assert "<testsuite" in (out / "tests.xml").read_text()
    support.commit(repo, {"policies/main.test.yaml": TEST.replace("a.example", "z.example")})
    done, _ = review(repo)
    assert done.returncode == 1
    assert "egressc test: exit status 1\n" in done.stdout


def test_nothing_to_compare_with(repo):
    done, out = review(repo, EGRESSC_BASE="")
    assert done.returncode == 0
    assert not (out / "review.md").exists()
    done, out = review(repo, EGRESSC_BASE="no-such-branch")
    assert done.returncode == 2
    assert "there is no revision `no-such-branch`" in (out / "review.log").read_text()
    assert "there is no revision `no-such-branch`" in done.stderr


HOSTILE = ["x;touch${IFS}pwned", "$(touch${IFS}pwned)", "`touch${IFS}pwned`", "a&&touch${IFS}pwned|b", "x'\"$HOME"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_of_branches_are_only_names(repo, name):
    git(repo, "branch", name, "main")
    done, out = review(repo, EGRESSC_BASE=name, EGRESSC_HEAD="topic")
    assert done.returncode == 0, done.stderr
    assert "*.c.example.net" in (out / "review.md").read_text()
    assert not list(repo.rglob("pwned"))


@pytest.mark.parametrize("name", ["--output=pwned", "-o", "--fail-on=widened", "-"])
def test_a_name_is_no_option(repo, name):
    done, out = review(repo, EGRESSC_BASE=name)
    assert done.returncode == 2
    assert "no revision begins with a hyphen" in (out / "review.log").read_text()
    assert not list(repo.rglob("pwned"))


@pytest.mark.parametrize("name", ["--strict", "-o pwned", "$(touch pwned)", "a b; touch pwned", "*"])
def test_hostile_names_of_folders_are_only_names(repo, name):
    git(repo, "mv", "policies", f"./{name}")
    git(repo, "commit", "-q", "-m", "moved")
    done, out = review(repo, EGRESSC_PATHS=name)
    assert done.returncode == 0, done.stderr
    assert "*.c.example.net" in (out / "review.md").read_text()
    assert not list(repo.rglob("pwned"))


def test_several_paths(repo):
    support.commit(repo, {"policies/q.egress": POLICY.replace("policy p", "policy q").replace("example", "q.example")})
    done, out = review(repo, EGRESSC_PATHS="policies/main.egress\n\npolicies/q.egress\n")
    assert done.returncode == 0, done.stderr
    text = (out / "review.md").read_text()
    assert "*.c.example.net" in text
    assert "b.q.example.net" in text


def test_shellcheck_has_nothing_to_say():
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(["shellcheck", str(INTEGRATIONS / "review.sh")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
