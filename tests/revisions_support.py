"""Small git repositories for tests; nothing of the user's own settings is read."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

INVENTORY = """\
groups:
  g: {networks: [192.0.2.0/24]}
firewalls:
  edge: {target: paloalto, settings: {from-zone: in, to-zone: out}}
"""

POLICY = """\
policy p "P" {
    from g
    allow a "A" { to a.example.net ports 443 }
    allow b "B" { to b.example.net ports 443 }
}
"""


def git(folder, *words, **more):
    """Run git in a folder; its output as text."""
    env = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    done = subprocess.run(["git", *words], cwd=folder, env={**env, **more}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def write(folder, files):
    """Write files by their path; ``None`` takes one away."""
    for name, text in files.items():
        path = folder / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def commit(folder, files, *, tag=None, branch=None):
    """Write files and commit everything; the name of the commit."""
    if branch is not None:
        git(folder, "checkout", "-q", "-b", branch)
    write(folder, files)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "a change")
    if tag is not None:
        git(folder, "tag", tag)
    return git(folder, "rev-parse", "HEAD").strip()


def repository(folder, files=None):
    """A repository with one commit on `main`: a policy and an inventory in `policies/`, or ``files``."""
    folder.mkdir(exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    commit(folder, files or {"policies/main.egress": POLICY, "policies/inventory.yaml": INVENTORY})
    return folder
