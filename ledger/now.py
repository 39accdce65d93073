"""The only module that reads the clock. All other code gets `now` as an argument or calls this module, so that tests
can move time in one place."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection

_moved: ContextVar[datetime | None] = ContextVar("moved", default=None)


def now() -> datetime:
    """The present moment, aware, in UTC. Test settings may honour an offset row shared by all processes."""
    moved = _moved.get()
    if moved is not None:
        return moved
    moment = datetime.now(UTC)
    return moment + _offset() if settings.CLOCK_MAY_MOVE else moment


@contextmanager
def moved_to(moment: datetime) -> Iterator[None]:
    """Make `now()` return this moment inside the block, in this thread only. For demo data and tests."""
    token = _moved.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _moved.reset(token)


def _offset() -> timedelta:
    with connection.cursor() as cursor:
        cursor.execute("SELECT seconds FROM ledger_clockoffset ORDER BY id DESC LIMIT 1")
        row = cursor.fetchone()
    return timedelta(seconds=float(row[0])) if row else timedelta(0)
