"""The only reader of the clock. Everything else is handed `now` or asks here, so that tests can move time once for all."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection


def now() -> datetime:
    """The present moment, aware, in UTC. Test settings may honour an offset row shared by all processes."""
    moment = datetime.now(UTC)
    return moment + _offset() if settings.CLOCK_MAY_MOVE else moment


def _offset() -> timedelta:
    with connection.cursor() as cursor:
        cursor.execute("SELECT seconds FROM ledger_clockoffset ORDER BY id DESC LIMIT 1")
        row = cursor.fetchone()
    return timedelta(seconds=float(row[0])) if row else timedelta(0)
