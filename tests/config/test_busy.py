"""SQLite has one write lock: people who cannot get it are told so, and the engine gets it between two of them."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client, RequestFactory

from config.middleware import server_error
from escalations.models import Escalation
from ledger import locks
from messaging.models import Message
from tests.support.cast import Cast

pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL locks rows, not the database")

CASE = {
    "issue_type": "technical-outage",
    "issue": "The export fails.",
    "impact": "The renewal is lost.",
    "deadline": "2049-12-01T12:00Z",
}
# Holds the lock for 30 ms of every 40, and counts its turns in a file.
HOLDER = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)
turns = 0
print("holds", flush=True)
while True:
    database.execute("BEGIN IMMEDIATE")
    turns += 1
    open(sys.argv[2], "w").write(str(turns))
    time.sleep(0.03)
    database.execute("COMMIT")
    time.sleep(0.01)
"""


@contextmanager
def write_lock() -> Iterator[None]:
    """Somebody else holds the write lock for longer than people wait."""
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 20")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@pytest.fixture
def asked_client(transactional_db: None, cast: Cast, client: Client) -> Client:
    """The browser of the CSM, who is signed in."""
    client.force_login(cast.csm, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def is_busy(answer: HttpResponse) -> bool:
    """Whether the answer says honestly that the desk is busy."""
    return (
        answer.status_code == 503 and int(answer["Retry-After"]) > 0 and "Nothing was saved" in answer.content.decode()
    )


def test_a_form_that_cannot_be_saved_is_answered_with_a_page_that_says_so(asked_client: Client, cast: Cast) -> None:
    form = {**CASE, "account": cast.northwind.pk, "deadline": "2049-12-01T12:00"}
    with write_lock():
        answer = asked_client.post("/escalations/new/", form)
    assert is_busy(answer)
    assert "The desk is busy" in answer.content.decode()
    assert not Escalation.objects.exists()
    assert not Message.objects.exists()
    assert asked_client.post("/escalations/new/", form).status_code == 302
    assert Escalation.objects.count() == 1


def test_the_api_answers_with_the_code_busy_and_when_to_try_again(asked_client: Client, cast: Cast) -> None:
    body = {**CASE, "account": cast.northwind.pk}
    with write_lock():
        answer = asked_client.post("/api/v1/escalations/", body, content_type="application/json")
    assert is_busy(answer)
    assert answer.json()["code"] == "busy"
    assert not Escalation.objects.exists()
    assert asked_client.post("/api/v1/escalations/", body, content_type="application/json").status_code == 201


def test_a_busy_database_outside_a_view_is_no_fault_of_the_desk(rf: RequestFactory) -> None:
    request = rf.post("/auth/login/")
    request.user = AnonymousUser()
    try:
        raise OperationalError("database is locked")
    except OperationalError:
        assert is_busy(server_error(request))
    try:
        raise OperationalError("no such table: clocks")
    except OperationalError:
        assert server_error(request).status_code == 500


def test_a_statement_is_asked_again_while_the_database_is_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(locks.time, "sleep", slept.append)
    answers = iter([OperationalError("database is locked")] * 3)

    def execute(*_: object) -> str:
        for error in answers:
            raise error
        return "begun"

    assert locks.until_free(execute, "BEGIN IMMEDIATE", None, False, {}) == "begun"
    assert slept == [locks.ASK_EVERY_SECONDS] * 3


def test_other_errors_and_a_lock_that_is_never_free_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OperationalError("no such table: clocks")

    with pytest.raises(OperationalError, match="no such table"):
        locks.until_free(fails, "SELECT 1", None, False, {})

    def locked(*_: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(locks, "LONGEST_WAIT_SECONDS", 0.0)
    with pytest.raises(OperationalError, match="locked"):
        locks.until_free(locked, "BEGIN IMMEDIATE", None, False, {})


def test_the_engine_gets_the_lock_between_the_turns_of_another_process(
    transactional_db: None, cast: Cast, tmp_path: Path
) -> None:
    turns = tmp_path / "turns"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(connection.settings_dict["NAME"]), str(turns)], stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        while not turns.exists():
            time.sleep(0.01)
        locks.ask_often(connection=connection)
        waited = []
        for _ in range(10):
            before = int(turns.read_text() or 0)
            with connection.cursor() as cursor:
                cursor.execute("BEGIN IMMEDIATE")
                waited.append(int(turns.read_text() or 0) - before)
                cursor.execute("ROLLBACK")
    finally:
        connection.execute_wrappers.remove(locks.until_free)
        connection.close()
        holder.kill()
        holder.wait()
    # With SQLite's own wait, up to 100 ms between two tries, it is often more than ten.
    assert sorted(waited)[5] <= 2, waited
