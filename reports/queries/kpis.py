"""How every figure is counted, and the list of exactly the cases that were counted.

A figure is a definition in `reports.rules.kpis` and a class here, listed in `KPIS`.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, reduce
from operator import or_
from typing import Any, Generic, TypeVar

from django.db.models import Case, Count, F, Model, OuterRef, Prefetch, Q, QuerySet, Subquery, When, Window

from escalations import states
from escalations.models import Escalation, Level, PolicyVersion, Target
from ledger.format import decimal_hours, month
from ledger.now import now as present_time
from reports.models import CaseFact, DecisionFact
from reports.queries import lines
from reports.queries.lines import Line, within
from reports.queries.scope import Scope
from reports.rules import kpis as rules
from reports.rules.kpis import Definition, Figure
from reports.rules.periods import Period

# Facts of any kind.
Fact = TypeVar("Fact", bound=Model)
CauseCounts = Counter[tuple[str, str]]
NO_LEVEL = "Deal desk and below"
WITHOUT_REQUEST = "decision without a request"
SLOWEST_FIRST = ("-took", "-case_id", "-decided_at", "-pk")


@dataclass(frozen=True)
class Levels:
    """The levels of all policies, by slug."""

    shown: rules.Catalogue
    names: dict[str, str]
    executive: frozenset[str]


def levels() -> Levels:
    """One query. A level's target is the policy's general time to decide at that level; its name is that of the newest version
    that has it. A level that counts as executive in any version counts by its slug, so that the cases of all versions add up.
    """
    in_force = Q(version__in=PolicyVersion.objects.in_force(present_time()).values("pk"))
    general = Target.objects.filter(version=OuterRef("version"), level=OuterRef("rank"), clock=states.DECISION)
    minutes = Subquery(general.filter(tier="", issue_type="", unit=Target.CLOCK).values("amount")[:1])
    rows = Level.objects.order_by("version__number", "rank").annotate(
        minutes=minutes, current=Case(When(in_force, then=True), default=False)
    )
    found = list(rows)
    current = [each for each in found if each.current]
    shown = [
        rules.LevelFigure(each.slug, each.name, _hours(each.minutes), lowest=each == current[0]) for each in current
    ]
    return Levels(
        rules.Catalogue(tuple(shown)),
        {each.slug: each.name for each in found},
        frozenset(each.slug for each in found if each.counts_as_executive),
    )


def _hours(minutes: int | None) -> float | None:
    if minutes is None:
        return None
    return minutes / 60 if minutes % 60 else minutes // 60


def catalogue() -> rules.Catalogue:
    """The current figures."""
    return levels().shown


@dataclass(frozen=True)
class Row:
    """One counted case. `value` is in hours if the figure is a time; `text` is the value as text."""

    case: Escalation
    what: str
    start: datetime | None
    end: datetime | None
    value: float | None
    text: str
    late: bool = False

    @property
    def level(self) -> str:
        """The level of a decision, without its concession."""
        return self.what.partition(":")[0]


# Cases are read for the rows that are shown, never for those that are counted or sorted.
SHOWN = Prefetch("case", Escalation.objects.select_related("account", "policy"))


@dataclass(frozen=True)
class Listing(Generic[Fact]):
    """The rows of one figure as a query, and the display of a row."""

    rows: QuerySet[Fact]
    show: Callable[[Fact], Row]
    columns: tuple[str, str, str]

    def made(self, found: Iterable[Fact]) -> list[Row]:
        """Rows to show."""
        return [self.show(each) for each in found]


class Counting:
    """Figures of one scope and period. Everything is counted by one query, on first use."""

    def __init__(self, scope: Scope, period: Period, reads: tuple[str, ...] = lines.FIGURES) -> None:
        self.facts = scope.within(period)
        self.period = period
        self.reads = reads

    @cached_property
    def levels(self) -> Levels:
        """The levels of all policies."""
        return levels()

    @property
    def shown(self) -> rules.Catalogue:
        """The current figures."""
        return self.levels.shown

    @cached_property
    def lines(self) -> dict[str, list[Line]]:
        """The groups of facts of both periods."""
        return lines.read(self.facts, *self.reads)

    def is_present(self, day: date) -> bool:
        """Whether a day is in the period, not in the one before."""
        return day >= self.period.first_day

    def split(self, what: str, counts: Callable[[Line], bool] = lambda line: True) -> tuple[list[int], list[int]]:
        """The numbers of the lines that count: (of this period, of the one before)."""
        found: tuple[list[int], list[int]] = ([], [])
        for line in self.lines[what]:
            if counts(line):
                found[0 if self.is_present(line.day) else 1].extend(line.values)
        return found

    @cached_property
    def causes(self) -> tuple[CauseCounts, CauseCounts]:
        """(cause, month) → cases resolved, of this period and of the one before."""
        found: tuple[CauseCounts, CauseCounts] = (Counter(), Counter())
        for line in self.lines[lines.CAUSED]:
            present, before, _ = line.values
            found[0][line.second, line.first] += present
            found[1][line.second, line.first] += before
        # Without those of the other period, which count nothing here.
        return +found[0], +found[1]

    def kpi(self, slug: str) -> "Kpi":
        """How a figure is counted. Raises KeyError for an unknown one."""
        level = self.shown.level(slug)
        return TimeToDecision(level.definition, levels=level.counts) if level else KPIS[slug]

    def figures(self) -> dict[str, Figure]:
        """All figures by slug, those with a target first; in at most four queries for any number of cases."""
        return {slug: self.kpi(slug).figure(self) for slug in self.shown.every}


@dataclass(frozen=True)
class Kpi(ABC):
    """How one figure is counted."""

    definition: Definition

    @abstractmethod
    def figure(self, counting: Counting) -> Figure:
        """The figure."""

    @abstractmethod
    def cases(self, counting: Counting) -> Listing[Any]:
        """The drill-down: the cases that were counted, with the value of each."""


class TimeToEscalate(Kpi):
    """From impasse to opening."""

    def figure(self, counting: Counting) -> Figure:
        """From the cases that were opened."""
        return rules.hours_figure(self.definition, *counting.split(lines.OPENED))

    def cases(self, counting: Counting) -> Listing[CaseFact]:
        """The slowest first."""
        rows = CaseFact.objects.filter(within(counting.period, "opened_on"), duplicate=False)
        target = self.definition.target or 0.0

        def show(fact: CaseFact) -> Row:
            case, hours = fact.case, fact.took / rules.HOUR
            tier = f"{case.get_tier_display()} tier"
            return Row(case, tier, case.impasse_at, case.opened_at, hours, decimal_hours(hours), hours >= target)

        listed = counting.facts.narrow(rows).prefetch_related(SHOWN).order_by("-took", "-case_id")
        return Listing(listed, show, ("Tier", "Impasse", "Opened"))


@dataclass(frozen=True)
class TimeToDecision(Kpi):
    """Decisions of some levels (None: all) on cases of one kind (empty: any)."""

    levels: tuple[str, ...] | None = None
    kind: str = ""

    def figure(self, counting: Counting) -> Figure:
        """From the decisions, which the figures of all levels share."""
        return rules.hours_figure(self.definition, *counting.split(lines.DECIDED, self._counts))

    def _counts(self, line: Line) -> bool:
        of_level = self.levels is None or line.first in self.levels
        return of_level and (not self.kind or line.second == self.kind)

    def rows(self, counting: Counting) -> QuerySet[DecisionFact]:
        """The decisions of the period that are counted, the slowest first."""
        rows = DecisionFact.objects.filter(within(counting.period, "day"))
        if self.levels is not None:
            rows = rows.filter(level__in=self.levels)
        if self.kind:
            rows = rows.filter(kind=self.kind)
        return counting.facts.narrow(rows).order_by(*SLOWEST_FIRST)

    def cases(self, counting: Counting) -> Listing[DecisionFact]:
        """The slowest first."""

        def show(fact: DecisionFact) -> Row:
            hours = fact.took / rules.HOUR
            what = f"{counting.levels.names.get(fact.level, NO_LEVEL)}: {fact.concession or WITHOUT_REQUEST}"
            late = counting.shown.is_late(fact.level, hours)
            return Row(fact.case, what, fact.got, fact.decided_at, hours, decimal_hours(hours), late)

        return Listing(self.rows(counting).prefetch_related(SHOWN), show, ("Decision", "Level got the case", "Decided"))


class ResolvedWithoutExecutive(Kpi):
    """The resolved cases without a decision of an executive."""

    def figure(self, counting: Counting) -> Figure:
        """From the cases that were resolved."""
        lowest = next((each.level for each in counting.shown.levels if each.lowest), None)
        counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        for line in counting.lines[lines.RESOLVED]:
            found = counts[counting.is_present(line.day)]
            executive = not counting.levels.executive.isdisjoint(line.first.split(","))
            found["all"] += line.number
            found["executive"] += line.number * executive
            found["team"] += line.number * (not executive and line.second == lowest)
        now, before = ((each["all"], each["executive"], each["team"]) for each in (counts[True], counts[False]))
        return rules.without_executive(now, before)

    def cases(self, counting: Counting) -> Listing[Any]:
        """Those with an executive first."""
        rows = CaseFact.objects.filter(within(counting.period, "resolved_on"))
        slugs = (Q(decided__contains=f",{slug},") for slug in sorted(counting.levels.executive))
        executive = Case(When(reduce(or_, slugs, Q(pk=None)), then=True), default=False)

        def show(fact: Any) -> Row:
            text = "With executive" if fact.executive else "Without executive"
            case = fact.case
            level = case.get_level_display()
            return Row(case, level, case.opened_at, fact.resolved_at, None, text, bool(fact.executive))

        listed = counting.facts.narrow(rows).annotate(executive=executive).prefetch_related(SHOWN)
        ordered = listed.order_by("-executive", "-resolved_at", "-case_id")
        return Listing(ordered, show, ("Level", "Opened", "Resolved"))


class Recurrence(Kpi):
    """Root causes that repeat within a month."""

    def figure(self, counting: Counting) -> Figure:
        """From the causes, which the chart of root causes shares."""
        present, before = counting.causes
        return rules.recurrence(present.values(), before.values())

    def cases(self, counting: Counting) -> Listing[Any]:
        """Cases of one cause together."""
        rows = CaseFact.objects.filter(within(counting.period, "resolved_on")).exclude(same_cause="")
        alike = Window(Count("pk"), partition_by=[F("same_cause"), F("month")])

        def show(fact: Any) -> Row:
            case, text = fact.case, f"{fact.alike} in {month(fact.resolved_at)}"
            return Row(case, fact.cause, case.opened_at, fact.resolved_at, float(fact.alike), text)

        repeated = counting.facts.narrow(rows).annotate(alike=alike).filter(alike__gt=1).prefetch_related(SHOWN)
        ordered = repeated.order_by("same_cause", "resolved_at", "case_id")
        return Listing(ordered, show, ("Root cause", "Opened", "Resolved"))


# A policy adds one for each of its levels; see `Counting.kpi`.
KPIS: dict[str, Kpi] = {
    rules.ESCALATE: TimeToEscalate(rules.FIXED[rules.ESCALATE]),
    rules.WITHOUT: ResolvedWithoutExecutive(rules.FIXED[rules.WITHOUT]),
    rules.RECURRENCE: Recurrence(rules.FIXED[rules.RECURRENCE]),
    rules.EXTERNAL: TimeToDecision(rules.FIXED[rules.EXTERNAL], kind=states.OUTSIDE),
    rules.DECISIONS: TimeToDecision(rules.FIXED[rules.DECISIONS]),
}


def figures(scope: Scope, period: Period) -> dict[str, Figure]:
    """All figures by slug, those with a target first."""
    return Counting(scope, period).figures()
