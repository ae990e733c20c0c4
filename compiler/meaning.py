"""What a firewall does, as its vendor documents it: rulings, of which the first that matches a flow decides.

Every target turns what it has read (its own artefact, or a live configuration) into one ``Meaning``. Nothing here knows
a target; what is compared with it, and how, stands in ``proof``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from egressc.addresses import ALL
from egressc.flows import EVERY, NO_TAGS, Box
from egressc.quick_init import quick_init
from egressc.reach import BOTH_FAMILIES
from egressc.services import ALL_PORTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from egressc.addresses import AddressSet
    from egressc.flows import Choice, Processes, Test
    from egressc.hosts import HostPattern
    from egressc.services import PortSet


class Outcome(StrEnum):
    """What a ruling does with the flows that it matches; ``LEFT``: nothing, and no later ruling is asked."""

    ALLOW = "allow"
    DENY = "deny"
    LEFT = "left"


class Handling(StrEnum):
    """What a ruling on inspection does: opens the TLS of the flows that it matches, or leaves it closed."""

    INSPECT = "inspect"
    EXEMPT = "exempt"


@quick_init
@dataclass(frozen=True, slots=True)
class Block:
    """Flows as a product in which the names are alternatives.

    ``names`` are tests of host and path of which one must hold; ``None`` where no name is asked for (then a flow
    without a name matches, too). It is never empty. ``names_out`` are tests of which none may hold. With ``by_address``
    names are known by the address that they resolved to: the host name or the shared name is among them. ``objects``
    are the objects of the device whose networks only the device knows, of which the source must be in one (``EVERY``:
    no such condition). The policy's own view has groups in place of ``objects``, and ``accounts`` and ``families``; an
    enforcement point has ``sources`` and ``processes`` instead.
    """

    names: tuple[Test, ...] | None = None
    addresses: AddressSet = ALL
    ports: PortSet = ALL_PORTS
    sources: AddressSet = ALL
    processes: Processes = ()
    by_address: bool = False
    names_out: tuple[Test, ...] = ()
    objects: Choice = EVERY
    tags: frozenset[str] = NO_TAGS
    no_tags: frozenset[str] = NO_TAGS
    accounts: Choice = EVERY
    families: frozenset[int] = BOTH_FAMILIES

    def boxes(self) -> Iterator[Box]:
        """The same flows as boxes, one for each name (two where it is known by its address)."""
        out = self.names_out
        if self.names is None:
            yield self._box((), out, (), ())
            return
        shared_out = tuple(pattern for pattern, _ in out) if self.by_address else ()
        for test in self.names:
            yield self._box((test,), out, (), ())
            if self.by_address:
                yield self._box((), (), (test[0],), shared_out)

    def aside(self) -> Iterable[HostPattern]:
        """The names that its boxes leave out without asking for one."""
        return [pattern for pattern, _ in self.names_out] if self.names_out and self.names is None else ()

    def _box(
        self,
        inside: tuple[Test, ...],
        out: tuple[Test, ...],
        shared: tuple[HostPattern, ...],
        shared_out: tuple[HostPattern, ...],
    ) -> Box:
        return Box(
            self.objects, self.families, self.accounts, self.ports, self.addresses, inside, out, shared, shared_out,
            self.tags, self.no_tags, self.sources, self.processes,
        )  # fmt: skip


@quick_init
@dataclass(frozen=True, slots=True)
class Ruling:
    """One rule of a configuration, or one line of what it amounts to.

    ``name`` is what the artefact calls the rule (a lowering puts it into ``Part.names``). ``doubt`` says why the rule
    may match less than ``blocks``, which are then the most that it can match; it is empty where they are exact.
    ``but`` are flows that the ruling lets go by although ``blocks`` hold them. ``place`` says where it stands, for
    people.
    """

    name: str
    outcome: Outcome
    blocks: tuple[Block, ...]
    place: str = ""
    doubt: str = ""
    but: tuple[Block, ...] = ()


@quick_init
@dataclass(frozen=True, slots=True)
class InspectionRuling:
    """One rule about TLS inspection; the first that matches decides, and what none matches is not inspected.

    ``sure`` is whether an inspection surely takes place. ``doubt`` as in ``Ruling``.
    """

    name: str
    handling: Handling
    blocks: tuple[Block, ...]
    sure: bool = True
    place: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a configuration does with the flows that concern one site.

    ``default`` is what the device itself does with what no ruling matches (``LEFT`` where that is for others to say).
    ``remarks`` say in words what was read and has no bearing, or could not be understood: for people, with its place.
    """

    rulings: tuple[Ruling, ...]
    inspections: tuple[InspectionRuling, ...] = ()
    default: Outcome = Outcome.LEFT
    remarks: tuple[str, ...] = ()


class UnreadableError(Exception):
    """A configuration that cannot be read at all: what is wrong, in which file, on which line (0: the whole file)."""

    def __init__(self, message: str, file: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
