"""What is measured in the process itself, without a server: queries of every row, how long a new case holds the write lock,
and what the navigation adds to a page."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from accounts.models import User
from config.context import navigation
from demo.benchmarks import pages
from demo.benchmarks.subjects import DIRECTOR, EXECUTIVE, PEOPLE, Subjects, find

RUNS = 3


@dataclass(frozen=True)
class Navigation:
    """What the counters of the navigation take: milliseconds of this process and of the database, and queries."""

    who: str
    milliseconds: float
    queries: int


@dataclass
class Inside:
    """Queries by row; seconds of the write lock of one create on SQLite, the shortest of three; the navigation."""

    subjects: Subjects
    queries: dict[str, int] = field(default_factory=dict)
    lock_milliseconds: float | None = None
    navigation: list[Navigation] = field(default_factory=list)

    @classmethod
    def read(cls, text: str) -> "Inside":
        """From the text of `look`."""
        told = json.loads(text)
        nav = [Navigation(**each) for each in told["navigation"]]
        return cls(Subjects.read(json.dumps(told["subjects"])), told["queries"], told["lock_milliseconds"], nav)


def look() -> str:
    """All of it, as JSON."""
    of = find()
    found = Inside(of)
    for row in pages.rows(of):
        found.queries[row.name] = _queries(row, of)
    if connection.vendor == "sqlite":
        found.lock_milliseconds = min(_lock(of, number) for number in range(RUNS))
    found.navigation = [_navigation(who) for who in (EXECUTIVE, DIRECTOR)]
    return json.dumps(asdict(found))


def ask(row: pages.Row, of: Subjects, number: int) -> int:
    """Ask for a row; returns the status. A page that fails is shown by its own row."""
    wanted = pages.request(row, of, number)
    client = Client(HTTP_HOST="localhost", raise_request_exception=False)
    kind = wanted.headers.get("Content-Type", "")
    return client.generic(wanted.method, wanted.path, wanted.body, kind, headers=wanted.headers).status_code


def _queries(row: pages.Row, of: Subjects) -> int:
    """Of the second time, when the caches of the process are warm."""
    ask(row, of, -1)
    with CaptureQueriesContext(connection) as captured:
        ask(row, of, -2)
    return len(captured)


def _lock(of: Subjects, number: int) -> float:
    """From the first to the last moment of the transaction of a new case, in milliseconds."""
    [row] = [each for each in pages.rows(of) if each.writes == "api"]
    with _transactions() as held:
        ask(row, of, -3 - number)
    return 1000 * max(held, default=0.0)


@contextmanager
def _transactions() -> Iterator[list[float]]:
    """How long each transaction lasts, in seconds."""
    held: list[float] = []
    begun = [0.0]
    # Django has no public place between the two.
    inside: Any = connection
    begin, commit = inside._start_transaction_under_autocommit, inside._commit

    def note_begin() -> None:
        begin()
        begun[0] = perf_counter()

    def note_commit() -> None:
        commit()
        held.append(perf_counter() - begun[0])

    with patch.multiple(connection, _start_transaction_under_autocommit=note_begin, _commit=note_commit):
        yield held


def _navigation(who: str) -> Navigation:
    request = RequestFactory().get("/escalations/")
    request.resolver_match = resolve("/escalations/")
    best, queries = float("inf"), 0
    for _ in range(RUNS):
        request.user = user = User.objects.get(email=PEOPLE[who])
        # The middleware reads the roles for every request, with or without a navigation.
        _ = user.is_external
        with CaptureQueriesContext(connection) as captured:
            begun = perf_counter()
            shown = navigation(request)["nav"]
            for name in ("queue_count", "approvals_count", "reviews_count", "unread_count"):
                getattr(shown, name)
            best, queries = min(best, perf_counter() - begun), len(captured)
    return Navigation(who, 1000 * best, queries)
