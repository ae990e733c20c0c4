"""Reach: what one rule, or one part of a rule, matches, in the words of the policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from egressc.anything import Anything
from egressc.quick_init import quick_init

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def for_every_process(reach: Reach, overlapping: Mapping[str, frozenset[str]]) -> Reach:
    """The reach for every account that a process of its accounts may belong to.

    ``overlapping`` holds with an account the others that it may have a process in common with.
    """
    if not overlapping or isinstance(reach.accounts, Anything):
        return reach
    accounts = reach.accounts.union(*(overlapping.get(name, ()) for name in reach.accounts))
    return reach if accounts == reach.accounts else replace(reach, accounts=accounts)
