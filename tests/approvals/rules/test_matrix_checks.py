"""What stops a matrix from being published: holes, overlaps, unknown units."""

from decimal import Decimal
from typing import Any

import pytest

from approvals.rules.matrix_checks import Band, Row, check_matrix

D = Decimal


def row(**values: Any) -> Row:
    """The director's discount limit."""
    return Row(**{"concession": "Discount", "unit": "percent", "role": "Director", "up_to": D(20), **values})


def test_a_sound_matrix_has_no_problem() -> None:
    rows = [Row("Discount", "percent"), row(), row(role="Team lead", up_to=D(10)), row(segment="smb", up_to=D(15))]
    assert check_matrix(rows) == []


def test_a_concession_without_any_limit_is_a_hole() -> None:
    assert check_matrix([Row("Indemnity", "yes")]) == [
        "Indemnity: nobody may approve it. Add a limit, or delete the concession."
    ]


@pytest.mark.parametrize(
    ("bands", "words"),
    [
        ([(None, 100), (90, None)], "overlap at $90"),
        ([(None, None), (None, None)], "two limits for the same accounts"),
        ([(None, 100), (101, None)], "no limit for ARR from $100 to $101"),
        ([(50, None)], "no limit for ARR below $50"),
        ([(None, 100)], "no limit for ARR of $100 and more"),
        ([(0, None), (100, None)], "overlap at $100"),
    ],
)
def test_holes_and_overlaps_of_arr_bands_are_named(bands: list[Any], words: str) -> None:
    rows = [
        row(arr_from=None if low is None else D(low), arr_to=None if high is None else D(high)) for low, high in bands
    ]
    assert any(words in problem for problem in check_matrix(rows))


def test_bands_that_touch_are_whole() -> None:
    assert check_matrix([row(arr_to=D(100)), row(arr_from=D(100), arr_to=D(200)), row(arr_from=D(200))]) == []


def test_a_row_for_all_fills_the_holes_between_bands() -> None:
    assert check_matrix([row(), row(arr_from=D(100), arr_to=D(200), up_to=D(5))]) == []
    assert check_matrix([row(), row(segment="smb", arr_from=D(100), up_to=D(5))]) == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"unit": "furlongs"}, "unit “furlongs” is not known"),
        ({"up_to": D(0)}, "must be above 0"),
        ({"up_to": D("100.01")}, "cannot be above 100%"),
        ({"unit": "yes", "up_to": D(1)}, "takes no amount"),
        ({"unit": "money", "currency": "XXA"}, "no exchange rate for “XXA”"),
    ],
)
def test_values_that_make_no_sense_are_named_with_their_row(values: dict[str, Any], words: str) -> None:
    problems = check_matrix([row(**values)], currencies={"USD"})
    assert len(problems) == 1
    assert words in problems[0]
    assert problems[0].startswith("Discount")


def test_bands_need_a_known_tier_an_amount_and_a_measured_concession() -> None:
    bands = [
        Band("Discount", "percent", "purple", D(5)),
        Band("Credit", "money", "green", D(0)),
        Band("Indemnity", "yes", "green", D(1)),
    ]
    problems = check_matrix([row()], bands=bands, tiers=("green",))
    assert [problem.split(":")[0] for problem in problems] == [
        "Band Discount, purple",
        "Band Credit, green",
        "Band Indemnity, green",
    ]
