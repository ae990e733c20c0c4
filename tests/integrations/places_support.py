"""What the places of a review need: a repository with two branches, the program, and a service to comment on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import revisions_support as support
from revisions_support import POLICY

ROOT = Path(__file__).resolve().parents[2]
INTEGRATIONS = ROOT / "integrations"
WIDER = POLICY.replace("a.example.net", "a.example.net *.c.example.net")
TEST = 'policy: main.egress\nallows:\n  - {from: g, to: "a.example.net:443"}\n'


def repository(folder, *, branch="topic", text=WIDER):
    """A repository whose branch changes the policy of `main`; the branch is checked out."""
    support.repository(folder)
    support.commit(folder, {"policies/main.egress": text}, branch=branch)
    return folder


def program(folder):
    """The path of a program `egressc`."""
    path = folder / "bin" / "egressc"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -m egressc "$@"\n')
    path.chmod(0o755)
    return path


def script(folder, name, *words, **env):
    """Run a script of ``integrations`` in a folder, with nothing but the given environment."""
    known = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    return subprocess.run(
        [str(INTEGRATIONS / name), *words],
        cwd=folder,
        env={**known, **env},
        capture_output=True,
        text=True,
        check=False,
    )


class Fake:
    """A service with comments, as GitHub and GitLab have them; ``asked`` are the requests, ``comments`` by number."""

    def __init__(self):
        self.asked = []
        self.comments = {}
        self.refuse = {}
        self.me = {"login": "github-actions[bot]", "id": 7}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                path, _, query = self.path.partition("?")
                fake.asked.append((self.command, path, dict(self.headers), body))
                status, value = fake.handle(self.command, path, query, body)
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", value)
                    value = None
                data = json.dumps(value).encode()
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = answer  # noqa: N815 - so the library wants it

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def add(self, body, author=None):
        number = len(self.comments) + 1
        author = author or self.me
        self.comments[number] = {"id": number, "body": body, "user": author, "author": author}
        return self.comments[number]

    def handle(self, method, path, query, body):
        if method in self.refuse:
            return self.refuse[method]
        if path == "/user":
            return 200, self.me
        if method == "GET":
            page = int(query.rpartition("page=")[2])
            return 200, list(self.comments.values())[(page - 1) * 100 : page * 100]
        if method == "POST":
            return 201, self.add(body["body"])
        found = self.comments[int(path.rpartition("/")[2])]
        found["body"] = body["body"]
        return 200, found


def beside(name):
    """The path of a program on the PATH or beside this Python; ``None`` if there is none."""
    return shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
