"""What the factors of a target look at, as facts of one case. None: not known. Two queries at most."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.customers.rates import usd
from accounts.models import Account, Signal
from escalations.clocks.rules import factors
from escalations.models import Escalation, TargetFactor
from ledger.errors import Invalid

SIGNALS, HISTORY = timedelta(days=90), timedelta(days=365)
NEGATIVE = "negative"
COUNTED = (TargetFactor.LOAD, TargetFactor.SENTIMENT, TargetFactor.HISTORY)


def facts(case: Escalation, parts: Collection[str], at: datetime) -> dict[str, Decimal | int | None]:
    """The facts of these parts at a moment; parts nobody asks about are left out. The case may be unsaved (a preview)."""
    renewal = case.account.renewal_date
    found: dict[str, Decimal | int | None] = {
        TargetFactor.TIER: factors.tier_value(case.tier),
        TargetFactor.RENEWAL: (renewal - at.date()).days if renewal else None,
        TargetFactor.AGE: max(0, int((at - case.impasse_at).total_seconds()) // 3600),
    }
    if TargetFactor.ARR in parts:
        found[TargetFactor.ARR] = _in_usd(case, at)
    if any(part in parts for part in COUNTED):
        found |= _counts(case, at)
    return {part: value for part, value in found.items() if part in parts}


def _in_usd(case: Escalation, at: datetime) -> Decimal | None:
    try:
        return usd(case.arr_at_risk, case.arr_currency, at.date())
    except Invalid:
        return None


def _counts(case: Escalation, at: datetime) -> dict[str, int | None]:
    """Open cases of the owner (unknown while nobody owns it), negative signals and earlier cases of the account."""
    signals = Signal.objects.filter(account=OuterRef("pk"), tone=NEGATIVE, at__gte=at - SIGNALS, at__lte=at)
    cases = Escalation.objects.filter(account=OuterRef("pk"), opened_at__gte=at - HISTORY, opened_at__lte=at)
    owned = Escalation.objects.open().filter(owner=case.owner_id)
    row: Any = (
        Account.objects.filter(pk=case.account_id)
        .annotate(negative=_number(signals, "account"), earlier=_number(cases.exclude(pk=case.pk or 0), "account"))
        .annotate(load=_number(owned, "owner"))
        .values("negative", "earlier", "load")
        .get()
    )
    load = row["load"] if case.owner_id else None
    return {
        TargetFactor.LOAD: load,
        TargetFactor.SENTIMENT: row["negative"],
        TargetFactor.HISTORY: row["earlier"],
    }


def _number(rows: "QuerySet[Any]", by: str) -> Coalesce:
    counted = rows.order_by().values(by).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted[:1]), 0)
