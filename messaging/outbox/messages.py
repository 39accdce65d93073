"""The outbox: a message is a row written with the change it reports, and is sent after the commit.

`leases` distributes the rows among senders and recovers those of a sender that was killed; `selection` decides which
messages are not sent (no longer wanted, switched off, held for a digest); `outages` remembers a server that is down.
"""

import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from accounts.models import User
from ledger import faults
from ledger.errors import AlreadyDone, NotAllowed
from ledger.now import now
from messaging import kinds
from messaging.channels import registry
from messaging.channels.base import AddressRefused, Channel, ServerDown, TryLater, Undeliverable
from messaging.kinds import Content, File
from messaging.models import Message, Outage
from messaging.outbox import leases, outages, selection
from messaging.outbox.leases import Outcome

log = logging.getLogger(__name__)
AT_ONCE = 200
# Twelve tries over 27 hours: a message survives a server that answers "later" for a day.
MOST_TRIES = 12
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240))
# The longest time for one batch. Then the sender ends its other leases and can write its heartbeat.
LONGEST_TURN_SECONDS = 4.0


@dataclass(frozen=True)
class Regarding:
    """What a message belongs to. Without a thread, messages of one case share one; `reply_to` is the address for
    answers."""

    case_key: str = ""
    account_name: str = ""
    thread_id: str = ""
    reply_to: str = ""


def post(
    *,
    key: str,
    kind: str,
    to: User | str,
    content: Content,
    regarding: Regarding | None = None,
    source: str = "",
    channel: str = Message.EMAIL,
) -> None:
    """Write one message in the caller's transaction. It is sent once after the commit, even if the key is posted
    several times.

    Raises Invalid for an address to which the channel cannot deliver. `source` names its kind and what it is about
    (messaging.kinds).
    """
    regarding = regarding or Regarding()
    address = to.email if isinstance(to, User) else to.strip()
    registry.channel(channel).check_address(address)
    moment = now()
    message = Message(
        key=key,
        kind=kind,
        channel=channel,
        user=to if isinstance(to, User) else None,
        address=address,
        reply_to=regarding.reply_to,
        subject=_one_line(content.subject)[:300],
        text=_storable(content.text),
        html=_storable(content.html),
        message_id=f"<{uuid.uuid4().hex}@{settings.MAIL_DOMAIN}>",
        thread_id=_bracketed(regarding.thread_id) or _thread_of(regarding.case_key),
        case_key=regarding.case_key,
        account_name=_one_line(regarding.account_name)[:200],
        source=source,
        created_at=moment,
        next_try_at=moment,
    )
    # One statement; an existing row with this key does not change. On SQLite, `ignore_conflicts` would also drop a row
    # with any other fault.
    Message.objects.bulk_create([message], update_conflicts=True, unique_fields=["key"], update_fields=["key"])


@dataclass(frozen=True)
class Draft:
    """A mail of the engine, composed from `source` when it is sent. Until then `subject` stands on the Messages page
    and in the in-app notice with a link to `notice_url`. The key must be new: the caller has claimed the step that the
    message reports."""

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
    notice_url: str = ""


def post_many(drafts: Sequence[Draft], *, at: datetime) -> None:
    """Write mails in one go in the caller's transaction; they are sent after the commit. A key that was posted before
    is an error, and the whole transaction fails."""
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
            notice_url=draft.notice_url,
            created_at=at,
            next_try_at=at,
        )
        for draft in drafts
    )


def send_due(*, limit: int = AT_ONCE) -> int:
    """Send what is due, oldest first, by channel at most `limit` and for at most four seconds; returns how many were sent.

    Any number of senders may run; nothing is sent inside a transaction. A message is dropped when its reason no longer
    holds, held when the recipient wants it in a digest, tried again after 1, 5, 15, 60 … minutes, and parked for a person
    after 12 tries or a final refusal. While a server accepts nothing, all messages of its channel wait and no try is counted.
    A sender that dies sends at most the one message it was delivering again, under the same Message-ID.
    """
    at = now()
    down = outages.current()
    paused = [name for name, outage in down.items() if outages.pauses(outage, at)]
    due = Message.objects.due(at).exclude(channel__in=paused)
    waiting = set(due.order_by().values_list("channel", flat=True).distinct())
    known = {channel.name: channel for channel in registry.registered()}
    for name in waiting - known.keys():
        due.filter(channel=name).update(state=Message.PARKED, note=f"No channel “{name}” is registered.")
    return sum(_send_by(known[name], limit, down.get(name)) for name in known if name in waiting)


def _send_by(channel: type[Channel], limit: int, outage: Outage | None) -> int:
    with leases.quick_commits():
        while batch := leases.take(channel.name, limit):
            leaving, broken = selection.select(batch, follows_preferences=channel.follows_preferences)
            for message, error in broken:
                final = isinstance(error, kinds.UnknownKind)
                leases.write(_failed(message, str(error) if final else _described(error), final=final))
            if leaving:
                return _deliver(channel, leaving, outage)
    return 0


