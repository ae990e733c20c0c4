"""The objects that rules refer to: made once each, named for what they stand for, sorted by name at the end.

PAN-OS keeps addresses and address groups in one namespace. Two things that would get one name are an error, never one
object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.addresses import AddressSet
from egressc.anything import Anything
from egressc.diagnostics import Diagnostic
from egressc.naming import digest, short_name
from egressc.targets.paloalto.capabilities import (
    CATEGORY_NAME,
    FQDN_OBJECTS_LARGE,
    OBJECT_NAME,
    RULE_NAME,
    SCHEDULE_DAY,
    SCHEDULE_START,
    TAG_NAME,
    TAGS,
)
from egressc.targets.paloalto.model import Address, AddressGroup, Schedule, ServiceObject, Tag, UrlCategory
from egressc.targets.paloalto.quote import tag_text
from egressc.targets.paloalto.settings import last_minute

if TYPE_CHECKING:
    from datetime import date

    from egressc.services import PortSet
    from egressc.site import BoundGroup, BoundRule
    from egressc.source import Span

PREFIX = "egc"
"""What the name of everything that egressc writes begins with."""

DIGITS = 8
"""Hexadecimal digits of the hash in a name: with 31 characters for a category, 100,000 rules must not meet in one."""


class Objects:
    """A table of objects under construction. ``diagnostics`` are names that two things would get, and full tables."""

    def __init__(self, timezone: str) -> None:
        self.existing: set[str] = set()
        self.diagnostics: list[Diagnostic] = []
        self._timezone = timezone
        self._tags: dict[str, Tag] = {}
        self._addresses: dict[str, Address | AddressGroup] = {}
        self._services: dict[str, ServiceObject] = {}
        self._schedules: dict[str, Schedule] = {}
        self._categories: dict[str, UrlCategory] = {}
        self._rules: dict[str, str] = {}
        self._of_group: dict[str, str] = {}
        self._of_tag: dict[tuple[str, str], str] = {}
        self._of_ports: dict[PortSet, tuple[str, ...]] = {}

    def rule_name(self, rule: BoundRule, nature: str) -> str:
        """The name of the rule that a policy rule becomes for a part of some nature (``tls``, ``http``, …).

        What tells rules apart stands first, because the end is cut where there is no room.
        """
        policy, _, own = rule.key.rpartition("/")
        name = short_name(PREFIX, f"{own}-{nature}-{policy}", f"{rule.key}#{nature}", RULE_NAME, DIGITS)
        self.claim(name, f"{rule.key}#{nature}", rule.rule.span)
        return name

    def claim(self, name: str, key: str, span: Span | None) -> None:
        """Notes that a rule has this name; an error if another has it already."""
        if self._rules.setdefault(name, key) != key:
            self._alike("rule", name, span)

    def group(self, group: BoundGroup) -> str:
        """The address group or existing object that stands for a group with a binding."""
        found = self._of_group.get(group.name)
        if found is None:
            found = self._of_group[group.name] = self._make_group(group)
        return found

    def fqdn(self, host: str, span: Span) -> str:
        """The address object for one host name."""
        name = f"{PREFIX}-{host}"
        if len(name) > OBJECT_NAME:
            name = short_name(PREFIX, host, f"fqdn:{host}", OBJECT_NAME, DIGITS)
        self._keep_address(Address(name, "fqdn", host), span)
        return name

    def services(self, ports: PortSet) -> tuple[str, ...]:
        """The service objects for some ports: one for each transport and range."""
        found = self._of_ports.get(ports)
        if found is None:
            names = []
            for transport in ("tcp", "udp"):
                for first, last in ports.transport(transport):
                    text = str(first) if first == last else f"{first}-{last}"
                    name = f"{PREFIX}-{transport}-{text}"
                    self._services[name] = ServiceObject(name, transport, text)
                    names.append(name)
            found = self._of_ports[ports] = tuple(names)
        return found

    def tag(self, kind: str, text: str) -> str | None:
        """The tag ``KIND:TEXT``; ``None`` if PAN-OS has no room for it.

        Where a character of the text cannot stand in a tag, a hash of the text as it was follows it.
        """
        found = self._of_tag.get((kind, text))
        if found is not None:
            return found
        plain = tag_text(text)
        name = f"{kind}:{plain}" if plain == text else f"{kind}:{plain}-{digest(text, DIGITS)}"
        if len(name) > TAG_NAME:
            return None
        self._tags[name] = Tag(name)
        self._of_tag[kind, text] = name
        return name

    def schedule(self, until: date) -> str:
        """The schedule that ends with a day, UTC."""
        name = f"{PREFIX}-until-{until.isoformat()}"
        if name not in self._schedules:
            # It must end after it starts; an earlier end is one of a compilation with `--as-of` in that past.
            start = SCHEDULE_START if until >= SCHEDULE_DAY else f"{until.year:04}/01/01@00:00"
            self._schedules[name] = Schedule(name, f"{start}-{last_minute(until, self._timezone)}")
        return name

    def category(self, rule: BoundRule, nature: str, entries: tuple[str, ...]) -> str:
        """The custom URL category of a rule that holds these entries, of which there is at least one."""
        if not entries:
            raise ValueError(f"a category of `{rule.key}` would be empty, which PAN-OS reads as any")
        readable = rule.key.rpartition("/")[2]
        if nature != "hosts":
            readable = f"{nature}-{readable}"
        name = short_name(PREFIX, readable, f"{rule.key}#{nature}", CATEGORY_NAME, DIGITS)
        made = UrlCategory(name, entries)
        known = self._categories.setdefault(name, made)
        if known is not made and known != made:
            self._alike("URL category", name, rule.rule.span)
        return name

    def finished_tags(self) -> tuple[Tag, ...]:
        """All tags, sorted by name."""
        if len(self._tags) > TAGS:
            self._too_many(
                "tags", len(self._tags), TAGS, "let rules share tickets, or split the policy between firewalls"
            )
        return tuple(self._tags[name] for name in sorted(self._tags))

    def finished_addresses(self) -> tuple[tuple[Address, ...], tuple[AddressGroup, ...]]:
        """All address objects and all address groups, sorted by name."""
        ordered = [self._addresses[name] for name in sorted(self._addresses)]
        objects = tuple(o for o in ordered if isinstance(o, Address))
        names = self.fqdn_count()
        if names > FQDN_OBJECTS_LARGE:
            self._too_many(
                "host names on tcp or udp ports",
                names,
                FQDN_OBJECTS_LARGE,
                "name their addresses, or use https, http or tls",
            )
        return objects, tuple(o for o in ordered if isinstance(o, AddressGroup))

    def fqdn_count(self) -> int:
        """How many address objects hold a host name."""
        return sum(isinstance(o, Address) and o.kind == "fqdn" for o in self._addresses.values())

    def finished_services(self) -> tuple[ServiceObject, ...]:
        """All service objects, sorted by name."""
        return tuple(self._services[name] for name in sorted(self._services))

    def finished_schedules(self) -> tuple[Schedule, ...]:
        """All schedules, sorted by name."""
        return tuple(self._schedules[name] for name in sorted(self._schedules))

    def finished_categories(self) -> tuple[UrlCategory, ...]:
        """All custom URL categories, sorted by name."""
        return tuple(self._categories[name] for name in sorted(self._categories))

    def _make_group(self, group: BoundGroup) -> str:
        if group.object_name is not None:
            self.existing.add(group.object_name)
            return group.object_name
        if isinstance(group.addresses, Anything) or group.addresses.is_empty:
            raise ValueError(f"group `{group.name}` has no addresses, which PAN-OS would read as any")
        members = []
        for text in literals(group.addresses):
            name = f"{PREFIX}-{text.replace(':', '-').replace('/', '_')}"
            self._keep_address(Address(name, "ip-netmask", text), group.span)
            members.append(name)
        name = short_name(PREFIX, group.name, f"group:{group.name}", OBJECT_NAME, DIGITS)
        self._keep_address(AddressGroup(name, tuple(members)), group.span)
        return name

    def _keep_address(self, made: Address | AddressGroup, span: Span | None) -> None:
        if self._addresses.setdefault(made.name, made) != made:
            self._alike("address object", made.name, span)

    def _alike(self, what: str, name: str, span: Span | None) -> None:
        self.diagnostics.append(
            Diagnostic(
                code="E0703",
                message=f"two things would become the {what} `{name}`",
                span=span,
                label="the second of them",
                help="rename this one: the hash in the name then is another",
            )
        )

    def _too_many(self, what: str, count: int, limit: int, help_text: str) -> None:
        self.diagnostics.append(
            Diagnostic(
                code="E0706",
                message=f"the policy needs {count} {what}, and PAN-OS holds {limit}",
                help=help_text,
            )
        )


def takes_in_v4(addresses: AddressSet) -> bool:
    """True if networks of IPv6 in it, `::/0` above all, match IPv4 addresses that are not in it.

    An IPv4 address is taken for an IPv6 address whose first 96 bits are 0 ([D] PAN-OS administrator's guide, Policy).
    """
    low = AddressSet(v6=((0, 2**32 - 1),)).intersection(addresses)
    return not addresses.contains(AddressSet(v4=low.v6))


def literals(addresses: AddressSet) -> tuple[str, ...]:
    """The addresses as a rule takes them: the fewest networks of both families, single ones without a length."""
    return (*addresses.blocks(4), *addresses.blocks(6))
