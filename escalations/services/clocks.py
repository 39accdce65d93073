"""Start, pause, resume, re-target and stop the clocks of a case. Firing is in `services.firing`.

Every change is one chained event of the case (the clock's history) and refreshes the case's cache of its worst clock.
Callers hold the case's lock.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max

from accounts.models import Calendar
from accounts.queries import work_calendar
from accounts.rules.worktime import business_day_seconds
from escalations import states
from escalations.models import Clock, Escalation, Target
from escalations.rules import targets, timing
from escalations.services.log import Entry, record

BUSINESS_CALENDAR = "business"
DATE_GIVEN = "until the date given"
# Nobody outside holds these up: they run on while the case waits for the customer.
NEVER_WAITS = (states.ACCEPTANCE, states.CUSTOMER_UPDATE)


@dataclass(frozen=True)
class Promise:
    """A target as it applies to one case."""

    seconds: int
    text: str
    warn_percent: int
    on_breach: str
    calendar: Calendar | None
    why: list[str]


def promise(case: Escalation, kind: str) -> Promise | None:
    """The target of the case's policy for this clock, or None when the policy promises nothing."""
    rows = [_target_row(target) for target in Target.objects.filter(version=case.policy_id, clock=kind)]
    row = targets.pick(rows, clock=kind, tier=case.tier, level=case.level, issue_type=case.issue_type.slug)
    if row is None:
        return None
    calendar = None if row.unit == targets.CLOCK else _calendar(case, row.unit)
    day = business_day_seconds(work_calendar(calendar)) if calendar else 86_400
    why = [
        f"Target: {targets.in_words(row)}",
        f"Policy version {case.policy.number}, row for {_scope(row, case.issue_type.name)}",
        f"Calendar: {calendar.name} ({calendar.zone})" if calendar else "Runs around the clock",
    ]
    return Promise(targets.seconds(row, day), targets.in_words(row), row.warn_percent, row.on_breach, calendar, why)


def _scope(row: targets.TargetRow, name: str) -> str:
    words = [
        name if row.issue_type else "",
        f"{row.tier} tier" if row.tier else "",
        f"level {row.level}" if row.level else "",
    ]
    return ", ".join(word for word in words if word) or "every case"


def _target_row(target: Target) -> targets.TargetRow:
    names = ("clock", "tier", "level", "issue_type", "amount", "unit", "warn_percent", "on_breach")
    return targets.TargetRow(**{name: getattr(target, name) for name in names})


def _calendar(case: Escalation, unit: str) -> Calendar:
    """The issue type's calendar; a business day is one of the business calendar even for round-the-clock issues."""
    own = case.issue_type.calendar
    if own is not None and not (unit == targets.DAYS and own.always_open):
        return own
    return Calendar.objects.get(slug=BUSINESS_CALENDAR)


def start(case: Escalation, kind: str, *, at: datetime, due_at: datetime | None = None, why: str = "") -> Clock | None:
    """Start the clock of this kind, ending the one that runs. `due_at` overrides the policy (a customer's deadline).

    Returns None when the policy promises nothing for it.
    """
    stop(case, kind, at=at, outcome=Clock.STOPPED, refresh=False)
    made = promise(case, kind) if due_at is None else _until(kind, at, due_at, why)
    if made is None:
        return None
    generation = (case.clocks.filter(kind=kind).aggregate(last=Max("generation"))["last"] or 0) + 1
    clock = Clock(
        case=case,
        kind=kind,
        generation=generation,
        level=case.level,
        calendar=made.calendar,
        target_seconds=made.seconds,
        target_text=made.text,
        warn_percent=made.warn_percent,
        on_breach=made.on_breach,
        started_at=at,
        resumed_at=at,
        why=[*made.why, why] if why and due_at is None else made.why,
    )
    _schedule(clock)
    clock.save()
    _log(case, clock, "start", f"due {clock.due_at:%Y-%m-%d %H:%M} UTC", at)
    if kind not in NEVER_WAITS and case.waiting_on != states.NOBODY:
        pause(case, clock, at=at, reason=_waiting_reason(case))
    refresh_cache(case)
    return clock


def _until(kind: str, at: datetime, due_at: datetime, why: str) -> Promise:
    seconds = max(0, int((due_at - at).total_seconds()))
    # A late word to the customer is a reminder to one person, not a matter for the next level.
    on_breach = Target.REMIND if kind == states.CUSTOMER_UPDATE else Target.ESCALATE
    return Promise(seconds, DATE_GIVEN, 75, on_breach, None, [why or "Date given for this case"])


def _schedule(clock: Clock) -> None:
    plan = timing.plan(
        work_calendar(clock.calendar) if clock.calendar else None,
        resumed_at=clock.resumed_at,
        used=clock.used_seconds,
        target=clock.target_seconds,
        warn_percent=clock.warn_percent,
    )
    clock.due_at, clock.warn_at = plan.due_at, plan.warn_at
    clock.fire_at = plan.due_at if clock.warned_at else min(plan.warn_at, plan.due_at)
    inputs = [clock.calendar_id, clock.resumed_at, clock.used_seconds, clock.target_seconds, clock.warn_percent]
    clock.fingerprint = hashlib.sha256(json.dumps(inputs, default=str).encode()).hexdigest()


