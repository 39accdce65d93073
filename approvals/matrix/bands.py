"""What a pre-approved band saves: the time such an ask takes when people decide it."""

from datetime import datetime, timedelta
from statistics import median
from typing import Any

from accounts.customers.rates import usd
from approvals.matrix.rules.units import MONEY, amount_words
from approvals.matrix.weighing import Weighed
from approvals.models import ApprovalRequest, ExceptionBand

USUAL_DAYS = 180
MOST = 1000


def usual_seconds(concession: str, at: datetime) -> int | None:
    """Median time to decision of the asks of this concession that people decided in the last 180 days; None without any."""
    since = at - timedelta(days=USUAL_DAYS)
    rows = ApprovalRequest.objects.filter(
        concession=concession, by_rule=False, decided_at__gt=since, decided_at__lte=at
    ).order_by("-decided_at")[:MOST]
    times = [(end - start).total_seconds() for start, end in rows.values_list("opened_at", "decided_at") if end]
    return round(median(times)) if times else None


def by_band(made: ApprovalRequest, band: ExceptionBand, weighed: Weighed) -> dict[str, Any]:
    """The rule of a request that a band grants: what was weighed, and the time saved against the usual chain.

    Without decided asks to compare with, what is saved is the time the deadline would have left for deciding.
    """
    limit = amount_words(made.unit, band.up_to, band.currency)
    name = made.concession_name.lower()
    usual = usual_seconds(made.concession, made.opened_at)
    target = int((made.deadline - made.opened_at).total_seconds())
    return {
        "band": limit,
        "band_up_to": str(_most(band, made.opened_at)),
        "sentence": f"Inside the pre-approved band: {name} up to {limit} for {band.tier} cases.",
        "granted": str(weighed.granted),
        "others": str(weighed.others),
        "total": str(weighed.total),
        "window_days": weighed.window_days,
        "rates": weighed.rates,
        "version": made.authority.number,
        "saved_seconds": target if usual is None else usual,
        "usual": "deadline" if usual is None else "median",
    }


def _most(band: ExceptionBand, at: datetime) -> Any:
    return usd(band.up_to, band.currency, at.date()) if band.concession.unit == MONEY else band.up_to
