"""A list that people keep by hand, compared with what the policy wants in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.exports_judge import Requests
from egressc.exports_wanted import address_reach, name_reach
from egressc.flows import boxes
from egressc.flows_index import uncovered
from egressc.hosts import HostPattern
from egressc.policy import HostEndpoint, TagEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from egressc.exports import Entry, Line, Lowered, ReadEntry, ReadList
    from egressc.exports_wanted import Wanted
    from egressc.flows import Flow
    from egressc.policy import Rule


@dataclass(frozen=True, slots=True, eq=False)
class Beyond:
    """An entry of the list that matches more than the policy wants: its line there, and a request that shows it.

    ``clients`` are those that read it so; empty where all do.
    """

    text: str
    line: int
    example: Flow
    clients: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Lacking:
    """What the policy wants and the list does not match: the rules, and how the format spells it."""

    rules: tuple[Rule, ...]
    entries: tuple[str, ...]
    example: Flow
    clients: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Unread:
    """An entry of which nobody knows what it matches, or that matches less than it seems, and why."""

    text: str
    line: int
    why: str
    clients: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparison of one list. ``unavoidable`` counts entries that say more, or less, because the format must."""

    beyond: tuple[Beyond, ...]
    lacks: tuple[Lacking, ...]
    unknown: tuple[Unread, ...]
    unavoidable: int
    remarks: tuple[str, ...]
    entries: int

    @property
    def is_equal(self) -> bool:
        """True if the list matches what the policy wants, as far as its format can, and that is known."""
        return not (self.beyond or self.lacks or self.unknown)


def compared(
    read: ReadList,
    want: Wanted,
    lowered: Sequence[Lowered],
    own: Requests,
    spell: Callable[[Line], str],
    clients: str = "",
) -> Compared:
    """What the list says beyond the policy, what it lacks. ``own`` is what egressc's list would match."""
    asked = Requests(want.reaches)
    sure = Requests(entry.reach for entry in read.entries if not entry.doubt)
    beyond: list[Beyond] = []
    unavoidable = 0
    for entry in read.entries:
        if entry.doubt or asked.lacks(entry.reach) is None:
            continue
        flow = _outside(entry, asked, own)
        if flow is None:
            unavoidable += 1
        else:
            beyond.append(Beyond(entry.text, entry.line, flow, clients))
    lacks: list[Lacking] = []
    for each in lowered:
        flow = _lacking(each.entry, sure)
        if flow is None:
            continue
        if _lacking(each.entry, own) is not None and all(sure.lacks(line.reach) is None for line in each.lines):
            unavoidable += 1
        else:
            lacks.append(Lacking(each.entry.rules, tuple(spell(line) for line in each.lines), flow, clients))
    unknown = [Unread(e.text, e.line, e.doubt, clients) for e in read.entries if e.doubt]
    for each in lowered:
        if isinstance(each.entry.what, TagEndpoint):
            why = "nobody knows its addresses: name Azure's file as `service-tags` in the inventory"
            unknown.append(Unread(each.entry.what.text, 0, why, clients))
    return Compared(
        _each_once(beyond),
        tuple(lacks),
        tuple(unknown),
        unavoidable,
        read.remarks,
        len({(e.line, e.text) for e in read.entries}),
    )


def _outside(entry: ReadEntry, asked: Requests, own: Requests) -> Flow | None:
    """A request of the entry that neither the policy wants nor egressc's own list matches."""
    by_name = isinstance(entry.reach.endpoints[0], HostEndpoint)
    indexes = (asked.names, own.names) if by_name else (asked.addresses, own.addresses)
    return uncovered(boxes(entry.reach, {}), (), indexes)


def _lacking(entry: Entry, among: Requests) -> Flow | None:
    if isinstance(entry.what, TagEndpoint):
        return None
    return among.lacks(name_reach(entry) if isinstance(entry.what, HostPattern) else address_reach(entry))


def _each_once(found: Iterable[Beyond]) -> tuple[Beyond, ...]:
    """What stands for everything is two entries, of names and of addresses: it is said once."""
    kept: dict[tuple[int, str], Beyond] = {}
    for each in found:
        kept.setdefault((each.line, each.text), each)
    return tuple(kept.values())


def together(parts: Sequence[Compared]) -> Compared:
    """The comparisons of several clients as one; what all of them say alike is said once, of all."""
    if len(parts) == 1:
        return parts[0]
    beyond: dict[tuple[object, ...], list[Beyond]] = {}
    lacks: dict[tuple[object, ...], list[Lacking]] = {}
    unknown: dict[tuple[object, ...], list[Unread]] = {}
    for part in parts:
        for more in part.beyond:
            beyond.setdefault((more.line, more.text), []).append(more)
        for less in part.lacks:
            lacks.setdefault((tuple(r.identity for r in less.rules), less.entries), []).append(less)
        for unread in part.unknown:
            unknown.setdefault((unread.line, unread.text, unread.why), []).append(unread)

    def named(some: Sequence[Beyond | Lacking | Unread]) -> str:
        return "" if len(some) == len(parts) else ", ".join(each.clients for each in some)

    return Compared(
        tuple(Beyond(some[0].text, some[0].line, some[0].example, named(some)) for some in beyond.values()),
        tuple(Lacking(some[0].rules, some[0].entries, some[0].example, named(some)) for some in lacks.values()),
        tuple(Unread(some[0].text, some[0].line, some[0].why, named(some)) for some in unknown.values()),
        max(part.unavoidable for part in parts),
        tuple(dict.fromkeys(remark for part in parts for remark in part.remarks)),
        max(part.entries for part in parts),
    )
