"""A mail server that takes nothing: everybody waits for it together, and no message pays for it with one of its tries."""

import logging
from datetime import datetime, timedelta

from django.db import transaction

from ledger.now import now
from messaging.models import Message, Outage

log = logging.getLogger(__name__)
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=1)


def current() -> Outage | None:
    """The outage of the mail server, if there is one."""
    return Outage.objects.filter(channel=Message.EMAIL).first()


def note(*, detail: str) -> Outage:
    """Note that the server takes nothing and put off the next attempt of all senders: 5, 10, 20, 40, then 60 seconds.

    Several senders that find it down at the same time count as one.
    """
    at = now()
    with transaction.atomic():
        first = {"since": at, "retry_at": at, "detail": detail[:500]}
        outage, _ = Outage.objects.select_for_update().get_or_create(channel=Message.EMAIL, defaults=first)
        if outage.retry_at <= at:
            outage.retry_at = at + _wait(outage.tries)
            outage.tries += 1
            outage.detail = detail[:500]
            outage.save()
            log.warning("Mail waits until %s: %s", outage.retry_at, detail)
    return outage


def over() -> None:
    """The server took a message: the outage has ended."""
    if Outage.objects.filter(channel=Message.EMAIL).delete()[0]:
        log.info("The mail server takes mail again")


def pauses(outage: Outage | None, at: datetime) -> bool:
    """Whether senders wait at this moment."""
    return outage is not None and outage.retry_at > at


def _wait(tries: int) -> timedelta:
    return min(FIRST_WAIT * 2 ** min(tries, 10), LONGEST_WAIT)
