"""Addresses and networks as iptables and ipset write them."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING

from egressc.addresses import AddressSet

if TYPE_CHECKING:
    from egressc.targets.iptables.model import Family


@lru_cache(maxsize=65536)
def network_of(text: str, family: Family) -> AddressSet | None:
    """One address, a network (also with a netmask), or ``FIRST-LAST``; bits behind the mask count for nothing.

    ``None`` if the text is none of this family.
    """
    if family == 4 and "." in text.partition("/")[2] and has_holes(text):
        return None
    try:
        if "-" in text:
            first, last = (int(_address(each, family)) for each in text.split("-", 1))
            return _set(family, first, last) if first <= last else None
        known = ipaddress.IPv4Network(text, strict=False) if family == 4 else ipaddress.IPv6Network(text, strict=False)
    except ValueError:
        return None
    return _set(family, int(known.network_address), int(known.broadcast_address))


def has_holes(text: str) -> bool:
    """True for a netmask that is no prefix, such as ``0.0.0.5/0.0.0.255``, which iptables takes bit by bit.

    Python reads it as the inverse of a netmask instead.
    """
    mask = text.partition("/")[2]
    try:
        bits = int(ipaddress.ip_address(mask)) if "." in mask or ":" in mask else None
    except ValueError:
        return False
    if bits is None:
        return False
    ahead = (1 << (128 if ":" in mask else 32)) - 1 - bits
    return ahead & (ahead + 1) != 0


def prefix_of(text: str) -> int:
    """The length behind the slash; 128 without one."""
    _, slash, length = text.partition("/")
    return int(length) if slash and length.isdigit() else 128


def _address(text: str, family: Family) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.IPv4Address(text) if family == 4 else ipaddress.IPv6Address(text)


def _set(family: Family, first: int, last: int) -> AddressSet:
    held = ((first, last),)
    return AddressSet(v4=held) if family == 4 else AddressSet(v6=held)
