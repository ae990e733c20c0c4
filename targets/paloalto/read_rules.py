"""From what stands on the shelf to what one virtual system or device group goes through: rules in order, and objects.

The order is that of [D] device group policies (Panorama 9.1, 10.2): shared pre-rules, those of the device groups from
the uppermost down, the firewall's own, the post-rules from the device group up, and the shared ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egressc.meaning import UnreadableError
from egressc.targets.paloalto.live import WIDEST, Live, LiveRule
from egressc.targets.paloalto.model import DeviceGroup, Vsys
from egressc.targets.paloalto.read_objects import Objects
from egressc.targets.paloalto.read_shelf import HERE, SHARED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.targets.paloalto.live import Texts
    from egressc.targets.paloalto.model import Location
    from egressc.targets.paloalto.read_shelf import Fields, Place, Shelf

_COMMON: Final = frozenset(
    {
        "from", "to", "source", "source-user", "destination", "negate-source", "negate-destination", "category",
        "service", "action", "disabled", "source-hip", "destination-hip", "hip-profiles", "target/negate",
        "target/devices",
    }
)  # fmt: skip
_SECURITY: Final = _COMMON | {
    "application", "schedule", "rule-type", "icmp-unreachable", "option", "option/disable-server-response-inspection",
    "profile-setting", "profile-setting/group",
}  # fmt: skip
_DECRYPTION: Final = _COMMON | {"type", "profile"}
"""The fields that are understood, or that say nothing of what a rule matches and does ([S], rules/entry)."""

_HARMLESS: Final = ("qos/", "target/devices/", "profile-setting/profiles/")
"""Beginnings of fields that are dealt with elsewhere, or say nothing of what a rule matches."""

_ANYTHING: Final = frozenset({(), ("any",)})


def live_of(shelf: Shelf, location: Location) -> Live:
    """What the firewalls at a location go through. Raises ``UnreadableError`` if the location is not on the shelf."""
    return _Reading(shelf, location).live()


class _Reading:
    def __init__(self, shelf: Shelf, location: Location) -> None:
        self._shelf = shelf
        self._location = location
        self._remarks = list(shelf.remarks)

    def live(self) -> Live:
        own, local = self._own(), self._local()
        above = self._above()
        chain = [*above, own, *(place for place in local if place == HERE != own)]
        unsure = [*self._unsure(above), *self._strange([*chain, *local])]
        security: list[LiveRule] = []
        decryption: list[LiveRule] = []
        for rules, kind in ((security, "security"), (decryption, "decryption")):
            for place, doubt in unsure:
                self._rules(rules, place, f"pre-rulebase/{kind}", doubt)
            for place in chain:
                self._rules(rules, place, f"pre-rulebase/{kind}")
            for place in local:
                self._rules(rules, place, f"rulebase/{kind}")
            for place, doubt in unsure:
                self._rules(rules, place, f"rulebase/{kind}", doubt)
            for place in reversed(chain):
                self._rules(rules, place, f"post-rulebase/{kind}")
            for place, doubt in unsure:
                self._rules(rules, place, f"post-rulebase/{kind}", doubt)
        # The innermost place comes last and wins.
        places = list(dict.fromkeys([*chain, *local]))
        held = self._shelf.places
        objects = Objects(
            [held[each] for each in places if held.get(each)], [held[each] for each, _ in unsure if held.get(each)]
        )
        excluded = [name for name, said in self._shelf.excluded.items() if said != "no"]
        perhaps = dict.fromkeys([*objects.perhaps_excluded, *excluded])
        self._others(places)
        return Live(
            tuple(security), tuple(decryption), objects.addresses, objects.address_groups, objects.services,
            objects.service_groups, objects.categories, objects.schedules, objects.external_lists,
            frozenset(objects.twice), objects.exclusions, tuple(perhaps), objects.defaults, self._is_whole(local),
            tuple(self._remarks),
        )  # fmt: skip

    def _is_whole(self, local: Sequence[Place]) -> bool:
        """True if no rules of the firewalls stand in other files, on Panorama or on the firewall itself."""
        if isinstance(self._location, DeviceGroup):
            return self._shelf.is_whole and bool(local)
        paths = [path for place in self._shelf.places.values() for path in place]
        if self._shelf.is_managed and not any(path.startswith(("pre-", "post-")) for path in paths):
            self._remarks.append("Panorama pushes rules to this firewall, which are not in the files")
            return False
        return self._shelf.is_whole

    # -- places

    def _own(self) -> Place:
        """The place of the rules that are asked for."""
        kind, name = _kind(self._location), self._location.name
        places = self._shelf.places
        if (kind, name) in places:
            return kind, name
        if ("", name) in places:
            return "", name
        others = self._shelf.named(kind)
        if others:
            word = "device group" if kind == "device-group" else "virtual system"
            raise UnreadableError(f"there is no {word} `{name}`, but `{'`, `'.join(sorted(others))}`")
        fragments = [place for place in places if place[0] == ""]
        if len(fragments) != 1 or (fragments[0] != HERE):
            word = "device group" if kind == "device-group" else "virtual system"
            raise UnreadableError(f"there are no rules of {word} `{name}`")
        return HERE

    def _local(self) -> list[Place]:
        """The places of the firewall's own rules: those of a virtual system, or of one below the device group."""
        own = self._own()
        if isinstance(self._location, Vsys):
            if own == HERE or HERE not in self._shelf.places:
                return [own]
            # Commands without a place, beside those with one, are about the first virtual system.
            return [own, HERE] if own[1] == "vsys1" else [own]
        found: list[Place] = [(kind, name) for kind, name in self._shelf.places if kind == "vsys"]
        if len(found) > 1:
            names = "`, `".join(name for _, name in found)
            self._remarks.append(f"the rules of the virtual systems `{names}` are left aside: there is more than one")
            return [own] if own[0] == "" else []
        return [*found, *([own] if own[0] == "" else [])]

    def _above(self) -> list[Place]:
        """What stands above the place, the uppermost first: what all share, and the device groups in between."""
        found: list[Place] = []
        if isinstance(self._location, DeviceGroup):
            name = self._location.name
            seen = {name}
            while name := self._shelf.parents.get(name, ""):
                if name in seen:
                    raise UnreadableError(f"the device group `{name}` is above itself")
                seen.add(name)
                found.append(("device-group", name))
                if found[-1] not in self._shelf.places:
                    self._remarks.append(f"the device group `{name}` above is not in the files")
        return [SHARED, *reversed(found)]

    def _unsure(self, above: Sequence[Place]) -> list[tuple[Place, str]]:
        """Device groups of which nobody says whether they stand above the place."""
        own = self._location.name if isinstance(self._location, DeviceGroup) else ""
        if own and own in self._shelf.parents:
            return []
        word = f"device group `{own}`" if own else f"virtual system `{self._location.name}`"
        return [
            (("device-group", name), f"nothing says whether {word} is below the device group `{name}`")
            for name in self._shelf.named("device-group")
            if name != own and ("device-group", name) not in above
        ]

    def _strange(self, used: Sequence[Place]) -> list[tuple[Place, str]]:
        """Fragments beside the places that are read: nobody knows whether they belong to them."""
        return [
            (place, f"nothing says where {f'`{place[1]}`' if place[1] else 'a part of the files'} belongs")
            for place in self._shelf.places
            if place[0] == "" and place not in used
        ]

    def _others(self, places: Sequence[Place]) -> None:
        own = (HERE, self._own())
        for place, path in self._shelf.rulebases:
            if place in places:
                where = path if place in own else _where(place, path)
                self._remarks.append(f"{where}: these rules are left aside")

    # -- rules

    def _rules(self, found: list[LiveRule], place: Place, path: str, doubt: str = "") -> None:
        section = self._shelf.places.get(place, {}).get(path)
        if not section:
            return
        where = path.partition("/")[0]
        if place not in (HERE, self._own()):
            where = _where(place, where)
        make = _security if path.endswith("/security") else _decryption
        doubts = (doubt,) if doubt else ()
        for name, fields in section.items():
            disabled = fields.get("disabled")
            if disabled and disabled[-1] == "yes":
                self._remarks.append(f"{where}: the rule `{name}` is disabled")
                continue
            found.append(make(name, fields, where, doubts))


