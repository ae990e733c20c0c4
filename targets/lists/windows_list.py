"""Bypass lists of Windows: what WinINET and WinHTTP have in common, spelling and reading.

Facts are of Microsoft's pages, and measured by the authors of gnoays/proxy-watch (src/parse.rs, tests/bypass.rs), who
handed lists to WinINET and WinHTTP and watched where they connected (targets/proxy-bypass.md, section 3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet, parse_addresses
from egressc.exports import ANY_PORT, Refusal, Shape
from egressc.exports_octets import octets_text
from egressc.exports_read import ONE_LABEL, by_address, by_name, everything, host_of
from egressc.meaning import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.exports import Line, ReadEntry
    from egressc.ranges import Ranges

LONG = 2000
"""So many characters were never a problem; dialogs of old versions cut a list at 2064 (section 3, unverified)."""

ENTRY = re.compile(r"[A-Za-z0-9*.:\[\]<>-]+")
"""What an entry may consist of: anything else was never tried, and one bad entry spoils the whole list (section 3)."""

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}")


def entries_of(line: Line) -> tuple[str, ...]:
    """A line of a list as entries: a domain with the names below it is two."""
    if line.addresses is not None:
        named: tuple[str, ...] = (octets_text(line.addresses),)
    elif line.shape is Shape.EVERYTHING:
        named = ("*",)
    else:
        assert line.pattern is not None
        named = (line.domain, line.pattern.text) if line.shape is Shape.DOMAIN else (line.pattern.text,)
    if line.ports == ANY_PORT:
        return named
    ((port, _),) = line.ports
    return tuple([f"{each}:{port}" for each in named])


def listed(lines: Iterable[Line]) -> str:
    """The whole list."""
    return ";".join([each for line in lines for each in entries_of(line)])


def annotated(lines: Iterable[Line], mark: str) -> list[str]:
    """A comment for each line: its entries, and the rules that it stands for."""
    return [f"{mark} {' '.join(entries_of(line))}  {' '.join(r.identity for r in line.rules)}" for line in lines]


def bad_entries(lines: Iterable[Line]) -> list[Refusal]:
    """Refusals of entries in which a character stands that nobody tried."""
    return [
        Refusal(
            f"`{each}` holds a character that no bypass list of Windows is known to take",
            "leave its rule out with `--rules`, or use a PAC file",
            line.rules,
        )
        for line in lines
        for each in entries_of(line)
        if not ENTRY.fullmatch(each)
    ]


def length_remark(lines: Sequence[Line]) -> tuple[str, ...]:
    """A remark about a list that some dialogs would cut."""
    length = len(listed(lines))
    if length <= LONG:
        return ()
    return (f"the list has {length} characters: no limit is documented, but old dialogs cut a list at 2064",)


def statement(lines: Sequence[str], begins: str, what: str) -> tuple[str, int]:
    """The one line of a file that begins so, and its number. Raises ``UnreadableError`` where there is not one."""
    found = [(line, number) for number, line in enumerate(lines, start=1) if re.match(begins, line, re.IGNORECASE)]
    if len(found) != 1:
        raise UnreadableError(f"{what} must stand here once, and stands {len(found)} times")
    return found[0]


def written_by(before: str, after: str, line: str) -> str | None:
    """What stands in a line between two expressions, in any letter case and without quotes; ``None`` if they do not."""
    found = re.fullmatch(rf"\s*{before}([^'\"]*){after}\s*", line, re.IGNORECASE)
    return None if found is None else found[1]


@dataclass(frozen=True, slots=True)
class Word:
    """One entry of a list that somebody wrote, and the line that it stands on."""

    text: str
    line: int

    @property
    def destination(self) -> str:
        """The entry without its port."""
        return self._parts[0]

    @property
    def port(self) -> str | None:
        """The port as it is written."""
        return self._parts[1]

    @property
    def _parts(self) -> tuple[str, str | None]:
        found = re.fullmatch(r"(\[[^\]]*\]|[^:]*):([^:]*)", self.text)
        return (found[1], found[2]) if found else (self.text, None)


def words_of(text: str, separators: str, first_line: int = 1) -> list[Word]:
    """The entries of a list, with the lines that they stand on."""
    found = []
    for number, line in enumerate(text.split("\n"), start=first_line):
        found += [Word(each, number) for each in re.split(f"[{separators}]+", line) if each]
    return found


def decimal_address(text: str) -> AddressSet | None:
    """An address of IPv4 in its one decimal spelling: addresses are compared as text, so no other one is meant."""
    found = parse_addresses(text) if _DECIMAL.fullmatch(text) else None
    return found if isinstance(found, AddressSet) else None


def named(word: Word, ports: Ranges) -> ReadEntry | None:
    """A host or ``*.d``; ``None`` for anything else."""
    pattern = host_of(word.destination)
    if pattern is None or not pattern.is_tree or not pattern.labels:
        return None
    return by_name((pattern,), word.text, word.line, ports=ports)


def local(word: Word) -> ReadEntry:
    """``<local>``: every name without a dot."""
    return by_name((ONE_LABEL,), word.text, word.line)


def address(word: Word, ports: Ranges) -> ReadEntry | None:
    """An address; ``None`` for anything else."""
    held = decimal_address(word.destination)
    return None if held is None else by_address(held, word.text, word.line, ports=ports)


def anything(word: Word, why: str) -> tuple[ReadEntry, ...]:
    """An entry of which nobody knows what it matches: whatever is asked for, at most."""
    return tuple(replace(each, doubt=why) for each in everything(word.text, word.line))


def maybe_address(word: Word, why: str) -> ReadEntry:
    """An entry that is about addresses, if it matches anything."""
    bare = word.text.strip("[]")
    found = parse_addresses(bare)
    held = found if isinstance(found, AddressSet) else ALL
    return by_address(held, word.text, word.line, doubt=why)
