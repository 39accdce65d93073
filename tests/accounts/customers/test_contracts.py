"""What contracts say about an account."""

from datetime import date
from decimal import Decimal

import pytest

from accounts.customers.contracts import next_anniversary, roll_renewals, terms_of
from accounts.models import Account, Subscription

TODAY = date(2026, 6, 15)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (date(2024, 6, 15), date(2026, 6, 15)),
        (date(2024, 6, 14), date(2027, 6, 14)),
        (date(2024, 12, 31), date(2026, 12, 31)),
        (date(2024, 2, 29), date(2027, 2, 28)),
        (date(2026, 6, 10), date(2027, 6, 10)),
        (date(2026, 9, 1), date(2027, 9, 1)),
    ],
)
def test_the_next_anniversary_is_never_in_the_past_and_never_the_start(start: date, due: date) -> None:
    assert next_anniversary(start, TODAY) == due


@pytest.fixture
def alder(shipped: None) -> Account:
    """An account in USD."""
    return Account.objects.create(external_id="1", name="Alder")


def contract(account: Account, name: str, **values: object) -> None:
    """One contract line."""
    Subscription.objects.create(account=account, external_id=name, **values)


def test_running_contracts_add_up_and_the_latest_one_gives_the_renewal(alder: Account) -> None:
    contract(alder, "a", arr=100, start_date=date(2020, 1, 5))
    contract(alder, "b", arr=50, start_date=date(2024, 3, 1))
    contract(alder, "c", arr=999, start_date=date(2025, 1, 1), end_date=date(2026, 6, 14))
    assert terms_of([alder.pk], TODAY)[alder.pk] == (Decimal(150), date(2027, 3, 1))


def test_a_contract_with_an_end_to_come_renews_at_its_end(alder: Account) -> None:
    contract(alder, "a", arr=100, start_date=date(2025, 1, 5), end_date=date(2026, 6, 15))
    assert terms_of([alder.pk], TODAY)[alder.pk] == (Decimal(100), date(2026, 6, 15))


def test_other_currencies_are_converted_before_they_are_added(alder: Account) -> None:
    contract(alder, "a", arr=100, currency="EUR")
    contract(alder, "b", arr=100)
    assert terms_of([alder.pk], TODAY)[alder.pk].arr == Decimal("208.00")


def test_an_account_without_running_contracts_has_neither(alder: Account) -> None:
    assert terms_of([alder.pk], TODAY)[alder.pk] == (None, None)


def test_renewals_that_passed_move_on_with_their_running_contract(alder: Account) -> None:
    contract(alder, "a", arr=100, start_date=date(2024, 6, 1))
    Account.objects.filter(pk=alder.pk).update(renewal_date=date(2026, 6, 1))
    fixed = Account.objects.create(external_id="2", name="Fixed", renewal_date=date(2026, 6, 1))
    assert roll_renewals(today=TODAY) == 1
    alder.refresh_from_db()
    fixed.refresh_from_db()
    assert (alder.renewal_date, fixed.renewal_date) == (date(2027, 6, 1), date(2026, 6, 1))
    assert alder.history.first().renewal_date == date(2027, 6, 1)
