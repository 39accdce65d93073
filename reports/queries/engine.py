"""Measures the engine: due clocks, stuck messages, signs of life."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict, cast

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Min, Q, QuerySet, Value

from escalations.models import Clock
from ledger.models import Heartbeat
from ledger.now import now
from messaging.models import Message
from reports.queries import unwatched
from reports.rules.vitals import Vitals

ENGINE, SENDER, WORKER, OUTSIDE = "engine", "sender", "worker", "outside"
PARTS = (ENGINE, SENDER, WORKER)
NEXT_EVENTS = 10
MOST_PARKED = 50


class Ages(TypedDict):
    """The ages of the last signs of life; None: there never was one."""

    engine: timedelta | None
    sender: timedelta | None
    worker: timedelta | None
    outside: timedelta | None


class Due(TypedDict):
    """The wait of the oldest due clock, and the number of clocks that are due or will be within an hour."""

    lag: timedelta
    overdue: int
    next_hour: int
    warnings_next_hour: int


def vitals(missing: int | None = None) -> Vitals:
    """The measures for the health page, /healthz and check_engine, in four queries. `missing`: the number of cases that
    `unwatched` found, if the caller has read them; it is the fourth query."""
    at = now()
    counted = _tally(_live() | _set_aside() | _messages(at))
    running = counted.pop("live") - counted["paused"]
    return Vitals(
        **_ages(at),
        **_due(at),
        **counted,
        running=running,
        drift=database_drift(),
        unwatched=unwatched.unwatched().count() if missing is None else missing,
    )


def alarm() -> Vitals:
    """The few measures for a banner on every page: two queries that are fast with large tables, three if a clock is overdue.
    Cases with a target that no clock watches are not counted here; the engine page lists them.
    """
    at = now()
    beats = dict(Heartbeat.objects.filter(name__in=PARTS).values_list("name", "at"))
    overdue = Clock.objects.past_due(at).order_by()
    messages = _messages(at)
    counted = _tally(
        _set_aside()
        | {
            "overdue": overdue,
            "parked_messages": messages["parked_messages"],
            "stuck_messages": messages["stuck_messages"],
        }
    )
    oldest = overdue.aggregate(oldest=Min("fire_at"))["oldest"] if counted["overdue"] else None
    return Vitals(
        engine=at - beats[ENGINE] if ENGINE in beats else None,
        sender=at - beats[SENDER] if SENDER in beats else None,
        worker=at - beats[WORKER] if WORKER in beats else None,
        lag=at - oldest if oldest else timedelta(0),
        overdue=counted["overdue"],
        parked_clocks=counted["parked_clocks"],
        lost_steps=counted["lost_steps"],
        parked_messages=counted["parked_messages"],
        stuck_messages=counted["stuck_messages"],
    )


def _tally(wanted: Mapping[str, QuerySet[Any]]) -> dict[str, int]:
    """The number of rows of each of these queries, all in one query."""
    counts = [
        rows.order_by().annotate(what=Value(name)).values("what").annotate(n=Count("pk")).values_list("what", "n")
        for name, rows in wanted.items()
    ]
    return dict.fromkeys(wanted, 0) | dict(counts[0].union(*counts[1:], all=True))


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


def _live() -> dict[str, QuerySet[Clock]]:
    """The clocks that run or are paused, each read from an index that has no others."""
    return {"live": Clock.objects.live(), "paused": Clock.objects.filter(state=Clock.PAUSED)}


def _set_aside() -> dict[str, QuerySet[Clock]]:
    """The clocks that need a person."""
    return {
        "parked_clocks": Clock.objects.filter(state=Clock.RUNNING, parked=True),
        "lost_steps": Clock.objects.filter(unwatched.LOST),
    }


def _due(at: datetime) -> Due:
    """What fires within the next hour, and what should have fired; one query over those clocks."""
    soon = Clock.objects.past_due(at + timedelta(hours=1)).order_by()
    late = Q(fire_at__lte=at)
    found = soon.aggregate(
        oldest=Min("fire_at", filter=late),
        overdue=Count("pk", filter=late),
        next_hour=Count("pk"),
        warnings_next_hour=Count("pk", filter=Q(fire_at__lt=F("due_at"))),
    )
    oldest = found.pop("oldest")
    return cast("Due", {**found, "lag": at - oldest if oldest else timedelta(0)})


def _messages(at: datetime) -> dict[str, QuerySet[Message]]:
    """The messages that are not sent yet, by what they wait for."""
    return {
        "parked_messages": Message.objects.needs_attention(),
        "waiting_messages": Message.objects.filter(state=Message.PENDING),
        "stuck_messages": Message.objects.stuck(at),
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
