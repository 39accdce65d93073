"""A clock's history: one chained entry a change, with all that its row can be rebuilt from."""

from datetime import datetime
from typing import Any

from escalations.cases.log import Entry, record
from escalations.models import Clock, Escalation


def data(clock: Any, moment: datetime | None) -> dict[str, Any]:
    """What an entry keeps. `moment`: when the change takes effect, which for a breach is the due time."""
    return {
        "kind": clock.kind,
        "generation": clock.generation,
        "about": clock.about,
        "state": clock.state,
        "target_seconds": clock.target_seconds,
        "used_seconds": clock.used_seconds,
        "calendar": clock.calendar_id,
        "warn": [clock.warn_percent, *clock.also_warn_at],
        "warned_percent": clock.warned_percent,
        "repeats": clock.repeats,
        "due_at": clock.due_at.isoformat() if clock.due_at else None,
        "moment": moment.isoformat() if moment else None,
    }


def wrote(case: Escalation, clock: Clock, what: str, detail: str, at: datetime, moment: datetime | None) -> None:
    """Append start, pause, resume, retarget, breach or stop to the case's log, in the clock's own name."""
    stepped(case, clock, what, f"{clock.label}: {detail}", at, moment)


def stepped(case: Escalation, clock: Clock, what: str, summary: str, at: datetime, moment: datetime | None) -> None:
    """Append any change of a clock (also warn, repeat, decay) in these words."""
    entry = Entry(kind=f"clock.{what}", summary=summary, clock=clock, data=data(clock, moment))
    record(case, [entry], at=at)
