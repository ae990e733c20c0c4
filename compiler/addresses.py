"""Address sets: both families, merged ranges. The only module that imports netaddr."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from netaddr import INET_PTON, AddrFormatError  # type: ignore[import-untyped, unused-ignore]
from netaddr.strategy import ipv4, ipv6  # type: ignore[import-untyped, unused-ignore]

from egressc import ranges
from egressc.problems import Problem
from egressc.quick_init import quick_init

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.ranges import Ranges

Family = Literal[4, 6]
_BITS: dict[Family, int] = {4: 32, 6: 128}
_LAST: dict[Family, int] = {4: 2**32 - 1, 6: 2**128 - 1}


@quick_init
@dataclass(frozen=True, slots=True)
class AddressSet:
    """A set of addresses of both families: ranges of integers, sorted, disjoint, not adjacent, both ends included."""

    v4: Ranges = ()
    v6: Ranges = ()

    @property
    def is_empty(self) -> bool:
        """True if there is no address in it. An empty set is never "any"."""
        return not (self.v4 or self.v6)

    @property
    def size(self) -> int:
        """How many addresses are in it."""
        return ranges.size(self.v4) + ranges.size(self.v6)

    @property
    def text(self) -> str:
        """The set as the language writes it, each range in its shortest spelling; ``no addresses`` when it is empty."""
        return " ".join([*_spelled(4, self.v4), *_spelled(6, self.v6)]) or "no addresses"

    def family(self, family: Family) -> AddressSet:
        """The addresses of one family."""
        return AddressSet(v4=self.v4) if family == 4 else AddressSet(v6=self.v6)

    def first(self) -> str:
        """An example: the first address, IPv4 before IPv6. Raises ``ValueError`` for the empty set."""
        if self.v4:
            return address_text(4, self.v4[0][0])
        if self.v6:
            return address_text(6, self.v6[0][0])
        raise ValueError("the empty set has no first address")

    def cidrs(self, family: Family) -> tuple[str, ...]:
        """The fewest networks that make up one family, always with their length: ``10.0.0.1/32``."""
        return tuple(f"{address_text(family, low)}/{length}" for low, length in self._networks(family))

    def blocks(self, family: Family) -> tuple[str, ...]:
        """The same networks, single addresses without a length: ``10.0.0.1``, ``10.1.0.0/16``."""
        bits = _BITS[family]
        return tuple(
            address_text(family, low) if length == bits else f"{address_text(family, low)}/{length}"
            for low, length in self._networks(family)
        )

    def ranges(self, family: Family) -> tuple[tuple[str, str], ...]:
        """The first and last address of each range of one family."""
        return tuple(
            (address_text(family, low), address_text(family, high))
            for low, high in (self.v4 if family == 4 else self.v6)
        )

    def union(self, other: AddressSet) -> AddressSet:
        """What is in either."""
        return AddressSet(ranges.union(self.v4, other.v4), ranges.union(self.v6, other.v6))

    def intersection(self, other: AddressSet) -> AddressSet:
        """What is in both."""
        return AddressSet(ranges.intersection(self.v4, other.v4), ranges.intersection(self.v6, other.v6))

    def difference(self, other: AddressSet) -> AddressSet:
        """What is in this one and not in the other."""
        return AddressSet(ranges.difference(self.v4, other.v4), ranges.difference(self.v6, other.v6))

    def overlaps(self, other: AddressSet) -> bool:
        """True if some address is in both."""
        return ranges.overlap(self.v4, other.v4) or ranges.overlap(self.v6, other.v6)

    def contains(self, other: AddressSet) -> bool:
        """True if every address of the other is in this one."""
        return ranges.contain(self.v4, other.v4) and ranges.contain(self.v6, other.v6)

    def _networks(self, family: Family) -> list[tuple[int, int]]:
        return _networks(family, self.v4 if family == 4 else self.v6)


EMPTY = AddressSet()
"""No address: never "any"."""

ALL_V4 = AddressSet(v4=((0, _LAST[4]),))
"""Every IPv4 address."""

ALL_V6 = AddressSet(v6=((0, _LAST[6]),))
"""Every IPv6 address."""

ALL = AddressSet(ALL_V4.v4, ALL_V6.v6)
"""Every address of both families."""


def union_of(sets: Iterable[AddressSet]) -> AddressSet:
    """The union of many sets, near-linear in their ranges together."""
    held = list(sets)
    return AddressSet(
        ranges.merged(r for s in held for r in s.v4),
        ranges.merged(r for s in held for r in s.v6),
    )


def address_text(family: Family, value: int) -> str:
    """An address as text: dotted for IPv4, RFC 5952 for IPv6."""
    if family == 4:
        return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
    return str(ipv6.int_to_str(value))


def _networks(family: Family, held: Ranges) -> list[tuple[int, int]]:
    """The fewest networks that make up the ranges: first address and prefix length, in order."""
    bits = _BITS[family]
    out = []
    for first, last in held:
        low = first
        while low <= last:
            # The largest block that begins here: limited by the alignment of its address, and by what is left.
            host_bits = (last - low + 1).bit_length() - 1
            if low:
                host_bits = min(host_bits, (low & -low).bit_length() - 1)
            out.append((low, bits - host_bits))
            low += 1 << host_bits
    return out


def _spelled(family: Family, held: Ranges) -> list[str]:
    out = []
    for first, last in held:
        networks = _networks(family, ((first, last),))
        text = address_text(family, first)
        if first == last:
            out.append(text)
        elif len(networks) == 1:
            out.append(f"{text}/{networks[0][1]}")
        else:
            out.append(f"{text}-{address_text(family, last)}")
    return out


_V4 = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")
_V6 = re.compile(r"[0-9A-Fa-f:.]+")
_MAPPED = 0xFFFF
"""What the upper 96 bits of an IPv4-mapped address are (RFC 4291, section 2.5.5.2)."""

_Address = tuple[Family, int]


@lru_cache(maxsize=65536)
def parse_addresses(text: str) -> AddressSet | Problem:
    """The addresses that an address, a prefix or a range stands for, or what is wrong with the word."""
    if not text or text[0] in "-/":
        return Problem("E0303", f"`{text}` is not an IP address", "an address is missing", _help_v4(text), 0, len(text))
    if "-" in text:
        return _range(text)
    if "/" in text:
        return _prefix(text)
    address = _address(text)
    if isinstance(address, Problem):
        return address
    family, value = address
    return _mapped(text, value, value) or _set(family, value, value)


def _set(family: Family, first: int, last: int) -> AddressSet:
    return AddressSet(v4=((first, last),)) if family == 4 else AddressSet(v6=((first, last),))


def _prefix(text: str) -> AddressSet | Problem:
    written, _, length_text = text.partition("/")
    address = _address(written)
    if isinstance(address, Problem):
        return address
    family, value = address
    bits = _BITS[family]
    at = len(written) + 1
    if len(length_text) > 1 and length_text[0] == "0" and length_text.isdecimal():
        return Problem(
            "E0304", f"the prefix length `{length_text}` has a leading zero", "leading zero",
            f"write `{written}/{length_text.lstrip('0') or '0'}`", at, len(text),
        )  # fmt: skip
    if not re.fullmatch(r"[0-9]{1,3}", length_text) or int(length_text) > bits:
        return _bad_length(text, written, length_text, family, value)
    length = int(length_text)
    host_mask = (1 << (bits - length)) - 1
    last = value | host_mask
    if value & host_mask:
        network = f"{address_text(family, value & ~host_mask)}/{length}"
        return Problem(
            "E0306", f"`{text}` is not a network: bits behind the prefix are set", "an address inside the network",
            f"write `{network}` for the network, or `{written}` for the one address", 0, len(text),
        )  # fmt: skip
    return (_mapped(text, value, last) if family == 6 else None) or _set(family, value, last)


def _bad_length(text: str, written: str, length_text: str, family: Family, value: int) -> Problem:
    bits = _BITS[family]
    at = len(written) + 1
    help_ = f"write a length from 0 to {bits}, such as `{written}/{bits}`, or `{written}` for the one address"
    if family == 4 and _V4.fullmatch(length_text) and isinstance(mask := _address(length_text), tuple):
        # A netmask or a host mask, as other products take them: all ones on one side.
        for ones in (mask[1], mask[1] ^ _LAST[4]):
            length = ones.bit_count()
            if ones == _LAST[4] ^ ((1 << (32 - length)) - 1):
                network = value & ones
                help_ = f"write the length of the prefix: `{address_text(4, network)}/{length}`"
                break
    message = f"`{length_text}` is not the length of an IPv{family} prefix"
    if not length_text:
        message = "the length of the prefix is missing"
        at -= 1
    return Problem("E0305", message, "not a prefix length", help_, at, len(text))


def _range(text: str) -> AddressSet | Problem:
    left, _, right = text.partition("-")
    if "/" in text:
        return Problem(
            "E0303", f"`{text}` mixes a range with a prefix", "a range runs from address to address",
            "write the range as FIRST-LAST with two addresses, or each network as a word of its own", 0, len(text),
        )  # fmt: skip
    first = _address(left)
    if isinstance(first, Problem):
        return Problem(first.code, first.message, first.label, first.help, first.start, min(first.end, len(text)))
    at = len(left) + 1
    last = _address(right, at)
    if isinstance(last, Problem):
        whole = _shortened(left, right, first[0])
        if whole is not None and last.code == "E0303":
            help_ = f"write both addresses in full: `{left}-{whole}`"
            return Problem("E0303", f"`{right}` is not an address", "not an address", help_, at, len(text))
        if not right:
            return Problem(
                "E0303", f"the range `{text}` has no last address", "an address is missing",
                "write the range as FIRST-LAST", at - 1, at,
            )  # fmt: skip
        return last
    if first[0] != last[0]:
        return Problem(
            "E0308", f"the range `{text}` mixes IPv4 and IPv6", f"an IPv{last[0]} address, after an IPv{first[0]} one",
            "write two ranges, one for each IP version", at, len(text),
        )  # fmt: skip
    if first[1] > last[1]:
        return Problem(
            "E0307", f"the address range `{text}` is reversed", "the first address is above the last",
            f"write `{right}-{left}`", 0, len(text),
        )  # fmt: skip
    return (_mapped(text, first[1], last[1]) if first[0] == 6 else None) or _set(first[0], first[1], last[1])


def _shortened(first: str, last: str, family: Family) -> str | None:
    """The last address of a range of which only the last number is written; ``None`` if that is not what it is."""
    if family == 4:
        is_number = re.fullmatch(r"[0-9]{1,3}", last) and int(last) <= 255
        return f"{first.rpartition('.')[0]}.{int(last)}" if is_number else None
    return f"{first.rpartition(':')[0]}:{last}" if re.fullmatch(r"[0-9A-Fa-f]{1,4}", last) else None


def _mapped(text: str, first: int, last: int) -> Problem | None:
    """A problem if a range is within the IPv4-mapped addresses, which never stand in a packet."""
    if ":" not in text or first >> 32 != _MAPPED or last >> 32 != _MAPPED:
        return None
    set_v4 = _set(4, first & _LAST[4], last & _LAST[4])
    return Problem(
        "E0310", f"`{text}` is an IPv4 address in IPv6 notation", "IPv4-mapped: no packet carries it",
        f"write `{set_v4.text}`", 0, len(text),
    )  # fmt: skip


def _address(text: str, at: int = 0) -> _Address | Problem:
    """The family and value of one address that stands at ``at`` in the word, or what is wrong with it."""
    end = at + len(text)
    if "%" in text:
        bare, _, _ = text.partition("%")
        return Problem(
            "E0309", f"`{text}` names a zone of one host", "a zone id",
            f"write `{bare}`: a policy holds for every host of its groups", at + len(bare), end,
        )  # fmt: skip
    if ":" in text:
        if _V6.fullmatch(text):
            try:
                return 6, ipv6.str_to_int(text)
            except AddrFormatError:
                pass
        return Problem("E0303", f"`{text}` is not an IPv6 address", "not an IPv6 address", _help_v6(text), at, end)
    if not _V4.fullmatch(text):
        return Problem("E0303", f"`{text}` is not an IP address", "not an IP address", _help_v4(text), at, end)
    start = at
    for part in text.split("."):
        if len(part) > 1 and part[0] == "0":
            plain = ".".join(p.lstrip("0") or "0" for p in text.split("."))
            return Problem(
                "E0304", f"`{text}` has a leading zero, which some programs read as octal", "leading zero",
                f"write `{plain}`", start, start + len(part),
            )  # fmt: skip
        if len(part) > 3 or int(part) > 255:
            return Problem(
                "E0303", f"`{text}` is not an IPv4 address", "above 255", "each part of an IPv4 address is 0 to 255",
                start, start + len(part),
            )  # fmt: skip
        start += len(part) + 1
    return 4, ipv4.str_to_int(text, INET_PTON)


def _help_v4(text: str) -> str:
    if text.isdecimal():
        return "write an address such as `192.0.2.1`; a port stands under `ports`"
    return "write an address such as `192.0.2.1`, a network such as `192.0.2.0/24`, or a range"


def _help_v6(text: str) -> str:
    if "[" in text or "]" in text:
        bare, _, rest = text.lstrip("[").partition("]")
        if _V6.fullmatch(bare):
            port = rest.removeprefix(":")
            return f"write `{bare}` without brackets" + (f", and port {port} under `ports`" if port.isdecimal() else "")
    return "write an address such as `2001:db8::1`, a network such as `2001:db8::/32`, or a range"
