"""One transaction for many due clocks: claim, history, word to people and the next step, in a handful of statements.

Warnings, breaches of which people are told, and reminders go this way; what moves a case (a level up, a hand-off that ran
out) goes through the verbs, one case a transaction, in `services.firing`. Both take their steps from `rules.steps`.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection, transaction

from accounts.models import Calendar
from escalations import states
from escalations.clocks import log as history
from escalations.clocks import notify as standing
from escalations.clocks.audience import audience
from escalations.clocks.rules import steps
from escalations.clocks.schedule import watch
from escalations.models import Clock, Escalation, Event, Target
from ledger import bulk, chain, faults
from ledger.format import recorded

CHAIN_COLUMNS = ("log_count", "log_last", "log_seal")
READ = (
    *("id", "case_id", "kind", "about", "topic", "generation", "state", "level", "calendar_id", "on_breach"),
    *("target_seconds", "used_seconds", "resumed_at", "due_at", "warn_at", "fire_at", "warned_at", "breached_at"),
    *("warn_percent", "also_warn_at", "warned_percent", "repeat_minutes", "repeat_times", "repeats"),
)
COLUMNS = ("warned_at", "warned_percent", "breached_at", "repeats", "fire_at", "tries")


@dataclass
class Parent:
    """What is needed of a case: its chain and what a mail says of it."""

    pk: int
    log_count: int
    log_last: str
    log_seal: str
    account_name: str
    entries: list[Any] = field(default_factory=list)


class Due(NamedTuple):
    """A clock with the step it takes and the moment it had to fire, which proves the claim."""

    clock: Any
    step: steps.Step
    fired_at: datetime


@transaction.atomic
def sweep(case_ids: Collection[int], at: datetime) -> tuple[int, list[int]]:
    """Take every due step of these cases that moves no case; returns how many, and the cases that need the verbs.

    Cases held by somebody else are left for the next round. All or nothing: raises when a row cannot be taken.
    """
    parents = _locked(case_ids)
    faults.passing("after_claim")
    found = _due_of(list(parents), at)
    moving = {due.clock.case_id for due in found if _moves(due, at)}
    taken = [due for due in found if due.clock.case_id not in moving]
    if taken:
        _write(parents, taken, at)
    faults.passing("before_commit")
    return len(taken), sorted(moving)


def _locked(case_ids: Collection[int]) -> dict[int, Parent]:
    """The cases that nobody else holds, locked in ascending order."""
    free = bulk.among(Escalation.objects.order_by("pk"), "id", case_ids)
    if connection.features.has_select_for_update_skip_locked:
        free = free.select_for_update(skip_locked=True, of=("self",))
    rows = bulk.read(free, ("id", *CHAIN_COLUMNS, "account__name"))
    return {row[0]: Parent(*row) for row in rows}


def _due_of(case_ids: list[int], at: datetime) -> list[Due]:
    """Due clocks of these cases as plain rows, oldest first, each with its step."""
    row_of, due = bulk.row_class(Clock), bulk.among(Clock.objects.past_due(at), "case_id", case_ids)
    clocks = [row_of(**dict(zip(READ, row, strict=True))) for row in bulk.read(due, READ)]
    calendars = _calendars(clocks)
    found = []
    for clock in clocks:
        seen = _seen(clock, calendars)
        step = steps.step_at(seen, at)
        if step is None:
            raise LookupError(f"Clock {clock.id} is due at {clock.fire_at} and has nothing to do")
        found.append(Due(clock, step, clock.fire_at))
        _advance(clock, seen, step, at)
    return found


def _plain(clock: Any) -> bool:
    """Whether the moments on the row are all there is: one warning, no decay."""
    return not clock.also_warn_at and clock.kind != states.FIRST_ACT


def _calendars(clocks: list[Any]) -> dict[int, Calendar]:
    wanted = {clock.calendar_id for clock in clocks if clock.calendar_id and not _plain(clock)}
    return Calendar.objects.in_bulk(wanted) if wanted else {}


def _seen(clock: Any, calendars: dict[int, Calendar]) -> steps.Watch:
    if not _plain(clock):
        clock.calendar = calendars.get(clock.calendar_id)
        return watch(clock)
    return steps.Watch(
        clock.due_at,
        ((clock.warn_percent, clock.warn_at),),
        clock.warned_percent,
        clock.breached_at,
        clock.repeat_minutes,
        clock.repeat_times,
        clock.repeats,
    )


def _advance(clock: Any, seen: steps.Watch, step: steps.Step, at: datetime) -> None:
    """What the step changes on the row, and when the next one is due."""
    clock.tries = 0
    if step.kind == steps.WARN:
        clock.warned_at, clock.warned_percent = at, step.number
    elif step.kind == steps.BREACH:
        # Breach time is the due time. Reminders that were missed since are counted, not sent.
        clock.breached_at = clock.due_at
        missed = steps.step_at(seen._replace(breached_at=clock.due_at), at)
        clock.repeats = missed.number if missed and missed.kind == steps.REPEAT else clock.repeats
    elif step.kind == steps.REPEAT:
        clock.repeats = step.number
    told = (clock.warned_percent, clock.breached_at)
    clock.fire_at = steps.next_at(
        steps.Watch(seen.due_at, seen.warnings, *told, *seen[4:6], clock.repeats, seen.decays_at)
    )


def _moves(due: Due, at: datetime) -> bool:
    """Whether the step moves its case: a hand-off runs out, the next level gets it, it decays."""
    if due.step.kind == steps.DECAY:
        return True
    if due.step.kind != steps.BREACH:
        return False
    clock = due.clock
    decays = clock.kind == states.FIRST_ACT and clock.fire_at is not None and clock.fire_at <= at
    return decays or clock.kind == states.ACCEPTANCE or clock.on_breach == Target.ESCALATE


def _write(parents: dict[int, Parent], taken: list[Due], at: datetime) -> None:
    event = bulk.row_class(Event)
    for due in taken:
        parents[due.clock.case_id].entries.append(event(**_entry(due, at)))
    touched = [parent for parent in parents.values() if parent.entries]
    for parent in touched:
        chain.number(parent, parent.entries)  # type: ignore[arg-type]  # a parent without the weight of a model
    _claim(taken)
    bulk.insert(Event, [entry for parent in touched for entry in parent.entries])
    standing.post(_told(parents, taken), at=at)
    _change(Escalation, CHAIN_COLUMNS)().run(
        [(parent.log_count, parent.log_last, parent.log_seal, parent.pk) for parent in touched]
    )


def _entry(due: Due, at: datetime) -> dict[str, Any]:
    clock, step = due.clock, due.step
    moment = clock.due_at if step.kind == steps.BREACH else due.fired_at
    return {
        "case_id": clock.case_id,
        "at": at,
        "kind": f"clock.{step.kind}",
        "audience": Event.SYSTEM,
        "actor_name": "Escalation Desk",
        "summary": summary(clock, step),
        "clock_id": clock.id,
        "data": history.data(clock, moment),
    }


def summary(clock: Any, step: steps.Step) -> str:
    """The step as the thread says it."""
    if step.kind == steps.WARN:
        return f"{clock.label}: {step.number}% of the time is used"
    if step.kind == steps.REPEAT:
        return f"{clock.label} is still past SLA; reminder {step.number} of {clock.repeat_times}"
    if step.kind == steps.DECAY:
        return f"{clock.label}: accepted, and nothing was begun in twice the time"
    return f"{clock.label} was due {recorded(clock.due_at)} and is past SLA"


def _claim(taken: list[Due]) -> None:
    """Write the rows, each only while it is as it was read. The case's lock makes sure of it; this proves it."""
    values = attrgetter(*COLUMNS)
    rows = [(*values(clock), fired_at, clock.id) for clock, _, fired_at in taken]
    if _change(Clock, COLUMNS, "fire_at")().run(rows) != len(rows):
        raise RuntimeError("A clock was fired by somebody else meanwhile")


