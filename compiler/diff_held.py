"""Lines that say no more than others do: what a wider line holds is left out, what another one adds is no hole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diff_cells import OTHER
from egressc.diff_endpoints import hosts_meet, is_within
from egressc.flows import addresses_of
from egressc.flows_intervals import Intervals
from egressc.host_index import HostIndex
from egressc.policy import HostEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from egressc.addresses import AddressSet
    from egressc.diff_words import Line
    from egressc.hosts import HostPattern


def without_held(lines: Sequence[Line], tags: Mapping[str, AddressSet]) -> list[Line]:
    """The lines but for those that another line holds: the same or more senders, accounts, ports and endpoints."""
    _fill_holes(lines)
    near = _Near(lines, tags)
    gone: set[int] = set()
    for number, line in enumerate(lines):
        for other in near.of(line):
            wide = lines[other]
            if other == number or other in gone or not _holds(wide, line, tags):
                continue
            wide.rules.update(line.rules)
            wide.there.update(line.there)
            gone.add(number)
            break
    return [line for number, line in enumerate(lines) if number not in gone]


def _fill_holes(lines: Sequence[Line]) -> None:
    """What a line leaves out and another one tells whole, for the same senders, is not left out."""
    by_text: dict[tuple[object, ...], list[Line]] = {}
    for line in lines:
        if line.endpoint is not None and not line.within and not line.beyond:
            by_text.setdefault((line.endpoint.text, line.before, line.after), []).append(line)
    for wide in lines:
        if not wide.beyond:
            continue
        left = []
        for endpoint, ports in wide.beyond:
            # A line about addresses may say more than changed where a rule decides by names, and the reverse.
            same_kind = isinstance(endpoint, HostEndpoint) is isinstance(wide.endpoint, HostEndpoint)
            told = by_text.get((endpoint.text, wide.before, wide.after), ()) if same_kind else ()
            if not any(line is not wide and _who_holds(line, wide) and line.ports.contains(ports) for line in told):
                left.append((endpoint, ports))
        wide.beyond = tuple(left)


class _Near:
    """The lines whose endpoint may hold that of another line."""

    def __init__(self, lines: Sequence[Line], tags: Mapping[str, AddressSet]) -> None:
        self._tags = tags
        hosts: list[tuple[HostPattern, int]] = []
        intervals: list[tuple[int | str, int, int, int]] = []
        self._everywhere: list[int] = []
        for number, line in enumerate(lines):
            if isinstance(line.endpoint, HostEndpoint):
                hosts.append((line.endpoint.pattern, number))
                continue
            known = None if line.endpoint is None else addresses_of(line.endpoint, tags)
            if known is None:
                self._everywhere.append(number)
                continue
            intervals.extend((4, first, last, number) for first, last in known.v4)
            intervals.extend((6, first, last, number) for first, last in known.v6)
        self._hosts: HostIndex[int] = HostIndex(hosts)
        self._intervals = Intervals(intervals)

    def of(self, line: Line) -> Iterable[int]:
        """The numbers of such lines, in order."""
        found = set(self._everywhere)
        if isinstance(line.endpoint, HostEndpoint):
            found.update(self._hosts.intersecting(line.endpoint.pattern))
            return sorted(found)
        known = None if line.endpoint is None else addresses_of(line.endpoint, self._tags)
        if known is not None:
            for family, ranges in ((4, known.v4), (6, known.v6)):
                for first, last in ranges[:1]:
                    found.update(self._intervals.meeting(family, first, last))
        return sorted(found)


def _who_holds(wide: Line, line: Line) -> bool:
    if not wide.parties >= line.parties or (OTHER in line.accounts and OTHER not in wide.accounts):
        return False
    named = line.accounts | (wide.left if OTHER in line.accounts else frozenset())
    return all(not _is_of(line, name) or _is_of(wide, name) for name in named)


def _is_of(line: Line, name: str) -> bool:
    """True if the line is about an account, which it may not name."""
    return name in line.accounts or (OTHER in line.accounts and name not in line.left)


def _holds(wide: Line, line: Line, tags: Mapping[str, AddressSet]) -> bool:
    if (wide.before, wide.after) != (line.before, line.after) or wide.endpoint is None or line.endpoint is None:
        return False
    if not wide.ports.contains(line.ports) or not is_within(line.endpoint, wide.endpoint, tags):
        return False
    if not _who_holds(wide, line) or not set(wide.within) <= set(line.within):
        return False
    without = dict(line.beyond)
    for endpoint, ports in wide.beyond:
        if isinstance(endpoint, HostEndpoint) and isinstance(line.endpoint, HostEndpoint):
            if not hosts_meet(endpoint, line.endpoint):
                continue
        elif not isinstance(endpoint, HostEndpoint) and not isinstance(line.endpoint, HostEndpoint):
            mine, theirs = addresses_of(line.endpoint, tags), addresses_of(endpoint, tags)
            if mine is not None and theirs is not None and not mine.overlaps(theirs):
                continue
        held = without.get(endpoint)
        if held is None or not held.contains(ports.intersection(line.ports)):
            return False
    return True
