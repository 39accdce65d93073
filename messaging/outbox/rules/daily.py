"""The next time of a local full hour."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

HOURS = range(24)


def next_daily(at: datetime, zone: str, hour: int) -> tuple[date, datetime]:
    """The first `hour` o'clock in `zone` after `at`: its local date and the moment (UTC).

    If a clock change skips the hour, the moment after the gap; if the hour comes twice, the first one.
    """
    place = place_of(zone)
    day = at.astimezone(place).date()
    while (moment := _moment(day, hour, place)) <= at:
        day += timedelta(days=1)
    return day, moment


def place_of(zone: str) -> ZoneInfo:
    """A zone by its name; UTC for an unknown name, so that a typing error does not hold back mail."""
    try:
        return ZoneInfo(zone or "UTC")
    except (ValueError, OSError, LookupError):
        return ZoneInfo("UTC")


def _moment(day: date, hour: int, place: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=place).astimezone(UTC)
