"""Dynamic targets: what each factor does, what they do together, and that every part is named."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalations.clocks.rules import factors
from escalations.clocks.rules.factors import Factor, adjust, between, for_clock, in_words
from ledger.format import hours

HOUR = 3600
FOUR_HOURS = 4 * HOUR
NAMES = [part.name for part in factors.PARTS]


def row(part: str, low: int | None = None, high: int | None = None, percent: int = 80, clock: str = "") -> Factor:
    return Factor(part, None if low is None else Decimal(low), None if high is None else Decimal(high), percent, clock)


RENEWAL = row("renewal_days", None, 30)


@pytest.mark.parametrize(
    ("days", "seconds"),
    [(12, 11_520), (29, 11_520), (0, 11_520), (-4, 11_520), (30, FOUR_HOURS), (200, FOUR_HOURS), (None, FOUR_HOURS)],
)
def test_a_factor_applies_below_its_upper_edge_and_not_at_it(days, seconds):
    assert adjust([RENEWAL], {"renewal_days": days}, FOUR_HOURS).seconds == seconds


def test_the_line_says_the_fact_the_range_the_share_and_what_is_left():
    [line, _] = adjust([RENEWAL], {"renewal_days": 12}, FOUR_HOURS).lines
    assert line == "Renewal in 12 days (under 30 days): 80% of the time, 3h 12m left of 4h"


def test_a_longer_target_says_so():
    [line, _] = adjust([row("queue_load", 20, None, 150)], {"queue_load": 25}, FOUR_HOURS).lines
    assert line == "Open cases of the owner 25 (20 or more): 150% of the time, 6h instead of 4h"


def test_every_part_is_named_whether_it_changed_something_or_not():
    rows = [RENEWAL, row("arr", 250_000), row("history", 3)]
    found = adjust(rows, {"renewal_days": 12, "arr": None, "history": 1}, FOUR_HOURS)
    words = " ".join(found.lines)
    assert all(name in words for name in NAMES)
    assert "Changes nothing: Earlier cases in 12 months 1" in words
    assert "Unknown, so it changes nothing: ARR at risk" in words
    assert "No rule for: Tier, Age since the impasse, Open cases of the owner, Negative signals in 90 days" in words


def test_factors_of_different_parts_multiply():
    found = adjust([RENEWAL, row("tier", 2, None, 50)], {"renewal_days": 1, "tier": 2}, FOUR_HOURS)
    assert found.seconds == FOUR_HOURS * 80 * 50 // 10_000
    assert found.lines[1].endswith("1h 36m left of 2h")


def test_within_a_part_the_first_row_that_fits_applies():
    rows = [row("history", 5, None, 50), row("history", 3, None, 90)]
    assert adjust(rows, {"history": 7}, FOUR_HOURS).seconds == FOUR_HOURS // 2
    assert adjust(rows, {"history": 4}, FOUR_HOURS).seconds == FOUR_HOURS * 9 // 10


@pytest.mark.parametrize(("seconds", "least"), [(FOUR_HOURS, HOUR), (600, 180), (120, 60), (60, 60)])
def test_a_target_never_falls_below_a_quarter_or_a_minute_and_says_so(seconds, least):
    rows = [row(part, 0, None, 10) for part in ("history", "sentiment", "age_hours")]
    found = adjust(rows, {"history": 1, "sentiment": 1, "age_hours": 1}, seconds)
    assert found.seconds == least
    assert f"Never below a quarter of the target or 1 minute: {hours(least)}" in found.lines


def test_a_clock_takes_its_own_rows_and_those_of_every_clock_for_the_other_parts():
    own, general, other = row("arr", 1, clock="decision"), row("arr", 1, None, 50), row("tier", 2)
    assert for_clock([general, other, own, row("arr", 1, clock="response")], "decision") == [own, other]


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (RENEWAL, "Renewal under 30 days: 80% of the time"),
        (row("renewal_days", 30, 60, 90), "Renewal 30 days to under 60 days: 90% of the time"),
        (row("arr", 500_000), "ARR at risk $500,000 or more: 80% of the time"),
        (row("tier", 2), "Tier Red: 80% of the time"),
        (row("tier", 1), "Tier Yellow or Red: 80% of the time"),
        (row("age_hours", 72), "Age since the impasse 72h or more: 80% of the time"),
        (row("sentiment", 2, 5), "Negative signals in 90 days 2 to under 5: 80% of the time"),
        (row("history"), "Earlier cases in 12 months any: 80% of the time"),
    ],
)
def test_a_factor_reads_as_a_sentence(factor, words):
    assert in_words(factor) == words
    assert between(factor) in words


@pytest.mark.parametrize(
    ("seconds", "words"), [(30, "under 1m"), (60, "1m"), (3600, "1h"), (11_520, "3h 12m"), (230_400, "64h")]
)
def test_lengths_read_as_hours_and_minutes(seconds, words):
    assert hours(seconds) == words


percents = st.integers(10, 300)
parts = st.sampled_from([part.slug for part in factors.PARTS])
facts = st.dictionaries(parts, st.one_of(st.none(), st.integers(0, 2)), max_size=7)


def ranges(percent: st.SearchStrategy[int]) -> st.SearchStrategy[list[Factor]]:
    """Rows whose ranges do not overlap: one value each."""
    return st.lists(
        st.builds(lambda part, low, share: row(part, low, low + 1, share), parts, st.integers(0, 2), percent),
        unique_by=lambda each: (each.part, each.low),
        max_size=12,
    )


@given(ranges(st.integers(10, 100)), facts, st.integers(60, 10**7))
def test_factors_up_to_100_percent_never_lengthen_a_target(rows, known, seconds):
    found = adjust(rows, known, seconds)
    assert found.seconds <= seconds
    assert found.seconds >= min(seconds, max(60, seconds / 4))


@given(ranges(percents), facts, st.integers(60, 10**7), st.randoms())
def test_the_order_of_rows_without_overlap_does_not_matter(rows, known, seconds, chance):
    mixed = rows[:]
    chance.shuffle(mixed)
    assert adjust(mixed, known, seconds) == adjust(rows, known, seconds)


@given(ranges(percents), facts, st.integers(60, 10**7))
def test_without_a_fitting_row_the_target_stays_to_the_second(rows, known, seconds):
    unfit = dict.fromkeys(known, 99)
    assert adjust(rows, unfit, seconds).seconds == seconds
    assert all(name in " ".join(adjust(rows, known, seconds).lines) for name in NAMES)
