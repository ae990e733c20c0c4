"""Which sets each domain feeds: the label tree behind the `ipset=` lines.

dnsmasq takes the one line whose domain fits a name best. So a line carries the sets of its own domain and of all the
domains above it, less those from which the domain is taken out; if none is left, a void set that no rule asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from egressc.naming import digest
from egressc.targets.iptables.capabilities import RESOLVER_LINE
from egressc.targets.iptables.model import DomainLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

VOID: Final = "egc_void"
"""The sets that a domain feeds which must feed no other. No rule asks for them."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A pair of sets, the domains that fill it, those taken out of these, and the keys of the denies that cut it."""

    stem: str
    domains: tuple[str, ...]
    excluded: frozenset[str] = frozenset()
    barred: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Barrier:
    """The domains of a deny, and those taken out of these."""

    key: str
    domains: tuple[str, ...]
    excluded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Feeding:
    """The lines, by domain from the right, and for each feed the stems that a rule must ask for instead of its own.

    Where more sets meet at a domain than a line can carry, they share one more pair (a *bundle*); ``stems`` names for
    each feed the pairs that some line fills: its own, bundles, or none if nothing is left of it.
    """

    lines: tuple[DomainLine, ...]
    stems: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _State:
    """What holds at a domain: sets fed (before anything is taken out), sets shut off, denies in force, sets shown."""

    fed: tuple[str, ...]
    shut: frozenset[str]
    denied: frozenset[str]
    lifted: frozenset[str]
    shown: tuple[str, ...]


_ALWAYS_FIT: Final = 20
"""So many pairs of sets stand on a line with any domain: each takes 34 characters, a domain at most 253."""

_OUTSIDE: Final = _State((), frozenset(), frozenset(), frozenset(), ())


class _Bundles:
    """Pairs of sets that stand for several."""

    def __init__(self) -> None:
        self.members: dict[str, tuple[str, ...]] = {}

    def of(self, stem: str) -> tuple[str, ...]:
        """The sets that a stem stands for: itself if it is no bundle."""
        return self.members.get(stem, (stem,))

    def fitting(self, domain: str, stems: tuple[str, ...]) -> tuple[str, ...]:
        """The stems as the line of the domain can carry them."""
        if len(stems) <= _ALWAYS_FIT:
            return stems
        room = RESOLVER_LINE - len("ipset=//") - len(domain)
        if sum(2 * len(stem) + 6 for stem in stems) - 1 <= room:
            return stems
        inside = tuple(sorted({member for stem in stems for member in self.of(stem)}))
        name = f"egb_{digest(' '.join(inside), 10)}"
        self.members[name] = inside
        return (name,)


def feeding(feeds: Sequence[Feed], barriers: Sequence[Barrier]) -> Feeding:
    """The lines for all feeds. Near-linear: a domain looks up those above it, label by label."""
    own: dict[str, list[str]] = {}
    shut: dict[str, list[str]] = {}
    denied: dict[str, list[str]] = {}
    lifted: dict[str, list[str]] = {}
    cut: dict[str, set[str]] = {}
    for feed in feeds:
        _put(own, feed.domains, feed.stem)
        _put(shut, feed.excluded, feed.stem)
        for key in feed.barred:
            cut.setdefault(key, set()).add(feed.stem)
    for barrier in barriers:
        if barrier.key in cut:
            _put(denied, barrier.domains, barrier.key)
            _put(lifted, barrier.excluded, barrier.key)
    bundles = _Bundles()
    states: dict[str, _State] = {}
    lines = []
    for domain in sorted({*own, *shut, *denied, *lifted}, key=lambda d: (d.count("."), d)):
        above = _above(states, domain)
        fed = bundles.fitting(domain, _added(above.fed, own.get(domain, ())))
        now_shut = above.shut.union(shut[domain]) if domain in shut else above.shut
        now_denied = above.denied.union(denied[domain]) if domain in denied else above.denied
        now_lifted = above.lifted.union(lifted[domain]) if domain in lifted else above.lifted
        shown = fed
        if now_shut or now_denied:
            off = set(now_shut).union(*(cut[key] for key in now_denied - now_lifted))
            shown = bundles.fitting(domain, _left(fed, off, bundles))
        states[domain] = _State(fed, now_shut, now_denied, now_lifted, shown)
        if shown != above.shown:
            lines.append(DomainLine(domain, shown or (VOID,)))
    lines.sort(key=lambda line: line.domain.split(".")[::-1])
    return Feeding(tuple(lines), _asked(feeds, lines, bundles))


def _above(states: dict[str, _State], domain: str) -> _State:
    """What holds at the nearest domain above one."""
    at = domain.find(".")
    while at >= 0:
        domain = domain[at + 1 :]
        if domain in states:
            return states[domain]
        at = domain.find(".")
    return _OUTSIDE


def _put(table: dict[str, list[str]], domains: Iterable[str], value: str) -> None:
    for domain in domains:
        table.setdefault(domain, []).append(value)


def _added(stems: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*stems, *more))) if more else stems


def _left(stems: tuple[str, ...], off: set[str], bundles: _Bundles) -> tuple[str, ...]:
    """The stems without the sets that are off; a bundle that holds one of them gives way to what is left of it."""
    left: dict[str, None] = {}
    for stem in stems:
        members = bundles.of(stem)
        if off.isdisjoint(members):
            left[stem] = None
        else:
            left.update(dict.fromkeys(member for member in members if member not in off))
    return tuple(left)


def _asked(feeds: Sequence[Feed], lines: Iterable[DomainLine], bundles: _Bundles) -> dict[str, tuple[str, ...]]:
    """For each feed the stems that some line fills."""
    filled: dict[str, list[str]] = {feed.stem: [] for feed in feeds}
    for stem in dict.fromkeys(stem for line in lines for stem in line.stems if stem != VOID):
        for member in bundles.of(stem):
            filled[member].append(stem)
    return {stem: tuple(sorted(found)) for stem, found in filled.items()}
