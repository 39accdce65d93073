"""Servers that accept nothing: all messages of the channel wait together, and none loses a try."""

import logging
from datetime import datetime, timedelta

from django.db import transaction

from ledger.now import now
from messaging.models import Outage

log = logging.getLogger(__name__)
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=1)


def current() -> dict[str, Outage]:
    """The outages by the name of their channel."""
    return {outage.channel: outage for outage in Outage.objects.all()}


def note(*, channel: str, detail: str) -> Outage:
    """Note that the server accepts nothing and delay the next attempt of all senders: 5, 10, 20, 40, then 60 seconds.

    Several senders that find it down at the same time count as one.
    """
    at = now()
    with transaction.atomic():
        first = {"since": at, "retry_at": at, "detail": detail[:500]}
        outage, _ = Outage.objects.select_for_update().get_or_create(channel=channel, defaults=first)
        if outage.retry_at <= at:
            outage.retry_at = at + _wait(outage.tries)
            outage.tries += 1
            outage.detail = detail[:500]
            outage.save()
            log.warning("Channel %s waits until %s: %s", channel, outage.retry_at, detail)
    return outage


def over(*, channel: str) -> None:
    """The server accepted a message: the outage has ended."""
    if Outage.objects.filter(channel=channel).delete()[0]:
        log.info("The server of channel %s accepts messages again", channel)


def pauses(outage: Outage, at: datetime) -> bool:
    """Whether senders must wait now."""
    return outage.retry_at > at


def _wait(tries: int) -> timedelta:
    return min(FIRST_WAIT * 2 ** min(tries, 10), LONGEST_WAIT)
