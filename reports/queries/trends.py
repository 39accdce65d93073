"""The data of the dashboard's charts."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import NamedTuple

from escalations.clocks.rules.kinds import CHOICES
from reports.queries import lines
from reports.queries.kpis import Counting
from reports.rules import kpis as rules
from reports.rules import tallies
from reports.rules.periods import Period

MOST_POINTS = 13
MOST_CAUSES = 6
SLOWEST = 5


def step_days(period: Period) -> int:
    """Days of one point of a chart: a week, or as many weeks as keep a chart readable."""
    days = (period.end - period.start).days
    return 7 * max(1, ceil(days / 7 / MOST_POINTS))


def starts(period: Period) -> list[date]:
    """The first day of every point."""
    days = step_days(period)
    return [period.first_day + timedelta(days=n) for n in range(0, (period.end - period.start).days, days)]


def _slot(period: Period, day: date) -> int:
    """The point of the chart to which a day belongs."""
    return (day - period.first_day).days // step_days(period)


@dataclass(frozen=True)
class Trend:
    """Median hours of one level for each point; None where nobody decided."""

    name: str
    target: float | None
    points: list[float | None]


def decision_trends(counting: Counting) -> list[Trend]:
    """The levels that have a target."""
    found: dict[tuple[str, int], list[int]] = defaultdict(list)
    for line in counting.lines[lines.DECIDED]:
        if counting.is_present(line.day):
            found[line.first, _slot(counting.period, line.day)].extend(line.values)
    places = range(len(starts(counting.period)))
    return [
        Trend(each.name, each.target, [rules.median_hours(found[each.level, place]) for place in places])
        for each in counting.shown.levels
        if not each.lowest
    ]


class Ended(NamedTuple):
    """A group of clocks that were met or missed: the point of the chart, the kind and the result."""

    slot: int
    kind: str
    result: str


def ended_clocks(counting: Counting) -> Counter[Ended]:
    """The number of clocks in each group."""
    days: Counter[tuple[int, int]] = Counter()
    for line in counting.lines[lines.ENDED]:
        days[_slot(counting.period, line.day), line.values[0]] += line.number
    texts = {line.values[0]: line.first for line in counting.lines[lines.TALLIES]}
    found: Counter[Ended] = Counter()
    for (slot, tally), times in days.items():
        for (kind, result), number in tallies.read(texts[tally]):
            found[Ended(slot, kind, result)] += number * times
    return found


@dataclass(frozen=True)
class Promises:
    """Clocks that ended in one week: before the warning, after it, past SLA."""

    green: int
    yellow: int
    red: int


def promises(ended: Counter[Ended], points: int) -> list[Promises]:
    """One for each point of the chart."""
    counts: Counter[tuple[int, str]] = Counter()
    for group, number in ended.items():
        counts[group.slot, group.result] += number
    results = (tallies.GREEN, tallies.YELLOW, tallies.RED)
    return [Promises(*(counts[place, result] for result in results)) for place in range(points)]


@dataclass(frozen=True)
class Attainment:
    """One kind of clock: how many clocks ended in the period, and the share that was met."""

    name: str
    met: int
    missed: int

    @property
    def kept(self) -> float:
        """Percent."""
        return 100.0 * self.met / (self.met + self.missed)


def attainment(ended: Counter[Ended]) -> list[Attainment]:
    """Every kind of clock that ended, in the order of the case page."""
    counts: Counter[tuple[str, bool]] = Counter()
    for group, number in ended.items():
        counts[group.kind, group.result == tallies.RED] += number
    rows = [Attainment(str(name), counts[kind, False], counts[kind, True]) for kind, name in CHOICES]
    return [row for row in rows if row.met or row.missed]


@dataclass(frozen=True)
class Cause:
    """A root cause, how often it occurred in the period, and whether it repeated within a month."""

    name: str
    cases: int
    repeats: int


def root_causes(counting: Counting) -> list[Cause]:
    """The most frequent ones, each in the spelling of its newest case."""
    cases: Counter[str] = Counter()
    repeats: Counter[str] = Counter()
    for (cause, _), count in counting.causes[0].items():
        cases[cause] += count
        repeats[cause] += rules.repeats_in([count])
    most = sorted((each for each in cases if cases[each]), key=lambda cause: (-cases[cause], cause))[:MOST_CAUSES]
    spelled: dict[str, tuple[int, str]] = {}
    for line in counting.lines[lines.CAUSED]:
        newest = line.values[2]
        spelled[line.second] = max(spelled.get(line.second, (0, "")), (newest, line.third))
    return [Cause(spelled[cause][1], cases[cause], repeats[cause]) for cause in most]
