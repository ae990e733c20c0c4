"""Reading a PAC file that egressc wrote: its tables are JSON, the rest must be the code that belongs to them.

Any other PAC file is a program: what it answers is for its engine to say, so it is not judged here.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from egressc import ranges
from egressc.exports import ANY_NAME, ReadEntry, ReadList
from egressc.exports_read import addresses_of, by_address, by_name, everything, host_of
from egressc.host_paths import path_form
from egressc.meaning import UnreadableError
from egressc.policy import HostEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.hosts import HostPattern

_HEAD = re.compile(r"(?:[ \t]*(?://[^\n]*)?\n)*var egressc = (\{.*\});\n\n", re.DOTALL)
_STRING_OR_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*')
_FOREIGN = (
    "this PAC file is a program that egressc did not write, or its code was changed: what it answers cannot be judged"
)

_When = tuple[ranges.Ranges, str | None, tuple[HostEndpoint, ...]]


def read_pac(text: str, code: str) -> ReadList:
    """What the tables say. Raises ``UnreadableError`` for any other PAC file, and for tables that are not whole."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").rstrip() + "\n"
    if not text.endswith(code):
        raise UnreadableError(_FOREIGN)
    head = text.removesuffix(code)
    found = _HEAD.fullmatch(head)
    # A comment ends with any line separator of Unicode, and what stands behind it would run.
    if found is None or not head.isascii() or "\r" in head:
        raise UnreadableError(_FOREIGN)
    return _Reader(head, found[1]).read()


class _Reader:
    def __init__(self, head: str, tables: str) -> None:
        self._lines: dict[str, int] = {}
        for number, line in enumerate(head.split("\n"), start=1):
            key = re.match(r'\s*\[?("(?:[^"\\]|\\.)*")', line)
            if key:
                self._lines.setdefault(key[1], number)
        bare = _STRING_OR_COMMENT.sub(lambda m: m[0] if m[0].startswith('"') else "", tables)
        try:
            self._tables = json.loads(bare, object_pairs_hook=_no_double, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise UnreadableError(f"the tables of this PAC file are no JSON: {error}") from error

    def _line(self, key: str) -> int:
        return self._lines.get(json.dumps(key), 0)

    def read(self) -> ReadList:
        """Each key with each of its conditions as an entry."""
        tables = self._tables
        if not isinstance(tables, dict) or set(tables) != {"proxy", "when", "names", "patterns", "addresses"}:
            raise UnreadableError("the tables of this PAC file are not those that its code asks")
        proxy = tables["proxy"]
        if not isinstance(proxy, str) or not re.fullmatch(r"PROXY [A-Za-z0-9._:\[\]-]+", proxy):
            raise UnreadableError("`proxy` is not `PROXY` with a host and a port", line=self._line("proxy"))
        when = [self._when(each) for each in _list(tables["when"], "when")]
        entries: list[ReadEntry] = []
        if not isinstance(tables["names"], dict):
            raise UnreadableError("`names` is no table")
        for key, numbers in tables["names"].items():
            pattern = self._pattern(key)
            if not pattern.is_tree:
                raise UnreadableError(f"`{key}` is asked for as a name, and is a pattern", line=self._line(key))
            for ports, path, out in self._conditions(key, when, numbers):
                if pattern != ANY_NAME:
                    entries.append(by_name((pattern,), key, self._line(key), ports=ports, path=path, out=out))
                elif path is None:
                    entries += everything(key, self._line(key), ports=ports, out=out)
                else:
                    raise UnreadableError("`*` stands for addresses, too, which have no path", line=self._line(key))
        for key, numbers in _rows(tables["patterns"], "patterns", 2):
            for ports, path, out in self._conditions(key, when, numbers):
                pattern = self._pattern(key)
                entries.append(by_name((pattern,), key, self._line(key), ports=ports, path=path, out=out))
        for first, last, numbers in _rows(tables["addresses"], "addresses", 3):
            held = addresses_of(f"{first}-{last}" if first != last else first)
            if held is None or "/" in first:
                raise UnreadableError(f"`{first}` to `{last}` are no addresses", line=self._line(first))
            for ports, path, _ in self._conditions(first, when, numbers):
                if path is not None:
                    raise UnreadableError(f"`{first}` has a path", line=self._line(first))
                entries.append(by_address(held, f"{first}-{last}", self._line(first), ports=ports))
        return ReadList(tuple(entries))

    def _conditions(self, key: str, when: list[_When], numbers: object) -> Iterable[_When]:
        for number in _list(numbers, key):
            if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(when):
                raise UnreadableError(f"`{key}` names the condition `{number}`, which is none", line=self._line(key))
            yield when[number]

    def _pattern(self, key: str) -> HostPattern:
        """The code compares with the normal form: any other spelling would never match."""
        pattern = ANY_NAME if key == "*" else host_of(key)
        if pattern is None or pattern.text != key:
            raise UnreadableError(f"`{key}` is no host in its normal form", line=self._line(key))
        return pattern

    def _when(self, each: object) -> _When:
        if not isinstance(each, dict) or set(each) != {"ports", "path", "except"}:
            raise UnreadableError("a condition is `ports`, `path` and `except`", line=self._line("when"))
        pairs = [self._pair(pair) for pair in _list(each["ports"], "ports")]
        out = []
        for some in _list(each["except"], "except"):
            if not isinstance(some, list) or len(some) != 2 or not isinstance(some[0], str):
                raise UnreadableError("what is left out is a host and a path", line=self._line("when"))
            out.append(HostEndpoint(self._pattern(some[0]), self._path(some[1])))
        return ranges.merged(pairs), self._path(each["path"]), tuple(out)

    def _pair(self, pair: object) -> tuple[int, int]:
        match pair:
            case [int(first), int(last)] if type(first) is type(last) is int and 1 <= first <= last <= 65535:
                return first, last
        raise UnreadableError(f"`{pair}` are no ports", line=self._line("when"))

    def _path(self, path: object) -> str | None:
        if path == "":
            return None
        if isinstance(path, str) and path.startswith("/") and path == path.lower().removesuffix("/"):
            form = path_form(quote(path))
            if isinstance(form, str):
                return form
        raise UnreadableError(f"`{path}` is no path in its normal form", line=self._line("when"))


def _list(value: object, name: str) -> list[object]:
    if not isinstance(value, list):
        raise UnreadableError(f"`{name}` is no array")
    return value


def _rows(value: object, name: str, length: int) -> Iterable[list[str]]:
    for row in _list(value, name):
        if not isinstance(row, list) or len(row) != length or not all(isinstance(each, str) for each in row[:-1]):
            raise UnreadableError(f"an entry of `{name}` has {length} parts")
        yield row


def _no_double(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose keys are all different: of two engines one may take the first, the other the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for number, (key, _) in enumerate(pairs) if key in [k for k, _ in pairs[:number]])
        raise UnreadableError(f"the key `{twice}` stands twice in a table")
    return found


def _no_constant(text: str) -> object:
    raise ValueError(text)
