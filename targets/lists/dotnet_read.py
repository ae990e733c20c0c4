"""Reading ``defaultProxy`` of a .NET Framework configuration: own expressions exactly, others with a doubt."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.parsers import expat

from egressc.exports import ANY_NAME, ReadEntry, ReadList
from egressc.exports_read import ONE_LABEL, by_address, by_name, everything, host_of
from egressc.hosts import HostPattern
from egressc.meaning import UnreadableError
from egressc.policy import HostEndpoint
from egressc.targets.lists.dotnet_expressions import meaning

if TYPE_CHECKING:
    from collections.abc import Iterator

_TAIL = re.compile(
    r"(?:.*?[^\\])??(?P<dot>\\\.)?(?P<tail>[a-z0-9_-]+(?:\\\.[a-z0-9_-]+)*\\\.[a-z][a-z0-9-]*)\$", re.IGNORECASE
)
_UNFOLLOWED = re.compile(r"[|]|\(\?|\\[^.dDwWsSb/:-]")
"""What the end of an expression says nothing about: alternatives, groups of any kind, escapes of characters."""

_OWN_PORTS = ((80, 80), (443, 443))


def read_config(text: str) -> ReadList:
    """What goes directly by a configuration file, or by a part of one. Raises ``UnreadableError``."""
    return _Reader().read(text)


class _Reader:
    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        # A document type can hold entities that grow without end; no configuration of .NET has one.
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._path: list[str] = []
        self._proxies = 0
        self._enabled = True
        self._local = 0
        self._added: dict[str, int] = {}
        self._remarks: list[str] = []

    def read(self, text: str) -> ReadList:
        try:
            self._parser.Parse(text.removeprefix("\ufeff").encode(errors="surrogatepass"), True)  # noqa: FBT003
        except expat.ExpatError as error:
            raise UnreadableError(f"this is no XML: {expat.ErrorString(error.code)}", line=error.lineno) from error
        if self._proxies != 1:
            raise UnreadableError(f"`defaultProxy` must stand here once, and stands {self._proxies} times")
        if not self._enabled:
            return ReadList(everything('enabled="false"', self._proxy_line), tuple(self._remarks))
        entries = [each for text, line in self._added.items() for each in _entry(text, line)]
        broken = next((text for text in self._added if not _compiles(text)), None)
        if broken is not None:
            why = f"`{broken}` is no regular expression: .NET drops the whole list where one is invalid"
            entries = [replace(each, doubt=why) for each in entries]
        if self._local:
            entries.append(by_name((ONE_LABEL,), "bypassonlocal", self._local))
            self._remark(self._local, "`bypassonlocal` also holds for names in the machine's own domain")
        return ReadList(tuple(entries), tuple(self._remarks))

    def _remark(self, line: int, text: str) -> None:
        self._remarks.append(f"line {line}: {text}")

    def _doctype(self, *_: object) -> None:
        raise UnreadableError("a configuration has no document type", line=self._parser.CurrentLineNumber)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self._parser.CurrentLineNumber
        above = self._path[-1] if self._path else ""
        self._path.append(name)
        if name == "defaultProxy" and above in {"", "system.net"}:
            self._proxies += 1
            self._proxy_line = line
            self._enabled = _flag(attributes, "enabled", line, default=True)
        elif above == "defaultProxy" and name == "proxy":
            self._proxy(attributes, line)
        elif above == "defaultProxy" and name == "module":
            self._remark(line, "a `module` decides by itself what goes directly")
        elif above == "bypasslist":
            self._item(name, attributes, line)

    def _end(self, _name: str) -> None:
        self._path.pop()

    def _proxy(self, attributes: dict[str, str], line: int) -> None:
        if _flag(attributes, "bypassonlocal", line, default=False):
            self._local = line
        if _flag(attributes, "usesystemdefault", line, default=False):
            self._remark(line, "`usesystemdefault`: what the user's Internet settings let go directly does so, too")
        if "scriptLocation" in attributes or _flag(attributes, "autoDetect", line, default=False):
            self._remark(line, "a script decides, too, what goes directly")

    def _item(self, name: str, attributes: dict[str, str], line: int) -> None:
        address = attributes.get("address", "")
        if name == "clear":
            self._added.clear()
        elif name in {"add", "remove"} and address:
            if name == "add":
                self._added.setdefault(address, line)
            else:
                self._added.pop(address, None)
        else:
            raise UnreadableError(f"`{name}` in `bypasslist` is not `add`, `remove` or `clear`", line=line)


def _flag(attributes: dict[str, str], name: str, line: int, *, default: bool) -> bool:
    value = attributes.get(name, "").strip().lower()
    if value not in {"", "true", "false", "unspecified"}:
        raise UnreadableError(f"`{name}` is neither `true` nor `false`", line=line)
    return default if value in {"", "unspecified"} else value == "true"


def _compiles(text: str) -> bool:
    """True if the expression can be compiled, as far as Python's ``re`` can tell."""
    try:
        re.compile(text, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _entry(text: str, line: int) -> Iterator[ReadEntry]:
    found = meaning(text)
    if found is None:
        yield from _foreign(text, line)
        return
    out = tuple([HostEndpoint(each) for each in found.out])
    if found.addresses is not None:
        yield by_address(found.addresses, text, line, ports=found.ports)
    elif ANY_NAME in found.patterns:
        yield from everything(text, line, ports=found.ports, out=out)
    else:
        yield by_name(found.patterns, text, line, ports=found.ports, out=out)


def _foreign(text: str, line: int) -> Iterator[ReadEntry]:
    """An expression of somebody else: what it matches at most, seen from how it ends."""
    tail = _TAIL.fullmatch(text)
    host = host_of(tail["tail"].replace("\\.", ".")) if tail is not None else None
    if tail is None or host is None or _UNFOLLOWED.search(text) or not _compiles(text):
        for each in everything(text, line):
            yield replace(each, doubt="what a regular expression of somebody else matches is not followed")
        return
    below = HostPattern(host.labels, deep=True)
    some: tuple[HostPattern, ...] = (below,)
    if not tail["dot"]:
        ends = (f"*{host.labels[0]}", *host.labels[1:])
        some = (host, below, HostPattern(ends), HostPattern(ends, deep=True))
    doubt = "it matches nothing else, and maybe not all of this: no port but that of the scheme, for one"
    yield by_name(some, text, line, ports=_OWN_PORTS, doubt=doubt)
