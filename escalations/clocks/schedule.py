"""The moments of a clock: written to its row when it starts, goes on or gets another target; read when it fires."""

import hashlib
import json
from datetime import datetime

from accounts.calendars.queries import work_calendar
from accounts.calendars.rules.workcalendar import WorkCalendar
from escalations import states
from escalations.clocks.rules import steps, timing
from escalations.models import Clock


def hours_of(clock: Clock) -> WorkCalendar | None:
    """The calendar the clock counts on; None runs around the clock."""
    return work_calendar(clock.calendar) if clock.calendar_id else None


def watch(clock: Clock) -> steps.Watch:
    """The clock as the rules see it. The clock must be running."""
    hours = hours_of(clock)
    percents = {clock.warn_percent, *clock.also_warn_at}
    if clock.kind == states.FIRST_ACT:
        percents.add(200)
    moments = timing.at_percents(
        hours,
        resumed_at=clock.resumed_at,
        used=clock.used_seconds,
        target=clock.target_seconds,
        percents=[*percents, 100],
    )
    found = dict(moments)
    return steps.Watch(
        due_at=found[100],
        warnings=tuple(pair for pair in moments if pair[0] < 100),
        warned_percent=clock.warned_percent,
        breached_at=clock.breached_at,
        repeat_minutes=clock.repeat_minutes,
        repeat_times=clock.repeat_times,
        repeats=clock.repeats,
        # Who accepted and did nothing is reminded at the due time; as long again, and the case goes to somebody else.
        decays_at=found.get(200),
    )


def schedule(clock: Clock) -> None:
    """Set what follows from start, pauses, target and calendar: due, first warning, next step, fingerprint."""
    seen = watch(clock)
    clock.due_at = seen.due_at
    clock.warn_at = min(moment for _, moment in seen.warnings) if seen.warnings else seen.due_at
    clock.fire_at = steps.next_at(seen)
    hours = hours_of(clock)
    clock.calendar_print = timing.print_of(hours) if hours else ""
    clock.fingerprint = fingerprint(clock)


def fingerprint(clock: Clock) -> str:
    """Of all that the due time follows from."""
    inputs = [
        clock.calendar_id,
        clock.calendar_print,
        clock.resumed_at,
        clock.used_seconds,
        clock.target_seconds,
        clock.warn_percent,
        clock.also_warn_at,
    ]
    return hashlib.sha256(json.dumps(inputs, default=str).encode()).hexdigest()


def close_stretch(clock: Clock, at: datetime) -> None:
    """The running stretch ends: what it used is added, and kept so that another calendar can count it anew."""
    clock.used_seconds += timing.used_between(hours_of(clock), clock.resumed_at, at)
    clock.stretches = [*clock.stretches, [clock.resumed_at.isoformat(), max(at, clock.resumed_at).isoformat()]]


def count_anew(clock: Clock) -> None:
    """What the earlier stretches use on the hours of the clock's calendar as they are now."""
    hours = hours_of(clock)
    moments = [(datetime.fromisoformat(begin), datetime.fromisoformat(end)) for begin, end in clock.stretches]
    clock.used_seconds = sum(timing.used_between(hours, begin, end) for begin, end in moments)
