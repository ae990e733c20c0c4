"""The policy model: what a set of files means once every name is resolved.

Nothing here knows a group's addresses or a firewall: groups are names until ``bind`` meets them with an inventory.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from egressc.quick_init import quick_init

if TYPE_CHECKING:
    from datetime import date

    from egressc.addresses import AddressSet
    from egressc.anything import Anything
    from egressc.hosts import HostPattern
    from egressc.services import Service
    from egressc.source import Source, Span
    from egressc.words import TemplateWord


class Action(StrEnum):
    """What a rule does with the flows that it matches."""

    ALLOW = "allow"
    DENY = "deny"


class Inspection(StrEnum):
    """What a rule says about TLS inspection of the flows that it allows."""

    MAY = "may"
    MUST_NOT = "must-not"
    MUST = "must"


@quick_init
@dataclass(frozen=True, slots=True)
class HostEndpoint:
    """Hosts by name, with an optional path prefix (``/pkiops``: that path, or anything below ``/pkiops/``)."""

    pattern: HostPattern
    path: str | None = None

    @property
    def text(self) -> str:
        """The endpoint as the language writes it."""
        return self.pattern.text + (self.path or "")


@dataclass(frozen=True, slots=True)
class AddressEndpoint:
    """Destination addresses, whatever name was asked for."""

    addresses: AddressSet

    @property
    def text(self) -> str:
        """The endpoint as the language writes it (ranges separated by spaces)."""
        return self.addresses.text


@dataclass(frozen=True, slots=True)
class AnyAddressEndpoint:
    """Every destination address (``any-address``)."""

    @property
    def text(self) -> str:
        """The endpoint as the language writes it."""
        return "any-address"


@dataclass(frozen=True, slots=True)
class TagEndpoint:
    """The addresses that Azure publishes under a service tag."""

    name: str

    @property
    def text(self) -> str:
        """The endpoint as the language writes it."""
        return f"service-tag {self.name}"


Endpoint = HostEndpoint | AddressEndpoint | AnyAddressEndpoint | TagEndpoint
"""An endpoint without parameters."""


@dataclass(frozen=True, slots=True)
class TemplateEndpoint:
    """A host with parameters that each group's inventory entry fills.

    ``with_labels`` are those of its parameters whose values may hold dots.
    """

    word: TemplateWord
    span: Span
    with_labels: frozenset[str]

    @property
    def text(self) -> str:
        """The endpoint as it was written."""
        return self.word.text


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations:
    """The ``to`` of a rule. Values are shared between rules that name the same sets.

    ``fallback`` is ``None`` when a set with names lacks one, or when a rule names hosts outside a set.
    """

    endpoints: tuple[Endpoint | TemplateEndpoint, ...]
    exceptions: tuple[Endpoint | TemplateEndpoint, ...] = ()
    fallback: tuple[Endpoint, ...] | None = None

    @property
    def has_parameters(self) -> bool:
        """True if a host waits for a parameter."""
        return any(isinstance(e, TemplateEndpoint) for e in (*self.endpoints, *self.exceptions))


BINDING_KINDS = (
    "windows-account",
    "windows-service",
    "windows-program",
    "linux-user",
    "linux-cgroup",
    "directory-user",
)
"""What an account can be called on a platform, in the order in which the kinds are shown."""


@dataclass(frozen=True, slots=True)
class Account:
    """A logical service account: the conjunction of its kinds, the disjunction of the values within a kind."""

    name: str
    description: str
    bindings: tuple[tuple[str, tuple[str, ...]], ...]
    span: Span

    def values(self, kind: str) -> tuple[str, ...]:
        """The values that the account is bound to for a kind; empty when it has no binding of that kind."""
        for name, values in self.bindings:
            if name == kind:
                return values
        return ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A placeholder in hosts. ``labels`` says whether a value may hold dots."""

    name: str
    labels: bool
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyHead:
    """What a policy says about itself."""

    name: str
    description: str
    owner: str
    reference: str
    ticket: str
    review_by: date | None
    source: Source
    span: Span


@dataclass(frozen=True, slots=True)
class GroupName:
    """A group as a rule names it; the inventory resolves it."""

    name: str
    span: Span


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule with the defaults of its policy filled in.

    ``identity`` is ``POLICY/RULE``, or ``POLICY/INCLUDED/RULE`` through an include. ``span`` is the rule's name.
    ``log`` is ``None`` where nothing is said: the device's default. ``services`` is never empty.
    """

    identity: str
    action: Action
    description: str
    groups: tuple[GroupName, ...] | Anything
    accounts: tuple[Account, ...] | Anything
    to: Destinations
    services: tuple[Service, ...]
    inspection: Inspection
    log: bool | None
    feature: str | None
    feature_span: Span | None
    expires: date | None
    ticket: str
    reference: str
    policy: PolicyHead
    span: Span


@dataclass(frozen=True, slots=True)
class EndpointSet:
    """An endpoint set by its name, flattened. ``span`` is the name where it is defined."""

    name: str
    to: Destinations
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything that one run compiles: rules in the order of their identity.

    ``default_groups`` are those that the ``from`` of policies names, also where every rule says its own. ``sets`` are
    the endpoint sets of all files, imported ones too, by name: files that do not see each other may use a name twice.
    """

    rules: tuple[Rule, ...]
    accounts: tuple[Account, ...]
    parameters: tuple[Parameter, ...]
    default_groups: tuple[GroupName, ...]
    sources: tuple[Source, ...]
    sets: tuple[EndpointSet, ...] = ()
