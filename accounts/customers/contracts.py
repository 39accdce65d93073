"""The ARR and the next renewal of an account from its contracts."""

from collections.abc import Collection, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q
from simple_history.utils import bulk_update_with_history

from accounts.customers.rates import rates
from accounts.models import Account, Subscription, User
from ledger.now import now

BATCH = 200


class Terms(NamedTuple):
    """ARR in the account's currency and the next renewal; None when no contract is active."""

    arr: Decimal | None
    renewal_date: date | None


class Line(NamedTuple):
    """The relevant values of one active contract."""

    start_date: date | None
    end_date: date | None
    arr: Decimal
    currency: str
    account_currency: str


def terms_of(account_ids: Collection[int], today: date) -> dict[int, Terms]:
    """The totals of the active contracts (without an end, or with one in the future) of each account; one query and the
    rates."""
    worth = rates(today)
    contracts: dict[int, list[Line]] = {}
    running = Q(end_date__isnull=True) | Q(end_date__gte=today)
    found = Subscription.objects.filter(running, account__in=account_ids).order_by("pk")
    # Plain values: an import calls this twice for each batch, and model objects take five times as long.
    for row in found.values_list("account_id", "start_date", "end_date", "arr", "currency", "account__currency"):
        contracts.setdefault(row[0], []).append(Line(*row[1:]))
    return {pk: _terms(contracts.get(pk, []), worth, today) for pk in account_ids}


def fill(
    *, account_ids: Collection[int], before: dict[int, Terms], by: User | None = None, today: date | None = None
) -> int:
    """Sets ARR and renewal from the contracts if the account has none or has the values of the contracts `before`.
    Values that a person entered or another file set do not change. Returns how many accounts changed. Call inside the
    transaction that changed the contracts.
    """
    today = today or now().date()
    after = terms_of(account_ids, today)
    changed = []
    for account in Account.objects.filter(pk__in=account_ids, kind=Account.CUSTOMER).order_by("pk"):
        if _take(account, before.get(account.pk, Terms(None, None)), after[account.pk]):
            account.changed_at = now()
            changed.append(account)
    if changed:
        bulk_update_with_history(
            changed, Account, ["arr", "renewal_date", "changed_at"], batch_size=BATCH, default_user=by
        )
    return len(changed)


def roll_renewals(*, today: date | None = None) -> int:
    """Moves renewals that have passed to the next one of their running contracts. Returns how many moved; run daily."""
    today = today or now().date()
    passed = Account.objects.customers().filter(renewal_date__lt=today, subscriptions__end_date=None)
    due = list(passed.exclude(subscriptions=None).order_by("pk").values_list("pk", flat=True).distinct())
    return sum(_roll(due[start : start + BATCH], today) for start in range(0, len(due), BATCH))


@transaction.atomic
def _roll(account_ids: list[int], today: date) -> int:
    terms = terms_of(account_ids, today)
    accounts = [account for account in Account.objects.filter(pk__in=account_ids) if terms[account.pk].renewal_date]
    for account in accounts:
        account.renewal_date, account.changed_at = terms[account.pk].renewal_date, now()
    bulk_update_with_history(accounts, Account, ["renewal_date", "changed_at"], batch_size=BATCH)
    return len(accounts)


def next_anniversary(start: date, today: date) -> date:
    """The next day, from today on, that is a whole number of years after `start` (29 February falls on the 28th)."""
    years = max(1, today.year - start.year)
    day = _years_after(start, years)
    return day if day >= today else _years_after(start, years + 1)


def _years_after(start: date, years: int) -> date:
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return start.replace(year=start.year + years, day=28)


def _terms(contracts: Sequence[Line], worth: dict[str, Decimal], today: date) -> Terms:
    if not contracts:
        return Terms(None, None)
    arr = sum((_in_account_currency(contract, worth) for contract in contracts), Decimal(0))
    latest = max(contracts, key=lambda contract: contract.start_date or date.min)
    if latest.end_date or not latest.start_date:
        return Terms(arr, latest.end_date)
    return Terms(arr, next_anniversary(latest.start_date, today))


def _in_account_currency(contract: Line, worth: dict[str, Decimal]) -> Decimal:
    if contract.currency == contract.account_currency:
        return contract.arr
    factor = worth.get(contract.currency, Decimal(1)) / worth.get(contract.account_currency, Decimal(1))
    return (contract.arr * factor).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _take(account: Account, before: Terms, after: Terms) -> bool:
    changed = False
    for name in Terms._fields:
        mine, old, new = getattr(account, name), getattr(before, name), getattr(after, name)
        if mine != new and (mine is None or mine == old):
            setattr(account, name, new)
            changed = True
    return changed
