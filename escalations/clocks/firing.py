"""What the engine does: fire the clocks that are due, each once, oldest first, whoever else is running."""

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection, transaction

from accounts.models import User
from approvals.models import ApprovalRequest
from escalations import states
from escalations.cases import escalate as escalating
from escalations.cases import handoffs
from escalations.cases.log import lock
from escalations.clocks import log as history
from escalations.clocks import notify as standing
from escalations.clocks import sweep as sweeping
from escalations.clocks import verbs as clocks
from escalations.clocks.audience import audience
from escalations.clocks.rules import steps
from escalations.clocks.schedule import watch
from escalations.models import Clock, Escalation, HandOff, Target
from ledger import faults
from ledger.errors import AlreadyDone, NotAllowed
from ledger.now import now

log = logging.getLogger(__name__)
MAX_TRIES = 3
# Says nothing about the row: a lock that was not free, a connection that broke.
BUSY = (OperationalError, InterfaceError)
# More steps than any case can owe at once; a clock that never comes to rest is set aside instead of turning for ever.
MOST_STEPS = 100


class StepFailed(Exception):
    """A step could not be taken; names the clock, so that it can be set aside."""

    def __init__(self, clock_id: int, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.clock_id = clock_id


def due_cases(at: datetime, limit: int) -> list[int]:
    """Cases with a clock that has something to fire, the longest overdue first: a read, no lock."""
    rows = Clock.objects.past_due(at).values_list("case_id", flat=True)[:limit]
    return list(dict.fromkeys(rows))


def fire_due(
    *, limit: int = 200, between: Callable[[], None] = lambda: None, second_hand: Executor | None = None
) -> int:
    """Fire what is due now on the cases of the `limit` oldest due clocks; returns how many steps were taken by this call.

    All that is due on a case is fired together, so that its people hear once where it stands. A bad clock never stops the
    others: after three tries it is set aside with its error. `between` is called after each transaction: who has all day
    lets others write there. `second_hand`: a thread that takes as many again at the same time, when more are due.
    """
    at = now()
    cases = due_cases(at, limit if second_hand is None else 2 * limit)
    if not cases:
        return 0
    share = len(cases) if second_hand is None or len(cases) <= limit // 2 else (len(cases) + 1) // 2
    mine, others = cases[:share], cases[share:]
    apart = second_hand.submit(_sweep_apart, others, at) if second_hand and others else None
    taken, moving = _sweep(mine, at)
    if apart is not None:
        more, also_moving = apart.result()
        taken, moving = taken + more, moving + also_moving
    between()
    for case_id in moving:
        taken += _fire_safely(case_id, at)
        between()
    return taken


def _sweep(cases: list[int], at: datetime) -> tuple[int, list[int]]:
    try:
        return sweeping.sweep(cases, at)
    except Exception:  # one row spoils a batch; each case alone finds out which
        log.exception("A batch of %s cases is fired one by one", len(cases))
        return 0, cases


def _sweep_apart(cases: list[int], at: datetime) -> tuple[int, list[int]]:
    """In a thread of its own, whose connection nobody else looks after: one that a batch failed on is given up."""
    found = _sweep(cases, at)
    if found == (0, cases):
        connection.close()
    return found


def _fire_safely(case_id: int, at: datetime) -> int:
    try:
        return fire_case(case_id, at)
    except StepFailed as failure:
        log.exception("Clock %s could not be fired", failure.clock_id)
        if not isinstance(failure.__cause__, BUSY):
            _note_failure(failure.clock_id, str(failure))
    except BUSY:
        log.exception("The clocks of case %s wait: the database is busy", case_id)
    except Exception as error:  # the engine must outlive any row
        log.exception("The clocks of case %s could not be fired", case_id)
        _note_failure_of_case(case_id, at, error)
    return 0


def _note_failure_of_case(case_id: int, at: datetime, error: Exception) -> None:
    """What failed was no single step; the case's oldest due clock stands for it, so that it cannot go on for ever."""
    clock = Clock.objects.past_due(at).filter(case=case_id).first()
    if clock is not None:
        _note_failure(clock.pk, f"{type(error).__name__}: {error}")


def _note_failure(clock_id: int, error: str) -> None:
    clock = Clock.objects.get(pk=clock_id)
    Clock.objects.filter(pk=clock_id, tries=clock.tries).update(
        tries=clock.tries + 1, parked=clock.tries + 1 >= MAX_TRIES, error=error[:300]
    )


def take_back(*, by: User | None = None) -> int:
    """Have every clock that was set aside tried again, once its cause is mended; returns how many. Without `by` it is a
    command on the server.

    Raises NotAllowed unless `by` works in operations, AlreadyDone when none is set aside any longer.
    """
    if by is not None and not by.is_ops:
        raise NotAllowed("Only operations may have clocks tried again.")
    count = Clock.objects.filter(stopped_at=None, parked=True).update(parked=False, tries=0, error="")
    if by is not None and not count:
        raise AlreadyDone("No clock is set aside any longer.")
    log.info("%s clocks that were set aside are tried again, by user %s", count, by.pk if by else "nobody")
    return count


@transaction.atomic
def fire_case(case_id: int, at: datetime) -> int:
    """Take every due step of one case, oldest first, with all that follows from it; returns how many were taken.

    A step may start the next clock in the past (the level that ran out while nobody was looking), which then fires too.
    Its people hear once. Raises StepFailed, with nothing written, when a step cannot be taken.
    """
    case = _claim_case(case_id)
    if case is None:
        return 0
    faults.passing("after_claim")
    taken: list[tuple[Clock, steps.Step]] = []
    people: dict[int, list[tuple[int, str]]] = {}
    while clock := case.clocks.past_due(at).select_related("calendar").first():
        try:
            step = _step(clock, at, len(taken))
            people[clock.pk] = _concerned(case, clock, step)
            fire(case, clock, step, at)
        except Exception as error:
            raise StepFailed(clock.pk, error) from error
        taken.append((clock, step))
        case = lock(case_id)
    _tell(case, taken, people, at)
    faults.passing("before_commit")
    return len(taken)


def _claim_case(case_id: int) -> Escalation | None:
    """The case, its requests locked before it; None when somebody else holds it now (it fires next time round)."""
    if connection.features.has_select_for_update_skip_locked:
        requests = ApprovalRequest.objects.filter(case_link__case=case_id).order_by("pk")
        wanted = requests.count()
        if len(requests.select_for_update(skip_locked=True)) < wanted:
            return None
        free = Escalation.objects.select_for_update(skip_locked=True).filter(pk=case_id).values_list("pk", flat=True)
        if not list(free):
            return None
    return lock(case_id)


def _step(clock: Clock, at: datetime, taken: int) -> steps.Step:
    step = steps.step_at(watch(clock), at)
    if step is None or taken >= MOST_STEPS:
        raise LookupError(f"due at {clock.fire_at}, and there is no step to take")
    return step


def fire(case: Escalation, clock: Clock, step: steps.Step, at: datetime) -> None:
    """Take one step of a locked case: the row, its history, and what the target says follows."""
    moment = clock.fire_at
    if step.kind == steps.WARN:
        clock.warned_at, clock.warned_percent = at, step.number
    elif step.kind == steps.BREACH:
        # Breach time is the due time, not when somebody noticed.
        clock.breached_at = moment = clock.due_at
        late = steps.step_at(watch(clock), at)
        clock.repeats = late.number if late and late.kind == steps.REPEAT else clock.repeats
    elif step.kind == steps.REPEAT:
        clock.repeats = step.number
    clock.tries, clock.fire_at = 0, None if step.kind == steps.DECAY else steps.next_at(watch(clock))
    clock.save(update_fields=["warned_at", "warned_percent", "breached_at", "repeats", "fire_at", "tries"])
    history.stepped(case, clock, step.kind, sweeping.summary(clock, step), at, moment)
    _follow(case, clock, step, at)


def _follow(case: Escalation, clock: Clock, step: steps.Step, at: datetime) -> None:
    """What the breach leads to: the next owner, the next level, or nothing but word to people."""
    if step.kind == steps.DECAY:
        clocks.stop(case, clock.kind, at=at)
        handoffs.decay(case, at=at)
    elif step.kind == steps.BREACH and clock.kind == states.ACCEPTANCE:
        clocks.stop(case, states.ACCEPTANCE, at=at)
        handoffs.expire(case, at=at)
    elif step.kind == steps.BREACH and clock.on_breach == Target.ESCALATE:
        escalating.escalate_by_clock(case, at=at, since=clock.due_at or at, why=f"{clock.label} passed its time")


def _concerned(case: Escalation, clock: Clock, step: steps.Step) -> list[tuple[int, str]]:
    """Asked before the step is taken: afterwards others may have the duty."""
    found = audience([case.pk], kinds=[clock.kind], about=[clock.about])
    return found.of(case.pk, clock.kind, clock.about, late=step.kind != steps.WARN)


def _tell(
    case: Escalation,
    taken: list[tuple[Clock, steps.Step]],
    people: dict[int, list[tuple[int, str]]],
    at: datetime,
) -> None:
    """One message to each person of the case: about the last step that matters most. Whoever was just handed the case reads
    it there."""
    if not taken:
        return
    # Of several that matter as much, the last one.
    clock, step = max(reversed(taken), key=lambda each: sweeping.weight(each[1]))
    asked = set(case.handoffs.filter(state=HandOff.WAITING, sent_at=at).values_list("to_user", flat=True))
    everyone = dict.fromkeys(person for each, _ in taken for person in people[each.pk])
    told = [person for person in everyone if person[0] not in asked]
    row = standing.Told(case.pk, case.key, case.account.name, clock.pk, clock.kind, clock.label, step, told)
    standing.post([row], at=at)


def next_due() -> datetime | None:
    """When the next clock has something to fire."""
    return (
        Clock.objects.filter(state=Clock.RUNNING, parked=False, fire_at__isnull=False)
        .order_by("fire_at")
        .values_list("fire_at", flat=True)
        .first()
    )
