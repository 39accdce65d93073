"""The clocks against their history: every row must be what its entries say, and one that is not can be put right."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from accounts.calendars.queries import work_calendar
from accounts.models import Calendar
from escalations.cases.log import lock
from escalations.clocks import verbs as clocks
from escalations.clocks.rules import history as rules
from escalations.clocks.rules import timing
from escalations.clocks.schedule import count_anew, hours_of, schedule, watch
from escalations.models import Clock, Event

AT_ONCE = 500
COMPARED = (
    "state",
    "started_at",
    "resumed_at",
    "paused_at",
    "stopped_at",
    "breached_at",
    "target_seconds",
    "used_seconds",
    "calendar_id",
    "warned_percent",
    "repeats",
    "due_at",
)


@dataclass(frozen=True)
class Difference:
    """A column of a clock that is not what its history says."""

    clock: Clock
    column: str
    row: object
    history: object

    def __str__(self) -> str:
        return (
            f"ESC-{self.clock.case_id} {self.clock.label} ({self.clock.generation}): {self.column} is {self.row}, "
            f"its history says {self.history}"
        )


def differences() -> Iterator[Difference]:
    """Every difference, clock by clock; none when all is well. Reads everything, in pieces."""
    last = 0
    while batch := list(Clock.objects.filter(pk__gt=last).select_related("calendar").order_by("pk")[:AT_ONCE]):
        last = batch[-1].pk
        histories, hours = _histories([clock.pk for clock in batch]), _hours_by_id()
        for clock in batch:
            yield from compare(clock, histories[clock.pk], hours)


def compare(clock: Clock, history: list[rules.Entry], hours: rules.Hours) -> Iterator[Difference]:
    """One clock against its history. The due time of an ended clock is what was written when it ended: the calendar may
    have changed since."""
    if not history or history[0].what != "start":
        yield Difference(clock, "history", "there", "missing: no start")
        return
    rebuilt = rules.replay(history, hours, clock.calendar_id)
    if rebuilt.state not in (Clock.RUNNING, Clock.PAUSED):
        told = history[-1].data.get("due_at")
        rebuilt.due_at = datetime.fromisoformat(told) if told else None
        rebuilt.used_seconds = history[-1].data.get("used_seconds", rebuilt.used_seconds)
    for column in COMPARED:
        row, said = getattr(clock, column), getattr(rebuilt, column)
        if row != said and (column, said) != ("warned_percent", None):
            yield Difference(clock, column, row, said)


def _histories(ids: list[int]) -> dict[int, list[rules.Entry]]:
    found: dict[int, list[rules.Entry]] = defaultdict(list)
    rows = Event.objects.filter(clock__in=ids, kind__startswith="clock.").order_by("case_id", "seq")
    for clock_id, kind, at, data in rows.values_list("clock_id", "kind", "at", "data"):
        found[clock_id].append(rules.Entry(kind.removeprefix("clock."), at, data))
    return found


def _hours_by_id() -> rules.Hours:
    """The calendars as they are now, by id."""
    calendars = Calendar.objects.in_bulk()
    return lambda pk: work_calendar(calendars[pk]) if pk else None


@transaction.atomic
def repair(clock_id: int) -> bool:
    """Write what the history says to one clock; False when it was right (or put right meanwhile)."""
    case_id = Clock.objects.values_list("case_id", flat=True).get(pk=clock_id)
    case = lock(case_id)
    clock = Clock.objects.select_related("calendar").get(pk=clock_id)
    history = _histories([clock_id])[clock_id]
    hours = _hours_by_id()
    wrong = list(compare(clock, history, hours))
    if not wrong or wrong[0].column == "history":
        return False
    for each in wrong:
        setattr(clock, each.column, each.history)
    rebuilt = rules.replay(history, hours, clock.calendar_id)
    clock.stretches = [[begin.isoformat(), end.isoformat()] for begin, end in rebuilt.stretches]
    if clock.state == Clock.RUNNING:
        clock.calendar = Calendar.objects.filter(pk=clock.calendar_id or 0).first()
        schedule(clock)
    else:
        clock.warn_at = clock.fire_at = None
    clock.save()
    clocks.refresh_cache(case)
    return True


@dataclass
class CalendarWatch:
    """Looks after the live clocks when the hours of a calendar change; remembers which hours it has dealt with."""

    seen: dict[int, str] = field(default_factory=dict)

    def follow(self, at: datetime) -> int:
        """Count the live clocks anew whose calendar got other hours since; returns how many got another due time.

        A change that moves no due time of a clock (a holiday next year) is not worth an entry in its history.
        """
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
    """The same for whoever looks once."""
    return CalendarWatch().follow(at)


@transaction.atomic
def _follow(clock_id: int, present: str, at: datetime) -> bool:
    case = lock(Clock.objects.values_list("case_id", flat=True).get(pk=clock_id))
    clock = Clock.objects.select_related("calendar").get(pk=clock_id)
    if clock.state not in (Clock.RUNNING, Clock.PAUSED) or clock.calendar_print == present:
        return False
    before = (clock.used_seconds, clock.due_at)
    count_anew(clock)
    due_at = watch(clock).due_at if clock.state == Clock.RUNNING else None
    if before != (clock.used_seconds, due_at):
        clocks.follow_calendar(case, clock, at=at)
        return True
    if clock.state == Clock.RUNNING:
        schedule(clock)
    else:
        hours = hours_of(clock)
        clock.calendar_print = timing.print_of(hours) if hours else ""
    clock.save()
    return False
