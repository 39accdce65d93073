"""What is promised to a case: the target of its policy for a clock, with the calendar it runs on and every reason.

Rows of a policy are read once per policy instance (published rows never change) and kept on it, however many clocks ask.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import prefetch_related_objects

from accounts.calendars.queries import work_calendar
from accounts.calendars.rules.worktime import business_day_seconds
from accounts.models import Calendar
from escalations import states
from escalations.clocks import circumstances
from escalations.clocks.rules import factors, targets
from escalations.models import Escalation, MatrixRow
from escalations.policy.rows import plain_factor, plain_target
from escalations.policy.rules import wording
from ledger.now import now

BUSINESS_CALENDAR = "business"
NO_FACTOR = f"No factor changes this target ({', '.join(part.name for part in factors.PARTS)})"


@dataclass(frozen=True)
class Promise:
    """A target as it applies to one case. `seconds` count on the calendar, or around the clock without one."""

    seconds: int
    text: str
    warn_percent: int
    on_breach: str
    calendar: Calendar | None
    why: list[str]
    also_warn_at: list[int] = field(default_factory=list)
    repeat_minutes: int = 0
    repeat_times: int = 0


def promise(case: Escalation, kind: str, *, at: datetime | None = None) -> Promise | None:
    """The target of the case's policy for this clock, or None when the policy promises nothing.

    Factors that are switched on for the clock tighten or loosen it by what is known of the case at `at` (now).
    """
    _read_policy(case)
    row = _pick(case, kind)
    if row is None:
        return None
    calendar = None if row.unit == targets.CLOCK else _calendar(case, row.unit)
    base = targets.seconds(row, business_day_seconds(work_calendar(calendar)) if calendar else 86_400)
    adjusted = _adjusted(case, kind, base, at or now())
    again = _matrix_row(case)
    return Promise(
        seconds=adjusted.seconds,
        text=targets.shortened(row, base, adjusted.seconds),
        warn_percent=row.warn_percent,
        on_breach=row.on_breach,
        calendar=calendar,
        why=[*_why(case, row, calendar), *adjusted.lines, wording.warnings(row)],
        also_warn_at=targets.further_warnings(row),
        repeat_minutes=again.repeat_minutes if again else 0,
        repeat_times=again.repeat_times if again else 0,
    )


def end_of_business(day: date) -> datetime:
    """When a promise "by that day" is due: the last closing of the business calendar, the end of a day it is closed on."""
    return targets.end_of_business(work_calendar(Calendar.objects.get(slug=BUSINESS_CALENDAR)), day)


def _read_policy(case: Escalation) -> None:
    prefetch_related_objects([case.policy], "targets", "targetfactors", "matrixrows", "cadences")


def _pick(case: Escalation, kind: str) -> targets.TargetRow | None:
    rows = [plain_target(row) for row in case.policy.targets.all() if row.clock == kind]
    found = targets.pick(rows, clock=kind, tier=case.tier, level=case.level, issue_type=case.issue_type.slug)
    return _rhythm(case) if found is None and kind == states.INTERNAL_UPDATE else found


def _rhythm(case: Escalation) -> targets.TargetRow | None:
    """The inside hears of a case as often as the rhythm of its tier says, where no target says otherwise."""
    rows = (row for row in case.policy.cadences.all() if row.tier == case.tier and row.internal_minutes)
    return next((targets.rhythm(states.INTERNAL_UPDATE, row.tier, row.internal_minutes) for row in rows), None)


def _adjusted(case: Escalation, kind: str, base: int, at: datetime) -> factors.Adjusted:
    every = [plain_factor(row) for row in case.policy.targetfactors.all() if row.active]
    rows = factors.for_clock(every, kind)
    if not rows:
        return factors.Adjusted(base, (NO_FACTOR,))
    return factors.adjust(rows, circumstances.facts(case, {row.part for row in rows}, at), base)


def _matrix_row(case: Escalation) -> MatrixRow | None:
    """The row in force for the issue type and tier: it says how often people are told again after a breach."""
    slug = case.issue_type.slug
    rows = case.policy.matrixrows.all()
    return next((row for row in rows if row.issue_type in ("", slug) and row.tier in ("", case.tier)), None)


def _why(case: Escalation, row: targets.TargetRow, calendar: Calendar | None) -> list[str]:
    return [
        f"Target: {targets.in_words(row)}",
        f"Policy version {case.policy.number}, {_scope(row, case.issue_type.name)}",
        f"Calendar: {calendar.name} ({calendar.zone})" if calendar else "Runs around the clock",
    ]


def _scope(row: targets.TargetRow, name: str) -> str:
    words = [
        name if row.issue_type else "",
        f"{row.tier} tier" if row.tier else "",
        f"level {row.level}" if row.level else "",
    ]
    where = "rhythm of updates" if row.from_rhythm else "row"
    return f"{where} for {', '.join(word for word in words if word) or 'every case'}"


def _calendar(case: Escalation, unit: str) -> Calendar:
    """The issue type's calendar; a business day is one of the business calendar even for round-the-clock issues."""
    own = case.issue_type.calendar
    if own is not None and not (unit == targets.DAYS and own.always_open):
        return own
    return Calendar.objects.get(slug=BUSINESS_CALENDAR)
