"""The account list: filters, order and counts of the accounts that a person sees."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, cast

from django.db.models import Aggregate, Case, Count, DecimalField, ExpressionWrapper, F, Q, QuerySet, Sum, Value, When

from accounts.customers.rates import rates
from accounts.models import Account, User

VIEWS = {
    "customers": "Customers",
    "mine": "Mine",
    "red": "Red health",
    "renewal": "Renewal within 60 days",
    "suppliers": "Suppliers",
    "partners": "Partners",
}
HEALTH = {
    "red": Q(health__lt=40),
    "yellow": Q(health__gte=40, health__lt=70),
    "green": Q(health__gte=70),
    "unknown": Q(health__isnull=True),
}
RENEWAL_DAYS = ("30", "60", "90", "180")
WEEKS = 12
MONEY = DecimalField(max_digits=20, decimal_places=2)
Worth = Mapping[str, Decimal]  # one unit of each currency in USD
Group = dict[str, Any]  # a row of values(): texts, counts and sums by name


class Trend(NamedTuple):
    """Health at the end of each known week, oldest first, and the change over them."""

    values: list[int]
    change: int

    @property
    def points(self) -> int:
        """The change in points, up or down."""
        return abs(self.change)


def in_view(view: str, user: User, today: date) -> Q:
    """The condition of one saved view; an unknown name is the first view."""
    customers = Q(kind=Account.CUSTOMER)
    return {
        "mine": Q(csm=user) | Q(ae=user),
        "red": customers & HEALTH["red"],
        "renewal": customers & due_within(60, today),
        "suppliers": Q(kind=Account.SUPPLIER),
        "partners": Q(kind=Account.PARTNER),
    }.get(view, customers)


def due_within(days: int, today: date) -> Q:
    """Renewal between today and that many days later."""
    return Q(renewal_date__gte=today, renewal_date__lte=today + timedelta(days=days))


def select(user: User, wanted: Mapping[str, str], today: date, worth: Worth) -> "QuerySet[Account]":
    """The accounts of the view and filters a person asked for, highest weighted risk first. `worth`: customers.rates.rates.

    Known keys: view, q, health, kind, renewal, segment; other keys and values are ignored.
    """
    accounts = Account.objects.visible_to(user).filter(in_view(wanted.get("view", ""), user, today))
    if condition := HEALTH.get(wanted.get("health", "")):
        accounts = accounts.filter(condition)
    if wanted.get("kind") in dict(Account.KINDS):
        accounts = accounts.filter(kind=wanted["kind"])
    if wanted.get("renewal") in RENEWAL_DAYS:
        accounts = accounts.filter(due_within(int(wanted["renewal"]), today))
    if segment := wanted.get("segment", "").replace("\x00", ""):
        accounts = accounts.filter(segment=segment)
    if text := wanted.get("q", "").strip():
        accounts = accounts.matching(text)
    return by_risk(accounts, worth)


def shown(worth: Worth) -> "QuerySet[Account]":
    """The rows of a page of the list, to be read by their ids."""
    return by_risk(Account.objects.select_related("csm"), worth)


def by_risk(accounts: "QuerySet[Account]", worth: Worth) -> "QuerySet[Account]":
    """With `usd_arr` and `usd_risk` (ARR × (100 − health) ÷ 100), highest risk first, unknown last."""
    risk = ExpressionWrapper(F("usd_arr") * (Value(100) - F("health")) / Value(100), output_field=MONEY)
    weighed = with_usd(accounts, worth).annotate(usd_risk=risk)
    return weighed.order_by(F("usd_risk").desc(nulls_last=True), F("usd_arr").desc(nulls_last=True), "name", "id")


def with_usd(accounts: "QuerySet[Account]", worth: Worth) -> "QuerySet[Account]":
    """With `usd_arr`, so that orders never mix currencies."""
    cases = [When(currency=code, then=Value(rate)) for code, rate in worth.items()]
    rate = Case(*cases, default=None, output_field=DecimalField(max_digits=14, decimal_places=6))
    return accounts.annotate(usd_arr=ExpressionWrapper(F("arr") * rate, output_field=MONEY))


@dataclass(frozen=True)
class Tile:
    """The number of customers, and their ARR in USD."""

    name: str
    count: int
    arr: Decimal


@dataclass(frozen=True)
class Overview:
    """The number of accounts in each saved view, the tiles above the list (customers by health and by renewal), and the value
    in USD of the currencies that the accounts have."""

    counts: dict[str, int]
    tiles: list[Tile]
    worth: Worth


def overview(user: User, today: date) -> Overview:
    """The counts and sums above the list. Two queries and the rates: all accounts by kind and currency, from one index, so
    that each currency is changed into USD once; and those of the person."""
    worth = rates(today)
    conditions = {
        "red": HEALTH["red"],
        "yellow": HEALTH["yellow"],
        "green": HEALTH["green"],
        "renewal": due_within(60, today),
    }
    sums: dict[str, Aggregate] = {"everything": Count("pk")}
    for name, condition in conditions.items():
        sums |= {f"{name}_n": Count("pk", filter=condition), f"{name}_arr": Sum("arr", filter=condition)}
    visible = Account.objects.visible_to(user).order_by()
    groups = cast("list[Group]", list(visible.values("kind", "currency").annotate(**sums)))
    customers = [group for group in groups if group["kind"] == Account.CUSTOMER]
    tiles = [
        Tile(
            name,
            sum(group[f"{name}_n"] for group in customers),
            sum(
                ((group[f"{name}_arr"] or 0) * worth.get(group["currency"], Decimal(0)) for group in customers),
                Decimal(0),
            ),
        )
        for name in conditions
    ]
    of_kind = Counter[str]()
    for group in groups:
        of_kind[group["kind"]] += group["everything"]
    found = {tile.name: tile.count for tile in tiles}
    counts = {
        "customers": of_kind[Account.CUSTOMER],
        "mine": visible.filter(in_view("mine", user, today)).count(),
        "red": found["red"],
        "renewal": found["renewal"],
        "suppliers": of_kind[Account.SUPPLIER],
        "partners": of_kind[Account.PARTNER],
    }
    used = {group["currency"] for group in groups}
    return Overview(counts, tiles, {code: rate for code, rate in worth.items() if code in used})


def segments(user: User) -> list[str]:
    """Segments to filter by."""
    known = Account.objects.visible_to(user).exclude(segment="").order_by("segment")
    return list(known.values_list("segment", flat=True).distinct()[:50])


def trends(account_ids: Collection[int], moment: datetime) -> dict[int, Trend]:
    """Health over the last 12 weeks from the accounts' history; one query. Accounts known in one week only are left
    out."""
    start = moment - timedelta(weeks=WEEKS)
    rows = Account.history.filter(id__in=account_ids, history_date__gte=start, health__isnull=False)
    found: dict[int, dict[int, int]] = {}
    for pk, at, health in rows.order_by("history_date").values_list("id", "history_date", "health"):
        found.setdefault(pk, {})[(at - start).days // 7] = health
    filled = {pk: _filled(weeks) for pk, weeks in found.items() if len(weeks) > 1}
    return {pk: Trend(values, values[-1] - values[0]) for pk, values in filled.items()}


def _filled(weeks: dict[int, int]) -> list[int]:
    """The weekly values, where a week without a change keeps the value of the week before."""
    values: list[int] = []
    for week in range(min(weeks), WEEKS + 1):
        values.append(weeks.get(week, values[-1] if values else 0))
    return values


def worst_reason(account: Account) -> str:
    """The part of the score that costs most points, as text; empty when nothing is known."""
    parts = [part for part in account.health_parts if part.get("points") is not None and part.get("weight")]
    worst = min(parts, key=lambda part: part["points"] - part["weight"], default=None)
    return worst.get("why", "") if worst and worst["points"] < worst["weight"] else ""
