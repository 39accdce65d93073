"""The engine's work: take the steps that are due, each once, oldest first, with any number of engines.

A batch of at most 200 cases is one transaction: lock the cases that nobody holds, claim their clocks by a conditional
update, write history, messages and the next due times. A step that moves its case (the next level, another owner) needs
the case's verbs; then the case is a batch of its own, its requests are locked first, and what follows from a step is
fired with it.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F

from accounts.models import User
from approvals.models import ApprovalRequest
from escalations.cases import escalate, handoffs
from escalations.cases.log import Entry, lock, record_many
from escalations.clocks import notify, verbs
from escalations.clocks.queries import Audience, Person, claim
from escalations.clocks.rules.clock import ClockState, Step, StepKind, advance, step_due, weight
from escalations.models import Clock, Escalation, HandOff, Target
from ledger import faults
from ledger.errors import AlreadyDone, NotAllowed
from ledger.format import recorded
from ledger.now import now

log = logging.getLogger(__name__)
CASES_AT_ONCE = 200
# Errors that are not caused by the row: a lock that was not free, a connection that broke.
BUSY = (OperationalError, InterfaceError)
# More steps than a case can have due at once. A clock that fires endlessly is set aside.
MOST_STEPS = 100
# What a step of the engine may change besides `fire_at`, which every step changes.
COLUMNS = ("warned_at", "warned_percent", "breached_at", "repeats", "tries")


class StepFailed(Exception):
    """A step could not be taken; names the clock, so that it can be set aside."""

    def __init__(self, clock_id: int, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.clock_id = clock_id


@dataclass(frozen=True)
class Fired:
    """A step that was taken, and the people it concerns."""

    clock: Clock
    step: Step
    people: Sequence[Person]


def due_clocks(at: datetime, limit: int = CASES_AT_ONCE) -> Sequence[Clock]:
    """All due clocks of the cases with the `limit` oldest ones, oldest first: a read, no lock.

    Each carries `entries_seen`, the length of its case's log when it was read.
    """
    rows = Clock.objects.past_due(at).defer("why").annotate(log_count=F("case__log_count"))
    found = list(rows[:limit])
    if len(found) == limit:
        # More may be due on the same cases. Their ids are given as values: with old statistics PostgreSQL runs a subquery
        # with a limit once for each due clock.
        found = list(rows.filter(case__in={clock.case_id for clock in found}))
    for clock in found:
        clock.entries_seen = clock.log_count
    return found


def fire_due(*, limit: int = CASES_AT_ONCE, between: Callable[[], None] = lambda: None) -> int:
    """Take what is due now on the cases of the `limit` oldest due clocks; returns how many steps were taken by this
    call.

    Everything due on a case is fired together, so that its people get one notification about its current state. A bad
    clock never stops the others: after three tries it is set aside with its error. `between` is called after each
    transaction, so that the engine can let other processes write.
    """
    at = now()
    due = due_clocks(at, limit)
    if not due:
        return 0
    alone = dict.fromkeys(clock.case_id for clock in due if _moves_its_case(clock, at))
    together = [clock for clock in due if clock.case_id not in alone]
    taken = 0
    try:
        taken += fire_batch(together, at) if together else 0
    except Exception:  # one bad row fails the batch; case by case, only its own case fails
        log.exception("A batch of %s clocks is fired case by case", len(together))
        alone |= dict.fromkeys(clock.case_id for clock in together)
    between()
    for case_id in alone:
        taken += _fire_safely(case_id, at)
        between()
    return taken


def _moves_its_case(clock: Clock, at: datetime) -> bool:
    """Whether a step of this clock may hand the case on or take it to the next level."""
    if clock.breached_at is not None:
        return clock.rule.decays
    late = clock.due_at is not None and clock.due_at <= at
    return late and (clock.rule.hands_on or clock.rule.decays or clock.on_breach == Target.ESCALATE)


@transaction.atomic
def fire_batch(clocks: Sequence[Clock], at: datetime) -> int:
    """Take one step of each of these clocks (from `due_clocks`), none of which moves its case; returns how many were taken.

    Cases that somebody else holds, or that changed since they were read, wait for the next round. All or nothing: raises when
    a step cannot be taken.
    """
    cases, audience = claim(clocks)
    faults.passing("after_claim")
    # Every change of a clock is an entry of its case, so an equal length of the log proves that the clock did not
    # change since it was read.
    unchanged = [
        clock for clock in clocks if clock.case_id in cases and cases[clock.case_id].log_count == clock.entries_seen
    ]
    fired = _take(cases, audience, unchanged, at)
    _tell(cases, fired, at)
    faults.passing("before_commit")
    return len(fired)


@transaction.atomic
def fire_case(case_id: int, at: datetime) -> int:
    """Take every due step of one case, oldest first, with all that follows from it; returns how many were taken.

    A step may start the next clock in the past (the level that ran out during an outage), which then fires too. Its
    people are notified once. Raises StepFailed, with nothing written, when a step cannot be taken.
    """
    if not _is_free(case_id):
        return 0
    faults.passing("after_claim")
    fired: list[Fired] = []
    cases: dict[int, Escalation] = {}
    while clock := Clock.objects.past_due(at).filter(case=case_id).first():
        cases, audience = claim([clock])
        try:
            if len(fired) >= MOST_STEPS:
                raise LookupError(f"due at {clock.fire_at}, and it fires endlessly")
            fired += _take(cases, audience, [clock], at)
            _follow(fired[-1], at)
        except StepFailed:
            raise
        except Exception as error:
            raise StepFailed(clock.pk, error) from error
    _tell(cases, fired, at)
    faults.passing("before_commit")
    return len(fired)


def _is_free(case_id: int) -> bool:
    """Lock the requests of a case, then the case, in the order every verb uses; False when somebody holds one of them now."""
    if not connection.features.has_select_for_update_skip_locked:
        return True
    requests = ApprovalRequest.objects.filter(case_link__case=case_id).order_by("pk")
    wanted = requests.count()
    if len(requests.select_for_update(skip_locked=True)) < wanted:
        return False
    return (
        Escalation.objects.select_for_update(skip_locked=True).filter(pk=case_id).values_list("pk").first() is not None
    )


def _take(cases: dict[int, Escalation], audience: Audience, clocks: Sequence[Clock], at: datetime) -> list[Fired]:
    """Take one step of each clock of these locked cases: its row, only while it is still due, and its history."""
    fired: list[Fired] = []
    entries: dict[Escalation, list[Entry]] = defaultdict(list)
    # By the columns that the step changed, and whether the clock is due next: such rows have most new values in common.
    alike: dict[tuple[tuple[str, ...], bool], list[Clock]] = defaultdict(list)
    for clock in clocks:
        try:
            state = clock.as_state()
            step = step_due(state, at)
        except Exception as error:
            raise StepFailed(clock.pk, error) from error
        if step is None:
            raise StepFailed(clock.pk, LookupError(f"due at {clock.fire_at}, and there is no step to take"))
        moment = clock.due_at if step.kind == StepKind.BREACH else clock.fire_at
        after = advance(state, step, at)
        clock.take(after)
        changed = tuple(name for name in COLUMNS if getattr(state, name) != getattr(after, name))
        alike[changed, after.fire_at == after.due_at].append(clock)
        entries[cases[clock.case_id]].append(verbs.entry(clock, step.kind, summary(clock, step), moment))
        fired.append(Fired(clock, step, audience.of(clock, late=step.kind != StepKind.WARN)))
    for (columns, _), rows in alike.items():
        _claim(rows, ("fire_at", *columns), at)
    record_many(entries, at=at)
    return fired


def _claim(clocks: Sequence[Clock], columns: Sequence[str], at: datetime) -> None:
    """Write these columns of the rows of clocks, each only while it is still due.

    A value that all of them share is set at once, and so is a moment that is the due time of each: a column that differs by
    row costs as much as the rest of the step.
    """
    shared: dict[str, object] = {}
    for name in columns:
        values = {getattr(clock, name) for clock in clocks}
        if len(values) == 1:
            shared[name] = values.pop()
        elif all(getattr(clock, name) == clock.due_at for clock in clocks):
            shared[name] = F("due_at")
    differing = [name for name in columns if name not in shared]
    rows = Clock.objects.filter(pk__in=[clock.pk for clock in clocks])
    still_due = Clock.objects.filter(state=Clock.RUNNING, parked=False, fire_at__lte=at)
    # The statement that changes `fire_at` is the claim and comes first; the other one finds the rows claimed.
    if "fire_at" in shared:
        won = (rows & still_due).update(**shared)
        if differing:
            rows.bulk_update(clocks, differing)
    else:
        won = still_due.bulk_update(clocks, differing)
        if shared:
            rows.update(**shared)
    if won != len(clocks):
        raise RuntimeError("A clock was fired by somebody else meanwhile")


def summary(clock: Clock, step: Step) -> str:
    """The text of the step in the thread."""
    if step.kind == StepKind.WARN:
        return f"{clock.label}: {step.number}% of the time is used"
    if step.kind == StepKind.REPEAT:
        return f"{clock.label} is still past SLA; reminder {step.number} of {clock.repeat_times}"
    if step.kind == StepKind.DECAY:
        return f"{clock.label}: accepted, but not started in twice the target"
    return f"{clock.label} was due {recorded(clock.due_at)} and is past SLA"


def _follow(fired: Fired, at: datetime) -> None:
    """The consequence of a step: the next owner, the next level, or only notifications."""
    if not _moved(fired):
        return
    clock, case = fired.clock, lock(fired.clock.case_id)
    if fired.step.kind == StepKind.DECAY:
        verbs.stop(case, clock.kind, at=at)
        handoffs.decay(case, at=at)
    elif clock.rule.hands_on:
        verbs.stop(case, clock.kind, at=at)
        handoffs.expire(case, at=at)
    else:
        escalate.escalate_by_clock(case, at=at, since=clock.due_at or at, why=f"{clock.label} is past due")


def _tell(cases: dict[int, Escalation], fired: Sequence[Fired], at: datetime) -> None:
    """One message a case to each person whom its steps concern, about the most important step (the latest if several
    are equal). A person who was just handed the case gets the hand-off message instead."""
    of_case: dict[int, list[Fired]] = defaultdict(list)
    for each in fired:
        of_case[each.clock.case_id].append(each)
    moved = [case_id for case_id, steps in of_case.items() if any(_moved(each) for each in steps)]
    asked: set[tuple[int, int]] = set()
    if moved:
        waiting = HandOff.objects.filter(case__in=moved, state=HandOff.WAITING, sent_at=at)
        asked = set(waiting.values_list("case_id", "to_user_id"))
    told = []
    for case_id, steps in of_case.items():
        main = max(reversed(steps), key=lambda each: weight(each.step))
        people = dict.fromkeys(person for each in steps for person in each.people if (case_id, person[0]) not in asked)
        told.append(notify.Told(cases[case_id], main.clock, main.step, tuple(people)))
    notify.post(told, at=at)


def _moved(fired: Fired) -> bool:
    if fired.step.kind == StepKind.DECAY:
        return True
    return fired.step.kind == StepKind.BREACH and (
        fired.clock.rule.hands_on or fired.clock.on_breach == Target.ESCALATE
    )


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
        # The failure cannot be tied to one step. It counts against the oldest due clock, so that the case is set aside
        # after three failures.
        clock = Clock.objects.past_due(at).filter(case=case_id).first()
        if clock is not None:
            _note_failure(clock.pk, f"{type(error).__name__}: {error}")
    return 0


def _note_failure(clock_id: int, error: str) -> None:
    tries = Clock.objects.values_list("tries", flat=True).get(pk=clock_id)
    # The row itself may be faulty, so only the number of tries is read.
    after = advance(ClockState(tries=tries), Step(StepKind.FAIL, reason=error[:300]), now())
    Clock.objects.filter(pk=clock_id, tries=tries).update(tries=after.tries, parked=after.parked, error=after.error)


def retry_failed(*, by: User | None = None) -> int:
    """Retry every clock that was set aside, after its cause is fixed; returns how many. Without `by` it is a command on
    the server.

    Raises NotAllowed unless `by` works in operations, AlreadyDone when none is set aside any longer.
    """
    if by is not None and not by.is_ops:
        raise NotAllowed("Only Operations can retry clocks.")
    after = advance(ClockState(), Step(StepKind.RETRY), now())
    failed = Clock.objects.filter(stopped_at=None, parked=True)
    count = failed.update(tries=after.tries, parked=after.parked, error=after.error)
    if by is not None and not count:
        raise AlreadyDone("No clock is set aside any more.")
    log.info("%s clocks that were set aside are tried again, by user %s", count, by.pk if by else "nobody")
    return count


def next_due() -> datetime | None:
    """When the next clock fires."""
    waiting = Clock.objects.filter(state=Clock.RUNNING, parked=False, fire_at__isnull=False)
    return waiting.order_by("fire_at").values_list("fire_at", flat=True).first()
