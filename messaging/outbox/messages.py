"""The outbox: word out is a row written with the change it tells of, and handed over afterwards.

How rows are shared out among senders, and what a killed one leaves behind, is in `leases`; what does not leave by itself
(no longer wanted, switched off, held for a digest) in `sorting`; a server that is down in `outages`.
"""

import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import User
from ledger import faults
from ledger.errors import AlreadyDone, Invalid, NotAllowed
from ledger.now import now
from messaging.channels import email
from messaging.models import Message, Outage
from messaging.outbox import composing, leases, outages, sorting
from messaging.outbox.leases import Outcome

log = logging.getLogger(__name__)
AT_ONCE = 200
# Twelve tries over 27 hours: a message outlives a server that says "later" to everything for a day.
MOST_TRIES = 12
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240))
# So long at most a sender works on one batch, then it gives back the rest and shows that it lives.
LONGEST_TURN_SECONDS = 4.0


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
    source: str = "",
) -> Message | None:
    """Write one mail in the caller's transaction; it leaves after the commit, once, however often the key is posted.

    Returns None when the key was written before. Without a thread, mails of one case share one. Raises Invalid for an address
    that is none. `source` names what is enclosed when it leaves (messaging.outbox.composing).
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
        "source": source,
    }
    moment = now()
    message, new = Message.objects.get_or_create(
        key=key, defaults={**values, "created_at": moment, "next_try_at": moment}
    )
    return message if new else None


@dataclass(frozen=True)
class Draft:
    """A mail of the engine, composed from `source` when it is sent. Until then `subject` stands on the Messages page and in the
    in-app notice with a link to `notice_url`. The key must be new: the caller has claimed the step it tells of."""

    key: str
    kind: str
    user_id: int
    address: str
    subject: str
    source: str
    case_key: str
    account_name: str
    thread_id: str
    reply_to: str = ""
    wanted_while: str = ""
    notice_url: str = ""


def post_many(drafts: Sequence[Draft], *, at: datetime) -> None:
    """Write mails in one go in the caller's transaction; they are sent after the commit. A key that was posted before is a
    fault, and the whole transaction fails."""
    Message.objects.bulk_create(
        Message(
            key=draft.key,
            kind=draft.kind,
            user_id=draft.user_id,
            address=draft.address,
            subject=_one_line(draft.subject)[:300],
            message_id=f"<{uuid.uuid4().hex}@{settings.MAIL_DOMAIN}>",
            source=draft.source,
            case_key=draft.case_key,
            account_name=_one_line(draft.account_name)[:200],
            thread_id=draft.thread_id,
            reply_to=draft.reply_to,
            wanted_while=draft.wanted_while,
            notice_url=draft.notice_url,
            created_at=at,
            next_try_at=at,
        )
        for draft in drafts
    )


def send_due(*, limit: int = AT_ONCE) -> int:
    """Hand over what waits, oldest first, at most `limit` and for at most four seconds; returns how many left.

    Any number of senders may run; nothing is sent inside a transaction. A message is dropped when its reason no longer
    holds, held when its person wants it in a digest, tried again after 1, 5, 15, 60 … minutes, and parked for a person after
    12 tries or a final refusal. While the server takes nothing at all, everything waits as it is and no try is counted.
    A sender that dies sends at most the one message it had in hand again, under the same Message-ID.
    """
    outage = outages.current()
    if outages.pauses(outage, now()) or not _anything_due():
        return 0
    with leases.quick_commits():
        while batch := leases.take(limit):
            leaving, broken = sorting.sort(batch)
            for message, error in broken:
                leases.write(_failed(message, error))
            if leaving:
                return _hand_over(leaving, outage)
    return 0


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


def resend_all(*, by: User) -> int:
    """Put all parked messages back in the queue, each with all its tries and under its Message-ID; returns how many.

    Raises NotAllowed unless `by` works in operations, AlreadyDone when none is parked.
    """
    if not by.is_ops:
        raise NotAllowed("Only operations may send messages again.")
    back = {"state": Message.PENDING, "attempts": 0, "next_try_at": now(), "leased_until": None}
    count = Message.objects.needs_attention().update(**back)
    if not count:
        raise AlreadyDone("No message waits for a person any longer.")
    log.info("%s messages are put back in the queue by user %s", count, by.pk)
    return count


def _anything_due() -> bool:
    return Message.objects.due(now()).filter(channel=Message.EMAIL).exists()


def _hand_over(batch: Sequence[Message], outage: Outage | None) -> int:
    """One after the other on one connection. Taking the next one in hand writes down what came of the one before."""
    sent, waiting = 0, list(batch)
    before: Outcome | None = None
    deadline = time.monotonic() + LONGEST_TURN_SECONDS
    with email.Postman() as postman:
        while waiting and time.monotonic() < deadline:
            ours = leases.turn_over(before, waiting[0])
            before, message = None, waiting[0]
            try:
                before = _tried(postman, message) if ours else None
            except email.ServerDown as down:
                leases.release(waiting)
                outages.note(detail=_one_line(str(down)))
                return sent
            waiting.pop(0)
            if before and before.leaves:
                sent += 1
                if outage and sent == 1:
                    outages.over()
        if before:
            leases.write(before)
    leases.release(waiting)
    return sent


def _tried(postman: email.Postman, message: Message) -> Outcome:
    """Try one message and say what came of it. Lets ServerDown through."""
    try:
        if not _composed(message):
            return Outcome(message, Message.DROPPED)
        detail = postman.hand_over(message, _enclosed(message))
    except email.ServerDown:
        raise
    except email.TryLater as later:
        return _failed(message, str(later))
    except email.Undeliverable as refusal:
        return _failed(message, str(refusal), final=True)
    except Exception as error:
        # One message that breaks a composer or a library must not hold up the others.
        log.exception("Message %s could not be sent", message.pk)
        return _failed(message, f"{type(error).__name__}: {error}")
    faults.passing("after_250")
    return Outcome(message, Message.SENT, detail, {"attempts": message.attempts + 1})


def _failed(message: Message, detail: str, *, final: bool = False) -> Outcome:
    at, tries = now(), message.attempts + 1
    parked = final or tries >= MOST_TRIES
    values: dict[str, Any] = {"attempts": tries}
    if not parked:
        values["next_try_at"] = at + WAITS[min(tries, len(WAITS)) - 1]
    return Outcome(message, Message.PARKED if parked else Message.PENDING, _one_line(detail), values, at)


def _composed(message: Message) -> bool:
    """Write the words of a message that was posted without them, as things stand now; False when nothing is left to say.

    They are kept on the row, so that a repeated send says the same and people can read what left.
    """
    if not message.source or message.text:
        return True
    content = composing.compose(message.source, message.user)
    if content is None:
        return False
    message.subject, message.text, message.html = _one_line(content.subject)[:300], content.text, content.html
    message.save(update_fields=["subject", "text", "html"])
    return True


def _enclosed(message: Message) -> Sequence[composing.File]:
    """The files that go with it. Without them the mail leaves all the same, and says so."""
    if not message.source:
        return ()
    found = composing.enclosed(message.source, leaves=email.leaves_the_house())
    for before, after in found.words.items():
        message.text, message.html = (each.replace(before, after) for each in (message.text, message.html))
    if found.words:
        message.save(update_fields=["text", "html"])
    return found.files


def _storable(text: str) -> str:
    """Without what a database refuses: NUL and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _one_line(text: str) -> str:
    return " ".join(_storable(text).split())


def _bracketed(message_id: str) -> str:
    bare = message_id.strip().strip("<>")
    return f"<{bare}>" if bare else ""


def _thread_of(case_key: str) -> str:
    """The one thread of a case, whichever app writes: cases and requests of ESC-1042 refer to <case-1042@…>."""
    number = case_key.rpartition("-")[2].lower()
    return f"<case-{number}@{settings.MAIL_DOMAIN}>" if case_key else ""
