"""A thread keeps its connection to SQLite for a minute, with the settings that a connection needs."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from config.settings.databases import MOST_SECONDS, database_from_url


@pytest.fixture
def connections(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[ConnectionHandler]:
    """Connections to a database of their own, as the product opens them."""
    found = ConnectionHandler({"default": database_from_url(f"sqlite:///{tmp_path / 'own.sqlite3'}")})
    with django_db_blocker.unblock():
        with found["default"].cursor() as cursor:
            cursor.execute("CREATE TABLE note (id integer PRIMARY KEY, writer integer)")
        yield found
        found.close_all()


def asked(connections: ConnectionHandler, question: str) -> Any:
    """The first value of the answer."""
    with connections["default"].cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


def between_requests(connections: ConnectionHandler) -> sqlite3.Connection:
    """What Django does before and after each request; the connection that is open then."""
    connections["default"].close_if_unusable_or_obsolete()
    connections["default"].ensure_connection()
    return connections["default"].connection


def test_the_next_request_has_the_same_connection_and_its_settings(connections: ConnectionHandler) -> None:
    first = between_requests(connections)
    assert between_requests(connections) is first
    assert asked(connections, "PRAGMA journal_mode") == "wal"
    assert asked(connections, "PRAGMA synchronous") == 2
    assert asked(connections, "PRAGMA foreign_keys") == 1
    assert asked(connections, "PRAGMA busy_timeout") == 20_000


def test_after_a_minute_a_thread_opens_a_new_connection(
    connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = between_requests(connections)
    monkeypatch.setattr(connections["default"], "close_at", connections["default"].close_at - MOST_SECONDS - 1)
    assert between_requests(connections) is not first
    assert asked(connections, "PRAGMA synchronous") == 2


def test_an_error_inside_a_transaction_leaves_nothing_open(connections: ConnectionHandler) -> None:
    wrapper = connections["default"]
    with wrapper.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError):
            cursor.execute("INSERT INTO missing VALUES (1)")
        cursor.execute("ROLLBACK")
    between_requests(connections)
    assert not wrapper.connection.in_transaction
    with sqlite3.connect(wrapper.settings_dict["NAME"], timeout=0) as other:
        other.execute("INSERT INTO note (writer) VALUES (0)")


def test_threads_with_kept_connections_write_side_by_side(connections: ConnectionHandler) -> None:
    used: set[int] = set()

    def write(writer: int) -> None:
        for _ in range(20):
            connection = between_requests(connections)
            used.add(id(connection))
            with connections["default"].cursor() as cursor:
                cursor.execute("BEGIN IMMEDIATE")
                cursor.execute("INSERT INTO note (writer) VALUES (%s)", [writer])
                cursor.execute("COMMIT")
        connections.close_all()

    threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked(connections, "SELECT count(*) FROM note") == 80
    assert len(used) == 4, "each thread has one connection of its own"
