"""Reading the lines of an HAProxy frontend: access lists, and which connections they send to the direct backend."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from egressc.addresses import AddressSet, union_of
from egressc.exports import ANY_NAME, ListKind, ReadEntry, ReadList
from egressc.exports_read import by_name, host_of, ports_of
from egressc.hosts import HostPattern
from egressc.meaning import UnreadableError
from egressc.ranges import merged
from egressc.targets.lists.acl_terms import Before, Test, matched
from egressc.targets.lists.host_regex import hosts_of_regex
from egressc.targets.lists.lines import network, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.targets.list_protocol import ListOptions

BACKEND = "direct"
"""The backend that passes connections on as they are."""

_SECTIONS = frozenset(
    ("global", "defaults", "frontend", "listen", "backend", "resolvers", "peers", "cache", "program", "userlist")
)
_NEUTRAL = frozenset(
    (
        *("bind", "mode", "option", "timeout", "log", "log-format", "server", "maxconn", "balance", "default-server"),
        *("description", "id", "capture", "stick-table", "nbthread", "daemon", "user", "group", "chroot", "stats"),
    )
)
_SNI = frozenset({"req.ssl_sni", "req_ssl_sni", "ssl_sni"})
_HOST = frozenset({f"{fetch}(host)" for fetch in ("req.hdr", "hdr", "req.fhdr", "fhdr")})
_WORD_MATCHES = {f"hdr_{how}(host)": how for how in ("beg", "dom", "end", "reg", "sub", "dir")}
_SHORT = {"str", "end", "reg"}


@dataclass(slots=True)
class _Section:
    """What one frontend has said so far."""

    tests: dict[str, Test] = field(default_factory=dict)
    addresses: dict[str, list[AddressSet]] = field(default_factory=dict)
    before: Before = field(default_factory=Before)


def read_frontend(text: str, options: ListOptions) -> ReadList:
    """What goes to the backend ``direct``, or to the only one that is used at all."""
    lines = [(number, _words(line, number)) for number, line in written(text)]
    lines = [(number, words) for number, words in lines if words]
    used = list(dict.fromkeys(words[1] for _, words in lines if words[0] == "use_backend" and len(words) > 1))
    if used and BACKEND not in used and len(used) > 1:
        raise UnreadableError(f"none of the backends {', '.join(used)} is called `{BACKEND}`: which one is meant?")
    backend = BACKEND if not used or BACKEND in used else used[0]
    reader = _Reader(backend, options)
    for number, words in lines:
        reader.read(number, words)
    remarks = list(dict.fromkeys(reader.remarks))
    if options.kind is ListKind.BYPASS and reader.entries and reader.by_sni and not reader.by_host:
        remarks.append("names are looked for in TLS alone, never in the Host of plain HTTP")
    return ReadList(tuple(reader.entries), tuple(remarks))


def _words(line: str, number: int) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError as error:
        raise UnreadableError(f"a quotation mark or an escape is not closed: {error}", line=number) from error


class _Reader:
    def __init__(self, backend: str, options: ListOptions) -> None:
        self.backend = backend
        self.options = options
        self.entries: list[ReadEntry] = []
        self.remarks: list[str] = []
        self.by_sni = False
        self.by_host = False
        self._at = _Section()

    def read(self, number: int, words: list[str]) -> None:
        match words[0]:
            case "acl" if len(words) > 2:
                self._acl(words[1], words[2:], number)
            case "use_backend" if len(words) > 1:
                self._use(words, number)
            case "default_backend" if words[1:] == [self.backend]:
                self._add([], "default_backend", number)
            case word if word in _SECTIONS:
                self._at = _Section()
            case word if word in _NEUTRAL or words[:2] == ["tcp-request", "inspect-delay"]:
                pass
            case "tcp-request" if words[1:3] == ["content", "accept"]:
                pass
            case "default_backend":
                pass
            case _:
                self.remarks.append(f"line {number}: `{' '.join(words)[:60]}` is not looked at")

    def _acl(self, name: str, words: Sequence[str], number: int) -> None:
        test = self._at.tests.setdefault(name, Test())
        addresses = self._at.addresses.setdefault(name, [])
        self._condition(test, addresses, words, number)

    def _condition(self, test: Test, addresses: list[AddressSet], words: Sequence[str], number: int) -> None:
        """One more condition of an access list; what it is not understood by becomes a doubt of all of it."""
        fetch, how, ignoring, values, unread = _taken_apart(words)
        shown = f"`{' '.join(words)[:60]}` in line {number}"
        base = fetch.removesuffix(",lower").removesuffix(",field(1,:)").removesuffix(",host_only")
        named = base in _SNI or base in _HOST or base in _WORD_MATCHES
        if unread or (how not in _SHORT and named):
            test.unread = f"{shown} is not read: {unread or f'`-m {how}` is a part of a name, wherever it stands'}"
        elif base == "dst_port":
            try:
                test.ports = merged((*test.ports, *(_port(each) for each in values)))
            except ValueError:
                test.unread = f"{shown} has ports that are none"
        elif base == "dst":
            found = [network(each) for each in values]
            addresses += [each for each in found if each is not None]
            if None in found:
                test.unread = f"{shown} has an address that is none"
        elif named:
            self.by_sni |= base in _SNI
            self.by_host |= base not in _SNI
            for value in values:
                patterns = _hosts(value, how)
                if patterns is None:
                    test.unread = f"`{value}` in line {number} is not understood"
                    patterns = ()
                elif value != value.lower() and not ignoring and not fetch.endswith(",lower"):
                    self.remarks.append(
                        f"line {number}: `{value}` has capitals and no `-i`: clients send small letters"
                    )
                    continue
                if patterns and patterns not in test.hosts[-2:]:
                    test.hosts.append(patterns)
        elif base == "src":
            test.whom = True
            self.remarks.append(f"line {number}: who asks is not looked at")
        elif words[0] in {"always_true", "TRUE"}:
            test.everything = True
        else:
            test.unread = f"{shown} is not read"

    def _use(self, words: list[str], number: int) -> None:
        condition = words[3:] if len(words) > 3 and words[2] == "if" else []
        text = " ".join(words)
        if len(words) > 2 and not condition:
            if words[1] == self.backend:
                self.entries.append(by_name((ANY_NAME,), text, number, doubt="only `if` is read here"))
            self._at.before.doubt = f"the rule in line {number} comes first, and may take it"
            return
        for terms in self._alternatives(condition, number):
            if words[1] == self.backend:
                self._add(terms, text, number)
            else:
                self._at.before.add(terms, number)

    def _add(self, terms: list[tuple[bool, Test]], text: str, number: int) -> None:
        if self._at.before.ended:
            self.remarks.append(f"line {number}: a rule above takes every connection")
            return
        self.entries += matched(terms, self._at.before, text, number)

    def _alternatives(self, words: Sequence[str], number: int) -> Iterator[list[tuple[bool, Test]]]:
        """The conditions that are joined by ``or``, each as tests that must all hold."""
        terms: list[tuple[bool, Test]] = []
        at = 0
        while at < len(words):
            word = words[at]
            at += 1
            if word in {"or", "||"}:
                yield terms
                terms = []
                continue
            no = word.startswith("!")
            word = word.lstrip("!")
            if not word and at < len(words):
                word, at = words[at], at + 1
            if word == "{":
                end = words.index("}", at) if "}" in words[at:] else len(words)
                if at == end:
                    raise UnreadableError("there is nothing between the brackets", line=number)
                test, addresses = Test(), list[AddressSet]()
                self._condition(test, addresses, words[at:end], number)
                test.addresses = union_of(addresses)
                at = end + 1
            else:
                test = self._named(word, number)
            terms.append((no, test))
        yield terms

    def _named(self, name: str, number: int) -> Test:
        test = self._at.tests.get(name)
        if test is None:
            if name == "TRUE":
                return Test(everything=True)
            raise UnreadableError(f"there is no access list `{name}`: HAProxy does not start", line=number)
        some = self._at.addresses[name]
        if some:
            test.addresses = union_of(some)
        return test


def _taken_apart(words: Sequence[str]) -> tuple[str, str, bool, list[str], str]:
    """What is compared, how, whether letter case counts, with which values; and what cannot be read in it."""
    fetch = words[0] if words else ""
    how = _WORD_MATCHES.get(fetch, "str")
    ignoring, values, unread = False, list[str](), ""
    at = 1
    while at < len(words):
        word = words[at]
        if word == "-i":
            ignoring = True
        elif word == "-m" and at + 1 < len(words):
            at += 1
            how = words[at]
        elif word == "-f":
            at += 1
            unread = "its values stand in a file"
        elif word == "--":
            values += words[at + 1 :]
            break
        elif word.startswith("-") and not values:
            unread = f"`{word}` is unknown here"
        else:
            values.append(word)
        at += 1
    return fetch, how, ignoring, values, unread


def _hosts(value: str, how: str) -> tuple[HostPattern, ...] | None:
    """The hosts of one value; ``None`` for what is no host."""
    if how == "reg":
        return hosts_of_regex(value)
    base = host_of(value.removeprefix(".") if how == "end" else value)
    if base is None or not base.is_exact:
        return None
    if how == "str":
        return (base,)
    below = HostPattern(base.labels, deep=True)
    if value.startswith("."):
        return (below,)
    # An ending without a dot: that name, those below it, and names whose last part it is.
    ending = HostPattern((f"*{base.labels[0]}", *base.labels[1:]))
    return (ending, HostPattern(ending.labels, deep=True))


def _port(text: str) -> tuple[int, int]:
    first, _, last = text.partition(":")
    found = ports_of(f"{first}-{last or first}")
    if found is None:
        raise ValueError
    return found[0]
