"""Targets, states and words of the figures, without a database."""

import pytest

from reports.rules import kpis

HOUR = 3600.0
DIRECTOR = kpis.LevelFigure("director", "Director", 48).definition


def hours(*values: float) -> list[float]:
    return [value * HOUR for value in values]


def test_the_median_of_an_even_number_is_the_middle_of_the_two() -> None:
    assert kpis.median([1, 9, 3, 5]) == 4
    assert kpis.median([]) is None


def test_a_median_under_the_target_is_met_and_says_how_many_were_within_a_day() -> None:
    figure = kpis.hours_figure(kpis.FIXED[kpis.ESCALATE], hours(2, 4, 6, 30, 50), [])
    assert (figure.value, figure.state, figure.word, figure.note) == (6, "met", "On target", "60% under 24h")


def test_a_median_at_the_target_is_not_under_it() -> None:
    figure = kpis.hours_figure(kpis.FIXED[kpis.ESCALATE], hours(24, 24, 24, 24, 24), [])
    assert (figure.state, figure.word) == ("missed", "At the limit")


@pytest.mark.parametrize(("value", "colour"), [(51, "yellow"), (60, "red"), (40, "green")])
def test_a_near_miss_is_yellow_and_a_wide_one_red(value: float, colour: str) -> None:
    assert kpis.hours_figure(DIRECTOR, hours(*[value] * 5), []).colour == colour


def test_four_cases_are_too_few_to_show_but_machines_get_the_value() -> None:
    figure = kpis.hours_figure(DIRECTOR, hours(1, 2, 3, 4), hours(9, 9, 9, 9, 9))
    assert (figure.shown, figure.word, figure.change) == (None, "Too few to show (4)", "")
    assert figure.as_dict()["value"] == 2.5


def test_the_change_is_said_only_when_there_were_enough_cases_before() -> None:
    now = hours(10, 10, 10, 10, 10)
    assert kpis.hours_figure(DIRECTOR, now, hours(12.5, 12.5, 12.5, 12.5, 12.5)).change == "2.5h faster"
    assert kpis.hours_figure(DIRECTOR, now, hours(12.5)).change == ""


def test_resolved_without_executive_is_a_share_of_all_resolved() -> None:
    figure = kpis.without_executive((20, 8, 5), (10, 5, 1))
    assert (figure.value, figure.previous, figure.state, figure.note) == (60, 50, "missed", "25% at team level")
    assert kpis.without_executive((20, 7, 5), (0, 0, 0)).state == "met"


def test_three_cases_of_one_cause_in_a_month_are_two_repeats() -> None:
    assert kpis.repeats_in([3, 1, 2]) == 3


@pytest.mark.parametrize(
    ("present", "before", "value", "state"),
    [
        ([4, 2], [5, 1], 0.0, "missed"),  # 4 repeats, 4 before
        ([4, 1], [5, 1], -25.0, "met"),  # 3 repeats, 4 before: exactly the target
        ([3, 2], [1, 1], 100.0, "missed"),  # none before: any repeat is one too many
        ([1, 1, 1, 1, 1], [1], -100.0, "met"),  # nothing recurs
    ],
)
def test_recurrence_is_the_change_of_the_repeats(
    present: list[int], before: list[int], value: float, state: str
) -> None:
    figure = kpis.recurrence(present, before)
    assert (figure.value, figure.state) == (value, state)
