"""Networks of IPv4 by whole octets: ``10.*``, as formats say them that compare an address as text, like a name."""

from __future__ import annotations

from egressc.addresses import AddressSet, address_text
from egressc.hosts import HostPattern

MORE_LABELS = 4
"""How many more labels a star is followed through that also stands for dots; said in the step's sentence."""

MANY_NETWORKS = 256
"""So many lines at most for one entry where a format says networks only by whole octets, or address by address."""


def octets(network: AddressSet) -> list[AddressSet] | None:
    """A network of IPv4 in pieces of 1, 256, 65,536 or 16,777,216 addresses; ``None`` where these are too many."""
    ((first, last),) = network.v4
    whole = last - first + 1
    piece = max(size for size in (1, 1 << 8, 1 << 16, 1 << 24) if size <= whole)
    if whole // piece > MANY_NETWORKS:
        return None
    return [AddressSet(((at, at + piece - 1),), ()) for at in range(first, last + 1, piece)]


def octets_text(piece: AddressSet) -> str:
    """Such a piece as it is spelled: an address, ``10.*``, ``10.1.*`` or ``10.1.2.*``."""
    return ".".join([*_fixed(piece), *(["*"] if piece.size > 1 else [])])


def names_like(piece: AddressSet) -> tuple[HostPattern, ...]:
    """The names that the same text matches: ``10.1.2.*`` also holds ``10.1.2.a.example``, which anyone can register."""
    if piece.size == 1:
        return ()
    return tuple([HostPattern((*_fixed(piece), *("*",) * count)) for count in range(1, MORE_LABELS + 2)])


def _fixed(piece: AddressSet) -> list[str]:
    """The octets that do not vary."""
    ((first, last),) = piece.v4
    count = {1: 4, 1 << 8: 3, 1 << 16: 2, 1 << 24: 1}[last - first + 1]
    return address_text(4, first).split(".")[:count]
