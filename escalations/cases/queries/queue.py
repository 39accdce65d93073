"""The queue: open escalations a person may see, by view and filter, worst first, with counts and sums in one query."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.http import QueryDict

from accounts.models import User
from escalations import states
from escalations.clocks.queries import with_status
from escalations.models import CasePerson, Escalation, HandOff
from escalations.policy.levels import at_level
from escalations.policy.models import published_ladder

RENEWAL_DAYS = 60
# Code → (label, position). The worst comes first.
STATUSES = {
    "red": "Red · past SLA",
    "yel": "Yellow · at risk",
    "grn": "Green · on track",
    "pau": "All clocks paused",
    "none": "No clock",
}
TILES = ("red", "yel", "grn", "pau")
VIEWS = {
    "open": "All open",
    "mine": "Mine",
    "past": "Past SLA",
    "deciding": "Awaiting decision",
    "renewal": f"Renewal within {RENEWAL_DAYS} days",
    "unowned": "Needs an owner",
    "paused": "Paused",
}


@dataclass(frozen=True)
class Filters:
    """The filters of the address; unknown values are ignored."""

    view: str = "open"
    q: str = ""
    status: str = ""
    level: str = ""
    type: str = ""
    owner: str = ""
    lane: str = ""
    tier: str = ""

    @classmethod
    def read(cls, data: QueryDict) -> "Filters":
        """From the query string."""
        allowed: dict[str, Collection[str]] = {
            "view": VIEWS,
            "status": STATUSES,
            "lane": dict(states.LANES),
            "tier": dict(states.TIERS),
        }
        found = {name: data.get(name, "") for name in allowed if data.get(name, "") in allowed[name]}
        owner = data.get("owner", "")
        if owner.isdecimal() and len(owner) < 19:
            found["owner"] = owner
        level = data.get("level", "")
        if level.isprintable():
            found["level"] = level[:40]
        return cls(**found, q=data.get("q", "").strip()[:100], type=data.get("type", "")[:40])

    @property
    def narrowed(self) -> bool:
        """Whether there is a filter besides the view."""
        return any((self.q, self.status, self.level, self.type, self.owner, self.lane, self.tier))

    def condition(self) -> Q:
        """The filters as a condition; `status` needs the annotation of `open_cases`."""
        found = Q()
        columns = {"issue_type__slug": self.type, "owner": self.owner}
        columns |= {"lane": self.lane, "tier": self.tier, "status": self.status}
        for column, value in columns.items():
            if value:
                found &= Q(**{column: value})
        if self.level:
            found &= at_level(self.level)
        return found & _words(self.q) if self.q else found


def _words(text: str) -> Q:
    found = Q(title__icontains=text) | Q(account__name__icontains=text)
    number = text.upper().removeprefix("ESC-")
    return found | Q(pk=int(number)) if number.isdecimal() and len(number) < 13 else found


def view_conditions(user: User, at: datetime) -> dict[str, Q]:
    """The saved views as conditions on open cases."""
    duties = CasePerson.objects.filter(user=user).exclude(duty="").values("case")
    return {
        "open": Q(),
        "mine": Q(owner=user) | Q(pk__in=duties),
        "past": Q(sla_due_at__lte=at),
        "deciding": Q(state=states.APPROVING),
        "renewal": Q(account__renewal_date__lte=at.date() + timedelta(days=RENEWAL_DAYS)),
        "unowned": Q(owner__isnull=True),
        "paused": ~Q(waiting_on=states.NOBODY) | Q(sla_paused_at__isnull=False),
    }


def open_cases(user: User, at: datetime) -> QuerySet[Escalation]:
    """Open cases this person may see, each with the status code of its chip."""
    return with_status(Escalation.objects.visible_to(user).open(), at)


def rows(user: User, filters: Filters, at: datetime) -> QuerySet[Escalation]:
    """The cases of a view, worst status first, then soonest due, then largest ARR; with the people they wait for."""
    found = open_cases(user, at).filter(view_conditions(user, at)[filters.view]).filter(filters.condition())
    order = Case(*[When(status=code, then=Value(place)) for place, code in enumerate(STATUSES)])
    waiting = HandOff.objects.filter(case=OuterRef("pk"), state=HandOff.WAITING, duty=CasePerson.OWNER)
    deciding = CasePerson.objects.filter(case=OuterRef("pk"), duty=CasePerson.AUTHORITY)
    return (
        found.select_related("account", "issue_type", "owner", "policy")
        .annotate(asked=Subquery(waiting.values("to_user__name")[:1]))
        .annotate(decider=Subquery(deciding.values("user__name")[:1]))
        .order_by(order, F("sla_due_at").asc(nulls_last=True), "-arr_at_risk", "pk")
    )


@dataclass
class Tile:
    """Cases of one status: their number, their ARR in USD, and the number in another currency (never added up)."""

    count: int = 0
    usd: Decimal = Decimal(0)
    others: int = 0


@dataclass
class Overview:
    """Counts of the views and tiles, the number of matching cases, and the choices of the filters."""

    views: Counter[str] = field(default_factory=Counter)
    tiles: dict[str, Tile] = field(default_factory=lambda: defaultdict(Tile))
    matching: int = 0
    types: dict[str, str] = field(default_factory=dict)
    levels: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)


def overview(user: User, filters: Filters, at: datetime) -> Overview:
    """All counts of the page, from one grouped query over the open cases."""
    conditions = view_conditions(user, at)
    chosen = conditions[filters.view] & filters.condition()
    flags = {f"in_{view}": _flag(condition) for view, condition in conditions.items() if condition}
    columns = (
        *("status", "arr_currency", "issue_type__slug", "issue_type__name", "owner_id", "owner__name"),
        *("level", "policy_id", "policy__published_at"),
    )
    cases = open_cases(user, at).annotate(**flags, matches=_flag(chosen)).order_by()
    groups = cases.values(*columns, *flags, "matches").annotate(count=Count("pk"), arr=Sum("arr_at_risk"))
    found = Overview()
    for group in groups:
        _add(found, group)
    return found


def _flag(condition: Q) -> Case | Value:
    return Case(When(condition, then=Value(1)), default=Value(0)) if condition else Value(1)


def _add(found: Overview, group: Mapping[str, Any]) -> None:
    count, tile = group["count"], found.tiles[group["status"]]
    for view in VIEWS:
        found.views[view] += count * group.get(f"in_{view}", 1)
    found.matching += count * group["matches"]
    tile.count += count
    if group["arr_currency"] == "USD":
        tile.usd += group["arr"] or 0
    else:
        tile.others += count
    found.types[group["issue_type__slug"]] = group["issue_type__name"]
    ladder = published_ladder(group["policy_id"], group["policy__published_at"])
    found.levels[ladder.slug(group["level"])] = f"{group['level']} {ladder.name(group['level'])}"
    if group["owner_id"]:
        found.owners[str(group["owner_id"])] = group["owner__name"]


def next_to_breach(user: User, at: datetime) -> Escalation | None:
    """The case whose running clock ends next."""
    ahead = open_cases(user, at).filter(sla_due_at__gt=at).order_by("sla_due_at", "pk")
    return ahead.select_related("account").first()
