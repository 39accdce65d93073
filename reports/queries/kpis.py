"""The cases of the five figures, and the figures. Definitions are in `reports.rules.kpis`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

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
)
from django.db.models.functions import Coalesce, Lower, Trim

from accounts.models import User
from approvals.models import ApprovalRequest
from escalations import states
from escalations.models import CaseRequest, Escalation, HandOff, Level, PolicyVersion, Target
from escalations.policy.levels import at_level
from ledger.now import now as present_time
from reports.queries.measures import MonthOf, SecondsBetween
from reports.rules import kpis as rules
from reports.rules.kpis import Figure
from reports.rules.periods import Period

# Rows of any model that belongs to a case.
Rows = TypeVar("Rows", bound=Model)
CauseCounts = dict[tuple[str, str], int]
# The counted columns of a row: texts, or seconds.
Values = tuple[str | float | None, ...]


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


def time_to_escalate(scope: Scope, period: Period) -> Figure:
    """The first figure."""
    present, before = _split(escalated(scope), "opened_at", period, "took")
    return rules.hours_figure(rules.FIXED[rules.ESCALATE], _seconds(present), _seconds(before))


def times_to_decision(scope: Scope, period: Period, shown: rules.Catalogue) -> dict[str, Figure]:
    """The figure of every level, in one query."""
    columns = ("request__decided_level", "case__kind", "took")
    present, before = _split(decisions(scope), "request__decided_at", period, *columns)

    def of(found: list[Values], levels: Sequence[str]) -> list[float]:
        return _seconds([row for row in found if row[0] in levels], 2)

    found = {
        each.slug: rules.hours_figure(each.definition, of(present, each.counts), of(before, each.counts))
        for each in shown.levels
    }
    outside = [[row for row in rows if row[1] == states.OUTSIDE] for rows in (present, before)]
    found[rules.EXTERNAL] = rules.hours_figure(rules.FIXED[rules.EXTERNAL], *(_seconds(rows, 2) for rows in outside))
    every = (_seconds(rows, 2) for rows in (present, before))
    found[rules.DECISIONS] = rules.hours_figure(rules.FIXED[rules.DECISIONS], *every)
    return found


def resolved_without_executive(scope: Scope, period: Period, shown: rules.Catalogue) -> Figure:
    """The fourth figure, one query."""
    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    rows = resolved(scope).filter(_either(period, "resolved_at")).annotate(present=_present(period, "resolved_at"))
    lowest = at_level(next((each.level for each in shown.levels if each.lowest), ""))
    rows = rows.annotate(lowest=Case(When(lowest, then=True), default=False))
    for present, executive, at_lowest, number in (
        rows.order_by()
        .values("present", "executive", "lowest")
        .annotate(n=Count("pk"))
        .values_list("present", "executive", "lowest", "n")
    ):
        counts[present]["all"] += number
        counts[present]["executive"] += number * executive
        counts[present]["team"] += number * (not executive and at_lowest)
    now, before = ((counts[which]["all"], counts[which]["executive"], counts[which]["team"]) for which in (True, False))
    return rules.without_executive(now, before)


def figures(scope: Scope, period: Period) -> dict[str, Figure]:
    """All figures by slug, in six queries for any number of cases."""
    return figures_from(scope, period, catalogue(), *cause_counts(scope, period))


def figures_from(
    scope: Scope, period: Period, shown: rules.Catalogue, causes_now: CauseCounts, causes_before: CauseCounts
) -> dict[str, Figure]:
    """The same, for a page that has already counted the causes."""
    return {
        rules.ESCALATE: time_to_escalate(scope, period),
        **times_to_decision(scope, period, shown),
        rules.WITHOUT: resolved_without_executive(scope, period, shown),
        rules.RECURRENCE: rules.recurrence(causes_now.values(), causes_before.values()),
    }
