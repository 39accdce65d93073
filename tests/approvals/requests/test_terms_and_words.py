"""The fingerprint of terms, the words of amounts and moments, and which verdicts need a reason."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.matrix.rules.units import amount_words
from approvals.requests.rules import verdicts
from approvals.requests.rules.terms import storable, terms_hash
from ledger.format import moment, money_short

D = Decimal
SIMPLE = st.dictionaries(st.text(max_size=8), st.text(max_size=12) | st.integers() | st.booleans() | st.none())


def test_the_same_terms_give_the_same_hash_however_they_were_typed() -> None:
    one = {"amount": D("24.00"), "note": "mutual  indemnity", "by": datetime(2026, 1, 23, 17, tzinfo=UTC)}
    two = {"by": "2026-01-23T17:00:00+00:00", "note": "mutual indemnity ", "amount": 24}
    assert terms_hash(one) == terms_hash(two)


@pytest.mark.parametrize("worse", [{"amount": D("24.01")}, {"amount": None}, {"amount": 24, "extra": "x"}, {}])
def test_other_terms_give_another_hash(worse: dict[str, Any]) -> None:
    assert terms_hash({"amount": D(24)}) != terms_hash(worse)


@given(SIMPLE)
def test_what_is_stored_has_the_hash_of_what_was_given(terms: dict[str, Any]) -> None:
    assert terms_hash(storable(terms)) == terms_hash(terms)


@pytest.mark.parametrize(
    ("unit", "amount", "text"),
    [
        ("percent", "12.50", "12.5%"),
        ("money", "10000.00", "$10,000"),
        ("money", "0.5", "$0.50"),
        ("days", "60", "net 60"),
        ("months", "1", "1 month of fees"),
        ("months", "24.00", "24 months of fees"),
        ("months", None, "any amount"),
        ("yes", None, "yes, with the text"),
    ],
)
def test_amounts_are_written_in_their_unit(unit: str, amount: str | None, text: str) -> None:
    assert amount_words(unit, None if amount is None else D(amount)) == text


def test_an_unknown_unit_has_no_words() -> None:
    with pytest.raises(KeyError):
        amount_words("seats", D(3))


def test_other_currencies_have_their_sign() -> None:
    assert amount_words("money", D(1200), "EUR") == "€1,200"
    assert money_short(D(500_000)) == "$500k"
    assert money_short(D(3_140_000), "GBP") == "£3.1M"


def test_moments_are_in_the_readers_zone_with_the_day_when_it_is_another() -> None:
    now = datetime(2026, 1, 21, 15, tzinfo=UTC)
    assert moment(datetime(2026, 1, 21, 20, tzinfo=UTC), "America/New_York", now) == "3:00 PM ET"
    later = datetime(2026, 1, 23, 22, tzinfo=UTC)
    assert moment(later, "America/New_York", now) == "Fri Jan 23, 5:00 PM ET"
    assert moment(later, "Europe/Berlin", now) == "Fri Jan 23, 11:00 PM CET"


GRANT = [{"name": "Grant", "recommended": True}, {"name": "Nothing", "status_quo": True}]
REFUSE = [{"name": "Grant"}, {"name": "Nothing", "status_quo": True, "recommended": True}]
BOUND = [{"name": "Grant", "recommended": True, "conditions": ["3-year term", " "]}]


@pytest.mark.parametrize(
    ("options", "verdict", "against"),
    [
        (GRANT, "approved", False),
        (GRANT, "conditions", False),
        (GRANT, "declined", True),
        (REFUSE, "declined", False),
        (REFUSE, "approved", True),
        (REFUSE, "conditions", True),
        (BOUND, "conditions", False),
        (BOUND, "approved", True),
        ([], "approved", False),
    ],
)
def test_going_against_the_recommendation_is_seen(options: list[Any], verdict: str, against: bool) -> None:
    assert verdicts.goes_against(verdict, options) is against


@pytest.mark.parametrize(
    ("options", "verdict", "conditions", "exactly"),
    [
        (GRANT, "approved", "", True),
        (GRANT, "conditions", "Paid yearly", False),
        (REFUSE, "declined", "", True),
        (BOUND, "conditions", " 3-YEAR term \n", True),
        (BOUND, "conditions", "3-year term\nPaid yearly", False),
        (BOUND, "approved", "", False),
    ],
)
def test_as_recommended_means_the_same_verdict_and_conditions(
    options: list[Any], verdict: str, conditions: str, exactly: bool
) -> None:
    assert verdicts.as_recommended(verdict, options, conditions) is exactly


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"verdict": "approved"}, ""),
        ({"verdict": "approved", "override": True}, "reason"),
        ({"verdict": "approved", "against": True}, "reason"),
        ({"verdict": "approved", "against": True, "reason": "  "}, "reason"),
        ({"verdict": "approved", "against": True, "reason": "Because."}, ""),
        ({"verdict": "declined"}, "reason"),
        ({"verdict": "conditions", "reason": "x"}, "conditions"),
        ({"verdict": "conditions", "conditions": "3 years"}, "reason"),
        ({"verdict": "conditions", "conditions": "3 years", "reason": "x"}, ""),
        ({"verdict": "conditions", "conditions": "3 years", "recommended": True}, ""),
        ({"verdict": "conditions", "conditions": "3 years", "recommended": True, "override": True}, "reason"),
        ({"verdict": "conditions", "conditions": "3 years", "recommended": True, "suggested": True}, "reason"),
    ],
)
def test_what_must_still_be_written_is_named(values: dict[str, Any], field: str) -> None:
    wanted = {"reason": "", "conditions": "", "override": False, "against": False}
    assert verdicts.what_is_missing(**{**wanted, **values})[0] == field
