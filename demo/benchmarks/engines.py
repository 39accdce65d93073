"""How late a running engine is, and how long it needs for a backlog, compared with the minimum of the database for the
same rows.

The size is the load to build for: 3,200 open cases with 16,000 live clocks, 2,000 clocks due within a minute, and
10,000 due at one moment after an outage. The database is a copy that is deleted afterwards.
"""

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import quantiles
from typing import TypedDict

from django.db import connection, transaction

from config.lifeline import follow_parent
from demo.benchmarks.preparing import analyze
from demo.benchmarks.servers import ROOT
from escalations import states
from escalations.clocks.rules.clock import ClockState, Step, StepKind, Terms, advance
from escalations.models import CasePerson, Clock, Escalation, Event, Target
from ledger.models import Heartbeat
from ledger.now import now

CASES, SPREAD, BACKLOG, MINUTE = 3_200, 2_000, 10_000, 60.0
KINDS = (states.RESPONSE, states.CUSTOMER_UPDATE, states.RESOLUTION, states.INTERNAL_UPDATE, states.CHECK_IN)
BATCH = 200
MOVED = (
    *("started_at", "resumed_at", "target_seconds", "due_at", "warn_at", "warnings", "fire_at"),
    *("warned_at", "warned_percent", "breached_at"),
)
LEAD = timedelta(seconds=3)
LOOK = 0.02  # seconds between two checks, which the figures include
PATIENCE = 120.0
# Two writers may commit numbers out of order; a number this far behind the newest one may still appear.
OUT_OF_ORDER = 2_500


class Measured(TypedDict):
    """Seconds, and the number of live clocks."""

    clocks: int
    p99: float
    latest: float
    backlog: float
    floor: float


def told() -> str:
    """The measurement as JSON."""
    return json.dumps(measure())


def measure() -> Measured:
    """Fill this database and measure one engine on it."""
    Clock.objects.update(fire_at=None)
    clocks = fill(CASES)
    analyze()
    spread = lateness(clocks[:SPREAD], MINUTE)
    # The other cases do not change; every second clock is also past due.
    backlog = lateness(clocks[-BACKLOG:], 0.0)
    return {
        "clocks": Clock.objects.live().count(),
        "p99": quantiles(spread, n=100, method="inclusive")[98],
        "latest": spread[-1],
        "backlog": backlog[-1],
        "floor": floor(clocks[-BACKLOG:]),
    }


@transaction.atomic
def fill(number: int) -> list[Clock]:
    """This number of copies of one open case of the demo, each with its owner and five running clocks that are not due for a
    day."""
    template = Escalation.objects.open().filter(owner__isnull=False, people__duty=CasePerson.OWNER).order_by("pk")[0]
    cases = [_copy_of(template) for _ in range(number)]
    Escalation.objects.bulk_create(cases, batch_size=BATCH)
    people = [CasePerson(case=case, user=case.owner, letter="R", duty=CasePerson.OWNER, since=now()) for case in cases]
    CasePerson.objects.bulk_create(people, batch_size=BATCH)
    clocks = []
    for kind in KINDS:
        for case in cases:
            clock = Clock(case=case, kind=kind, level=case.level, target_text="1 day", on_breach=Target.REMIND)
            clock.take(advance(ClockState(), Step(StepKind.START, terms=Terms(86_400)), now()))
            clocks.append(clock)
    return Clock.objects.bulk_create(clocks, batch_size=BATCH)


def _copy_of(template: Escalation) -> Escalation:
    values = {field.attname: getattr(template, field.attname) for field in Escalation._meta.concrete_fields}
    return Escalation(**{**values, "id": None, "log_count": 0, "log_last": "", "log_seal": ""})


def lateness(clocks: Sequence[Clock], seconds: float) -> list[float]:
    """Seconds each of these clocks fires late, sorted, when they fall due over the next `seconds` and one engine runs as a
    process of its own."""
    begun = now()
    command = [sys.executable, "manage.py", "run_engine"]
    engine = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, preexec_fn=follow_parent)
    try:
        _until_it_lives(begun)
        return sorted(_watch(_let_fall_due(clocks, seconds)))
    finally:
        engine.terminate()
        engine.wait(30)


def late_among_others(number: int, seconds: float) -> list[float]:
    """Seconds each of this number of clocks fires late, when they fall due over some seconds and an engine runs already."""
    clocks = fill(-(-number // len(KINDS)))[:number]
    return sorted(_watch(_let_fall_due(clocks, seconds)))


def _let_fall_due(clocks: Sequence[Clock], seconds: float) -> dict[int, datetime]:
    """Let these clocks fire over the next `seconds`, every second one a breach and the others a warning."""
    begin = now() + LEAD + timedelta(seconds=len(clocks) / 1_000)
    due = {clock.pk: begin + timedelta(seconds=seconds * place / len(clocks)) for place, clock in enumerate(clocks)}
    alike: dict[tuple[datetime, bool], list[int]] = defaultdict(list)
    for place, (pk, moment) in enumerate(due.items()):
        alike[moment, bool(place % 2)].append(pk)
    with transaction.atomic():
        for (moment, breaches), ids in alike.items():
            # A clock of four hours warns after three.
            started_at = moment - timedelta(hours=4 if breaches else 3)
            clock = Clock(kind=KINDS[0])
            state = advance(ClockState(), Step(StepKind.START, terms=Terms(4 * 3_600)), started_at)
            clock.take(advance(state, Step(StepKind.WARN, 75), started_at) if breaches else state)
            Clock.objects.filter(pk__in=ids).update(**{name: getattr(clock, name) for name in MOVED})
    return due


def _until_it_lives(begun: datetime) -> None:
    """Wait until the engine has started, because an engine that is still loading is not late."""
    patience = time.monotonic() + PATIENCE
    while time.monotonic() < patience:
        if Heartbeat.objects.filter(name="engine", at__gt=begun).exists():
            return
        time.sleep(LOOK)
    raise RuntimeError("the engine did not start")


def _watch(due: dict[int, datetime]) -> list[float]:
    """How late each of these clocks is: the time until others can read its entry."""
    begun = last = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    found: dict[int, float] = {}
    patience = time.monotonic() + PATIENCE + (max(due.values()) - now()).total_seconds()
    while len(found) < len(due) and time.monotonic() < patience:
        entries = Event.objects.filter(pk__gt=max(begun, last - OUT_OF_ORDER), kind__in=["clock.warn", "clock.breach"])
        rows, seen = list(entries.order_by("pk").values_list("pk", "clock_id")), now()
        for pk, clock in rows:
            last = pk
            if clock in due and clock not in found:
                found[clock] = (seen - due[clock]).total_seconds()
        time.sleep(LOOK)
    if len(found) < len(due):
        raise RuntimeError(f"only {len(found)} of {len(due)} clocks fired")
    return list(found.values())


def floor(clocks: Sequence[Clock]) -> float:
    """Seconds for one plain UPDATE and one plain row each, in transactions of 200, nothing else."""
    table, at = Clock._meta.db_table, now()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_audit (clock_id bigint, at varchar(40), what varchar(20))")
        begun = time.perf_counter()
        for place in range(0, len(clocks), BATCH):
            batch = [clock.pk for clock in clocks[place : place + BATCH]]
            with transaction.atomic():
                cursor.executemany(f"UPDATE {table} SET fire_at = due_at WHERE id = %s", [(pk,) for pk in batch])  # noqa: S608
                rows = [(pk, at.isoformat(), "warn") for pk in batch]
                cursor.executemany("INSERT INTO bench_audit VALUES (%s, %s, %s)", rows)
        return time.perf_counter() - begun