@cache
def _change(model: Any, columns: tuple[str, ...], guard: str = "") -> Callable[[], bulk.Change]:
    made: dict[str, bulk.Change] = {}
    return lambda: made.setdefault(connection.vendor, bulk.Change(model, columns, guard=guard))


def _told(parents: dict[int, Parent], taken: list[Due]) -> list[standing.Told]:
    """One word a case: about the step that matters most."""
    worst: dict[int, Due] = {}
    for due in taken:
        before = worst.get(due.clock.case_id)
        if before is None or weight(due.step) >= weight(before.step):
            worst[due.clock.case_id] = due
    kinds = {due.clock.kind for due in taken}
    people = audience(list(worst), kinds=kinds, about=[due.clock.about for due in taken])
    return [
        standing.Told(
            case_id,
            f"ESC-{case_id}",
            parents[case_id].account_name,
            due.clock.id,
            due.clock.kind,
            due.clock.label,
            due.step,
            people.of(case_id, due.clock.kind, due.clock.about, late=due.step.kind != steps.WARN),
        )
        for case_id, due in worst.items()
    ]


def weight(step: steps.Step) -> int:
    """A breach says more than a reminder, a reminder more than a warning."""
    return (steps.WARN, steps.REPEAT, steps.DECAY, steps.BREACH).index(step.kind)
