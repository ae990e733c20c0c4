"""What one rule matches: its conditions together, as far as they concern the flows of a site."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final

from egressc.addresses import ALL, ALL_V4, ALL_V6, AddressSet
from egressc.anything import Anything
from egressc.flows import EVERY, Choice
from egressc.hosts import HostPattern
from egressc.meaning import Block
from egressc.quick_init import quick_init
from egressc.services import ALL_PORTS
from egressc.targets.iptables.accounts import CGROUP, USER
from egressc.targets.iptables.live import At, ControlGroup, InSet, Interface, Period, User
from egressc.targets.iptables.model import Mode
from egressc.targets.iptables.read_users import Users

if TYPE_CHECKING:
    from egressc.flows import Processes, Test
    from egressc.services import PortSet
    from egressc.site import Site
    from egressc.targets.iptables.live import Condition, Live, LiveRule
    from egressc.targets.iptables.model import Family
    from egressc.targets.iptables.settings import Settings

_NO_FLOWS: Final = AddressSet(
    v4=((0x7F000000, 0x7FFFFFFF), (0xE0000000, 0xEFFFFFFF)), v6=((0, 1), (0xFF << 120, (1 << 128) - 1))
)
"""Loopback and multicast, which are no destinations of a flow (RFC 1122 3.2.1.3, RFC 5771, RFC 4291 2.5 and 2.7)."""


@quick_init
@dataclass(frozen=True, slots=True)
class Held:
    """Flows as a product; ``fed`` is a set that names feed and in which the destination is, empty for none."""

    addresses: AddressSet
    sources: AddressSet = ALL
    ports: PortSet = ALL_PORTS
    fed: str = ""
    objects: Choice = EVERY
    users: Choice = EVERY
    groups: tuple[tuple[str, bool], ...] = ()
    doubts: tuple[str, ...] = ()


class Matcher:
    """Turns the rules of one family into flows; what rules share is worked out once."""

    def __init__(self, live: Live, site: Site[Settings], family: Family) -> None:
        self._live = live
        self._site = site
        self.all = ALL_V4 if family == 4 else ALL_V6
        self.everything = Held(self.all)
        self._family = family
        self._users = Users(_spellings(site), live.uids)
        self._objects = {
            f"{group.object_name}_{family}": group.object_name for group in site.groups if group.object_name is not None
        }
        self._conditions: dict[Condition, Held | None] = {}
        self._tests: dict[str, tuple[tuple[tuple[Test, ...], tuple[Test, ...]], ...]] = {}
        self._sets: dict[tuple[int, int, bool], AddressSet] = {}
        self._kept: list[AddressSet] = []

    def held(self, rule: LiveRule) -> Held | None:
        """The flows that a rule matches; ``None`` if there are none."""
        if not rule.sees_new or rule.ports.is_empty:
            return None
        held = replace(self.everything, ports=rule.ports, doubts=rule.doubts)
        for condition in rule.conditions:
            if condition in self._conditions:
                known = self._conditions[condition]
            else:
                known = self._conditions[condition] = self._condition(condition)
            if known is None:
                return None
            both = self.both(held, known)
            if both is None:
                return None
            held = both
        return held

    def both(self, one: Held, other: Held) -> Held | None:
        """The flows in both; ``None`` if there are none."""
        if one is self.everything:
            return other
        addresses = self._meet(one.addresses, other.addresses)
        sources = self._meet(one.sources, other.sources)
        ports = one.ports
        if other.ports is not ALL_PORTS:
            ports = other.ports if ports is ALL_PORTS else ports.intersection(other.ports)
        if addresses.is_empty or sources.is_empty or ports.is_empty:
            return None
        doubts = (*one.doubts, *other.doubts) if other.doubts else one.doubts
        if one.fed and other.fed and one.fed != other.fed:
            doubts = (*doubts, "which addresses two sets of the resolver have in common is not known")
        users = one.users if other.users is EVERY else one.users.within(other.users)
        objects = one.objects if other.objects is EVERY else one.objects.within(other.objects)
        groups = _groups((*one.groups, *other.groups)) if other.groups else one.groups
        if users.is_empty or objects.is_empty or groups is None:
            return None
        return Held(addresses, sources, ports, one.fed or other.fed, objects, users, groups, doubts)

    def without(self, one: Held, addresses: AddressSet) -> Held | None:
        """The flows to other destinations; ``None`` if there are none."""
        left = self._meet(one.addresses, addresses, minus=True)
        return None if left.is_empty else replace(one, addresses=left)

    def blocks(self, held: Held) -> tuple[Block, ...]:
        """The same flows as blocks, without those that are no flows of a policy."""
        if _NO_FLOWS.contains(held.addresses):
            return ()
        processes = self._processes(held)
        if not held.fed:
            return (Block(None, held.addresses, held.ports, held.sources, processes, False, (), held.objects),)  # noqa: FBT003
        found = [
            Block(names, held.addresses, held.ports, held.sources, processes, True, out, held.objects)  # noqa: FBT003
            for names, out in self._names(held.fed)
        ]
        known = self._live.sets.get(held.fed)
        if known is not None and not known.addresses.is_empty:
            addresses = self._meet(held.addresses, known.addresses)
            if not addresses.is_empty:
                found.append(
                    Block(None, addresses, held.ports, held.sources, processes, False, (), held.objects)  # noqa: FBT003
                )
        return tuple(found)

    # -- conditions

    def _condition(self, condition: Condition) -> Held | None:
        match condition:
            case At(addresses=addresses, is_source=is_source):
                held = self._kept_set(addresses)
                if held.is_empty:
                    return None
                return replace(self.everything, sources=held) if is_source else replace(self.everything, addresses=held)
            case InSet():
                return self._set(condition)
            case User():
                most, least, doubt = self._who(condition.text)
                users = Choice(least, True) if condition.other else Choice(most)  # noqa: FBT003
                return replace(self.everything, users=users, doubts=(doubt,) if doubt else ())
            case ControlGroup():
                return replace(self.everything, groups=((condition.path, condition.other),))
            case Interface():
                return self._interface(condition)
            case Period():
                return self._period(condition)

    def _who(self, text: str) -> tuple[frozenset[str], frozenset[str], str]:
        """The users that a rule names, at most and at least; an artefact calls them as the policy does."""
        if self._live.is_artefact and "-" not in text:
            return frozenset({text}), frozenset({text}), ""
        return self._users.choice(text)

    def _set(self, condition: InSet) -> Held | None:
        name, outside = condition.name, condition.outside
        if name in self._objects and condition.is_source:
            return replace(self.everything, objects=Choice(frozenset({self._objects[name]}), outside))
        zones = self._live.fed.get(name)
        known = self._live.sets.get(name)
        if zones is not None:
            if condition.is_source or outside:
                doubt = f"which addresses are in the set `{name}`, which the resolver fills, is not known"
                return replace(self.everything, doubts=(doubt,))
            doubt = zones.doubt or (known.doubt or known.no_room if known is not None else "")
            return replace(self.everything, fed=name, doubts=(doubt,) if doubt else ())
        if known is None:
            return replace(self.everything, doubts=(f"what is in the set `{name}` is not known",))
        if known.doubt:
            return replace(self.everything, doubts=(known.doubt,))
        doubts: tuple[str, ...] = ()
        addresses = known.addresses
        if known.passing:
            # Nothing of this configuration fills it, and what is in it now goes by itself.
            doubts = (f"{known.passing} members of the set `{name}` go by themselves, and what fills it is not known",)
            addresses = self.all
        held = self._kept_set(addresses)
        if outside:
            held = self._meet(self.all, held, minus=True)
        if held.is_empty:
            return None
        if condition.is_source:
            return replace(self.everything, sources=held, doubts=doubts)
        return replace(self.everything, addresses=held, doubts=doubts)

    def _interface(self, condition: Interface) -> Held | None:
        """Packets of the site come in by the interface of its settings, and go out by no loopback."""
        name = condition.name
        settings = self._site.settings
        if name in {"lo", "+"}:
            everything = (name == "+") is not condition.other
            return self.everything if everything else None
        if condition.is_in and settings.mode is Mode.GATEWAY and settings.interface is not None:
            fits = settings.interface.startswith(name[:-1]) if name.endswith("+") else settings.interface == name
            return self.everything if fits is not condition.other else None
        if condition.is_in and settings.mode is Mode.HOST:
            return self.everything if condition.other else None  # what the machine sends came in by none
        way = "comes in" if condition.is_in else "leaves"
        doubt = f"it is for what {way} by {'any interface but ' if condition.other else ''}`{name}`"
        return replace(self.everything, doubts=(doubt,))

    def _period(self, condition: Period) -> Held | None:
        """In force on the day of the proof, or not; the bounds are UTC (iptables-extensions(8), time)."""
        first = datetime.combine(self._site.as_of, time.min, UTC)
        last = datetime.combine(self._site.as_of, time.max, UTC)
        start, stop = condition.start, condition.stop
        if (stop is not None and stop < first) or (start is not None and start > last):
            return None
        if (stop is not None and stop < last.replace(microsecond=0)) or (start is not None and start > first):
            return replace(self.everything, doubts=("it is in force for a part of the day only",))
        return self.everything

    # -- values that rules share

    def _names(self, fed: str) -> tuple[tuple[tuple[Test, ...], tuple[Test, ...]], ...]:
        found = self._tests.get(fed)
        if found is None:
            layers = self._live.fed[fed].layers
            found = self._tests[fed] = tuple([(_tests(names), _tests(out)) for names, out in layers])
        return found

    def _processes(self, held: Held) -> Processes:
        groups = tuple([(CGROUP, Choice(frozenset({path}), other)) for path, other in held.groups])
        return groups if held.users == EVERY else (*groups, (USER, held.users))

    def _kept_set(self, addresses: AddressSet) -> AddressSet:
        return self._meet(self.all, addresses)

    def _meet(self, one: AddressSet, other: AddressSet, *, minus: bool = False) -> AddressSet:
        """Addresses in both, or in the first only; one value for equal questions, so that rules share it."""
        if not minus:
            if one is other or other is ALL or (other is self.all and one is not ALL):
                return one
            if one is ALL or one is self.all:
                return self._within(other) if one is self.all else other
        key = (id(one), id(other), minus)
        found = self._sets.get(key)
        if found is None:
            self._kept += [one, other]  # so that no other set gets their identity
            found = self._sets[key] = one.difference(other) if minus else one.intersection(other)
        return found

    def _within(self, other: AddressSet) -> AddressSet:
        """The addresses of this family."""
        strange = other.v6 if self._family == 4 else other.v4
        return other.intersection(self.all) if strange else other


def _spellings(site: Site[Settings]) -> set[str]:
    """The users that the site speaks of."""
    accounts = {a for rule in site.rules if not isinstance(rule.accounts, Anything) for a in rule.accounts}
    found = {user for account in accounts for user in account.values(USER)}
    return found | {site.settings.dnsmasq_user} if site.settings.mode is Mode.HOST and site.settings.dns else found


def _groups(given: tuple[tuple[str, bool], ...]) -> tuple[tuple[str, bool], ...] | None:
    """Conditions on the control group together; ``None`` if no process meets them."""
    found = tuple(dict.fromkeys(given))
    inside = [path for path, other in found if not other]
    for path, other in found:
        for mine in inside:
            if other:
                if _below(mine, path):
                    return None
            elif not _below(mine, path) and not _below(path, mine):
                return None
    return found


def _below(path: str, top: str) -> bool:
    """True if the control group is ``top`` or below it."""
    return path == top or path.startswith(f"{top}/")


def _tests(domains: tuple[str, ...]) -> tuple[Test, ...]:
    """The domains with everything below each."""
    labels = [tuple(domain.split(".")) if domain else () for domain in domains]
    return tuple([(HostPattern(each, deep=deep), None) for each in labels for deep in (False, True) if each or deep])
