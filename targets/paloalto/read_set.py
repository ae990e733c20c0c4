"""A configuration as `set` commands, with the moves that put rules where they stand.

The CLI has two kinds of quotes and no escape in either (``quote``). A `set` adds to a list and replaces a text; a new
rule lands at the end of its rulebase. What `show` prints around the commands (the prompt, `[edit]`) is passed over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from egressc.meaning import UnreadableError
from egressc.targets.paloalto.read_shelf import (
    DEEPER,
    HERE,
    OBJECTS,
    REST,
    RULEBASES,
    RULES,
    SHARED,
    TEMPLATES,
    UNREAD,
    Order,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.targets.paloalto.read_shelf import Fields, Place, Shelf

_WORD: Final = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\s"'])+""")
_QUOTED: Final = re.compile(r"""["']""")
_AROUND: Final = re.compile(
    r"\s*(?:#.*|\[edit\s*\]|\S+@\S+>.*|\S+@\S+#\s*(?:(?:show|run|commit|validate|check|exit|quit|top)\b.*)?)?\s*"
)
"""Comments, and what the CLI prints besides commands: not what was typed to change something.

Behind `edit`, the prompt shows where: what follows may be said from there on.
"""

_BELOW: Final = frozenset({*RULES, "rules", "custom-url-category", "ssl-exclude-cert"})
"""What no command begins with, unless it is said from a place further below."""

_PLACES: Final = frozenset({"vsys", "device-group"})
_UPPER: Final = {section for section, _ in DEEPER}
_WHERE: Final = {"top": 0, "bottom": 0, "before": 1, "after": 1}

_Field = tuple[str, tuple[str, ...]]


def take_set(shelf: Shelf, text: str, file: str) -> None:
    """Put what the commands say on the shelf. Raises ``UnreadableError`` if they are no configuration."""
    _Reading(shelf, file).take(text)


class _Reading:
    def __init__(self, shelf: Shelf, file: str) -> None:
        self._shelf = shelf
        self._file = file
        self._fields: dict[str, _Field] = {}
        self._orders: dict[tuple[Place, str], Order] = {}

    def take(self, text: str) -> None:
        """All commands."""
        head, entry = "", None
        known = self._fields
        for number, line in _commands(text, self._file):
            if entry is not None and line.startswith(head):
                # The same entry as in the line before: the head needs no second look.
                rest = line[len(head) :]
                if rest.startswith("description "):
                    continue
                field = known.get(rest)
                if field is None:
                    field = known[rest] = self._field(_words(rest), number)
                if field[0] not in UNREAD:
                    _add(entry, field)
            elif line.startswith("set "):
                head, entry = self._set(line, number)
            elif line.startswith("move "):
                self._move(_words(line)[1:], number)
            elif not _AROUND.fullmatch(line):
                self._fail(f"`{line.strip()[:60]}` is neither `set` nor `move`", number)
        for (place, name), order in self._orders.items():
            section = self._shelf.section(place, name)
            for missing in [each for each in order if each not in section]:
                self._shelf.remarks.append(f"{self._file}: the rule `{missing}`, next to which others go, is not there")
            self._shelf.places[place][name] = {each: section[each] for each in order if each in section}

    def _set(self, line: str, number: int) -> tuple[str, Fields | None]:
        """Take one command; the part of the line up to the fields, and the entry, if there is one."""
        words = _words(line)
        place, at = self._place(words, 1, number)
        if words[at : at + 1] == ["readonly"]:
            self._readonly(words[at + 1 :])
            return "", None
        if words[at : at + 1] and words[at] in TEMPLATES:
            self._template(words[at + 2 :])
            return "", None
        if words[at : at + 1] and words[at] in _BELOW:
            self._fail(f"`{words[at]}` is said from a place that is not known: show it from the top", number)
        path, at = self._path(words, at, place)
        if path is None:
            return "", None
        if at >= len(words):
            self._shelf.section(place, path)
            return "", None
        name = words[at]
        if not name.strip():
            self._fail("an entry has no name", number)
        section = self._shelf.section(place, path)
        entry = section.get(name)
        if entry is None:
            entry = section[name] = {}
            order = self._orders.get((place, path))
            if order is not None and name not in order:
                order.append(name)
        rest = words[at + 1 :]
        if not rest:
            return "", entry
        field = self._field(rest, number)
        if field[0] not in UNREAD:
            _add(entry, field)
        return _head(line, at + 1), entry

    def _place(self, words: list[str], at: int, number: int) -> tuple[Place, int]:
        """The place that a command speaks of, and where its words go on."""
        if words[at : at + 1] == ["devices"]:
            at += 2
        if words[at : at + 1] == ["shared"]:
            self._shelf.places.setdefault(SHARED, {})
            return SHARED, at + 1
        if at < len(words) and words[at] in _PLACES:
            if at + 1 >= len(words):
                self._fail(f"`{words[at]}` has no name", number)
            place = (words[at], words[at + 1])
            self._shelf.places.setdefault(place, {})
            return place, at + 2
        return HERE, at

    def _path(self, words: list[str], at: int, place: Place) -> tuple[str | None, int]:
        """The section that a command speaks of, and where its words go on; ``None`` for one without a bearing."""
        first, *more = words[at : at + 3] or [""]
        if first in OBJECTS:
            return first, at + 1
        if first in _UPPER:
            return (f"{first}/{more[0]}", at + 2) if more and (first, more[0]) in DEEPER else (None, at)
        if first in RULEBASES:
            self._shelf.places.setdefault(place, {})
            if len(more) == 2 and more[1] == "rules":
                path = f"{first}/{more[0]}"
                if more[0] in RULES:
                    return path, at + 3
                self._shelf.rulebases[place, path] = None
        elif first in REST:
            self._shelf.is_whole = True
            is_above = [first, *more[:1]] == ["deviceconfig", "system"] and more[1:] and "panorama" in more[1]
            self._shelf.is_managed = self._shelf.is_managed or bool(is_above)
        return None, at

    def _field(self, words: list[str], number: int) -> _Field:
        """A field from the words behind the name of an entry."""
        if words[-1] == "]":
            if "[" not in words:
                self._fail("a list is closed that was never opened", number)
            at = words.index("[")
            if at == 0:
                self._fail("a list belongs to no field", number)
            return "/".join(words[:at]), tuple([_bare(word) for word in words[at + 1 : -1]])
        if "[" in words:
            self._fail("a list is not closed", number)
        if len(words) == 1:
            return words[0], ()
        return "/".join(words[:-1]), (_bare(words[-1]),)

    def _template(self, words: list[str]) -> None:
        """A setting of the devices of a template: of the SSL decryption exclusion, if it is about that."""
        if "ssl-exclude-cert" not in words:
            return
        name, *more = [*words[words.index("ssl-exclude-cert") + 1 :], ""]
        if name:
            said = more[1] if more[:1] == ["exclude"] else self._shelf.excluded.get(name, "")
            self._shelf.excluded[name] = said

    def _readonly(self, words: list[str]) -> None:
        """The hierarchy of device groups, which Panorama keeps apart."""
        match words:
            case ["devices", _, "device-group", name, "parent-dg", parent]:
                self._shelf.parents[name] = parent
            case ["devices", _, "device-group", name, *_]:
                self._shelf.parents.setdefault(name, "")
            case _:
                pass

    def _move(self, words: list[str], number: int) -> None:
        place, at = self._place(words, 0, number)
        path, at = self._path(words, at, place)
        if path is None:
            return
        name, where, anchor = [*words[at : at + 3], "", "", ""][:3]
        if where not in _WHERE or len(words) != at + 2 + _WHERE[where]:
            self._fail("where the rule is moved to is not understood", number)
        section = self._shelf.section(place, path)
        if name not in section:
            self._fail(f"the rule `{name[:80]}` is moved, and nothing has set it", number)
        order = self._orders.get((place, path))
        if order is None:
            order = self._orders[place, path] = Order(section)
        if anchor and anchor not in order:
            order.append(anchor)
        order.move(name, where, anchor)

    def _fail(self, message: str, number: int) -> None:
        raise UnreadableError(message, self._file, number)


