"""The sources of rules: the governed groups as addresses or as IP groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.addresses import union_of
from egressc.anything import ANY
from egressc.diagnostics import Diagnostic
from egressc.targets.azure_firewall.limits import IP_GROUP_ID, MOST_IP_GROUP_ENTRIES, MOST_IP_GROUPS, NAME
from egressc.targets.azure_firewall.model import IpGroup, IpGroupReference, Sources
from egressc.targets.azure_firewall.names import ip_group_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.addresses import AddressSet
    from egressc.site import BoundGroup, Site
    from egressc.targets.azure_firewall.settings import Settings

ANY_SOURCE = (Sources(addresses=("*",)),)
"""The sources of a rule for any source."""


class SourceBook:
    """What each set of groups is as sources; the IP groups that this needs.

    Sets of groups are known again by the identity of their tuple: those of the site's rules live as long as the site.
    """

    def __init__(self, site: Site[Settings]) -> None:
        self._site = site
        self._known: dict[int, tuple[Sources, ...]] = {}
        self._by_name: dict[tuple[str, ...], tuple[Sources, ...]] = {}
        self._references: dict[str, IpGroupReference] = {}
        self._written: dict[str, IpGroup] = {}
        self._has_v6: dict[int, bool] = {}

    def has_v6(self, groups: tuple[BoundGroup, ...]) -> bool:
        """True if some of the groups has IPv6 addresses."""
        found = self._has_v6.get(id(groups))
        if found is None:
            found = any(g.addresses is not ANY and bool(g.addresses.v6) for g in groups)
            self._has_v6[id(groups)] = found
        return found

    def of(self, groups: tuple[BoundGroup, ...]) -> tuple[Sources, ...]:
        """The sources that groups are, none unbound: one value, two where addresses and IP groups meet.

        A rule takes one of the two kinds (the parameter sets of New-AzFirewallPolicyNetworkRule), so a rule with both
        is written twice. Empty when no group has IPv4 addresses.
        """
        found = self._known.get(id(groups))
        if found is None:
            key = tuple([group.name for group in groups])
            found = self._by_name.get(key)
            if found is None:
                found = self._by_name[key] = tuple(self._sources(groups))
            self._known[id(groups)] = found
        return found

    def _sources(self, groups: tuple[BoundGroup, ...]) -> Iterator[Sources]:
        inline = []
        references = []
        for group in filter(has_v4, groups):
            assert group.addresses is not ANY, "an unbound group is any source"
            if group.object_name is None and not self._site.settings.ip_groups:
                inline.append(group.addresses)
            else:
                references.append(self._reference(group))
        if inline:
            yield Sources(addresses=address_texts(union_of(inline)))
        if references:
            yield Sources(ip_groups=tuple(references))

    def _reference(self, group: BoundGroup) -> IpGroupReference:
        found = self._references.get(group.name)
        if found is not None:
            return found
        if group.object_name is not None:
            is_id = group.object_name.startswith("/")
            name = group.object_name.rpartition("/")[2]
            found = IpGroupReference(name, group.object_name if is_id else None)
        else:
            assert group.addresses is not ANY, "an unbound group is any source"
            name = ip_group_name(self._site.settings.prefix, group.name)
            found = IpGroupReference(name)
            self._written[group.name] = IpGroup(name, address_texts(group.addresses))
        self._references[group.name] = found
        return found

    def ip_groups(self) -> tuple[IpGroup, ...]:
        """The IP groups to write, by the names of their groups."""
        return tuple(self._written[name] for name in sorted(self._written))

    def assumes(self) -> Iterator[str]:
        """What the artefact takes for granted about IP groups that exist already."""
        for group in self._site.groups:
            if group.object_name is not None and group.name in self._references:
                yield f"the IP group `{group.object_name}` exists and holds the networks of `{group.name}`"

    def diagnostics(self) -> Iterator[Diagnostic]:
        """What is wrong with IP groups: names that cannot be, and more than the firewall takes."""
        for group in self._site.groups:
            known = group.object_name
            if known is None or group.name not in self._references:
                continue
            if NAME.fullmatch(known) is None and IP_GROUP_ID.fullmatch(known) is None:
                yield Diagnostic(
                    code="E0733",
                    message=f"`{known}` cannot be the name of an IP group",
                    span=group.span,
                    label="the object of this group on azure-firewall",
                    help="write the name of an IP group in the policy's resource group, or its whole identifier: "
                    "`/subscriptions/…/resourceGroups/…/providers/Microsoft.Network/ipGroups/NAME`",
                )
        existing = {r.name.lower() for n, r in self._references.items() if n not in self._written}
        for written in self.ip_groups():
            if written.name.lower() in existing:
                yield Diagnostic(
                    code="E0744",
                    message=f"the IP group `{written.name}`, which exists already, would be written by "
                    f"`{self._site.name}`",
                    span=self._site.span,
                    label="two groups became the same IP group",
                    help="choose another prefix: `rule-collection-group: {name: …}`",
                )
        if len(self._references) > MOST_IP_GROUPS:
            yield Diagnostic(
                code="E0741",
                message=f"`{self._site.name}` would use {len(self._references)} IP groups, and Azure Firewall takes "
                f"{MOST_IP_GROUPS}",
                span=self._site.span,
                label="too many groups",
                help="write `ip-groups: false`, or let this firewall govern fewer groups",
            )
        spans = {group.name: group.span for group in self._site.groups}
        for name, written in sorted(self._written.items()):
            if len(written.addresses) > MOST_IP_GROUP_ENTRIES:
                yield Diagnostic(
                    code="E0742",
                    message=f"group `{name}` has {len(written.addresses)} networks, and an IP group takes "
                    f"{MOST_IP_GROUP_ENTRIES}",
                    span=spans[name],
                    label="too many networks",
                    help="name larger networks, or split the group in two",
                )


def has_v4(group: BoundGroup) -> bool:
    """True if a bound group has IPv4 sources; an IP group whose networks nobody stated has."""
    assert group.addresses is not ANY, "an unbound group is any source"
    return bool(group.addresses.v4) or (group.object_name is not None and not group.addresses.v6)


def address_texts(addresses: AddressSet) -> tuple[str, ...]:
    """The IPv4 addresses of a set as rules and IP groups take them: address, prefix or ``FIRST-LAST``.

    A range that is no prefix stays one entry, because entries count (the 20,000 of firewall-limits.md).
    """
    texts = []
    for (first, last), (low, high) in zip(addresses.ranges(4), addresses.v4, strict=True):
        size = high - low + 1
        if size == 1:
            texts.append(first)
        elif size == 1 << 32:
            # Not `*`, which is more than every IPv4 address, and not 0.0.0.0/0, which no document shows in a rule.
            texts.extend(("0.0.0.0/1", "128.0.0.0/1"))
        elif size & (size - 1) == 0 and low % size == 0:
            texts.append(f"{first}/{33 - size.bit_length()}")
        else:
            texts.append(f"{first}-{last}")
    return tuple(texts)
