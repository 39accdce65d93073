"""A table of a million clocks, and how fast the due ones are fired beside the least the database needs for the same."""

from collections.abc import Callable
from datetime import timedelta
from time import perf_counter
from typing import Any

from django.db import connection, models, transaction

from config import engine
from escalations import states
from escalations.models import CasePerson, Clock, Escalation
from ledger.now import now

CASES, ENDED = 100_000, 9
BATCH = 1000
FIRST = 1_000_000


def series(count: int) -> tuple[str, str]:
    """SQL of the numbers from 1 to `count`: what stands before the SELECT, and the table `s(n)`."""
    if connection.vendor == "postgresql":
        return "", f"generate_series(1, {count}) AS s(n)"
    numbers = f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) "  # noqa: S608
    return numbers, "s"


def clone(model: type[models.Model], template: int, count: int, changes: dict[str, str]) -> None:
    """Write `count` copies of the row `template`; `changes` gives columns as SQL over `s.n` and the template `t`."""
    before, numbers = series(count)
    names = [str(field.column) for field in model._meta.concrete_fields if field.column != "id" or "id" in changes]
    values = ", ".join(changes.get(name, f't."{name}"') for name in names)
    columns, name = ", ".join(f'"{each}"' for each in names), model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{name}" ({columns}) {before}'  # noqa: S608 - names of our own models
            f'SELECT {values} FROM "{name}" t, {numbers} WHERE t."id" = {template}'
        )


def fill(cases: int = CASES, ended: int = ENDED) -> None:
    """Copies of one open case of the demo: each with its people, one running clock and many that ended."""
    template = (
        Escalation.objects.open()
        .filter(owner__isnull=False, clocks__kind=states.CUSTOMER_UPDATE, clocks__state=Clock.RUNNING)
        .exclude(people__isnull=True)
        .order_by("pk")[0]
    )
    clock = template.clocks.filter(kind=states.CUSTOMER_UPDATE, state=Clock.RUNNING)[0]
    with transaction.atomic():
        chain = {"log_count": "0", "log_last": "''", "log_seal": "''"}
        clone(Escalation, template.pk, cases, {"id": f"{FIRST} + s.n", **chain})
        # One person with a duty: a step then writes one outbox row, as the figure says.
        person = template.people.filter(duty=CasePerson.OWNER)[0]
        clone(CasePerson, person.pk, cases, {"case_id": f"{FIRST} + s.n"})
        plain = {"case_id": f"{FIRST} + s.n", "fire_at": "NULL", "breached_at": "NULL", "warned_percent": "0"}
        for number in range(ended):
            clone(Clock, clock.pk, cases, {**plain, "state": "'met'", "generation": str(1000 + number)})
        clone(Clock, clock.pk, cases, plain)
        Clock.objects.filter(case_id__lt=FIRST).update(fire_at=None)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # As autovacuum leaves a table that has been there for a while; otherwise it would start on it in the midst.
            cursor.execute("VACUUM ANALYZE")


def make_due(count: int, first: int) -> None:
    """The warning of this many running clocks was due a moment ago, their time is over in an hour."""
    at = now()
    rows = Clock.objects.filter(case_id__gt=FIRST + first, case_id__lte=FIRST + first + count, state=Clock.RUNNING)
    rows.update(
        fire_at=at - timedelta(seconds=1),
        warn_at=at - timedelta(seconds=1),
        due_at=at + timedelta(hours=1),
        warned_percent=0,
        breached_at=None,
        also_warn_at=[],
    )


def rate(act: Callable[[], int], wanted: int) -> float:
    """Things done a second until `wanted` are done."""
    begun, done = perf_counter(), 0
    while done < wanted:
        step = act()
        if not step:
            raise RuntimeError(f"only {done} of {wanted} were due")
        done += step
    return done / (perf_counter() - begun)


def sweep_rate(count: int, first: int = 0) -> float:
    """Steps a second: claim, chained entry, outbox row, notices, next step of the clock, case."""
    make_due(count, first)
    with engine.second_hand() as hand:
        return rate(lambda: engine.fire(hand), count)


def raw_rate(count: int, first: int) -> float:
    """The floor: claim a batch by one UPDATE and write one plain audit row for each, nothing else."""
    make_due(count, first)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_audit (clock_id bigint, at timestamp, what varchar(20))")
    return rate(_raw_batch, count)


@transaction.atomic
def _raw_batch() -> int:
    at: Any = now()
    table = Clock._meta.db_table
    skip = " FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET fire_at = due_at, warned_at = %s WHERE id IN (SELECT id FROM {table} "  # noqa: S608
            f"WHERE state = 'running' AND NOT parked AND fire_at <= %s ORDER BY fire_at LIMIT {BATCH}{skip}) RETURNING id",
            [at, at],
        )
        claimed = [row[0] for row in cursor.fetchall()]
        cursor.executemany("INSERT INTO bench_audit VALUES (%s, %s, 'warn')", [(pk, at) for pk in claimed])
    return len(claimed)
