"""What a clock must be, worked out from its history alone. Pure: entries in, the clock out.

The row of a clock is a cache. Whoever doubts it plays the history again: same start, same pauses, same targets, and the
due time follows from the calendar.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.calendars.rules.workcalendar import WorkCalendar
from escalations.clocks.rules import timing

Hours = Callable[[int | None], WorkCalendar | None]
RUNNING, PAUSED = "running", "paused"


@dataclass(frozen=True)
class Entry:
    """One change: what (start, pause, resume, retarget, warn, breach, repeat, decay, stop), when written, and its data."""

    what: str
    at: datetime
    data: dict[str, Any]

    @property
    def moment(self) -> datetime:
        """When it took effect; for a breach that is the due time."""
        told = self.data.get("moment") or (self.data.get("due_at") if self.what == "breach" else None)
        return datetime.fromisoformat(told) if told else self.at


@dataclass
class Rebuilt:
    """A clock as its history tells it."""

    state: str = ""
    started_at: datetime | None = None
    resumed_at: datetime | None = None
    paused_at: datetime | None = None
    stopped_at: datetime | None = None
    breached_at: datetime | None = None
    due_at: datetime | None = None
    target_seconds: int = 0
    used_seconds: int = 0
    calendar_id: int | None = None
    warned_percent: int | None = 0
    repeats: int = 0
    stretches: list[tuple[datetime, datetime]] = field(default_factory=list)


def replay(entries: Iterable[Entry], hours: Hours, calendar_id: int | None = None) -> Rebuilt:
    """Play a clock's entries in order. `hours` gives the calendar of an id; None runs around the clock.

    `calendar_id` is for histories written before entries named their calendar; such warnings leave the percent unknown.
    """
    clock = Rebuilt(calendar_id=calendar_id)
    for entry in entries:
        _PLAY.get(entry.what, _nothing)(clock, entry, hours)
        if entry.what in ("start", "pause", "resume", "retarget"):
            clock.due_at = _due(clock, hours) if clock.state == RUNNING else None
    return clock


def _due(clock: Rebuilt, hours: Hours) -> datetime | None:
    if clock.resumed_at is None:
        return None
    found = timing.at_percents(
        hours(clock.calendar_id),
        resumed_at=clock.resumed_at,
        used=clock.used_seconds,
        target=clock.target_seconds,
        percents=[100],
    )
    return found[0][1]


def _start(clock: Rebuilt, entry: Entry, hours: Hours) -> None:
    clock.state, clock.started_at, clock.resumed_at = RUNNING, entry.moment, entry.moment
    _target(clock, entry)


def _target(clock: Rebuilt, entry: Entry) -> None:
    clock.target_seconds, clock.calendar_id = (
        entry.data["target_seconds"],
        entry.data.get("calendar", clock.calendar_id),
    )


def _pause(clock: Rebuilt, entry: Entry, hours: Hours) -> None:
    begun = clock.resumed_at or entry.moment
    clock.stretches.append((begun, max(begun, entry.moment)))
    clock.state, clock.paused_at = PAUSED, entry.moment
    _count(clock, hours)


def _count(clock: Rebuilt, hours: Hours) -> None:
    calendar = hours(clock.calendar_id)
    clock.used_seconds = sum(timing.used_between(calendar, begin, end) for begin, end in clock.stretches)


def _resume(clock: Rebuilt, entry: Entry, hours: Hours) -> None:
    clock.state, clock.resumed_at, clock.paused_at = RUNNING, entry.moment, None


def _retarget(clock: Rebuilt, entry: Entry, hours: Hours) -> None:
    _target(clock, entry)
    _count(clock, hours)


def _warn(clock: Rebuilt, entry: Entry, hours: Hours) -> None:
    clock.warned_percent = entry.data.get("warned_percent")


def _breach(clock: Rebuilt, entry: Entry, hours: Hours) -> None:
    clock.breached_at, clock.repeats = entry.moment, entry.data.get("repeats", clock.repeats)


def _repeat(clock: Rebuilt, entry: Entry, hours: Hours) -> None:
    clock.repeats = entry.data.get("repeats", clock.repeats)


def _stop(clock: Rebuilt, entry: Entry, hours: Hours) -> None:
    clock.state, clock.stopped_at = entry.data["state"], entry.moment


def _nothing(clock: Rebuilt, entry: Entry, hours: Hours) -> None:
    """A change that leaves the moments as they are."""


_PLAY: dict[str, Callable[[Rebuilt, Entry, Hours], None]] = {
    "start": _start,
    "pause": _pause,
    "resume": _resume,
    "retarget": _retarget,
    "warn": _warn,
    "breach": _breach,
    "repeat": _repeat,
    "stop": _stop,
}
