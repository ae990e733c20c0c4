"""The same input gives the same bytes, wherever and however the compiler runs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from importlib.resources import as_file, files

import pytest

AS_OF = "2026-11-01"


def compile_in(folder, *words, seed, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "egressc", "compile", *words, "--as-of", AS_OF],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": seed, **environment},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout, done.stderr


def tree(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """Two builds of copies of the shipped policies: their trees, streams, and every word that must not leak."""
    base = tmp_path_factory.mktemp("determinism")
    first, second = base / "one", base / "another-place" / "deep"
    with as_file(files("egressc.policies")) as shipped:
        for place in (first, second):
            shutil.copytree(shipped, place / "policies", ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    elsewhere = base / "some-other-folder"
    elsewhere.mkdir()
    said_first = compile_in(first, "policies", "-o", "build", seed="1", LC_ALL="C", TZ="Pacific/Kiritimati")
    said_second = compile_in(
        elsewhere, str(second / "policies"), "-o", str(second / "out"), seed="4711", LC_ALL="C.UTF-8", TZ="Etc/GMT+12"
    )
    return base, tree(first / "build"), tree(second / "out"), said_first, said_second


def test_two_builds_are_byte_identical(builds):
    _, first, second, *_ = builds
    assert "manifest.json" in first
    assert len({name.split("/")[0] for name in first if "/" in name}) == 4
    assert list(first) == list(second)
    assert [name for name in first if first[name] != second[name]] == []


def test_the_summary_is_the_same(builds):
    *_, (first, _), (second, _) = builds
    assert first == second
    assert first


def test_no_place_and_no_host_stands_in_an_artefact(builds):
    base, first, second, *_ = builds
    words = {str(base), base.name, "another-place", "some-other-folder", str(files("egressc.policies"))}
    words |= {socket.gethostname(), os.path.realpath(base)} - {"localhost"}
    for name, content in [*first.items(), *second.items()]:
        found = [word for word in words if word and word.encode() in content]
        assert found == [], name


def test_the_order_of_paths_does_not_matter(builds, tmp_path):
    base, first, *_ = builds
    policies = base / "one" / "policies"
    named = sorted(policies.rglob("*.egress"), reverse=True)
    inventory = policies / "inventory.yaml"
    compile_in(tmp_path, *map(str, named), "--inventory", str(inventory), "-o", "build", seed="7")
    assert tree(tmp_path / "build") == first


def test_twice_into_the_same_folder(builds):
    base, first, *_ = builds
    compile_in(base / "one", "policies", seed="99")
    assert tree(base / "one" / "build") == first
