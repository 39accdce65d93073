"""Which target applies, how long it is, and when the clock is due."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.calendars.rules.worktime import WorkCalendar
from escalations.clocks.rules import targets, timing
from escalations.clocks.rules.targets import TargetRow

NINE_TO_FIVE = WorkCalendar(zone="America/New_York", spans=dict.fromkeys(range(5), ((540, 1020),)))
MONDAY = datetime(2026, 1, 19, 14, 0, tzinfo=UTC)  # 9:00 in New York


def row(**changes: object) -> TargetRow:
    """A decision target for every case."""
    values = {"clock": "decision", "tier": "", "level": None, "issue_type": "", "amount": 60, "unit": "business"}
    return TargetRow(**{**values, "warn_percent": 75, "on_breach": "escalate", **changes})  # type: ignore[arg-type]


def pick(rows: list[TargetRow], tier: str = "red", level: int = 2, issue_type: str = "vip") -> TargetRow | None:
    """The target of a decision clock."""
    return targets.pick(rows, clock="decision", tier=tier, level=level, issue_type=issue_type)


def test_the_most_specific_target_applies() -> None:
    general, by_tier, by_level, by_type = row(), row(tier="red"), row(level=2), row(issue_type="vip")
    assert pick([general, by_tier]) == by_tier
    assert pick([by_level, by_tier, general]) == by_level
    assert pick([by_level, by_type, general]) == by_type
    assert pick([by_tier, by_level], tier="green", level=3) is None


def test_without_a_target_no_promise_is_made() -> None:
    assert pick([row(clock="acceptance")]) is None


@pytest.mark.parametrize(
    ("changes", "seconds", "words"),
    [
        ({"amount": 240}, 14_400, "4 business hours"),
        ({"amount": 60, "unit": "clock"}, 3_600, "1 hour"),
        ({"amount": 30}, 1_800, "30 business minutes"),
        ({"amount": 5, "unit": "business_days"}, 5 * 28_800, "5 business days"),
        ({"amount": 1, "unit": "business_days"}, 28_800, "1 business day"),
    ],
)
def test_targets_have_a_length_and_words(changes: dict[str, object], seconds: int, words: str) -> None:
    assert targets.seconds(row(**changes), 28_800) == seconds
    assert targets.in_words(row(**changes)) == words


def test_further_warnings_are_read_in_order_and_what_is_none_is_left_out() -> None:
    assert targets.further_warnings(row(also_warn_at="90, 50")) == [50, 90]
    assert targets.further_warnings(row(also_warn_at="75, 0, 100, soon")) == []
    assert targets.warnings_in_words(row(also_warn_at="50, 90")) == "50%, 75% and 90%"
    assert targets.warnings_in_words(row()) == "75%"


@pytest.mark.parametrize(
    ("changes", "now", "words"),
    [
        ({"amount": 240}, 14_400, "4 business hours"),
        ({"amount": 240}, 11_520, "4 business hours, shortened to 3h 12m"),
        ({"amount": 240, "unit": "clock"}, 21_600, "4 hours, lengthened to 6h"),
        ({"amount": 10, "unit": "business_days"}, 230_400, "10 business days, shortened to 64h of business time"),
    ],
)
def test_the_promise_keeps_its_words_and_says_what_became_of_it(
    changes: dict[str, object], now: int, words: str
) -> None:
    target = row(**changes)
    assert targets.shortened(target, targets.seconds(target, 28_800), now) == words


def test_the_rhythm_of_a_tier_is_a_promise_around_the_clock_that_reminds() -> None:
    found = targets.rhythm("internal_update", "red", 240)
    assert (targets.in_words(found), found.on_breach, found.from_rhythm) == ("4 hours", "remind", True)


@pytest.mark.parametrize(
    ("day", "ends"),
    [
        (date(2026, 1, 19), datetime(2026, 1, 19, 22, 0, tzinfo=UTC)),  # Monday, closes at 5 PM in New York
        (date(2026, 1, 24), datetime(2026, 1, 25, 5, 0, tzinfo=UTC)),  # Saturday, closed: to the end of the day
        (date(2026, 7, 6), datetime(2026, 7, 6, 21, 0, tzinfo=UTC)),  # in summer time
    ],
)
def test_a_promise_by_a_day_is_due_at_its_last_closing(day: date, ends: datetime) -> None:
    assert targets.end_of_business(NINE_TO_FIVE, day) == ends


def test_a_half_day_ends_the_promise_when_it_closes() -> None:
    half = WorkCalendar(zone="UTC", spans=NINE_TO_FIVE.spans, special={date(2026, 12, 24): ((540, 720),)})
    assert targets.end_of_business(half, date(2026, 12, 24)) == datetime(2026, 12, 24, 12, 0, tzinfo=UTC)


def test_starting_now_counts_on_the_calendar_or_around_the_clock() -> None:
    assert targets.due(row(amount=10 * 60), NINE_TO_FIVE, MONDAY) == MONDAY + timedelta(days=1, hours=2)
    assert targets.due(row(amount=1, unit="business_days"), NINE_TO_FIVE, MONDAY) == MONDAY + timedelta(hours=8)
    assert targets.due(row(unit="clock"), None, MONDAY) == MONDAY + timedelta(hours=1)


def test_a_clock_counts_only_open_hours() -> None:
    plan = timing.plan(NINE_TO_FIVE, resumed_at=MONDAY, used=0, target=10 * 3600, warn_percent=75)
    assert plan.warn_at == MONDAY + timedelta(hours=7.5)
    assert plan.due_at == MONDAY + timedelta(days=1, hours=2)


def test_time_used_before_a_pause_does_not_count_again() -> None:
    plan = timing.plan(NINE_TO_FIVE, resumed_at=MONDAY, used=9 * 3600, target=10 * 3600, warn_percent=75)
    assert plan.warn_at == MONDAY
    assert plan.due_at == MONDAY + timedelta(hours=1)


def test_without_a_calendar_time_elapses() -> None:
    saturday = datetime(2026, 1, 24, 3, 0, tzinfo=UTC)
    plan = timing.plan(None, resumed_at=saturday, used=0, target=7_200, warn_percent=50)
    assert (plan.warn_at, plan.due_at) == (saturday + timedelta(hours=1), saturday + timedelta(hours=2))


def test_closed_hours_are_not_used() -> None:
    friday_evening, monday_ten = datetime(2026, 1, 23, 23, 0, tzinfo=UTC), datetime(2026, 1, 26, 15, 0, tzinfo=UTC)
    assert timing.used_between(NINE_TO_FIVE, friday_evening, monday_ten) == 3_600
    assert timing.used_between(None, MONDAY, MONDAY - timedelta(hours=1)) == 0
