"""Running totals: what the same customer was granted before, and what a role has granted in this quarter.

The same customer is the account, its parent, its children and theirs (the whole family), and every account asked for under the
same renewal reference. Requests that were replaced by new terms are not counted: the new ones are. What was carried out before
it was replaced counts until what replaced it is granted: it was given, whatever becomes of the new terms.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform

from accounts.customers.rates import usd
from accounts.models import Account
from approvals.matrix.rules.limits import Cap
from approvals.matrix.rules.units import quantity_words, unit_of
from approvals.models import ApprovalRequest, AuthorityVersion

GRANTED = (ApprovalRequest.APPROVED, ApprovalRequest.CONDITIONS)
WINDOW_DAYS = 90
# How often terms are replaced before what was carried out first counts beside them: more only sends an ask higher.
LINEAGE = 4
NONE = Decimal(0)
Without = Collection[int] | int | None


@dataclass(frozen=True)
class Earlier:
    """What was granted before: together, and how much of it to other accounts of the family or renewal."""

    total: Decimal = NONE
    others: Decimal = NONE


def root_id(account: Account) -> int:
    """The account at the head of the family. In a circle of parents: the lowest id of it."""
    path, parent = [account.pk], account.parent_id
    while parent and parent not in path:
        path.append(parent)
        parent = Account.objects.filter(pk=parent).values_list("parent_id", flat=True).first()
    return min(path[path.index(parent) :]) if parent else path[-1]


def family_ids(account: Account) -> set[int]:
    """The account and everybody above, below and beside it under the same head."""
    found = level = {root_id(account)}
    while level:
        level = set(Account.objects.filter(parent__in=level).values_list("pk", flat=True)) - found
        found = found | level
    return found | {account.pk}


def granted(
    account: Account,
    concession: str,
    unit: str,
    at: datetime,
    *,
    without: Without = None,
    renewal: str = "",
    window_days: int = WINDOW_DAYS,
) -> Decimal:
    """What was granted of a concession to the account's family or renewal in the window (USD for money)."""
    found = earlier(account, concession, unit, at, without=without, renewal=renewal, window_days=window_days)
    return found.total


def earlier(
    account: Account,
    concession: str,
    unit: str,
    at: datetime,
    *,
    without: Without = None,
    renewal: str = "",
    window_days: int = WINDOW_DAYS,
) -> Earlier:
    """The same, with how much of it went to others than the account. Units that do not add up count nothing."""
    if not unit_of(unit).adds_up:
        return Earlier()
    same = Q(account__in=family_ids(account))
    rows = _grants(concession, unit, without).filter(same | Q(renewal__iexact=renewal) if renewal else same)
    column = "amount_usd" if unit_of(unit).in_currency else "amount"
    sums = rows.filter(decided_at__gt=at - timedelta(days=window_days)).aggregate(
        total=Sum(column), others=Sum(column, filter=~Q(account=account.pk))
    )
    return Earlier(sums["total"] or NONE, sums["others"] or NONE)


def _grants(concession: str, unit: str, without: Without) -> QuerySet[ApprovalRequest]:
    left_out = [without] if isinstance(without, int) else list(without or [])
    rows = ApprovalRequest.objects.filter(_given(), concession=concession, unit=unit)
    return rows.exclude(pk__in=left_out) if left_out else rows


def _given() -> Q:
    carried_out = Q(state=ApprovalRequest.REPLACED, sealed_at__isnull=False)
    parents = [Q(**{"__".join(["replaces"] * steps): OuterRef("pk")}) for steps in range(1, LINEAGE + 1)]
    given = Q(state__in=GRANTED) | carried_out
    return Q(state__in=GRANTED) | Q(carried_out, ~Exists(ApprovalRequest.objects.filter(reduce(or_, parents), given)))


def lineage(request: ApprovalRequest) -> list[int]:
    """The request and those it replaces, one behind the other: never counted beside it."""
    found, older = [request.pk], request.replaces_id
    while older and older not in found:
        found.append(older)
        older = ApprovalRequest.objects.filter(pk=older).values_list("replaces", flat=True).first()
    return [pk for pk in found if pk]


def quarter(at: datetime) -> tuple[datetime, datetime]:
    """The calendar quarter (UTC) of a moment, half-open."""
    day = at.astimezone(UTC)
    month = (day.month - 1) // 3 * 3 + 1
    after = (day.year + 1, 1) if month == 10 else (day.year, month + 3)
    return datetime(day.year, month, 1, tzinfo=UTC), datetime(*after, 1, tzinfo=UTC)


def caps_of(
    version: AuthorityVersion, concession: str, unit: str, at: datetime, *, without: Without = None
) -> dict[str, Cap]:
    """The quarter caps of a concession by role, with what each has used; money at the rate of that day."""
    rows = list(version.caps.filter(concession__slug=concession).select_related("role"))
    used = _used(concession, unit, at, without) if rows else {}
    return {
        row.role.slug: Cap(
            role=row.role.slug,
            unit=unit,
            up_to=usd(row.up_to, row.currency, at.date()) if unit_of(unit).in_currency else row.up_to,
            used=used.get(row.role.slug, NONE),
            shown=quantity_words(unit, row.up_to, row.currency),
        )
        for row in rows
    }


def _used(concession: str, unit: str, at: datetime, without: Without) -> dict[str, Decimal]:
    """Granted in the quarter by the role that decided. Requests from before that was kept count for the role asked."""
    start, end = quarter(at)
    rows = _grants(concession, unit, without).filter(by_rule=False, decided_at__gte=start, decided_at__lt=end)
    much: Any = (
        Sum("amount_usd" if unit_of(unit).in_currency else "amount") if unit_of(unit).takes_amount else Count("pk")
    )
    by_role = rows.annotate(as_role=KeyTextTransform("decided_role", "rule")).values("as_role", "approver_role__slug")
    found: dict[str, Decimal] = {}
    for row in by_role.annotate(much=much).order_by():
        role = row["as_role"] or row["approver_role__slug"] or ""
        found[role] = found.get(role, NONE) + Decimal(row["much"] or 0)
    return found
