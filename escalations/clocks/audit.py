"""Compares clocks with their history: every row must match its entries, and a row that does not can be repaired.

A clock's row is a cache. Its history is folded with the same `advance` that wrote it: same start, same pauses, same
targets, and the due time follows from the calendar.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.calendars.queries import work_calendar
from accounts.calendars.rules.workcalendar import WorkCalendar
from accounts.models import Calendar
from escalations.cases.log import lock
from escalations.clocks import verbs
from escalations.clocks.rules import timing
from escalations.clocks.rules.clock import ClockState, Step, StepKind, Terms, advance
from escalations.clocks.rules.kinds import KINDS
from escalations.models import Clock, Event

AT_ONCE = 500
COMPARED = (
    *("state", "started_at", "resumed_at", "paused_at", "stopped_at", "breached_at", "used_seconds"),
    *("warned_percent", "repeats", "due_at", "fire_at"),
)
COMPARED_TERMS = ("target_seconds", "calendar_id")
# Columns without an entry in the history: who paused it, and failed tries.
KEPT = ("held", "pause_reason", "warned_at", "tries", "parked", "error")
Hours = Callable[[int | None], WorkCalendar | None]


@dataclass(frozen=True)
class HistoryEntry:
    """One entry of a clock's history: its kind, its time and its data."""

    kind: StepKind
    at: datetime
    data: dict[str, Any]  # as verbs.entry wrote it

    @property
    def moment(self) -> datetime:
        """When it took effect."""
        return datetime.fromisoformat(self.data["moment"]) if self.data["moment"] else self.at


@dataclass(frozen=True)
class Difference:
    """A column of a clock that differs from its history."""

    clock: Clock
    column: str
    row: object
    history: object

    def __str__(self) -> str:
        return (
            f"ESC-{self.clock.case_id} {self.clock.label} ({self.clock.generation}): {self.column} is {self.row}, "
            f"its history says {self.history}"
        )


def replay(entries: Iterable[HistoryEntry], hours: Hours) -> ClockState:
    """The clock that these entries lead to. `hours` gives the calendar of an id; None runs around the clock.

    Calendars may have changed since a clock ended, so an ended clock has the due time and the seconds of its last entry.
    """
    clock, last = ClockState(), None
    for last in entries:
        # Steps of the engine are noticed at `at`; all others take effect at their moment.
        fired = last.kind in (StepKind.WARN, StepKind.BREACH, StepKind.REPEAT, StepKind.DECAY)
        clock = advance(clock, _step(last, hours), last.at if fired else last.moment)
    if last is not None and clock.stopped_at is not None:
        due_at = datetime.fromisoformat(last.data["due_at"]) if last.data["due_at"] else None
        clock = replace(clock, due_at=due_at, used_seconds=last.data["used_seconds"])
    return clock


def _step(entry: HistoryEntry, hours: Hours) -> Step:
    data = entry.data
    match entry.kind:
        case StepKind.START | StepKind.RETARGET:
            warn_percent, *also_warn_at = data["warn"]
            terms = Terms(
                data["target_seconds"],
                data["calendar"],
                hours(data["calendar"]),
                warn_percent,
                tuple(also_warn_at),
                data["repeat"][0],
                data["repeat"][1],
                KINDS[data["kind"]].decays,
            )
            return Step(entry.kind, terms=terms)
        case StepKind.WARN:
            return Step(entry.kind, number=data["warned_percent"])
        case StepKind.REPEAT:
            return Step(entry.kind, number=data["repeats"])
        case StepKind.BREACH:
            return Step(entry.kind, due_at=entry.moment)
        case StepKind.STOP:
            return Step(entry.kind, outcome=data["state"])
        case _:
            return Step(entry.kind)


def differences() -> Iterator[Difference]:
    """All differences, clock by clock. Reads all clocks, in batches."""
    last = 0
    while batch := list(Clock.objects.filter(pk__gt=last).select_related("calendar").order_by("pk")[:AT_ONCE]):
        last = batch[-1].pk
        histories, hours = _histories([clock.pk for clock in batch]), _hours_by_id()
        for clock in batch:
            yield from compare(clock, histories[clock.pk], hours)


def compare(clock: Clock, history: list[HistoryEntry], hours: Hours) -> Iterator[Difference]:
    """One clock against its history."""
    if not history or history[0].kind != StepKind.START:
        yield Difference(clock, "history", "there", "missing: no start")
        return
    rebuilt = replay(history, hours)
    told = [(column, getattr(rebuilt, column)) for column in COMPARED]
    told += [(column, getattr(rebuilt.terms, column)) for column in COMPARED_TERMS]
    for column, said in told:
        if getattr(clock, column) != said:
            yield Difference(clock, column, getattr(clock, column), said)


def _histories(ids: list[int]) -> dict[int, list[HistoryEntry]]:
    found: dict[int, list[HistoryEntry]] = defaultdict(list)
    rows = Event.objects.filter(clock__in=ids, kind__startswith="clock.").order_by("case_id", "seq")
    for clock_id, kind, at, data in rows.values_list("clock_id", "kind", "at", "data"):
        if clock_id is not None:
            found[clock_id].append(HistoryEntry(StepKind(kind.removeprefix("clock.")), at, data))
    return found


def _hours_by_id() -> Hours:
    """The current calendars, by id."""
    calendars = Calendar.objects.in_bulk()
    return lambda pk: work_calendar(calendars[pk]) if pk else None


@transaction.atomic
def repair(clock_id: int) -> bool:
    """Repair one clock from its history; False if it was right (or was repaired meanwhile)."""
    case = lock(Clock.objects.values_list("case_id", flat=True).get(pk=clock_id))
    clock = Clock.objects.select_related("calendar").get(pk=clock_id)
    history, hours = _histories([clock_id])[clock_id], _hours_by_id()
    wrong = list(compare(clock, history, hours))
    if not wrong or wrong[0].column == "history":
        return False
    clock.take(replace(replay(history, hours), **{name: getattr(clock, name) for name in KEPT}))
    clock.save()
    verbs.refresh_cache(case)
    return True


@dataclass
class CalendarWatch:
    """Follows changes of calendars: recalculates live clocks when the hours of their calendar change. Remembers the
    hours it has handled."""

    seen: dict[int, str] = field(default_factory=dict)

    def follow(self, at: datetime) -> int:
        """Recalculate live clocks whose calendar has new hours; returns how many got another due time."""
        changed = 0
        for calendar in Calendar.objects.all():
            present = timing.print_of(work_calendar(calendar))
            if self.seen.get(calendar.pk) == present:
                continue
            stale = Clock.objects.live().filter(calendar=calendar, breached_at=None).exclude(calendar_print=present)
            changed += sum([_follow(pk, present, at) for pk in list(stale.order_by("pk").values_list("pk", flat=True))])
            self.seen[calendar.pk] = present
        return changed


def follow_calendars(at: datetime) -> int:
    """`CalendarWatch.follow` for a single call."""
    return CalendarWatch().follow(at)


@transaction.atomic
def _follow(clock_id: int, present: str, at: datetime) -> bool:
    case = lock(Clock.objects.values_list("case_id", flat=True).get(pk=clock_id))
    clock = Clock.objects.select_related("calendar").get(pk=clock_id)
    return clock.calendar_print != present and verbs.follow_calendar(case, clock, at=at)
