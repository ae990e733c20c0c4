"""What is wrong with one word, before it has a place in a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a word: the parts of a diagnostic, with offsets into the word instead of a span.

    ``start`` and ``end`` are character offsets into the word that was given, ``end`` not included. The rules for texts
    are those of ``Diagnostic``: ``message`` says what is wrong, ``label`` stands beside the underline, ``help`` says
    what to write instead.
    """

    code: str
    message: str
    label: str
    help: str
    start: int
    end: int

    def moved(self, by: int) -> Problem:
        """The same problem, ``by`` characters further on: for a word that is part of a longer one."""
        return Problem(self.code, self.message, self.label, self.help, self.start + by, self.end + by)
