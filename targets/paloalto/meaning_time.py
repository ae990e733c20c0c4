"""Schedules: whether a rule is on at a date, by the firewall's own clock."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import date

    from egressc.targets.paloalto.live import Live

_SPAN: Final = re.compile(r"(\d{4}/\d\d/\d\d@\d\d:\d\d)-(\d{4}/\d\d/\d\d@\d\d:\d\d)", re.ASCII)
"""`YYYY/MM/DD@hh:mm-YYYY/MM/DD@hh:mm` ([S] schedule/entry); texts of that form are in the order of time."""


_BEFORE_ANY: Final = 2000
"""A year that no clock of a PAN-OS firewall ever showed: of so early a date nobody asks whether a span has begun."""


class Clock:
    """The first and the last minute of a date, UTC, as the clock of the firewall shows them."""

    def __init__(self, day: date, zone: str, live: Live) -> None:
        begin, end = (datetime.combine(day, at, tzinfo=UTC) for at in (time(0), time(23, 59)))
        self._first, self._last = _shown(begin, zone), _shown(end, zone)
        self._has_begun = day.year <= _BEFORE_ANY
        self._live = live
        self._known: dict[str, tuple[bool, str]] = {"": (True, "")}

    def is_on(self, schedule: str) -> tuple[bool, str]:
        """Whether the schedule may be on at some time of the day, and why it may be off at another."""
        found = self._known.get(schedule)
        if found is None:
            found = self._known[schedule] = self._worked_out(schedule)
        return found

    def _worked_out(self, name: str) -> tuple[bool, str]:
        held = self._live.schedules.get(name)
        if held is None:
            return True, f"the schedule `{name[:80]}` is not in the files"
        if name in self._live.twice:
            return True, f"the schedule `{name[:80]}` stands in several places and says different things"
        if held.recurs:
            return True, f"the schedule `{name[:80]}` recurs: the rule is on at some times only"
        meets = False
        for span in held.spans:
            shape = _SPAN.fullmatch(span)
            if shape is None:
                return True, f"the schedule `{name[:80]}` is not understood"
            start, end = shape.groups()
            if (start <= self._first or self._has_begun) and self._last <= end:
                return True, ""
            meets = meets or (start <= self._last and self._first <= end)
        if not held.spans:
            return True, f"the schedule `{name[:80]}` has no time"
        return meets, f"the schedule `{name[:80]}` begins or ends on that day" if meets else ""


def _shown(moment: datetime, zone: str) -> str:
    if zone != "UTC":
        with suppress(OverflowError):  # on the first and the last day of the calendar
            moment = moment.astimezone(ZoneInfo(zone))
    return f"{moment.year:04}/{moment.month:02}/{moment.day:02}@{moment.hour:02}:{moment.minute:02}"
