"""The worker's schedules. Rows of django-q2, corrected at every start and twice a minute, so that a fault does not
last. Its scheduler reads all due rows at once: one row that it cannot read stops all others. Therefore unknown rows are
switched off, and ours are reset to this list.
"""

import logging
from datetime import datetime, timedelta
from typing import NotRequired, TypedDict

from django.conf import settings
from django.db.models import Q
from django_q.models import Schedule

from ledger.now import now

log = logging.getLogger(__name__)


class Wanted(TypedDict):
    """The function to call, and how often."""

    func: str
    schedule_type: str
    minutes: NotRequired[int]


SCHEDULES: dict[str, Wanted] = {
    "sweep": {"func": "config.tasks.sweep", "schedule_type": Schedule.MINUTES, "minutes": 1},
    # Out-of-office entries of people's calendars become delegations.
    "read_calendars": {"func": "approvals.tasks.read_calendars", "schedule_type": Schedule.HOURLY},
    # A renewal date computed from running contracts moves to the next one when it has passed.
    "roll_renewals": {"func": "accounts.tasks.roll_renewals", "schedule_type": Schedule.DAILY},
}
if settings.IMAP_URL:
    SCHEDULES["fetch_mail"] = {
        "func": "messaging.inbound.fetch.fetch_all",
        "schedule_type": Schedule.MINUTES,
        "minutes": 1,
    }
# Other fields of a schedule; ours leave them empty.
PLAIN: dict[str, object] = {
    "args": None,
    "kwargs": None,
    "hook": None,
    "cron": None,
    "cluster": None,
    "intended_date_kwarg": None,
    "repeats": -1,
}
PERIODS = {
    Schedule.MINUTES: timedelta(minutes=1),
    Schedule.HOURLY: timedelta(hours=1),
    Schedule.DAILY: timedelta(days=1),
}


def ensure() -> None:
    """Create or correct the schedules, each exactly once, and switch off all others. A correct one keeps its next run."""
    at = now()
    for name, wanted in SCHEDULES.items():
        rows = list(Schedule.objects.filter(name=name).order_by("id"))
        Schedule.objects.filter(pk__in=[row.pk for row in rows[1:]]).delete()
        if not rows:
            Schedule.objects.create(name=name, next_run=at, **PLAIN, **wanted)
        elif not _is_right(rows[0], wanted, at):
            log.warning("The schedule %s was corrected", name)
            Schedule.objects.filter(pk=rows[0].pk).update(next_run=at, **PLAIN, **wanted)
    strange = Schedule.objects.exclude(Q(name__in=SCHEDULES) & Q(name__isnull=False)).exclude(repeats=0)
    if number := strange.update(repeats=0):
        log.warning("%s schedules that are not ours were switched off", number)


def _is_right(row: Schedule, wanted: Wanted, at: datetime) -> bool:
    if any(getattr(row, key) != value for key, value in {**PLAIN, **wanted}.items()):
        return False
    # Further in the future than twice its period: a typing mistake, or the clock was set back.
    period = PERIODS[wanted["schedule_type"]] * wanted.get("minutes", 1)
    return row.next_run is not None and row.next_run <= at + 2 * period
