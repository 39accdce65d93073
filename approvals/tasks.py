"""Scheduled jobs of approvals."""

from approvals.absence import feeds as calendars


def read_calendars() -> None:
    """Hourly: out-of-office entries become delegations."""
    calendars.fetch_all()
