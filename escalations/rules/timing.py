"""When is a clock due? Pure: calendar, start, time used and target in; due, warning and the explanation out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.rules.worktime import WorkCalendar, add_work, work_between


@dataclass(frozen=True)
class Plan:
    """The moments of a running clock, in UTC."""

    warn_at: datetime
    due_at: datetime


def plan(calendar: WorkCalendar | None, *, resumed_at: datetime, used: int, target: int, warn_percent: int) -> Plan:
    """Warning and due time of a clock that used `used` of `target` seconds before `resumed_at`.

    With no calendar, seconds elapse around the clock. A target used up already is due at `resumed_at`.
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
