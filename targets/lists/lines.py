"""Lists of one destination on a line: what the formats that are such have in common."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from egressc.exports import Refusal
from egressc.exports_read import addresses_of
from egressc.targets.lists.list_comments import rule_comments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from egressc.addresses import AddressSet
    from egressc.exports import Line
    from egressc.policy import Rule
    from egressc.targets.list_protocol import ListModel


def written(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, without the white space around them, each with its number.

    Line ends are those of any system; a byte-order mark is none of the text.
    """
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff")), 1):
        if stripped := line.strip():
            yield number, stripped


def with_comments(model: ListModel, spelled: Callable[[Line], Sequence[str]], mark: str) -> str:
    """The text of a list with comments: whose it is, and above the lines the rules that they stand for."""
    lines = [f"{mark} egressc: {model.title}"]
    above: tuple[Rule, ...] = ()
    for line in model.lines:
        if line.rules != above:
            lines += rule_comments(line.rules, mark=mark)
            above = line.rules
        lines += spelled(line)
    return "\n".join(lines) + "\n"


def joined_lines(model: ListModel, spelled: Callable[[Line], Sequence[str]]) -> str:
    """The text of a list without comments."""
    return "".join(f"{each}\n" for line in model.lines for each in spelled(line))


def too_long(
    model: ListModel, spelled: Callable[[Line], Sequence[str]], most: int, whose: str, what: str = "characters"
) -> Iterator[Refusal]:
    """A refusal for every entry that is longer than the format takes."""
    for line in model.lines:
        for each in spelled(line):
            if len(each) > most:
                yield Refusal(
                    f"`{each[:60]}…` has {len(each)} {what}, and {whose} takes {most}",
                    "leave out the path, or choose another format",
                    line.rules,
                )


def network(text: str) -> AddressSet | None:
    """Addresses as devices read them: bits behind the prefix do not count, it may be a mask, ranges may have spaces.

    ``None`` for anything else.
    """
    first, dash, last = (part.strip() for part in text.partition("-"))
    if dash:
        return addresses_of(f"{first}-{last}")
    address, slash, length = text.partition("/")
    if not slash:
        return addresses_of(text)
    if not re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9]{1,3}", length):
        return None
    try:
        return addresses_of(str(ipaddress.ip_network(f"{address}/{length}", strict=False)))
    except ValueError:
        return None


def unread(found: Iterable[tuple[int, str]], why: str) -> tuple[str, ...]:
    """A remark for each of these lines."""
    return tuple(f"line {number}: `{text[:80]}` {why}" for number, text in found)
