"""The worker's timetable. Rows of django-q2, put right at every start, so that a hand-made mistake does not last."""

from typing import Any

from django_q.models import Schedule

from ledger.now import now

SCHEDULES: dict[str, dict[str, Any]] = {
    "sweep": {"func": "config.tasks.sweep", "schedule_type": Schedule.MINUTES, "minutes": 1},
    # A renewal date that was worked out from running contracts moves on when it has passed.
    "roll_renewals": {"func": "accounts.tasks.roll_renewals", "schedule_type": Schedule.DAILY},
}


def ensure() -> None:
    """Create or correct the schedules, each exactly once. A schedule that is right keeps its next run."""
    for name, wanted in SCHEDULES.items():
        rows = list(Schedule.objects.filter(name=name).order_by("id"))
        Schedule.objects.filter(pk__in=[row.pk for row in rows[1:]]).delete()
        if not rows:
            Schedule.objects.create(name=name, repeats=-1, next_run=now(), **wanted)
        elif any(getattr(rows[0], key) != value for key, value in {**wanted, "repeats": -1}.items()):
            Schedule.objects.filter(pk=rows[0].pk).update(repeats=-1, next_run=now(), **wanted)
