"""Asks git: which repository, which commit, which files. Never through a shell, never with a name as an option."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from egressc.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence


class RevisionError(Exception):
    """A revision, a repository or a PATH that cannot be had. ``help`` says what to do instead, if anything."""

    def __init__(self, message: str, help_text: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help_text


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at a path of a commit: ``mode`` as git writes it (``100644``, ``120000`` for a link)."""

    mode: str
    digest: str


LINK: Final = "120000"
"""The mode of a link."""

_SUBMODULE: Final = "160000"


class Repository:
    """A git repository. ``top`` is the top folder of its working tree, absolute, with links resolved."""

    def __init__(self, top: str) -> None:
        self.top = top

    def run(self, *words: str, allowed: Sequence[int] = (0,)) -> bytes | None:
        """What ``git`` writes to standard output; ``None`` if it ends with another status."""
        done = _git("-C", self.top, *words)
        return done.stdout if done.returncode in allowed else None

    def commit(self, name: str) -> str:
        """The commit that a name stands for. Raises ``RevisionError``."""
        found = None
        if name and not name.startswith("-") and "\0" not in name:
            # `--end-of-options` is not said back by `--verify`; a name that begins with `-` never gets here.
            found = self.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if not found:
            raise self._unknown(name)
        return found.decode("ascii").strip()

    def merge_base(self, one: str, other: str) -> str:
        """The commit from which two commits went apart. Raises ``RevisionError``."""
        found = self.run("merge-base", self.commit(one), self.commit(other))
        if not found:
            raise RevisionError(
                f"`{one}` and `{other}` have no commit in common",
                self._if_shallow() or f"compare them as they are: `{one}..{other}`",
            )
        return found.decode("ascii").split()[0]

    def entries(self, commit: str) -> dict[str, Entry]:
        """The files and links of a commit by their path below the top, with forward slashes."""
        listed = self.run("ls-tree", "-r", "-z", "--full-tree", commit)
        if listed is None:
            raise RevisionError(f"the files of the commit {commit[:12]} cannot be listed", self._if_shallow())
        found = {}
        for line in listed.split(b"\0"):
            if line:
                head, _, path = line.partition(b"\t")
                mode, _, digest = head.decode("ascii").split(" ")
                if mode != _SUBMODULE:
                    found[os.fsdecode(path)] = Entry(mode, digest)
        return found

    def _unknown(self, name: str) -> RevisionError:
        listed = self.run("for-each-ref", "--format=%(refname:short)") or b""
        names = [each for each in os.fsdecode(listed).splitlines() if each and not each.endswith("/HEAD")]
        near = nearest(name, [*names, "HEAD"])
        advice = f"did you mean `{near}`?" if near else self._if_shallow()
        return RevisionError(f"there is no revision `{name}`", advice or "name a branch, a tag or a commit")

    def _if_shallow(self) -> str:
        """What to do in a clone without its history; empty if it is whole."""
        answer = self.run("rev-parse", "--is-shallow-repository") or b""
        if answer.strip() != b"true":
            return ""
        return "this clone is shallow: fetch the rest with `git fetch --unshallow`, or in CI ask for the whole history"


class Contents:
    """The bytes of objects, through one ``git cat-file --batch``; use it as a context manager."""

    def __init__(self, repository: Repository) -> None:
        self._top = repository.top
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()
            self._process = None

    def read(self, digest: str) -> bytes | None:
        """The bytes of the object of that name; ``None`` if it is not here (a clone that has only a part)."""
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - no shell, and no name of a user's in it
                (  # noqa: S607 - git is the user's own
                    "git",
                    "-C",
                    self._top,
                    "cat-file",
                    "--batch",
                ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(f"{digest}\n".encode("ascii"))
            self._process.stdin.flush()
        except BrokenPipeError:
            return None
        head = self._process.stdout.readline().split()
        if len(head) != 3:
            return None
        data = self._process.stdout.read(int(head[2]) + 1)
        return data[:-1]


def repository_of(folder: str) -> Repository:
    """The repository that a folder is in. Raises ``RevisionError`` if it is in none, or there is no git."""
    done = _git("-C", folder or ".", "rev-parse", "--show-toplevel")
    if done.returncode == 0:
        return Repository(os.path.realpath(os.fsdecode(done.stdout.removesuffix(b"\n"))))
    said = done.stderr.decode("utf-8", "replace")
    if "dubious ownership" in said:
        raise RevisionError(
            "git does not trust this repository: it belongs to another user",
            "`git config --global --add safe.directory FOLDER`, if you do",
        )
    if "work tree" in said:
        raise RevisionError("this repository has no working tree", "run it in a clone")
    raise RevisionError(
        "a revision was named, and this folder is in no git repository",
        "run it inside the repository, or name two files or folders",
    )


def _git(*words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        # No shell; whatever a user names is checked before, or stands behind an object's name.
        return subprocess.run(("git", *words), capture_output=True, check=False, env=_environment())  # noqa: S603, S607
    except OSError as error:
        raise RevisionError(
            f"git cannot be run: {(error.strerror or str(error)).lower()}", "install git, or name two files or folders"
        ) from None


def _environment() -> dict[str, str]:
    """The environment for git: no locks taken, no questions asked, messages that can be told apart."""
    return {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
