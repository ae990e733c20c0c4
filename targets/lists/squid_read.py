"""Reading squid's access lists, and the rules of one directive that use them, the first that matches."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet, union_of
from egressc.exports import ListKind, ReadEntry, ReadList
from egressc.exports_read import host_of, ports_of
from egressc.hosts import HostPattern
from egressc.meaning import UnreadableError
from egressc.policy import HostEndpoint
from egressc.ranges import merged
from egressc.targets.lists.acl_terms import Before, Test, matched
from egressc.targets.lists.host_regex import hosts_of_regex
from egressc.targets.lists.lines import network, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.targets.list_protocol import ListOptions

PATH_END = "(/|[?]|$)"
"""What a path as a regular expression ends with: squid sees the query behind it."""

DIRECTIVES = {
    ("bypass", "allow"): "http_access allow",
    ("bypass", "direct"): "always_direct allow",
    ("exemption", "allow"): "ssl_bump splice",
    ("exemption", "direct"): "ssl_bump splice",
}
"""The rule for what a list holds, by the kind and the form."""

_NAMES = {ListKind.BYPASS: "dstdomain", ListKind.EXEMPTION: "ssl::server_name"}
_REGEXES = {ListKind.BYPASS: "dstdom_regex", ListKind.EXEMPTION: "ssl::server_name_regex"}
_WHOM = frozenset(
    (
        "src",
        "srcdomain",
        "srcdom_regex",
        "proxy_auth",
        "proxy_auth_regex",
        "ident",
        "ext_user",
        "myip",
        "localip",
        "arp",
    )
)
_WORDS = {"all": ALL, "ipv4": AddressSet(ALL.v4, ()), "ipv6": AddressSet((), ALL.v6)}


@dataclass(slots=True)
class _Acl:
    """One access list: its type, what it tests, and the domains in it, which squid does not let cover each other."""

    kind: str
    test: Test = field(default_factory=Test)
    addresses: list[AddressSet] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)
    above: set[str] = field(default_factory=set)
    """The domains that something in it is below."""


def read_rules(text: str, options: ListOptions) -> ReadList:
    """What the rules of the directive let through, in their order."""
    reader = _Reader(options)
    for number, line in written(text):
        words = _words(line)
        if words:
            reader.read(number, words)
    return ReadList(reader.ended(), tuple(dict.fromkeys(reader.remarks)))


def _words(line: str) -> list[str]:
    """The words of a line; a comment begins with a word that begins with ``#``."""
    words = line.split()
    end = next((n for n, word in enumerate(words) if word.startswith("#")), len(words))
    return words[:end]


