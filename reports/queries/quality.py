"""Figures beside the five: hand-offs, overrides, reopened cases, money saved and lost."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Exists, F, OuterRef, Q, Sum

from approvals.models import ApprovalRequest, DecisionEntry
from escalations import states
from escalations.models import CaseRequest, Event, HandOff
from reports.queries.kpis import Scope
from reports.queries.measures import SecondsBetween
from reports.rules import kpis as rules
from reports.rules.periods import Period

LOST = "lost"
SAVED = ("renewed", "signed", "saved", "fixed", "credited", "declined")


@dataclass(frozen=True)
class HandOffs:
    """Hand-offs sent in the period: how fast they are accepted and acted on, and how many are refused or expire."""

    sent: int
    accept_hours: float | None
    act_hours: float | None
    refused: float | None
    expired: float | None


def handoffs(scope: Scope, period: Period) -> HandOffs:
    """One query."""
    rows = scope.of_cases(HandOff.objects.filter(sent_at__gte=period.start, sent_at__lt=period.end))
    accepted, acted = (
        SecondsBetween(F("sent_at"), F("answered_at")),
        SecondsBetween(F("answered_at"), F("first_act_at")),
    )
    found = list(rows.order_by().values_list("state", accepted, acted))
    taken = [row for row in found if row[0] == HandOff.ACCEPTED]
    accept = rules.median(row[1] for row in taken if row[1] is not None)
    act = rules.median(row[2] for row in taken if row[2] is not None)
    return HandOffs(
        sent=len(found),
        accept_hours=None if accept is None else accept / rules.HOUR,
        act_hours=None if act is None else act / rules.HOUR,
        refused=rules.share(sum(row[0] == HandOff.REFUSED for row in found), len(found)),
        expired=rules.share(sum(row[0] == HandOff.EXPIRED for row in found), len(found)),
    )


@dataclass(frozen=True)
class Overrides:
    """Decisions of people in the period, and how many went against the recommendation or replaced the approver's
    decision."""

    decided: int
    overridden: int

    @property
    def rate(self) -> float | None:
        """Percent."""
        return rules.share(self.overridden, self.decided)


def overrides(scope: Scope, period: Period) -> Overrides:
    """One query."""
    rows = CaseRequest.objects.filter(
        request__state__in=ApprovalRequest.DECIDED,
        request__by_rule=False,
        request__decided_at__gte=period.start,
        request__decided_at__lt=period.end,
    )
    over = DecisionEntry.objects.filter(request=OuterRef("request"), override=True)
    counted = scope.of_cases(rows).aggregate(all=Count("pk"), over=Count("pk", filter=Q(Exists(over))))
    return Overrides(counted["all"], counted["over"])


@dataclass(frozen=True)
class Reopened:
    """Cases reopened in the period, and how many of them within 72 hours of being resolved."""

    cases: int
    soon: int


def reopened(scope: Scope, period: Period) -> Reopened:
    """From the log: a move out of resolved, in review or closed, and the last move into resolved before it. Two queries."""
    moves = Event.objects.filter(clock=None, kind="moved", at__gte=period.start, at__lt=period.end, data__verb="reopen")
    back = list(scope.of_cases(moves).order_by().values_list("case_id", "at"))
    if not back:
        return Reopened(0, 0)
    solved = defaultdict(list)
    done = Event.objects.filter(clock=None, kind="moved", case__in=[case for case, _ in back], data__to=states.RESOLVED)
    for case, at in done.order_by("at").values_list("case_id", "at"):
        solved[case].append(at)
    soon = sum(
        any(0 <= (at - before).total_seconds() <= 72 * rules.HOUR for before in solved[case]) for case, at in back
    )
    return Reopened(len(back), soon)


@dataclass(frozen=True)
class Money:
    """ARR at risk of the cases resolved with an outcome, one currency."""

    currency: str
    saved: Decimal
    lost: Decimal


def money(scope: Scope, period: Period) -> list[Money]:
    """Saved and lost, never added up over currencies. One query."""
    rows = scope.cases().filter(resolved_at__gte=period.start, resolved_at__lt=period.end)
    sums = (
        rows.order_by()
        .values("arr_currency")
        .annotate(
            saved=Sum("arr_at_risk", filter=Q(outcome__in=SAVED)), lost=Sum("arr_at_risk", filter=Q(outcome=LOST))
        )
    )
    found = [Money(row["arr_currency"], row["saved"] or Decimal(0), row["lost"] or Decimal(0)) for row in sums]
    return sorted((each for each in found if each.saved or each.lost), key=lambda each: each.currency)
