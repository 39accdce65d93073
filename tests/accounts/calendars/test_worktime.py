"""Working time: due dates and used time on calendars with zones, breaks, holidays and clock changes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest

from accounts.calendars.rules.segments import KEPT_YEARS
from accounts.calendars.rules.workcalendar import WorkCalendar
from accounts.calendars.rules.worktime import (
    add_work,
    business_day_seconds,
    due_after,
    next_open,
    opens_ever,
    work_between,
    work_used,
)

HOUR = 3600
NINE_TO_FIVE = ((9 * 60, 17 * 60),)
OFFICE = WorkCalendar("Europe/Berlin", dict.fromkeys(range(5), NINE_TO_FIVE))
ALWAYS = WorkCalendar("UTC", always_open=True)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_start_outside_hours_moves_to_the_next_opening():
    assert add_work(OFFICE, utc("2026-01-03 12:00"), HOUR) == utc("2026-01-05 09:00")


def test_a_clock_that_ends_exactly_at_closing_time_is_due_at_closing_time():
    assert add_work(OFFICE, utc("2026-01-05 08:00"), 8 * HOUR) == utc("2026-01-05 16:00")


def test_one_second_more_than_the_day_is_due_after_the_next_opening():
    assert add_work(OFFICE, utc("2026-01-09 08:00"), 8 * HOUR + 1) == utc("2026-01-12 08:00:01")


def test_zero_seconds_are_due_now_in_hours_and_at_the_next_opening_outside():
    assert add_work(OFFICE, utc("2026-01-05 10:00"), 0) == utc("2026-01-05 10:00")
    assert add_work(OFFICE, utc("2026-01-05 16:00"), 0) == utc("2026-01-06 08:00")


def test_breaks_do_not_count():
    calendar = WorkCalendar("UTC", {0: ((540, 720), (780, 1020))})
    assert add_work(calendar, utc("2026-01-05 11:00"), 2 * HOUR) == utc("2026-01-05 14:00")
    assert work_between(calendar, utc("2026-01-05 00:00"), utc("2026-01-06 00:00")) == 7 * HOUR


def test_holidays_and_yearly_holidays_are_closed():
    calendar = WorkCalendar(
        "UTC", OFFICE.spans, holidays=frozenset({date(2026, 1, 5)}), yearly_holidays=frozenset({(1, 6)})
    )
    assert next_open(calendar, utc("2026-01-05 10:00")) == utc("2026-01-07 09:00")
    assert next_open(calendar, utc("2027-01-05 10:00")) == utc("2027-01-05 10:00")
    assert next_open(calendar, utc("2027-01-06 10:00")) == utc("2027-01-07 09:00")


def test_a_special_day_replaces_the_weekday_and_the_holiday():
    eve = date(2026, 12, 24)
    calendar = WorkCalendar("UTC", OFFICE.spans, holidays=frozenset({eve}), special={eve: ((540, 720),)})
    assert work_between(calendar, utc("2026-12-24 00:00"), utc("2026-12-25 00:00")) == 3 * HOUR


def test_an_empty_special_day_is_closed():
    calendar = WorkCalendar("UTC", OFFICE.spans, special={date(2026, 1, 5): ()})
    assert next_open(calendar, utc("2026-01-05 10:00")) == utc("2026-01-06 09:00")


def test_an_end_before_the_start_is_no_work():
    assert work_between(OFFICE, utc("2026-01-06 10:00"), utc("2026-01-05 10:00")) == 0


def test_work_between_goes_over_the_turn_of_the_year_in_the_calendars_own_zone():
    sydney = WorkCalendar("Australia/Sydney", dict.fromkeys(range(7), ((0, 1440),)))
    assert work_between(sydney, utc("2025-12-31 10:00"), utc("2026-01-01 10:00")) == 24 * HOUR


def test_an_always_open_calendar_counts_every_second_and_ignores_holidays():
    calendar = WorkCalendar("UTC", always_open=True, yearly_holidays=frozenset({(1, 1)}))
    assert add_work(calendar, utc("2025-12-31 23:00"), 2 * HOUR) == utc("2026-01-01 01:00")


def test_a_day_of_25_hours_has_25_hours_and_a_day_of_23_has_23():
    paris = WorkCalendar("Europe/Paris", {6: ((0, 1440),)})
    assert work_between(paris, utc("2020-10-24 22:00"), utc("2020-10-25 23:00")) == 25 * HOUR
    assert work_between(paris, utc("2020-03-28 23:00"), utc("2020-03-29 22:00")) == 23 * HOUR


def test_an_opening_in_the_hour_the_clocks_skip_is_the_moment_they_change():
    calendar = WorkCalendar("Europe/Paris", {6: ((150, 600),)})
    assert next_open(calendar, utc("2020-03-28 23:00")) == utc("2020-03-29 01:00")


def test_an_opening_that_happens_twice_is_the_first_one():
    calendar = WorkCalendar("Europe/Paris", {6: ((150, 600),)})
    assert next_open(calendar, utc("2020-10-24 22:00")) == utc("2020-10-25 00:30")


def test_hours_that_lie_wholly_in_the_skipped_hour_do_not_exist_that_day():
    calendar = WorkCalendar("Europe/Paris", {6: ((125, 170),)})
    assert work_between(calendar, utc("2020-03-29 00:00"), utc("2020-03-30 00:00")) == 0


def test_overlapping_and_touching_spans_count_once():
    calendar = WorkCalendar("UTC", {0: ((540, 720), (600, 780), (780, 840))})
    assert work_between(calendar, utc("2026-01-05 00:00"), utc("2026-01-06 00:00")) == 5 * HOUR


def test_fractions_of_a_second_are_kept_in_a_due_time():
    start = utc("2026-01-05 09:00") + timedelta(microseconds=250_000)
    assert add_work(OFFICE, start, 10) == start + timedelta(seconds=10)


def test_a_calendar_without_working_time_is_refused_with_a_readable_text():
    empty = WorkCalendar("UTC")
    assert not opens_ever(empty)
    for call in (
        lambda: add_work(empty, utc("2026-01-05 09:00"), 60),
        lambda: next_open(empty, utc("2026-01-05 09:00")),
    ):
        with pytest.raises(ValueError, match="no working time"):
            call()


def test_a_calendar_that_was_open_only_in_the_past_is_refused_too():
    past = WorkCalendar("UTC", special={date(2001, 1, 1): NINE_TO_FIVE})
    assert opens_ever(past)
    with pytest.raises(ValueError, match="no working time"):
        add_work(past, utc("2026-01-05 09:00"), 60)


def test_a_mistyped_huge_target_is_refused_quickly():
    with pytest.raises(ValueError, match="100 years"):
        add_work(OFFICE, utc("2026-01-05 09:00"), 10**12)
    with pytest.raises(ValueError, match="9999"):
        add_work(ALWAYS, utc("2026-01-05 09:00"), 10**14)


def test_negative_seconds_and_naive_times_are_refused():
    with pytest.raises(ValueError, match="negative"):
        add_work(OFFICE, utc("2026-01-05 09:00"), -1)
    with pytest.raises(ValueError, match="no time zone"):
        add_work(OFFICE, datetime(2026, 1, 5), 1)


@pytest.mark.parametrize("span", [(540, 540), (1000, 400), (-1, 60), (1380, 1500)])
def test_a_span_that_is_not_within_one_day_is_refused_naming_the_day(span: tuple[int, int]):
    with pytest.raises(ValueError, match="Tuesday"):
        WorkCalendar("UTC", {1: (span,)})


def test_an_unknown_zone_is_refused():
    with pytest.raises(ValueError, match="Mars/Olympus"):
        WorkCalendar("Mars/Olympus")


def test_calendars_with_the_same_content_are_equal_and_hash_alike():
    twin = WorkCalendar("Europe/Berlin", dict.fromkeys(reversed(range(5)), NINE_TO_FIVE))
    assert twin == OFFICE
    assert hash(twin) == hash(OFFICE)
    assert WorkCalendar("UTC", OFFICE.spans) != OFFICE


def test_a_business_day_is_the_median_working_day():
    short_friday = WorkCalendar("UTC", {**OFFICE.spans, 4: ((540, 720),)})
    assert business_day_seconds(short_friday) == 8 * HOUR
    assert business_day_seconds(ALWAYS) == 24 * HOUR
    assert business_day_seconds(WorkCalendar("UTC", special={date(2026, 1, 1): ((540, 600),)})) == HOUR
    with pytest.raises(ValueError, match="no working time"):
        business_day_seconds(WorkCalendar("UTC"))


def test_paused_time_does_not_count():
    pause = (utc("2026-01-05 10:00"), utc("2026-01-05 12:00"))
    assert due_after(OFFICE, utc("2026-01-05 09:00"), 2 * HOUR, [pause]) == utc("2026-01-05 13:00")
    assert work_used(OFFICE, utc("2026-01-05 09:00"), utc("2026-01-05 13:00"), [pause]) == 2 * HOUR


def test_overlapping_pauses_are_left_out_once():
    pauses = [
        (utc("2026-01-05 11:00"), utc("2026-01-05 12:00")),
        (utc("2026-01-05 10:00"), utc("2026-01-05 11:30")),
    ]
    assert work_used(OFFICE, utc("2026-01-05 09:00"), utc("2026-01-05 13:00"), pauses) == 2 * HOUR
    assert due_after(OFFICE, utc("2026-01-05 09:00"), 2 * HOUR, pauses) == utc("2026-01-05 13:00")


def test_a_pause_with_no_end_leaves_no_due_time_unless_the_time_was_used_before():
    pause = (utc("2026-01-05 10:00"), None)
    assert due_after(OFFICE, utc("2026-01-05 09:00"), 2 * HOUR, [pause]) is None
    assert due_after(OFFICE, utc("2026-01-05 09:00"), HOUR, [pause]) == utc("2026-01-05 10:00")
    assert work_used(OFFICE, utc("2026-01-05 09:00"), utc("2026-01-06 10:00"), [pause]) == HOUR


def test_a_night_wholly_inside_a_pause_does_not_count_twice():
    pause = (utc("2026-01-05 15:00"), utc("2026-01-06 09:00"))
    assert work_used(OFFICE, utc("2026-01-05 08:00"), utc("2026-01-06 10:00"), [pause]) == 8 * HOUR


def test_ten_thousand_due_times_take_less_than_two_seconds():
    began = perf_counter()
    for number in range(10_000):
        add_work(OFFICE, utc("2026-01-05 09:00") + timedelta(minutes=number), 40 * HOUR)
    assert perf_counter() - began < 2


def test_a_clock_may_run_over_the_turn_of_the_year_and_over_many_years():
    assert add_work(OFFICE, utc("2025-12-31 15:00"), 2 * HOUR) == utc("2026-01-01 09:00")
    days = 12 * 365 + 3  # 2026 to 2037, with three leap years
    every_day = WorkCalendar("UTC", dict.fromkeys(range(7), NINE_TO_FIVE))
    assert add_work(every_day, utc("2026-01-01 00:00"), days * 8 * HOUR) == utc("2037-12-31 17:00")
    assert work_between(every_day, utc("2026-01-01 00:00"), utc("2038-01-01 00:00")) == days * 8 * HOUR


def test_work_that_ends_at_new_year_is_due_at_new_year():
    calendar = WorkCalendar("UTC", dict.fromkeys(range(7), ((0, 1440),)))
    assert add_work(calendar, utc("2025-12-31 22:00"), 2 * HOUR) == utc("2026-01-01 00:00")
    assert add_work(calendar, utc("2025-12-31 22:00"), 2 * HOUR + 1) == utc("2026-01-01 00:00:01")
    assert next_open(OFFICE, utc("2025-12-31 16:00")) == utc("2026-01-01 08:00")


def test_a_day_open_once_in_eight_years_is_found():
    leap_day = WorkCalendar("UTC", special={date(2104, 2, 29): NINE_TO_FIVE})
    assert next_open(leap_day, utc("2096-03-01 00:00")) == utc("2104-02-29 09:00")
    assert add_work(leap_day, utc("2096-03-01 00:00"), HOUR) == utc("2104-02-29 10:00")


def test_a_year_out_of_reach_is_refused_in_words():
    for year in (1, 9999):
        with pytest.raises(ValueError, match=r"from the year 2 to 9998"):
            add_work(OFFICE, datetime(year, 6, 1, tzinfo=UTC), HOUR)


def test_times_of_any_zone_go_in_and_utc_comes_out():
    berlin = ZoneInfo("Europe/Berlin")
    due = add_work(OFFICE, datetime(2026, 1, 5, 9, tzinfo=berlin), HOUR)
    assert due == utc("2026-01-05 09:00")
    assert due.tzinfo is UTC
    second_two_thirty = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=berlin)
    assert add_work(WorkCalendar("Europe/Berlin", {6: ((0, 1440),)}), second_two_thirty, HOUR) == utc(
        "2026-10-25 02:30"
    )


def test_threads_that_share_a_calendar_agree():
    calendar = WorkCalendar("Europe/Berlin", OFFICE.spans)
    starts = [utc("2026-01-05 09:00") + timedelta(days=90 * number) for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda start: [add_work(calendar, start, 40 * HOUR) for _ in range(20)], starts * 4))
    assert found == [[add_work(OFFICE, start, 40 * HOUR)] * 20 for start in starts * 4]


def test_a_calendar_keeps_a_bounded_number_of_years():
    calendar = WorkCalendar("UTC", special={date(2026, 1, 1): NINE_TO_FIVE})
    for year in range(1500, 1500 + 2 * KEPT_YEARS, 3):
        work_between(calendar, utc(f"{year}-01-01 00:00"), utc(f"{year}-01-02 00:00"))
    assert len(calendar.years) <= KEPT_YEARS
    assert work_between(calendar, utc("2026-01-01 00:00"), utc("2026-01-02 00:00")) == 8 * HOUR
