"""Start, pause, resume, retarget and stop the clocks of a case; hold one by hand.

What a step changes is decided by `rules.clock.advance`. Every step is one chained entry of the case (the clock's history) and
refreshes the case's cache of its worst clock. The open requests of a case are due when its decision clock is. A verb writes its
changes when it ends, or together with those of the block that calls it (`book.together`).

Callers hold the case's lock, except callers of `hold` and `let_go`, which are doors. If the due time of the decision clock may
change, callers also hold the locks of the case's requests (`lock_with_requests`).
"""

from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil
from textwrap import shorten
from typing import Any

from django.db import transaction

from accounts.calendars.queries import work_calendar
from accounts.calendars.rules.deadlines import WARN_PERCENT
from accounts.calendars.rules.workcalendar import WorkCalendar
from accounts.models import User
from approvals.models import ApprovalRequest
from approvals.requests.deadlines import Due, keep_all_to, show_paused
from escalations import states
from escalations.cases.access import check
from escalations.cases.log import Entry, lock, lock_with_requests, record
from escalations.clocks.book import LIVE, Book, together, written_together
from escalations.clocks.rules import clock as rules
from escalations.clocks.rules import timing
from escalations.clocks.rules.clock import ClockState, Step, StepKind, Terms, advance
from escalations.clocks.rules.kinds import KINDS
from escalations.clocks.targets import Promise, promise
from escalations.models import Clock, Commitment, Escalation, Target
from ledger.errors import AlreadyDone, Invalid
from ledger.format import recorded
from ledger.now import now
from ledger.reading import has_words

DATE_GIVEN = "until the date given"


@written_together
def start(
    case: Escalation,
    kind: str,
    *,
    at: datetime,
    due_at: datetime | None = None,
    why: str = "",
    since: datetime | None = None,
    commitment: Commitment | None = None,
) -> Clock | None:
    """Start the clock of this kind, ending the one that runs. `due_at`: a date somebody gave, instead of the policy's target.

    `since`: the clock starts at an earlier moment than now, for example when the level before was due during an outage. Each
    commitment has a clock of its own. Returns None if the policy has no target for this kind.
    """
    about = commitment.pk if commitment else 0
    stop(case, kind, at=at, outcome=Clock.STOPPED, about=about)
    begun, book = since or at, _book(case)
    made = book.targets.of(kind) if due_at is None else _until(case, kind, begun, due_at, why)
    if made is None:
        return None
    if due_at is not None:
        # Targets are whole seconds; the date given is met to the microsecond.
        begun = due_at - timedelta(seconds=made.seconds)
    topic = shorten(commitment.text, 160, placeholder=" …") if commitment else ""
    if kind == states.DECISION:
        topic = case.policy.ladder.name(case.level)
    clock = Clock(
        case=case, kind=kind, about=about, topic=topic, generation=book.next_generation(kind), level=case.level
    )
    _word(clock, made)
    if why and due_at is None:
        clock.why = [*made.why, why]
    _take(case, clock, Step(StepKind.START, terms=_terms(kind, made)), begun)
    _wrote(case, clock, StepKind.START, f"due {recorded(clock.due_at)}", at, begun)
    if _waits(case, kind):
        pause(case, clock, at=at, reason=_waiting_reason(case))
    return clock


@written_together
def start_after(case: Escalation, kind: str, other: str, *, at: datetime, why: str) -> None:
    """Start the clock of this kind, due no earlier than one of the kind `other` that starts at the same time."""
    due, earliest = (_due_of(_book(case).targets.of(each), at) for each in (kind, other))
    if due is not None and earliest is not None and due < earliest:
        start(case, kind, at=at, due_at=earliest, why=why)
    else:
        start(case, kind, at=at)


def _due_of(made: Promise | None, at: datetime) -> datetime | None:
    if made is None:
        return None
    hours = work_calendar(made.calendar) if made.calendar else None
    return timing.plan(hours, resumed_at=at, used=0, target=made.seconds, warn_percent=made.warn_percent).due_at


def _until(case: Escalation, kind: str, at: datetime, due_at: datetime, why: str) -> Promise:
    """The target for a date that somebody gave. If the policy has a target for the kind, its warnings and the effect of its
    breach apply."""
    seconds = max(0, ceil((due_at - at).total_seconds()))
    words = [why or "Date given for this case"]
    rule = KINDS[kind]
    known = None if rule.dated or rule.reminds or kind == states.RESOLUTION else _book(case).targets.of(kind)
    if known is not None:
        return replace(known, seconds=seconds, text=DATE_GIVEN, calendar=None, why=words)
    on_breach = Target.REMIND if rule.reminds else Target.ESCALATE
    return Promise(seconds, DATE_GIVEN, WARN_PERCENT, on_breach, None, words)


