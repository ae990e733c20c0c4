"""The files of both sides of a change: which of them are the same file, and what is written otherwise in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diff_definitions import written
from egressc.review import Edit, EditKind, What

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from egressc.diff_definitions import Written
    from egressc.source import Source

Places = tuple["Callable[[Source], str]", "Callable[[Source], str]"]
"""What a file of the old and of the new side is compared by: two files with the same are one file, edited."""


def _by_name(source: Source) -> str:
    return source.name


BY_NAME: Places = (_by_name, _by_name)
"""A file is compared with the one of the same name."""


class Files:
    """The files of two sides, each old one with the new one that it became."""

    def __init__(self, old: Sequence[Source], new: Sequence[Source], places: Places = BY_NAME) -> None:
        self._keys: list[dict[str, str]] = [
            {source.name: place(source) for source in some} for some, place in zip((old, new), places, strict=True)
        ]
        before, after = ({place(s): s for s in some} for some, place in zip((old, new), places, strict=True))
        gone = [source for key, source in before.items() if key not in after]
        come = [source for key, source in after.items() if key not in before]
        self._written: dict[tuple[int, str], Written] = {}
        self.renamed: list[Edit] = []
        for source, other in self._alike(gone, come):
            self._keys[0][source.name] = self._keys[1][other.name]
            names = (source.name, other.name)
            self.renamed.append(Edit(EditKind.RENAMED, (), (), other.name, What.FILE, names))
        pairs = [(self.key(0, source.name), 0, source) for source in old]
        pairs += [(self.key(1, source.name), 1, source) for source in new]
        by_key: dict[str, list[Source | None]] = {}
        for key, side, source in pairs:
            by_key.setdefault(key, [None, None])[side] = source
        self.changed: Mapping[str, tuple[Source | None, Source | None]] = {
            key: (was, now) for key, (was, now) in by_key.items() if was is None or now is None or was.text != now.text
        }

    def key(self, side: int, name: str) -> str:
        """What a file is compared by, the same on both sides."""
        return self._keys[side].get(name, name)

    def written(self, side: int, source: Source) -> Written:
        """What a file defines."""
        known = (side, source.name)
        if known not in self._written:
            self._written[known] = written(source)
        return self._written[known]

    def _alike(self, gone: Sequence[Source], come: Sequence[Source]) -> list[tuple[Source, Source]]:
        """Files of other names that define more of the same than not."""
        found: list[tuple[Source, Source]] = []
        left = list(come)
        for source in gone:
            mine = set(self.written(0, source).definitions)
            rated = [(len(mine & set(self.written(1, other).definitions)), other) for other in left]
            most, best = max(rated, key=lambda each: each[0], default=(0, None))
            if best is not None and 2 * most > max(len(mine), len(self.written(1, best).definitions)):
                found.append((source, best))
                left.remove(best)
        return found
