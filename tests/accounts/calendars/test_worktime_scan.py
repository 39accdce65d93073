"""Working time against a scan of every minute: random calendars, zones and instants, most near a change of the clocks."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from accounts.calendars.rules.workcalendar import WorkCalendar
from accounts.calendars.rules.worktime import Pause, add_work, due_after, next_open, work_between, work_used
from tests.accounts.calendars.wallclock import DAY, MINUTE, NOTHING, SECOND, Scan, changes, utc

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1200)]  # the long form of each takes minutes

# Half-hour changes, changes at midnight, clocks that go back in spring, quarter hours, and two that skipped a whole day.
ZONES = (
    "UTC", "Europe/London", "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/St_Johns",
    "America/Santiago", "America/Caracas", "Africa/Casablanca", "Africa/Cairo", "Asia/Beirut", "Asia/Kathmandu",
    "Asia/Pyongyang", "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia", "Pacific/Kwajalein", "Antarctica/Troll",
)  # fmt: skip
DAYS_SCANNED = 2


class Scene(NamedTuple):
    """A calendar and an instant to start from."""

    calendar: WorkCalendar
    start: datetime


@lru_cache
def moments_of(zone: str) -> tuple[datetime, ...]:
    """Instants worth a look: each change of the clocks, and New Year."""
    return (*changes(zone, utc("1993-01-01"), utc("2037-01-01")), utc("2026-01-01"), utc("2028-01-01"))


minutes_of_day = st.one_of(
    st.integers(0, 1440), st.integers(0, 48).map(lambda half_hours: half_hours * 30), st.sampled_from((0, 120, 1440))
)
day_spans = st.one_of(
    st.lists(st.tuples(minutes_of_day, minutes_of_day).filter(lambda span: span[0] < span[1]), max_size=4).map(tuple),
    st.just(((0, 1440),)),
)
anywhere = st.datetimes(datetime(1994, 1, 1), datetime(2045, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))
shifts = st.builds(timedelta, minutes=st.integers(-36 * 60, 12 * 60))
fractions = st.one_of(st.just(NOTHING), st.builds(timedelta, microseconds=st.integers(0, 59_999_999)))


@st.composite
def scenes(draw: Any) -> Scene:
    zone = draw(st.sampled_from(ZONES))
    near = draw(st.one_of(st.sampled_from(moments_of(zone)), anywhere))
    start = near + draw(shifts) + draw(fractions)
    dates = st.integers(-2, DAYS_SCANNED + 2).map(lambda days: start.date() + days * DAY)
    calendar = WorkCalendar(
        zone,
        spans=draw(st.dictionaries(st.integers(0, 6), day_spans)),
        holidays=draw(st.frozensets(dates, max_size=2)),
        yearly_holidays=draw(st.frozensets(dates.map(lambda day: (day.month, day.day)), max_size=1)),
        special=draw(st.dictionaries(dates, day_spans, max_size=2)),
        always_open=draw(st.integers(0, 19)) == 0,
    )
    return Scene(calendar, start)


durations = st.one_of(st.integers(0, DAYS_SCANNED * 86400), st.integers(0, 600).map(lambda minutes: minutes * 60))
pause = st.tuples(st.integers(-7200, 2 * 86400), st.one_of(st.integers(0, 86400), st.integers(0, 7200), st.none()))
pause_lists = st.lists(pause, max_size=4)


def pauses_from(start: datetime, wanted: list[tuple[int, int | None]]) -> list[Pause]:
    """Pauses some seconds after the start (or before it), each so many seconds long, or without an end."""
    begins = [(start + after * SECOND, length) for after, length in wanted]
    return [(begin, None if length is None else begin + length * SECOND) for begin, length in begins]


def scan(scene: Scene, pauses: list[Pause] | tuple[()] = ()) -> Scan:
    return Scan(scene.calendar, scene.start, DAYS_SCANNED * 1440, pauses)


@given(scene=scenes())
def test_the_next_opening_is_the_first_open_tick_of_the_clock_on_the_wall(scene: Scene) -> None:
    slow = scan(scene)
    expected = slow.due(NOTHING)
    try:
        opening = next_open(scene.calendar, scene.start)
    except ValueError:
        assert expected is None
    else:
        assert opening == expected or (expected is None and opening >= slow.end)


@given(scene=scenes(), wanted=pause_lists, seconds=durations.filter(bool))
def test_due_time_is_where_the_unpaused_clock_has_run_that_long(
    scene: Scene, wanted: list[tuple[int, int | None]], seconds: int
) -> None:
    pauses = pauses_from(scene.start, wanted)
    slow = scan(scene, pauses)
    expected = slow.due(seconds * SECOND)
    try:
        due = due_after(scene.calendar, scene.start, seconds, pauses)
    except ValueError:
        assert expected is None
        return
    if expected is None and any(until is None for _, until in pauses):
        assert due is None
    else:
        assert due == expected or (expected is None and due is not None and due >= slow.end)
    if not pauses:
        assert add_work(scene.calendar, scene.start, seconds) == due


@given(scene=scenes(), wanted=pause_lists, seconds=durations)
def test_used_time_is_the_open_unpaused_minutes_of_the_clock_on_the_wall(
    scene: Scene, wanted: list[tuple[int, int | None]], seconds: int
) -> None:
    pauses, end = pauses_from(scene.start, wanted), scene.start + seconds * SECOND
    slow = scan(scene, pauses)
    assume(end <= slow.end)
    used = work_used(scene.calendar, scene.start, end, pauses)
    assert used == slow.used(end) // SECOND
    if not pauses:
        assert work_between(scene.calendar, scene.start, end) == used
        assert work_between(scene.calendar, end, scene.start) == 0


def test_the_zones_really_have_the_days_that_are_hard() -> None:
    assert utc("2011-12-30 10:00") in moments_of("Pacific/Apia")
    assert utc("1993-08-21 12:00") in moments_of("Pacific/Kwajalein")
    assert sum(len(moments_of(zone)) for zone in ZONES) > 500


@pytest.mark.parametrize(
    ("zone", "missing", "opening_before", "opening_after"),
    [
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-29 20:00", "2011-12-30 20:00"),
        ("Pacific/Kwajalein", date(1993, 8, 21), "1993-08-20 22:00", "1993-08-21 22:00"),
    ],
)
def test_a_date_that_the_date_line_took_away_has_no_working_time(
    zone: str, missing: date, opening_before: str, opening_after: str
) -> None:
    ten_to_noon, before, after = ((600, 720),), utc(opening_before), utc(opening_after)
    calendar = WorkCalendar(zone, dict.fromkeys(range(7), ten_to_noon))
    assert next_open(calendar, before - MINUTE) == before
    assert add_work(calendar, before, 2 * 3600 + 60) == after + MINUTE
    only_then = WorkCalendar(zone, special={missing: ten_to_noon})
    assert work_between(only_then, before - DAY, after + DAY) == 0


# Laws that need no scan, so the times may be long.

far = st.integers(0, 30_000_000)


@st.composite
def open_scenes(draw: Any) -> Scene:
    """Scenes with one long day a week at least, so that no due time lies a century ahead and is refused."""
    scene = draw(scenes())
    long_day = ((0, 360), draw(st.sampled_from(((361, 721), (720, 1440), (1080, 1440)))))
    week = {**scene.calendar.spans, draw(st.integers(0, 6)): long_day}
    return scene._replace(calendar=replace(scene.calendar, spans=week))


@given(scene=open_scenes(), seconds=st.integers(1, 30_000_000))
def test_the_work_up_to_a_due_time_is_what_was_asked_for_and_not_before(scene: Scene, seconds: int) -> None:
    due = add_work(scene.calendar, scene.start, seconds)
    assert work_between(scene.calendar, scene.start, due) == seconds
    assert work_between(scene.calendar, scene.start, due - timedelta(microseconds=1)) == seconds - 1


@given(scene=open_scenes(), first=far, second=st.integers(1, 10_000_000))
def test_adding_twice_is_adding_once(scene: Scene, first: int, second: int) -> None:
    there = add_work(scene.calendar, scene.start, first)
    assert add_work(scene.calendar, there, second) == add_work(scene.calendar, scene.start, first + second)


@given(scene=scenes(), cuts=st.lists(far, min_size=3, max_size=5))
def test_the_parts_of_an_interval_add_up_to_the_whole(scene: Scene, cuts: list[int]) -> None:
    start = scene.start.replace(microsecond=0)
    marks = [start + cut * SECOND for cut in sorted(cuts)]
    parts = [work_between(scene.calendar, *ends) for ends in pairwise(marks)]
    assert sum(parts) == work_between(scene.calendar, marks[0], marks[-1])


@given(scene=open_scenes(), wanted=pause_lists, seconds=far, cut=st.integers(0, 86400))
def test_a_pause_that_is_cut_repeated_or_out_of_order_counts_once(
    scene: Scene, wanted: list[tuple[int, int | None]], seconds: int, cut: int
) -> None:
    pauses, end = pauses_from(scene.start, wanted), scene.start + seconds * SECOND
    cut_up: list[Pause] = []
    for begin, until in reversed(pauses):
        middle = begin + cut * SECOND if until is None else min(begin + cut * SECOND, until)
        cut_up += [(middle, until), (begin, middle), (begin, until)]
    assert work_used(scene.calendar, scene.start, end, cut_up) == work_used(scene.calendar, scene.start, end, pauses)
    due = due_after(scene.calendar, scene.start, seconds, pauses)
    assert due_after(scene.calendar, scene.start, seconds, cut_up) == due


@given(scene=open_scenes(), wanted=pause_lists, seconds=st.integers(1, 10_000_000))
def test_the_time_used_up_to_a_due_time_with_pauses_is_what_was_asked_for(
    scene: Scene, wanted: list[tuple[int, int | None]], seconds: int
) -> None:
    pauses = pauses_from(scene.start, wanted)
    due = due_after(scene.calendar, scene.start, seconds, pauses)
    if due is not None:
        assert work_used(scene.calendar, scene.start, due, pauses) == seconds


@given(scene=scenes(), first=st.integers(0, 86400), length=st.integers(0, 86400), seconds=far)
def test_a_pause_takes_away_exactly_the_working_time_in_it(scene: Scene, first: int, length: int, seconds: int) -> None:
    start = scene.start.replace(microsecond=0)
    begin, end = start + first * SECOND, start + (first + length + seconds) * SECOND
    until = begin + length * SECOND
    whole, paused = work_between(scene.calendar, start, end), work_between(scene.calendar, begin, until)
    assert work_used(scene.calendar, start, end, [(begin, until)]) == whole - paused
