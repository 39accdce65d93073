"""Sorts leased messages before sending: send now, drop, hold for a digest, or broken."""

import logging
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Count

from accounts.models import User
from ledger.now import now
from messaging.kinds import kind_of
from messaging.models import Message, Preference
from messaging.outbox import digests, preferences
from messaging.outbox.rules.kinds import CAPPED_KINDS, DIGEST, TO_EXTERNAL, switchable

log = logging.getLogger(__name__)
DAY = timedelta(days=1)
# A mail is held only if the person chose that; the default of a group is for notifications without a mail.
AT_ONCE = preferences.Choice(Preference.NOW)
LEFT = "Not sent: this person has left."
EXTERNAL = "Not sent: external parties get only what is shared with them."
SWITCHED_OFF = "Not sent: switched off by this person."
CHOSEN = "Held for the daily digest, as this person chose."


def select(
    messages: list[Message], *, follows_preferences: bool = True
) -> tuple[list[Message], list[tuple[Message, Exception]]]:
    """Drop messages that are no longer wanted or not for external parties, and hold those for a digest. Returns the
    messages to send now, and those that failed with their error. A message that cannot be switched off, or is in no
    group, is always sent while it is wanted."""
    wanted: list[Message] = []
    broken: list[tuple[Message, Exception]] = []
    gone: list[Message] = []
    stale: list[Message] = []
    inner: list[Message] = []
    outside = User.objects.external_among({each.user_id for each in messages if each.user_id})
    for message in messages:
        if message.user is not None and not message.user.is_active:
            gone.append(message)
            continue
        if message.user_id in outside and message.kind not in TO_EXTERNAL:
            inner.append(message)
            continue
        try:
            (wanted if kind_of(message).still_wanted(message) else stale).append(message)
        except Exception as error:  # one message that makes its kind fail must not hold up the others
            log.exception("Message %s could not be checked", message.pk)
            broken.append((message, error))
    _drop(gone, LEFT)
    _drop(inner, EXTERNAL)
    _drop(stale, "")
    return (_as_chosen(wanted) if follows_preferences else wanted), broken


def _as_chosen(messages: list[Message]) -> list[Message]:
    free = [each for each in messages if each.user_id and switchable(each.kind)]
    if not free:
        return messages
    chosen = preferences.chosen_by_group({each.user_id for each in free if each.user_id})
    ways = {each.pk: chosen.get((each.user_id or 0, _slug(each)), AT_ONCE).mail for each in free}
    _drop((each for each in free if ways[each.pk] == Preference.OFF), SWITCHED_OFF)
    _hold([each for each in free if ways[each.pk] == Preference.DIGEST], CHOSEN)
    over = _over_the_cap([each for each in free if ways[each.pk] == Preference.NOW])
    _hold(over, f"Held for the daily digest: more than {settings.MAIL_CAP_PER_TARGET_PER_DAY} mails within a day.")
    kept = {each.pk for each in over}
    return [each for each in messages if ways.get(each.pk, Preference.NOW) == Preference.NOW and each.pk not in kept]


def _over_the_cap(messages: list[Message]) -> list[Message]:
    """The messages beyond the limit of an address within 24 hours. Several senders at the same time may each send one
    batch more."""
    rows = Message.objects.filter(
        address__in={each.address for each in messages},
        sent_at__gt=now() - DAY,
        kind__in=CAPPED_KINDS,
        digest__isnull=True,
    )
    sent = Counter(dict(rows.order_by().values_list("address").annotate(Count("pk")))) if messages else Counter()
    over = []
    for each in messages:
        if sent[each.address] >= settings.MAIL_CAP_PER_TARGET_PER_DAY:
            over.append(each)
        else:
            sent[each.address] += 1
    return over


def _drop(messages: Iterable[Message], note: str) -> None:
    rows = list(messages)
    if rows:
        ours = Message.objects.filter(pk__in=[each.pk for each in rows], state=Message.PENDING)
        ours = ours.filter(leased_until__in={each.leased_until for each in rows})
        ours.update(state=Message.DROPPED, leased_until=None, note=note)
        # Messages held for a dropped digest are dropped with it.
        held = Message.objects.held().filter(digest__in=[each.pk for each in rows if each.kind == DIGEST])
        held.update(state=Message.DROPPED, note=note)


def _hold(messages: list[Message], why: str) -> None:
    people = {each.user_id: each.user for each in messages if each.user}
    for pk, user in sorted(people.items()):
        digests.hold(user=user, messages=[each for each in messages if each.user_id == pk], why=why)


def _slug(message: Message) -> str:
    group = switchable(message.kind)
    return group.slug if group else ""
