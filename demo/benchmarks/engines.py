"""How late a running engine is: the time between a clock's due moment and when everybody else can see that it fired."""

import subprocess
import sys
import time
from datetime import datetime, timedelta
from statistics import quantiles

from django.db import connection

from demo.benchmarks.million import FIRST
from demo.benchmarks.scratch import ROOT
from escalations.models import Clock, Event
from ledger import bulk
from ledger.models import Heartbeat
from ledger.now import now

LOOK = 0.02  # seconds between two looks, which the figures contain
PATIENCE = 120.0
# Two who write at once commit numbers out of order; so far behind the newest one a number may still turn up.
OUT_OF_ORDER = 2500


def spread(count: int, seconds: float, *, first: int) -> dict[int, datetime]:
    """Let this many clocks fall due over the next `seconds`, beginning in three; returns each with its moment."""
    begin = now() + timedelta(seconds=3)
    clocks = Clock.objects.filter(case_id__gt=FIRST + first, case_id__lte=FIRST + first + count, state=Clock.RUNNING)
    ids = sorted(clocks.values_list("pk", flat=True))
    due = {pk: begin + timedelta(seconds=seconds * place / len(ids)) for place, pk in enumerate(ids)}
    rows = [(moment, moment, moment + timedelta(hours=1), 0, None, pk) for pk, moment in due.items()]
    bulk.Change(Clock, ("fire_at", "warn_at", "due_at", "warned_percent", "breached_at")).run(rows)
    return due


def lateness(count: int, seconds: float, *, first: int) -> list[float]:
    """Seconds each of `count` clocks was late, sorted, with one engine that already runs as a process of its own."""
    begun = now()
    engine = subprocess.Popen([sys.executable, "manage.py", "run_engine"], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        _until_it_lives(begun)
        return sorted(_watch(spread(count, seconds, first=first)))
    finally:
        engine.terminate()
        engine.wait(30)


def _until_it_lives(begun: datetime) -> None:
    """An engine that is still loading is no late engine."""
    patience = time.monotonic() + PATIENCE
    while time.monotonic() < patience:
        if Heartbeat.objects.filter(name="engine", at__gt=begun).exists():
            return
        time.sleep(LOOK)
    raise RuntimeError("the engine did not start")


def _watch(due: dict[int, datetime]) -> list[float]:
    begun = last = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    found: dict[int, float] = {}
    patience = time.monotonic() + PATIENCE + (max(due.values()) - now()).total_seconds()
    with connection.cursor() as cursor:
        while len(found) < len(due) and time.monotonic() < patience:
            cursor.execute(
                f"SELECT id, clock_id FROM {Event._meta.db_table} WHERE id > %s AND kind = 'clock.warn' ORDER BY id",  # noqa: S608
                [max(begun, last - OUT_OF_ORDER)],
            )
            rows, seen = cursor.fetchall(), now()
            found |= {
                clock: (seen - due[clock]).total_seconds() for _, clock in rows if clock in due and clock not in found
            }
            last = rows[-1][0] if rows else last
            time.sleep(LOOK)
    if len(found) < len(due):
        raise RuntimeError(f"only {len(found)} of {len(due)} clocks fired")
    return list(found.values())


def percentile(sorted_seconds: list[float], percent: int) -> float:
    """The value below which this percent of them lie."""
    return quantiles(sorted_seconds, n=100, method="inclusive")[percent - 1]
