"""What a target is: the protocol that the compiler knows it by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from egressc.diagnostics import Diagnostic
    from egressc.flows import Processes
    from egressc.located import Located
    from egressc.lowering import Lowering
    from egressc.meaning import Meaning
    from egressc.policy import Account
    from egressc.site import Site

SettingsT = TypeVar("SettingsT")
ModelT = TypeVar("ModelT")


@dataclass(frozen=True, slots=True)
class Artefact:
    """One file of an artefact folder: its name (no folders) and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Capability:
    """How a target says one feature of the language: a row of its lowering table.

    ``verdict`` is ``exact``, ``wider``, ``narrower`` or ``refused``; ``reasons`` the approximation reasons announced
    when it is not exact; ``assumptions`` the ids of statements that it rests on and nobody could verify.
    """

    feature: str
    how: str
    verdict: str
    reasons: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limit:
    """A number or pattern that the vendor's system enforces, with its source (document and section)."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Assumption:
    """A statement about the vendor's system that lowering rests on and nobody could verify."""

    id: str
    sentence: str
    source: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a target can express, its limits, and what nobody could verify."""

    title: str
    rows: tuple[Capability, ...]
    limits: tuple[Limit, ...]
    assumptions: tuple[Assumption, ...]


def _no_place(_settings: object) -> None:
    """No place that artefacts of several firewalls share."""


def _no_processes(_account: object) -> tuple[Processes, ...]:
    """No way to tell processes apart."""
    return ()


@dataclass(frozen=True, slots=True)
class Target(Generic[SettingsT, ModelT]):
    """A target. Every function is pure: the same values give the same answer, and nothing is read or written.

    ``load_settings`` turns the ``settings`` of an inventory entry (``None`` for a firewall without an inventory) into
    the target's own value, or errors. ``per_group`` says whether an artefact is for one group (a host firewall).
    ``sees_accounts`` says whether artefacts with these settings enforce accounts exactly. ``default_deny`` reads that
    setting. ``lower`` gives the target's own rules and what they approximate; ``render`` turns them into files, of
    which ``main_artefact`` names the first to read. ``shared_place`` says in words what an artefact with these settings
    takes for its own where those of other firewalls may land too (a policy in a cloud, a group policy); ``None`` where
    every device has its own. ``derived`` names files that no reader of this target reads back.

    ``read`` takes the files of an artefact, or of a live configuration of the same firewall, and says what they do; it
    raises ``UnreadableError``. A target without it proves nothing. ``processes`` says what an account is called there,
    as alternatives, in the words that ``read`` uses too.
    """

    name: str
    capabilities: Capabilities
    load_settings: Callable[[Located | None], tuple[SettingsT | None, tuple[Diagnostic, ...]]]
    per_group: Callable[[SettingsT], bool]
    sees_accounts: Callable[[SettingsT], bool]
    default_deny: Callable[[SettingsT], bool]
    lower: Callable[[Site[SettingsT]], Lowering[ModelT]]
    render: Callable[[ModelT], tuple[Artefact, ...]]
    main_artefact: str
    derived: tuple[str, ...] = ()
    shared_place: Callable[[SettingsT], str | None] = _no_place
    read: Callable[[Site[SettingsT], Sequence[Artefact]], Meaning] | None = None
    processes: Callable[[Account], tuple[Processes, ...]] = _no_processes
