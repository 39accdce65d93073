"""The period of figures, read from the address of the page. Half-open, in UTC, so that everybody sees the same figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from ledger import format as write
from ledger.errors import Invalid

CHOICES = (
    ("30", "Last 30 days"),
    ("90", "Last 90 days"),
    ("quarter", "This quarter"),
    ("last-quarter", "Last quarter"),
    ("custom", "From and to"),
)
DEFAULT = "90"
LONGEST_DAYS = 3660


@dataclass(frozen=True)
class Period:
    """From `start` up to, not including, `end`, with the span of equal length to compare with."""

    key: str
    start: datetime
    end: datetime
    previous_start: datetime
    previous_end: datetime

    @property
    def first_day(self) -> date:
        """The first day."""
        return self.start.date()

    @property
    def last_day(self) -> date:
        """The last day, inclusive."""
        return self.end.date() - timedelta(days=1)

    @property
    def text(self) -> str:
        """Such as `Oct 1 to Dec 31, 2025`."""
        return f"{write.day(self.first_day, self.last_day)} to {write.day(self.last_day)}"

    @property
    def compared(self) -> str:
        """The period of comparison, as text."""
        if "quarter" in self.key:
            return "the quarter before"
        return f"the {(self.end - self.start).days} days before"

    @property
    def query(self) -> str:
        """The query string of this period."""
        custom = f"&from={self.first_day}&to={self.last_day}" if self.key == "custom" else ""
        return f"period={self.key}{custom}"


def read(given: Mapping[str, str], at: datetime) -> Period:
    """The period in an address; without one, or without its days, the last 90 days. Raises Invalid with `period`,
    `from` or `to`.
    """
    key = given.get("period") or ("custom" if given.get("from") or given.get("to") else DEFAULT)
    today = at.astimezone(UTC).date()
    if key in ("30", "90"):
        return _days(key, today - timedelta(days=int(key) - 1), today)
    if key == "quarter":
        start = _quarter(today)
        return _make(key, start, today, _quarter(start - timedelta(days=1)))
    if key == "last-quarter":
        end = _quarter(today)
        start = _quarter(end - timedelta(days=1))
        return _make(key, start, end - timedelta(days=1), _quarter(start - timedelta(days=1)))
    if key == "custom":
        return _custom(given) if given.get("from") or given.get("to") else _days(key, today - timedelta(days=89), today)
    raise Invalid(f"There is no period “{key[:40]}”. Choose one from the list.", field="period")


def _custom(given: Mapping[str, str]) -> Period:
    first, last = _date(given, "from"), _date(given, "to")
    if last < first:
        raise Invalid("“To” is before “From”. Enter a later day.", field="to")
    if (last - first).days > LONGEST_DAYS:
        raise Invalid("Enter at most ten years.", field="to")
    return _days("custom", first, last)


def _date(given: Mapping[str, str], field: str) -> date:
    try:
        day = date.fromisoformat(given.get(field, ""))
    except ValueError:
        day = date.min
    if not 1990 <= day.year <= 2200:
        raise Invalid(f"Enter a date such as 2026-01-31 in “{field.capitalize()}”.", field=field)
    return day


def _days(key: str, first: date, last: date) -> Period:
    return _make(key, first, last, first - ((last - first) + timedelta(days=1)))


def _make(key: str, first: date, last: date, before: date) -> Period:
    start, end = _midnight(first), _midnight(last + timedelta(days=1))
    # The current quarter is compared with the same number of days of the quarter before.
    previous_end = min(start, _midnight(before) + (end - start)) if key == "quarter" else start
    return Period(key, start, end, _midnight(before), previous_end)


def _quarter(day: date) -> date:
    return date(day.year, day.month - (day.month - 1) % 3, 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
