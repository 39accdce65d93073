"""The queue: open escalations a person may see, by view and filter, worst first, page by page, with counts and sums.

A page is three queries: its rows, the counts, and what is around them. For the cases that the page does not show they
read only columns of the index `case_queue`.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    Aggregate,
    Case,
    CharField,
    Count,
    DateTimeField,
    Exists,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.lookups import Exact
from django.db.models.sql.compiler import SQLCompiler
from django.http import QueryDict

from accounts.models import Account, User
from escalations import states
from escalations.cases.queries import queue_rows
from escalations.cases.queries.messages import came_back
from escalations.cases.queries.queue_rows import Cursor, Row
from escalations.clocks.queries import STATUS_ORDER
from escalations.models import CasePerson, Escalation, IssueType
from escalations.policy.levels import at_level
from escalations.policy.models import PolicyVersion, published_ladder
from ledger.reading import number

PER_PAGE = 25
RENEWAL_DAYS = 60
# Code → label. The worst comes first.
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
    "paused": "Waiting or paused",
    "back": "Came back",
}
# The view of ended cases on which a customer wrote; all others are views of open cases.
BACK = "back"


@dataclass(frozen=True)
class Filters:
    """The filters of the address, and the place in the list; unknown values are ignored."""

    view: str = "open"
    q: str = ""
    status: str = ""
    level: str = ""
    type: str = ""
    owner: str = ""
    lane: str = ""
    tier: str = ""
    after: Cursor | None = None
    before: Cursor | None = None

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
        if number(owner) is not None:
            found["owner"] = owner
        level = data.get("level", "")
        if level.isprintable():
            found["level"] = level[:40]
        return cls(
            **found,
            q=data.get("q", "").strip()[:100],
            type=data.get("type", "")[:40],
            after=Cursor.read(data.get("after", "")),
            before=Cursor.read(data.get("before", "")),
        )

    @property
    def narrowed(self) -> bool:
        """Whether there is a filter besides the view."""
        return any((self.q, self.status, self.level, self.type, self.owner, self.lane, self.tier))

    def condition(self) -> Q:
        """The filters as a condition; `status` needs the annotation of `queue_rows.with_order`."""
        found = Q()
        for column, value in {"owner": self.owner, "lane": self.lane, "tier": self.tier}.items():
            if value:
                found &= Q(**{column: value})
        if self.type:
            found &= Q(issue_type__in=IssueType.objects.filter(slug=self.type).order_by().values("pk"))
        if self.status:
            found &= Q(place=STATUS_ORDER.index(self.status))
        if self.level:
            found &= at_level(self.level)
        return found & _words(self.q) if self.q else found


def _words(text: str) -> Q:
    # Not joined: SQLite would begin with the accounts, and so with the cases of all time.
    found = Q(title__icontains=text) | Q(Exists(Account.objects.filter(pk=OuterRef("account"), name__icontains=text)))
    pk = number(text.upper().removeprefix("ESC-"))
    return found if pk is None else found | Q(pk=pk)


def view_conditions(user: User, at: datetime) -> dict[str, Q]:
    """The saved views as conditions on open cases."""
    duties = CasePerson.objects.filter(case=OuterRef("pk"), user=user).exclude(duty="").order_by()
    # Asked for each open case, while an EXISTS would let PostgreSQL read the person's duties of all time.
    has_duty = Exact(Subquery(duties.values(one=Value(1))[:1]), 1)
    soon = at.date() + timedelta(days=RENEWAL_DAYS)
    return {
        "open": Q(),
        "mine": Q(owner=user) | Q(has_duty),
        "past": Q(sla_due_at__lte=at),
        "deciding": Q(state=states.APPROVING),
        "renewal": Q(account__in=Account.objects.filter(renewal_date__lte=soon).order_by().values("pk")),
        "unowned": Q(owner__isnull=True),
        "paused": ~Q(waiting_on=states.NOBODY) | Q(sla_paused_at__isnull=False),
    }


def open_cases(user: User) -> QuerySet[Escalation]:
    """Open cases this person may see, in no order."""
    return Escalation.objects.visible_to(user, few=True).open().order_by()


def chosen_cases(user: User, filters: Filters, at: datetime) -> QuerySet[Escalation]:
    """The cases of a view and its filters, in no order."""
    cases = queue_rows.with_order(came_back(user) if filters.view == BACK else open_cases(user), at)
    condition = view_conditions(user, at).get(filters.view, Q()) & filters.condition()
    # Not as a plain condition: SQLite would take an index on one filter, which has the cases of all time.
    flag = Case(When(condition, then=Value(1)), default=Value(0)) if condition else Value(1)
    return cases.annotate(chosen=flag).filter(chosen=1)


def page(user: User, filters: Filters, at: datetime) -> list[Row]:
    """The cases of one page: those after or before the place of the address, else the first ones."""
    return queue_rows.page(
        chosen_cases(user, filters, at), after=filters.after, before=filters.before, size=PER_PAGE, at=at
    )


def every_row(user: User, filters: Filters, at: datetime) -> Iterator[Row]:
    """All cases of a view and its filters, in the order of the list."""
    return queue_rows.every(chosen_cases(user, filters, at))


@dataclass
class Tile:
    """Cases of one status: their number, their ARR in USD, and the number in another currency (never added up)."""

    count: int = 0
    usd: Decimal = Decimal(0)
    others: int = 0


class Ids(Aggregate):
    """The distinct ids of a group, with commas between them; None for none."""

    function = "GROUP_CONCAT"
    template = "%(function)s(DISTINCT %(expressions)s)"
    output_field = CharField()

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: object
    ) -> tuple[str, Sequence[object]]:
        """PostgreSQL concatenates texts only."""
        return self.as_sql(
            compiler, connection, template="STRING_AGG(DISTINCT (%(expressions)s)::text, ',')", **context
        )


@dataclass
class Overview:
    """Counts of the views and tiles, of the cases that match and of those before the first row of the page; and what the
    open cases have: levels as (policy version, rank), issue types and owners, and the next due time."""

    views: Counter[str] = field(default_factory=Counter)
    tiles: dict[str, Tile] = field(default_factory=lambda: defaultdict(Tile))
    matching: int = 0
    before: int = 0
    levels: set[tuple[int, int]] = field(default_factory=set)
    types: set[int] = field(default_factory=set)
    owners: set[int] = field(default_factory=set)
    next_due_at: datetime | None = None


def overview(user: User, filters: Filters, at: datetime, first: Cursor | None = None) -> Overview:
    """All counts of the page in one query, because each query looks anew at who may see what.

    `first`: the place of the first row of the page.
    """
    conditions = view_conditions(user, at)
    chosen = conditions.get(filters.view, Q()) & filters.condition()
    counted = {f"in_{view}": condition for view, condition in conditions.items()} | {"matching": chosen}
    if first is not None:
        counted["before"] = chosen & first.beyond(forward=False)
    numbers = {name: Count("pk", filter=condition or None) for name, condition in counted.items()}
    sums = {"arr": Sum("arr_at_risk"), "ahead": Min("sla_due_at", filter=Q(sla_due_at__gt=at))}
    ids = {"types": Ids("issue_type"), "owners": Ids("owner")}
    columns = ("place", "arr_currency", "policy", "level")
    found = Overview()
    for group in queue_rows.with_order(open_cases(user), at).values(*columns).annotate(**numbers, **sums, **ids):
        _add(found, group)
    if filters.view == BACK:
        # Counted by `around`, because these are no open cases.
        found.matching = found.before = 0
    return found


def _add(found: Overview, group: Mapping[str, Any]) -> None:
    count, tile = group["in_open"], found.tiles[STATUS_ORDER[group["place"]]]
    for view in VIEWS.keys() - {BACK}:
        found.views[view] += group[f"in_{view}"]
    found.matching += group["matching"]
    found.before += group.get("before", 0)
    found.levels.add((group["policy"], group["level"]))
    found.types |= _ids(group["types"])
    found.owners |= _ids(group["owners"])
    found.next_due_at = min(filter(None, (found.next_due_at, group["ahead"])), default=None)
    tile.count += count
    if group["arr_currency"] == "USD":
        tile.usd += group["arr"] or 0
    elif group["arr"]:
        tile.others += count


def _ids(text: str | None) -> set[int]:
    return {int(each) for each in (text or "").split(",") if each}


@dataclass(frozen=True)
class Next:
    """The case whose running clock ends next."""

    key: str
    account: str
    due_at: datetime


@dataclass
class Around:
    """The choices of the filters that open cases have (code → label), and the case to breach next."""

    types: dict[str, str] = field(default_factory=dict)
    levels: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    next_case: Next | None = None


def around(user: User, filters: Filters, found: Overview, at: datetime, first: Cursor | None = None) -> Around:
    """The names of what the overview found, and the counts of what came back, in one query: short lists, one below the
    other."""
    policies = PolicyVersion.objects.filter(pk__in={policy for policy, _ in found.levels})
    types, owners = IssueType.objects.filter(pk__in=found.types), User.objects.filter(pk__in=found.owners)
    ahead = open_cases(user).filter(sla_due_at=found.next_due_at).order_by("pk").values("pk")[:1]
    next_case = Escalation.objects.filter(pk__in=ahead) if found.next_due_at else Escalation.objects.none()
    nothing, no_moment = Value(""), Value(found.next_due_at, output_field=DateTimeField())
    lists = (
        policies.values_list(Value("policy"), "pk", nothing, nothing, "published_at"),
        types.values_list(Value("type"), "pk", "slug", "name", no_moment),
        owners.values_list(Value("owner"), "pk", nothing, "name", no_moment),
        next_case.values_list(Value("next"), "pk", nothing, "account__name", "sla_due_at"),
        *_counts_of_back(user, filters, at, first, (nothing, nothing, no_moment)),
    )
    around = Around()
    for kind, pk, slug, name, moment in lists[0].order_by().union(*(each.order_by() for each in lists[1:]), all=True):
        if kind == "policy":
            ladder = published_ladder(pk, moment)
            ranks = {rank for policy, rank in found.levels if policy == pk}
            around.levels |= {ladder.slug(rank): f"{rank} {ladder.name(rank)}" for rank in ranks}
        elif kind == "type":
            around.types[slug] = name
        elif kind == "owner":
            around.owners[str(pk)] = name
        elif kind == BACK:
            found.views[BACK] = pk
        elif kind == "matching":
            found.matching = pk
        elif kind == "before":
            found.before = pk
        else:
            around.next_case = Next(f"ESC-{pk}", name, moment)
    return around


def _counts_of_back(
    user: User, filters: Filters, at: datetime, first: Cursor | None, empty: tuple[Value, Value, Value]
) -> list[QuerySet[Escalation, tuple[Any, ...]]]:
    """The number of cases that came back; on their own view also those that match, and those before its first row."""
    cases = queue_rows.with_order(came_back(user), at)
    counted = {BACK: cases}
    if filters.view == BACK:
        counted["matching"] = cases.filter(filters.condition())
        if first is not None:
            counted["before"] = counted["matching"].filter(first.beyond(forward=False))
    return [
        rows.values(what=Value(name)).annotate(number=Count("pk")).values_list("what", "number", *empty)
        for name, rows in counted.items()
    ]
