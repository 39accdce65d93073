"""Cells of real tables: money, dates, currencies, yes and no."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.imports.rules import Evidence, parse_bool, parse_currency, parse_date, parse_money


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1 234,56", "1234.56"),
        ("1\u00a0234,56 €", "1234.56"),
        ("1'234.50", "1234.50"),
        ("12,34,567.00", "1234567.00"),
        ("1.234.567", "1234567"),
        ("$9,996", "9996"),
        ("29.85 ", "29.85"),
        ("EUR 5", "5"),
        ("5USD", "5"),
        ("(12.5)", "-12.5"),
        ("($5.00)", "-5.00"),
        ("$-5", "-5"),
        ("-$5", "-5"),
        ("12-", "-12"),
        ("0.125", "0.125"),
        ("12,5", "12.5"),
        ("0", "0"),
    ],
)
def test_amounts_are_read_in_either_notation(text: str, amount: str):
    assert parse_money(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "  ", "-", "n/a", "?", "NULL", None])
def test_a_blank_amount_is_none(text: str | None):
    assert parse_money(text) is None


@pytest.mark.parametrize(
    "text",
    ["abc", "12k", "1,23,4", "1.2.3", "NaN", "1e5", "--5", "=1+1", "5%", "$", "100-200", "٣٤", "9" * 16, "1" * 999],
)
def test_what_is_no_amount_is_refused_with_a_hint(text: str):
    with pytest.raises(ValueError, match=r"write it as|at most 15 digits") as refusal:
        parse_money(text)
    assert len(str(refusal.value)) < 150


def test_a_point_before_three_digits_is_ambiguous_and_both_readings_are_named():
    with pytest.raises(ValueError, match=r'"12.345" could be 12345 or 12.345: write 12345.00'):
        parse_money("12.345")


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2))
def test_any_amount_survives_both_notations(amount: Decimal):
    english = f"{amount:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert parse_money(english) == parse_money(german) == amount


@given(st.text(max_size=100))
def test_no_cell_can_crash_a_reader(text: str):
    reasons = []
    for read in (parse_money, parse_date, parse_currency, parse_bool):
        try:
            read(text)
        except ValueError as error:
            reasons.append(str(error))
    assert all(reasons)
    found = Evidence()
    found.see_date(text)
    found.see_amount(text)
    assert (found.order(), found.mark()) != (None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-06-11", date(2024, 6, 11)),
        ("2024/6/1", date(2024, 6, 1)),
        ("20240611", date(2024, 6, 11)),
        ("10/20/2016", date(2016, 10, 20)),
        ("20/10/2016", date(2016, 10, 20)),
        ("03.04.2025", date(2025, 4, 3)),
        ("2023-09-10 3:00", date(2023, 9, 10)),
        ("2023-09-10T03:00:00Z", date(2023, 9, 10)),
        ("10/20/2016 3:00 PM", date(2016, 10, 20)),
        ("11 Jun 2024", date(2024, 6, 11)),
        ("11-Jun-24", date(2024, 6, 11)),
        ("June 11th, 2024", date(2024, 6, 11)),
        ("1/2/99", date(1999, 1, 2)),
    ],
)
def test_dates_are_read_in_usual_notations(text: str, expected: date):
    assert parse_date(text) == expected


def test_an_ambiguous_date_follows_the_column():
    assert parse_date("03/04/2025") == date(2025, 3, 4)
    assert parse_date("03/04/2025", day_first=True) == date(2025, 4, 3)
    assert parse_date("04/13/2025", day_first=True) == date(2025, 4, 13)


@pytest.mark.parametrize(
    "text", ["soon", "45292", "31/02/2024", "13/13/2024", "2024-13-01", "1/2/3", "01/01/1066", "1" * 500]
)
def test_what_is_no_date_is_refused_with_a_hint(text: str):
    with pytest.raises(ValueError, match=r"write it as 2025-12-31|between 1900 and 2200"):
        parse_date(text)


def test_a_blank_date_is_none():
    assert parse_date(" ") is None


@pytest.mark.parametrize(
    ("text", "mark", "amount"),
    [
        ("12.345", ",", "12345"),
        ("12.345", ".", "12.345"),
        ("12,345", ",", "12.345"),
        ("12,345", ".", "12345"),
        ("1.234,50", ".", "1234.50"),
    ],
)
def test_the_mark_of_the_file_decides_what_a_cell_does_not_show(text: str, mark: str, amount: str):
    assert parse_money(text, mark) == Decimal(amount)


def test_currencies_are_codes_or_signs():
    assert [parse_currency(text) for text in ("usd", " EUR ", "£", "")] == ["USD", "EUR", "GBP", None]
    with pytest.raises(ValueError, match=r'Unknown currency "XXX": use a three-letter code'):
        parse_currency("XXX")


def test_yes_and_no_come_in_many_words():
    assert [parse_bool(text) for text in ("TRUE", "yes", "1", "1.00 ", "x")] == [True] * 5
    assert [parse_bool(text) for text in ("False", "N", "0", "0.00 ")] == [False] * 4
    assert parse_bool("") is None
    with pytest.raises(ValueError, match="neither yes nor no"):
        parse_bool("maybe")