def _security(name: str, fields: Fields, where: str, doubts: Texts) -> LiveRule:
    other = fields.keys() - _SECURITY
    return LiveRule(
        name, where, _single(fields, "rule-type") or "universal",
        _members(fields, "from"), _members(fields, "to"),
        _members(fields, "source"), _is_yes(fields, "negate-source"), _members(fields, "source-user"),
        _members(fields, "destination"), _is_yes(fields, "negate-destination"),
        _members(fields, "category"), _members(fields, "application"), _members(fields, "service"),
        _single(fields, "action"), _single(fields, "schedule"), _profiles(fields, other),
        doubts + _doubts(fields, other),
    )  # fmt: skip


def _decryption(name: str, fields: Fields, where: str, doubts: Texts) -> LiveRule:
    other = fields.keys() - _DECRYPTION
    kinds = [*fields.get("type", ()), *[key.split("/")[1] for key in other if key.startswith("type/")]]
    other = {key for key in other if not key.startswith("type/")}
    profile = _single(fields, "profile")
    return LiveRule(
        name, where, kinds[-1] if kinds else "",
        _members(fields, "from"), _members(fields, "to"),
        _members(fields, "source"), _is_yes(fields, "negate-source"), _members(fields, "source-user"),
        _members(fields, "destination"), _is_yes(fields, "negate-destination"),
        _members(fields, "category"), WIDEST, _members(fields, "service"),
        _single(fields, "action") or "no-decrypt", "", (profile,) if profile else (),
        doubts + _doubts(fields, other),
    )  # fmt: skip


