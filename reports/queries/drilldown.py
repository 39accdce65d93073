"""The drill-down of every number: exactly the cases that were counted, with their values."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db.models import Count, F, Model, QuerySet, Window

from escalations import states
from escalations.models import CaseRequest, Escalation
from reports.queries import kpis
from reports.queries.kpis import Scope
from reports.rules import kpis as rules
from reports.rules.periods import Period

# The source of one row of a list: a case or a decision on one, with the figures that its query adds.
Counted = TypeVar("Counted", bound=Model)
DECISION = "decision-"
NO_LEVEL = "Deal desk and below"


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
class Listing(Generic[Counted]):
    """The rows of one figure as a query, and the display of a row."""

    slug: str
    rows: QuerySet[Counted]
    show: Callable[[Counted], Row]
    columns: tuple[str, str, str]

    def made(self, found: Iterable[Counted]) -> list[Row]:
        """Rows to show."""
        return [self.show(each) for each in found]


def listing(slug: str, scope: Scope, period: Period) -> Listing:
    """The drill-down of a figure. Raises KeyError for an unknown one."""
    if slug == rules.DECISIONS or slug.startswith(DECISION):
        return decided(slug, scope, period, kpis.catalogue())
    return MAKERS[slug](slug, scope, period)


def _escalated(slug: str, scope: Scope, period: Period) -> Listing:
    rows = kpis.escalated(scope).filter(opened_at__gte=period.start, opened_at__lt=period.end)
    target = rules.FIXED[slug].target or 0.0

    def show(case: Any) -> Row:
        hours = max(0.0, case.took) / rules.HOUR
        tier = f"{case.get_tier_display()} tier"
        return Row(case, tier, case.impasse_at, case.opened_at, hours, f"{hours:.1f}h", hours >= target)

    return Listing(slug, rows.select_related("account").order_by("-took", "-id"), show, ("Tier", "Impasse", "Opened"))


def decided(slug: str, scope: Scope, period: Period, shown: rules.Catalogue) -> Listing:
    """The decisions of one level, on external cases or of all. Raises KeyError for an unknown figure."""
    level = shown.level(slug)
    if level is None and slug not in (rules.DECISIONS, rules.EXTERNAL):
        raise KeyError(slug)
    rows = kpis.decisions(scope, level.counts if level else None).filter(
        request__decided_at__gte=period.start, request__decided_at__lt=period.end
    )
    rows = rows.annotate(level_name=kpis.level_name())
    if slug == rules.EXTERNAL:
        rows = rows.filter(case__kind=states.OUTSIDE)

    def show(each: CaseRequest) -> Row:
        hours = max(0.0, each.took) / rules.HOUR  # type: ignore[attr-defined]
        return Row(
            each.case,
            f"{each.level_name or NO_LEVEL}: {each.request.concession_name}",  # type: ignore[attr-defined]
            each.got,  # type: ignore[attr-defined]
            each.request.decided_at,
            hours,
            f"{hours:.1f}h",
            is_late(shown, each.request.decided_level, hours),
        )

    ordered = rows.select_related("case__account", "request").order_by("-took", "-id")
    return Listing(slug, ordered, show, ("Decision", "Got it", "Decided"))


def is_late(shown: rules.Catalogue, level: str, hours: float) -> bool:
    """Past the target of its level; levels without one are never late."""
    figure = shown.of_level(level)
    target = figure.definition.target if figure else None
    return target is not None and hours >= target


def _resolved(slug: str, scope: Scope, period: Period) -> Listing:
    rows = kpis.resolved(scope).filter(resolved_at__gte=period.start, resolved_at__lt=period.end)

    def show(case: Any) -> Row:
        text = "With executive" if case.executive else "Without executive"
        return Row(case, case.get_level_display(), case.opened_at, case.resolved_at, None, text, bool(case.executive))

    ordered = rows.select_related("account", "policy").order_by("-executive", "-resolved_at", "-id")
    return Listing(slug, ordered, show, ("Level", "Opened", "Resolved"))


def _repeated(slug: str, scope: Scope, period: Period) -> Listing:
    rows = kpis.causes(scope).filter(resolved_at__gte=period.start, resolved_at__lt=period.end)
    alike = Window(Count("pk"), partition_by=[F("cause"), F("month")])

    def show(case: Any) -> Row:
        month = case.resolved_at.strftime("%b %Y")
        return Row(
            case, case.root_cause, case.opened_at, case.resolved_at, float(case.alike), f"{case.alike} in {month}"
        )

    repeated = rows.annotate(alike=alike).filter(alike__gt=1).select_related("account")
    return Listing(slug, repeated.order_by("cause", "resolved_at", "id"), show, ("Root cause", "Opened", "Resolved"))


MAKERS: dict[str, Callable[[str, Scope, Period], Listing]] = {
    rules.ESCALATE: _escalated,
    rules.WITHOUT: _resolved,
    rules.RECURRENCE: _repeated,
}


def regions(scope: Scope) -> Sequence[str]:
    """Regions of the accounts in scope, for the filter."""
    rows = scope.cases().exclude(account__region="").order_by("account__region")
    return list(rows.values_list("account__region", flat=True).distinct())
