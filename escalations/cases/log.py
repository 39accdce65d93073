"""Entries of the thread: one function writes them all, chained, with erasable text in its own row."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet

from accounts.models import User
from approvals.models import ApprovalRequest
from escalations.models import Clock, Escalation, Event, EventText
from ledger import chain
from ledger.json_types import JsonObject


@dataclass(frozen=True)
class Entry:
    """One entry to write. `text` is what people wrote; `summary` is a line of the system, kept when the text is erased."""

    kind: str
    summary: str = ""
    audience: str = Event.SYSTEM
    actor: User | None = None
    actor_name: str = ""
    text: str = ""
    clock: Clock | None = None
    replaces: Event | None = None
    data: JsonObject = field(default_factory=dict)


def locking() -> QuerySet[Escalation]:
    """Cases that a read locks for the rest of the transaction, with the related rows that verbs and messages use."""
    people = ("owner", "account__csm")
    return Escalation.objects.select_for_update(of=("self",)).select_related("account", "policy", "issue_type", *people)


def lock(case_id: int) -> Escalation:
    """The case, locked for the rest of the transaction. Raises Escalation.DoesNotExist."""
    return locking().get(pk=case_id)


def lock_requests(case_id: int) -> None:
    """The case's requests, locked before the case."""
    list(ApprovalRequest.objects.select_for_update().filter(case_link__case=case_id).order_by("pk").values_list("pk"))


def lock_with_requests(case_id: int) -> Escalation:
    """The case's requests, then the case, locked in the order every verb uses (request, case, clock, outbox)."""
    lock_requests(case_id)
    return lock(case_id)


def lock_together(case_ids: Collection[int]) -> dict[int, Escalation]:
    """Several cases by id, locked like one: the requests of all, then the cases. Raises Escalation.DoesNotExist."""
    ids = sorted(set(case_ids))
    list(ApprovalRequest.objects.select_for_update().filter(case_link__case__in=ids).order_by("pk").values_list("pk"))
    return {pk: lock(pk) for pk in ids}


def record(case: Escalation, entries: list[Entry], *, at: datetime) -> list[Event]:
    """Append entries to the case's chain in one go. The caller holds the case's lock."""
    rows = [_row(case, entry, at) for entry in entries]
    chain.append(case, rows)
    return rows


def record_many(entries: Mapping[Escalation, Sequence[Entry]], *, at: datetime) -> None:
    """Append entries to the chains of many locked cases in a few statements. Each case was read under its lock and nothing
    was appended to it since."""
    rows = {case: [_row(case, entry, at) for entry in added] for case, added in entries.items()}
    chain.append_many(rows)


def _row(case: Escalation, entry: Entry, at: datetime) -> Event:
    return Event(
        case=case,
        at=at,
        kind=entry.kind,
        audience=entry.audience,
        actor=entry.actor,
        actor_name=entry.actor_name or (entry.actor.name if entry.actor else "Escalation Desk"),
        summary=entry.summary[:400],
        text=EventText(body=entry.text) if entry.text else None,
        text_hash=chain.text_hash(entry.text) if entry.text else "",
        clock=entry.clock,
        replaces=entry.replaces,
        data=entry.data,
    )
