"""Questions about accounts, people, money and calendars that every app above may ask. Nothing here writes."""

from collections.abc import Collection, Iterator
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

import holidays

from accounts.models import Account, AccountDomain, Calendar, CalendarDay, Contact, ExchangeRate, User
from accounts.rules.workcalendar import Span, WorkCalendar
from ledger.errors import Invalid

CENT = Decimal("0.01")
HOLIDAY_YEARS = range(2010, 2051)
ALWAYS_OPEN = WorkCalendar(zone="UTC", always_open=True)


def account_for_address(email: str) -> tuple[Account, Contact | None] | None:
    """Whose mail this is: by contact address, else by the domain or a domain above it. None when nobody knows it."""
    address = (email or "").strip().lower()
    contact = Contact.objects.select_related("account").filter(email__iexact=address).first()
    if contact:
        return contact.account, contact
    domains = list(_domains(address))
    found = AccountDomain.objects.select_related("account").filter(domain__in=domains)
    by_domain = {row.domain: row.account for row in found}
    return next(((by_domain[domain], None) for domain in domains if domain in by_domain), None)


def _domains(address: str) -> Iterator[str]:
    """The domain of the address, then those above it, never a bare top-level domain."""
    labels = address.rpartition("@")[2].split(".")
    for start in range(min(len(labels) - 1, 10)):
        yield ".".join(labels[start:])


def best_holder(
    role_slug: str, *, account: Account | None = None, near: User | None = None, exclude: Collection[int] = ()
) -> User | None:
    """The person to turn to for a role. None when nobody may.

    The account's own CSM or AE; else the nearest manager of the account's CSM, of its AE, then of `near` who holds the
    role; else the active holder with the lowest id.
    """
    own = _own_person(role_slug, account)
    if own and own.is_active and own.kind == User.PERSON and own.pk not in exclude:
        return own
    people = User.objects.holding([role_slug]).filter(kind=User.PERSON)
    holders = {user.pk: user for user in people if user.pk not in exclude}
    if not holders:
        return None
    anchors = [account.csm if account else None, account.ae if account else None, near]
    for manager_id in (pk for anchor in anchors if anchor for pk in _managers(anchor)):
        if manager_id in holders:
            return holders[manager_id]
    return next(iter(holders.values()))


def _own_person(role_slug: str, account: Account | None) -> User | None:
    if account is None:
        return None
    return {"csm": account.csm, "ae": account.ae}.get(role_slug)


def _managers(person: User) -> Iterator[int]:
    seen, manager_id = {person.pk}, person.manager_id
    while manager_id and manager_id not in seen:
        seen.add(manager_id)
        yield manager_id
        manager_id = User.objects.filter(pk=manager_id).values_list("manager_id", flat=True).first()


def known_currencies() -> set[str]:
    """Currencies an amount may be in: those with an exchange rate, and USD."""
    return {"USD", *ExchangeRate.objects.values_list("currency", flat=True).distinct()}


def rates(on: date) -> dict[str, Decimal]:
    """What one unit of each known currency is worth in USD on that day; one query, for lists and sums."""
    found = ExchangeRate.objects.filter(on__lte=on).order_by("on").values_list("currency", "usd")
    return {**dict(found), "USD": Decimal(1)}


class Rate(NamedTuple):
    """What one unit of a currency is worth in USD, and the day that rate was stored for (none for USD itself)."""

    currency: str
    usd: Decimal
    on: date | None


def usd(amount: Decimal, currency: str, on: date) -> Decimal:
    """The amount in USD, to the cent, by the latest rate not after that day. Raises Invalid for an unknown currency."""
    return (amount * rate_of(currency, on).usd).quantize(CENT, ROUND_HALF_UP)


def rate_of(currency: str, on: date) -> Rate:
    """The latest rate stored for a day not after that one. Raises Invalid, with what to do, when there is none."""
    day = on.date() if isinstance(on, datetime) else on
    if currency == "USD":
        return Rate(currency, Decimal(1), None)
    row = ExchangeRate.objects.filter(currency=currency, on__lte=day).order_by("-on").first()
    if row is None:
        problem = f"There is no exchange rate for {currency or 'an empty currency'} on {day}."
        raise Invalid(f"{problem} Use another currency, or have an administrator add the rate.", field="currency")
    return Rate(currency, row.usd, row.on)


def work_calendar(calendar: Calendar | None) -> WorkCalendar:
    """The calendar as the rules count with it; None is always open. Kept until the calendar is saved again."""
    if calendar is None:
        return ALWAYS_OPEN
    return _work_calendar(calendar.pk, calendar.changed_at)


@lru_cache(maxsize=128)
def _work_calendar(pk: int, changed_at: datetime) -> WorkCalendar:
    calendar = Calendar.objects.prefetch_related("spans", "days").get(pk=pk)
    if calendar.always_open:
        return WorkCalendar(zone=calendar.zone, always_open=True)
    week: dict[int, list[Span]] = {}
    for span in calendar.spans.all():
        week.setdefault(span.weekday, []).append((span.opens, span.closes))
    days = list(calendar.days.all())
    return WorkCalendar(
        zone=calendar.zone,
        spans={weekday: tuple(spans) for weekday, spans in week.items()},
        holidays=public_holidays(calendar.country, calendar.subdivision),
        yearly_holidays=frozenset((day.month, day.day) for day in days if not day.year and day.opens is None),
        special=_special_days(days),
    )


def _special_days(days: list[CalendarDay]) -> dict[date, tuple[Span, ...]]:
    """Days with hours of their own and dated closed days. Rows of one date add up; a dated row beats a yearly one."""
    yearly: dict[date, tuple[Span, ...]] = {}
    dated: dict[date, tuple[Span, ...]] = {}
    for row in days:
        spans = () if row.opens is None else ((row.opens, row.closes or 24 * 60),)
        if row.year:
            _add(dated, _real_date(row.year, row.month, row.day), spans)
        elif spans:
            for year in HOLIDAY_YEARS:
                _add(yearly, _real_date(year, row.month, row.day), spans)
    return yearly | dated


def _add(special: dict[date, tuple[Span, ...]], day: date | None, spans: tuple[Span, ...]) -> None:
    if day:
        special[day] = (*special.get(day, ()), *spans)


def _real_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


@lru_cache(maxsize=64)
def public_holidays(country: str, subdivision: str = "") -> frozenset[date]:
    """Public holidays of a country from 2010 to 2050; none without a country. Raises Invalid when it is not known."""
    if not country:
        return frozenset()
    try:
        return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=HOLIDAY_YEARS))
    except (NotImplementedError, KeyError, ValueError) as error:
        raise Invalid(f"No holidays are known for {country} {subdivision}: {error}", field="country") from error
