"""Which sender works on which message, and the result. All of it is in the rows, so a sender can be killed at any time.

A sender leases a batch for half a minute (OUTBOX_LEASE_SECONDS). It extends the lease of one message at a time for as
long as a slow server may need (OUTBOX_HAND_OVER_SECONDS), by a conditional UPDATE that fails if the lease is no longer
its own. The result of the message before is written in the same commit, so each message costs one commit.

A killed sender therefore leaves at most one message that the server may have accepted without a mark on the row. That
one is sent again under the same Message-ID; the rest of the batch is free for other senders after half a minute.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from ledger import faults
from ledger.now import now
from messaging import kinds
from messaging.models import Message
from messaging.outbox.rules.kinds import DIGEST

SQLITE_NORMAL = 1
TAKE_IN_HAND = (
    "UPDATE messaging_message SET leased_until = %s WHERE id = %s AND state = 'pending' AND leased_until = %s"
)
SENT = (
    "UPDATE messaging_message SET state = 'sent', sent_at = %s, attempts = %s, leased_until = NULL"
    " WHERE id = %s AND state <> 'sent'"
)
ATTEMPT = "INSERT INTO messaging_delivery (message_id, at, ok, detail) VALUES (%s, %s, %s, %s)"
# All three in one statement, because on PostgreSQL each statement, begin and commit is a round trip.
TURN_OVER = f"WITH sent AS ({SENT}), noted AS ({ATTEMPT}) {TAKE_IN_HAND}"


@dataclass(frozen=True)
class Outcome:
    """The result of one attempt, not yet written down."""

    message: Message
    state: str
    detail: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=now)
    address_refused: bool = False

    @property
    def leaves(self) -> bool:
        """Whether the server accepted it."""
        return self.state == Message.SENT


def take(channel: str, limit: int) -> list[Message]:
    """Lease due messages of a channel, oldest first, at most `limit`. Rows that another sender is leasing are skipped
    (PostgreSQL) or already leased when it is our turn (SQLite has one writer).
    """
    at = now()
    until = at + timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
    due = Message.objects.due(at).filter(channel=channel).order_by("next_try_at", "id")
    with transaction.atomic():
        taken = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
        Message.objects.filter(pk__in=taken).update(leased_until=until)
    if taken:
        faults.passing("after_lease")
    return list(Message.objects.filter(pk__in=taken).select_related("user").order_by("next_try_at", "id"))


def turn_over(before: Outcome | None, following: Message | None) -> bool:
    """Write the result of one message and extend the lease of the next, in one commit. False if the next is no longer
    ours."""
    if before:
        faults.passing("before_mark")
    if before and following and before.leaves and before.message.kind != DIGEST and connection.vendor == "postgresql":
        return _take_in_hand(following, TURN_OVER, *_sent(before), *_attempt(before))
    with transaction.atomic():
        if before:
            _write(before)
        return following is not None and _take_in_hand(following)


def write(outcome: Outcome) -> None:
    """Write the result of one message, in a commit of its own."""
    turn_over(outcome, None)


def release(messages: Sequence[Message]) -> None:
    """End the leases that are still ours."""
    if messages:
        leases = {message.leased_until for message in messages}
        ours = Message.objects.filter(pk__in=[message.pk for message in messages], leased_until__in=leases)
        ours.filter(state=Message.PENDING).update(leased_until=None)


@contextmanager
def quick_commits() -> Iterator[None]:
    """Commits on this connection do not wait for the disk.

    They survive when one of our processes dies. A power cut may lose the marks of the last moment; those messages are
    then sent again under the same Message-ID, and none is lost. Waiting for the disk would cost more than delivering a
    mail.
    """
    if connection.in_atomic_block:
        yield
        return
    before = _durability()
    _set_durability(min(int(before), SQLITE_NORMAL) if connection.vendor == "sqlite" else "off")
    try:
        yield
    finally:
        try:
            _set_durability(before)
        except DatabaseError:
            connection.close()  # a new connection starts with the configured options


def _write(outcome: Outcome) -> None:
    message, at = outcome.message, outcome.at
    if outcome.leaves:
        # An accepted message counts as sent, even if the lease has run out meanwhile.
        _execute(SENT, *_sent(outcome))
    else:
        ours = Message.objects.filter(pk=message.pk, state=Message.PENDING, leased_until=message.leased_until)
        if ours.update(state=outcome.state, leased_until=None, **outcome.values) and outcome.address_refused:
            kinds.kind_of(message).bounced(message, key="refused", how=f"{outcome.detail.rstrip('.')}.")
    if outcome.detail:
        _execute(ATTEMPT, *_attempt(outcome))
    if message.kind == DIGEST and outcome.state in (Message.SENT, Message.DROPPED):
        collected = message.collected.filter(state=Message.PENDING)
        collected.update(state=outcome.state, sent_at=at if outcome.leaves else None)


def _take_in_hand(message: Message, statement: str = TAKE_IN_HAND, *values: Any) -> bool:
    until = now() + timedelta(seconds=settings.OUTBOX_HAND_OVER_SECONDS)
    if not _execute(statement, *values, until, message.pk, message.leased_until):
        return False
    message.leased_until = until
    return True


def _sent(outcome: Outcome) -> tuple[Any, ...]:
    return outcome.at, outcome.values.get("attempts", outcome.message.attempts), outcome.message.pk


def _attempt(outcome: Outcome) -> tuple[Any, ...]:
    return outcome.message.pk, outcome.at, outcome.leaves, outcome.detail[:500]


def _execute(statement: str, *values: Any) -> int:
    """Run a statement that every message needs; through the ORM these three would cost as much as delivering the mail."""
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(statement, [adapt(each) if isinstance(each, datetime) else each for each in values])
        return int(cursor.rowcount)


def _durability() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous" if connection.vendor == "sqlite" else "SHOW synchronous_commit")
        return cursor.fetchone()[0]


def _set_durability(level: Any) -> None:
    setting = "PRAGMA synchronous" if connection.vendor == "sqlite" else "SET synchronous_commit"
    with connection.cursor() as cursor:
        # Only our own constants and a value that the database returned.
        cursor.execute(f"{setting} = {level}")