@written_together
def move_due(case: Escalation, clock: Clock, due_at: datetime, *, at: datetime, why: str) -> None:
    """Start a live clock again with a date that somebody gave as its due time. A clock that is past due is missed; a clock that
    is held by hand stays held."""
    hand_up(case, clock, at=at)
    moved = start(case, clock.kind, at=at, due_at=due_at, why=why)
    if moved is not None and clock.held:
        pause(case, moved, at=at, reason=clock.pause_reason, held=True)


@written_together
def hand_up(case: Escalation, clock: Clock, *, at: datetime) -> None:
    """End a live clock that nobody met, because another one follows it: missed if it is past due, else stopped."""
    late = clock.state == Clock.RUNNING and clock.due_at is not None and clock.due_at <= at
    stop(case, clock.kind, at=at, outcome="" if late else Clock.STOPPED, about=clock.about)


@written_together
def name_decider(case: Escalation, body: str) -> None:
    """Name the decision clock after the body that decides."""
    clock = case.decision_clock
    if clock is not None and clock.topic != body:
        clock.topic = body
        _book(case).keep(clock)


def decision_due(case: Escalation, clock: Clock | None, at: datetime) -> Due | None:
    """When a decision on the case is due: the due time of its decision clock. For a paused clock: the due time if it resumed
    at `at`. Without a clock: the due time if it started at `at`. None if the policy has no target for decisions."""
    if clock is not None and clock.state == Clock.RUNNING:
        state = clock.as_state()
    elif clock is not None:
        state = advance(clock.as_state(hours_of(clock)), Step(StepKind.RESUME), at)
    elif made := promise(case, states.DECISION):
        state = advance(ClockState(), Step(StepKind.START, terms=_terms(states.DECISION, made)), at)
    else:
        return None
    paused_at = clock.paused_at if clock else None
    return Due(state.due_at, state.warn_at or state.due_at, paused_at) if state.due_at else None


def _terms(kind: str, made: Promise) -> Terms:
    return Terms(
        made.seconds,
        made.calendar.pk if made.calendar else None,
        work_calendar(made.calendar) if made.calendar else None,
        made.warn_percent,
        tuple(made.also_warn_at),
        made.repeat_minutes,
        made.repeat_times,
        KINDS[kind].decays,
    )


def _word(clock: Clock, made: Promise) -> None:
    """Set the text of the target, its calendar, its reasons and the effect of its breach on the clock."""
    clock.calendar, clock.target_text, clock.on_breach, clock.why = (
        made.calendar,
        made.text[:80],
        made.on_breach,
        made.why,
    )


@written_together
def measure(case: Escalation, kind: str, *, started_at: datetime, at: datetime) -> Clock | None:
    """Write a clock that has already ended, to record how long something took: met or missed. None without a target."""
    clock = start(case, kind, at=at, since=min(started_at, at))
    return stop(case, kind, at=at) if clock else None


@written_together
def pause(case: Escalation, clock: Clock, *, at: datetime, reason: str, held: bool = False) -> None:
    """Stop counting, with a reason; `held` by hand, so that no state of the case resumes it. A clock that is past due is not
    paused, because it is already breached."""
    if not rules.may_pause(clock.as_state(), at):
        return
    _take(case, clock, Step(StepKind.PAUSE, reason=reason[:200], by_hand=held), at)
    _wrote(case, clock, StepKind.PAUSE, reason, at, clock.paused_at)


@written_together
def resume(case: Escalation, clock: Clock, *, at: datetime) -> None:
    """Continue counting where it stopped."""
    if clock.state != Clock.PAUSED:
        return
    _take(case, clock, Step(StepKind.RESUME), at)
    _wrote(case, clock, StepKind.RESUME, f"due {recorded(clock.due_at)}", at, at)


@written_together
def pause_all(case: Escalation, *, at: datetime, reason: str) -> None:
    """Pause every running clock of the kinds that wait."""
    for clock in _book(case).live():
        if clock.state == Clock.RUNNING and clock.rule.waits:
            pause(case, clock, at=at, reason=reason)


@written_together
def resume_all(case: Escalation, *, at: datetime) -> None:
    """Resume every paused clock but those held by hand."""
    for clock in _book(case).live():
        if not clock.held:
            resume(case, clock, at=at)


