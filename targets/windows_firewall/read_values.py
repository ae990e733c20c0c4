"""Addresses, ports and lists of accounts as Windows Firewall writes them, with what is not clear about them in words.

Sources: [MS-GPFAS] v20240423 2.2.2.2, 2.2.2.3, 2.2.2.9 to 2.2.2.13; [MS-FASP] v20260511 2.2.37; New-NetFirewallRule.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from egressc.addresses import ALL, EMPTY, AddressSet
from egressc.flows import EVERY, Choice
from egressc.ranges import merged
from egressc.services import FIRST_PORT, LAST_PORT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.ranges import Ranges

_V4_LAST: Final = (1 << 32) - 1
_PORT: Final = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_LENGTH: Final = re.compile(r"[0-9]{1,3}")

EVERYONE: Final = "S-1-1-0"
"""The identifier that stands in the token of every process ([MS-DTYP] 2.4.2.4, but for anonymous logons)."""

BUILT_IN: Final = frozenset({"S-1-5-18", "S-1-5-19", "S-1-5-20"})
"""LocalSystem, LocalService, NetworkService: no process runs as two of them ([MS-DTYP] 2.4.2.4)."""

_ALIASES: Final = {
    # [MS-DTYP] 2.5.1.1, the aliases with an identifier that is the same everywhere
    "AN": "S-1-5-7", "AU": "S-1-5-11", "BA": "S-1-5-32-544", "BG": "S-1-5-32-546", "BU": "S-1-5-32-545",
    "IU": "S-1-5-4", "LS": "S-1-5-19", "NS": "S-1-5-20", "NU": "S-1-5-2", "SU": "S-1-5-6", "SY": "S-1-5-18",
    "WD": EVERYONE,
}  # fmt: skip
_SID: Final = re.compile(r"S-1-(?:[0-9]{1,15}|0X[0-9A-F]{1,12})(?:-[0-9]{1,10}){1,15}")
_DESCRIPTOR: Final = re.compile(
    r"(?:O:(?:[A-Z]{2}|S-1-[0-9A-FX-]+))?(?:G:(?:[A-Z]{2}|S-1-[0-9A-FX-]+))?D:(?:P|AR|AI)*((?:\([^()]*\))+)"
)
_ACE: Final = re.compile(r"\(([^()]*)\)")
_MATCHES: Final = frozenset({"CC", "0X1"})
"""The right with which an entry matches ([MS-FASP] 2.2.37: ``FWP_ACTRL_MATCH_FILTER``)."""


_PLACES: Final = frozenset({
    "localsubnet", "localsubnet4", "localsubnet6", "dns", "dhcp", "wins", "defaultgateway", "internet", "intranet",
})  # fmt: skip
"""Words for addresses that only the host knows (New-NetFirewallRule, ``-RemoteAddress``)."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses of a rule; ``doubt`` is empty where they are exactly that, else they are the most that it can be.

    ``sure`` are those that it has for certain. They are alternatives, so a documented word beside them only adds some;
    ``None`` where anything else is not clear, since Windows may not take the rule at all.
    """

    held: AddressSet
    doubt: str = ""
    sure: AddressSet | None = None


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of one protocol; ``doubt`` as in ``Addresses``."""

    held: Ranges
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Users:
    """Whom a process runs as, by identifier; ``doubt`` as in ``Addresses``."""

    held: Choice
    doubt: str = ""


def addresses_of(texts: Sequence[str], *, most: AddressSet = ALL) -> Addresses:
    """Addresses, ranges and networks together. What is none of these (``LocalSubnet``) may be any of ``most``."""
    v4: list[tuple[int, int]] = []
    v6: list[tuple[int, int]] = []
    doubts: list[str] = []
    is_any = is_wider = is_unclear = False
    for text in texts:
        found = _addresses(text)
        if isinstance(found, str):
            if not found:
                is_any = True
                continue
            doubts.append(found)
            is_wider = True
            is_unclear = is_unclear or text.lower() not in _PLACES
            continue
        family, first, last, doubt = found
        (v4 if family == 4 else v6).append((first, last))
        if doubt:
            doubts.append(doubt)
            is_unclear = True
    if is_any:
        v4.extend(most.v4)
        v6.extend(most.v6)
    known = _set(v4, v6)
    held = _set([*v4, *most.v4], [*v6, *most.v6]) if is_wider else known
    return Addresses(held, "; ".join(doubts), None if is_unclear else known)


