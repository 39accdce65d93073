"""The state machine of a clock. Pure: a clock, a step and a moment in, the clock after the step out.

`advance` is the only place that decides what a step changes. The verbs, the engine and the audit call it and write its result.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from accounts.calendars.rules import deadlines
from accounts.calendars.rules.workcalendar import WorkCalendar
from escalations.clocks.rules import timing

RUNNING, PAUSED, MET, MISSED, STOPPED = "running", "paused", "met", "missed", "stopped"
MAX_TRIES = 3
WHOLE, DECAY_PERCENT = 100, 200


class StepKind(StrEnum):
    """The steps of a clock. The values name the entries of its history."""

    START = "start"
    PAUSE = "pause"
    RELEASE = "release"
    RESUME = "resume"
    RETARGET = "retarget"
    WARN = "warn"
    BREACH = "breach"
    REPEAT = "repeat"
    DECAY = "decay"
    STOP = "stop"
    GO_ON = "go_on"
    FAIL = "fail"
    RETRY = "retry"


@dataclass(frozen=True)
class Terms:
    """The target of a clock. Seconds count on the calendar; without hours they elapse around the clock."""

    target_seconds: int = 0
    calendar_id: int | None = None
    hours: WorkCalendar | None = None
    warn_percent: int = 75
    also_warn_at: tuple[int, ...] = ()
    repeat_minutes: int = 0
    repeat_times: int = 0
    decays: bool = False


@dataclass(frozen=True)
class Step:
    """One step of a clock. Every field but the kind belongs to some kinds only."""

    kind: StepKind
    number: int = 0  # WARN: the percent. REPEAT: which reminder it is
    terms: Terms | None = None  # START, RETARGET
    reason: str = ""  # PAUSE, RELEASE: why it is paused. FAIL: the error
    by_hand: bool = False  # PAUSE: it resumes only by hand
    outcome: str = ""  # STOP: the final state; empty: met, or missed if it was late
    due_at: datetime | None = None  # BREACH: the due time on record, when the history is replayed


@dataclass(frozen=True)
class ClockState:
    """A clock in the rules. The names are those of the columns of `Clock`."""

    terms: Terms = Terms()
    state: str = ""
    started_at: datetime | None = None
    resumed_at: datetime | None = None
    paused_at: datetime | None = None
    held: bool = False
    pause_reason: str = ""
    used_seconds: int = 0
    stretches: tuple[tuple[datetime, datetime], ...] = ()
    due_at: datetime | None = None
    warn_at: datetime | None = None
    warnings: tuple[tuple[int, datetime], ...] = ()
    decays_at: datetime | None = None
    fire_at: datetime | None = None
    warned_at: datetime | None = None
    warned_percent: int = 0
    breached_at: datetime | None = None
    repeats: int = 0
    stopped_at: datetime | None = None
    calendar_print: str = ""
    fingerprint: str = ""
    tries: int = 0
    parked: bool = False
    error: str = ""


def advance(clock: ClockState, step: Step, at: datetime) -> ClockState:  # noqa: C901, PLR0911 - one table of all steps
    """The clock after one step taken at that moment.

    The caller has checked that the step is allowed (`may_pause`, `step_due`). A step that starts, pauses, resumes, goes on or
    retargets counts time and needs the hours in the terms. A clock goes on as if it had not stopped.
    """
    match step.kind:
        case StepKind.START:
            begun = replace(clock, terms=step.terms or clock.terms, state=RUNNING, started_at=at, resumed_at=at)
            return _scheduled(begun)
        case StepKind.PAUSE if clock.state == PAUSED:
            return replace(clock, held=step.by_hand, pause_reason=step.reason)
        case StepKind.PAUSE:
            begun_at = clock.resumed_at or at
            stretches = (*clock.stretches, (begun_at, max(begun_at, at)))
            paused = replace(clock, state=PAUSED, paused_at=max(begun_at, at), stretches=stretches)
            return _counted(replace(paused, held=step.by_hand, pause_reason=step.reason))
        case StepKind.RELEASE:
            return replace(clock, held=False, pause_reason=step.reason)
        case StepKind.RESUME:
            resumed = replace(clock, state=RUNNING, resumed_at=at, paused_at=None, held=False, pause_reason="")
            return _scheduled(resumed)
        case StepKind.RETARGET:
            return _counted(replace(clock, terms=step.terms or clock.terms))
        case StepKind.WARN:
            return _with_next(replace(clock, warned_at=at, warned_percent=step.number, tries=0))
        case StepKind.BREACH:
            # The breach has the due time, not the time somebody noticed. Missed reminders are counted and not sent.
            due_at = step.due_at or clock.due_at
            late = replace(clock, due_at=due_at, breached_at=due_at, tries=0)
            return _with_next(replace(late, repeats=max(clock.repeats, _reminders_until(late, at))))
        case StepKind.REPEAT:
            return _with_next(replace(clock, repeats=step.number, tries=0))
        case StepKind.DECAY:
            return replace(clock, fire_at=None, tries=0)
        case StepKind.STOP:
            outcome = step.outcome or (MISSED if clock.breached_at else MET)
            return replace(clock, state=outcome, stopped_at=at, fire_at=None)
        case StepKind.GO_ON:
            live = replace(clock, state=PAUSED if clock.paused_at else RUNNING, stopped_at=None)
            return live if clock.paused_at else _scheduled(live)
        case StepKind.FAIL:
            tries = clock.tries + 1
            return replace(clock, tries=tries, parked=tries >= MAX_TRIES, error=step.reason)
        case StepKind.RETRY:
            return replace(clock, tries=0, parked=False, error="")


def may_pause(clock: ClockState, at: datetime) -> bool:
    """A running clock may be paused until it is due; a breached clock is not paused."""
    return clock.state == RUNNING and clock.breached_at is None and (clock.due_at is None or at < clock.due_at)


def is_late(clock: ClockState, at: datetime) -> bool:
    """Whether its due time has passed, noticed or not."""
    return clock.breached_at is not None or (clock.due_at is not None and at > clock.due_at)


def step_due(clock: ClockState, at: datetime) -> Step | None:
    """The one step that a running clock has to take at that moment; None when nothing is due.

    Even if this is called late, the answer is one step: the breach and not the warnings before it, the last reminder
    and not every missed one.
    """
    if clock.due_at is None:
        return None
    if clock.breached_at is None:
        if at >= clock.due_at:
            return Step(StepKind.BREACH)
        passed = [percent for percent, moment in clock.warnings if moment <= at and percent > clock.warned_percent]
        return Step(StepKind.WARN, max(passed)) if passed else None
    if clock.decays_at is not None:
        return Step(StepKind.DECAY) if at >= clock.decays_at else None
    told = _reminders_until(clock, at)
    return Step(StepKind.REPEAT, told) if told > clock.repeats else None


def status(
    at: datetime, *, state: str, due_at: datetime | None, warn_at: datetime | None, paused_at: datetime | None = None
) -> str:
    """Code of the SLA chip, of a clock and of a case by its worst clock: red, yel, grn, pau, or '' if none runs.

    `queries.status_place` is the same rule for lists.
    """
    if state == RUNNING and due_at is not None:
        return deadlines.colour(at, due_at=due_at, warn_at=warn_at)
    return deadlines.PAUSED if state == PAUSED or paused_at is not None else ""


def weight(step: Step) -> int:
    """The importance of a step: a breach above a reminder, a reminder above a warning."""
    return (StepKind.WARN, StepKind.REPEAT, StepKind.DECAY, StepKind.BREACH).index(step.kind)


def _scheduled(clock: ClockState) -> ClockState:
    """Set the values that follow from start, pauses, target and hours: due time, warnings, next step, fingerprint."""
    terms = clock.terms
    percents = {terms.warn_percent, *terms.also_warn_at, WHOLE} | ({DECAY_PERCENT} if terms.decays else set())
    begun_at = clock.resumed_at
    if begun_at is None:
        raise ValueError("A clock that never started has no due time")
    found = timing.at_percents(
        terms.hours, resumed_at=begun_at, used=clock.used_seconds, target=terms.target_seconds, percents=percents
    )
    moments = dict(found)
    warnings = tuple(pair for pair in found if pair[0] < WHOLE)
    planned = replace(
        clock,
        due_at=moments[WHOLE],
        warn_at=warnings[0][1] if warnings else moments[WHOLE],
        warnings=warnings,
        decays_at=moments.get(DECAY_PERCENT),
        calendar_print=timing.print_of(terms.hours) if terms.hours else "",
    )
    return _with_next(replace(planned, fingerprint=_fingerprint(planned)))


def _counted(clock: ClockState) -> ClockState:
    """Recalculate the earlier stretches with the current hours of the terms; a running clock is scheduled again."""
    hours = clock.terms.hours
    used = sum(timing.used_between(hours, begin, end) for begin, end in clock.stretches)
    counted = replace(clock, used_seconds=used, calendar_print=timing.print_of(hours) if hours else "")
    if counted.state == RUNNING:
        return _scheduled(counted)
    return replace(counted, due_at=None, warn_at=None, warnings=(), decays_at=None, fire_at=None)


def _with_next(clock: ClockState) -> ClockState:
    """Set when the next step is due, given the steps already taken; None if there is none."""
    fire_at: datetime | None = None
    if clock.breached_at is None:
        ahead = [moment for percent, moment in clock.warnings if percent > clock.warned_percent]
        fire_at = min([*ahead, clock.due_at]) if clock.due_at else None
    elif clock.decays_at is not None:
        # An owner who accepted and did nothing is reminded at the due time; after the same time again, another person
        # gets the case.
        fire_at = clock.decays_at
    elif clock.terms.repeat_minutes and clock.repeats < clock.terms.repeat_times:
        fire_at = clock.breached_at + timedelta(minutes=clock.terms.repeat_minutes * (clock.repeats + 1))
    return replace(clock, fire_at=fire_at)


def _reminders_until(clock: ClockState, at: datetime) -> int:
    terms = clock.terms
    if clock.breached_at is None or clock.decays_at is not None or not terms.repeat_minutes or at < clock.breached_at:
        return 0
    return min(terms.repeat_times, (at - clock.breached_at) // timedelta(minutes=terms.repeat_minutes))


def _fingerprint(clock: ClockState) -> str:
    """The fingerprint of everything that the due time depends on."""
    terms = clock.terms
    inputs = [
        terms.calendar_id,
        clock.calendar_print,
        clock.resumed_at,
        clock.used_seconds,
        terms.target_seconds,
        terms.warn_percent,
        terms.also_warn_at,
    ]
    return hashlib.sha256(json.dumps(inputs, default=str).encode()).hexdigest()
