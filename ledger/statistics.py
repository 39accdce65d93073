"""The statistics by which the database chooses between its indexes."""

from django.db import connection

# SQLite reads so many entries of each index, so that the time does not grow with the database.
ENTRIES_OF_AN_INDEX = 1000


def renew() -> None:
    """Read samples of all tables and keep what was found. On SQLite the write lock is held meanwhile: 0.1 s with 100,000
    cases."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA analysis_limit={ENTRIES_OF_AN_INDEX}")
        cursor.execute("ANALYZE")
