"""The sets of an artefact: their names, which derive from what they hold and from nothing else, and their content."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from egressc.addresses import union_of
from egressc.anything import Anything
from egressc.diagnostics import Diagnostic
from egressc.naming import digest
from egressc.targets.iptables.capabilities import SETS
from egressc.targets.iptables.chain_writer import ANYWHERE, Side
from egressc.targets.iptables.model import FAMILIES, FromSet, NetworkSet, ToSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.addresses import AddressSet
    from egressc.site import BoundGroup, BoundRule, Site
    from egressc.source import Span
    from egressc.targets.iptables.model import Family
    from egressc.targets.iptables.settings import Settings

NAMED = "egc_"
NETWORKS = "egn_"
HOLES = "egx_"
SOURCES = "egs_"
INTERNAL = "egc_internal"
OURS = ("egb_", NAMED, NETWORKS, HOLES, SOURCES)
"""How the names of our own sets begin, those that feeding makes included."""

_STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,28}")


class SetTable:
    """Names sets, and knows what is in those whose content is fixed. Collects errors in ``diagnostics``."""

    def __init__(self, site: Site[Settings]) -> None:
        self.networks: dict[str, NetworkSet] = {}
        self.foreign: dict[str, None] = {}
        self.diagnostics: list[Diagnostic] = []
        self._site = site
        self._meaning: dict[str, str] = {}
        self._sides: dict[str, Side] = {}

    def stem(self, prefix: str, key: str, span: Span | None) -> str:
        """The stem of the sets for a key; an error is noted if another key has the same."""
        stem = prefix + digest(key, 10)
        known = self._meaning.setdefault(stem, key)
        if known != key:
            self.diagnostics.append(
                Diagnostic(
                    code="E0767",
                    message=f"`{key}` and `{known}` get the same ipset `{stem}_4`",
                    span=span,
                    label="one of the two must be called otherwise",
                    help="rename this rule: the name of its sets is a hash of its identity",
                )
            )
        return stem

    def towards(self, addresses: AddressSet | Anything, prefix: str, key: str, rule: BoundRule) -> tuple[Side, ...]:
        """The condition that the destination is among the addresses; nothing at all if there are none."""
        if isinstance(addresses, Anything):
            return ANYWHERE
        if addresses.is_empty:
            return ()
        stem = self._fixed(prefix, key, addresses, rule.rule.span)
        return (Side((ToSet(stem),), _families(addresses)),)

    def beyond(self, holes: AddressSet, rule: BoundRule) -> tuple[ToSet, ...]:
        """The condition that the destination is not among the addresses."""
        if holes.is_empty:
            return ()
        return (ToSet(self._fixed(HOLES, rule.key, holes, rule.rule.span), outside=True),)

    def internal(self) -> Side | None:
        """The condition that the destination is inside the house; ``None`` if nothing is."""
        addresses = self._site.internal
        if addresses.is_empty:
            return None
        self.networks.setdefault(INTERNAL, NetworkSet(INTERNAL, addresses))
        return Side((ToSet(INTERNAL),), _families(addresses))

    def inside(self, named: Sequence[AddressSet | Anything]) -> Side | None:
        """The condition that the destination is one of these addresses inside the house; ``None`` if none is."""
        internal = self._site.internal
        if any(isinstance(each, Anything) or each.contains(internal) for each in named):
            return self.internal()
        held = union_of([each.intersection(internal) for each in named if not isinstance(each, Anything)])
        if held.is_empty:
            return None
        return Side((ToSet(self._fixed(NETWORKS, f"inside {held.text}", held, None)),), _families(held))

    def source(self, name: str) -> Side:
        """The condition that the source belongs to a group, which is bound."""
        known = self._sides.get(name)
        if known is None:
            known = self._sides[name] = self._source(next(g for g in self._site.groups if g.name == name))
        return known

    def not_source(self, name: str) -> FromSet:
        """The condition that the source does not belong to a group, which is bound."""
        match = self.source(name).matches[0]
        assert isinstance(match, FromSet)
        return FromSet(match.stem, outside=True)

    def check_number(self, fed: int) -> None:
        """Note an error if there are more sets than a kernel holds; ``fed`` are the pairs that dnsmasq fills."""
        number = 2 * (fed + len(self.networks))
        if number > SETS:
            self.diagnostics.append(
                Diagnostic(
                    code="E0766",
                    message=f"`{self._site.name}` needs {number} ipsets, and a kernel holds {SETS}",
                    span=self._site.span,
                    label="too many rules for one machine",
                    help="let this firewall govern fewer groups, or put the hosts of several rules into one",
                )
            )

    def _source(self, group: BoundGroup) -> Side:
        if group.object_name is not None:
            if not _is_stem(group.object_name):
                self.diagnostics.append(
                    Diagnostic(
                        code="E0769",
                        message=f"`{group.object_name}` cannot be the name of two ipsets",
                        span=group.span,
                        label="the object of this group for iptables",
                        help="write at most 29 characters `[A-Za-z0-9_.-]`: the sets are called that and `_4`, `_6`",
                    )
                )
            self.foreign[group.object_name] = None
            return Side((FromSet(group.object_name),))
        assert not isinstance(group.addresses, Anything)
        stem = self._fixed(SOURCES, f"group {group.name}", group.addresses, group.span)
        return Side((FromSet(stem),), _families(group.addresses))

    def _fixed(self, prefix: str, key: str, addresses: AddressSet, span: Span | None) -> str:
        stem = self.stem(prefix, key, span)
        known = self.networks.setdefault(stem, NetworkSet(stem, addresses))
        assert known.addresses == addresses or self.diagnostics, "one set, one content"
        return stem


def _families(addresses: AddressSet) -> tuple[Family, ...]:
    if addresses.v4 and addresses.v6:
        return FAMILIES
    return (4,) if addresses.v4 else (6,)


def _is_stem(name: str) -> bool:
    return _STEM.fullmatch(name) is not None and not name.startswith(OURS)