def _members(fields: Fields, field: str) -> Texts:
    """The members of a list; an empty one is read as `any`, and so is one that has `any` among others."""
    found = fields.get(field)
    if not found or "any" in found:
        return WIDEST
    return tuple(dict.fromkeys(found)) if isinstance(found, list) else tuple(found)


def _single(fields: Fields, field: str) -> str:
    found = fields.get(field)
    return found[-1] if found else ""


def _is_yes(fields: Fields, field: str) -> bool:
    return _single(fields, field) == "yes"


def _profiles(fields: Fields, other: set[str]) -> Texts:
    """What the content of a connection is held against."""
    groups = fields.get("profile-setting/group")
    single = [f"{key.removeprefix('profile-setting/profiles/')} {v}"
              for key in sorted(other) if key.startswith("profile-setting/profiles/") for v in fields[key]]  # fmt: skip
    return (*(groups or ()), *single) if groups or single else ()


def _doubts(fields: Fields, other: set[str]) -> Texts:
    doubts = [
        "it asks for a HIP profile"
        for field in ("source-hip", "destination-hip", "hip-profiles")
        if _members(fields, field) != WIDEST
    ]
    if "target/devices" in fields or any(key.startswith("target/devices/") for key in other):
        doubts.append("it is for some of the firewalls only")
    doubts += [
        f"`{field}` is neither yes nor no"
        for field in ("negate-source", "negate-destination", "disabled")
        if field in fields and _single(fields, field) not in {"yes", "no"}
    ]
    doubts += [f"`{key[:80]}` is not understood" for key in sorted(other) if not key.startswith(_HARMLESS)]
    return tuple(doubts)


def _kind(location: Location) -> str:
    return "device-group" if isinstance(location, DeviceGroup) else "vsys"


def _where(place: Place, path: str) -> str:
    """A rulebase for people."""
    kind, name = place
    return f"{path} of {f'{kind} ' if kind else ''}`{name}`" if name else f"{path} of what all share" if kind else path
