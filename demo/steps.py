"""What a clock has to say now, and when it speaks next. Pure: its moments and what was told already in, one step out.

However late the question comes, one step is the answer: the breach and not the warnings before it, one reminder and not
every one that was missed.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

WARN, BREACH, REPEAT, DECAY = "warn", "breach", "repeat", "decay"


class Watch(NamedTuple):
    """The moments of a running clock. `warnings` are (percent, moment), ascending; `decays_at`: when an accepted case that
    nobody began goes to somebody else."""

    due_at: datetime
    warnings: tuple[tuple[int, datetime], ...] = ()
    warned_percent: int = 0
    breached_at: datetime | None = None
    repeat_minutes: int = 0
    repeat_times: int = 0
    repeats: int = 0
    decays_at: datetime | None = None


class Step(NamedTuple):
    """Something to do. `number`: the percent of a warning, or which reminder it is."""

    kind: str
    number: int = 0


def step_at(watch: Watch, at: datetime) -> Step | None:
    """The one step to take at that moment; None when nothing is due."""
    if watch.breached_at is None:
        if at >= watch.due_at:
            return Step(BREACH)
        passed = [percent for percent, moment in watch.warnings if moment <= at and percent > watch.warned_percent]
        return Step(WARN, max(passed)) if passed else None
    if watch.decays_at is not None:
        return Step(DECAY) if at >= watch.decays_at else None
    told = _reminders_until(watch, watch.breached_at, at)
    return Step(REPEAT, told) if told > watch.repeats else None


def next_at(watch: Watch) -> datetime | None:
    """When the next step falls due, given what was told already; None when none is to come."""
    if watch.breached_at is None:
        ahead = [moment for percent, moment in watch.warnings if percent > watch.warned_percent]
        return min([*ahead, watch.due_at])
    if watch.decays_at is not None:
        return watch.decays_at
    if watch.repeat_minutes and watch.repeats < watch.repeat_times:
        return watch.breached_at + timedelta(minutes=watch.repeat_minutes * (watch.repeats + 1))
    return None


def _reminders_until(watch: Watch, breached_at: datetime, at: datetime) -> int:
    if not watch.repeat_minutes or at < breached_at:
        return 0
    return min(watch.repeat_times, (at - breached_at) // timedelta(minutes=watch.repeat_minutes))
