"""Database settings from one URL: SQLite by default, or PostgreSQL."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

# A thread keeps its connection for so long: opening one reads the schema, and on SQLite starts with an empty cache. After
# that it opens another, so that new statistics, or a database that was restored, are noticed.
MOST_SECONDS = 60
SQLITE_OPTIONS = {
    # IMMEDIATE: writers queue at BEGIN instead of failing at their first write; FULL: committed data is on disk.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
}


def database_from_url(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for `sqlite:///path` or `postgres://user:pass@host:port/name?option=value`.

    Raises ValueError for another scheme, with the two that work.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        path = url.removeprefix("sqlite:///") or ":memory:"
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": path,
            "CONN_MAX_AGE": MOST_SECONDS,
            "OPTIONS": dict(SQLITE_OPTIONS),
        }
    if parts.scheme in ("postgres", "postgresql"):
        options: dict[str, str] = dict(parse_qsl(parts.query))
        host = options.pop("host", None) or unquote(parts.hostname or "")
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": host,
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": MOST_SECONDS,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": options,
        }
    raise ValueError(f"DATABASE_URL starts with {parts.scheme!r}; use sqlite:///path or postgres://user:pass@host/name")
