"""What a dnsmasq feeds to sets, from its configuration.

`ipset=/DOMAIN/SETS`: the addresses that the domain, or a name below it, resolves to go into the sets. A name goes by
the longest domain that fits it and by no other line (dnsmasq 2.90, src/forward.c, `domain_find_sets`; measured). A `*`
in a domain matches nothing. Without slashes, and for the domain `#`, every name is meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from egressc.meaning import UnreadableError
from egressc.targets.iptables.live import Zones

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_RESOLVER: Final = re.compile(
    r"^(?:ipset|nftset|server|address|local|max-cache-ttl|cache-size|listen-address|interface|bind-interfaces|no-resolv"
    r"|no-hosts|port|user|conf-dir|domain-needed|bogus-priv|resolv-file)\s*(?:=|$)",
    re.MULTILINE,
)
LINE: Final = 1_024
"""Bytes of the buffer that dnsmasq reads a line into (src/dnsmasq.h, MAXDNAME of `read_file`'s buffer)."""

_EVERY: Final = ""
"""The domain above every other."""


@dataclass(slots=True)
class Resolver:
    """A configuration being read: which sets each domain feeds, how long answers stay in the cache.

    ``cached`` is ``None`` where the answer's own time decides.
    """

    lines: dict[str, frozenset[str]] = field(default_factory=dict)
    twice: dict[str, frozenset[str]] = field(default_factory=dict)
    cached: int | None = None
    is_there: bool = False
    remarks: list[str] = field(default_factory=list)

    def read(self, text: str, file: str) -> None:
        """Read a file. Raises ``UnreadableError`` for a line that dnsmasq would refuse."""
        self.is_there = True
        for number, raw in enumerate(text.splitlines(), 1):
            line = raw.strip()
            if not line or line[0] == "#":
                continue
            option, _, value = line.partition("=")
            option, value = option.strip(), value.strip()
            if option == "ipset":
                if len(line.encode()) > LINE:
                    raise UnreadableError(f"this line is longer than {LINE} bytes", file, number)
                self._feed(value, file, number)
            elif option == "max-cache-ttl" and value.isdigit():
                self.cached = int(value)
            elif option == "cache-size" and value == "0":
                self.cached = 0
            elif option in {"conf-file", "conf-dir", "servers-file", "nftset"}:
                self.remarks.append(f"{file}:{number}: `{option}` is not followed")

    def zones(self) -> dict[str, Zones]:
        """For each set the names that feed it. Linear in what the lines carry."""
        marks = {domain: self.lines[domain] for domain in sorted(self.lines, key=_depth)}
        turns: dict[str, list[tuple[str, bool]]] = {}
        nearest: dict[str, str | None] = {}
        for domain, sets in marks.items():
            above = nearest[domain] = next((each for each in _above(domain) if each in marks), None)
            held = marks[above] if above is not None else frozenset()
            for name in sorted(sets ^ held):
                turns.setdefault(name, []).append((domain, name in sets))
        return {name: Zones(self._layers(name, turned, nearest), self._doubt(name)) for name, turned in turns.items()}

    def _feed(self, value: str, file: str, number: int) -> None:
        *domains, sets = value.split("/")
        if not sets or (domains and domains[0]):
            raise UnreadableError(f"`ipset={value[:60]}` names no set", file, number)
        held = frozenset(each for each in sets.split(",") if each)
        for text in domains[1:] or ["#"]:
            domain = _EVERY if text == "#" else text.strip(".").lower()
            if "*" in domain:
                self.remarks.append(f"{file}:{number}: `{text}` matches no name: dnsmasq knows no `*`")
                continue
            known = self.lines.get(domain)
            if known is not None and known != held:
                self.twice[domain] = self.twice.get(domain, known) | held
            self.lines[domain] = held if known is None else known | held

    def _layers(
        self, name: str, turned: Iterable[tuple[str, bool]], nearest: dict[str, str | None]
    ) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
        layers: dict[int, tuple[list[str], list[str]]] = {}
        alone = all(is_on for _, is_on in turned)
        for domain, is_on in turned:
            depth = 0 if alone else (self._turns_above(name, domain, nearest) - 1) // 2
            layers.setdefault(depth, ([], []))[0 if is_on else 1].append(domain)
        return tuple([(tuple(names), tuple(out)) for names, out in layers.values()])

    def _turns_above(self, name: str, domain: str, nearest: dict[str, str | None]) -> int:
        """How often it changes, from the top down to the domain, whether the set is fed."""
        count = 0
        at: str | None = domain
        while at is not None:
            above = nearest[at]
            count += (name in self.lines[at]) is not (above is not None and name in self.lines[above])
            at = above
        return count

    def _doubt(self, name: str) -> str:
        for domain, sets in self.twice.items():
            if name in sets:
                return f"`{domain}` stands on two lines of the resolver, of which one counts"
        return ""


def is_resolver(text: str) -> bool:
    """True if the text configures dnsmasq."""
    return _RESOLVER.search(text) is not None


def _depth(domain: str) -> tuple[int, str]:
    return (domain.count(".") + 1 if domain else 0, domain)


def _above(domain: str) -> Iterator[str]:
    """The domains above one, the nearest first, and the one above every other."""
    if not domain:
        return
    at = domain.find(".")
    while at >= 0:
        yield domain[at + 1 :]
        at = domain.find(".", at + 1)
    yield _EVERY
