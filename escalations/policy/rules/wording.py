"""The rules of the policy as text for the matrix pages."""

from escalations import states
from escalations.clocks.rules import targets
from escalations.triage.rules.triage import TierBand
from ledger.format import counted, money, span


def short(row: targets.TargetRow) -> str:
    """A target in a cell: 1h, 1 business day."""
    if row.unit == targets.DAYS:
        return counted(row.amount, "business day")
    return span(row.amount * 60)


BREACH = {"escalate": "goes to the next level", "remind": "notifies people"}


def warnings(row: targets.TargetRow) -> str:
    """When a clock with this target warns, and the effect of a breach."""
    return f"Warns at {targets.warnings_in_words(row)} of the time; a breach {BREACH[row.on_breach]}"


def again(minutes: int, times: int) -> str:
    """How often people are notified again after a breach nobody answered: every 4h, 3 times."""
    if not (minutes and times):
        return "no reminder"
    return f"every {span(minutes * 60)}, {'once' if times == 1 else counted(times, 'time')}"


def tier_rules(band: TierBand) -> list[str]:
    """The rules that put a case into a tier, line by line. Red also includes every flag and hard threshold."""
    top = band.health_to - 1
    low = f"Health {band.health_from} to {top}" if band.health_from else f"Health under {band.health_to}"
    lines = [low if top < 100 else f"Health {band.health_from} or more"]
    if band.renewal_days:
        lines.append(f"Renewal in {band.renewal_days} days or less with an open blocker")
    if band.arr_from is not None:
        tone = " and a negative tone" if band.arr_needs_negative_tone else ""
        lines.append(f"ARR at risk of {money(band.arr_from)} or more{tone}")
    if band.score_from:
        lines.append(f"Score {band.score_from} or more")
    if band.slug == states.RED:
        lines.append("A hard threshold, or a legal, security or executive flag")
    if band.slug == states.GREEN:
        lines.append("No rule of another tier holds")
    return lines
