"""What stands in a Windows Firewall, whoever put it there: an artefact of ours, or what a machine exports.

Broader than ``model``, which holds what this target writes. Conditions that a reader does not understand are
``doubts``: the rule may then match less than its other fields say, never more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from egressc.addresses import AddressSet
    from egressc.anything import Anything
    from egressc.flows import Processes
    from egressc.services import PortSet
    from egressc.targets.windows_firewall.model import Action, Profile


@dataclass(frozen=True, slots=True)
class LiveRule:
    """One active outbound rule about TCP or UDP.

    ``action`` is ``None`` where it is not known. ``overrides`` marks an allow that wins over blocks. ``addresses`` are
    ``None`` where the rule names none; it is then for any address, or for those of its ``keywords`` alone, which are
    ids in lower case without braces. ``is_local`` is whether it is kept on the host, where group policy may void it.
    ``sure`` are those of the addresses that it has for certain, and ``beside`` is the one of the doubts that is about
    the others alone; empty where there is none.
    """

    name: str
    place: str
    action: Action | None
    ports: PortSet
    addresses: AddressSet | None
    keywords: tuple[str, ...]
    processes: Processes
    profiles: frozenset[Profile] | Anything
    doubts: tuple[str, ...] = ()
    overrides: bool = False
    is_local: bool = False
    sure: AddressSet | None = None
    beside: str = ""


@dataclass(frozen=True, slots=True)
class LiveKeyword:
    """A dynamic keyword: a name that Defender resolves, or addresses (then ``addresses`` is not ``None``)."""

    id: str
    name: str
    addresses: AddressSet | None = None
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class LiveProfile:
    """The settings of one profile; ``None`` for what is not said: what is outside, or left to the host."""

    profile: Profile
    is_on: bool | None = None
    blocks: bool | None = None
    takes_local_rules: bool | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """A whole configuration.

    ``closing_deny`` is what an artefact says of it; ``None`` for an export, where ``profiles`` say. ``accounts`` are
    the identifiers of accounts by their name in upper case, as far as somebody looked them up on the host.
    """

    rules: tuple[LiveRule, ...]
    keywords: tuple[LiveKeyword, ...] = ()
    closing_deny: bool | None = None
    profiles: tuple[LiveProfile, ...] = ()
    accounts: tuple[tuple[str, str], ...] = ()
    remarks: tuple[str, ...] = ()
