"""Measures the engine: what is due, what is stuck, who is alive."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Min, Q, QuerySet

from escalations.models import Clock
from ledger.models import Heartbeat
from ledger.now import now
from messaging.models import Message
from reports.rules.vitals import Vitals

ENGINE, SENDER, WORKER = "engine", "sender", "worker"
NEXT_EVENTS = 10
MOST_PARKED = 50


def vitals() -> Vitals:
    """Everything the health page, /healthz and check_engine look at, in four queries."""
    at = now()
    beats = dict(Heartbeat.objects.filter(name__in=[ENGINE, SENDER, WORKER]).values_list("name", "at"))
    ages = {name: at - beats[name] if name in beats else None for name in (ENGINE, SENDER, WORKER)}
    clocks, messages = _clocks(at), _messages()
    oldest = clocks.pop("oldest")
    return Vitals(
        engine=ages[ENGINE],
        sender=ages[SENDER],
        worker=ages[WORKER],
        lag=at - oldest if oldest else timedelta(0),
        drift=database_drift(),
        **clocks,
        **messages,
    )


def _clocks(at: datetime) -> dict[str, Any]:
    running = Q(state=Clock.RUNNING)
    watched = running & Q(parked=False)
    soon = watched & Q(fire_at__lte=at + timedelta(hours=1))
    return Clock.objects.live().aggregate(
        oldest=Min("fire_at", filter=watched & Q(fire_at__lte=at)),
        overdue=Count("pk", filter=watched & Q(fire_at__lte=at)),
        parked_clocks=Count("pk", filter=running & Q(parked=True)),
        running=Count("pk", filter=running),
        paused=Count("pk", filter=Q(state=Clock.PAUSED)),
        next_hour=Count("pk", filter=soon),
        warnings_next_hour=Count("pk", filter=soon & Q(fire_at__lt=F("due_at"))),
    )


def _messages() -> dict[str, int]:
    stuck = Message.objects.filter(state__in=[Message.PARKED, Message.PENDING])
    return stuck.aggregate(
        parked_messages=Count("pk", filter=Q(state=Message.PARKED)),
        waiting_messages=Count("pk", filter=Q(state=Message.PENDING)),
    )


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