def pause(case: Escalation, clock: Clock, *, at: datetime, reason: str) -> None:
    """Stop counting, with a reason. A paused clock stays as it is."""
    if clock.state != Clock.RUNNING or clock.breached_at:
        return
    calendar = work_calendar(clock.calendar) if clock.calendar else None
    clock.used_seconds += timing.used_between(calendar, clock.resumed_at, at)
    clock.state, clock.paused_at, clock.pause_reason = Clock.PAUSED, at, reason[:200]
    clock.due_at = clock.warn_at = clock.fire_at = None
    clock.save()
    _log(case, clock, "pause", reason, at)


def resume(case: Escalation, clock: Clock, *, at: datetime) -> None:
    """Go on counting where it stopped."""
    if clock.state != Clock.PAUSED:
        return
    clock.state, clock.resumed_at, clock.paused_at, clock.pause_reason = Clock.RUNNING, at, None, ""
    _schedule(clock)
    clock.save()
    _log(case, clock, "resume", f"due {clock.due_at:%Y-%m-%d %H:%M} UTC", at)


def pause_all(case: Escalation, *, at: datetime, reason: str) -> None:
    """Pause every running clock but the acceptance and the customer update, which wait for nobody else."""
    for clock in case.clocks.filter(state=Clock.RUNNING).exclude(kind__in=NEVER_WAITS):
        pause(case, clock, at=at, reason=reason)
    refresh_cache(case)


def resume_all(case: Escalation, *, at: datetime) -> None:
    """Resume every paused clock."""
    for clock in case.clocks.filter(state=Clock.PAUSED):
        resume(case, clock, at=at)
    refresh_cache(case)


def retarget(case: Escalation, *, at: datetime) -> None:
    """Give the live clocks the targets of the case's present tier and level, from the same start with the same pauses.

    Warnings that were sent are not sent again; a new target already past breaches once, at the new due time.
    """
    for clock in case.clocks.live():
        made = promise(case, clock.kind) if clock.target_text != DATE_GIVEN else None
        if made is None or made.seconds == clock.target_seconds or clock.breached_at:
            continue
        clock.target_seconds, clock.target_text = made.seconds, made.text
        clock.why, clock.on_breach, clock.warn_percent = made.why, made.on_breach, made.warn_percent
        if clock.state == Clock.RUNNING:
            _schedule(clock)
        clock.save()
        _log(case, clock, "retarget", made.text, at)
    refresh_cache(case)


def stop(case: Escalation, kind: str, *, at: datetime, outcome: str = "", refresh: bool = True) -> Clock | None:
    """End the live clock of this kind: met or missed by its due time, or the outcome given. None when none is live."""
    clock = case.clocks.live().filter(kind=kind).first()
    if clock is None:
        return None
    late = clock.breached_at is not None or (clock.due_at is not None and at > clock.due_at)
    if late and clock.breached_at is None:
        clock.breached_at = clock.due_at
    clock.state = outcome or (Clock.MISSED if late else Clock.MET)
    clock.stopped_at, clock.fire_at = at, None
    clock.save()
    _log(case, clock, "stop", clock.get_state_display(), at)
    if refresh:
        refresh_cache(case)
    return clock


def stop_all(case: Escalation, *, at: datetime, keep: tuple[str, ...] = ()) -> None:
    """End every live clock except the kinds to keep."""
    for kind in list(case.clocks.live().exclude(kind__in=keep).values_list("kind", flat=True)):
        stop(case, kind, at=at, outcome=Clock.STOPPED, refresh=False)
    refresh_cache(case)


def refresh_cache(case: Escalation) -> None:
    """Write the worst running clock to the case, for the queue's order and chip."""
    live = list(case.clocks.live().order_by("due_at", "id"))
    running = [clock for clock in live if clock.state == Clock.RUNNING]
    paused = [clock for clock in live if clock.state == Clock.PAUSED]
    worst = running[0] if running else None
    case.sla_due_at = worst.due_at if worst else None
    case.sla_warn_at = worst.warn_at if worst else None
    case.sla_clock = worst.kind if worst else (paused[0].kind if paused else "")
    case.sla_paused_at = paused[0].paused_at if paused and not worst else None
    case.save(update_fields=["sla_due_at", "sla_warn_at", "sla_clock", "sla_paused_at"])


def _waiting_reason(case: Escalation) -> str:
    return f"Waiting on {dict(states.WAITING_ON)[case.waiting_on].lower()}"


def _log(case: Escalation, clock: Clock, what: str, detail: str, at: datetime) -> None:
    data: dict[str, Any] = {
        "kind": clock.kind,
        "generation": clock.generation,
        "state": clock.state,
        "target_seconds": clock.target_seconds,
        "used_seconds": clock.used_seconds,
        "due_at": clock.due_at.isoformat() if clock.due_at else None,
    }
    record(case, [Entry(kind=f"clock.{what}", summary=f"{clock.label}: {detail}", clock=clock, data=data)], at=at)
