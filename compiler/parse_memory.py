"""Parses the two versions of a change, so that what both have is parsed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.parse import parse, parse_again
from egressc.parse_reuse import Known

if TYPE_CHECKING:
    from egressc.diagnostics import Diagnostic
    from egressc.source import Source
    from egressc.syntax import File

    Parsed = tuple[File | None, tuple[Diagnostic, ...]]


class Memory:
    """What was parsed. A file that both versions have under one name and with one text is one tree for both."""

    def __init__(self) -> None:
        self._parsed: dict[tuple[str, str, str], Parsed] = {}
        self._known = Known()

    def first(self, source: Source) -> Parsed:
        """The tree of a file of the first version, and its syntax errors: as ``parse``."""
        result = self._parsed[_key(source)] = parse(source)
        if result[0] is not None and not result[1]:
            self._known.learn(result[0])
        return result

    def second(self, source: Source) -> Parsed:
        """The same for a file of the second version."""
        return self._parsed.get(_key(source)) or parse_again(source, self._known)


def _key(source: Source) -> tuple[str, str, str]:
    return source.name, source.shown, source.text
