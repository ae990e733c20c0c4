"""Access lists of proxies: rules of named tests that must all hold, read into what they match."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from egressc import ranges
from egressc.addresses import ALL, AddressSet
from egressc.exports import ANY_NAME, ANY_PORT, ReadEntry
from egressc.exports_read import by_address, by_name
from egressc.host_index import HostIndex
from egressc.hosts import HostPattern, contains
from egressc.policy import HostEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.ranges import Ranges


@dataclass(slots=True)
class Test:
    """One named test, true if any of its parts is.

    ``hosts`` are groups of patterns as they were written, one for each word. ``unread`` says what of it could not be
    interpreted; ``whom`` that it looks at who asks, which a list does not. ``paths`` are prefixes, ``urls`` hosts with
    their paths.
    """

    hosts: list[tuple[HostPattern, ...]] = field(default_factory=list)
    addresses: AddressSet = field(default_factory=AddressSet)
    ports: Ranges = ()
    paths: list[str] = field(default_factory=list)
    urls: list[HostEndpoint] = field(default_factory=list)
    everything: bool = False
    whom: bool = False
    unread: str = ""


@dataclass(slots=True)
class Before:
    """What earlier rules take away from those behind them."""

    out: list[HostEndpoint] = field(default_factory=list)
    ports: Ranges = ANY_PORT
    doubt: str = ""
    ended: bool = False

    def add(self, terms: Sequence[tuple[bool, Test]], line: int) -> None:
        """A rule with another outcome: what it takes away as far as that can be said, else a doubt for the rest."""
        if terms and all(test.whom for _, test in terms):
            return  # it is for some of those who ask, whom a list does not tell apart
        if all(test.everything and not no for no, test in terms):
            self.ended = True
        elif len(terms) == 1 and terms[0][1].ports and not _others(terms[0][1]):
            ((no, test),) = terms
            self.ports = (ranges.intersection if no else ranges.difference)(self.ports, test.ports)
        elif (
            len(terms) == 1 and not terms[0][0] and terms[0][1].hosts and not (terms[0][1].unread or terms[0][1].ports)
        ):
            self.out += [HostEndpoint(each) for group in terms[0][1].hosts for each in group]
            if not terms[0][1].addresses.is_empty:
                self.doubt = f"the rule in line {line} comes first, and may take it"
        else:
            self.doubt = f"the rule in line {line} comes first, and may take it"


def _others(test: Test) -> bool:
    return bool(test.hosts or test.paths or test.urls or test.unread or not test.addresses.is_empty)


def matched(terms: Sequence[tuple[bool, Test]], before: Before, text: str, line: int) -> Iterator[ReadEntry]:
    """What a rule matches whose tests (``True``: negated) must all hold."""
    ports, doubt = before.ports, before.doubt
    out, kept_out = list(before.out), AddressSet()
    path: str | None = None
    held: Test | None = None
    partly = ""
    for no, test in terms:
        if test.whom or (test.everything and not no):
            continue
        mixed = "names or ports are one test" if test.ports and _others(test) else test.unread
        if mixed and not no and (test.hosts or not test.addresses.is_empty):
            partly = mixed  # what was read is matched, and what was not read may be matched as well
        elif mixed:
            doubt = mixed
        if test.everything:
            return
        if test.ports and not _others(test):
            ports = (ranges.difference if no else ranges.intersection)(ports, test.ports)
        elif no:
            out += [HostEndpoint(each) for group in test.hosts for each in group] + test.urls
            kept_out = kept_out.union(test.addresses)
            doubt = "it leaves out paths" if test.paths else doubt
        elif test.paths:
            doubt = "several paths are tested" if path is not None or len(test.paths) > 1 else doubt
            path = test.paths[0]
        elif test.hosts or not test.addresses.is_empty:
            doubt = "two tests of where it goes must both hold" if held is not None else doubt
            held = held or test
        elif not test.unread:
            return  # a test that nothing was given for
    if not ports:
        return
    if held is None:
        held = Test(hosts=[(ANY_NAME,)], addresses=ALL)
    elif not kept_out.is_empty and held.hosts:
        doubt = doubt or "addresses are left out, which a list does not see behind a name"
    index = HostIndex([(each.pattern, each) for each in out])
    for group in held.hosts:
        inside, left = _less(group, sorted(set(index_of(index, group)), key=lambda each: each.text))
        if inside:
            yield by_name(inside, text, line, ports=ports, path=path, out=left, doubt=doubt)
    if partly:
        yield by_name((ANY_NAME,), text, line, ports=ports, doubt=partly)
        yield by_address(ALL, text, line, ports=ports, doubt=partly)
    left_addresses = held.addresses.difference(kept_out)
    if not left_addresses.is_empty:
        yield by_address(left_addresses, text, line, ports=ports, doubt=doubt)


def index_of(index: HostIndex[HostEndpoint], group: tuple[HostPattern, ...]) -> Iterator[HostEndpoint]:
    """What of an index has to do with a group of patterns."""
    for pattern in group:
        yield from index.intersecting(pattern)


def _less(
    group: tuple[HostPattern, ...], out: Sequence[HostEndpoint]
) -> tuple[tuple[HostPattern, ...], tuple[HostEndpoint, ...]]:
    """The patterns that nothing left out holds as a whole, and what is still left out of them."""
    whole = [each.pattern for each in out if each.path is None]
    inside = tuple([p for p in group if not any(p == o or contains(o, p) for o in whole)])
    own = {p.text for p in group} - {p.text for p in inside}
    return inside, tuple([each for each in out if each.path is not None or each.pattern.text not in own])
