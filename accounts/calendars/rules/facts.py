"""Checks the working-time rules against a list of calendar facts: known starts, ends and due times."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, TypedDict

from accounts.calendars.rules.workcalendar import CalendarFacts, WorkCalendar
from accounts.calendars.rules.worktime import Pause, due_after, work_used


class PauseFact(TypedDict):
    """A clock is paused or resumed."""

    at: str
    type: str


class Fact(TypedDict, total=False):
    """One known fact: a due time, or the working time between two moments."""

    id: str
    op: str
    verified: bool
    calendar: CalendarFacts
    start: str
    end: str
    business_seconds: int
    events: list[PauseFact]
    expected_due: str
    expected_business_seconds: int


class Failure(NamedTuple):
    """One fact whose result differs from the record."""

    id: str
    expected: str
    got: str


def split_verified(facts: Iterable[Fact]) -> tuple[list[Fact], list[Fact]]:
    """The facts to run and the ones marked `"verified": false`, which are left out."""
    facts = list(facts)
    return [f for f in facts if f.get("verified", True)], [f for f in facts if not f.get("verified", True)]


def run_facts(facts: Iterable[Fact]) -> tuple[int, list[Failure]]:
    """Runs every verified fact; returns how many matched to the second, and the failures. A fact that cannot be read
    counts as failed, with the reason as its result.
    """
    verified, _ = split_verified(facts)
    results = [check(fact) for fact in verified]
    failures = [result for result in results if result is not None]
    return len(results) - len(failures), failures


def check(fact: Fact) -> Failure | None:
    """Runs one fact; None when it matches to the second."""
    is_due = fact.get("op") == "due"
    expected = fact.get("expected_due") if is_due else fact.get("expected_business_seconds")
    try:
        got: object = _compute(fact)
        met = expected is not None and got == (_moment(fact["expected_due"]) if is_due else expected)
    except KeyError as error:
        got, met = f"the field {error} is missing", False
    except (ValueError, TypeError, AttributeError) as error:
        got, met = f"error: {error}", False
    if met:
        return None
    return Failure(str(fact.get("id", "without id")), str(expected), _shown(got))


def _compute(fact: Fact) -> datetime | int | None:
    calendar = WorkCalendar.from_facts(fact["calendar"])
    start, pauses = _moment(fact["start"]), _pauses(fact.get("events", ()))
    if fact["op"] == "due":
        return due_after(calendar, start, fact["business_seconds"], pauses)
    if fact["op"] == "elapsed":
        return work_used(calendar, start, _moment(fact["end"]), pauses)
    raise ValueError(f"unknown op {fact['op']!r}, use due or elapsed")


def _pauses(events: Iterable[PauseFact]) -> list[Pause]:
    pauses: list[Pause] = []
    since: datetime | None = None
    for event in sorted(events, key=lambda event: _moment(event["at"])):
        if event["type"] == "pause":
            since = since or _moment(event["at"])
        elif event["type"] == "resume" and since:
            pauses.append((since, _moment(event["at"])))
            since = None
    return [*pauses, (since, None)] if since else pauses


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(value)