@written_together
def retarget(case: Escalation, *, at: datetime) -> None:
    """Give the live clocks the targets of the case's present tier and level, from the same start with the same pauses.

    Warnings that were sent are not sent again; a new target already past breaches once, at the new due time.
    """
    book = _book(case)
    for clock in book.live():
        made = book.targets.of(clock.kind) if clock.target_text != DATE_GIVEN else None
        if made is None or clock.breached_at or not _differs(clock, made):
            continue
        _word(clock, made)
        _take(case, clock, Step(StepKind.RETARGET, terms=_terms(clock.kind, made)), at)
        _wrote(case, clock, StepKind.RETARGET, made.text, at, at)


def _differs(clock: Clock, made: Promise) -> bool:
    now_has = (clock.target_seconds, clock.calendar_id, clock.warn_percent, clock.also_warn_at, clock.on_breach)
    calendar = made.calendar.pk if made.calendar else None
    return now_has != (made.seconds, calendar, made.warn_percent, list(made.also_warn_at), made.on_breach)


@written_together
def follow_calendar(case: Escalation, clock: Clock, *, at: datetime) -> bool:
    """The hours of the clock's calendar were changed: count again from the same start with the same pauses.

    Returns whether the due time moved; a change that does not move it (a holiday next year) is not written to the history.
    """
    if clock.state not in (Clock.RUNNING, Clock.PAUSED) or clock.breached_at:
        return False
    before = (clock.used_seconds, clock.due_at)
    _take(case, clock, Step(StepKind.RETARGET), at)
    if before == (clock.used_seconds, clock.due_at):
        return False
    name = clock.calendar.name if clock.calendar else ""
    _wrote(case, clock, StepKind.RETARGET, f"the hours of {name} were changed", at, at)
    return True


@written_together
def stop(case: Escalation, kind: str, *, at: datetime, outcome: str = "", about: int = 0) -> Clock | None:
    """End the live clock of this kind: met or missed by its due time, or the outcome given. None when none is live."""
    clock = _book(case).find(kind, about)
    if clock is not None:
        end(case, clock, at=at, outcome=outcome)
    return clock


@written_together
def end(case: Escalation, clock: Clock, *, at: datetime, outcome: str = "") -> None:
    """End this live clock. If it was late and not yet breached, it is breached at its due time first, and that is recorded."""
    if clock.breached_at is None and rules.is_late(clock.as_state(), at):
        _take(case, clock, Step(StepKind.BREACH), at)
        _wrote(case, clock, StepKind.BREACH, "ended after its due time", at, clock.due_at)
    _take(case, clock, Step(StepKind.STOP, outcome=outcome), at)
    _wrote(case, clock, StepKind.STOP, clock.get_state_display(), at, at)


@written_together
def go_on(case: Escalation, kind: str, *, ended_since: datetime, at: datetime) -> None:
    """What ended the clock of this kind at or after `ended_since` was undone: it goes on as if it had not stopped, with the
    same due time. A clock that started after it is stopped. If none ended, the live one continues, or a new one starts."""
    ended = case.clocks.filter(kind=kind, about=0, stopped_at__gte=ended_since).select_related("calendar")
    clock = ended.order_by("generation").first()
    if clock is None:
        if _book(case).find(kind) is None:
            start(case, kind, at=at)
        return
    stop(case, kind, at=at, outcome=Clock.STOPPED)
    _take(case, clock, Step(StepKind.GO_ON), at)
    _wrote(case, clock, StepKind.GO_ON, "continues, its end was undone", at, at)
    if clock.state == Clock.RUNNING and _waits(case, kind):
        pause(case, clock, at=at, reason=_waiting_reason(case))


@written_together
def stop_all(case: Escalation, *, at: datetime, resolved: bool = False) -> None:
    """End every live clock except those that outlive the case. Resolving meets the target of some kinds: their clocks are met
    or missed by their due time. The others are stopped."""
    for clock in _book(case).live():
        if not clock.rule.outlives_case:
            met = resolved and clock.rule.met_by_resolving
            end(case, clock, at=at, outcome="" if met else Clock.STOPPED)


@written_together
def refresh_cache(case: Escalation) -> None:
    """Write the worst running clock to the case again."""
    _book(case).cache_is_old = True


def _book(case: Escalation) -> Book:
    """The book that the verb opened."""
    if case.book is None:
        raise RuntimeError("A step of a clock belongs in a block that writes it (book.together).")
    return case.book


def hours_of(clock: Clock) -> WorkCalendar | None:
    """The calendar the clock counts on; None runs around the clock."""
    return work_calendar(clock.calendar) if clock.calendar_id else None


