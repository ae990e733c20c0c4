"""Reach: what one rule, or one part of a rule, matches, in the words of the policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.quick_init import quick_init

if TYPE_CHECKING:
    from egressc.anything import Anything
    from egressc.policy import Endpoint
    from egressc.services import PortSet

BOTH_FAMILIES = frozenset({4, 6})
"""IPv4 and IPv6."""


@quick_init
@dataclass(frozen=True, slots=True)
class Reach:
    """The flows from ``groups`` as ``accounts`` to ``endpoints`` but not ``exceptions`` on ``ports``.

    ``groups`` and ``accounts`` are names, or ``ANY`` (also sources and processes that no group or account names).
    ``source_families`` are the IP versions of the sources. With ``shared``, a host endpoint also matches flows whose
    *shared name* it matches (the name is known only through the address that it resolved to).
    """

    groups: frozenset[str] | Anything
    accounts: frozenset[str] | Anything
    endpoints: tuple[Endpoint, ...]
    exceptions: tuple[Endpoint, ...]
    ports: PortSet
    shared: bool = False
    source_families: frozenset[int] = BOTH_FAMILIES
