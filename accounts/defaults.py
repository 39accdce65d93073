"""The first data of every installation: roles, calendars and exchange rates. An administrator may change all of it."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from accounts.models import Calendar, CalendarSpan, ExchangeRate, Role

OWN, FUNCTION, TREE, ALL = Role.OWN, Role.FUNCTION, Role.TREE, Role.ALL


class RoleRow(NamedTuple):
    """One shipped role. `level` is a level of the shipped policy, `rank` its rank there."""

    slug: str
    name: str
    level: str = ""
    rank: int = 0
    sees: str = FUNCTION
    function: str = ""
    quorum: bool = False
    account_person: str = ""
    operations: bool = False
    start_page: str = Role.QUEUE
    fallback_owner: bool = False
    fallback_decider: bool = False


ROLES = (
    RoleRow("csm", "CSM", sees=OWN, function="success", account_person=Role.CSM, fallback_owner=True),
    RoleRow("ae", "Account executive", sees=OWN, function="sales", account_person=Role.AE, fallback_owner=True),
    RoleRow("deal-desk", "Deal desk", function="deal desk"),
    RoleRow("support", "Support", function="support"),
    RoleRow("engineering", "Engineering", function="engineering"),
    RoleRow("billing", "Billing", function="billing"),
    RoleRow("finance-lead", "Finance lead", "team", 1, function="finance"),
    RoleRow("finance-director", "Finance director", "director", 2, TREE, "finance", start_page=Role.INBOX),
    RoleRow("procurement-director", "Procurement director", "director", 2, TREE, "procurement", start_page=Role.INBOX),
    RoleRow("legal", "Legal", function="legal"),
    RoleRow("legal-sponsor", "Legal executive sponsor", "executive", 3, ALL, "legal", start_page=Role.INBOX),
    RoleRow("product", "Product", function="product"),
    RoleRow("vendor-lead", "Vendor-management lead", "team", 1, function="vendor management"),
    RoleRow("team-lead", "Team lead", "team", 1, TREE, fallback_owner=True),
    RoleRow("functional-lead", "Functional lead", "team", 1, TREE),
    RoleRow(
        *("director", "Director", "director", 2, TREE),
        start_page=Role.INBOX,
        fallback_owner=True,
        fallback_decider=True,
    ),
    RoleRow(
        "executive-sponsor", "Executive sponsor", "executive", 3, ALL, start_page=Role.INBOX, fallback_decider=True
    ),
    RoleRow("cro", "CRO", "executive", 3, ALL, start_page=Role.INBOX, fallback_decider=True),
    RoleRow("steering-committee", "Steering committee", "executive", 3, ALL, quorum=True, start_page=Role.INBOX),
    RoleRow("executive-committee", "Executive committee", "executive", 3, ALL, quorum=True, start_page=Role.INBOX),
    RoleRow(*("pmo", "PMO / operations"), sees=ALL, operations=True, start_page=Role.DASHBOARD, fallback_owner=True),
    RoleRow(
        *("administrator", "Administrator"),
        sees=ALL,
        operations=True,
        start_page=Role.DASHBOARD,
        fallback_owner=True,
        fallback_decider=True,
    ),
    RoleRow("external", "External party", sees=Role.SHARED),
)

RATES_FROM = date(2015, 1, 1)
# Rounded yearly means, so that amounts can be compared with limits in USD. A company replaces them in the admin.
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
    """Creates the shipped roles, calendars and rates that are missing. Existing rows do not change, so it can run any
    time."""
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
