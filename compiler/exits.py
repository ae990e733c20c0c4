"""Exit statuses, the same for every verb."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
"""Done."""

NO: Final = 1
"""Done, and it was the verb's business to say no: errors in the policy, a difference."""

COULD_NOT_RUN: Final = 2
"""Could not run: usage, an unreadable file."""

DEFECT: Final = 70
"""A defect of egressc."""

INTERRUPTED: Final = 130
"""Interrupted from the keyboard: what a shell expects of a command that SIGINT ended."""