def _set(v4: list[tuple[int, int]], v6: list[tuple[int, int]]) -> AddressSet:
    """The addresses in these ranges; ``ALL`` and ``EMPTY`` themselves, if they are all or none."""
    found = AddressSet(merged(v4), merged(v6))
    if found == ALL:
        return ALL
    return EMPTY if found.is_empty else found


def _addresses(text: str) -> tuple[int, int, int, str] | str:
    """Family, first and last address, and a doubt. Or a text: what is not clear, empty for any address."""
    one = _address(text)
    if one is not None:
        return (*one, one[1], "")
    if text.lower() == "any":
        return ""
    unclear = f"which addresses `{text}` is, only the host knows"
    left, slash, right = text.partition("/")
    if not slash:
        left, dash, right = text.partition("-")
        first, last = _address(left), _address(right) if dash else None
        if first is None or last is None or first[0] != last[0] or first[1] > last[1]:
            return unclear
        return (*first, last[1], "")
    network = _address(left)
    if network is None:
        return unclear
    family, value = network
    length = _length(family, right)
    if length is None:
        return unclear
    wild = (1 << ((32 if family == 4 else 128) - length)) - 1
    doubt = f"`{text}` is an address inside a network, not a network" if value & wild else ""
    return family, value & ~wild, value | wild, doubt


def _length(family: int, text: str) -> int | None:
    """The length of a prefix, also where it is written as a mask; none is 0 ([MS-FASP] 2.2.4)."""
    if _LENGTH.fullmatch(text):
        length = int(text)
        return length if 0 < length <= (32 if family == 4 else 128) else None
    mask = _address(text)
    if mask is None or mask[0] != 4 or family != 4:
        return None
    wild = mask[1] ^ _V4_LAST
    return mask[1].bit_count() if mask[1] and not wild & (wild + 1) else None


def _address(text: str) -> tuple[int, int] | None:
    """The family and value of one address; ``None`` if it is none."""
    try:
        if ":" in text:
            return 6, int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big")
        return 4, int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
    except (OSError, ValueError):  # ValueError: a NUL, or what is no ASCII
        return None


def ports_of(texts: Iterable[str]) -> Ports:
    """Numbers and ranges together; port 0 is no part of a flow. A keyword may be any port."""
    held: list[tuple[int, int]] = []
    doubts: list[str] = []
    for text in texts:
        found = _PORT.fullmatch(text)
        first = int(found[1]) if found else 0
        last = int(found[2] or found[1]) if found else 0
        if found is None or last > LAST_PORT or first > last:
            held.append((FIRST_PORT, LAST_PORT))
            if text.lower() != "any":
                doubts.append(f"which ports `{text}` is, only the host knows")
        elif last:
            held.append((max(first, FIRST_PORT), last))
    return Ports(merged(held), "; ".join(doubts))


def sid(text: str) -> str | None:
    """The identifier in one spelling, also of a two-letter alias; ``None`` if it is none."""
    upper = text.upper()
    return upper if _SID.fullmatch(upper) else _ALIASES.get(upper)


def users_of(text: str) -> Users:
    """Whom a security descriptor lets match: the first entry with an identifier of the process decides.

    A process has one account and perhaps groups and services beside it; what depends on those is doubtful.
    """
    unclear = Users(EVERY, f"whom `{text if len(text) < 100 else text[:100] + '…'}` lets match is not clear")
    shape = _DESCRIPTOR.fullmatch(text.upper())
    if shape is None:
        return unclear
    allowed: set[str] = set()
    denied: set[str] = set()
    rest = False
    for entry in _ACE.findall(shape[1]):
        fields = entry.split(";")
        if len(fields) != 6 or fields[1] or fields[2] not in _MATCHES or fields[3] or fields[4]:
            return unclear
        who = sid(fields[5])
        if who is None or fields[0] not in {"A", "D"}:
            return unclear
        if who == EVERYONE:
            rest = fields[0] == "A"
            break
        if who not in allowed and who not in denied:
            (allowed if fields[0] == "A" else denied).add(who)
    if rest:
        # Who is denied matters unless nobody is: groups and services stand in the token of other accounts, too.
        sure = denied <= BUILT_IN
        return Users(Choice(frozenset(denied), negated=True), "" if sure else unclear.doubt)
    sure = not denied or not allowed or denied | allowed <= BUILT_IN
    return Users(Choice(frozenset(allowed)), "" if sure else unclear.doubt)
