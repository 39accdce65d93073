"""The outbox: word out is a row written with the change it tells of, and handed over afterwards."""

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts.models import User
from ledger.errors import AlreadyDone, Invalid, NotAllowed
from ledger.now import now
from messaging import relevance
from messaging.channels import email
from messaging.models import Delivery, Message

log = logging.getLogger(__name__)
MOST_TRIES = 8
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240, 480))
LEASE = timedelta(minutes=10)
# A message is not begun in the last minutes of its lease: the slowest server then still answers before it runs out.
RESERVE = timedelta(minutes=2)


def post(
    *,
    key: str,
    kind: str,
    to: User | str,
    subject: str,
    text: str,
    html: str = "",
    case_key: str = "",
    account_name: str = "",
    thread_id: str = "",
    reply_to: str = "",
    wanted_while: str = "",
) -> Message | None:
    """Write one mail in the caller's transaction; it leaves after the commit, once, however often the key is posted.

    Returns None when the key was written before. Without a thread, mails of one case share one. Raises Invalid for an address
    that is none.
    """
    address = to.email if isinstance(to, User) else to.strip()
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid(f"“{address[:80]}” is not a mail address. Enter one such as name@example.com.", field="to")
    values = {
        "kind": kind,
        "user": to if isinstance(to, User) else None,
        "address": address,
        "reply_to": reply_to,
        "subject": _one_line(subject)[:300],
        "text": _storable(text),
        "html": _storable(html),
        "message_id": f"<{uuid.uuid4().hex}@{settings.MAIL_DOMAIN}>",
        "thread_id": _bracketed(thread_id) or _thread_of(case_key),
        "case_key": case_key,
        "account_name": _one_line(account_name)[:200],
        "wanted_while": wanted_while,
    }
    moment = now()
    message, new = Message.objects.get_or_create(
        key=key, defaults={**values, "created_at": moment, "next_try_at": moment}
    )
    return message if new else None


def send_due(*, limit: int = 200) -> int:
    """Hand over what waits, oldest first, at most `limit`; returns how many left.

    Leases the rows first, so any number of senders may run; nothing is sent inside a transaction. A message is dropped when its
    reason no longer holds, tried again after 1, 5, 15, 60 … minutes, and parked for a person after 8 tries or a final refusal.
    A sender that dies after the server took a message sends it again, under the same Message-ID.
    """
    at = now()
    if not _due(at).exists():
        return 0
    lease = at + LEASE
    waiting = _leased(at, lease, limit)
    sent = 0
    with email.Postman() as postman:
        while waiting and now() < lease - RESERVE:
            message = waiting.pop(0)
            try:
                sent += _send(postman, message, lease)
            except email.ServerDown as down:
                _fail_all([message, *waiting], lease, str(down))
                return sent
    _release(waiting, lease)
    return sent


def resend(*, message: Message, by: User) -> Message:
    """Put a parked message back in the queue with all its tries, under the same Message-ID.

    Raises NotAllowed unless `by` works in operations, AlreadyDone when the message is not parked.
    """
    if not by.is_ops:
        raise NotAllowed("Only operations may send a message again.")
    back = {"state": Message.PENDING, "attempts": 0, "next_try_at": now(), "leased_until": None}
    if not Message.objects.filter(pk=message.pk, state=Message.PARKED).update(**back):
        raise AlreadyDone("This message no longer waits for a person.")
    log.info("Message %s is put back in the queue by user %s", message.pk, by.pk)
    message.refresh_from_db()
    return message


def _due(at: datetime) -> Any:
    return Message.objects.due(at).filter(channel=Message.EMAIL).order_by("next_try_at", "id")


def _leased(at: datetime, lease: datetime, limit: int) -> list[Message]:
    """Take rows for ourselves. PostgreSQL skips rows another sender is taking; SQLite lets one writer in at a time."""
    with transaction.atomic():
        taken = list(_due(at).select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
        Message.objects.filter(pk__in=taken).update(leased_until=lease)
    return list(Message.objects.filter(pk__in=taken).select_related("user").order_by("next_try_at", "id"))


def _send(postman: email.Postman, message: Message, lease: datetime) -> bool:
    """Try one message and note what came of it; True when it left. Lets ServerDown through."""
    try:
        if not _is_wanted(message):
            _mark(message, lease, state=Message.DROPPED)
            return False
        detail = postman.hand_over(message)
    except email.ServerDown:
        raise
    except email.TryLater as later:
        _fail(message, lease, str(later))
    except email.Undeliverable as refusal:
        _fail(message, lease, str(refusal), final=True)
    except Exception as error:
        # One message that breaks a check or a library must not hold up the others.
        log.exception("Message %s could not be sent", message.pk)
        _fail(message, lease, f"{type(error).__name__}: {error}")
    else:
        _sent(message, detail)
        return True
    return False


def _is_wanted(message: Message) -> bool:
    left_us = message.user is not None and not message.user.is_active
    return not left_us and relevance.is_wanted(message.wanted_while)


def _sent(message: Message, detail: str) -> None:
    """Gone is gone, even when the lease has run out meanwhile."""
    at = now()
    values = {"state": Message.SENT, "sent_at": at, "attempts": message.attempts + 1, "leased_until": None}
    with transaction.atomic():
        Message.objects.filter(pk=message.pk).exclude(state=Message.SENT).update(**values)
        Delivery.objects.create(message=message, at=at, ok=True, detail=detail[:500])


def _fail(message: Message, lease: datetime, detail: str, *, final: bool = False) -> None:
    at, tries = now(), message.attempts + 1
    parked = final or tries >= MOST_TRIES
    wait = WAITS[min(tries, len(WAITS)) - 1]
    values = {"state": Message.PARKED} if parked else {"next_try_at": at + wait}
    with transaction.atomic():
        _mark(message, lease, attempts=tries, **values)
        Delivery.objects.create(message=message, at=at, ok=False, detail=_one_line(detail)[:500])


def _fail_all(messages: list[Message], lease: datetime, detail: str) -> None:
    for message in messages:
        _fail(message, lease, detail)


def _mark(message: Message, lease: datetime, **values: Any) -> None:
    """Change a row only while it is still ours."""
    ours = Message.objects.filter(pk=message.pk, state=Message.PENDING, leased_until=lease)
    ours.update(leased_until=None, **values)


def _release(messages: list[Message], lease: datetime) -> None:
    if messages:
        ids = [message.pk for message in messages]
        Message.objects.filter(pk__in=ids, leased_until=lease).update(leased_until=None)


def _storable(text: str) -> str:
    """Without what a database refuses: NUL and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _one_line(text: str) -> str:
    return " ".join(_storable(text).split())


def _bracketed(message_id: str) -> str:
    bare = message_id.strip().strip("<>")
    return f"<{bare}>" if bare else ""


def _thread_of(case_key: str) -> str:
    return f"<{case_key.lower()}@{settings.MAIL_DOMAIN}>" if case_key else ""
