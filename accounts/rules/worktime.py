"""Working-time arithmetic: when is a promise due, and how much of it has been used?

Working hours are written in the calendar's own zone; everything that goes in or comes out is an aware datetime
and results are UTC. Seconds are real elapsed seconds: on the day the clocks go back an all-day calendar has 25 hours.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from statistics import median_low
from typing import NamedTuple
from zoneinfo import ZoneInfo

from accounts.rules.workcalendar import WorkCalendar, find_zone

Pause = tuple[datetime, datetime | None]

DAY_SECONDS = 24 * 60 * 60
SECOND = 1_000_000  # instants are counted in whole microseconds since 1970, so nothing is ever rounded
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# A calendar whose only open day is 29 February may rest eight years (1896 to 1904, 2096 to 2104); ten is proof enough.
IDLE_YEARS = 10
FURTHEST_YEARS = 100  # no promise runs longer; it bounds the work that a mistyped number can cause
LAST_YEAR = 9998


class _Year(NamedTuple):
    """One local year as UTC segments; `done[i]` is the work before segment i, so `done[-1]` is the whole year's."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    done: tuple[int, ...]

    def work_before(self, at: int) -> int:
        """Microseconds worked in this year before the instant `at`."""
        index = bisect_right(self.starts, at) - 1
        if index < 0:
            return 0
        return self.done[index] + min(at, self.ends[index]) - self.starts[index]

    def instant_after(self, work: int) -> int:
        """The first instant at which `work` (above 0, at most the year's total) has been done."""
        index = min(bisect_right(self.done, work - 1) - 1, len(self.starts) - 1)
        return self.starts[index] + work - self.done[index]


def opens_ever(calendar: WorkCalendar) -> bool:
    """Whether the calendar has any working time at all."""
    return calendar.always_open or any(calendar.spans.values()) or any(calendar.special.values())


def business_day_seconds(calendar: WorkCalendar) -> int:
    """The length of one business day, to turn "1 business day" into seconds.

    It is the median of the days of the week that have working time (the shorter of the two middle ones when even), so
    that a short Friday or a Saturday morning does not shrink every promise; breaks are left out, special days and the
    change of clocks are ignored. A calendar with only special days uses those. Raises ValueError with no working time.
    """
    if calendar.always_open:
        return DAY_SECONDS
    for days in (calendar.spans.values(), calendar.special.values()):
        lengths = [sum(end - start for start, end in spans) * 60 for spans in days if spans]
        if lengths:
            return median_low(lengths)
    raise ValueError(_never_open(calendar))


def next_open(calendar: WorkCalendar, at: datetime) -> datetime:
    """`at` itself when work is being done then, else the next opening. Closing time itself is already closed.

    Raises ValueError when the calendar does not open within ten years, or `at` has no zone.
    """
    instant = _instant(at)
    if calendar.always_open:
        return _moment(instant)
    for _, year in _years(calendar, at, IDLE_YEARS):
        index = bisect_right(year.ends, instant)
        if index < len(year.starts):
            return _moment(max(instant, year.starts[index]))
    raise ValueError(_never_open(calendar))


def add_work(calendar: WorkCalendar, start_utc: datetime, seconds: int) -> datetime:
    """The instant at which `seconds` of working time have passed since `start_utc`.

    Work that ends exactly at closing time is due then, not at the next opening; zero seconds outside working hours are
    due at the next opening. Raises ValueError for negative seconds, a calendar that stops opening, or a naive start.
    """
    if seconds < 0:
        raise ValueError(_negative(seconds))
    return _add(calendar, start_utc, int(seconds) * SECOND)


def _add(calendar: WorkCalendar, start: datetime, left: int) -> datetime:
    if left == 0:
        return next_open(calendar, start)
    instant = _instant(start)
    if calendar.always_open:
        return _moment(instant + left)
    idle = 0
    for _, year in _years(calendar, start, FURTHEST_YEARS):
        before = year.work_before(instant)
        if left <= year.done[-1] - before:
            return _moment(year.instant_after(before + left))
        left -= year.done[-1] - before
        idle = 0 if year.done[-1] > before else idle + 1
        if idle > IDLE_YEARS:
            raise ValueError(_never_open(calendar))
    raise ValueError(f"This much working time ends more than {FURTHEST_YEARS} years ahead: use less.")


def work_between(calendar: WorkCalendar, start: datetime, end: datetime) -> int:
    """Whole seconds of working time from `start` to `end`; 0 when `end` is not after `start`."""
    return _between(calendar, start, end) // SECOND


