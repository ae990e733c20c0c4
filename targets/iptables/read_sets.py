"""Sets as `ipset save` writes them, and as our own file does (ipset(8))."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from egressc.addresses import EMPTY, AddressSet, union_of
from egressc.meaning import UnreadableError
from egressc.targets.iptables.live import LiveSet
from egressc.targets.iptables.read_networks import network_of, prefix_of
from egressc.targets.iptables.read_words import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egressc.targets.iptables.model import Family

_SETS: Final = re.compile(r"^create \S+ (?:hash|bitmap|list):", re.MULTILINE)
_MAXELEM: Final = 65_536
"""Members of a hash where `maxelem` says nothing else (ipset(8), hash types)."""

_KINDS: Final = frozenset({"hash:ip", "hash:net"})
_FLAGS: Final = frozenset({"nomatch"})
"""Options of a member that have no value (ipset(8), *Generic create and add options*)."""


class _Set:
    """One set being read."""

    def __init__(self, words: list[str], file: str, number: int) -> None:
        self.name, self.kind = words[1], words[2]
        options = dict(pairwise(words[3:]))
        self.family: Family = 6 if options.get("family") == "inet6" else 4
        timeout = options.get("timeout", "")
        self.timeout = int(timeout) if timeout.isdigit() else None
        maxelem = options.get("maxelem", "")
        self.room = int(maxelem) if maxelem.isdigit() else _MAXELEM
        self.masks = [option for option in ("netmask", "bitmask") if option in options]
        self.file, self.number = file, number
        self.members: list[list[str]] = []


def is_sets(text: str) -> bool:
    """True if the text makes sets."""
    return _SETS.search(text) is not None


def read_sets(text: str, file: str) -> list[LiveSet]:
    """The sets of a file. Raises ``UnreadableError`` for what ``ipset restore`` would refuse."""
    sets: dict[str, _Set] = {}
    # A comment may hold what Python takes for the end of a line.
    for number, line in enumerate(text.split("\n"), 1):
        if not line or line[0] == "#" or line.isspace():
            continue
        words = words_of(line)
        if words[0] == "create" and len(words) >= 3:
            if words[1] in sets:
                raise UnreadableError(f"the set `{words[1]}` is made twice", file, number)
            sets[words[1]] = _Set(words, file, number)
        elif words[0] == "add" and len(words) >= 3:
            held = sets.get(words[1])
            if held is None:
                raise UnreadableError(f"the set `{words[1]}` is not made", file, number)
            if len(held.members) >= held.room:
                raise UnreadableError(f"the set `{words[1]}` holds {held.room} members and no more", file, number)
            held.members.append(words[2:])
        else:
            raise UnreadableError(f"`{line[:60]}` neither makes a set nor adds to one", file, number)
    known: dict[str, LiveSet] = {}
    for each in sets.values():
        if each.kind != "list:set":
            known[each.name] = _plain(each)
    for each in sets.values():
        if each.kind == "list:set":
            known[each.name] = _listed(each, known)
    return list(known.values())


def _plain(each: _Set) -> LiveSet:
    """A set of addresses or networks; of a network the most specific member decides (ipset(8), hash:net, `nomatch`)."""
    if each.kind not in _KINDS:
        doubt = f"the set `{each.name}` is of the type {each.kind}, which is not understood"
        return LiveSet(each.name, each.family, EMPTY, each.timeout, doubt)
    if each.masks:
        doubt = f"the set `{each.name}` looks at parts of addresses ({each.masks[0]})"
        return LiveSet(each.name, each.family, EMPTY, each.timeout, doubt)
    by_length: dict[int, tuple[list[AddressSet], list[AddressSet]]] = {}
    for member in each.members:
        if each.timeout is not None and not _stays(member):
            continue
        known = network_of(member[0], each.family)
        if known is None or (each.kind == "hash:net" and prefix_of(member[0]) == 0):
            raise UnreadableError(f"`{member[0]}` cannot be in the set `{each.name}`", each.file, each.number)
        length = prefix_of(member[0]) if each.kind == "hash:net" else 128
        by_length.setdefault(length, ([], []))["nomatch" in _options(member)].append(known)
    held = EMPTY
    passing = sum(not _stays(member) for member in each.members) if each.timeout is not None else 0
    for length in sorted(by_length):
        inside, outside = by_length[length]
        held = held.union(union_of(inside)) if not held.is_empty else union_of(inside)
        if outside:
            held = held.difference(union_of(outside))
    no_room = f"the set `{each.name}` holds {each.room} members and no more" if each.room < _MAXELEM else ""
    return LiveSet(each.name, each.family, held, each.timeout, passing=passing, no_room=no_room)


def _options(member: list[str]) -> dict[str, str]:
    """The options of a member, those without a value with an empty one; a comment may say anything."""
    found: dict[str, str] = {}
    at = 1
    while at < len(member):
        option = member[at]
        has_value = option not in _FLAGS
        found[option] = member[at + 1] if has_value and at + 1 < len(member) else ""
        at += 2 if has_value else 1
    return found


def _stays(member: list[str]) -> bool:
    """True unless the member has a time after which it goes."""
    return _options(member).get("timeout", "0") == "0"


def _listed(each: _Set, known: Mapping[str, LiveSet]) -> LiveSet:
    """A list of sets: what is in one of them."""
    some = [known[member[0]] for member in each.members if member[0] in known]
    parts = tuple([member[0] for member in each.members])
    doubts = [one.doubt for one in some if one.doubt]
    doubts += [f"the set `{part}` in `{each.name}` is not in the files" for part in parts if part not in known]
    if each.timeout is not None and not all(_stays(member) for member in each.members):
        doubts.append(f"sets in `{each.name}` leave it by themselves")
    if any(one.passing for one in some):
        doubts.append(f"what fills the sets in `{each.name}` is not known")
    families = {one.family for one in some}
    held = union_of([one.addresses for one in some])
    found = LiveSet(each.name, families.pop() if len(families) == 1 else None, held, each.timeout, parts=parts)
    return replace(found, doubt=doubts[0]) if doubts else found
