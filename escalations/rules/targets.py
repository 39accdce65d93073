"""How long may it take? The most specific target of the policy, as seconds on a calendar, explained."""

from collections.abc import Sequence
from dataclasses import dataclass

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


def pick(rows: Sequence[TargetRow], *, clock: str, tier: str, level: int, issue_type: str) -> TargetRow | None:
    """Most specific row that fits: issue type weighs more than level, level more than tier. None: no promise is made."""
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
    """How narrow a row is; the narrowest applies."""
    return 4 * bool(row.issue_type) + 2 * (row.level is not None) + bool(row.tier)


def seconds(row: TargetRow, business_day: int) -> int:
    """Length in working seconds (elapsed seconds for clock time). `business_day`: seconds of a working day."""
    return row.amount * (business_day if row.unit == DAYS else 60)


def in_words(row: TargetRow) -> str:
    """The promise as people say it: 4 business hours, 45 minutes, 5 business days."""
    if row.unit == DAYS:
        return f"{row.amount} business {'day' if row.amount == 1 else 'days'}"
    kind = "business " if row.unit == BUSINESS else ""
    if row.amount % 60 == 0:
        hours = row.amount // 60
        return f"{hours} {kind}{'hour' if hours == 1 else 'hours'}"
    return f"{row.amount} {kind}minutes"