class _Reader:
    def __init__(self, options: ListOptions) -> None:
        self.remarks: list[str] = []
        self._kind = options.kind
        self._directive, self._yes = DIRECTIVES[options.kind.value, options.form].split()
        self._entries: list[ReadEntry] = []
        self._acls: dict[str, _Acl] = {}
        self._before = Before()
        self._last = ""

    def read(self, number: int, words: list[str]) -> None:
        if words[0] == "acl" and len(words) > 2:
            self._acl(words[1], words[2], words[3:], number)
        elif words[0] == self._directive and len(words) > 1:
            self._rule(words, number)
        elif words[0] not in {"http_access", "always_direct", "ssl_bump"}:
            self.remarks.append(f"line {number}: `{' '.join(words)[:60]}` is not looked at")

    def ended(self) -> tuple[ReadEntry, ...]:
        """All entries. What no rule matches gets the opposite of the last one, in ``http_access``."""
        if self._last == "deny" and self._directive == "http_access" and not self._before.ended:
            self._entries += matched([], self._before, "what no line matches: the last one denies", 0)
        return tuple(self._entries)

    def _rule(self, words: list[str], number: int) -> None:
        outcome, text = words[1], " ".join(words)
        terms = [(word.startswith("!"), self._test(word.lstrip("!"), number)) for word in words[2:]]
        if outcome == "peek":
            return  # decides nothing yet
        self._last = outcome
        if any(test.whom for _, test in terms):
            self.remarks.append(f"line {number}: who asks is not looked at")
        if self._before.ended:
            self.remarks.append(f"line {number}: `{text[:60]}` stands behind a rule for everything")
        elif outcome == self._yes or (outcome, self._yes) == ("none", "splice"):
            self._entries += matched(terms, self._before, text, number)
            self._before.ended = all(test.everything and not no for no, test in terms)
        else:
            self._before.add(terms, number)

    def _test(self, name: str, number: int) -> Test:
        if name == "all":
            return Test(everything=True)
        if name in {"localhost", "to_localhost", "manager"} and name not in self._acls:
            return Test(whom=name == "localhost", unread="" if name == "localhost" else f"`{name}` is not read")
        acl = self._acls.get(name)
        if acl is None:
            raise UnreadableError(f"there is no access list `{name}`: squid does not start", line=number)
        if acl.addresses:
            acl.test.addresses = union_of(acl.addresses)
        return acl.test

    def _acl(self, name: str, kind: str, values: Sequence[str], number: int) -> None:
        acl = self._acls.setdefault(name, _Acl(kind))
        if acl.kind != kind:
            raise UnreadableError(f"`{name}` is of the type `{acl.kind}` already: squid does not start", line=number)
        flags = [value for value in values if re.fullmatch("-[-a-zA-Z]+", value)]
        values = [value for value in values if value not in flags]
        if any(value.startswith('"') for value in values):
            acl.test.unread = f"the values of `{name}` stand in a file"
        elif kind == _NAMES[self._kind]:
            for value in values:
                self._domain(name, acl, value.lower(), number)
            if kind == "dstdomain" and "-n" not in flags:
                self.remarks.append(f"line {number}: without `-n` squid compares the name that DNS has for an address")
        elif kind == _REGEXES[self._kind]:
            for value in values:
                patterns = hosts_of_regex(value)
                if patterns is None:
                    acl.test.unread = f"`{value}` in line {number} may match anything"
                else:
                    acl.test.hosts.append(patterns)
        elif kind == "dst":
            for value in values:
                held = _WORDS.get(value) or network(value)
                if held is None:
                    raise UnreadableError(f"`{value}` is no address: squid asks DNS for it, once", line=number)
                acl.addresses.append(held)
        elif kind == "port":
            found = [ports_of(value) for value in values]
            if None in found:
                raise UnreadableError("a port is none: squid does not start", line=number)
            acl.test.ports = merged((*acl.test.ports, *(each for some in found if some for each in some)))
        elif kind in {"urlpath_regex", "url_regex"}:
            for value in values:
                self._path(acl, kind, value, number)
        elif kind in _WHOM:
            acl.test.whom = True
        else:
            acl.test.unread = f"access lists of the type `{kind}` are not read"

    def _domain(self, name: str, acl: _Acl, value: str, number: int) -> None:
        """A name, or with a dot before it a domain with all names below it; one covers no other in squid."""
        base = value.removeprefix(".")
        pattern = host_of(base)
        parents = [base[at + 1 :] for at, char in enumerate(base) if char == "."]
        wide = value.startswith(".")
        if (wide and (base in acl.above or base in acl.names)) or (not wide and base in acl.domains):
            raise UnreadableError(
                f"in `{name}` `{value}` and another cover each other: squid does not start", line=number
            )
        if any(parent in acl.domains for parent in parents):
            self.remarks.append(f"line {number}: `{value}` is covered already: squid warns of it")
        (acl.domains if wide else acl.names).add(base)
        acl.above.update(parents)
        if "*" in value:
            self.remarks.append(f"line {number}: `{value}` matches nothing: squid knows no stars here")
        elif pattern is None:
            acl.test.unread = f"`{value}` in line {number} is no host"
        else:
            acl.test.hosts.append((pattern, HostPattern(pattern.labels, deep=True)) if wide else (pattern,))

    def _path(self, acl: _Acl, kind: str, value: str, number: int) -> None:
        """A path, or an http URL with one, as egressc writes them; any other expression is not read."""
        body = value.removesuffix(PATH_END)
        unbracketed = re.sub(r"\[([^\]])\]", r"\1", body)
        path = unbracketed.removeprefix("^")
        if kind == "url_regex":
            found = re.fullmatch(r"\^http://(.+?)\(:\[0-9\]\+\)\?(/.*)", body)
            patterns = hosts_of_regex(f"^{found[1]}$") if found else None
            path = re.sub(r"\[([^\]])\]", r"\1", found[2]) if found else ""
            if patterns is not None and body != value and not _special(found[2] if found else ""):
                acl.test.urls += [HostEndpoint(each, path) for each in patterns]
                return
        elif body != value and body.startswith("^/") and not _special(body[1:]):
            acl.test.paths.append(path)
            return
        acl.test.unread = f"`{value}` in line {number} is not read"


def _special(text: str) -> bool:
    """True if a regular expression says more than the text that it seems to be."""
    return bool(re.search(r"[.$()+^{}|?*\\\[\]]", re.sub(r"\[[^\]]\]", "", text)))
