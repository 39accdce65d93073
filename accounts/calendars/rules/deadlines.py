"""The only warning rule: the colour of a due time. Pure."""

from datetime import datetime, timedelta

RED, YELLOW, GREEN, PAUSED = "red", "yel", "grn", "pau"
WARN_PERCENT = 75


def colour(at: datetime, *, due_at: datetime, warn_at: datetime | None) -> str:
    """Red from the due time on, yellow from the warning on, else green."""
    if at >= due_at:
        return RED
    return YELLOW if warn_at is not None and at >= warn_at else GREEN


def warns_at(start: datetime, due_at: datetime) -> datetime:
    """The warning time of a target around the clock that has no warning of its own: when a quarter of the time is left."""
    whole: timedelta = due_at - start
    return start + whole * (WARN_PERCENT / 100)
