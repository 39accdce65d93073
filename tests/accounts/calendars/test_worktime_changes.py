"""Every change of the clocks in 2026 and 2027, second by second: due times and used time in ten zones."""

from bisect import bisect_left
from datetime import datetime
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest

from accounts.calendars.rules.workcalendar import WorkCalendar
from accounts.calendars.rules.worktime import add_work, due_after, next_open, work_between, work_used
from tests.accounts.calendars.wallclock import DAY, HOUR, MINUTE, SECOND, changes, open_ticks, utc

# Three rules of Europe and America, one by half an hour, one by two hours, three at midnight, Ramadan, a quarter-hour zone.
ZONES = (
    "Europe/London", "America/New_York", "America/St_Johns", "America/Santiago", "Africa/Casablanca",
    "Africa/Cairo", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Chatham", "Antarctica/Troll",
)  # fmt: skip
BEFORE, TICKS = 2 * HOUR, 5 * 3600
DAY_MINUTES = 1440
STEP, LONG_STEP = 1201, 61  # seconds between the starts that are tried; both meet every second of the minute


def changes_of(zone: str) -> tuple[datetime, ...]:
    return changes(zone, utc("2026-01-01"), utc("2028-01-01"))


def calendars_around(zone: str, change: datetime) -> list[WorkCalendar]:
    """Around the clock, all day, many short spans; and from and to before, inside and after what is skipped or twice."""
    before = (change - SECOND).astimezone(ZoneInfo(zone)).replace(tzinfo=None) + SECOND
    after = change.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    low, high = min(before, after), max(before, after)
    third = (high - low) / 3
    marks = [low - 45 * MINUTE, low, low + third, high - third, high, high + 45 * MINUTE]
    weeks = [((0, DAY_MINUTES),), *(daily(a, b) for number, a in enumerate(marks) for b in marks[number + 1 :])]
    made = [WorkCalendar(zone, dict.fromkeys(range(7), spans)) for spans in weeks]
    many = tuple((minute, minute + 7) for minute in range(0, DAY_MINUTES - 7, 11))
    days = [low.date() + number * DAY for number in (-1, 0, 1)]
    return [WorkCalendar(zone, always_open=True), *made, WorkCalendar(zone, special=dict.fromkeys(days, many))]


def daily(opens: datetime, closes: datetime) -> tuple[tuple[int, int], ...]:
    """The span between two local times of every day; over midnight it is two."""
    start, end = (moment.hour * 60 + moment.minute for moment in (opens, closes))
    if start < (end or DAY_MINUTES):
        return ((start, end or DAY_MINUTES),)
    return ((0, end), (start, DAY_MINUTES))


class Seconds:
    """The open seconds around a change, counted one by one."""

    def __init__(self, calendar: WorkCalendar, change: datetime) -> None:
        self.start = change - BEFORE
        is_open = open_ticks(calendar, self.start, TICKS, SECOND)
        self.before = list(accumulate(is_open, initial=0))

    def at(self, tick: int) -> datetime:
        return self.start + tick * SECOND

    def used(self, first: int, last: int) -> int:
        return self.before[last] - self.before[first]

    def due(self, first: int, seconds: int) -> datetime | None:
        """Where so many open seconds after a tick are over; None when that is after the last tick."""
        tick = bisect_left(self.before, self.before[first] + seconds)
        return self.at(tick) if tick <= TICKS else None

    def opening(self, first: int) -> datetime | None:
        """The first open second from a tick on."""
        tick = bisect_left(self.before, self.before[first] + 1) - 1
        return self.at(tick) if tick < TICKS else None


@pytest.mark.prove
@pytest.mark.parametrize("zone", ZONES)
def test_due_and_used_time_around_every_change_are_those_of_the_clock_on_the_wall(zone: str, proving: bool) -> None:
    for change in changes_of(zone):
        for calendar in calendars_around(zone, change)[:: 1 if proving else 2]:
            counted = Seconds(calendar, change)
            for first in range(0, TICKS, LONG_STEP if proving else STEP):
                compare(calendar, counted, first)


def compare(calendar: WorkCalendar, counted: Seconds, first: int) -> None:
    start = counted.at(first)
    if (opening := counted.opening(first)) is not None:
        assert next_open(calendar, start) == opening
    for seconds in (1, 599, 1800, 3600, 3601, 7200):
        if (due := counted.due(first, seconds)) is not None:
            assert add_work(calendar, start, seconds) == due, (calendar, start, seconds)
    for last in (first + 1, first + 1799, first + 3600, first + 9000):
        if last <= TICKS:
            assert work_between(calendar, start, counted.at(last)) == counted.used(first, last), (calendar, start, last)
    compare_paused(calendar, counted, first)


def compare_paused(calendar: WorkCalendar, counted: Seconds, first: int) -> None:
    """With a pause of forty minutes ten minutes after the start."""
    begins, ends, last = first + 600, first + 3000, first + 9000
    if last > TICKS:
        return
    start, pause = counted.at(first), (counted.at(begins), counted.at(ends))
    used = counted.used(first, begins) + counted.used(ends, last)
    assert work_used(calendar, start, counted.at(last), [pause]) == used
    left = 3600 - counted.used(first, begins)
    if (due := counted.due(ends, left)) is not None:
        assert due_after(calendar, start, 3600, [pause]) == due


@pytest.mark.parametrize("zone", ZONES)
def test_each_of_the_zones_changes_in_both_years_and_both_ways(zone: str) -> None:
    offsets = [
        (at.astimezone(ZoneInfo(zone)).utcoffset() > (at - SECOND).astimezone(ZoneInfo(zone)).utcoffset(), at.year)
        for at in changes_of(zone)
    ]
    assert {(forward, year) for forward in (True, False) for year in (2026, 2027)} <= set(offsets)


@pytest.mark.parametrize("zone", ZONES)
def test_an_open_day_has_as_many_seconds_as_really_elapse(zone: str) -> None:
    calendar = WorkCalendar(zone, dict.fromkeys(range(7), ((0, DAY_MINUTES),)))
    for change in changes_of(zone):
        day = change.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, fold=0)
        start, end = day - 24 * HOUR, day + 48 * HOUR
        elapsed = (end.astimezone(ZoneInfo("UTC")) - start.astimezone(ZoneInfo("UTC"))) // SECOND
        assert elapsed != 72 * 3600
        assert work_between(calendar, start, end) == elapsed
        assert add_work(calendar, start, elapsed) == end
