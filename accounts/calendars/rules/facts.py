"""Checks the working-time rules against a list of calendar facts: known starts, ends and due times."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from accounts.calendars.rules.workcalendar import WorkCalendar
from accounts.calendars.rules.worktime import Pause, due_after, work_used


class Failure(NamedTuple):
    """One fact that did not come out as recorded."""

    id: str
    expected: str
    got: str


def split_verified(facts: Iterable[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """The facts to run and the ones marked `"verified": false`, which are left out."""
    facts = list(facts)
    return [f for f in facts if f.get("verified", True)], [f for f in facts if not f.get("verified", True)]


def run_facts(facts: Iterable[Mapping[str, Any]]) -> tuple[int, list[Failure]]:
    """Runs every verified fact; answers how many came out to the second, and the ones that did not.

    A fact that cannot be read counts as failed, with the reason as what was got.
    """
    verified, _ = split_verified(facts)
    results = [check(fact) for fact in verified]
    failures = [result for result in results if result is not None]
    return len(results) - len(failures), failures


def check(fact: Mapping[str, Any]) -> Failure | None:
    """Runs one fact; None when it came out to the second."""
    expected = fact.get("expected_due" if fact.get("op") == "due" else "expected_business_seconds")
    try:
        got: object = _compute(fact)
        met = expected is not None and got == (_moment(expected) if fact["op"] == "due" else expected)
    except KeyError as error:
        got, met = f"the field {error} is missing", False
    except (ValueError, TypeError, AttributeError) as error:
        got, met = f"error: {error}", False
    if met:
        return None
    return Failure(str(fact.get("id", "without id")), str(expected), _shown(got))


def _compute(fact: Mapping[str, Any]) -> datetime | int | None:
    calendar = WorkCalendar.from_facts(fact["calendar"])
    start, pauses = _moment(fact["start"]), _pauses(fact.get("events", ()))
    if fact["op"] == "due":
        return due_after(calendar, start, fact["business_seconds"], pauses)
    if fact["op"] == "elapsed":
        return work_used(calendar, start, _moment(fact["end"]), pauses)
    raise ValueError(f"unknown op {fact['op']!r}, use due or elapsed")


def _pauses(events: Iterable[Mapping[str, str]]) -> list[Pause]:
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
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)
