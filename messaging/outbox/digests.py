"""The daily digest: one mail a day for each person with the messages the person wants to get together; none if nothing
happened.

The digest is a message of its own, due at the person's hour and written when the first message is held for it. So no
schedule is needed: the sender finds it due like any other message, writes its text then, and marks the messages in it
as sent.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from accounts.models import User
from ledger.format import counted, moment
from ledger.now import now
from messaging.kinds import Content, MessageKind, UnknownKind, kind_of
from messaging.models import DigestHour, Message
from messaging.outbox import layout as mail
from messaging.outbox.rules.daily import next_daily, place_of
from messaging.outbox.rules.kinds import DIGEST, group_of
from messaging.queries import linked

log = logging.getLogger(__name__)
MOST_NAMED = 100


def hold(*, user: User, messages: Sequence[Message], why: str) -> Message:
    """Hold leased messages of one person for their next digest, which is created if needed. Returns the digest."""
    at = now()
    with transaction.atomic():
        digest = _open_digest(user, at)
        ours = Message.objects.filter(pk__in=[message.pk for message in messages], state=Message.PENDING)
        ours.filter(leased_until__in={message.leased_until for message in messages}).update(
            digest=digest, next_try_at=digest.next_try_at, leased_until=None, note=why[:200]
        )
    return digest


class Digest(MessageKind):
    """The digest of one person for one day."""

    prefix = DIGEST

    def still_wanted(self, message: Message) -> bool:
        """Always; `compose` checks whether there is anything to say."""
        return True

    def compose(self, message: Message) -> Content | None:
        """The text from the held messages that are still wanted; None if there are none. After this no message is added
        to it. Messages that are no longer wanted are dropped.
        """
        with transaction.atomic():
            digest = Message.objects.select_for_update().get(pk=message.pk)
            waiting = digest.collected.filter(state=Message.PENDING).select_related("user")
            held = _still_wanted(list(waiting.order_by("case_key", "created_at", "id")))
            if not held or message.user is None:
                return None
            content = _written(message.user, held)
            Message.objects.filter(pk=digest.pk).update(subject=content.subject, text=content.text, html=content.html)
        return content


def _still_wanted(held: list[Message]) -> list[Message]:
    """The messages with something left to say; the others are dropped. One that fails stays in the digest unchanged, so
    that nothing is lost; one of an unknown kind is parked."""
    kept: list[Message] = []
    stale: list[Message] = []
    for message in held:
        try:
            kind = kind_of(message)
            with transaction.atomic():
                keep = kind.still_wanted(message) and _has_words(message, kind)
        except UnknownKind as error:
            Message.objects.filter(pk=message.pk).update(state=Message.PARKED, digest=None, note=str(error)[:200])
            continue
        except Exception:
            log.exception("Message %s could not be written for a digest", message.pk)
            keep = True
        (kept if keep else stale).append(message)
    Message.objects.filter(pk__in=[message.pk for message in stale]).update(state=Message.DROPPED)
    return kept


def _has_words(message: Message, kind: MessageKind) -> bool:
    """Write the text of a message that is composed when sent; False if there is nothing left to say."""
    if not message.source or message.text:
        return True
    content = kind.compose(message)
    if content is not None:
        message.subject, message.text, message.html = content.subject[:300], content.text, content.html
        message.save(update_fields=["subject", "text", "html"])
    return content is not None


def _open_digest(user: User, at: datetime) -> Message:
    """The person's next digest that is not being sent yet, locked; at most one a local day."""
    mine = Message.objects.select_for_update().filter(
        user=user, kind=DIGEST, state=Message.PENDING, text="", attempts=0, next_try_at__gt=at
    )
    if found := mine.order_by("next_try_at").first():
        return found
    hour = DigestHour.objects.filter(user=user).values_list("hour", flat=True).first()
    hour = DigestHour.DEFAULT if hour is None else hour
    after = at
    while True:
        day, moment = next_daily(after, user.zone, hour)
        key = f"{DIGEST}:{user.pk}:{day}"
        digest, new = Message.objects.get_or_create(key=key, defaults=_blank(user, key, at, moment))
        # Not new: another process created it at this moment, or it was sent and the person has chosen a later hour
        # since.
        if new or mine.filter(pk=digest.pk).exists():
            return digest
        after = moment + timedelta(hours=1)


def _blank(user: User, key: str, at: datetime, moment: datetime) -> dict[str, object]:
    return {
        "kind": DIGEST,
        "user": user,
        "address": user.email,
        "subject": "Daily digest",
        "text": "",
        "source": key,
        "message_id": f"<{uuid4().hex}@{settings.MAIL_DOMAIN}>",
        "created_at": at,
        "next_try_at": moment,
    }


def _written(user: User, held: list[Message]) -> Content:
    cases = len({message.case_key for message in held if message.case_key})
    subject = f"{counted(len(held), 'message')} on {counted(cases, 'case')}"
    subject = subject if cases else counted(len(held), "message")
    place = place_of(user.zone)
    context = {
        "subject": f"Daily digest: {subject}",
        "preview": held[-1].subject,
        "head": subject,
        "lead": f"{user.name}, this is your daily digest.",
        "sections": _sections(held[:MOST_NAMED], place),
        "button": "Open notifications",
        "url": "/notifications/",
        "after": "" if len(held) <= MOST_NAMED else f"And {len(held) - MOST_NAMED} more on the Messages page.",
        "why": "You get this once a day, and not at all when nothing happened. Change or stop it: "
        f"{mail.absolute('/notifications/settings/')}",
    }
    text, html = mail.render(DIGEST, context, zone=str(place))
    return Content(str(context["subject"]), text, html)


def _sections(held: list[Message], place: ZoneInfo) -> list[dict[str, object]]:
    return [
        {"h": _heading(rows := list(group)), "rows": [_row(message, place) for message in rows]}
        for _, group in groupby(held, key=lambda message: message.case_key)
    ]


def _heading(rows: list[Message]) -> str:
    name = next((row.account_name for row in rows if row.account_name), "")
    return " ".join(filter(None, [rows[0].case_key, name])) or "Other news"


def _row(message: Message, place: ZoneInfo) -> tuple[str, str, str, str, str]:
    group = group_of(message.kind)
    path = next((path for _, path in linked(message.text) if path), "")
    label = group.label if group else ""
    when = moment(message.created_at, place, now())
    return message.subject, label, when, "", mail.absolute(path) if path else ""
