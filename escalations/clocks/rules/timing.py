"""The due time of a clock. Pure: calendar, start, time used and target in; due time, warning and explanation out."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from accounts.calendars.rules.worktime import WorkCalendar, add_work, work_between


@dataclass(frozen=True)
class Plan:
    """The moments of a running clock, in UTC."""

    warn_at: datetime
    due_at: datetime


def plan(calendar: WorkCalendar | None, *, resumed_at: datetime, used: int, target: int, warn_percent: int) -> Plan:
    """Warning and due time of a clock that used `used` of `target` seconds before `resumed_at`.

    With no calendar, seconds elapse around the clock. A target that is already used up is due at `resumed_at`.
    """
    warn = max(0, target * warn_percent // 100 - used)
    left = max(0, target - used)
    return Plan(_after(calendar, resumed_at, warn), _after(calendar, resumed_at, left))


def _after(calendar: WorkCalendar | None, start: datetime, seconds: int) -> datetime:
    if calendar is None or calendar.always_open:
        return start + timedelta(seconds=seconds)
    return add_work(calendar, start, seconds)


def used_between(calendar: WorkCalendar | None, start: datetime, end: datetime) -> int:
    """Seconds of the clock used between two moments; closed hours do not count."""
    if end <= start:
        return 0
    if calendar is None or calendar.always_open:
        return int((end - start).total_seconds())
    return work_between(calendar, start, end)


def at_percents(
    calendar: WorkCalendar | None, *, resumed_at: datetime, used: int, target: int, percents: Iterable[int]
) -> tuple[tuple[int, datetime], ...]:
    """The moment when each percent of the target is used, ascending; a percent that was reached before is at
    `resumed_at`."""
    return tuple(
        (percent, _after(calendar, resumed_at, max(0, target * percent // 100 - used))) for percent in sorted(percents)
    )


@lru_cache(maxsize=256)
def print_of(calendar: WorkCalendar) -> str:
    """A short fingerprint of the hours of a calendar. A different one means that due times were calculated with other
    hours."""
    special = sorted((day.isoformat(), spans) for day, spans in calendar.special.items())
    week = sorted(calendar.spans.items())
    days = [sorted(calendar.holidays), sorted(calendar.yearly_holidays)]
    return hashlib.sha256(repr((calendar.zone, calendar.always_open, week, days, special)).encode()).hexdigest()[:16]
