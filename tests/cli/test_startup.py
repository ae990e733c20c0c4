"""What a short run imports: nothing that it does not need, so that scripts and shells can ask often."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"lark", "yaml", "netaddr", "jsonschema"}
AS_MODULE = ("-m", "egressc")
AS_SCRIPT = ("-c", "import sys; from egressc.cli import main; sys.exit(main())")
HOWS = pytest.mark.parametrize("how", [AS_MODULE, AS_SCRIPT], ids=["module", "script"])


def run(how, *words):
    """Standard output of a run, and the top-level packages that it imported after the interpreter's own start."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *how, *words], capture_output=True, text=True, check=True, timeout=60
    )
    names = re.findall(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", done.stderr, re.MULTILINE)
    # What a site-packages folder makes every run of this interpreter import is not ours.
    bare = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", ""], capture_output=True, text=True, check=True, timeout=60
    )
    before = set(re.findall(r"\|\s+(\S+)$", bare.stderr, re.MULTILINE))
    return done.stdout, {name.split(".")[0] for name in names if name not in before} | {
        name for name in names if name.startswith("egressc")
    }


@HOWS
@pytest.mark.parametrize("word", ["--version", "-V"])
def test_version_imports_next_to_nothing(how, word):
    out, imported = run(how, word)
    assert re.fullmatch(r"egressc \d+\.\d+\.\d+\S*\n", out)
    assert "egressc.cli" in imported, "the list of imports was not read"
    assert not imported & (HEAVY | {"argparse", "idna", "publicsuffixlist", "argcomplete", "dataclasses", "json"})


@HOWS
@pytest.mark.parametrize(
    "words",
    [("--help",), ("compile", "--help"), ("check", "--help"), ("explain", "--help"), ("fmt", "--help")],
    ids=" ".join,
)
def test_help_imports_no_library(how, words):
    out, imported = run(how, *words)
    assert out.startswith("usage: egressc")
    assert {"egressc.cli", "argparse"} <= imported
    assert not imported & HEAVY


@HOWS
def test_the_page_of_a_code_needs_no_library(how):
    out, imported = run(how, "explain", "E0207")
    assert out.startswith("# E0207: ")
    assert not imported & HEAVY


def test_the_installed_command_is_what_these_tests_run():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["scripts"] == {"egressc": "egressc.cli:main"}
