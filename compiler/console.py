"""Streams: results on standard output, diagnostics and progress on standard error, colour on a terminal only."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TYPE_CHECKING

from egressc.report_text import render

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from egressc.diagnostics import Diagnostic

_BAR_AFTER = 1.0
"""Seconds of work after which a progress bar appears."""

_BAR_WIDTH = 24


def wants_colour(stream: TextIO, choice: str) -> bool:
    """True if the stream shall get colour: asked for, or on a terminal that does not refuse it (`NO_COLOR`)."""
    if choice != "auto":
        return choice == "always"
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def say(text: str) -> None:
    """Write a result to standard output."""
    sys.stdout.write(text)


def complain(text: str) -> None:
    """Write a line about the run to standard error."""
    sys.stderr.write(text if text.endswith("\n") else text + "\n")


def tell(diagnostics: Iterable[Diagnostic], colour: str) -> None:
    """Write diagnostics to standard error as text."""
    sys.stdout.flush()
    width = shutil.get_terminal_size((120, 24)).columns if sys.stderr.isatty() else 160
    sys.stderr.write(render(diagnostics, colour=wants_colour(sys.stderr, colour), width=width))
    sys.stderr.flush()


class Progress:
    """A progress bar on standard error: on a terminal only, and only once the work has taken a second."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._shown = False
        self._on = sys.stderr.isatty()

    def __call__(self, stage: str, at: int, of: int) -> None:
        """Show that ``stage`` is ``at`` of ``of`` steps far."""
        if not self._on or time.monotonic() - self._since < _BAR_AFTER:
            return
        full = _BAR_WIDTH * at // max(of, 1)
        text = f"[{'#' * full}{' ' * (_BAR_WIDTH - full)}] {stage}"
        width = shutil.get_terminal_size((80, 24)).columns - 1
        sys.stderr.write(f"\r\x1b[K{text[:width]}")
        sys.stderr.flush()
        self._shown = True

    def close(self) -> None:
        """Remove the bar."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False
