"""Measures the engine: what is due, what is stuck, who is alive."""

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


# Age of a sign of life; messages set aside; messages that are stuck.
Beat = tuple[timedelta, int, int]


class Ages(TypedDict):
    """How old the last signs of life are; None: there never was one."""

    engine: timedelta | None
    sender: timedelta | None
    worker: timedelta | None
    outside: timedelta | None


class Counted(TypedDict):
    """What was counted of the live clocks. A banner counts the first four alone."""

    lag: timedelta
    overdue: int
    parked_clocks: int
    lost_steps: int
    running: NotRequired[int]
    paused: NotRequired[int]
    next_hour: NotRequired[int]
    warnings_next_hour: NotRequired[int]


class CountedMessages(TypedDict):
    """What was counted of the messages."""

    parked_messages: int
    waiting_messages: int
    stuck_messages: int


def vitals() -> Vitals:
    """Everything the health page, /healthz and check_engine look at, in six queries."""
    at = now()
    return Vitals(
        **_ages(at),
        **_lag(_live().aggregate(**_figures(at)), at),
        **_messages(at),
        drift=database_drift(),
        unwatched=unwatched.unwatched().order_by().count(),
    )


def alarm() -> Vitals:
    """The little that a banner on every page needs: two queries that stay fast however much the tables hold.

    Cases with a promise that no clock watches are not counted here; a person looks for them on the engine page.
    """
    at = now()
    rows = Heartbeat.objects.filter(name__in=PARTS).values_list(
        "name", "at", _counted(Message.objects.needs_attention()), _counted(Message.objects.stuck(at))
    )
    beats: dict[str, Beat] = {name: (at - beaten, parked, stuck) for name, beaten, parked, stuck in rows}
    # Without any sign of life there is no row to count beside; then that is the alarm.
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
    """How old the last signs of life are."""
    beats = {beat.name: at - beat.at for beat in Heartbeat.objects.filter(name__in=[*PARTS, OUTSIDE])}
    # Nobody outside is told unless the setting names somebody; then the first good word is expected from now on.
    return {
        "engine": beats.get(ENGINE),
        "sender": beats.get(SENDER),
        "worker": beats.get(WORKER),
        "outside": beats.get(OUTSIDE) if settings.HEARTBEAT_URL else None,
    }


def _live() -> QuerySet[Clock]:
    """Clocks that run or are paused. They have not stopped: that index finds them among the many that ended."""
    return Clock.objects.live().filter(stopped_at=None)


def _figures(at: datetime) -> dict[str, Aggregate]:
    """What is counted of the live clocks."""
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
    """The figures, as the database counted them, with the wait of the oldest due clock in place of its moment."""
    oldest = counted.pop("oldest")
    return cast("Counted", {**counted, "lag": at - oldest if oldest else timedelta(0)})


def _messages(at: datetime) -> CountedMessages:
    return {
        "parked_messages": Message.objects.needs_attention().count(),
        "waiting_messages": Message.objects.filter(state=Message.PENDING).count(),
        "stuck_messages": Message.objects.stuck(at).count(),
    }


def database_drift() -> timedelta:
    """How far the database's clock is from ours. SQLite has none of its own; a clock moved by tests is not compared."""
    if connection.vendor != "postgresql" or settings.CLOCK_MAY_MOVE:
        return timedelta(0)
    with connection.cursor() as cursor:
        before = now()
        cursor.execute("SELECT clock_timestamp()")
        theirs = cursor.fetchone()[0]
    return theirs - (before + (now() - before) / 2)


def heartbeats() -> dict[str, Heartbeat]:
    """The last sign of life of each part."""
    return {beat.name: beat for beat in Heartbeat.objects.all()}


def next_events(limit: int = NEXT_EVENTS) -> QuerySet[Clock]:
    """What fires next, the soonest first."""
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
    """Messages set aside after their tries."""
    return Message.objects.needs_attention().order_by("created_at", "id")[:MOST_PARKED]
