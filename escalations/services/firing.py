"""What the engine does: fire the clocks that are due, each once, oldest first, whoever else is running."""

import logging
from datetime import datetime

from django.db import connection, transaction

from approvals.models import ApprovalRequest
from escalations import notifications, states
from escalations.models import Clock, Escalation
from escalations.services import clocks, escalating, handoffs
from escalations.services.log import Entry, lock, record
from ledger.now import now

log = logging.getLogger(__name__)
MAX_TRIES = 3


def due_ids(at: datetime, limit: int) -> list[int]:
    """Clocks with something to fire, oldest first: a read, no lock."""
    return list(Clock.objects.past_due(at).values_list("pk", flat=True)[:limit])


def fire_due(*, limit: int = 200) -> int:
    """Fire everything due now; returns how many steps were taken by this call. A bad clock never stops the others."""
    at = now()
    return sum(_fire_safely(pk, at) for pk in due_ids(at, limit))


def _fire_safely(clock_id: int, at: datetime) -> int:
    try:
        return int(fire(clock_id, at))
    except Exception as error:  # the engine must outlive any row
        log.exception("Clock %s could not be fired", clock_id)
        _note_failure(clock_id, error)
        return 0


def _note_failure(clock_id: int, error: Exception) -> None:
    clock = Clock.objects.get(pk=clock_id)
    Clock.objects.filter(pk=clock_id, tries=clock.tries).update(
        tries=clock.tries + 1, parked=clock.tries + 1 >= MAX_TRIES, error=f"{type(error).__name__}: {error}"[:300]
    )


@transaction.atomic
def fire(clock_id: int, at: datetime) -> bool:
    """Fire one clock: lock its case first, claim the step by a conditional update, act. False when another was faster."""
    case = _claim_case(clock_id)
    if case is None:
        return False
    clock = Clock.objects.select_related("calendar").get(pk=clock_id)
    if clock.state != Clock.RUNNING or clock.fire_at is None or clock.fire_at > at:
        return False
    if clock.due_at is not None and at >= clock.due_at:
        _breach(case, clock, at)
    else:
        _warn(case, clock, at)
    return True


def _claim_case(clock_id: int) -> Escalation | None:
    """The clock's case, its requests locked before it; None when somebody else holds it now (it fires next time round)."""
    case_id = Clock.objects.filter(pk=clock_id).values_list("case_id", flat=True).first()
    if case_id is None:
        return None
    if connection.features.has_select_for_update_skip_locked:
        requests = ApprovalRequest.objects.filter(case_link__case=case_id).order_by("pk")
        wanted = requests.count()
        if len(requests.select_for_update(skip_locked=True)) < wanted:
            return None
        free = Escalation.objects.select_for_update(skip_locked=True).filter(pk=case_id).values_list("pk", flat=True)
        if not list(free):
            return None
    return lock(case_id)


def _warn(case: Escalation, clock: Clock, at: datetime) -> None:
    clock.warned_at, clock.fire_at, clock.tries = at, clock.due_at, 0
    clock.save(update_fields=["warned_at", "fire_at", "tries"])
    summary = f"{clock.label}: {clock.warn_percent}% of the time is used"
    record(case, [Entry(kind="clock.warn", summary=summary, clock=clock, data={"due_at": str(clock.due_at)})], at=at)
    notifications.warned(case, clock)


def _breach(case: Escalation, clock: Clock, at: datetime) -> None:
    """Breach time is the due time. What follows is the target's: the next level, the next owner, or word to people."""
    clock.breached_at, clock.fire_at, clock.tries = clock.due_at, None, 0
    clock.save(update_fields=["breached_at", "fire_at", "tries"])
    summary = f"{clock.label} was due {clock.due_at:%b %-d, %H:%M} UTC and is past SLA"
    record(case, [Entry(kind="clock.breach", summary=summary, clock=clock, data={"due_at": str(clock.due_at)})], at=at)
    notifications.breached(case, clock)
    if clock.kind == states.ACCEPTANCE:
        clocks.stop(case, states.ACCEPTANCE, at=at)
        handoffs.expire(case, at=at)
    elif clock.on_breach == "escalate":
        escalating.escalate_by_clock(case, at=at, why=f"{clock.label} passed its time")


def next_due() -> datetime | None:
    """When the next clock has something to fire."""
    return (
        Clock.objects.filter(state=Clock.RUNNING, parked=False, fire_at__isnull=False)
        .order_by("fire_at")
        .values_list("fire_at", flat=True)
        .first()
    )
