"""The one warning rule: which colour a promise with a due time has. Pure."""

from datetime import datetime, timedelta

RED, YELLOW, GREEN = "red", "yel", "grn"
WARN_PERCENT = 75


def colour(at: datetime, *, due_at: datetime, warn_at: datetime | None) -> str:
    """Red from the due time on, yellow from the warning on, else green."""
    if at >= due_at:
        return RED
    return YELLOW if warn_at is not None and at >= warn_at else GREEN


def warns_at(start: datetime, due_at: datetime) -> datetime:
    """When a promise that runs around the clock and has no warning of its own warns: with a quarter of the time left."""
    whole: timedelta = due_at - start
    return start + whole * (WARN_PERCENT / 100)
