#!/usr/bin/env python3
"""Puts a review on a pull request (GitHub) or merge request (GitLab): one comment, brought up to date each time.

Only the standard library. Everything comes in by the environment; no text of a policy is a part of any command.

``comment.py github FOLDER``: ``GITHUB_TOKEN``, ``GITHUB_REPOSITORY``, ``GITHUB_API_URL``, ``EGRESSC_PULL_REQUEST``, and
``EGRESSC_COMMENT_AUTHOR`` (default ``github-actions[bot]``, whose comments the token of a run may edit).
``comment.py gitlab FOLDER``: ``EGRESSC_GITLAB_TOKEN``, ``CI_API_V4_URL``, ``CI_PROJECT_ID``, ``CI_MERGE_REQUEST_IID``.
``comment.py print FOLDER``: only writes the text to standard output.

FOLDER is the one that ``review.sh`` wrote. ``EGRESSC_COMMENT_KEY`` tells two reviews of one request apart. Exit status:
0; 1 if the service refused (with 403 from GitHub, as from a fork: 0 and a warning); 2 for wrong usage.
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

_LIMIT: Final = 65_000
"""Bytes of a comment: GitHub takes 65,536 characters."""

_PAGES: Final = 100
"""Pages of a hundred comments that are searched for the one of ours."""

_FORBIDDEN: Final = 403


class RefusedError(Exception):
    """The service said no, or nothing."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def text_of(folder: Path, key: str) -> str:
    """The comment: a mark by which it is found again, and the report, or why there is none."""
    mark = f"<!-- egressc review {key} -->"
    report = folder / "review.md"
    if report.is_file():
        body = report.read_text(encoding="utf-8")
    else:
        log = folder / "review.log"
        said = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else "nothing was compared"
        body = f"### Egress policy: nothing was compared\n\n{fenced(said[:20_000])}\n"
    return f"{mark}\n{body.encode()[:_LIMIT].decode(errors='ignore')}"


def fenced(text: str) -> str:
    """The text as a block of code that nothing in it can close."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(longest + 1, 3)
    shown = "".join(c if c.isprintable() or c == "\n" else f"U+{ord(c):04X}" for c in text).rstrip("\n")
    return f"{fence}text\n{shown}\n{fence}"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an error: the token goes nowhere else."""

    def redirect_request(self, *_: object) -> None:
        """No request."""
        return


_OPENER: Final = urllib.request.build_opener(_NoRedirects)


class Service:
    """One API: JSON over HTTPS, with a token in a header."""

    def __init__(self, base: str, headers: dict[str, str]) -> None:
        if not base.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise RefusedError(0, f"{base!r} is no address that a token may be sent to")
        self._base = base.rstrip("/")
        self._headers = {"Accept": "application/json", "User-Agent": "egressc", **headers}

    def ask(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        """The answer; raises ``RefusedError``."""
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers if data is None else {**self._headers, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._base}{path}", data, headers, method=method)  # noqa: S310 - see above
        try:
            with _OPENER.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RefusedError(error.code, f"{method} {path}: {error.code} {error.reason}") from None
        except (OSError, ValueError) as error:
            raise RefusedError(0, f"{method} {path}: {error}") from None

    def pages(self, path: str) -> Any:
        """All entries of a list, page after page."""
        for page in range(1, _PAGES + 1):
            entries = self.ask("GET", f"{path}?per_page=100&page={page}")
            yield from entries
            if len(entries) < 100:
                return


def number(name: str) -> int:
    """A number from the environment: it becomes a part of a path."""
    text = os.environ.get(name, "")
    if not re.fullmatch("[0-9]{1,18}", text):
        raise RefusedError(0, f"{name} is not a number")
    return int(text)


def to_github(text: str, mark: str) -> str:
    """Write the comment on the pull request; what was done."""
    repository = os.environ.get("GITHUB_REPOSITORY", "")
    if not re.fullmatch(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", repository):
        raise RefusedError(0, "GITHUB_REPOSITORY is not OWNER/NAME")
    request = number("EGRESSC_PULL_REQUEST")
    author = os.environ.get("EGRESSC_COMMENT_AUTHOR") or "github-actions[bot]"
    headers = {
        "Authorization": f"Bearer {os.environ.get('GITHUB_TOKEN', '')}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    api = Service(os.environ.get("GITHUB_API_URL") or "https://api.github.com", headers)
    path = f"/repos/{repository}/issues/{request}/comments"
    for comment in api.pages(path):
        # Anyone can write the mark into a comment: only our own is ours.
        if comment["user"]["login"] == author and (comment.get("body") or "").startswith(mark):
            api.ask("PATCH", f"/repos/{repository}/issues/comments/{int(comment['id'])}", {"body": text})
            return "the comment is up to date"
    api.ask("POST", path, {"body": text})
    return "a comment was written"


def to_gitlab(text: str, mark: str) -> str:
    """Write the note on the merge request; what was done."""
    project = quote(os.environ.get("CI_PROJECT_ID", ""), safe="")
    request = number("CI_MERGE_REQUEST_IID")
    api = Service(
        os.environ.get("CI_API_V4_URL") or "https://gitlab.com/api/v4",
        {"PRIVATE-TOKEN": os.environ.get("EGRESSC_GITLAB_TOKEN", "")},
    )
    ours = api.ask("GET", "/user")["id"]
    path = f"/projects/{project}/merge_requests/{request}/notes"
    for note in api.pages(path):
        if note["author"]["id"] == ours and (note.get("body") or "").startswith(mark):
            api.ask("PUT", f"{path}/{int(note['id'])}", {"body": text})
            return "the comment is up to date"
    api.ask("POST", path, {"body": text})
    return "a comment was written"


def main(words: list[str]) -> int:
    """Run; the exit status."""
    if len(words) != 2 or words[0] not in {"github", "gitlab", "print"}:
        sys.stderr.write("usage: comment.py github|gitlab|print FOLDER\n")
        return 2
    service, folder = words
    key = re.sub(r"[^A-Za-z0-9_.-]", "-", os.environ.get("EGRESSC_COMMENT_KEY", ""))[:60].strip("-") or "egressc"
    text = text_of(Path(folder), key)
    if service == "print":
        sys.stdout.write(text)
        return 0
    mark = text.partition("\n")[0]
    try:
        done = to_github(text, mark) if service == "github" else to_gitlab(text, mark)
    except RefusedError as error:
        sys.stderr.write(f"comment.py: {error}\n")
        if service == "github" and error.status == _FORBIDDEN:
            sys.stderr.write("comment.py: the token may not comment, as from a fork: see the summary of the run\n")
            return 0
        return 1
    sys.stdout.write(f"{done}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
