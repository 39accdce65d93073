"""The slow truth about working hours: a clock on the wall, looked at tick after tick.

It shares nothing with the code it checks but `WorkCalendar.spans_on`. Opening and closing times are local times: one that
does not exist that day counts from the next instant that does, one that comes twice counts from the first. So the clock
we look at is never set back: while an hour repeats, it goes on showing the last tick before it.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from accounts.calendars.rules.workcalendar import WorkCalendar
from accounts.calendars.rules.worktime import Pause

SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86400))
NOTHING = timedelta(0)
LONGEST_REPEAT = 25 * HOUR  # the clock may have been set back by a day, on the date line


def changes(zone: str, first: datetime, last: datetime) -> tuple[datetime, ...]:
    """The first instant of each new offset of a zone between two instants, found by looking twice a day."""
    tz, found, at = ZoneInfo(zone), [], first
    offset = at.astimezone(tz).utcoffset()
    while at < last:
        old, at = offset, at + 12 * HOUR
        if (offset := at.astimezone(tz).utcoffset()) != old:
            found.append(_first_second(tz, at - 12 * HOUR, at))
    return tuple(found)


def _first_second(tz: ZoneInfo, before: datetime, after: datetime) -> datetime:
    old = before.astimezone(tz).utcoffset()
    while after - before > SECOND:
        middle = before + (after - before) // (2 * SECOND) * SECOND
        before, after = (middle, after) if middle.astimezone(tz).utcoffset() == old else (before, middle)
    return after


@lru_cache(maxsize=32)
def readings(zone: str, start: datetime, ticks: int, tick: timedelta) -> tuple[date, list[int]]:
    """What the clock that is never set back shows at `start` and each tick after it: minutes since midnight of a day."""
    tz = ZoneInfo(zone)
    warm_up = (start - LONGEST_REPEAT + n * MINUTE for n in range(int(LONGEST_REPEAT / MINUTE)))
    furthest = max(at.astimezone(tz).replace(tzinfo=None) for at in warm_up)
    midnight = furthest.replace(hour=0, minute=0, second=0, microsecond=0)
    minutes = []
    for n in range(ticks):
        furthest = max(furthest, (start + n * tick).astimezone(tz).replace(tzinfo=None))
        passed = furthest - midnight
        minutes.append(passed.days * 1440 + passed.seconds // 60)
    return midnight.date(), minutes


def open_ticks(calendar: WorkCalendar, start: datetime, ticks: int, tick: timedelta) -> list[int]:
    """1 for each tick that is working time, else 0."""
    if calendar.always_open:
        return [1] * ticks
    day, minutes = readings(calendar.zone, start, ticks, tick)
    is_open = bytearray(minutes[-1] + 2 * 1440)
    for first in range(0, minutes[-1] + 1, 1440):
        for opens, closes in calendar.spans_on(day + first * MINUTE):
            is_open[first + opens : first + closes] = b"\x01" * (closes - opens)
    return [is_open[minute] for minute in minutes]


class Scan:
    """Working time from an instant on, minute by minute; paused time is no working time."""

    def __init__(self, calendar: WorkCalendar, start: datetime, minutes: int, pauses: Iterable[Pause] = ()) -> None:
        first = start.replace(second=0, microsecond=0)
        self.end = first + minutes * MINUTE
        self._pauses = [(begin, until or max(begin, self.end)) for begin, until in pauses]
        self._edges = sorted(edge for pause in self._pauses for edge in pause)
        is_open = open_ticks(calendar, first, minutes, MINUTE)
        self.pieces = [
            piece
            for n in range(minutes)
            if is_open[n]
            for piece in self._running(max(start, first + n * MINUTE), first + (n + 1) * MINUTE)
        ]

    def _running(self, start: datetime, end: datetime) -> Iterable[tuple[datetime, datetime]]:
        """The parts of an open minute that no pause covers."""
        marks = [start, *(edge for edge in self._edges if start < edge < end), end]
        for a, b in pairwise(marks):
            if not any(begin <= a < until for begin, until in self._pauses):
                yield a, b

    def used(self, until: datetime) -> timedelta:
        """Working time up to an instant of the scan."""
        return sum((min(b, until) - a for a, b in self.pieces if a < until), NOTHING)

    def due(self, wanted: timedelta) -> datetime | None:
        """The first instant at which so much is worked (nothing at all: the first that is open); None: after the scan."""
        for a, b in self.pieces:
            if wanted <= b - a:
                return a + wanted
            wanted -= b - a
        return None


def utc(text: str) -> datetime:
    """An instant written in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
