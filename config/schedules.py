"""The worker's schedules. Rows of django-q2, corrected at every start and twice a minute, so that a fault does not last.

Its scheduler reads all due rows at once: one row that it cannot read stops all others. Therefore a row that differs from this
list is deleted, and missing rows are created.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django_q.models import Schedule

from ledger.now import now

log = logging.getLogger(__name__)

# The function to call, and the minutes between two calls.
SCHEDULES: dict[str, tuple[str, int]] = {
    "sweep": ("config.tasks.sweep", 1),
    # Out-of-office entries of people's calendars become delegations.
    "read_calendars": ("approvals.tasks.read_calendars", 60),
    # A renewal date computed from running contracts moves to the next one when it has passed.
    "roll_renewals": ("accounts.tasks.roll_renewals", 24 * 60),
    # Nobody sends a form of last week again, and visits that have ended keep no typed words.
    "forget_keys": ("config.tasks.forget_keys", 60),
    # Customers' messages that nobody has opened are listed for operations.
    "list_unopened": ("escalations.tasks.list_unopened", 24 * 60),
    # Without statistics SQLite chooses indexes that read the cases of all time.
    "renew_statistics": ("config.tasks.renew_statistics", 24 * 60),
    # Held files are scanned again. A scanner that hangs must not keep the attachments that were missed.
    "scan_files": ("escalations.tasks.scan_files", 1),
    "take_attachments": ("escalations.tasks.take_attachments", 1),
    # Files that nothing uses, and rows without their file.
    "tidy_files": ("config.tasks.tidy_files", 24 * 60),
}
if settings.IMAP_URL:
    SCHEDULES["fetch_mail"] = ("messaging.inbound.fetch.fetch_all", 1)
# The other fields of each schedule.
PLAIN: dict[str, object] = {
    "schedule_type": Schedule.MINUTES,
    "repeats": -1,
    **dict.fromkeys(("args", "kwargs", "hook", "cron", "cluster", "intended_date_kwarg")),
}


def ensure() -> None:
    """Create missing schedules and delete all others. A correct one keeps its next run."""
    at, ours = now(), []
    for name, (func, minutes) in SCHEDULES.items():
        wanted = {**PLAIN, "name": name, "func": func, "minutes": minutes}
        # Further in the future than twice its period: a typing mistake, or the clock was set back.
        right = Schedule.objects.filter(**wanted, next_run__lte=at + timedelta(minutes=2 * minutes)).order_by("id")
        ours.append((right.first() or Schedule.objects.create(**wanted, next_run=at)).pk)
    number, _ = Schedule.objects.exclude(pk__in=ours).delete()
    if number:
        log.warning("%s schedules that are not on our list were deleted", number)
