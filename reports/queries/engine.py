"""Measures the engine: due clocks, stuck messages, signs of life."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict, cast

from django.conf import settings
from django.db import connection
from django.db.models import Aggregate, Count, F, Min, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from escalations.models import Clock
from ledger.models import Heartbeat
from ledger.now import now
from messaging.models import Message
from reports.queries import unwatched
from reports.rules.vitals import Vitals

ENGINE, SENDER, WORKER, OUTSIDE = "engine", "sender", "worker", "outside"
PARTS = (ENGINE, SENDER, WORKER)
ALARMING = ("oldest", "overdue", "parked_clocks", "lost_steps")
NEXT_EVENTS = 10
MOST_PARKED = 50


# Age of a sign of life; parked messages; stuck messages.
Beat = tuple[timedelta, int, int]


class Ages(TypedDict):
    """The ages of the last signs of life; None: there never was one."""

    engine: timedelta | None
    sender: timedelta | None
    worker: timedelta | None
    outside: timedelta | None


class Counted(TypedDict):
    """The counts of the live clocks. A banner counts only the first four."""

    lag: timedelta
    overdue: int
    parked_clocks: int
    lost_steps: int
    running: NotRequired[int]
    paused: NotRequired[int]
    next_hour: NotRequired[int]
    warnings_next_hour: NotRequired[int]


class CountedMessages(TypedDict):
    """The counts of the messages."""

    parked_messages: int
    waiting_messages: int
    stuck_messages: int


def vitals() -> Vitals:
    """The measures for the health page, /healthz and check_engine, in six queries."""
    at = now()
    return Vitals(
        **_ages(at),
        **_lag(_live().aggregate(**_figures(at)), at),
        **_messages(at),
        drift=database_drift(),
        unwatched=unwatched.unwatched().order_by().count(),
    )


def alarm() -> Vitals:
    """The few measures for a banner on every page: two queries that are fast with large tables. Cases with a target
    that no clock watches are not counted here; the engine page lists them.
    """
    at = now()
    rows = Heartbeat.objects.filter(name__in=PARTS).values_list(
        "name", "at", _counted(Message.objects.needs_attention()), _counted(Message.objects.stuck(at))
    )
    beats: dict[str, Beat] = {name: (at - beaten, parked, stuck) for name, beaten, parked, stuck in rows}
    # Without any sign of life there is no row to attach the counts to; then this is the alarm.
    _, parked, stuck = next(iter(beats.values()), (None, 0, 0))
    figures = _figures(at)
    clocks = _live().aggregate(**{name: figures[name] for name in ALARMING})
    return Vitals(
        engine=_age(beats, ENGINE),
        sender=_age(beats, SENDER),
        worker=_age(beats, WORKER),
        **_lag(clocks, at),
        parked_messages=parked,
        stuck_messages=stuck,
    )


def _age(beats: Mapping[str, Beat], name: str) -> timedelta | None:
    return beats[name][0] if name in beats else None


def _counted(rows: QuerySet[Message]) -> Coalesce:
    """`SELECT COUNT(*)` as a column of another query."""
    return Coalesce(Subquery(rows.order_by().values("state").annotate(n=Count("pk")).values("n")), 0)


def _ages(at: datetime) -> Ages:
    """The ages of the last signs of life."""
    beats = {beat.name: at - beat.at for beat in Heartbeat.objects.filter(name__in=[*PARTS, OUTSIDE])}
    # The external monitor is called only if it is configured; then the first call is expected from now on.
    return {
        "engine": beats.get(ENGINE),
        "sender": beats.get(SENDER),
        "worker": beats.get(WORKER),
        "outside": beats.get(OUTSIDE) if settings.HEARTBEAT_URL else None,
    }


def _live() -> QuerySet[Clock]:
    """Clocks that run or are paused. They have not stopped: the index finds them among the many that ended."""
    return Clock.objects.live().filter(stopped_at=None)


def _figures(at: datetime) -> dict[str, Aggregate]:
    """The counts of the live clocks."""
    running = Q(state=Clock.RUNNING)
    watched = running & Q(parked=False)
    soon = watched & Q(fire_at__lte=at + timedelta(hours=1))
    return {
        "oldest": Min("fire_at", filter=watched & Q(fire_at__lte=at)),
        "overdue": Count("pk", filter=watched & Q(fire_at__lte=at)),
        "parked_clocks": Count("pk", filter=running & Q(parked=True)),
        "lost_steps": Count("pk", filter=unwatched.LOST),
        "running": Count("pk", filter=running),
        "paused": Count("pk", filter=Q(state=Clock.PAUSED)),
        "next_hour": Count("pk", filter=soon),
        "warnings_next_hour": Count("pk", filter=soon & Q(fire_at__lt=F("due_at"))),
    }


def _lag(counted: dict[str, Any], at: datetime) -> Counted:
    """The figures from the database, with the wait of the oldest due clock instead of its due time."""
    oldest = counted.pop("oldest")
    return cast("Counted", {**counted, "lag": at - oldest if oldest else timedelta(0)})


def _messages(at: datetime) -> CountedMessages:
    return {
        "parked_messages": Message.objects.needs_attention().count(),
        "waiting_messages": Message.objects.filter(state=Message.PENDING).count(),
        "stuck_messages": Message.objects.stuck(at).count(),
    }


def database_drift() -> timedelta:
    """The difference between the database's clock and ours. SQLite has no own clock; a clock moved by tests is not
    compared."""
    if connection.vendor != "postgresql" or settings.CLOCK_MAY_MOVE:
        return timedelta(0)
    with connection.cursor() as cursor:
        before = now()
        cursor.execute("SELECT clock_timestamp()")
        theirs = cursor.fetchone()[0]
    return theirs - (before + (now() - before) / 2)


def heartbeats() -> dict[str, Heartbeat]:
    """The last sign of life of each process."""
    return {beat.name: beat for beat in Heartbeat.objects.all()}


def next_events(limit: int = NEXT_EVENTS) -> QuerySet[Clock]:
    """The clocks that fire next, the soonest first."""
    rows = Clock.objects.filter(state=Clock.RUNNING, parked=False, fire_at__isnull=False)
    return rows.select_related("case").order_by("fire_at", "id")[:limit]


def parked_clocks() -> QuerySet[Clock]:
    """Clocks set aside after three failures, with the error."""
    return (
        Clock.objects.filter(state=Clock.RUNNING, parked=True)
        .select_related("case")
        .order_by("fire_at", "id")[:MOST_PARKED]
    )


def parked_messages() -> QuerySet[Message]:
    """Messages parked after their tries."""
    return Message.objects.needs_attention().order_by("created_at", "id")[:MOST_PARKED]
