"""The data part of ``firewall.ps1``: three assignments of PowerShell literals, and nothing else.

    data  = "$Site = " table, "$Keywords = " tables, "$Rules = " tables
    table = "@{", one entry on each line: KEY " = " value, "}"
    value = text | "$true" | "$false" | "@(" texts ")"
    text  = quoted | "(" text or [char]0x…, joined by " + ", a text first ")"

In single quotes PowerShell knows nothing but the doubled quote (about_Quoting_Rules); anything beside printable ASCII
is refused. Whatever is laid out otherwise is not data of ours, and no attempt is made to understand it.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

from egressc.meaning import UnreadableError

Value = str | bool | list[str]
"""A value of an entry."""

_ENTRY: Final = re.compile(r"( +)([A-Za-z]+) = (?:'([ -&(-~]*)'\n)?")
_BOOLEAN: Final = re.compile(r"\$(true|false)\n")
_QUOTED: Final = re.compile(r"'((?:[ -&(-~]|'')*)'")
_UNIT: Final = re.compile(r"\[char\]0x([0-9A-F]{1,4})")
_SHORT: Final = re.compile(r"@\('([ -&(-~]*'(?:, '[ -&(-~]*')*)\)\n")
_LONG: Final = re.compile(r"@\(\n((?: +'[ -&(-~]*',\n)*(?: +'[ -&(-~]*'\n)) +\)\n")
_STEP: Final = "    "


class Data:
    """The data of one script: the site, and the records with the lines on which they begin."""

    __slots__ = ("_at", "_file", "_first_line", "_text", "keywords", "line", "rules", "site")

    def __init__(self, text: str, file: str, first_line: int) -> None:
        """Parse all of ``text``. Raises ``UnreadableError`` for anything that is no such data."""
        self._text = text
        self._file = file
        self.line = first_line
        self._at = 0
        self._expect("$Site = @{\n")
        self.site: dict[str, Value] = self._table("")
        self._expect("\n")
        self.keywords: list[tuple[int, dict[str, Value]]] = self._tables("Keywords")
        self.rules: list[tuple[int, dict[str, Value]]] = self._tables("Rules")
        if self._at != len(text):
            self._refuse()

    def _refuse(self, why: str = "the data part holds something that is no data") -> NoReturn:
        line = self.line + self._text.count("\n", 0, self._at)
        raise UnreadableError(why, self._file, line)

    def _expect(self, what: str) -> None:
        if not self._text.startswith(what, self._at):
            self._refuse()
        self._at += len(what)

    def _tables(self, name: str) -> list[tuple[int, dict[str, Value]]]:
        self._expect(f"${name} = @(")
        text = self._text
        found: list[tuple[int, dict[str, Value]]] = []
        if not text.startswith(")", self._at):
            self._expect("\n")
            line, counted = self.line, 0
            while text.startswith("    @{\n", self._at):
                line += text.count("\n", counted, self._at)
                counted = self._at
                self._at += 7
                found.append((line, self._table(_STEP)))
            if not found:
                self._refuse()
        self._expect(")\n\n")
        return found

    def _table(self, indent: str) -> dict[str, Value]:
        """The entries up to and with the brace that ends the table, which stands at ``indent``."""
        text, inner = self._text, indent + _STEP
        found: dict[str, Value] = {}
        while (entry := _ENTRY.match(text, self._at)) is not None:
            at, key, plain = entry.groups()
            if at != inner or key in found:
                self._refuse()
            self._at = entry.end()
            found[key] = plain if plain is not None else self._value(inner)
        self._expect(f"{indent}}}\n")
        if not found:
            self._refuse()
        return found

    def _value(self, indent: str) -> Value:
        text = self._text
        boolean = _BOOLEAN.match(text, self._at)
        if boolean is not None:
            self._at = boolean.end()
            return boolean[1] == "true"
        if not text.startswith("@(", self._at):
            value = self._string()
            self._expect("\n")
            return value
        short = _SHORT.match(text, self._at)
        if short is not None:
            self._at = short.end()
            return short[1][:-1].split("', '")
        long = _LONG.match(text, self._at)
        if long is not None and text.startswith(f"{indent})\n", long.end(1)):
            begin = f"{indent}{_STEP}'"
            items = long[1][:-2].split(f"',\n{begin}")
            if items[0].startswith(begin) and not any("'" in item for item in items[1:]):
                self._at = long.end()
                return [items[0][len(begin) :], *items[1:]]
        return self._list(indent)

    def _list(self, indent: str) -> list[str]:
        """A list of which some text is no plain literal, on one line or on several."""
        self._expect("@(")
        several = self._text.startswith("\n", self._at)
        begin, between, end = (
            (f"\n{indent}{_STEP}", f",\n{indent}{_STEP}", f"\n{indent})") if several else ("", ", ", ")")
        )
        self._expect(begin)
        found = [self._string()]
        while self._text.startswith(between, self._at):
            self._at += len(between)
            found.append(self._string())
        self._expect(f"{end}\n")
        return found

    def _string(self) -> str:
        """A text. Sums nest as deep as anybody likes, so they are not followed by recursion."""
        text = self._text
        quoted = _QUOTED.match(text, self._at)
        if quoted is not None:
            self._at = quoted.end()
            return quoted[1].replace("''", "'")
        pieces: list[str] = []
        depth = 0
        is_first = True
        while True:
            if text.startswith("(", self._at):
                depth += 1
                self._at += 1
                is_first = True
                continue
            quoted = _QUOTED.match(text, self._at)
            if quoted is not None:
                pieces.append(quoted[1].replace("''", "'"))
                self._at = quoted.end()
            else:
                # `[char]` plus something adds numbers, so the first of a sum is always a text.
                unit = None if is_first or not depth else _UNIT.match(text, self._at)
                if unit is None:
                    self._refuse()
                pieces.append(chr(int(unit[1], 16)))
                self._at = unit.end()
            while text.startswith(")", self._at) and depth:
                depth -= 1
                self._at += 1
            if not depth:
                return _joined(pieces)
            self._expect(" + ")
            is_first = False


def _joined(pieces: list[str]) -> str:
    """The text of these UTF-16 units: two surrogates that follow each other are one character."""
    text = "".join(pieces)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
