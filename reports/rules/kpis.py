"""The figures of the framework: their definitions, targets and owners, and whether a value meets the target.

Definitions of the framework, in the way they are counted here:
- Time to escalate: of escalations opened in the period (duplicates left out), the time from impasse to opening; the median.
- Time to decision, by level: of decisions by people in the period on a case (without rules), the time from
  when that level got it to the decision; the median. A level gets a case when it is routed or raised to it, which is when
  the hand-off is sent. A level that has decided on the same case before gets it again when it is asked again: with the
  request, or, for a decision without one, when the decision clock started that it ended. A decision for which nobody
  waited, so that no clock ran, has no time and is not counted.
  Levels are those of the policy in force; decisions count by the level's slug, for any rank it had then. A decision by
  a role without a level counts for the lowest level. The lowest level is reported separately,
  and so are decisions on external cases, which also count for their level.
- Resolved without executive: of cases resolved in the period, those without any decision at a level that
  counts as executive. Cases that never left the lowest level are shown beside it.
- Recurrence: of cases resolved in the period with a root cause, those whose cause occurred before in the same calendar
  month (three cases of one cause in a month are two repeats); the change of their number since the period before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median as middle

from ledger import format as write

TOO_FEW = 5
HOUR = 3600.0
MET, MISSED, FEW = "met", "missed", "too_few"
ESCALATE, WITHOUT, RECURRENCE, DECISIONS = "time-to-escalate", "without-executive", "recurrence", "decisions"
EXTERNAL, DECISION = "decision-external", "decision"
HOURS, PERCENT, CHANGE = "h", "%", "% QoQ"
# A miss by at most a tenth of the target is yellow, a larger one red.
NEAR = 0.1


@dataclass(frozen=True)
class Definition:
    """One figure: its name, unit, target (None: reported only) and owner."""

    slug: str
    name: str
    unit: str
    target: float | None
    owner: str
    lower_is_better: bool = True
    counted: str = "case"  # what it counts, in the singular

    @property
    def target_text(self) -> str:
        """The target as text."""
        if self.target is None:
            return "No target, reported only"
        if self.unit == CHANGE:
            return f"Target down {write.percent(abs(self.target))} QoQ"
        return f"Target {'under' if self.lower_is_better else 'over'} {write.number(self.target)}{self.unit}"


@dataclass(frozen=True)
class LevelFigure:
    """The time to decision of one level. `target` in hours; the lowest level is reported without one."""

    level: str
    name: str
    target: float | None
    lowest: bool = False

    @property
    def slug(self) -> str:
        """The figure's slug: decision-director."""
        return f"decision-{self.level}"

    @property
    def counts(self) -> tuple[str, ...]:
        """The levels whose decisions are counted."""
        return (self.level, "") if self.lowest else (self.level,)

    @property
    def definition(self) -> Definition:
        """The definition for display."""
        target = None if self.lowest else self.target
        return Definition(self.slug, f"Time to decision, {self.name}", HOURS, target, self.name, counted=DECISION)


FIXED = {
    each.slug: each
    for each in (
        Definition(ESCALATE, "Time to escalate", HOURS, 24, "Escalation owner"),
        Definition(WITHOUT, "Resolved without executive", PERCENT, 60, "Functional leads", lower_is_better=False),
        Definition(RECURRENCE, "Recurrence rate", CHANGE, -25, "PMO / operations"),
        Definition(EXTERNAL, "Time to decision, External", HOURS, None, "Escalation owner", counted=DECISION),
        Definition(DECISIONS, "Decisions of every level", HOURS, None, "Decision authority", counted=DECISION),
    )
}


@dataclass(frozen=True)
class Catalogue:
    """The existing figures: those of every policy, and one for each level of the policy in force."""

    levels: tuple[LevelFigure, ...]

    @property
    def main(self) -> tuple[str, ...]:
        """Figures with a target, in the order of the framework: the levels follow the time to escalate."""
        first, *others = (slug for slug, each in FIXED.items() if each.target is not None)
        return (first, *(each.slug for each in self.levels if not each.lowest), *others)

    @property
    def apart(self) -> tuple[str, ...]:
        """Figures that are reported without a target. The decisions of all levels are a list, not a separate figure."""
        others = (slug for slug, each in FIXED.items() if each.target is None and slug != DECISIONS)
        return (*(each.slug for each in self.levels if each.lowest), *others)

    @property
    def every(self) -> tuple[str, ...]:
        """All figures."""
        return (*self.main, *self.apart, DECISIONS)

    def level(self, slug: str) -> LevelFigure | None:
        """The level of a figure; None for figures without one."""
        return next((each for each in self.levels if each.slug == slug), None)

    def of_level(self, level: str) -> LevelFigure | None:
        """The figure of a level, by the level's slug."""
        return next((each for each in self.levels if level in each.counts), None)

    def is_late(self, level: str, hours: float) -> bool:
        """Whether a decision is past the target of its level; levels without one are never late."""
        figure = self.of_level(level)
        target = figure.definition.target if figure else None
        return target is not None and hours >= target


