"""The most specific target of the policy, as seconds on a calendar, with its explanation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from accounts.calendars.rules.segments import first_instant
from accounts.calendars.rules.workcalendar import WorkCalendar
from accounts.calendars.rules.worktime import business_day_seconds
from escalations.clocks.rules import timing
from ledger.format import counted, hours, listed, percent, span_in_words

CLOCK, BUSINESS, DAYS = "clock", "business", "business_days"


@dataclass(frozen=True)
class TargetRow:
    """One target of the policy. Empty tier or issue type and level None mean any."""

    clock: str
    tier: str
    level: int | None
    issue_type: str
    amount: int
    unit: str
    warn_percent: int
    on_breach: str
    also_warn_at: str = ""
    from_rhythm: bool = False


def rhythm(clock: str, tier: str, minutes: int) -> TargetRow:
    """The target from the rhythm of a tier, if no other target applies; a breach reminds people."""
    return TargetRow(clock, tier, None, "", minutes, CLOCK, 75, "remind", from_rhythm=True)


def pick(rows: Sequence[TargetRow], *, clock: str, tier: str, level: int, issue_type: str) -> TargetRow | None:
    """Most specific row that fits: issue type weighs more than level, level more than tier. None: there is no target."""
    fitting = [
        row
        for row in rows
        if row.clock == clock
        and row.tier in ("", tier)
        and row.level in (None, level)
        and row.issue_type in ("", issue_type)
    ]
    return max(fitting, key=specificity, default=None)


def specificity(row: TargetRow) -> int:
    """How specific a row is; the most specific applies."""
    return 4 * bool(row.issue_type) + 2 * (row.level is not None) + bool(row.tier)


def seconds(row: TargetRow, business_day: int) -> int:
    """Length in working seconds (elapsed seconds for clock time). `business_day`: seconds of a working day."""
    return row.amount * (business_day if row.unit == DAYS else 60)


def in_words(row: TargetRow) -> str:
    """The target as text: 4 business hours, 45 minutes, 5 business days."""
    if row.unit == DAYS:
        return counted(row.amount, "business day")
    return span_in_words(row.amount, "business" if row.unit == BUSINESS else "")


def due(row: TargetRow, calendar: WorkCalendar | None, at: datetime) -> datetime:
    """The due time of a clock with this target that starts at that moment, without factors. No calendar: clock time."""
    length = seconds(row, business_day_seconds(calendar) if calendar else 86_400)
    return timing.plan(calendar, resumed_at=at, used=0, target=length, warn_percent=row.warn_percent).due_at


def shortened(row: TargetRow, base: int, now: int) -> str:
    """The target as text with its adjustment: 4 business hours, shortened to 3 h 12 min."""
    if now == base:
        return in_words(row)
    of = " of business time" if row.unit == DAYS else ""
    return f"{in_words(row)}, {'shortened' if now < base else 'lengthened'} to {hours(now)}{of}"


def further_warnings(row: TargetRow) -> list[int]:
    """The further warnings in percent, in order. Invalid values are left out: a check names them before publishing."""
    found = {int(word) for word in row.also_warn_at.replace(" ", "").split(",") if word.isdecimal()}
    return sorted(each for each in found - {row.warn_percent} if 0 < each < 100)


def warnings_in_words(row: TargetRow) -> str:
    """All warnings: 75%, or 50%, 75% and 90%."""
    return listed([percent(each) for each in sorted({row.warn_percent, *further_warnings(row)})])


def end_of_business(calendar: WorkCalendar, day: date) -> datetime:
    """The last closing of a local day, in UTC; the end of the day if the calendar is closed on that day."""
    closes = max((end for _, end in calendar.spans_on(day)), default=24 * 60)
    return first_instant(ZoneInfo(calendar.zone), day, closes)
