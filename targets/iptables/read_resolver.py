"""What a dnsmasq feeds to sets, from its configuration.

`ipset=/DOMAIN/SETS`: the addresses that the domain, or a name below it, resolves to go into the sets. A name goes by
the longest domain that fits it and by no other line (dnsmasq 2.90, src/forward.c, `domain_find_sets`; measured). A `*`
in a domain matches nothing. Without slashes, and for the domain `#`, every name is meant. What dnsmasq answers from its
own configuration goes into no set (measured: `address`, `local`, `host-record`).
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

_TOKEN: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"|(?<!\s)#|[^"#])*')
"""A line up to its comment: a `#` behind a blank and outside of quotes (dnsmasq 2.90, src/option.c, `read_file`)."""

_FILTERS: Final = frozenset({"filter-A", "filter-AAAA", "filter-rr", "stop-dns-rebind"})
"""Options by which addresses are taken out of answers (dnsmasq(8))."""


@dataclass(slots=True)
class Resolver:
    """A configuration being read: which sets each domain feeds, how long answers stay in the cache.

    ``own`` are domains that it answers for by itself, and whether also for what is below them; ``strange`` are domains
    by set of which nobody knows what they match. ``longest`` is ``None`` where the answer's own time decides.
    """

    lines: dict[str, frozenset[str]] = field(default_factory=dict)
    twice: dict[str, frozenset[str]] = field(default_factory=dict)
    own: dict[str, bool] = field(default_factory=dict)
    strange: dict[str, str] = field(default_factory=dict)
    longest: int | None = None
    shortest: int = 0
    is_off: bool = False
    doubt: str = ""
    is_there: bool = False
    remarks: list[str] = field(default_factory=list)

    def read(self, text: str, file: str) -> None:
        """Read a file. Raises ``UnreadableError`` for a line that dnsmasq would refuse."""
        self.is_there = True
        for number, raw in enumerate(text.split("\n"), 1):
            line = _without_comment(raw.strip())
            if not line or line[0] == "#":
                continue
            option, _, value = line.partition("=")
            option, value = option.strip(), value.strip()
            if option == "ipset":
                if len(line.encode()) > LINE:
                    raise UnreadableError(f"this line is longer than {LINE} bytes", file, number)
                self._feed(value, file, number)
            elif option == "max-cache-ttl" and value.isdigit():
                self.longest = int(value) or None
            elif option == "min-cache-ttl" and value.isdigit():
                self.shortest = int(value)
            elif option == "cache-size":
                self.is_off = value == "0"
            elif option in {"address", "local", "server", "host-record", "cname"}:
                self._answer(option, value)
            elif option in _FILTERS or (option == "port" and value == "0"):
                self.doubt = f"{file}:{number}: with `{line[:40]}`, answers may be without addresses"
            elif option in {"conf-file", "conf-dir", "servers-file", "nftset"}:
                self.remarks.append(f"{file}:{number}: `{option}` is not followed")

    @property
    def cached(self) -> int | None:
        """How many seconds an answer stays in the cache; `min-cache-ttl` wins (src/cache.c, `cache_insert`)."""
        if self.is_off:
            return 0
        return None if self.longest is None else max(self.longest, self.shortest)

    def zones(self) -> dict[str, Zones]:
        """For each set the names that feed it. Linear in what the lines carry."""
        marks = {domain: self.lines[domain] for domain in sorted(self.lines, key=_depth)}
        turns: dict[str, list[tuple[str, bool]]] = {}
        doubts = self._doubts()
        nearest: dict[str, str | None] = {}
        for domain, sets in marks.items():
            above = nearest[domain] = next((each for each in _above(domain) if each in marks), None)
            held = marks[above] if above is not None else frozenset()
            for name in sorted(sets ^ held):
                turns.setdefault(name, []).append((domain, name in sets))
        return {
            name: Zones(self._layers(name, turned, nearest), self.doubt or doubts.get(name, ""))
            for name, turned in turns.items()
        }

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
            if not domain.isascii():
                self.strange.update(dict.fromkeys(held, f"which names `{text[:60]}` is in the resolver is not known"))
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

    def _answer(self, option: str, value: str) -> None:
        """Take what a line says of names that dnsmasq answers for by itself."""
        if option in {"host-record", "cname"}:
            *names, _ = value.split(",")
            self.own.update({name.strip().strip(".").lower(): False for name in names if name.strip()})
            return
        if "/" not in value:
            return
        _, *domains, where = value.split("/")
        if option == "address" or not where:
            domains = [_EVERY if text == "#" else text.strip(".").lower() for text in domains if text]
            self.own.update(dict.fromkeys(domains, True))

    def _doubts(self) -> dict[str, str]:
        """Why it is not certain what feeds a set, by set."""
        found = dict(self.strange)
        for domain, sets in self.twice.items():
            found.update(dict.fromkeys(sets, f"`{domain}` stands on two lines of the resolver, of which one counts"))
        mine = "is answered by the resolver itself, which adds nothing to sets"
        for domain in self.own:
            for each in (domain, *_above(domain)):
                found.update(dict.fromkeys(self.lines.get(each, ()), f"`{domain[:60]}` {mine}"))
        whole = {domain for domain, is_deep in self.own.items() if is_deep}
        for domain, sets in self.lines.items() if whole else ():
            above = next((each for each in _above(domain) if each in whole), None)
            if above is not None:
                found.update(dict.fromkeys(sets, f"`{above[:60] or '#'}` {mine}"))
        return found


def is_resolver(text: str) -> bool:
    """True if the text configures dnsmasq."""
    return _RESOLVER.search(text) is not None


def _without_comment(line: str) -> str:
    """A line without its comment and its quotes."""
    if "#" not in line and '"' not in line:
        return line
    found = _TOKEN.match(line)
    return line[: found.end() if found is not None else None].replace('"', "").strip()


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
