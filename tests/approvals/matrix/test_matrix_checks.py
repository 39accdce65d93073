"""What stops a matrix from being published: holes, overlaps, unknown units."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from approvals.matrix.rules.chain_checks import Band, check_bands
from approvals.matrix.rules.limit_checks import Known, Row, check_matrix, check_rows

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
    problems = check_matrix([row(**values)], Known(currencies={"USD"}))
    assert len(problems) == 1
    assert words in problems[0]
    assert problems[0].startswith("Discount")


def test_bands_need_a_known_tier_an_amount_and_a_measured_concession() -> None:
    bands = [
        Band("Discount", "percent", "purple", D(5)),
        Band("Credit", "money", "green", D(0)),
        Band("Indemnity", "yes", "green", D(1)),
    ]
    problems = check_bands(bands, Known(tiers=("green",)))
    assert [problem.split(":")[0] for problem in problems] == [
        "Band Discount, purple",
        "Band Credit, green",
        "Band Indemnity, green",
    ]


def day(text: str) -> date:
    """A day of 2026."""
    return date.fromisoformat(f"2026-{text}")


@pytest.mark.parametrize(
    ("one", "two", "meet"),
    [
        ({"ends": day("04-01")}, {"starts": day("04-01")}, False),
        ({"ends": day("04-02")}, {"starts": day("04-01")}, True),
        ({}, {"starts": day("04-01"), "ends": day("04-02")}, True),
        ({"region": "EMEA"}, {"region": "APAC"}, False),
        ({"region": "EMEA"}, {"region": " emea "}, True),
        ({"asked_in": "EUR"}, {"asked_in": "GBP"}, False),
        ({"arr_to": D(100), "ends": day("04-02")}, {"arr_from": D(50), "starts": day("04-01")}, True),
        ({"arr_to": D(100), "ends": day("04-01")}, {"arr_from": D(50), "starts": day("04-01")}, False),
    ],
)
def test_rows_meet_only_on_the_same_days_for_the_same_accounts(one: Any, two: Any, meet: bool) -> None:
    money = {"concession": "Refund", "unit": "money"}
    found = check_matrix([row(**money, role="CRO"), row(**money, **one), row(**money, **two)])
    overlaps = [problem for problem in found if "overlap" in problem or "two limits" in problem]
    assert bool(overlaps) is meet, found


def test_a_hole_between_bands_is_named_with_its_days() -> None:
    rows = [
        row(role="CRO"),
        row(arr_to=D(100)),
        row(arr_from=D(100), ends=day("04-01")),
        row(arr_from=D(200), starts=day("04-01")),
    ]
    assert check_matrix(rows) == ["Discount, Director: no limit for ARR from $100 to $200 from 2026-04-01."]


def test_days_on_which_nobody_may_approve_are_named() -> None:
    rows = [row(ends=day("04-01")), row(role="CRO", starts=day("05-01"))]
    assert check_matrix(rows) == [
        "Discount: nobody may approve it from 2026-04-01 to 2026-04-30. Add a limit for those days."
    ]
    assert check_matrix(rows, Known(today=day("05-01"))) == []
    assert check_matrix([row(ends=day("04-01"))], Known(today=day("03-01"))) == [
        "Discount: nobody may approve it from 2026-04-01. Add a limit for those days."
    ]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"segment": "smb "}, ""),
        ({"segment": "huge"}, "no account has the segment “huge”. Use smb."),
        ({"region": "EMAE"}, "no account has the region “EMAE”. Use APAC and EMEA."),
        ({"asked_in": "EUR"}, "only money has a currency"),
        ({"unit": "money", "asked_in": "XXA"}, "no exchange rate for “XXA”"),
        ({"arr_from": D(5), "arr_to": D(5)}, "the ARR band ends where it begins"),
        ({"starts": day("04-01"), "ends": day("04-01")}, "it ends before it begins"),
    ],
)
def test_conditions_that_nothing_stands_behind_are_named(values: dict[str, Any], words: str) -> None:
    known = Known(currencies={"USD", "EUR"}, segments={"smb"}, regions={"EMEA", "APAC"})
    rows = [row(role="CRO"), row(**values)]
    found = [problem for problem in check_rows(rows, known) if "no limit for ARR" not in problem]
    assert len(found) == (1 if words else 0)
    assert not words or words in found[0]
