"""Networks of IPv4 by whole octets: ``10.*``, as formats say them that compare an address as text, like a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.addresses import AddressSet, address_text
from egressc.diagnostics import Level
from egressc.exports import ListStep
from egressc.flows import Flow
from egressc.reasons import Effect, Reason

if TYPE_CHECKING:
    from egressc.reach import Reach

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
    ((first, last),) = piece.v4
    count = {1: 4, 1 << 8: 3, 1 << 16: 2, 1 << 24: 1}[last - first + 1]
    return ".".join([*address_text(4, first).split(".")[:count], *(["*"] if count < 4 else [])])


def compared_as_text(glob: str, reach: Reach, port: int, whose: str) -> ListStep:
    """The step of ``10.1.2.*``, which also matches ``10.1.2.a.example``: a name that anyone can register.

    Such names are said here, and not followed any further.
    """
    flow = Flow(None, None, f"{glob[:-1]}a.example", None, None, None, "tcp", port)
    sentence = f"`{glob}` is compared as text: names that begin so are meant, too{whose}"
    return ListStep(Reason.ADDRESS, Effect.WIDER, sentence, reach, reach, Level.WARNING, flow)