def _take(case: Escalation, clock: Clock, step: Step, at: datetime) -> None:
    """Take one step of a clock of a locked case."""
    before = (clock.due_at, clock.warn_at)
    clock.take(advance(clock.as_state(hours_of(clock)), step, at))
    book = _book(case)
    book.keep(clock)
    book.cache_is_old = True
    if clock.kind == states.DECISION:
        case.decision_clock = clock if clock.state in LIVE else None
    if before != (clock.due_at, clock.warn_at):
        tell_requests(case, clock)


def tell_requests(case: Escalation, clock: Clock) -> None:
    """Give the open requests of the case the due time of its decision clock; if it is paused, they show that."""
    if clock.kind != states.DECISION or clock.state not in LIVE or case.is_new:
        return
    waiting = ApprovalRequest.objects.open().filter(case_link__case=case)
    if clock.due_at is not None:
        keep_all_to(waiting, Due(clock.due_at, clock.warn_at or clock.due_at))
    elif clock.paused_at is not None:
        show_paused(waiting, clock.paused_at)


def _wrote(case: Escalation, clock: Clock, kind: StepKind, detail: str, at: datetime, moment: datetime | None) -> None:
    record(case, [entry(clock, kind, f"{clock.label}: {detail}", moment)], at=at)


def entry(clock: Clock, kind: StepKind, summary: str, moment: datetime | None) -> Entry:
    """The history entry of a step, with everything its row can be rebuilt from. `moment`: when the step takes effect; for a
    breach that is the due time."""
    data: dict[str, Any] = {
        "kind": clock.kind,
        "generation": clock.generation,
        "about": clock.about,
        "state": clock.state,
        "target_seconds": clock.target_seconds,
        "used_seconds": clock.used_seconds,
        "calendar": clock.calendar_id,
        "warn": [clock.warn_percent, *clock.also_warn_at],
        "repeat": [clock.repeat_minutes, clock.repeat_times],
        "warned_percent": clock.warned_percent,
        "repeats": clock.repeats,
        "due_at": clock.due_at.isoformat() if clock.due_at else None,
        "moment": moment.isoformat() if moment else None,
    }
    return Entry(kind=f"clock.{kind}", summary=summary, clock=clock, data=data)


def _waits(case: Escalation, kind: str) -> bool:
    return KINDS[kind].waits and states.WAITING[case.waiting_on].pauses


def _waiting_reason(case: Escalation) -> str:
    return f"Waiting on {states.WAITING[case.waiting_on].words}"


@transaction.atomic
def hold(*, case_id: int, clock_id: int, by: User, reason: str) -> Clock:
    """Pause one clock, whatever the case waits on; only a person resumes it.

    Raises NotAllowed, Invalid without a reason or for an acceptance, AlreadyDone when it does not run or is past due.
    """
    if not has_words(reason):
        raise Invalid("Enter why this clock pauses.", field="reason")
    at, case = now(), lock(case_id)
    check(case, by, "pause")
    clock = case.clocks.select_related("calendar").get(pk=clock_id)
    if clock.kind == states.ACCEPTANCE:
        raise Invalid("A hand-off waits for one person; refuse it, or hand the case to someone else.")
    with together(case):
        if clock.state == Clock.PAUSED and not clock.held:
            _take(case, clock, Step(StepKind.PAUSE, reason=reason[:200], by_hand=True), at)
        elif clock.state != Clock.RUNNING:
            raise AlreadyDone(f"{clock.label} is {clock.get_state_display().lower()}. It cannot be paused.")
        else:
            pause(case, clock, at=at, reason=reason, held=True)
            if clock.state != Clock.PAUSED:
                raise AlreadyDone(
                    f"{clock.label} is past SLA. A breached clock cannot be paused; explain in the thread."
                )
        record(case, [Entry(kind="held", summary=f"{clock.label} is paused by hand: {reason}", actor=by)], at=at)
    return clock


@transaction.atomic
def let_go(*, case_id: int, clock_id: int, by: User) -> Clock:
    """Resume a clock that was held by hand. While the case waits on somebody, it stays paused for that reason.

    Raises NotAllowed, and AlreadyDone when it is not held by hand.
    """
    at, case = now(), lock_with_requests(case_id)
    check(case, by, "pause")
    clock = case.clocks.select_related("calendar").get(pk=clock_id)
    if clock.state != Clock.PAUSED or not clock.held:
        raise AlreadyDone(f"{clock.label} is not paused by hand. Nothing changed.")
    with together(case):
        if _waits(case, clock.kind):
            _take(case, clock, Step(StepKind.RELEASE, reason=_waiting_reason(case)), at)
        else:
            resume(case, clock, at=at)
        record(case, [Entry(kind="held", summary=f"{clock.label} is no longer paused by hand", actor=by)], at=at)
    return clock
