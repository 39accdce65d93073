"""What the charts of the dashboard are drawn from."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

from django.db.models import Case, Count, F, When
from django.db.models.functions import Lower, Trim

from escalations import states
from escalations.models import Clock
from reports.queries.kpis import Scope, causes, decisions
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


def decision_trends(scope: Scope, period: Period) -> list[Trend]:
    """Director and executive. One query."""
    rows = decisions(scope, (states.DIRECTOR, states.EXECUTIVE)).filter(
        request__decided_at__gte=period.start, request__decided_at__lt=period.end
    )
    slot = WholeSteps(since(period.start, "request__decided_at"), step_days(period) * 86_400)
    found: dict[tuple[int, int], list[float]] = defaultdict(list)
    for level, place, took in rows.order_by().values_list("request__decided_level", slot, "took"):
        found[level, place].append(max(0.0, took or 0.0) / rules.HOUR)
    places = range(len(starts(period)))
    return [
        Trend(name, rules.DEFINITIONS[slug].target, [rules.median(found[level, place]) for place in places])
        for name, slug, level in (
            ("Director", rules.DIRECTOR, states.DIRECTOR),
            ("Executive", rules.EXECUTIVE, states.EXECUTIVE),
        )
    ]


@dataclass(frozen=True)
class Promises:
    """Clocks that ended in one week: in good time, after the warning, past SLA."""

    green: int
    yellow: int
    red: int


def promises(scope: Scope, period: Period) -> list[Promises]:
    """One for each point, in one query that counts in the database."""
    ended = Clock.objects.filter(
        stopped_at__gte=period.start, stopped_at__lt=period.end, state__in=[Clock.MET, Clock.MISSED]
    )
    slot = WholeSteps(since(period.start, "stopped_at"), step_days(period) * 86_400)
    warned = Case(When(warned_at__isnull=False, then=True), default=False)
    counts: Counter[tuple[int, str]] = Counter()
    rows = scope.of_cases(ended).order_by().values(slot=slot, ended=F("state"), warned=warned).annotate(n=Count("pk"))
    for row in rows:
        colour = "red" if row["ended"] == Clock.MISSED else "yellow" if row["warned"] else "green"
        counts[row["slot"], colour] += row["n"]
    return [
        Promises(*(counts[place, colour] for colour in ("green", "yellow", "red")))
        for place in range(len(starts(period)))
    ]


@dataclass(frozen=True)
class Cause:
    """A root cause, how often it came in the period, and whether it repeated within a month."""

    name: str
    cases: int
    repeats: int


def root_causes(scope: Scope, period: Period, counts: dict[tuple[str, int, int], int]) -> list[Cause]:
    """The most frequent ones, from the counts of `kpis.cause_counts`; one query finds the words as people write them."""
    cases: Counter[str] = Counter()
    repeats: Counter[str] = Counter()
    for (cause, _, _), count in counts.items():
        cases[cause] += count
        repeats[cause] += max(0, count - 1)
    most = sorted(cases, key=lambda cause: (-cases[cause], cause))[:MOST_CAUSES]
    rows = causes(scope).filter(cause__in=most, resolved_at__gte=period.start, resolved_at__lt=period.end)
    written = dict(rows.order_by("id").values_list(Lower(Trim("root_cause")), Trim("root_cause")).distinct())
    return [Cause(written.get(cause, cause), cases[cause], repeats[cause]) for cause in most]
