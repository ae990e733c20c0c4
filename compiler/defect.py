"""What to say when egressc itself is broken."""

from __future__ import annotations

import platform
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from egressc import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence


def describe(error: BaseException, args: Sequence[str]) -> str:
    """The text for exit status 70: that it is our fault, and what to send; places without private paths."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"    {Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames[-12:]]
    return "\n".join(
        [
            "egressc: this is a defect of egressc, not of your policy; nothing was written",
            "  please report it with these lines and, if you may share it, the policy that shows it:",
            f"    egressc {__version__}, Python {platform.python_version()}, {platform.system()}",
            f"    arguments: {' '.join(args)}",
            f"    {type(error).__name__}: {error}",
            *places,
            "",
        ]
    )
