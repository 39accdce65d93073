"""What every installation starts with: roles, calendars and exchange rates. An administrator may change all of it."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from accounts.models import Calendar, CalendarSpan, ExchangeRate, Role

OWN, FUNCTION, TREE, ALL = Role.OWN, Role.FUNCTION, Role.TREE, Role.ALL


class RoleRow(NamedTuple):
    """One shipped role."""

    slug: str
    name: str
    level: int
    sees: str
    function: str = ""
    quorum: bool = False


ROLES = (
    RoleRow("csm", "CSM", 0, OWN, "success"),
    RoleRow("ae", "Account executive", 0, OWN, "sales"),
    RoleRow("deal-desk", "Deal desk", 0, FUNCTION, "deal desk"),
    RoleRow("support", "Support", 0, FUNCTION, "support"),
    RoleRow("engineering", "Engineering", 0, FUNCTION, "engineering"),
    RoleRow("billing", "Billing", 0, FUNCTION, "billing"),
    RoleRow("finance-lead", "Finance lead", 1, FUNCTION, "finance"),
    RoleRow("finance-director", "Finance director", 2, TREE, "finance"),
    RoleRow("procurement-director", "Procurement director", 2, TREE, "procurement"),
    RoleRow("legal", "Legal", 0, FUNCTION, "legal"),
    RoleRow("legal-sponsor", "Legal executive sponsor", 3, ALL, "legal"),
    RoleRow("product", "Product", 0, FUNCTION, "product"),
    RoleRow("vendor-lead", "Vendor-management lead", 1, FUNCTION, "vendor management"),
    RoleRow("team-lead", "Team lead", 1, TREE),
    RoleRow("functional-lead", "Functional lead", 1, TREE),
    RoleRow("director", "Director", 2, TREE),
    RoleRow("executive-sponsor", "Executive sponsor", 3, ALL),
    RoleRow("cro", "CRO", 3, ALL),
    RoleRow("steering-committee", "Steering committee", 3, ALL, quorum=True),
    RoleRow("executive-committee", "Executive committee", 3, ALL, quorum=True),
    RoleRow("pmo", "PMO / operations", 0, ALL),
    RoleRow("administrator", "Administrator", 0, ALL),
    RoleRow("external", "External party", 0, OWN),
)

RATES_FROM = date(2015, 1, 1)
# Round yearly means: a start for comparing amounts with limits in USD, replaced in the admin by the company's own.
USD_RATES = {
    "USD": "1",
    "EUR": "1.08",
    "GBP": "1.27",
    "CAD": "0.73",
    "AUD": "0.66",
    "NZD": "0.60",
    "JPY": "0.0067",
    "CHF": "1.13",
    "INR": "0.012",
    "SGD": "0.74",
    "HKD": "0.128",
    "SEK": "0.095",
    "NOK": "0.093",
    "DKK": "0.145",
    "PLN": "0.25",
    "CZK": "0.043",
    "BRL": "0.19",
    "MXN": "0.055",
    "ZAR": "0.055",
}


@transaction.atomic
def ensure_defaults() -> None:
    """Creates the shipped roles, calendars and rates that are missing. What exists stays: run it any time."""
    for place, row in enumerate(ROLES, start=1):
        Role.objects.get_or_create(slug=row.slug, defaults={**row._asdict(), "sort": place * 10})
    _business_hours()
    Calendar.objects.get_or_create(
        slug="round-the-clock", defaults={"name": "Around the clock", "zone": "UTC", "always_open": True}
    )
    for currency, rate in USD_RATES.items():
        if not ExchangeRate.objects.filter(currency=currency).exists():
            ExchangeRate.objects.create(currency=currency, on=RATES_FROM, usd=Decimal(rate))


def _business_hours() -> None:
    calendar, new = Calendar.objects.get_or_create(
        slug="business",
        defaults={"name": "Business hours, New York", "zone": "America/New_York", "country": "US"},
    )
    if new:
        CalendarSpan.objects.bulk_create(
            CalendarSpan(calendar=calendar, weekday=weekday, opens=9 * 60, closes=17 * 60) for weekday in range(5)
        )
