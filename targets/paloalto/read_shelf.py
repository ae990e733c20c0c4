"""What stands in files, by place: the same for XML and for `set` commands.

An entry is its fields: the path below the entry, and the texts there. ``protocol/tcp/port`` holds ``443``; ``source``
holds all its members; an element that holds nothing is a text of what it stands in (``type`` holds
``ssl-forward-proxy``), since a command does not tell the two apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Fields = dict[str, Sequence[str]]
"""The fields of an entry. Where commands set a text twice, the last one counts."""

Section = dict[str, Fields]
"""Entries by name, rules in their order."""

OBJECTS: Final = frozenset({"address", "address-group", "service", "service-group", "schedule", "external-list"})
"""The sections of objects that have a bearing, directly below a place."""

DEEPER: Final = frozenset({("profiles", "custom-url-category"), ("ssl-decrypt", "ssl-exclude-cert")})
"""The sections one step below."""

RULEBASES: Final = frozenset({"pre-rulebase", "rulebase", "post-rulebase"})
RULES: Final = frozenset({"security", "decryption", "default-security-rules"})
"""The rulebases that have a bearing; each has its entries below `rules`."""

UNREAD: Final = frozenset(
    {"description", "tag", "group-tag", "log-setting", "log-start", "log-end", "log-success", "log-fail", "uuid"}
)
"""Fields of rules and objects that say nothing of what matches ([S] rules/entry, address/entry, …): not kept."""

REST: Final = frozenset({"mgt-config", "deviceconfig", "network"})
"""What every device has besides rules: files with some of it hold all of its configuration, not a part of it."""

TEMPLATES: Final = frozenset({"template", "template-stack"})
"""What Panorama keeps the settings of devices in, the SSL decryption exclusion among them."""

Place = tuple[str, str]
"""Where objects and rules stand: ``shared``, ``vsys`` or ``device-group``, with its name.

The kind is empty where the files do not say; then the name may be, too.
"""

SHARED: Final[Place] = ("shared", "")
HERE: Final[Place] = ("", "")
"""A place without a name: the only virtual system, or a fragment of a configuration."""


class Shelf:
    """Sections by place. ``parents`` are device groups with the one above them, empty for none; others are not known.

    ``rulebases`` are those of other kinds that were seen, with their place. ``is_whole`` is set where the files hold
    the configuration of a device, and not a part of it only. ``excluded`` are the names of the SSL decryption exclusion
    in templates of Panorama, with what they say of it. ``is_managed`` says that a Panorama pushes rules to the device.
    """

    def __init__(self) -> None:
        self.places: dict[Place, dict[str, Section]] = {}
        self.parents: dict[str, str] = {}
        self.rulebases: dict[tuple[Place, str], None] = {}
        self.remarks: list[str] = []
        self.is_whole = False
        self.is_managed = False
        self.excluded: dict[str, str] = {}

    def section(self, place: Place, name: str) -> Section:
        """The section with that path (``address``, ``rulebase/security``) at a place, empty if it is new."""
        return self.places.setdefault(place, {}).setdefault(name, {})

    def named(self, kind: str) -> list[str]:
        """The names of the places of a kind."""
        return [name for each, name in self.places if each == kind]


class Order:
    """The order of rules while they are moved about; each move takes the same time, however many rules there are."""

    def __init__(self, names: Iterable[str]) -> None:
        self._next: dict[str, str] = {}
        self._before: dict[str, str] = {}
        self._link(_START, _END)
        for name in names:
            self._insert(name, self._before[_END])

    def __contains__(self, name: str) -> bool:
        """True if the rule is there."""
        return name in self._next

    def __iter__(self) -> Iterator[str]:
        """The rules in order."""
        at = self._next[_START]
        while at != _END:
            yield at
            at = self._next[at]

    def append(self, name: str) -> None:
        """Add a rule at the end."""
        self._insert(name, self._before[_END])

    def move(self, name: str, where: str, anchor: str) -> None:
        """Move a rule: ``top``, ``bottom``, or ``before`` or ``after`` another one that is there."""
        if where in {"before", "after"} and anchor == name:
            return
        self._link(self._before[name], self._next[name])
        match where:
            case "top":
                self._insert(name, _START)
            case "before":
                self._insert(name, self._before[anchor])
            case "after":
                self._insert(name, anchor)
            case _:
                self._insert(name, self._before[_END])

    def _insert(self, name: str, behind: str) -> None:
        following = self._next[behind]
        self._link(behind, name)
        self._link(name, following)

    def _link(self, one: str, other: str) -> None:
        self._next[one] = other
        self._before[other] = one


_START, _END = "\n", "\n\n"
"""No names of rules."""
