"""The settings of a PAN-OS firewall in the inventory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from egressc.anything import ANY, Anything
from egressc.diagnostics import Diagnostic
from egressc.schema_check import check, load_schema
from egressc.targets.paloalto.model import DeviceGroup, Location, Vsys

if TYPE_CHECKING:
    from egressc.located import Located

FIRST_VSYS = Vsys("vsys1")
"""Where rules go on a firewall that has only one virtual system."""

LAST_DAY = date(9999, 12, 31)
"""The last day there is: no clock east of Greenwich can show its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the inventory says of one firewall or device group.

    ``version`` is the version attribute of the configuration (``10.1.0``). ``before`` is the security rule before which
    the rules go; ``None`` is the top of the rulebase. ``timezone`` is what the firewall's clock shows.
    """

    version: str = "10.1.0"
    from_zone: str | Anything = ANY
    to_zone: str | Anything = ANY
    location: Location = FIRST_VSYS
    before: str | None = None
    by_protocol: bool = False
    user_id: bool = False
    log_setting: str | None = None
    profile_group: str | None = None
    decryption_profile: str | None = None
    timezone: str = "UTC"
    default_deny: bool = True
    tls_inspection: bool = True

    @property
    def release(self) -> tuple[int, int]:
        """The version as two numbers: ``(10, 1)``."""
        major, minor, *_ = self.version.split(".")
        return int(major), int(minor)


def load_settings(located: Located | None) -> tuple[Settings | None, tuple[Diagnostic, ...]]:
    """The settings of an inventory entry, or what is wrong with them; for ``None`` the defaults, with zones ``any``."""
    if located is None:
        return Settings(), ()
    wrong = check(located, load_schema("egressc.targets.paloalto", "settings.schema.json"))
    if wrong:
        return None, wrong
    value: Any = located.value
    zone = value.get("timezone", "UTC")
    if not _is_timezone(zone):
        unknown = Diagnostic(
            code="E0705",
            message=f"no time zone is called `{zone}` here",
            span=located.span_of(("timezone",)),
            label="not in the time zone database of this machine",
            help="write an IANA name such as `Europe/Dublin`; if it is one, install the package `tzdata`",
        )
        return None, (unknown,)
    place = value.get("place", "top")
    return Settings(
        version=_version(value.get("version", "10.1")),
        from_zone=_zone(value["from-zone"]),
        to_zone=_zone(value["to-zone"]),
        location=_location(value.get("location", "vsys1")),
        before=None if place == "top" else place["before"],
        by_protocol=value.get("application", "any") == "by-protocol",
        user_id=value.get("user-id", False),
        log_setting=value.get("log-setting"),
        profile_group=value.get("profile-group"),
        decryption_profile=value.get("decryption-profile"),
        timezone=zone,
        default_deny=value.get("default-deny", True),
        tls_inspection=value.get("tls-inspection", True),
    ), ()


def last_minute(day: date, zone: str) -> str:
    """The last minute of a day, UTC, on a clock that shows ``zone``, as a schedule writes it: ``2027/06/30@23:59``."""
    shown = datetime.combine(day, time(23, 59), tzinfo=UTC)
    if day < LAST_DAY and zone != "UTC":
        shown = shown.astimezone(ZoneInfo(zone))
    return f"{shown.year:04}/{shown.month:02}/{shown.day:02}@{shown.hour:02}:{shown.minute:02}"


def _version(text: str) -> str:
    """The version attribute: PAN-OS writes its feature release there, with a zero for the maintenance release."""
    major, minor, *_ = text.split(".")
    return f"{int(major)}.{int(minor)}.0"


def _zone(name: str) -> str | Anything:
    return ANY if name == "any" else name


def _location(value: str | dict[str, str]) -> Location:
    if isinstance(value, str):
        return Vsys(value)
    return DeviceGroup(value["device-group"], value.get("rulebase", "pre"))


def _is_timezone(name: str) -> bool:
    if name == "UTC":
        return True  # the default needs no database
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return False
    return True
