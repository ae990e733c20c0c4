"""The script as text: what a shell and a reviewer's tools say of it. What it does is seen in the lab."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "targets" / "iptables" / "apply.sh"


@pytest.mark.parametrize("shell", ["sh", "dash", "bash"])
def test_every_shell_can_read_it(shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    done = subprocess.run([shell, "-n", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_shellcheck_finds_nothing():
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not here")
    done = subprocess.run(["shellcheck", "--norc", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_nothing_is_evaluated_and_nothing_is_disabled():
    text = SCRIPT.read_text()
    assert text.startswith("#!/bin/sh\n")
    assert "set -eu\n" in text
    assert not re.search(r"\beval\b|shellcheck disable|\bsource\b|iptables[^\n]* -F OUTPUT", text)
    assert text.isascii()


@pytest.mark.parametrize(("options", "status"), [
    (["--help"], 0), (["--nonsense"], 2), (["--backend", "ebtables"], 2), (["--backend"], 2), (["extra"], 2),
])  # fmt: skip
def test_usage(options, status):
    done = subprocess.run(["sh", str(SCRIPT), *options], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert "usage: sh apply.sh" in (done.stdout if status == 0 else done.stderr)


def test_every_option_is_in_the_usage():
    text = SCRIPT.read_text()
    usage = subprocess.run(["sh", str(SCRIPT), "--help"], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"^        (--[a-z-]+)\)", text, re.MULTILINE)) | set(
        re.findall(r"^                (--[a-z-]+)\)", text, re.MULTILINE)
    )
    assert known - {"--in-namespace"} == set(re.findall(r"^  (--[a-z-]+)", usage, re.MULTILINE))
