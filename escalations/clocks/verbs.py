"""Start, pause, resume, re-target and stop the clocks of a case. Firing is in `services.firing`.

Every change is one chained event of the case (the clock's history) and refreshes the case's cache of its worst clock.
Callers hold the case's lock. `about` tells clocks of one kind apart: each commitment has its own.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from django.db.models import Max

from escalations import states
from escalations.clocks import log as history
from escalations.clocks.promises import Promise, promise
from escalations.clocks.schedule import close_stretch, count_anew, schedule
from escalations.models import Clock, Escalation, Target
from ledger.format import recorded

DATE_GIVEN = "until the date given"
# Nobody outside holds these up: they run on while the case waits for the customer.
NEVER_WAITS = (
    states.ACCEPTANCE,
    states.CUSTOMER_UPDATE,
    states.INTERNAL_UPDATE,
    states.CHECK_IN,
    states.COMMITMENT,
    states.CUSTOMER_DEADLINE,
)
# Rhythm and promises about single things have rows of their own; the queue's chip shows the promises about the case.
NOT_IN_QUEUE = (states.INTERNAL_UPDATE, states.CHECK_IN, states.COMMITMENT, states.TIME_TO_ESCALATE)
# A late word is a reminder to people, not a matter for the next level.
REMINDS = (states.CUSTOMER_UPDATE, states.INTERNAL_UPDATE, states.CHECK_IN, states.COMMITMENT, states.CUSTOMER_DEADLINE)


def start(
    case: Escalation,
    kind: str,
    *,
    at: datetime,
    due_at: datetime | None = None,
    why: str = "",
    about: int = 0,
    topic: str = "",
    since: datetime | None = None,
) -> Clock | None:
    """Start the clock of this kind, ending the one that runs. `due_at` overrides the policy (a customer's deadline).

    `since`: it runs from an earlier moment than now, as when the level before ran out while nobody was looking. Returns None
    when the policy promises nothing for it.
    """
    stop(case, kind, at=at, outcome=Clock.STOPPED, refresh=False, about=about)
    begun = since or at
    made = promise(case, kind) if due_at is None else _until(kind, begun, due_at, why)
    if made is None:
        return None
    if due_at is not None:
        # Targets are whole seconds; the date given is met to the microsecond.
        begun = due_at - timedelta(seconds=made.seconds)
    clock = _new(case, kind, made, begun, about, topic)
    if why and due_at is None:
        clock.why = [*made.why, why]
    schedule(clock)
    clock.save()
    history.wrote(case, clock, "start", f"due {recorded(clock.due_at)}", at, begun)
    if kind not in NEVER_WAITS and case.waiting_on != states.NOBODY:
        pause(case, clock, at=at, reason=_waiting_reason(case))
    refresh_cache(case)
    return clock


def _new(case: Escalation, kind: str, made: Promise, begun: datetime, about: int, topic: str) -> Clock:
    last = case.clocks.filter(kind=kind).aggregate(last=Max("generation"))["last"] or 0
    clock = Clock(
        case=case,
        kind=kind,
        about=about,
        topic=topic[:160],
        generation=last + 1,
        level=case.level,
        started_at=begun,
        resumed_at=begun,
    )
    _take(clock, made)
    return clock


def _take(clock: Clock, made: Promise) -> None:
    clock.calendar, clock.target_seconds, clock.target_text = made.calendar, made.seconds, made.text[:80]
    clock.warn_percent, clock.also_warn_at = made.warn_percent, list(made.also_warn_at)
    clock.repeat_minutes, clock.repeat_times = made.repeat_minutes, made.repeat_times
    clock.on_breach, clock.why = made.on_breach, made.why


def _until(kind: str, at: datetime, due_at: datetime, why: str) -> Promise:
    seconds = max(0, ceil((due_at - at).total_seconds()))
    on_breach = Target.REMIND if kind in REMINDS else Target.ESCALATE
    return Promise(seconds, DATE_GIVEN, 75, on_breach, None, [why or "Date given for this case"])


def measure(case: Escalation, kind: str, *, started_at: datetime, at: datetime) -> Clock | None:
    """A clock whose time is over when it is written: how long something took, met or missed. None without a target."""
    clock = start(case, kind, at=at, since=min(started_at, at))
    return stop(case, kind, at=at) if clock else None


def pause(case: Escalation, clock: Clock, *, at: datetime, reason: str, held: bool = False) -> None:
    """Stop counting, with a reason; `held` by hand, so that no state of the case lets it go on. A clock that is past its
    time is not paused: the promise is broken already."""
    if clock.state != Clock.RUNNING or clock.breached_at or (clock.due_at and clock.due_at <= at):
        return
    close_stretch(clock, at)
    clock.state, clock.paused_at, clock.pause_reason, clock.held = Clock.PAUSED, at, reason[:200], held
    clock.due_at = clock.warn_at = clock.fire_at = None
    clock.save()
    history.wrote(case, clock, "pause", reason, at, max(at, clock.resumed_at))


def resume(case: Escalation, clock: Clock, *, at: datetime) -> None:
    """Go on counting where it stopped."""
    if clock.state != Clock.PAUSED:
        return
    clock.state, clock.resumed_at, clock.paused_at = Clock.RUNNING, at, None
    clock.pause_reason, clock.held = "", False
    schedule(clock)
    clock.save()
    history.wrote(case, clock, "resume", f"due {recorded(clock.due_at)}", at, at)


def pause_all(case: Escalation, *, at: datetime, reason: str) -> None:
    """Pause every running clock but those that wait for nobody."""
    for clock in case.clocks.filter(state=Clock.RUNNING).exclude(kind__in=NEVER_WAITS):
        pause(case, clock, at=at, reason=reason)
    refresh_cache(case)


def resume_all(case: Escalation, *, at: datetime) -> None:
    """Resume every paused clock but those held by hand."""
    for clock in case.clocks.filter(state=Clock.PAUSED, held=False):
        resume(case, clock, at=at)
    refresh_cache(case)


def retarget(case: Escalation, *, at: datetime) -> None:
    """Give the live clocks the targets of the case's present tier and level, from the same start with the same pauses.

    Warnings that were sent are not sent again; a new target already past breaches once, at the new due time.
    """
    for clock in case.clocks.live().select_related("calendar"):
        made = promise(case, clock.kind) if clock.target_text != DATE_GIVEN else None
        if made is None or clock.breached_at or not _differs(clock, made):
            continue
        _take(clock, made)
        _count_from_the_start(case, clock, at, made.text)
    refresh_cache(case)


def _differs(clock: Clock, made: Promise) -> bool:
    now_has = (clock.target_seconds, clock.calendar_id, clock.warn_percent, clock.also_warn_at, clock.on_breach)
    calendar = made.calendar.pk if made.calendar else None
    return now_has != (made.seconds, calendar, made.warn_percent, list(made.also_warn_at), made.on_breach)


def follow_calendar(case: Escalation, clock: Clock, *, at: datetime) -> None:
    """The hours of the clock's calendar were changed: count anew from the same start with the same pauses."""
    if clock.state not in (Clock.RUNNING, Clock.PAUSED) or clock.breached_at:
        return
    name = clock.calendar.name if clock.calendar else ""
    _count_from_the_start(case, clock, at, f"the hours of {name} were changed")
    refresh_cache(case)


def _count_from_the_start(case: Escalation, clock: Clock, at: datetime, why: str) -> None:
    count_anew(clock)
    schedule(clock)
    if clock.state == Clock.PAUSED:
        clock.due_at = clock.warn_at = clock.fire_at = None
    clock.save()
    history.wrote(case, clock, "retarget", why, at, at)


def stop(
    case: Escalation, kind: str, *, at: datetime, outcome: str = "", refresh: bool = True, about: int = 0
) -> Clock | None:
    """End the live clock of this kind: met or missed by its due time, or the outcome given. None when none is live."""
    clock = case.clocks.live().filter(kind=kind, about=about).first()
    if clock is not None:
        end(case, clock, at=at, outcome=outcome)
        if refresh:
            refresh_cache(case)
    return clock


def end(case: Escalation, clock: Clock, *, at: datetime, outcome: str = "") -> None:
    """End this live clock. One that was late without anybody noticing is breached at its due time, on the record too."""
    late = clock.breached_at is not None or (clock.due_at is not None and at > clock.due_at)
    if late and clock.breached_at is None:
        clock.breached_at = clock.due_at
        history.wrote(case, clock, "breach", "was past SLA when it ended", at, clock.due_at)
    clock.state = outcome or (Clock.MISSED if late else Clock.MET)
    clock.stopped_at, clock.fire_at = at, None
    clock.save()
    history.wrote(case, clock, "stop", clock.get_state_display(), at, at)


def stop_all(case: Escalation, *, at: datetime, keep: Sequence[str] = ()) -> None:
    """End every live clock except the kinds to keep."""
    for clock in list(case.clocks.live().exclude(kind__in=keep)):
        end(case, clock, at=at, outcome=Clock.STOPPED)
    refresh_cache(case)


def refresh_cache(case: Escalation) -> None:
    """Write the worst running clock to the case, for the queue's order and chip."""
    live = list(case.clocks.live().exclude(kind__in=NOT_IN_QUEUE).order_by("due_at", "id"))
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
