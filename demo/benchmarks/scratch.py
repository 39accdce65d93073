"""A temporary database for a measurement, on the same machine and of the same kind as the one in use."""

import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from django.conf import settings
from psycopg import sql

ROOT = Path(settings.BASE_DIR)


@contextmanager
def database() -> Iterator[dict[str, str]]:
    """The environment of processes that use an empty, migrated database, which is deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="desk-bench-", ignore_cleanup_errors=True) as folder:
        if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
            url, drop = f"sqlite:///{folder}/bench.sqlite3", None
        else:
            url, drop = _postgres()
        environment = {**os.environ, "DATABASE_URL": url, "VAR_DIR": folder, "MEDIA_ROOT": f"{folder}/media"}
        try:
            manage(environment, "migrate", "--verbosity", "0")
            yield environment
        finally:
            if drop:
                drop.drop()


class _Postgres:
    def __init__(self) -> None:
        options = settings.DATABASES["default"]
        self.name = f"desk_bench_{uuid.uuid4().hex[:12]}"
        self.server = {
            "host": options.get("HOST") or None,
            "port": options.get("PORT") or None,
            "user": options.get("USER") or None,
            "password": options.get("PASSWORD") or None,
            "dbname": options["NAME"],
        }

    def run(self, statement: str) -> None:
        given = {name: value for name, value in self.server.items() if value}
        with psycopg.connect(autocommit=True, **given) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(self.name)))

    def drop(self) -> None:
        with suppress(psycopg.Error):
            self.run("DROP DATABASE {} WITH (FORCE)")


def _postgres() -> tuple[str, _Postgres]:
    made = _Postgres()
    made.run("CREATE DATABASE {}")
    before = os.environ.get("DATABASE_URL", "")
    head, _, tail = before.rpartition("/")
    _, mark, query = tail.partition("?")
    return f"{head}/{made.name}{mark}{query}", made


def manage(environment: dict[str, str], *arguments: str, seconds: float = 900) -> str:
    """Run a command of ours there; returns its output. Raises CalledProcessError with its output."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=True,
    )
    return done.stdout
