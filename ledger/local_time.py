"""The instant of a local time. Pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)


def instant_of(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant in UTC of a local time without zone: the first of two when clocks go back, the change itself when they
    skip it. Raises OverflowError at the ends of the calendar."""
    local = local.replace(tzinfo=zone, fold=0)
    one, other = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if one == other:
        return one
    early, late = min(one, other), max(one, other)
    if early.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return early
    offset = early.astimezone(zone).utcoffset()
    while late - early > SECOND:
        middle = early + (late - early) // (2 * SECOND) * SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            early = middle
        else:
            late = middle
    return late


def is_certain(local: datetime, zone: ZoneInfo) -> bool:
    """Whether the local time exists, and only once."""
    return local.replace(tzinfo=zone, fold=0).utcoffset() == local.replace(tzinfo=zone, fold=1).utcoffset()
