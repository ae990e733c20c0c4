"""A real Chromium without a window, by its DevTools protocol over a pipe; nothing here but the standard library.

Messages are JSON, each with a NUL behind it, on the file descriptors 3 and 4 (``--remote-debugging-pipe``; the protocol:
chromedevtools.github.io/devtools-protocol).
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 60

OFFLINE = ("--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND")
"""No name of a host resolves, and no proxy is asked: whatever the page wants from elsewhere, it cannot have."""


def missing():
    """Why there is no browser here; ``None`` if there is one."""
    return None if any(map(shutil.which, PROGRAMS)) else "chromium is not installed"


def _pipe():
    """A pipe whose ends are none of the numbers that the browser wants."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high


class Browser:
    """One page in one browser; use it as a context manager. ``events`` holds all events that came, in order.

    ``network`` are the flags that say what it may reach.
    """

    def __init__(self, folder, network=OFFLINE):
        self.folder = folder
        self.network = network
        self.events = []
        self.number = 0
        self.held = b""

    def __enter__(self):
        to_read, self.to = _pipe()
        self.come, to_write = _pipe()
        program = next(filter(None, map(shutil.which, PROGRAMS)))
        words = [
            program, "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-extensions", "--disable-background-networking", "--disable-component-update", *self.network,
            "--disable-dev-shm-usage", f"--user-data-dir={self.folder}",
        ]  # fmt: skip
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{to_write}', "bash", *words],
            pass_fds=(to_read, to_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = None
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        return self

    session = None

    def __exit__(self, *_):
        session, self.session = self.session, None
        try:
            if session is not None:
                self.ask("Browser.close")
            self.process.wait(timeout=20)
        finally:
            self.process.kill()
            self.process.wait()
            os.close(self.to)
            os.close(self.come)

    def ask(self, method, **params):
        """The answer to one command."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session is not None:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + _SECONDS
        while True:
            answer = self._next(end)
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def _next(self, end):
        while b"\0" not in self.held:
            ready, _, _ = select.select([self.come], [], [], max(end - time.monotonic(), 0))
            assert ready, "the browser does not answer"
            data = os.read(self.come, 1 << 16)
            assert data, "the browser has ended"
            self.held += data
        message, _, self.held = self.held.partition(b"\0")
        return json.loads(message)

    def open(self, url):
        """Load a page and wait until it is there."""
        self.events.clear()
        self.ask("Page.navigate", url=url)
        end = time.monotonic() + _SECONDS
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self._next(end))

    def run(self, expression):
        """The value of an expression in the page."""
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def press(self, key, *, shift=False):
        """Press a key and let it go."""
        code = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowUp": 38, "ArrowDown": 40}.get(
            key, ord(key[0].upper())
        )
        more = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        self.ask("Input.dispatchKeyEvent", type="keyDown", **more, **({"text": text} if text else {}))
        self.ask("Input.dispatchKeyEvent", type="keyUp", **more)

    def type(self, text):
        """Write into what has the focus."""
        for character in text:
            self.press(character)

    def look(self, *, width, height=900, dark=False):
        """The page as a screen of that width and theme shows it."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[theme])

    def screenshot(self):
        """The whole page as the bytes of a PNG."""
        return base64.b64decode(self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"])

    def said(self):
        """What the page and the browser said in the console, errors of scripts and of the policy included."""
        self.run("0")
        found = []
        for event in self.events:
            match event.get("method"):
                case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded":
                    found.append(event["params"])
        return found

    def requests(self):
        """The URLs that the page asked for."""
        return [e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]
