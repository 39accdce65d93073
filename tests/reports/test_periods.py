"""Periods are read from the address: half-open, in UTC, with a fair span to compare with."""

from datetime import UTC, date, datetime

import pytest

from ledger.errors import Invalid
from reports.rules import periods

NOW = datetime(2026, 2, 10, 23, 30, tzinfo=UTC)


def test_without_a_choice_it_is_the_last_90_days_today_included() -> None:
    period = periods.read({}, NOW)
    assert (period.first_day, period.last_day) == (date(2025, 11, 13), date(2026, 2, 10))
    assert period.end - period.start == period.previous_end - period.previous_start
    assert period.previous_end == period.start


def test_last_quarter_is_compared_with_the_whole_quarter_before() -> None:
    period = periods.read({"period": "last-quarter"}, NOW)
    assert period.text == "Oct 1 to Dec 31, 2025"
    assert (period.previous_start, period.previous_end) == (
        datetime(2025, 7, 1, tzinfo=UTC),
        datetime(2025, 10, 1, tzinfo=UTC),
    )


def test_a_running_quarter_is_compared_with_as_many_days_of_the_one_before() -> None:
    period = periods.read({"period": "quarter"}, NOW)
    assert (period.first_day, period.last_day) == (date(2026, 1, 1), date(2026, 2, 10))
    assert (period.previous_start, period.previous_end) == (
        datetime(2025, 10, 1, tzinfo=UTC),
        datetime(2025, 11, 11, tzinfo=UTC),
    )


def test_a_span_of_days_given_includes_its_last_day_and_says_itself_again() -> None:
    period = periods.read({"from": "2026-01-01", "to": "2026-01-31"}, NOW)
    assert period.end == datetime(2026, 2, 1, tzinfo=UTC)
    assert period.query == "period=custom&from=2026-01-01&to=2026-01-31"


def test_days_not_filled_in_yet_start_from_the_last_90() -> None:
    period = periods.read({"period": "custom"}, NOW)
    assert (period.key, period.first_day, period.last_day) == ("custom", date(2025, 11, 13), date(2026, 2, 10))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"period": "century"}, "period"),
        ({"from": "31.01.2026", "to": "2026-02-01"}, "from"),
        ({"from": "2026-01-31"}, "to"),
        ({"from": "2026-01-31", "to": "2026-01-30"}, "to"),
        ({"from": "1990-01-01", "to": "2026-01-30"}, "to"),
        ({"from": "0001-01-01", "to": "0001-01-02"}, "from"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused_by_name(given: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        periods.read(given, NOW)
    assert refusal.value.field == field
