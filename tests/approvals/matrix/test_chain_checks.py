"""Bands, caps, committees, functions and what mail may decide: every row that could not work is named."""

from decimal import Decimal
from typing import Any

import pytest

from approvals.matrix.rules.chain_checks import (
    Band,
    CapRow,
    Mailed,
    Seats,
    check_bands,
    check_caps,
    check_mailed,
    check_seats,
    check_window,
)
from approvals.matrix.rules.limit_checks import Known

D = Decimal
TIERS = Known(tiers=("green", "yellow", "red"), currencies={"USD", "EUR"}, regions={"EMEA"}, segments={"smb"})


def band(tier: str, up_to: int, **values: Any) -> Band:
    """A discount range."""
    return Band(**{"concession": "Discount", "unit": "percent", "tier": tier, "up_to": D(up_to), **values})


def test_ranges_that_shrink_with_the_tier_are_sound() -> None:
    assert check_bands([band("red", 1), band("green", 5), band("yellow", 5)], TIERS) == []


@pytest.mark.parametrize(
    ("bands", "words"),
    [
        ([band("yellow", 5)], "green cases are less serious and have no range"),
        ([band("green", 5), band("yellow", 6)], "is larger than the range for green cases"),
        ([band("green", 5), band("red", 6)], "is larger than the range for green cases"),
        ([band("green", 5), band("green", 6)], "two ranges. Keep one"),
        ([band("green", 101)], "cannot be above 100%"),
        ([band("green", 5, unit="money", currency="XXA")], "no exchange rate for “XXA”"),
        ([band("green", 5, unit="yes")], "cannot be pre-approved"),
    ],
)
def test_holes_overlaps_and_nonsense_of_bands_are_named(bands: list[Band], words: str) -> None:
    assert any(words in problem for problem in check_bands(bands, TIERS))


def test_bands_in_several_currencies_compare_in_usd() -> None:
    money: dict[str, Any] = {"unit": "money", "concession": "Credit"}
    rows = [band("green", 500, in_usd=D(500), **money), band("yellow", 490, currency="EUR", in_usd=D(529), **money)]
    assert "is larger than the range" in check_bands(rows, TIERS)[0]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"up_to": D(0)}, "must be above 0"),
        ({"unit": "yes", "up_to": D("1.5")}, "whole number"),
        ({"unit": "money", "currency": "XXA"}, "no exchange rate"),
        ({"has_limit": False}, "the cap does nothing"),
    ],
)
def test_caps_that_cannot_work_are_named(values: dict[str, Any], words: str) -> None:
    sound: dict[str, Any] = {"concession": "Discount", "unit": "percent", "role": "Director", "up_to": D(100)}
    assert check_caps([CapRow(**sound)], TIERS) == []
    assert [words in problem for problem in check_caps([CapRow(**{**sound, **values})], TIERS)] == [True]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"holders": 0}, "nobody holds the role Legal"),
        ({"quorum": "number", "quorum_of": 3}, "3 of them must agree, but 2 hold the role"),
        ({"quorum": "number"}, "enter how many"),
        ({"quorum": "percent", "quorum_of": 101}, "1 to 100 percent"),
        ({"quorum": "any", "quorum_of": 1}, "“any” takes no number"),
        ({"unit": "yes", "above": D(1)}, "no amount to be above"),
        ({"above": D(-1)}, "cannot be below 0"),
        ({"consult": True, "place": "after"}, "cannot be consulted after"),
        ({"region": "MOON"}, "no account has the region “MOON”"),
        ({"segment": "huge"}, "no account has the segment “huge”"),
    ],
)
def test_functions_that_could_never_be_heard_are_named(values: dict[str, Any], words: str) -> None:
    sound: dict[str, Any] = {"role": "Legal", "holders": 2, "concession": "Indemnity", "place": "before"}
    assert check_seats([Seats(**sound)], TIERS, committees=False) == []
    found = check_seats([Seats(**{**sound, **values})], TIERS, committees=False)
    assert [words in problem for problem in found] == [True]


def test_consulting_a_function_that_nobody_holds_yet_blocks_nothing() -> None:
    assert check_seats([Seats(role="Legal", holders=0, consult=True)], TIERS, committees=False) == []


def test_one_function_twice_for_the_same_asks_is_named_and_committees_too() -> None:
    twice = [Seats(role="Legal", holders=1)] * 2
    assert "named twice" in check_seats(twice, TIERS, committees=False)[0]
    assert check_seats(twice, TIERS, committees=True) == ["Committee Legal: named twice for the same asks. Keep one."]


def test_mail_decides_amounts_only() -> None:
    assert check_mailed([Mailed("Discount", "percent", D(20), None), Mailed("Indemnity", "yes")]) == []
    wrong = [
        Mailed("Indemnity", "yes", D(1), D(1)),
        Mailed("Discount", "percent", D(101)),
        Mailed("Refund", "money", None, D(0)),
    ]
    found = check_mailed(wrong)
    assert [problem.split(":")[0] for problem in found] == ["Indemnity", "Indemnity", "Discount", "Refund"]
    assert "“Link up to” must be above 0" in found[-1]


@pytest.mark.parametrize(("days", "sound"), [(0, False), (1, True), (730, True), (731, False)])
def test_the_window_is_a_day_to_two_years(days: int, sound: bool) -> None:
    assert (check_window(days) == []) is sound
