"""Working calendars in the form that the rules use. Nothing here writes."""

from datetime import date, datetime
from functools import lru_cache

import holidays

from accounts.calendars.models import Calendar, CalendarDay
from accounts.calendars.rules.workcalendar import Span, WorkCalendar
from ledger.errors import Invalid

HOLIDAY_YEARS = range(2010, 2051)
ALWAYS_OPEN = WorkCalendar(zone="UTC", always_open=True)


def work_calendar(calendar: Calendar | None) -> WorkCalendar:
    """The calendar in the form that the rules use; None is always open. Cached until the calendar is saved again."""
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
    """Days with their own hours and closed days with a date. Rows of one date add up; a row with a year replaces a
    yearly one."""
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
