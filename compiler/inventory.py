"""The inventory model: where a policy holds. Groups, firewalls, internal networks, accounts, service tags.

Every name here resolves and every address parses. What only a policy can know (whether an account, a feature or a
parameter exists) is left to the binder; the spans that it needs for its diagnostics stand beside the names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from egressc.addresses import AddressSet, parse_addresses, union_of
from egressc.anything import ANY, Anything
from egressc.located_value import Located

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from egressc.inventory_exports import Export
    from egressc.inventory_proxy import Proxy
    from egressc.source import Source, Span

DEFAULT_INTERNAL_TEXTS: Final = (
    "10.0.0.0/8",  # RFC 1918
    "172.16.0.0/12",  # RFC 1918
    "192.168.0.0/16",  # RFC 1918
    "100.64.0.0/10",  # RFC 6598, shared address space
    "169.254.0.0/16",  # RFC 3927, link local
    "fc00::/7",  # RFC 4193, unique local
    "fe80::/10",  # RFC 4291 section 2.5.6, link local
)
"""The destinations inside the house, if the inventory does not say otherwise."""


def _default_internal() -> AddressSet:
    sets = []
    for text in DEFAULT_INTERNAL_TEXTS:
        parsed = parse_addresses(text)
        assert isinstance(parsed, AddressSet)
        sets.append(parsed)
    return union_of(sets)


DEFAULT_INTERNAL: Final = _default_internal()
"""``DEFAULT_INTERNAL_TEXTS`` as one address set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Who: a named set of hosts, or a union of groups.

    ``networks`` is ``None`` where none are given, never an empty set. A union has ``members`` and nothing else.
    ``parameter_spans`` runs parallel to ``parameters``: for each the span of its name and those of its values.
    ``feature_spans`` is sorted by position, ``object_spans`` runs parallel to ``objects``. ``span`` is the name.
    With a ``proxy``, firewalls let the group reach the proxy and what its ``bypass`` names, and nothing else.
    """

    name: str
    span: Span
    description: str = ""
    networks: AddressSet | None = None
    parameters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    parameter_spans: tuple[tuple[Span, tuple[Span, ...]], ...] = ()
    features: frozenset[str] = frozenset()
    feature_spans: tuple[tuple[str, Span], ...] = ()
    objects: tuple[tuple[str, str], ...] = ()
    object_spans: tuple[Span, ...] = ()
    members: tuple[str, ...] = ()
    proxy: Proxy | None = None

    @property
    def is_union(self) -> bool:
        """True if the group stands for its members."""
        return bool(self.members)

    @property
    def is_unbound(self) -> bool:
        """True if nothing says which addresses the group has: any source. False for a union."""
        return self.networks is None and not self.objects and not self.members

    def object_for(self, target: str) -> str | None:
        """The name of the object that already holds this group on a target, or ``None``."""
        for name, value in self.objects:
            if name == target:
                return value
        return None

    def values_of(self, parameter: str) -> tuple[str, ...]:
        """The values of a parameter for this group; empty when the group does not bind it."""
        for name, values in self.parameters:
            if name == parameter:
                return values
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """An approximation reason that a firewall's entry accepts: for which rules, why, and through which day (UTC).

    ``span`` is the word that names the reason (``None`` for ``--accept``), ``rules_span`` the pattern. Whether
    ``until`` has passed is for the caller to judge.
    """

    reason: str
    span: Span | None
    rules: str = "*"
    why: str = ""
    until: date | None = None
    rules_span: Span | None = None

    def covers(self, identity: str) -> bool:
        """True if a rule identity matches ``rules``: ``*`` is any run of characters, also ``/``; ``?`` is one."""
        return self.rules == "*" or fnmatchcase(identity, self.rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOverride:
    """What a logical account is called here, for one kind of binding: it replaces the policy's values of that kind.

    ``span`` is the name of the kind, ``account_span`` that of the account; ``value_spans`` runs parallel to ``values``.
    """

    account: str
    kind: str
    values: tuple[str, ...]
    span: Span
    account_span: Span
    value_spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Firewall:
    """Where: one enforcement point and what it governs.

    ``groups`` are the names as written (a union is not expanded), or ``ANY`` where the entry names none: all groups.
    ``settings`` belongs to the target, which checks it against its own schema; it is a mapping, maybe empty.
    ``span`` is the name; ``None`` for a firewall that no inventory describes (``--target NAME``).
    """

    name: str
    target: str
    settings: Located
    groups: tuple[str, ...] | Anything = ANY
    group_spans: tuple[Span, ...] = ()
    accept: tuple[Acceptance, ...] = ()
    unbound_allowed: bool = False
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTags:
    """Azure's published service tags.

    ``tags`` is keyed by tag name, without regard to letter case. ``digest`` is the SHA-256 of the file, in hexadecimal.
    """

    change_number: int
    digest: str
    cloud: str
    tags: Mapping[str, AddressSet]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inventory:
    """The whole inventory, in the order of the file. ``source`` is ``None`` when there is no file."""

    source: Source | None
    groups: tuple[Group, ...]
    internal: AddressSet
    accounts: tuple[AccountOverride, ...]
    firewalls: tuple[Firewall, ...]
    service_tags: ServiceTags | None = None
    exports: tuple[Export, ...] = ()
    _index: dict[str, int] = field(init=False, repr=False)
    _leaves: dict[str, tuple[int, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {group.name: i for i, group in enumerate(self.groups)})
        object.__setattr__(self, "_leaves", {})

    def group(self, name: str) -> Group | None:
        """The group of that name, or ``None``."""
        at = self._index.get(name)
        return None if at is None else self.groups[at]

    def firewall(self, name: str) -> Firewall | None:
        """The firewall of that name, or ``None``."""
        for firewall in self.firewalls:
            if firewall.name == name:
                return firewall
        return None

    def leaves(self, names: Iterable[str] | Anything) -> tuple[Group, ...]:
        """The groups that are no unions, behind these names, each once, in the order of the inventory.

        ``ANY`` gives all of them. A name that no group has gives nothing.
        """
        if isinstance(names, Anything):
            return tuple(group for group in self.groups if not group.is_union)
        found: set[int] = set()
        for name in names:
            found.update(self._leaves_of(name))
        return tuple(self.groups[i] for i in sorted(found))

    def _leaves_of(self, name: str) -> tuple[int, ...]:
        known = self._leaves.get(name)
        if known is None:
            reached: set[str] = set()
            found = []
            pending = [name]
            while pending:
                at = self._index.get(pending.pop())
                if at is None or self.groups[at].name in reached:
                    continue
                reached.add(self.groups[at].name)
                if self.groups[at].is_union:
                    pending.extend(self.groups[at].members)
                else:
                    found.append(at)
            known = self._leaves[name] = tuple(sorted(found))
        return known

    def values_of(self, account: str, kind: str) -> tuple[str, ...] | None:
        """What this inventory calls an account, for a kind of binding; ``None`` where it leaves that to the policy."""
        for override in self.accounts:
            if override.account == account and override.kind == kind:
                return override.values
        return None


def empty_inventory() -> Inventory:
    """The inventory of a run without one: no groups, no firewalls, the default internal networks."""
    return Inventory(source=None, groups=(), internal=DEFAULT_INTERNAL, accounts=(), firewalls=())


def unnamed_firewall(target: str) -> Firewall:
    """The firewall of ``--target NAME`` without an inventory: called after the target, any group, no settings."""
    return Firewall(name=target, target=target, settings=Located.empty())
