"""The fewest lines that say the same: what another line holds goes, what can be said together is said together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from egressc import ranges
from egressc.addresses import AddressSet, union_of
from egressc.exports import Line, Shape, joined
from egressc.host_index import HostIndex
from egressc.hosts import HostPattern, contains

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.exports import Abilities
    from egressc.policy import Rule


def minimal(lines: Iterable[Line], abilities: Abilities) -> tuple[Line, ...]:
    """The lines without those that others hold, sorted. A domain and the names below it become one line.

    Ports of the same destination are put together only where a line can say several. A line that stays stands for the
    rules of those that it holds, too. Near-linear for names and ``*.`` patterns.
    """
    together = _same(lines, abilities)
    names = _without_held(_domains(together))
    addresses = _addresses(together)
    for number, every in enumerate(names):
        if every.shape is not Shape.EVERYTHING:
            continue
        # Whatever is asked for may be an address.
        held = [line for line in addresses if ranges.contain(every.ports, line.ports)]
        names[number] = every.with_rules(*(line.rules for line in held))
        gone = {id(line) for line in held}
        addresses = [line for line in addresses if id(line) not in gone]
    return tuple(sorted([*names, *addresses], key=lambda line: line.sort_key))


def _same(lines: Iterable[Line], abilities: Abilities) -> list[Line]:
    """Lines that differ in nothing, or in ports where a line says several, as one."""
    several = abilities.ports.value == "ranges"
    found: dict[tuple[object, ...], list[Line]] = defaultdict(list)
    for line in lines:
        key = (line.shape, line.pattern, line.addresses, line.path, line.plain, line.exceptions, line.matched)
        found[key if several else (*key, line.ports)].append(line)
    return [_one(some) for some in found.values()]


def _one(some: list[Line]) -> Line:
    if len(some) == 1:
        return some[0]
    ports = ranges.merged(each for line in some for each in line.ports)
    return replace(some[0], ports=ports, rules=joined(line.rules for line in some))


def _domains(lines: list[Line]) -> list[Line]:
    """The lines by name, with a domain and the names below it on the same ports as one line."""
    exact: dict[tuple[object, ...], Line] = {}
    for line in lines:
        if line.shape is Shape.EXACT and line.path is None and not line.exceptions:
            assert line.pattern is not None
            exact[line.pattern.labels, line.ports] = line
    result: list[Line] = []
    used: set[int] = set()
    for line in lines:
        if line.addresses is not None:
            continue
        if line.shape is Shape.BELOW and line.path is None and not line.exceptions:
            assert line.pattern is not None
            base = exact.get((line.pattern.labels, line.ports))
            if base is not None:
                used.add(id(base))
                matched = tuple(dict.fromkeys((*line.matched, *base.matched)))
                # A host that is spelled with all names below it leaves none of them out.
                out = () if len(base.matched) > 1 else line.unmatched
                result.append(replace(line.with_rules(base.rules), shape=Shape.DOMAIN, matched=matched, unmatched=out))
                continue
        result.append(line)
    return [line for line in result if id(line) not in used]


def _without_held(lines: list[Line]) -> list[Line]:
    """The lines by name that no other holds; that one stands for the rules of both."""
    index = HostIndex([(pattern, n) for n, line in enumerate(lines) for pattern in line.matched])
    more: dict[int, list[tuple[Rule, ...]]] = {}
    gone: set[int] = set()
    for number, line in enumerate(lines):
        for other in sorted(set(index.containing(line.matched[0]))):
            if other == number or other in gone or not _holds(lines[other], line):
                continue
            if _holds(line, lines[other]) and number < other:
                continue  # the same requests twice: the first line stays
            gone.add(number)
            more.setdefault(other, []).extend((*more.pop(number, ()), line.rules))
            break
    return [
        line.with_rules(*more[number]) if number in more else line
        for number, line in enumerate(lines)
        if number not in gone
    ]


def _holds(one: Line, other: Line) -> bool:
    """True if every request of the other line is one of this one; where that is not easily seen, false."""
    if one.path not in (None, other.path) or (one.path is not None and one.plain != other.plain):
        return False
    if not ranges.contain(one.ports, other.ports) or not set(one.exceptions) <= set(other.exceptions):
        return False
    if not set(one.unmatched) <= set(other.unmatched) and not _clear(one, other):
        return False
    return all(any(_contains(mine, theirs) for mine in one.matched) for theirs in other.matched)


def _clear(one: Line, other: Line) -> bool:
    """True if nothing that the one leaves out by itself is among the names of the other (single hosts alone)."""
    return all(p.is_exact and not any(_contains(out, p) for out in one.unmatched) for p in other.matched)


def _contains(one: HostPattern, other: HostPattern) -> bool:
    return one == other or contains(one, other)


def _addresses(lines: list[Line]) -> list[Line]:
    """The lines by address that no other of the same or more ports holds."""
    by_ports: dict[ranges.Ranges, list[Line]] = defaultdict(list)
    for line in lines:
        if line.addresses is not None:
            by_ports[line.ports].append(line)
    result: list[Line] = []
    for ports, some in by_ports.items():
        wider = [
            line.addresses
            for other, held in by_ports.items()
            if other != ports and ranges.contain(other, ports)
            for line in held
            if line.addresses is not None
        ]
        covered = union_of(wider) if wider else AddressSet()
        kept: list[Line] = []
        # The pieces of a format are nested or apart: from the widest on, one that stays is found by where it begins.
        stay = _Pieces()
        more: dict[int, list[tuple[Rule, ...]]] = {}
        for line in sorted(some, key=lambda each: (-_size(each), each.sort_key)):
            assert line.addresses is not None
            if covered.contains(line.addresses):
                continue
            holder = stay.holding(line.addresses)
            if holder is None:
                stay.add(line.addresses, len(kept))
                kept.append(line)
            else:
                more.setdefault(holder, []).append(line.rules)
        result += [line.with_rules(*more[n]) if n in more else line for n, line in enumerate(kept)]
    return result


def _size(line: Line) -> int:
    assert line.addresses is not None
    return line.addresses.size


class _Pieces:
    """Address pieces, each a single range, and which of them holds another."""

    def __init__(self) -> None:
        self._by_size: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)

    def add(self, piece: AddressSet, number: int) -> None:
        family, first, last = _range(piece)
        self._by_size[family, last - first + 1][first] = number

    def holding(self, piece: AddressSet) -> int | None:
        """The number of a piece that holds this one; for networks exact, for other ranges only where it is the same."""
        family, first, last = _range(piece)
        for (other, size), starts in self._by_size.items():
            if other != family:
                continue
            at = starts.get(first // size * size if size & (size - 1) == 0 else first)
            if at is not None and last < (first // size * size if size & (size - 1) == 0 else first) + size:
                return at
        return None


def _range(piece: AddressSet) -> tuple[int, int, int]:
    ((first, last),) = piece.v4 or piece.v6
    return (4 if piece.v4 else 6, first, last)