def retry(*, message: Message, by: User) -> Message:
    """Put a parked message back in the queue with all its tries, under the same Message-ID.

    Raises NotAllowed unless `by` works in operations, AlreadyDone when the message is not parked.
    """
    if not by.is_ops:
        raise NotAllowed("Only operations may send a message again.")
    if not Message.objects.filter(pk=message.pk, state=Message.PARKED).update(**_queued_again()):
        raise AlreadyDone("This message no longer needs attention.")
    log.info("Message %s is put back in the queue by user %s", message.pk, by.pk)
    message.refresh_from_db()
    return message


def retry_failed(*, by: User) -> int:
    """Put all parked messages back in the queue, each with all its tries and under its Message-ID; returns how many.

    Raises NotAllowed unless `by` works in operations, AlreadyDone when none is parked.
    """
    if not by.is_ops:
        raise NotAllowed("Only operations may send messages again.")
    count = Message.objects.needs_attention().update(**_queued_again())
    if not count:
        raise AlreadyDone("No messages need attention any more.")
    log.info("%s messages are put back in the queue by user %s", count, by.pk)
    return count


def _queued_again() -> dict[str, Any]:
    return {"state": Message.PENDING, "attempts": 0, "next_try_at": now(), "leased_until": None, "note": ""}


def _deliver(channel: type[Channel], batch: Sequence[Message], outage: Outage | None) -> int:
    """Send one after the other. The result of a message is written in the commit that leases the next one."""
    sent, waiting = 0, list(batch)
    before: Outcome | None = None
    deadline = time.monotonic() + LONGEST_TURN_SECONDS
    with channel() as opened:
        while waiting and time.monotonic() < deadline:
            ours = leases.turn_over(before, waiting[0])
            before, message = None, waiting[0]
            try:
                before = _tried(opened, message) if ours else None
            except ServerDown as down:
                leases.release(waiting)
                outages.note(channel=channel.name, detail=_one_line(str(down)))
                return sent
            waiting.pop(0)
            if before and before.leaves:
                sent += 1
                if outage and sent == 1:
                    outages.over(channel=channel.name)
        if before:
            leases.write(before)
    leases.release(waiting)
    return sent


def _tried(channel: Channel, message: Message) -> Outcome:
    """Try one message and return the result. Does not catch ServerDown."""
    try:
        kind = kinds.kind_of(message)
        if not _composed(message, kind):
            return Outcome(message, Message.DROPPED)
        detail = channel.deliver(message, _attached(message, kind, leaves=channel.leaves()))
    except ServerDown:
        raise
    except TryLater as later:
        return _failed(message, str(later))
    except Undeliverable as refusal:
        failed = _failed(message, str(refusal), final=True)
        return replace(failed, address_refused=isinstance(refusal, AddressRefused))
    except Exception as error:
        # A message that makes its kind or a library fail must not hold up the others.
        log.exception("Message %s could not be sent", message.pk)
        return _failed(message, _described(error))
    faults.passing("after_250")
    return Outcome(message, Message.SENT, detail, {"attempts": message.attempts + 1})


def _failed(message: Message, detail: str, *, final: bool = False) -> Outcome:
    at, tries = now(), message.attempts + 1
    parked = final or tries >= MOST_TRIES
    values: dict[str, Any] = {"attempts": tries}
    if not parked:
        values["next_try_at"] = at + WAITS[min(tries, len(WAITS)) - 1]
    return Outcome(message, Message.PARKED if parked else Message.PENDING, _one_line(detail), values, at)


def _composed(message: Message, kind: kinds.MessageKind) -> bool:
    """Write the current text of a message that was posted without one; False if there is nothing left to say. The text
    is kept on the row, so that a second send says the same and people can read what was sent.
    """
    if not message.source or message.text:
        return True
    content = kind.compose(message)
    if content is None:
        return False
    message.subject, message.text, message.html = _one_line(content.subject)[:300], content.text, content.html
    message.save(update_fields=["subject", "text", "html"])
    return True


def _attached(message: Message, kind: kinds.MessageKind, *, leaves: bool) -> Sequence[File]:
    """The attachments. If they cannot be made, the message is sent without them and says so."""
    found = kind.attachments(message, leaves=leaves)
    for before, after in found.replacements.items():
        message.text, message.html = (each.replace(before, after) for each in (message.text, message.html))
    if found.replacements:
        message.save(update_fields=["text", "html"])
    return found.files


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _storable(text: str) -> str:
    """The text without NUL and halves of characters, which a database refuses."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _one_line(text: str) -> str:
    return " ".join(_storable(text).split())


def _bracketed(message_id: str) -> str:
    bare = message_id.strip().strip("<>")
    return f"<{bare}>" if bare else ""


def _thread_of(case_key: str) -> str:
    """The mail thread of a case, the same for all apps: cases and requests of ESC-1042 refer to <case-1042@…>."""
    number = case_key.rpartition("-")[2].lower()
    return f"<case-{number}@{settings.MAIL_DOMAIN}>" if case_key else ""
