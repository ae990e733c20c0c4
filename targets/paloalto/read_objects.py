"""The objects that rules refer to, from all places that a rule may take them from.

The object of the innermost place holds. Where an outer one has the same name and says something else, which of them is
taken depends on settings that stand elsewhere (Panorama, "objects defined in ancestors take precedence"): a doubt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from egressc.targets.paloalto.live import LiveAddress, LiveCategory, LiveSchedule, LiveService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from egressc.targets.paloalto.live import Texts
    from egressc.targets.paloalto.read_shelf import Fields, Section

ObjectT = TypeVar("ObjectT")

_ADDRESS_KINDS: Final = ("ip-netmask", "ip-range", "fqdn", "ip-wildcard")


class Objects:
    """The objects of some places, of which the last one is the innermost.

    Of other places, ``perhaps``, nobody knows whether rules may take objects from them: where these say something else
    under the same name, that is a doubt, too.
    """

    def __init__(self, places: Sequence[Mapping[str, Section]], perhaps: Sequence[Mapping[str, Section]] = ()) -> None:
        self.twice: set[str] = set()
        self._places = places
        self._perhaps = perhaps
        self.addresses = self._held("address", _address)
        self.address_groups = self._held("address-group", _address_group)
        self.services = self._held("service", _service)
        self.service_groups = self._held("service-group", lambda fields: _texts(fields, "members"))
        self.categories = self._held("profiles/custom-url-category", _category)
        self.schedules = self._held("schedule", _schedule)
        self.external_lists = frozenset(name for place in places for name in place.get("external-list", ()))
        # Addresses and address groups share one namespace, and so do services and their groups. A list must not be
        # called as an address or a category is: where it stands in another place, nobody knows which is meant.
        for one, others in (
            (self._names("address"), self._names("address-group")),
            (self._names("service"), self._names("service-group")),
            (
                self._names("external-list"),
                self._names("address") | self._names("address-group") | self._names("profiles/custom-url-category"),
            ),
        ):
            self.twice |= one & others
        excluded: dict[str, set[bool]] = {}
        for place in places:
            for name, fields in place.get("ssl-decrypt/ssl-exclude-cert", {}).items():
                excluded.setdefault(name, set()).add(_last(fields, "exclude") != "no")
        self.exclusions = tuple([name for name, answers in excluded.items() if answers == {True}])
        self.perhaps_excluded = tuple([name for name, answers in excluded.items() if len(answers) > 1])
        self.defaults = self._defaults()

    def _held(self, section: str, make: Callable[[Fields], ObjectT]) -> dict[str, ObjectT]:
        found: dict[str, ObjectT] = {}
        for place in self._places:
            for name, fields in place.get(section, {}).items():
                made = make(fields)
                if found.setdefault(name, made) != made:
                    self.twice.add(name)
                    found[name] = made
        for place in self._perhaps:
            for name, fields in place.get(section, {}).items():
                if name in found and make(fields) != found[name]:
                    self.twice.add(name)
        return found

    def _names(self, section: str) -> set[str]:
        """The names of the objects of a section, wherever they stand."""
        return {name for place in (*self._places, *self._perhaps) for name in place.get(section, ())}

    def _defaults(self) -> dict[str, Texts]:
        """The actions of default rules, by their names; several where places say different things."""
        found: dict[str, dict[str, None]] = {}
        for place in self._places:
            for path, section in place.items():
                if path.endswith("/default-security-rules"):
                    for name, fields in section.items():
                        action = _last(fields, "action")
                        if action:
                            found.setdefault(name, {})[action] = None
        return {name: tuple(actions) for name, actions in found.items()}


def _address(fields: Fields) -> LiveAddress:
    kinds = [kind for kind in _ADDRESS_KINDS if fields.get(kind)]
    return LiveAddress(kinds[0], fields[kinds[0]][-1]) if len(kinds) == 1 else LiveAddress("", "")


def _address_group(fields: Fields) -> Texts | None:
    """The members of a static group; ``None`` for a dynamic one, whose members change without a commit."""
    if any(key.startswith("dynamic") for key in fields):
        return None
    return _texts(fields, "static")


def _service(fields: Fields) -> LiveService:
    transports = {key.split("/")[1] for key in fields if key.startswith("protocol/")}
    if len(transports) != 1:
        return LiveService("", "")
    (transport,) = transports
    return LiveService(
        transport, _last(fields, f"protocol/{transport}/port"), bool(fields.get(f"protocol/{transport}/source-port"))
    )


def _category(fields: Fields) -> LiveCategory:
    # Versions before 9.0 have no type, and lists alone.
    return LiveCategory(_texts(fields, "list"), _last(fields, "type") in {"", "URL List"})


def _schedule(fields: Fields) -> LiveSchedule:
    # 9.0 and later have `schedule-type/non-recurring`, older versions `non-recurring`.
    spans = [*_texts(fields, "schedule-type/non-recurring"), *_texts(fields, "non-recurring")]
    return LiveSchedule(tuple(spans), any("recurring" in key.split("/") for key in fields))


def _texts(fields: Fields, field: str) -> Texts:
    found: Iterable[str] = fields.get(field, ())
    return tuple(dict.fromkeys(found)) if isinstance(found, list) else tuple(found)


def _last(fields: Fields, field: str) -> str:
    found = fields.get(field)
    return found[-1] if found else ""
