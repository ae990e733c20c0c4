"""Streams: results on standard output, diagnostics and progress on standard error, colour on a terminal only."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self, TextIO

    from egressc.diagnostics import Diagnostic

_BAR_AFTER = 1.0
"""Seconds of work after which a progress bar appears."""

_REPAINT = 0.2
"""Seconds between two states of the bar."""

_BAR_WIDTH = 24

_UNLIMITED = 160
"""Columns where there is no terminal that has a width."""


def prepare_streams() -> None:
    """Let nothing that is said fail for its characters: what a stream cannot encode is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def wants_colour(stream: TextIO | None, choice: str) -> bool:
    """True if the stream shall get colour: asked for, or on a terminal that does not refuse it (`NO_COLOR`)."""
    if choice != "auto":
        return choice == "always"
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and _is_terminal(stream)


class StreamError(Exception):
    """Standard output or standard error cannot be written (a full disk). The text says why."""


def say(text: str) -> None:
    """Write a result to standard output."""
    _write(sys.stdout, text)


def say_bytes(content: bytes) -> None:
    """Write a result to standard output as it is."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except OSError as error:
        _lost(sys.stdout, error)


def complain(text: str) -> None:
    """Write a line about the run to standard error."""
    _write(sys.stderr, text if text.endswith("\n") else text + "\n")


def tell(diagnostics: Iterable[Diagnostic], colour: str) -> None:
    """Write diagnostics to standard error as text."""
    tell_text(text_of(diagnostics, colour))


def text_of(diagnostics: Iterable[Diagnostic], colour: str) -> str:
    """Diagnostics as text for standard error as it is: its width, and colour if it takes any."""
    from egressc.report_text import render  # noqa: PLC0415 - verbs that have no diagnostics do not need it

    width = shutil.get_terminal_size((_UNLIMITED, 24)).columns if _is_terminal(sys.stderr) else _UNLIMITED
    return render(diagnostics, colour=wants_colour(sys.stderr, colour), width=width)


def tell_text(text: str) -> None:
    """Write text about the run to standard error, behind the results that are already said."""
    finish()
    _write(sys.stderr, text)


def finish() -> None:
    """Write out what is still held back for standard output."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError as error:
        _lost(sys.stdout, error)


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:  # The caller closed it.
        return
    try:
        stream.write(text)
        if stream is sys.stderr:
            stream.flush()
    except OSError as error:
        _lost(stream, error)


def _lost(stream: TextIO, error: OSError) -> None:
    """Let what is written from now on go nowhere. That the reader has gone (`egressc … | head`) is no failure."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    if not isinstance(error, BrokenPipeError):
        raise StreamError((error.strerror or str(error)).lower()) from error


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


class Progress:
    """A progress bar on standard error: on a terminal only, and only once the work has taken a second.

    Use it as a context manager: the bar goes when the block ends. It is painted by a thread of its own, because a stage
    may take long.
    """

    def __init__(self) -> None:
        self._at = ("", 0, 1)
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if _is_terminal(sys.stderr):
            self._thread = threading.Thread(target=self._paint, daemon=True)
            self._thread.start()
        return self

    def __call__(self, stage: str, at: int, of: int) -> None:
        """Say that ``stage`` is ``at`` of ``of`` steps far."""
        self._at = (stage, at, of)

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _paint(self) -> None:
        shown = False
        wait = _BAR_AFTER
        while not self._done.wait(wait):
            stage, at, of = self._at
            full = _BAR_WIDTH * at // max(of, 1)
            text = f"[{'#' * full}{' ' * (_BAR_WIDTH - full)}] {stage}"
            width = shutil.get_terminal_size((80, 24)).columns - 1
            sys.stderr.write(f"\r\x1b[K{text[:width]}")
            sys.stderr.flush()
            shown = True
            wait = _REPAINT
        if shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
