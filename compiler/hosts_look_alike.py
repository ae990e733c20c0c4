"""Host names that are easily taken for one another: look-alikes, and slips of one letter.

Near-linear: names are found through what is left of them without one character, never pair by pair. Numbered families
(``crl3`` and ``crl4``), regions and the like are no slips: a slip is an edit of letters inside a long word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from egressc.hosts_reading import poses_as, shape_of, shown
from egressc.public_suffixes import is_public_suffix
from egressc.public_suffixes_tenants import owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_OWNER_WORD: Final = 6
"""A registered name is compared from so many letters on: shorter ones (``symcb``, ``symcd``) are near by chance."""

_SWAPPED_WORD: Final = 5
"""The same where two letters are swapped, which happens by chance less often."""

_INNER_WORD: Final = 8
"""A word in names that one owner gives, the same: those of one letter's difference are often two services."""

_FAMILY: Final = 4
"""So many names that differ in one letter at the same place are a scheme of naming, no slips."""

_LIKE: Final = "looks like"
_SLIP: Final = "is one letter from"

_SWAPPED: Final = frozenset({"com", "net", "org", "co", "cm", "om"})
"""Top-level domains that are written for one another. Those of countries are not: clouds have a name in each."""

_TWINS: Final = frozenset(
    {
        # Both are Microsoft's: `*.azure-dns.com`, `*.azure-dns.net` (learn.microsoft.com/azure/azure-arc/servers,
        # network requirements) and `*.msappproxy.com`, `*.msappproxy.net` (learn.microsoft.com/entra/identity/hybrid/
        # cloud-sync/how-to-prerequisites).
        "azure-dns",
        "msappproxy",
    }
)
"""Registered names that one owner holds under several of those domains."""


@dataclass(frozen=True, slots=True)
class Odd:
    """A name that is easily taken for another.

    ``host`` is the host that it stands in, ``part`` the part of it that is odd (a registered name, or all of it),
    ``like`` what it is taken for, ``other`` the host that has that: empty if none of the hosts has. ``how`` says what
    the two have to do with each other, to be read between them.
    """

    host: str
    part: str
    like: str
    other: str
    how: str


@dataclass(frozen=True, slots=True)
class _Name:
    """A name to compare: a registered one, or a host; ``weight`` is how often it is used, ``first`` when first."""

    text: str
    host: str
    weight: int
    first: int


def odd_names(hosts: Mapping[str, int]) -> tuple[Odd, ...]:
    """The names that are easily taken for others, in the order of the hosts; each once.

    ``hosts`` are names in normal form with the number of their uses: of two names, the one that is used less is odd, or
    the later one. ``*`` may stand in them for what is not known.
    """
    plain = {host: host.split(".") for host in hosts}
    owners: dict[str, _Name] = {}
    owner_of: dict[str, str] = {}
    names: dict[str, _Name] = {}
    for number, (host, labels) in enumerate(plain.items()):
        whose = owner_of[host] = ".".join(owner(labels))
        before = owners.get(whose)
        weight = hosts[host] + (before.weight if before else 0)
        owners[whose] = _Name(whose, before.host if before else host, weight, before.first if before else number)
        names[host] = _Name(host, host, hosts[host], number)
    found: dict[str, tuple[int, Odd]] = {}
    for name, odd in _all(owners, names, owner_of):
        if odd.part not in found and owner_of[odd.host] not in found:
            found[odd.part] = (name.first, odd)
    return tuple([odd for _, odd in sorted(found.values(), key=lambda each: each[0])])


def _all(
    owners: Mapping[str, _Name], names: Mapping[str, _Name], owner_of: Mapping[str, str]
) -> Iterator[tuple[_Name, Odd]]:
    """What is odd: registered names before hosts, and the surest first."""
    yield from _posing(owners)
    yield from _pairs(owners.values(), lambda n: [shape_of(n.text)], _always, _LIKE)
    yield from _pairs(owners.values(), _owner_keys, _owner_slip, _SLIP)
    yield from _joined(names, owners)
    yield from _posing(names)
    yield from _pairs(names.values(), _without_domain, _always, "is, but for the top-level domain,")
    yield from _pairs(names.values(), lambda n: [f"{owner_of[n.text]} {shape_of(n.text)}"], _always, _LIKE)
    yield from _pairs(names.values(), lambda n: _host_keys(n.text, owner_of[n.text]), _inner_slip, _SLIP)


def _posing(names: Mapping[str, _Name]) -> Iterator[tuple[_Name, Odd]]:
    """Names in letters of another script that are made to look like Latin ones."""
    for name in names.values():
        plain = poses_as(name.text)
        if plain:
            other = names.get(plain)
            how = f"is shown as `{shown(name.text)}` and looks like"
            yield name, Odd(name.host, name.text, plain, other.host if other else "", how)


