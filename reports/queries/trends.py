"""The data of the dashboard's charts."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import NamedTuple

from django.db.models import Case, Count, When
from django.db.models.functions import Lower, Trim

from escalations.clocks.rules.kinds import CHOICES
from escalations.models import Clock
from reports.queries.kpis import CauseCounts, Scope, causes, decisions
from reports.queries.measures import WholeSteps, since
from reports.rules import kpis as rules
from reports.rules.periods import Period

WEEK = 7 * 86_400
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


@dataclass(frozen=True)
class Trend:
    """Median hours of one level for each point; None where nobody decided."""

    name: str
    target: float | None
    points: list[float | None]


def decision_trends(scope: Scope, period: Period, shown: rules.Catalogue) -> list[Trend]:
    """The levels that have a target. One query."""
    levels = [each for each in shown.levels if not each.lowest]
    rows = decisions(scope, [each.level for each in levels]).filter(
        request__decided_at__gte=period.start, request__decided_at__lt=period.end
    )
    slot = WholeSteps(since(period.start, "request__decided_at"), step_days(period) * 86_400)
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    for level, place, took in rows.order_by().values_list("request__decided_level", slot, "took"):
        found[level, place].append(max(0.0, took or 0.0) / rules.HOUR)
    places = range(len(starts(period)))
    return [
        Trend(each.name, each.target, [rules.median(found[each.level, place]) for place in places]) for each in levels
    ]


@dataclass(frozen=True)
class Promises:
    """Clocks that ended in one week: before the warning, after it, past SLA."""

    green: int
    yellow: int
    red: int


class Ended(NamedTuple):
    """A group of clocks that ended: the point of the chart, the kind, the result, and whether a warning was sent
    before."""

    slot: int
    kind: str
    state: str
    warned: bool


def ended_clocks(scope: Scope, period: Period) -> Counter[Ended]:
    """The number of clocks that ended in each group. One query that counts in the database."""
    ended = Clock.objects.filter(
        stopped_at__gte=period.start, stopped_at__lt=period.end, state__in=[Clock.MET, Clock.MISSED]
    )
    slot = WholeSteps(since(period.start, "stopped_at"), step_days(period) * 86_400)
    warned = Case(When(warned_at__isnull=False, then=True), default=False)
    rows = scope.of_cases(ended).annotate(slot=slot, warned=warned).order_by()
    counted = rows.values("slot", "kind", "state", "warned").annotate(n=Count("pk"))
    return Counter({Ended(row["slot"], row["kind"], row["state"], row["warned"]): row["n"] for row in counted})


def promises(ended: Counter[Ended], points: int) -> list[Promises]:
    """One for each point of the chart."""
    counts: Counter[tuple[int, str]] = Counter()
    for group, number in ended.items():
        colour = "red" if group.state == Clock.MISSED else "yellow" if group.warned else "green"
        counts[group.slot, colour] += number
    return [Promises(*(counts[place, colour] for colour in ("green", "yellow", "red"))) for place in range(points)]


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
    counts: Counter[tuple[str, str]] = Counter()
    for group, number in ended.items():
        counts[group.kind, group.state] += number
    rows = [Attainment(str(name), counts[kind, Clock.MET], counts[kind, Clock.MISSED]) for kind, name in CHOICES]
    return [row for row in rows if row.met or row.missed]


@dataclass(frozen=True)
class Cause:
    """A root cause, how often it occurred in the period, and whether it repeated within a month."""

    name: str
    cases: int
    repeats: int


def root_causes(scope: Scope, period: Period, counts: CauseCounts) -> list[Cause]:
    """The most frequent ones, from the counts of `kpis.cause_counts`; one query finds the spelling that people use."""
    cases: Counter[str] = Counter()
    repeats: Counter[str] = Counter()
    for (cause, _), count in counts.items():
        cases[cause] += count
        repeats[cause] += max(0, count - 1)
    most = sorted(cases, key=lambda cause: (-cases[cause], cause))[:MOST_CAUSES]
    rows = causes(scope).filter(cause__in=most, resolved_at__gte=period.start, resolved_at__lt=period.end)
    written = dict(rows.order_by("id").values_list(Lower(Trim("root_cause")), Trim("root_cause")).distinct())
    return [Cause(written.get(cause, cause), cases[cause], repeats[cause]) for cause in most]