@dataclass(frozen=True)
class Figure:
    """The value of one figure in a period, with the number of cases behind it. `note` is a second fact beside it."""

    definition: Definition
    value: float | None
    cases: int
    previous: float | None = None
    note: str = ""
    # Repeats of a period that has none to compare with: shown as a number, because no percent exists.
    repeats: int | None = None

    @property
    def unit(self) -> str:
        """The unit of what is shown."""
        if self.repeats is None or self.shown is None:
            return self.definition.unit
        return "repeat" if self.repeats == 1 else "repeats"

    @property
    def state(self) -> str:
        """Met, missed or too few cases."""
        if self.value is None or self.cases < TOO_FEW:
            return FEW
        target = self.definition.target
        if target is None:
            return ""
        if self.definition.unit == CHANGE:
            return MET if self.value <= target else MISSED
        good = self.value < target if self.definition.lower_is_better else self.value > target
        return MET if good else MISSED

    @property
    def shown(self) -> float | None:
        """The value, or None if there are too few cases."""
        return None if self.state == FEW else self.value

    @property
    def number(self) -> str:
        """What is shown, without its unit: `19.4` hours, `62` percent, `+12` against the period before."""
        if self.shown is None:
            return write.NOTHING
        if self.repeats is not None:
            return write.number(self.repeats)
        unit = self.definition.unit
        return write.figure(self.shown, 1 if unit == HOURS else 0, signed=unit == CHANGE)

    @property
    def colour(self) -> str:
        """The colour of its chip."""
        if self.state != MISSED:
            return "green"
        target = self.definition.target or 0.0
        near = self.definition.unit != CHANGE and abs((self.value or 0.0) - target) <= abs(target) * NEAR
        return "yellow" if near else "red"

    @property
    def word(self) -> str:
        """The text of the chip."""
        if self.state == FEW:
            return f"Too few to show ({self.cases})"
        return {MET: "On target", MISSED: self._missed_by()}.get(self.state, "")

    def _missed_by(self) -> str:
        gap = abs((self.value or 0.0) - (self.definition.target or 0.0))
        if self.definition.unit == HOURS:
            return f"{write.decimal_hours(gap, 0)} over" if gap >= 1 else "At the limit"
        if self.definition.unit == PERCENT:
            return f"{write.number(gap, 0)} pts short" if gap >= 1 else "At the limit"
        return "Off target"

    @property
    def change(self) -> str:
        """The change since the period before, as text; empty if either is not known."""
        if self.previous is None or self.shown is None or self.definition.unit == CHANGE:
            return ""
        gap = self.shown - self.previous
        if self.definition.unit == PERCENT:
            return "no change" if abs(gap) < 0.5 else f"{'up' if gap > 0 else 'down'} {write.number(abs(gap), 0)} pts"
        return (
            "no change" if abs(gap) < 0.05 else f"{write.decimal_hours(abs(gap))} {'slower' if gap > 0 else 'faster'}"
        )

    def as_dict(self) -> dict[str, object]:
        """For the API; the value is included even if the page says too few."""
        each = self.definition
        return {
            "kpi": each.slug,
            "name": each.name,
            "value": None if self.value is None or self.repeats is not None else round(self.value, 2),
            "unit": each.unit,
            "target": each.target,
            "owner": each.owner,
            "state": self.state or "no_target",
            "cases": self.cases,
            "previous": None if self.previous is None else round(self.previous, 2),
            "note": self.note,
        }


def median(values: Iterable[float]) -> float | None:
    """The exact median, or None without values."""
    ordered = list(values)
    return float(middle(ordered)) if ordered else None


def median_hours(seconds: Iterable[float]) -> float | None:
    """The median of spans, in hours."""
    found = median(seconds)
    return None if found is None else found / HOUR


def share(part: int, whole: int) -> float | None:
    """Percent, or None without cases."""
    return 100.0 * part / whole if whole else None


def hours_figure(definition: Definition, seconds: Sequence[float], before: Sequence[float]) -> Figure:
    """The median of spans, in hours, with the share under one day beside it."""
    value, previous = median(seconds), median(before) if len(before) >= TOO_FEW else None
    quick = share(sum(1 for each in seconds if each < 24 * HOUR), len(seconds))
    note = f"{write.percent(quick, 0)} under 24h" if quick is not None and definition.slug == ESCALATE else ""
    return Figure(
        definition,
        None if value is None else value / HOUR,
        len(seconds),
        None if previous is None else previous / HOUR,
        note,
    )


def without_executive(counts: tuple[int, int, int], before: tuple[int, int, int]) -> Figure:
    """`counts`: cases resolved, those with an executive decision, those that stayed at the lowest level."""
    resolved, executive, team = counts
    previous = share(before[0] - before[1], before[0]) if before[0] >= TOO_FEW else None
    team_share = share(team, resolved)
    note = f"{write.percent(team_share, 0)} at team level" if team_share is not None else ""
    return Figure(FIXED[WITHOUT], share(resolved - executive, resolved), resolved, previous, note)


def recurrence(now_counts: Iterable[int], before_counts: Iterable[int]) -> Figure:
    """The change of the repeats in percent, from the cases of each cause and month in both periods. If there was none before
    there is no percent: the repeats are shown, none of them meets the target, and any is a miss.
    """
    present = list(now_counts)
    repeats, before = repeats_in(present), repeats_in(before_counts)
    if before:
        value = 100.0 * (repeats - before) / before
    else:
        value = 100.0 if repeats else -100.0
    note = f"{repeats} repeat{'s' if repeats != 1 else ''}, {before} before"
    return Figure(FIXED[RECURRENCE], value if present else None, sum(present), None, note, None if before else repeats)


def repeats_in(counts: Iterable[int]) -> int:
    """Cases beyond the first of each cause and month."""
    return sum(count - 1 for count in counts if count > 1)
