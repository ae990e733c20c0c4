"""What an application rule looks at: HTTP and HTTPS are told apart, while a flow knows its port alone.

A connection to a name on a port is one flow, whatever is spoken. It is let through if there is a way to speak that is
let through; so a rule that denies HTTPS on a port does not deny what a rule behind it allows of HTTP on that port.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc import ranges
from egressc.host_index import HostIndex
from egressc.quick_init import quick_init

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.ranges import Ranges
    from egressc.targets.azure_firewall.meaning_match import Senders
    from egressc.targets.azure_firewall.meaning_names import Tests


@quick_init
@dataclass(frozen=True, slots=True)
class Entry:
    """An application rule as it is matched: ``http``, ``https`` and ``other`` are the ports of each protocol.

    ``collection`` is the number of its collection in the order of processing.
    """

    name: str
    place: str
    collection: int
    allows: bool | None
    tests: Tests
    senders: Senders
    http: Ranges
    https: Ranges
    other: Ranges
    terminates: bool | None
    has_urls: bool
    doubt: str


def senders_meet(some: Senders, others: Senders) -> bool:
    """True if a source may be in both: who is in an IP group that only Azure knows, nobody can say."""
    return some is others or any(
        a_objects.meets(b_objects) and a.overlaps(b) for a, a_objects in some for b, b_objects in others
    )


def escaping(entries: Sequence[Entry]) -> dict[int, Ranges]:
    """For denies by their number: the ports on which a later rule allows their names by the other protocol.

    Rules of one collection have one action, so their order counts for nothing, and another rule of the collection with
    the same names and sources may be about the other protocol.
    """
    http = _together([entry.http for entry in entries if entry.allows is not False])
    https = _together([entry.https for entry in entries if entry.allows is not False])
    found: dict[int, Ranges] = {}
    last = max((at for at, entry in enumerate(entries) if entry.allows is not False), default=-1)
    partners: dict[tuple[object, ...], tuple[Ranges, Ranges]] | None = None
    index: HostIndex[int] | None = None
    for at, entry in enumerate(entries):
        if at > last:
            break
        if entry.allows is not False or not _open(entry.http, entry.https, http, https):
            continue
        partners = _partners(entries) if partners is None else partners
        ports = _open(*partners[_key(entry)], http, https)
        ports = ranges.intersection(ports, ranges.union(entry.http, entry.https))
        if not ports:
            continue
        if index is None:
            allows = [(n, e) for n, e in enumerate(entries) if e.allows is not False]
            index = HostIndex([(pattern, n) for n, e in allows for pattern, _ in e.tests])
        if _meets_later(at, entries, ports, index):
            found[at] = ports
    return found


def _meets_later(at: int, entries: Sequence[Entry], ports: Ranges, index: HostIndex[int]) -> bool:
    entry = entries[at]
    for pattern, _ in entry.tests:
        for number in index.intersecting(pattern):
            other = entries[number]
            crosses = ranges.overlap(ranges.intersection(ports, other.http), entry.https) or ranges.overlap(
                ranges.intersection(ports, other.https), entry.http
            )
            if number > at and crosses and senders_meet(entry.senders, other.senders):
                return True
    return False


def _open(http: Ranges, https: Ranges, allowed_http: Ranges, allowed_https: Ranges) -> Ranges:
    """The ports on which something allows the protocol that is not denied there."""
    one = ranges.intersection(ranges.difference(https, http), allowed_http)
    other = ranges.intersection(ranges.difference(http, https), allowed_https)
    return ranges.union(one, other)


def _together(some: list[Ranges]) -> Ranges:
    return ranges.merged([each for held in dict.fromkeys(some) for each in held])


def _key(entry: Entry) -> tuple[object, ...]:
    return entry.collection, entry.tests, id(entry.senders)


def _partners(entries: Sequence[Entry]) -> dict[tuple[object, ...], tuple[Ranges, Ranges]]:
    """The ports of both protocols that rules of one collection with the same names and sources deny together."""
    found: dict[tuple[object, ...], tuple[Ranges, Ranges]] = {}
    for entry in entries:
        if entry.allows is False and not entry.doubt:
            http, https = found.get(_key(entry), ((), ()))
            found[_key(entry)] = ranges.union(http, entry.http), ranges.union(https, entry.https)
    for entry in entries:
        found.setdefault(_key(entry), (entry.http, entry.https))
    return found
