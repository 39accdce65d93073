"""The worker's timetable. Rows of django-q2, put right at every start and twice a minute, so that a mistake does not last.

Its scheduler reads all that is due in one go: one row it cannot read stops every other. So each row that is not exactly one of
ours is deleted, and ours are made as they stand here.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django_q.models import Schedule

from ledger.now import now

log = logging.getLogger(__name__)

# What is called, and every how many minutes.
SCHEDULES: dict[str, tuple[str, int]] = {
    "sweep": ("config.tasks.sweep", 1),
    # Out-of-office entries of people's calendars become delegations.
    "read_calendars": ("approvals.tasks.read_calendars", 60),
    # A renewal date that was worked out from running contracts moves on when it has passed.
    "roll_renewals": ("accounts.tasks.roll_renewals", 24 * 60),
}
if settings.IMAP_URL:
    SCHEDULES["fetch_mail"] = ("messaging.inbound.fetch.fetch_all", 1)
# All else that a schedule may say.
PLAIN: dict[str, object] = {
    "schedule_type": Schedule.MINUTES,
    "repeats": -1,
    **dict.fromkeys(("args", "kwargs", "hook", "cron", "cluster", "intended_date_kwarg")),
}


def ensure() -> None:
    """Create or correct the schedules, each exactly once, and delete all others. A right one keeps its next run."""
    at, ours = now(), []
    for name, (func, minutes) in SCHEDULES.items():
        wanted = {**PLAIN, "name": name, "func": func, "minutes": minutes}
        # Further ahead than twice its period: a typing mistake, or the clock was set back.
        right = Schedule.objects.filter(**wanted, next_run__lte=at + timedelta(minutes=2 * minutes)).order_by("id")
        ours.append((right.first() or Schedule.objects.create(**wanted, next_run=at)).pk)
    number, _ = Schedule.objects.exclude(pk__in=ours).delete()
    if number:
        log.warning("%s schedules were deleted: they are not ours, or not as ours should be", number)
