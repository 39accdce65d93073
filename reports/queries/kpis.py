"""How every figure is counted, and the list of exactly the cases that were counted.

A figure is a definition in `reports.rules.kpis` and a class here, listed in `KPIS`.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    Exists,
    F,
    Min,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Lower, Trim

from accounts.models import User
from approvals.models import ApprovalRequest
from escalations import states
from escalations.models import CaseRequest, Escalation, HandOff, Level, PolicyVersion, Target
from escalations.policy.levels import at_level
from ledger.format import decimal_hours, month
from ledger.now import now as present_time
from reports.queries.measures import MonthOf, SecondsBetween
from reports.rules import kpis as rules
from reports.rules.kpis import Definition, Figure
from reports.rules.periods import Period

# Rows of any model that belongs to a case.
Rows = TypeVar("Rows", bound=Model)
CauseCounts = dict[tuple[str, str], int]
# The counted columns of a row: texts, or seconds.
Values = tuple[str | float | None, ...]
NO_LEVEL = "Deal desk and below"


@dataclass(frozen=True)
class Scope:
    """The cases that are counted: those a person may see (None: all), of one region or of all."""

    user: User | None = None
    region: str = ""

    def cases(self) -> QuerySet[Escalation]:
        """Every case in scope."""
        rows = Escalation.objects.visible_to(self.user) if self.user else Escalation.objects.all()
        return rows.filter(account__region=self.region) if self.region else rows

    def of_cases(self, rows: QuerySet[Rows], path: str = "case") -> QuerySet[Rows]:
        """Rows that belong to a case in scope."""
        if self.region:
            rows = rows.filter(**{f"{path}__account__region": self.region})
        if self.user is None or self.user.is_superuser:
            return rows
        return rows.filter(**{f"{path}__in": Escalation.objects.visible_to(self.user).values("pk")})

    @property
    def regions(self) -> Sequence[str]:
        """Regions of the accounts in scope, for the filter."""
        rows = self.cases().exclude(account__region="").order_by("account__region")
        return list(rows.values_list("account__region", flat=True).distinct())


def _within(period: Period, field: str, *, before: bool = False) -> Q:
    start, end = (period.previous_start, period.previous_end) if before else (period.start, period.end)
    return Q(**{f"{field}__gte": start, f"{field}__lt": end})


def _either(period: Period, field: str) -> Q:
    return _within(period, field) | _within(period, field, before=True)


# Rows of the next queries are `Any`: no model has the figures that a query adds to its rows.


def escalated(scope: Scope) -> QuerySet[Any]:
    """Cases with `took`: seconds from impasse to opening."""
    return scope.cases().exclude(state=states.DUPLICATE).annotate(took=SecondsBetween(F("impasse_at"), F("opened_at")))


def catalogue() -> rules.Catalogue:
    """The current figures. A level's target is the policy's general time to decide at that level."""
    policy = PolicyVersion.objects.current(present_time())
    if policy is None:
        return rules.Catalogue(())
    general = policy.targets.filter(clock=states.DECISION, tier="", issue_type="", unit=Target.CLOCK)
    hours = {
        level: amount / 60 if amount % 60 else amount // 60 for level, amount in general.values_list("level", "amount")
    }
    ladder = policy.ladder
    return rules.Catalogue(
        tuple(
            rules.LevelFigure(
                level.slug,
                level.name,
                hours.get(level.rank),
                lowest=level == ladder.lowest,
            )
            for level in ladder.levels
        )
    )


def level_name() -> Subquery:
    """Name of the level that decided, by the newest version of the policy that has it."""
    level = Level.objects.filter(slug=OuterRef("request__decided_level")).order_by("-version__number")
    return Subquery(level.values("name")[:1])


def decisions(scope: Scope, levels: Iterable[str] | None = None) -> QuerySet[Any]:
    """Decisions by people of these levels (None: all) on cases, with `got` (when that level got it) and `took` in
    seconds."""
    rows = CaseRequest.objects.filter(request__state__in=ApprovalRequest.DECIDED, request__by_rule=False)
    if levels is not None:
        rows = rows.filter(request__decided_level__in=list(levels))
    # The rank of the deciding level in the policy of the case.
    level = Level.objects.filter(version=OuterRef("case__policy"), slug=OuterRef("request__decided_level"))
    ranked = scope.of_cases(rows).annotate(rank=Subquery(level.values("rank")[:1]))
    return ranked.annotate(got=_got()).annotate(took=SecondsBetween(F("got"), F("request__decided_at")))


def _got() -> Case:
    """When the deciding level got the case; see the definitions in the rules."""
    earlier = CaseRequest.objects.filter(
        case=OuterRef("case"),
        request__decided_level=OuterRef("request__decided_level"),
        request__by_rule=False,
        request__decided_at__lt=OuterRef("request__decided_at"),
    )
    sent = (
        HandOff.objects.filter(
            case=OuterRef("case"),
            level=OuterRef("rank"),
            sent_at__lte=OuterRef("request__decided_at"),
        )
        .order_by()
        .values("case")
        .annotate(first=Min("sent_at"))
        .values("first")
    )
    stands = Q(case__level=F("rank"), case__level_since__lte=F("request__decided_at"))
    return Case(
        When(Exists(earlier), then=F("request__asked_since")),
        When(stands, then=F("case__level_since")),
        default=Coalesce(Subquery(sent), F("request__asked_since")),
        output_field=DateTimeField(),
    )


def resolved(scope: Scope) -> QuerySet[Any]:
    """Resolved cases with `executive`: whether anything on them was decided at a level that counts as executive.

    A level counts by its slug, so that the cases of every version add up.
    """
    executive = Level.objects.filter(counts_as_executive=True).values("slug")
    asked = CaseRequest.objects.filter(
        case=OuterRef("pk"), request__state__in=ApprovalRequest.DECIDED, request__by_rule=False
    )
    at_the_top = Q(Exists(asked.filter(request__decided_level__in=executive)))
    # Cases imported from another system have the level, but no request.
    brought = Q(decided_level__in=executive) & ~Exists(CaseRequest.objects.filter(case=OuterRef("pk")))
    rows = scope.cases().filter(resolved_at__isnull=False)
    return rows.annotate(executive=Case(When(at_the_top | brought, then=True), default=False))


def causes(scope: Scope) -> QuerySet[Any]:
    """Resolved cases with a root cause, with `cause` (its words without case and outer spaces) and `month`, as 2026-02."""
    rows = scope.cases().filter(resolved_at__isnull=False).annotate(cause=Lower(Trim("root_cause"))).exclude(cause="")
    return rows.annotate(month=MonthOf("resolved_at"))


def cause_counts(scope: Scope, period: Period) -> tuple[CauseCounts, CauseCounts]:
    """(cause, month) → cases resolved, of this period and of the one before, in one query."""
    rows = causes(scope).filter(_either(period, "resolved_at")).annotate(present=_present(period, "resolved_at"))
    found: tuple[CauseCounts, CauseCounts] = ({}, {})
    for row in rows.order_by().values("cause", "month", "present").annotate(cases=Count("pk")):
        found[0 if row["present"] else 1][row["cause"], row["month"]] = row["cases"]
    return found


def _present(period: Period, field: str) -> Case:
    return Case(When(_within(period, field), then=True), default=False)


def _split(rows: QuerySet[Rows], field: str, period: Period, *more: str) -> tuple[list[Values], list[Values]]:
    """Values of both periods in one query: (this one, the one before). The last column gives the period."""
    marked = rows.filter(_either(period, field)).annotate(present=_present(period, field))
    found: tuple[list[Values], list[Values]] = ([], [])
    for *values, present in marked.order_by().values_list(*more, "present"):
        found[0 if present else 1].append(tuple(values))
    return found


def _seconds(rows: list[Values], place: int = 0) -> list[float]:
    """Never below zero: a clock set back, or an impasse entered as later than the opening, counts as zero."""
    return [max(0.0, float(took)) for row in rows if isinstance(took := row[place], int | float)]


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


@dataclass(frozen=True)
class Listing(Generic[Rows]):
    """The rows of one figure as a query, and the display of a row."""

    rows: QuerySet[Rows]
    show: Callable[[Rows], Row]
    columns: tuple[str, str, str]

    def made(self, found: Iterable[Rows]) -> list[Row]:
        """Rows to show."""
        return [self.show(each) for each in found]


class Counting:
    """Figures of one scope and period. Data that several figures share is read once."""

    def __init__(self, scope: Scope, period: Period) -> None:
        self.scope = scope
        self.period = period

    @cached_property
    def shown(self) -> rules.Catalogue:
        """The current figures."""
        return catalogue()

    @cached_property
    def decided(self) -> tuple[list[Values], list[Values]]:
        """Decisions of both periods: the level that decided, the kind of the case and the seconds it took."""
        columns = ("request__decided_level", "case__kind", "took")
        return _split(decisions(self.scope), "request__decided_at", self.period, *columns)

    @cached_property
    def causes(self) -> tuple[CauseCounts, CauseCounts]:
        """(cause, month) → cases resolved, of this period and of the one before."""
        return cause_counts(self.scope, self.period)

    def kpi(self, slug: str) -> "Kpi":
        """How a figure is counted. Raises KeyError for an unknown one."""
        level = self.shown.level(slug)
        return TimeToDecision(level.definition, levels=level.counts) if level else KPIS[slug]

    def figures(self) -> dict[str, Figure]:
        """All figures by slug, those with a target first; in six queries for any number of cases."""
        return {slug: self.kpi(slug).figure(self) for slug in self.shown.every}


@dataclass(frozen=True)
class Kpi(ABC):
    """How one figure is counted."""

    definition: Definition

    @abstractmethod
    def figure(self, counting: Counting) -> Figure:
        """The figure."""

    @abstractmethod
    def cases(self, counting: Counting) -> Listing:
        """The drill-down: the cases that were counted, with the value of each."""


class TimeToEscalate(Kpi):
    """From impasse to opening."""

    def figure(self, counting: Counting) -> Figure:
        """One query."""
        present, before = _split(escalated(counting.scope), "opened_at", counting.period, "took")
        return rules.hours_figure(self.definition, _seconds(present), _seconds(before))

    def cases(self, counting: Counting) -> Listing:
        """The slowest first."""
        rows = escalated(counting.scope).filter(_within(counting.period, "opened_at"))
        target = self.definition.target or 0.0

        def show(case: Any) -> Row:
            hours = max(0.0, case.took) / rules.HOUR
            tier = f"{case.get_tier_display()} tier"
            return Row(case, tier, case.impasse_at, case.opened_at, hours, decimal_hours(hours), hours >= target)

        return Listing(rows.select_related("account").order_by("-took", "-id"), show, ("Tier", "Impasse", "Opened"))


@dataclass(frozen=True)
class TimeToDecision(Kpi):
    """Decisions of some levels (None: all) on cases of one kind (empty: any)."""

    levels: tuple[str, ...] | None = None
    kind: str = ""

    def figure(self, counting: Counting) -> Figure:
        """One query for the figures of all levels."""
        present, before = (_seconds([row for row in rows if self._counts(*row[:2])], 2) for rows in counting.decided)
        return rules.hours_figure(self.definition, present, before)

    def _counts(self, level: str | float | None, kind: str | float | None) -> bool:
        return (self.levels is None or level in self.levels) and (not self.kind or kind == self.kind)

    def cases(self, counting: Counting) -> Listing:
        """The slowest first."""
        rows = decisions(counting.scope, self.levels).filter(_within(counting.period, "request__decided_at"))
        if self.kind:
            rows = rows.filter(case__kind=self.kind)
        shown = counting.shown

        def show(each: Any) -> Row:
            hours = max(0.0, each.took) / rules.HOUR
            what = f"{each.level_name or NO_LEVEL}: {each.request.concession_name}"
            late = shown.is_late(each.request.decided_level, hours)
            return Row(each.case, what, each.got, each.request.decided_at, hours, decimal_hours(hours), late)

        named = rows.annotate(level_name=level_name()).select_related("case__account", "request")
        return Listing(named.order_by("-took", "-id"), show, ("Decision", "Got it", "Decided"))


class ResolvedWithoutExecutive(Kpi):
    """The resolved cases without a decision of an executive."""

    def figure(self, counting: Counting) -> Figure:
        """One query."""
        present = _present(counting.period, "resolved_at")
        rows = resolved(counting.scope).filter(_either(counting.period, "resolved_at")).annotate(present=present)
        lowest = at_level(next((each.level for each in counting.shown.levels if each.lowest), ""))
        rows = rows.annotate(lowest=Case(When(lowest, then=True), default=False))
        columns = ("present", "executive", "lowest")
        counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        counted = rows.order_by().values(*columns).annotate(n=Count("pk"))
        for is_present, executive, at_lowest, number in counted.values_list(*columns, "n"):
            counts[is_present]["all"] += number
            counts[is_present]["executive"] += number * executive
            counts[is_present]["team"] += number * (not executive and at_lowest)
        now, before = ((each["all"], each["executive"], each["team"]) for each in (counts[True], counts[False]))
        return rules.without_executive(now, before)

    def cases(self, counting: Counting) -> Listing:
        """Those with an executive first."""
        rows = resolved(counting.scope).filter(_within(counting.period, "resolved_at"))

        def show(case: Any) -> Row:
            text = "With executive" if case.executive else "Without executive"
            return Row(
                case, case.get_level_display(), case.opened_at, case.resolved_at, None, text, bool(case.executive)
            )

        ordered = rows.select_related("account", "policy").order_by("-executive", "-resolved_at", "-id")
        return Listing(ordered, show, ("Level", "Opened", "Resolved"))


class Recurrence(Kpi):
    """Root causes that repeat within a month."""

    def figure(self, counting: Counting) -> Figure:
        """One query, which the chart of root causes shares."""
        present, before = counting.causes
        return rules.recurrence(present.values(), before.values())

    def cases(self, counting: Counting) -> Listing:
        """Cases of one cause together."""
        rows = causes(counting.scope).filter(_within(counting.period, "resolved_at"))
        alike = Window(Count("pk"), partition_by=[F("cause"), F("month")])

        def show(case: Any) -> Row:
            text = f"{case.alike} in {month(case.resolved_at)}"
            return Row(case, case.root_cause, case.opened_at, case.resolved_at, float(case.alike), text)

        repeated = rows.annotate(alike=alike).filter(alike__gt=1).select_related("account")
        return Listing(repeated.order_by("cause", "resolved_at", "id"), show, ("Root cause", "Opened", "Resolved"))


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
