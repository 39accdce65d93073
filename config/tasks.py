"""Background jobs of the whole desk, run by the worker."""

import logging
from datetime import timedelta

from django.core.management import call_command

from accounts.people import leaving
from config.worker import prove_life
from escalations.clocks.audit import follow_calendars
from escalations.clocks.engine import fire_due
from ledger import idempotency, statistics
from ledger.files.tidying import tidy
from ledger.now import now
from messaging.outbox.messages import send_due
from reports.facts.follow import pull

log = logging.getLogger(__name__)


def sweep() -> dict[str, int]:
    """Once a minute, fire clocks, move the work of people who left and send mail, so that all go on if the engine is down."""
    prove_life()
    done = {"moved": follow_calendars(now()), "fired": fire_due(), "left": leaving.follow()}
    return {**done, "sent": send_due(), "counted": pull()}


def forget_keys() -> int:
    """Once an hour: delete the keys of old forms and requests, and sessions that have expired."""
    call_command("clearsessions")
    return idempotency.forget_old(timedelta(days=7))


def renew_statistics() -> None:
    """Once a day: SQLite does not do it by itself, and PostgreSQL only after many changes."""
    statistics.renew()


def tidy_files() -> None:
    """Once a day: remove what nothing uses below the media root, and hold what is missing there."""
    found = tidy()
    log.info("Files: %s unused and %s without a row were removed", found.unused, found.without_row)
    if found.missing:
        log.error("Files: the content of %s stored files is missing; restore the media folder", found.missing)
