"""A target of another distribution is found through the entry-point group, and everything works with it as with ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import write_project

PACKAGE = Path(__file__).resolve().parent.parent / "data" / "foreign_target"
POLICY = """
service-account agent "Agent" { linux-user agent }
endpoints relay { *.example.com fallback { 198.51.100.0/24 } }
policy p "P" { from g
    allow plain "Plain" { to 203.0.113.0/24 ports 443/tcp as agent }
    allow relay "Relay" { to relay ports 443/https }
}
"""
INVENTORY = "groups: {g: {networks: [10.0.0.1]}}\nfirewalls: {edge: {target: demo, groups: [g]}}\n"


@pytest.fixture
def run(tmp_path):
    """A function that runs egressc in the project's folder, with the other distribution beside it."""
    write_project(tmp_path, POLICY, INVENTORY)
    path = os.pathsep.join(filter(None, (str(PACKAGE), os.environ.get("PYTHONPATH", ""))))

    def call(*words, installed=True):
        environment = {**os.environ, "PYTHONPATH": path if installed else ""}
        return subprocess.run(
            [sys.executable, "-m", "egressc", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )  # fmt: skip

    return call


def test_it_compiles_and_is_graded_by_the_driver(run, tmp_path):
    done = run("compile", ".")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "build" / "edge" / "rules.txt").read_text() == (
        "allow p/plain:addresses 203.0.113.0/24 443/tcp\nallow p/relay:addresses 198.51.100.0/24 443/tcp\n"
    )
    report = json.loads((tmp_path / "build" / "edge" / "fidelity.json").read_text())
    assert (report["target"], report["assumes"]) == ("demo", ["nobody else writes its rules"])
    found = {rule["rule"]: {a["reason"] for a in rule["approximations"]} for rule in report["rules"]}
    assert found == {"p/plain": {"account", "source"}, "p/relay": {"fallback", "source"}}


def test_its_losses_stop_a_compilation_like_those_of_any_target(run, tmp_path):
    done = run("compile", ".", "--strict")
    assert (done.returncode, done.stdout) == (1, "")
    (tmp_path / "policy.egress").write_text(POLICY.replace("fallback { 198.51.100.0/24 }", ""), encoding="utf-8")
    done = run("compile", ".", "-o", "other")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[E0610]" in done.stderr
    assert not (tmp_path / "other").exists()


def test_its_table_is_shown_with_the_others(run):
    done = run("targets", "demo", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert [target["name"] for target in json.loads(done.stdout)["targets"]] == ["demo"]


def test_without_the_distribution_there_is_no_such_target(run):
    done = run("compile", ".", installed=False)
    assert done.returncode == 1
    assert "error[E0428]: no target is called `demo`" in done.stderr
