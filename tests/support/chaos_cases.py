"""Cases with clocks that are due during a test, made in bulk, and the check of the results."""

import io
import itertools
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Max, Value
from django.db.models.functions import Concat
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from demo.fill import fill
from escalations.clocks.rules.clock import ClockState, Step, StepKind, Terms, advance
from escalations.models import Clock, Escalation, Event
from ledger.models import ClockOffset, Heartbeat
from ledger.now import now
from messaging.models import Message, Notice

CLOCKS_A_CASE = 3
# A clock that only warns has its due time a day later; the others run out this long after their warning.
GAP = timedelta(seconds=1)
ONCE = ("clock.start", "clock.breach", "clock.stop", "clock.decay")


def build(clocks: int) -> int:
    """Open cases in every state, copied from the demo, with at least this number of running clocks; returns how many."""
    cases = max(20, clocks // CLOCKS_A_CASE)
    while (running := _running().count()) < clocks:
        fill(cases, 1 + Escalation.objects.count(), lambda progress: None, open_share=1.0)
        cases = max(20, (clocks - running) // CLOCKS_A_CASE)
    # Mail that the demo marked as sent was never delivered.
    Message.objects.all().delete()
    Notice.objects.all().delete()
    return running


def _running() -> Any:
    return Clock.objects.filter(state=Clock.RUNNING, breached_at=None)


@transaction.atomic
def fall_due(clocks: int, seconds: float, lead: float = 0.5, each: int = 2) -> list[dict[str, Any]]:
    """Make this number of running clocks due over the next seconds, in any order; all others are not due for a day. All
    warn, and one in `each` also breaches. Each row is consistent with its start and target. Returns the expected steps:
    clock, and whether it breaches.
    """
    # A clock takes each of its steps once, and the mail about it says so by its key. These clocks begin again.
    Message.objects.update(key=Concat("key", Value(f" before {now().isoformat()}")))
    begin = now() + timedelta(seconds=lead)
    rows = list(_running().select_related("calendar"))
    random.Random(clocks).shuffle(rows)
    chosen, others = rows[:clocks], rows[clocks:]
    assert len(chosen) == clocks
    for place, clock in enumerate(chosen):
        moment = begin + timedelta(seconds=seconds * place / clocks)
        _let_warn(clock, moment, timedelta(days=1) if place % each else GAP)
    for clock in others:
        _let_warn(clock, begin + timedelta(days=2), timedelta(days=1))
    names = (
        *("calendar", "used_seconds", "stretches", "target_seconds", "started_at", "resumed_at", "warned_at"),
        *("warned_percent", "due_at", "warn_at", "fire_at", "fingerprint", "calendar_print", "also_warn_at"),
        *("warnings", "decays_at", "warn_percent"),
    )
    Clock.objects.bulk_update(rows, names, batch_size=500)
    return [{"clock": clock.pk, "breaches": not place % each} for place, clock in enumerate(chosen)]


def _let_warn(clock: Clock, moment: datetime, gap: timedelta) -> None:
    """A round-the-clock clock that warns at that moment, with three quarters used, and is due `gap` later."""
    terms = Terms(int(4 * gap.total_seconds()), repeat_minutes=clock.repeat_minutes, repeat_times=clock.repeat_times)
    terms = replace(terms, decays=clock.rule.decays)
    clock.take(advance(ClockState(), Step(StepKind.START, terms=terms), moment - 3 * gap))


def left(at_most: int = 5) -> dict[str, Any]:
    """The remaining work: due clocks, waiting messages."""
    at = now()
    waiting = Message.objects.filter(state=Message.PENDING)
    due = Clock.objects.past_due(at)
    return {
        "clocks": due.count(),
        "parked": Clock.objects.filter(parked=True).count(),
        "messages": waiting.filter(next_try_at__lte=at).count(),
        "later": waiting.filter(next_try_at__gt=at).count(),
        "some": [str(clock) for clock in due.select_related("case")[:at_most]],
    }


def move_clock(seconds: float) -> None:
    """Move the clock of all processes forward or back."""
    before = ClockOffset.objects.order_by("-id").values_list("seconds", flat=True).first() or 0.0
    ClockOffset.objects.create(seconds=before + seconds)


def unspoken(due: list[dict[str, Any]], since: int) -> list[str]:
    """The clocks of these that have not fired yet."""
    return _lost(due, list(Event.objects.filter(pk__gt=since)))


def poison() -> None:
    """Work that never ends, work that cannot be done, and a schedule that cannot be read."""
    async_task("time.sleep", 100_000)
    async_task("os.no_such_function")
    async_task("math.sqrt", -1)
    spoil_schedule()


def poison_for_ever() -> None:
    """Work that never ends, for one of the two that work."""
    async_task("time.sleep", 100_000)


def poison_that_raises() -> None:
    """Work that fails, more often than there are workers."""
    for _ in range(6):
        async_task("math.sqrt", -1)


def spoil_schedule() -> None:
    """A schedule that cannot be read, which stops all others."""
    Schedule.objects.create(func="os.abort", args="no such (", schedule_type=Schedule.MINUTES, next_run=now())


def empty_broker() -> None:
    """The table of queued work is emptied."""
    OrmQ.objects.all().delete()


def queue_sweep() -> None:
    """The job that runs once a minute."""
    async_task("config.tasks.sweep", save=False)


def worker_lives() -> bool:
    """Whether the worker has ever shown a sign of life."""
    return Heartbeat.objects.filter(name="worker").exists()


def last_event() -> int:
    """The current end of the log."""
    return Event.objects.aggregate(last=Max("pk"))["last"] or 0


def account(due: list[dict[str, Any]], since: int) -> dict[str, Any]:
    """All findings that must be empty after a test, and the counts: chosen clocks, events after `since`."""
    events = list(Event.objects.filter(pk__gt=since).order_by("case", "seq"))
    told = Counter(event.kind for event in events)
    by_case = {key: list(rows) for key, rows in itertools.groupby(events, key=lambda event: event.case_id)}
    return {
        "lost": _lost(due, events),
        "doubled": [*_doubled(events), *_doubled_warnings(events)],
        "broken_moves": [wrong for case, rows in by_case.items() for wrong in _broken_moves(case, rows)],
        "doubled_levels": [wrong for case, rows in by_case.items() for wrong in _doubled_levels(case, rows)],
        "log": _log(),
        "parked": list(Clock.objects.filter(parked=True).values_list("pk", "error")),
        "told": dict(told),
        "messages": dict(Counter(Message.objects.values_list("state", flat=True))),
        "sent": list(Message.objects.filter(state=Message.SENT).values_list("message_id", flat=True)),
        "dropped": list(Message.objects.filter(state=Message.DROPPED).values_list("message_id", flat=True)),
        "database": connection.vendor,
    }


def _lost(due: list[dict[str, Any]], events: list[Event]) -> list[str]:
    """Chosen clocks that did not fire. A clock that another step ended before its time need not."""
    spoke = {kind: {each.clock_id for each in events if each.kind == kind} for kind in ("clock.warn", "clock.breach")}
    ended = {each.clock_id for each in events if each.kind in ("clock.stop", "clock.retarget")}
    wrong = []
    for each in due:
        wanted = "clock.breach" if each["breaches"] else "clock.warn"
        if each["clock"] not in spoke[wanted] | ended:
            wrong.append(f"clock {each['clock']} has no {wanted}")
    return wrong


def _doubled(events: Iterable[Event]) -> list[str]:
    seen = Counter((event.clock_id, event.kind) for event in events if event.kind in ONCE)
    return [f"clock {clock}: {count} × {kind}" for (clock, kind), count in seen.items() if count > 1]


def _doubled_warnings(events: Iterable[Event]) -> list[str]:
    """A warning is sent once for each percent, a reminder once for each number."""
    names = {"clock.warn": "warned_percent", "clock.repeat": "repeats"}
    told = [(each.clock_id, each.kind, each.data.get(names[each.kind])) for each in events if each.kind in names]
    return [f"clock {key}: {count} times" for key, count in Counter(told).items() if count > 1]


def _broken_moves(case: int, events: list[Event]) -> list[str]:
    """Each move starts where the one before ended, and the case is where the last one ended; no hand-off expires twice."""
    moves = [event.data for event in events if event.kind == "moved"]
    wrong = [f"case {case}: {a} then {b}" for a, b in itertools.pairwise(moves) if a["to"] != b["from"]]
    state = Escalation.objects.values_list("state", flat=True).get(pk=case)
    if moves and moves[-1]["to"] != state:
        wrong.append(f"case {case} is {state} after {moves[-1]}")
    expired = Counter(event.data["handoff"] for event in events if event.kind == "expired")
    return wrong + [f"case {case}: hand-off {key} expired {count} times" for key, count in expired.items() if count > 1]


def _doubled_levels(case: int, events: list[Event]) -> list[str]:
    """A case only goes up. A clock that runs out may escalate it twice: with its request, then by the matrix."""
    levels = [event.data["level"] for event in events if event.kind == "level"]
    breaches = sum(event.kind == "clock.breach" for event in events)
    wrong = [f"case {case}: level {levels}"] if sorted(set(levels)) != levels else []
    return wrong + (
        [f"case {case}: {len(levels)} levels for {breaches} breaches"] if len(levels) > 2 * breaches else []
    )


def _log() -> list[str]:
    """The findings of `verify_log`."""
    complaints = io.StringIO()
    try:
        call_command("verify_log", "--no-anchors", stdout=io.StringIO(), stderr=complaints)
    except CommandError as error:
        return [str(error), *complaints.getvalue().splitlines()[:10]]
    return []
