"""Fetches mail from the mailbox: each mail is fetched, kept (committed), then marked. If the process is killed in
between, the mail is fetched again and stays the same row."""

import logging
import time
from collections.abc import Iterator

from django.conf import settings

from ledger import faults
from messaging.inbound import receive as inbound
from messaging.inbound.mailbox import Mailbox, MailboxTrouble, place
from messaging.models import InboundMail

log = logging.getLogger(__name__)
AT_ONCE = 500
# The schedule runs this again after a minute.
LONGEST_SECONDS = 50.0


def fetch(*, limit: int = AT_ONCE) -> Iterator[tuple[str, InboundMail]]:
    """Fetch the mail that waits in the mailbox of IMAP_URL, oldest first, at most `limit` mails and for at most 50
    seconds; yields each mail with its number in the mailbox. A mail that could not be kept stays in the mailbox for the
    next time and does not hold up others.

    Raises MailboxTrouble when the mailbox cannot be read.
    """
    deadline, taken = time.monotonic() + LONGEST_SECONDS, 0
    with Mailbox(place(settings.IMAP_URL)) as mailbox:
        for uid in mailbox.waiting():
            if taken >= limit or time.monotonic() > deadline:
                return
            mail = _kept(mailbox, uid)
            if mail is None:
                continue
            faults.passing("mail_kept")
            mailbox.done(uid)
            taken += 1
            yield uid, mail


def _kept(mailbox: Mailbox, uid: str) -> InboundMail | None:
    raw = mailbox.raw(uid)
    if raw is None:
        return None
    faults.passing("mail_fetched")
    try:
        return inbound.receive(raw=raw, channel="imap")
    except Exception:  # one mail that breaks a verb or meets a busy database must not hold up the others
        log.exception("Mail %s of %s could not be kept; it stays there", uid, mailbox.where)
        return None


def fetch_all() -> int:
    """For the schedule: fetch waiting mail; returns how many. A mailbox that cannot be read is logged and tried again."""
    if not settings.IMAP_URL:
        return 0
    try:
        return sum(1 for _ in fetch())
    except MailboxTrouble as trouble:
        log.warning("%s", trouble)
        return 0