def _add(entry: Fields, field: _Field) -> None:
    path, values = field
    held = entry.get(path)
    if held is None:
        entry[path] = values
    elif isinstance(held, list):
        held.extend(values)
    else:
        entry[path] = [*held, *values]


def _commands(text: str, file: str) -> Iterator[tuple[int, str]]:
    """The commands with the number of their line; a text in quotes may go over several lines."""
    pending: list[str] = []
    quote, begun = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if not quote and '"' not in line and "'" not in line:
            yield number, line.rstrip("\r") if line.endswith("\r") else line
            continue
        if quote and quote not in line:
            pending.append(line)
            continue
        if not pending and _AROUND.fullmatch(line):
            continue
        open_before, quote = quote, _open_quote(line, quote)
        if not open_before:
            begun = number
        pending.append(line)
        if not quote:
            yield begun, "\n".join(pending).rstrip("\r")
            pending = []
    if quote:
        raise UnreadableError("a quote is not closed", file, begun)


def _open_quote(line: str, quote: str) -> str:
    """The quote that is open at the end of a line, if ``quote`` is open at its start."""
    for each in _QUOTED.findall(line):
        if not quote:
            quote = each
        elif each == quote:
            quote = ""
    return quote


def _words(text: str) -> list[str]:
    """The words of a command; a bracket in quotes gets a mark, which ``_bare`` takes off."""
    if '"' not in text and "'" not in text:
        return text.split()
    words = []
    for word in _WORD.findall(text):
        plain = word
        if '"' in word or "'" in word:
            plain = re.sub(r"""(["'])(.*?)\1""", r"\2", word, flags=re.DOTALL)
            if plain in {"[", "]"}:
                plain = f"\n{plain}"
        words.append(plain)
    return words


def _bare(word: str) -> str:
    return word[1:] if word in {"\n[", "\n]"} else word


def _head(line: str, count: int) -> str:
    """The text of the first words of a line, with the space behind them."""
    if '"' not in line and "'" not in line and "  " not in line and "\t" not in line:
        return f"{' '.join(line.split(' ', count)[:count])} "
    matches = _WORD.finditer(line)
    end = 0
    for _ in range(count):
        end = next(matches).end()
    return line[: end + 1]
