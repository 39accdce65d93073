"""Exchange rates: the known currencies, and the value of an amount in USD."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from accounts.customers.models import ExchangeRate
from ledger.errors import Invalid

CENT = Decimal("0.01")


def known_currencies() -> set[str]:
    """Currencies an amount may be in: those with an exchange rate, and USD."""
    return {"USD", *ExchangeRate.objects.order_by().values_list("currency", flat=True).distinct()}


def rates(on: date) -> dict[str, Decimal]:
    """The value of one unit of each known currency in USD on that day; one query, for lists and sums."""
    found = ExchangeRate.objects.filter(on__lte=on).order_by("on").values_list("currency", "usd")
    return {**dict(found), "USD": Decimal(1)}


class Rate(NamedTuple):
    """The value of one unit of a currency in USD, and the day of that rate (none for USD itself)."""

    currency: str
    usd: Decimal
    on: date | None


def usd(amount: Decimal, currency: str, on: date) -> Decimal:
    """The amount in USD, to the cent, by the latest rate not after that day. Raises Invalid for an unknown currency."""
    return (amount * rate_of(currency, on).usd).quantize(CENT, ROUND_HALF_UP)


def rate_of(currency: str, on: date) -> Rate:
    """The latest rate stored for a day not after that one. Raises Invalid with the remedy if there is none."""
    day = on.date() if isinstance(on, datetime) else on
    if currency == "USD":
        return Rate(currency, Decimal(1), None)
    row = ExchangeRate.objects.filter(currency=currency, on__lte=day).order_by("-on").first()
    if row is None:
        problem = f"There is no exchange rate for {currency or 'an empty currency'} on {day}."
        raise Invalid(f"{problem} Use another currency, or ask an administrator to add the rate.", field="currency")
    return Rate(currency, row.usd, row.on)
