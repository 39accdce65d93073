"""A database that is busy: how such errors are told from others, and how a process waits for SQLite's one write lock.

SQLite has no queue for that lock: whoever asks while it is free gets it, and its own wait asks less and less often, down to
ten times a second. `ask_often` is for a process that must not be late.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

ASK_EVERY_SECONDS = 0.004
# The wait of all other processes; see config.settings.databases.
LONGEST_WAIT_SECONDS = 20.0
DEADLOCK, SERIALIZATION = "40P01", "40001"

Result = TypeVar("Result")


def is_locked(error: BaseException) -> bool:
    """Whether SQLite's write lock was not free in time. The statement, and with it the transaction, changed nothing."""
    return isinstance(error, OperationalError) and "database is locked" in str(error)


def is_collision(error: BaseException) -> bool:
    """A deadlock or a serialization failure of PostgreSQL: worth another try at once."""
    state = getattr(error.__cause__, "sqlstate", None)
    return isinstance(error, OperationalError) and state in (DEADLOCK, SERIALIZATION)


def ask_often(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    """Let a new connection to SQLite ask for the write lock every few milliseconds, up to the usual limit. A receiver of
    Django's `connection_created`."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 0")
    if until_free not in connection.execute_wrappers:
        connection.execute_wrappers.append(until_free)


def until_free(execute: Callable[..., Result], *statement: object) -> Result:
    """Execute a statement, again and again while the database is locked. Raises OperationalError after the longest wait."""
    ends = time.monotonic() + LONGEST_WAIT_SECONDS
    while True:
        try:
            return execute(*statement)
        except OperationalError as error:
            if not is_locked(error) or time.monotonic() >= ends:
                raise
        time.sleep(ASK_EVERY_SECONDS)
