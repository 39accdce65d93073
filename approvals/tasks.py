"""What the worker does for approvals by the clock."""

from approvals.services import calendars


def read_calendars() -> None:
    """Hourly: out-of-office entries become delegations."""
    calendars.fetch_all()
