"""One clock held by hand and let go again; what the case waits on is `communication.wait_on`."""

from django.db import transaction

from accounts.models import User
from escalations import states
from escalations.cases.access import check
from escalations.cases.log import Entry, lock, record
from escalations.clocks import verbs as clocks
from escalations.models import Clock, Escalation
from ledger.errors import AlreadyDone, Invalid
from ledger.now import now


@transaction.atomic
def hold(*, case_id: int, clock_id: int, by: User, reason: str) -> Clock:
    """Pause one clock, whatever the case waits on; it goes on only when a person lets it.

    Raises NotAllowed, Invalid without a reason or for an acceptance, AlreadyDone when it does not run or is past its time.
    """
    if not reason.strip():
        raise Invalid("Say why this clock pauses.", field="reason")
    at, case = now(), lock(case_id)
    check(case, by, "pause")
    clock = case.clocks.select_related("calendar").get(pk=clock_id)
    if clock.kind == states.ACCEPTANCE:
        raise Invalid("A hand-off waits for one person; refuse it or hand the case to somebody else.")
    if clock.state == Clock.PAUSED and not clock.held:
        clock.held, clock.pause_reason = True, reason[:200]
        clock.save(update_fields=["held", "pause_reason"])
    elif clock.state != Clock.RUNNING:
        raise AlreadyDone(f"{clock.label} is {clock.get_state_display().lower()}. There is nothing to pause.")
    else:
        clocks.pause(case, clock, at=at, reason=reason, held=True)
        if clock.state != Clock.PAUSED:
            raise AlreadyDone(f"{clock.label} is past SLA. A broken promise is not paused; say on the thread why.")
    _noted(case, by, f"{clock.label} is paused by hand: {reason}")
    clocks.refresh_cache(case)
    return clock


@transaction.atomic
def let_go(*, case_id: int, clock_id: int, by: User) -> Clock:
    """Let a paused clock go on. While the case waits on somebody, it stays paused for that reason.

    Raises NotAllowed, and AlreadyDone when it is not held by hand.
    """
    at, case = now(), lock(case_id)
    check(case, by, "pause")
    clock = case.clocks.select_related("calendar").get(pk=clock_id)
    if clock.state != Clock.PAUSED or not clock.held:
        raise AlreadyDone(f"{clock.label} is not held by hand. Nothing changed.")
    if case.waiting_on != states.NOBODY and clock.kind not in clocks.NEVER_WAITS:
        clock.held, clock.pause_reason = False, f"Waiting on {case.get_waiting_on_display().lower()}"
        clock.save(update_fields=["held", "pause_reason"])
    else:
        clocks.resume(case, clock, at=at)
    _noted(case, by, f"{clock.label} is no longer held by hand")
    clocks.refresh_cache(case)
    return clock


def _noted(case: Escalation, by: User, summary: str) -> None:
    record(case, [Entry(kind="held", summary=summary, actor=by)], at=now())