def _pairs(
    names: Iterable[_Name], keys: Callable[[_Name], list[str]], near: Callable[[str, str], bool], how: str
) -> Iterator[tuple[_Name, Odd]]:
    """Names with a key in common that are near to each other, the odd one of each two."""
    by_key: dict[str, list[_Name]] = {}
    for name in names:
        for key in set(keys(name)):
            by_key.setdefault(key, []).append(name)
    for held in by_key.values():
        if len(held) < 2 or (len(held) >= _FAMILY and how != _LIKE):
            continue
        held.sort(key=lambda name: (-name.weight, name.first))
        for at in range(1, len(held)):
            name = held[at]
            for other in held[: min(at, _FAMILY)]:
                if near(name.text, other.text):
                    yield name, Odd(name.host, name.text, other.text, other.host, how)
                    break


def _always(_one: str, _other: str) -> bool:
    return True


def _shortened(text: str, least: int) -> list[str]:
    """The text, and what is left of it without one letter of a word of about ``least`` letters or more."""
    found = [text]
    for word in re.finditer(r"[a-z]+", text):
        if word.end() - word.start() >= least - 1:
            found += [text[:at] + text[at + 1 :] for at in range(word.start(), word.end())]
    return found


def _owner_keys(name: _Name) -> list[str]:
    label, _, suffix = name.text.partition(".")
    return [f"{short}.{suffix}" for short in _shortened(label, _SWAPPED_WORD)]


def _host_keys(host: str, whose: str) -> list[str]:
    inner = host.removesuffix(whose)
    return [short + whose for short in _shortened(inner, _INNER_WORD)] if inner else []


def _without_domain(name: _Name) -> list[str]:
    labels = name.text.split(".")
    if len(labels) < 2 or labels[-1] not in _SWAPPED or labels[-2] in _TWINS or is_public_suffix(labels[-2:]):
        return []
    return [".".join(labels[:-1])]


def _owner_slip(one: str, other: str) -> bool:
    """True if two registered names are a letter apart."""
    label, _, suffix = one.partition(".")
    edit = _edit(label, other.partition(".")[0])
    if edit is None:
        return False
    # Below a provider's suffix names are given in series more often than they are imitated.
    labels = suffix.split(".")
    if len(labels) > 1 and not is_public_suffix(labels):
        return _in_word(edit, _INNER_WORD)
    swapped = edit.end - edit.start == 2
    return _in_word(edit, _SWAPPED_WORD if swapped else _OWNER_WORD, inside=False)


def _inner_slip(one: str, other: str) -> bool:
    """True if two names that one owner gives are a letter apart, inside a word."""
    edit = _edit(one, other)
    return edit is not None and _in_word(edit, _INNER_WORD)


@dataclass(frozen=True, slots=True)
class _Edit:
    """An edit of one letter, or of two that are swapped: the longer text, and which part of it is concerned."""

    text: str
    start: int
    end: int


def _edit(a: str, b: str) -> _Edit | None:
    """The edit of letters that makes one text of the other, if one is enough."""
    if len(a) < len(b):
        a, b = b, a
    if a == b or len(a) - len(b) > 1:
        return None
    start = 0
    while start < len(b) and a[start] == b[start]:
        start += 1
    rest_a, rest_b = a[start:], b[start:]
    if len(a) > len(b):
        end = start + 1 if rest_a[1:] == rest_b else 0
    elif rest_a[1:] == rest_b[1:]:
        end = start + 1 if rest_b[0].isalpha() else 0
    else:
        end = start + 2 if rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:] else 0
    return _Edit(a, start, end) if end and a[start:end].isalpha() else None


def _in_word(edit: _Edit, least: int, *, inside: bool = True) -> bool:
    """True if the word that is edited is long enough; with ``inside`` its first and last letter stay."""
    start, end = edit.start, edit.end
    while start and edit.text[start - 1].isalpha():
        start -= 1
    while end < len(edit.text) and edit.text[end].isalpha():
        end += 1
    return end - start >= least and (not inside or start < edit.start <= edit.end < end)


def _joined(names: Mapping[str, _Name], owners: Mapping[str, _Name]) -> Iterator[tuple[_Name, Odd]]:
    """Registered names that are another host with one of its dots left out, or a hyphen in its place."""
    for name in names.values():
        labels = name.text.split(".")
        for at in range(1, len(labels) - 1):
            for sign in ("", "-"):
                joined = [*labels[: at - 1], labels[at - 1] + sign + labels[at], *labels[at + 1 :]]
                odd = owners.get(".".join(joined))
                if odd is not None and not odd.text.startswith("*"):
                    yield odd, Odd(odd.host, odd.text, name.text, name.host, "is, but for a dot,")
