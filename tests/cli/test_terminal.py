"""What only a terminal or a completing shell gets: the progress bar, and completions."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# The bar comes after a second of work: the work here is a pause between two stages, in a process of its own.
SLOW = """
import sys, time
from egressc import console
console._BAR_AFTER, console._REPAINT = {after}, 0.02
with console.Progress() as progress:
    progress("lowering edge", 1, 2)
    time.sleep(0.3)
print("done")
"""


def on_a_terminal(command, **environment):
    """Standard output and what a terminal on standard error got."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, **environment}, check=True,
            timeout=60,
        )  # fmt: skip
    finally:
        os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # The other end is closed, and all is read.
            break
        if not piece:
            break
        seen += piece
    os.close(ours)
    return done.stdout.decode(), seen.decode()


def test_the_bar_is_shown_and_wiped_out_on_a_terminal():
    said, seen = on_a_terminal([sys.executable, "-c", SLOW.format(after=0.02)], COLUMNS="80")
    assert said == "done\n"
    assert "[############            ] lowering edge" in seen
    assert seen.endswith("\r\x1b[K")


def test_short_work_has_no_bar():
    assert on_a_terminal([sys.executable, "-c", SLOW.format(after=30)]) == ("done\n", "")


def test_there_is_no_bar_without_a_terminal():
    done = subprocess.run([sys.executable, "-c", SLOW.format(after=0.02)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("done\n", "")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("egressc comp", {"compile"}),
        ("egressc compile --str", {"--strict"}),
        ("egressc compile --target ", {"azure-firewall", "iptables", "paloalto", "windows-firewall"}),
        ("egressc compile --accept exp", {"expiry"}),
        ("egressc explain E0621", {"E0621"}),
        ("egressc targets pal", {"paloalto", "paloalto-edl"}),
        ("egressc explain redundant-", {"redundant-endpoint", "redundant-rule"}),
        ("egressc check --select idle", {"idle-allowance", "idle-deny"}),
        ("egressc check --ignore idle-deny,id", {"idle-deny,idle-allowance"}),
        ("egressc check --select W0801,plain-http,redundant-r", {"W0801,plain-http,redundant-rule"}),
    ],
)
def test_a_shell_completes(line, expected, tmp_path):
    """The protocol of argcomplete, as `register-python-argcomplete` sets it up: completions come on descriptor 8."""
    command = Path(sys.executable).with_name("egressc")
    found = str(command) if command.exists() else shutil.which("egressc")
    environment = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    out = tmp_path / "completions"
    subprocess.run(
        ["sh", "-c", '"$1" 8>"$2" 9>/dev/null', "sh", found, str(out)], env=environment, cwd=tmp_path, check=False, timeout=60
    )  # fmt: skip
    assert {each.strip() for each in out.read_text().split("\n") if each.strip()} == expected
