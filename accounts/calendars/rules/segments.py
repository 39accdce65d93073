"""Working hours as segments of UTC, one year at a time: built once, then only looked up.

Everything is an aware datetime or a timedelta, so a lookup converts nothing and rounds nothing.
"""

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ledger.local_time import instant_of

Span = tuple[int, int]
Spans = tuple[Span, ...]

FIRST_YEAR, LAST_YEAR = 2, 9998  # one more day on either side can still be written
KEPT_YEARS = 200  # of one calendar; dates from a broken file must not fill the memory
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
NOTHING = timedelta(0)


class Segments(NamedTuple):
    """The working time of one UTC year. Segment 0 is empty and at New Year, so every instant has a segment before it.
    `done[i]` is the work up to the end of segment i. `zeros[i] + work` is the instant at which this work is done, if it
    lies in segment i: zeros are openings moved back by the work before them.
    """

    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]
    zeros: tuple[datetime, ...]
    done: tuple[timedelta, ...]

    def work_before(self, at: datetime) -> timedelta:
        """The work of this year before `at`, an instant in it."""
        index = bisect_right(self.starts, at) - 1
        return at - self.zeros[index] if at < self.ends[index] else self.done[index]


class Years(dict[int, Segments]):
    """The segments of each UTC year, built at first use. Two threads may build one twice; both are equal."""

    def __init__(self, zone: ZoneInfo, spans_on: Callable[[date], Spans]) -> None:
        super().__init__()
        self._zone, self._spans_on = zone, spans_on

    def __missing__(self, year: int) -> Segments:
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise ValueError(f"Working time is known from the year {FIRST_YEAR} to {LAST_YEAR}, not in {year}.")
        built = build(self._zone, self._spans_on, year)
        if len(self) >= KEPT_YEARS:
            self.clear()
        self[year] = built
        return built


def build(zone: ZoneInfo, spans_on: Callable[[date], Spans], year: int) -> Segments:
    """Builds one UTC year: each span of its local days, joined where they touch and cut at New Year."""
    first, last = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    segments = [(first, first)]
    day = first.date() - 2 * DAY  # zones are up to a day off UTC, and a day that came twice lasted two
    while day < last.date() + 2 * DAY:
        for opening, closing in spans_on(day):
            start = max(first_instant(zone, day, opening), first)
            end = min(first_instant(zone, day, closing), last)
            if start >= end:
                continue  # in another year, or completely inside the skipped hour
            if len(segments) > 1 and start <= segments[-1][1]:
                segments[-1] = (segments[-1][0], max(end, segments[-1][1]))
            else:
                segments.append((start, end))
        day += DAY
    done = tuple(accumulate(end - start for start, end in segments))
    starts, ends = zip(*segments, strict=True)
    return Segments(starts, ends, tuple(end - work for end, work in zip(ends, done, strict=True)), done)


def first_instant(zone: ZoneInfo, day: date, minutes: int) -> datetime:
    """The instant of a local time: the first of two when clocks go back, the change itself when they skip it."""
    return instant_of(datetime(day.year, day.month, day.day) + timedelta(minutes=minutes), zone)  # noqa: DTZ001 - local
