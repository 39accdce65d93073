"""Working-time arithmetic: when a target is due, and how much of it is used. Working hours are in the calendar's own
zone; all arguments and results are aware datetimes, and results are UTC. Seconds are real elapsed seconds: on the day
the clocks go back an all-day calendar has 25 hours.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from statistics import median_low

from accounts.calendars.rules.segments import LAST_YEAR, NOTHING
from accounts.calendars.rules.workcalendar import WorkCalendar

Pause = tuple[datetime, datetime | None]

DAY_SECONDS = 24 * 60 * 60
# A calendar whose only open day is 29 February may be closed for eight years (1896 to 1904, 2096 to 2104), so ten years
# are enough.
IDLE_YEARS = 10
FURTHEST_YEARS = 100  # no target runs longer; it limits the work that a mistyped number can cause


def opens_ever(calendar: WorkCalendar) -> bool:
    """Whether the calendar has any working time at all."""
    return calendar.always_open or any(calendar.spans.values()) or any(calendar.special.values())


def business_day_seconds(calendar: WorkCalendar) -> int:
    """The length of one business day, to turn "1 business day" into seconds.

    It is the median of the days of the week that have working time (the shorter of the two middle ones when even), so
    that a short Friday or a Saturday morning does not shorten every target; breaks are left out, special days and the
    change of clocks are ignored. A calendar with only special days uses those. Raises ValueError with no working time.
    """
    if calendar.always_open:
        return DAY_SECONDS
    for days in (calendar.spans.values(), calendar.special.values()):
        lengths = [sum(end - start for start, end in spans) * 60 for spans in days if spans]
        if lengths:
            return median_low(lengths)
    raise _never_open(calendar)


def next_open(calendar: WorkCalendar, at: datetime) -> datetime:
    """`at` itself if it is working time, else the next opening. Closing time itself is already closed.

    Raises ValueError when the calendar does not open within ten years, or `at` has no zone.
    """
    at = _utc(at)
    if calendar.always_open:
        return at
    for year in range(at.year, min(at.year + IDLE_YEARS, LAST_YEAR) + 1):
        segments = calendar.years[year]
        index = max(1, bisect_right(segments.ends, at))
        if index < len(segments.ends):
            return max(at, segments.starts[index])
    raise _never_open(calendar)


def add_work(calendar: WorkCalendar, start_utc: datetime, seconds: int) -> datetime:
    """The instant at which `seconds` of working time have passed since `start_utc`.

    Work that ends exactly at closing time is due then, not at the next opening; zero seconds outside working hours are
    due at the next opening. Raises ValueError for negative seconds, a calendar that stops opening, or a naive start.
    """
    return _add(calendar, start_utc, _duration(seconds))


def _add(calendar: WorkCalendar, start: datetime, left: timedelta) -> datetime:
    if start.tzinfo is not UTC:
        start = _utc(start)
    if calendar.always_open or not left:
        return _add_simply(calendar, start, left)
    starts, ends, zeros, done = calendar.years[start.year]
    index = bisect_right(starts, start) - 1
    work = left + (start - zeros[index] if start < ends[index] else done[index])
    index = bisect_left(done, work)
    if index < len(done):
        return zeros[index] + work
    return _add_later(calendar, start, work - done[-1])


def _add_simply(calendar: WorkCalendar, start: datetime, left: timedelta) -> datetime:
    """The result if no work is left or the calendar is always open."""
    if not left:
        return next_open(calendar, start)
    try:
        return start + left
    except OverflowError:
        raise _too_far() from None


def _add_later(calendar: WorkCalendar, start: datetime, left: timedelta) -> datetime:
    """The instant at which the work left at the end of the starting year is done."""
    idle = 0
    for year in range(start.year + 1, min(start.year + FURTHEST_YEARS, LAST_YEAR) + 1):
        segments = calendar.years[year]
        total = segments.done[-1]
        if left <= total:
            return segments.zeros[bisect_left(segments.done, left)] + left
        left -= total
        idle = 0 if total else idle + 1
        if idle >= IDLE_YEARS:
            raise _never_open(calendar)
    raise _too_far()


def work_between(calendar: WorkCalendar, start: datetime, end: datetime) -> int:
    """Whole seconds of working time from `start` to `end`; 0 when `end` is not after `start`."""
    return _whole_seconds(_between(calendar, start, end))


def _between(calendar: WorkCalendar, start: datetime, end: datetime) -> timedelta:
    if start.tzinfo is not UTC or end.tzinfo is not UTC:
        start, end = _utc(start), _utc(end)
    if end <= start:
        return NOTHING
    if calendar.always_open:
        return end - start
    first, last = calendar.years[start.year], calendar.years[end.year]
    worked = last.work_before(end) - first.work_before(start)
    for year in range(start.year, end.year):
        worked += calendar.years[year].done[-1]
    return worked


def due_after(calendar: WorkCalendar, start: datetime, seconds: int, pauses: Iterable[Pause] = ()) -> datetime | None:
    """When `seconds` of working time are used up, without paused time; None while a pause has no end.

    A pause is (from, to), `to` None when it is still on. Pauses may overlap, be in any order and begin before `start`.
    """
    running_from, left = start, _duration(seconds)
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
    return _whole_seconds(used)


def _joined(pauses: Iterable[Pause]) -> list[Pause]:
    """The pauses in order, with overlapping ones joined, so that no second is left out twice."""
    joined: list[Pause] = []
    for begin, end in sorted(pauses, key=lambda pause: pause[0]):
        last = joined[-1] if joined else None
        if last and (last[1] is None or begin <= last[1]):
            joined[-1] = (last[0], None if last[1] is None or end is None else max(last[1], end))
        else:
            joined.append((begin, end))
    return joined


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is UTC:
        return moment
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no time zone: pass an aware datetime.")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _too_far() from None


@lru_cache(maxsize=4096)  # making one takes as long as a lookup of a due time, and targets repeat
def _duration(seconds: int) -> timedelta:
    if seconds < 0:
        raise ValueError(f"Working time cannot be negative: {seconds} seconds.")
    try:
        return timedelta(0, seconds)
    except OverflowError:
        raise _too_far() from None


def _whole_seconds(duration: timedelta) -> int:
    return duration.days * DAY_SECONDS + duration.seconds


def _too_far() -> ValueError:
    return ValueError(f"This much working time ends more than {FURTHEST_YEARS} years ahead or after 9999: use less.")


def _never_open(calendar: WorkCalendar) -> ValueError:
    return ValueError(
        f"This calendar ({calendar.zone}) has no working time: add working hours to at least one weekday."
    )
