"""Names as dnsmasq can say them: whole domains, each with everything below it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from egressc.hosts import HostPattern, covered, example, minimise
from egressc.policy import HostEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from egressc.policy import Endpoint


@dataclass(frozen=True, slots=True)
class Widened:
    """Hosts on their way to domains. Each stage is ``None`` where it changes nothing.

    ``plain``: without wildcards inside a label or between labels; ``apexes``: each `*.` with its base; ``whole``: each
    name with everything below it. ``domains`` are what the last stage says, none below another, sorted.
    """

    plain: tuple[HostEndpoint, ...] | None
    apexes: tuple[HostEndpoint, ...] | None
    whole: tuple[HostEndpoint, ...] | None
    domains: tuple[str, ...]


def widened(patterns: Sequence[HostPattern]) -> Widened:
    """The stages by which hosts become whole domains."""
    if len(patterns) == 1 and patterns[0].is_tree:
        (pattern,) = patterns
        domain = ".".join(pattern.labels)
        both = _domain(domain)
        return Widened(None, both, None, (domain,)) if pattern.deep else Widened(None, None, both, (domain,))
    plain = None
    if any(not p.is_tree for p in patterns):
        patterns = minimise(p if p.is_tree else HostPattern(p.tail, deep=True) for p in patterns)
        plain = tuple(map(HostEndpoint, patterns))
    bases = {".".join(p.labels) for p in patterns if p.deep}
    names = {p.text for p in patterns if not p.deep}
    apexes = None
    lacking = bases - names
    if lacking:
        apexes = (*map(HostEndpoint, patterns), *(_domain(base)[0] for base in sorted(lacking)))
    domains = topmost(bases | names)
    whole = None
    if any(name not in bases and name in domains for name in names):
        whole = tuple(endpoint for domain in sorted(domains) for endpoint in _domain(domain))
    return Widened(plain, apexes, whole, tuple(sorted(domains)))


def whole_domains(excluded: Sequence[Endpoint], of: Sequence[Endpoint]) -> tuple[frozenset[str], tuple[Endpoint, ...]]:
    """The domains that stand for the excluded hosts, and the exclusions that no domain can stand for.

    A domain goes with everything below it, so it can stand for an exclusion only if what else it takes along is
    excluded too, or is none of the hosts of ``of``. Paths and addresses are none of its business: the first cannot be
    said, the second are passed over.
    """
    hosts = [e for e in excluded if isinstance(e, HostEndpoint)]
    if not hosts:
        return frozenset(), ()
    inside = [e.pattern for e in of if isinstance(e, HostEndpoint)]
    said = [e for e in hosts if e.path is None and e.pattern.is_tree]
    while True:
        # What one exclusion takes along may rest on another, so that must be said, too.
        patterns = [e.pattern for e in said]
        kept = [e for e in said if _takes_no_more(e.pattern, patterns, inside)]
        if len(kept) == len(said):
            break
        said = kept
    domains = {".".join(e.pattern.labels) for e in said}
    known = set(said)
    return frozenset(topmost(domains)), tuple(e for e in hosts if e not in known)


def _takes_no_more(pattern: HostPattern, excluded: Sequence[HostPattern], inside: Sequence[HostPattern]) -> bool:
    """True if what a domain takes along besides the pattern is excluded too, or is none of the hosts inside."""
    other = HostPattern(pattern.labels, deep=not pattern.deep)
    return covered(other, excluded) or not any(example((other, p), excluded) for p in inside)


def endpoints_of(domains: Iterable[str]) -> tuple[HostEndpoint, ...]:
    """Each domain and what is below it, as the policy would say it."""
    return tuple(endpoint for domain in sorted(domains) for endpoint in _domain(domain))


def topmost(domains: set[str]) -> set[str]:
    """The domains that are not below another one of them."""
    if len(domains) < 2:
        return domains
    return {domain for domain in domains if not any(above in domains for above in parents(domain))}


def parents(domain: str) -> Iterable[str]:
    """The domains above one, the nearest first."""
    at = domain.find(".")
    while at >= 0:
        yield domain[at + 1 :]
        at = domain.find(".", at + 1)


class DomainIndex:
    """Numbers by domain, found by a domain that contains theirs or lies in it."""

    def __init__(self, items: Iterable[tuple[str, int]]) -> None:
        self._own: dict[str, list[int]] = {}
        for domain, number in items:
            self._own.setdefault(domain, []).append(number)
        self._ordered = sorted((_from_the_right(domain), domain) for domain in self._own)

    def overlapping(self, domain: str) -> Iterator[int]:
        """The numbers of the domains that share a name with this one (a number may come more than once)."""
        for above in (domain, *parents(domain)):
            yield from self._own.get(above, ())
        start = _from_the_right(domain)
        at = bisect_left(self._ordered, (start, ""))
        while at < len(self._ordered) and self._ordered[at][0].startswith(start):
            if self._ordered[at][1] != domain:
                yield from self._own[self._ordered[at][1]]
            at += 1


def _from_the_right(domain: str) -> str:
    """The labels from the right, each with a dot behind it: what is below a domain begins as the domain does."""
    return "".join([f"{label}." for label in reversed(domain.split("."))])


@lru_cache(maxsize=65536)
def _domain(domain: str) -> tuple[HostEndpoint, HostEndpoint]:
    labels = tuple(domain.split("."))
    return HostEndpoint(HostPattern(labels)), HostEndpoint(HostPattern(labels, deep=True))
