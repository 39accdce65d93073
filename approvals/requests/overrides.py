"""How often people decide differently from the suggestion or recommendation, and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value

from accounts.models import User
from approvals.models import ApprovalRequest, DecisionEntry, Suggestion
from approvals.requests.rules.suggestions import NAMES

DECIDED = (*ApprovalRequest.DECIDED, ApprovalRequest.REPLACED)


@dataclass(frozen=True)
class OfRule:
    """The outcome of the suggestions of one version of a rule. `shown` counts the answered ones only."""

    rule: str
    version: int
    shown: int
    accepted: int
    changed: int
    rejected: int

    @property
    def name(self) -> str:
        """The rule as people read it."""
        return NAMES.get(self.rule, self.rule)

    @property
    def rate(self) -> float | None:
        """Changed or rejected ÷ shown, in percent; None when none was answered."""
        return 100 * (self.changed + self.rejected) / self.shown if self.shown else None


@dataclass(frozen=True)
class OfApprover:
    """Decisions of one person, and how many went against the recommendation or replaced the approver's decision."""

    person: User
    decided: int
    overridden: int

    @property
    def rate(self) -> float:
        """Percent."""
        return 100 * self.overridden / self.decided


def of_rules(viewer: User, start: datetime, end: datetime) -> list[OfRule]:
    """By rule and version, over suggestions answered in [start, end). One query."""
    counted = {
        name: Count("pk", filter=Q(outcome=name))
        for name in (Suggestion.ACCEPTED, Suggestion.CHANGED, Suggestion.REJECTED)
    }
    rows: Any = _answered(viewer, start, end).order_by("rule", "rule_version").values("rule", "rule_version")
    return [
        OfRule(row["rule"], row["rule_version"], row["all"], row["accepted"], row["changed"], row["rejected"])
        for row in rows.annotate(all=Count("pk"), **counted)
    ]


def of_approvers(viewer: User, start: datetime, end: datetime) -> list[OfApprover]:
    """By person, the most overrides first. Two queries."""
    over = DecisionEntry.objects.filter(request=OuterRef("pk"), override=True)
    rows = _decided(viewer, start, end).order_by().values("decided_by")
    counted = list(rows.annotate(decided=Count("pk"), over=Count("pk", filter=Q(Exists(over)))))
    people = User.objects.in_bulk([row["decided_by"] for row in counted])
    found = [OfApprover(people[row["decided_by"]], row["decided"], row["over"]) for row in counted]
    return sorted(found, key=lambda each: (-each.overridden, -each.decided, each.person.name))


class Reasons:
    """Each override with who, what and why, the latest first; suggestions and recommendations alike. Sliced in the
    database: two queries to count, at most three to read a part, for any length of the period."""

    def __init__(self, viewer: User, start: datetime, end: datetime) -> None:
        self.against = DecisionEntry.objects.filter(override=True, request__in=_decided(viewer, start, end))
        self.turned = _answered(viewer, start, end).exclude(outcome=Suggestion.ACCEPTED)

    def __len__(self) -> int:
        return self.against.count() + self.turned.count()

    def __getitem__(self, part: slice) -> list[dict[str, Any]]:
        turned = self.turned.order_by().annotate(said=Value(False)).values_list("answered_at", "said", "pk")
        against = self.against.order_by().annotate(said=Value(True)).values_list("at", "said", "pk")
        keys = list(against.union(turned, all=True).order_by("-at", "said", "-pk")[part])
        entries = DecisionEntry.objects.select_related("actor", "request__account")
        suggestions = Suggestion.objects.select_related("answered_by", "request__account")
        said = entries.in_bulk([pk for _, is_said, pk in keys if is_said])
        other = suggestions.in_bulk([pk for _, is_said, pk in keys if not is_said])
        return [_of_entry(said[pk]) if is_said else _of_suggestion(other[pk]) for _, is_said, pk in keys]


def _of_entry(each: DecisionEntry) -> dict[str, Any]:
    words = {"outcome": each.get_kind_display(), "reason": each.rationale or each.conditions}
    return {"at": each.at, "who": each.actor, "what": "Recommendation or approver", "request": each.request, **words}


def _of_suggestion(each: Suggestion) -> dict[str, Any]:
    words = {"outcome": each.get_outcome_display(), "reason": each.reason, "request": each.request}
    what = f"Suggestion: {NAMES.get(each.rule, each.rule)}, version {each.rule_version}"
    return {"at": each.answered_at, "who": each.answered_by, "what": what, **words}


def _answered(viewer: User, start: datetime, end: datetime) -> QuerySet[Suggestion]:
    rows = Suggestion.objects.filter(answered_at__gte=start, answered_at__lt=end).exclude(outcome=Suggestion.SHOWN)
    return rows.filter(ApprovalRequest.objects.all().seen_by(viewer, "request"))


def _decided(viewer: User, start: datetime, end: datetime) -> QuerySet[ApprovalRequest]:
    rows = ApprovalRequest.objects.visible_to(viewer).filter(state__in=DECIDED, by_rule=False)
    return rows.filter(decided_at__gte=start, decided_at__lt=end, decided_by__isnull=False)