def _between(calendar: WorkCalendar, start: datetime, end: datetime) -> int:
    first, last = _instant(start), _instant(end)
    if last <= first:
        return 0
    if calendar.always_open:
        return last - first
    until = _local_year(calendar, end)
    total = 0
    for number, year in _years(calendar, start, LAST_YEAR):
        if number > until:
            break
        total += year.work_before(last) - year.work_before(first)
    return total


def due_after(calendar: WorkCalendar, start: datetime, seconds: int, pauses: Iterable[Pause] = ()) -> datetime | None:
    """When `seconds` of working time are used up, paused time left out; None while a pause with no end holds the clock.

    A pause is (from, to), `to` None when it is still on. Pauses may overlap, be in any order and begin before `start`.
    """
    running_from, left = start, int(seconds) * SECOND
    if seconds < 0:
        raise ValueError(_negative(seconds))
    for begin, end in _joined(pauses):
        if end is not None and end <= running_from:
            continue
        worked = _between(calendar, running_from, begin)
        if begin > running_from and left <= worked:
            break
        if end is None:
            return None
        running_from, left = end, left - worked
    return _add(calendar, running_from, left)


def work_used(calendar: WorkCalendar, start: datetime, end: datetime, pauses: Iterable[Pause] = ()) -> int:
    """Whole seconds of working time from `start` to `end`, paused time left out."""
    used = _between(calendar, start, end)
    for begin, until in _joined(pauses):
        used -= _between(calendar, max(begin, start), min(until or end, end))
    return used // SECOND


def _joined(pauses: Iterable[Pause]) -> list[Pause]:
    """The pauses in order, overlapping ones made one, so that no second is left out twice."""
    joined: list[Pause] = []
    for begin, end in sorted(pauses, key=lambda pause: pause[0]):
        last = joined[-1] if joined else None
        if last and (last[1] is None or begin <= last[1]):
            joined[-1] = (last[0], None if last[1] is None or end is None else max(last[1], end))
        else:
            joined.append((begin, end))
    return joined


def _years(calendar: WorkCalendar, start: datetime, ahead: int) -> Iterable[tuple[int, _Year]]:
    first = _local_year(calendar, start)
    for number in range(first, min(first + ahead, LAST_YEAR) + 1):
        yield number, _year(calendar, number)


@lru_cache(maxsize=4096)
def _year(calendar: WorkCalendar, number: int) -> _Year:
    zone = find_zone(calendar.zone)
    segments: list[tuple[int, int]] = []
    day = date(number, 1, 1)
    while day.year == number:
        for opening, closing in calendar.spans_on(day):
            start, end = _at_local(zone, day, opening), _at_local(zone, day, closing)
            if segments and start <= segments[-1][1]:
                segments[-1] = (segments[-1][0], max(end, segments[-1][1]))
            elif end > start:  # a span that falls wholly into the hour the clocks skip has no time in it
                segments.append((start, end))
        day += timedelta(days=1)
    lengths = (end - start for start, end in segments)
    return _Year(
        tuple(start for start, _ in segments), tuple(end for _, end in segments), tuple(accumulate(lengths, initial=0))
    )


def _at_local(zone: ZoneInfo, day: date, minutes: int) -> int:
    """The instant of a local time: the first of two when clocks go back, the change itself when they skip it."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minutes)
    early, late = sorted((_instant(local), _instant(local.replace(fold=1))))
    if early == late or _moment(early).astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return early
    offset = _moment(early).astimezone(zone).utcoffset()
    while late - early > SECOND:
        middle = early + (late - early) // (2 * SECOND) * SECOND
        if _moment(middle).astimezone(zone).utcoffset() == offset:
            early = middle
        else:
            late = middle
    return late


def _instant(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone: pass an aware datetime.")
    return (moment - EPOCH) // MICROSECOND


def _moment(instant: int) -> datetime:
    try:
        return EPOCH + instant * MICROSECOND
    except OverflowError:
        raise ValueError("The due time is beyond the year 9999: use fewer seconds.") from None


def _local_year(calendar: WorkCalendar, moment: datetime) -> int:
    _instant(moment)
    return moment.astimezone(find_zone(calendar.zone)).year


def _negative(seconds: int) -> str:
    return f"Working time cannot be negative: {seconds} seconds."


def _never_open(calendar: WorkCalendar) -> str:
    return f"This calendar ({calendar.zone}) has no working time: add working hours to at least one weekday."
