"""Reads the logs of cases and requests after its own cursor, and refreshes the facts of the cases with new entries.

Entries are numbered when they are written, not when they are committed. On PostgreSQL an entry may therefore appear
below the highest number. The cursor waits for that: it moves to a number only when every transaction that was running when
the number was read has ended. What lies between is read again; the length of the logs, which each case's fact keeps,
says whether anything came. SQLite has one writer at a time, so there numbers and commits have the same order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from approvals.models import DecisionEntry
from escalations.models import CaseRequest, Escalation, Event
from ledger.now import now
from reports.facts.definitions import length_of_logs
from reports.facts.refresh import differences, parts, refresh
from reports.models import CaseFact, Progress

# Cases of one transaction: on SQLite all other writers wait for it.
CASES_AT_ONCE = 25


@dataclass(frozen=True)
class Heads:
    """The highest numbers of both logs, the oldest transaction that is running, and the first that has not begun."""

    event: int
    decision: int
    oldest: int
    first_new: int


def heads() -> Heads:
    """Read in one statement, so that all four are of one moment."""
    events, decisions, snapshot = Event._meta.db_table, DecisionEntry._meta.db_table, "0, 0"
    if connection.vendor == "postgresql":
        snapshot = (
            "pg_snapshot_xmin(now)::text::bigint, pg_snapshot_xmax(now)::text::bigint FROM pg_current_snapshot() now"
        )
    numbers = f"(SELECT MAX(id) FROM {events}), (SELECT MAX(id) FROM {decisions})"  # noqa: S608 our own models
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {numbers}, {snapshot}")
        event, decision, oldest, first_new = cursor.fetchone()
    return Heads(event or 0, decision or 0, oldest, first_new)


def pull(most: int = CASES_AT_ONCE) -> int:
    """Refresh at most so many cases with new entries; returns how many. 0: nothing waits, or another process pulls."""
    progress, at = Progress.objects.first(), heads()
    if progress is None or not progress.built:
        return rebuild()
    if _is_read(progress, at):
        return 0
    with transaction.atomic():
        locked = Progress.objects.select_for_update(skip_locked=True).first()
        if locked is None:
            return 0
        at = heads()
        ids = list(_behind(locked).order_by("pk").values_list("pk", flat=True)[:most])
        refresh(ids)
        if len(ids) < most:
            _move(locked, at)
    return len(ids)


def _is_read(progress: Progress, at: Heads) -> bool:
    read = (progress.next_event, progress.next_decision)
    return read == (at.event, at.decision) == (progress.event, progress.decision)


def _behind(progress: Progress) -> QuerySet[Escalation]:
    """Cases whose logs have grown since their facts were written."""
    of_requests = DecisionEntry.objects.filter(pk__gt=progress.decision).order_by().values("request")
    # A union and not an OR, for which PostgreSQL would look at every case.
    touched = Event.objects.filter(pk__gt=progress.event).order_by().values("case_id")
    touched = touched.union(CaseRequest.objects.filter(request__in=of_requests).values("case_id"))
    written = Subquery(CaseFact.objects.filter(case=OuterRef("pk")).values("entries"))
    rows = Escalation.objects.filter(pk__in=touched).annotate(written=written, length=length_of_logs())
    return rows.filter(Q(written=None) | ~Q(written=F("length")))


def _move(progress: Progress, at: Heads) -> None:
    """Everything up to `at` that was committed has been read."""
    if connection.vendor != "postgresql":
        progress.event, progress.decision = at.event, at.decision
        progress.next_event, progress.next_decision = at.event, at.decision
    elif at.oldest >= progress.horizon:
        progress.event, progress.decision = progress.next_event, progress.next_decision
        progress.next_event, progress.next_decision, progress.horizon = at.event, at.decision, at.first_new
    progress.seen_event, progress.seen_decision, progress.at = at.event, at.decision, now()
    progress.save()


def rebuild(tell: Callable[[int], None] = lambda cases: None) -> int:
    """Write the facts of every case anew, in many short transactions; returns the number of cases."""
    before, cases = heads(), 0
    for ids in parts():
        refresh(ids)
        cases += len(ids)
        tell(cases)
    refresh([])
    with transaction.atomic():
        progress = Progress.objects.select_for_update().get()
        # A transaction that was running then may commit any number, so all is compared once more.
        settled = before if connection.vendor != "postgresql" else Heads(0, 0, 0, 0)
        progress.built, progress.event, progress.decision = True, settled.event, settled.decision
        progress.next_event, progress.next_decision = before.event, before.decision
        progress.seen_event, progress.seen_decision = before.event, before.decision
        progress.horizon, progress.at = before.first_new, now()
        progress.save()
    return cases


def check() -> list[str]:
    """Every difference between the facts and what they should be."""
    return [each for ids in parts() if ids for each in differences(ids)]


@dataclass(frozen=True)
class Freshness:
    """Whether everything in the logs is counted; if not, up to when. None: nothing was counted yet."""

    complete: bool
    at: datetime | None


def freshness() -> Freshness:
    """One query."""
    last = {
        "event_head": Subquery(Event.objects.order_by("-pk").values("pk")[:1]),
        "decision_head": Subquery(DecisionEntry.objects.order_by("-pk").values("pk")[:1]),
    }
    row = (
        Progress.objects.filter(built=True).annotate(**last).values("seen_event", "seen_decision", "at", *last).first()
    )
    if row is None:
        return Freshness(complete=False, at=None)
    read = (row["seen_event"], row["seen_decision"])
    return Freshness(read == (row["event_head"] or 0, row["decision_head"] or 0), row["at"])
