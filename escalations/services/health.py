"""Account health: explained score from signals, cases, SLA, renewal and commitments; kept on the account."""

from datetime import datetime, timedelta
from typing import Any

from accounts.models import Account, Signal
from accounts.rules.health import HealthInputs, account_health
from escalations.models import Clock, Commitment, Escalation


def inputs(account: Account, at: datetime) -> HealthInputs:
    """What health looks at: the last 30 days of tone, open cases, breaches of 90 days, renewal, overdue commitments."""
    recent = Signal.objects.filter(account=account, at__gte=at - timedelta(days=30)).order_by("-at")
    tones = list(recent.values_list("sentiment", flat=True)[:50])
    open_cases = Escalation.objects.open().filter(account=account).values_list("tier", flat=True)
    tiers: dict[str, int] = {}
    for tier in open_cases:
        tiers[tier] = tiers.get(tier, 0) + 1
    breaches = Clock.objects.filter(case__account=account, breached_at__gte=at - timedelta(days=90)).count()
    overdue = Commitment.objects.filter(account=account, state=Commitment.OPEN, due_on__lt=at.date()).count()
    return HealthInputs(
        sentiment=tones or None,
        open_escalations=tiers,
        sla_breaches=breaches,
        days_to_renewal=(account.renewal_date - at.date()).days if account.renewal_date else None,
        overdue_commitments=overdue,
        usage=None,
    )


def recompute(account: Account, *, at: datetime) -> Account:
    """Compute and keep the health; an account about which nothing is known keeps what an import said."""
    found = account_health(inputs(account, at))
    if found is None:
        return account
    parts: list[dict[str, Any]] = [part._asdict() for part in found.parts]
    account.health, account.health_parts = found.score, [*parts, {"name": "sentence", "why": found.sentence}]
    account.save(update_fields=["health", "health_parts", "changed_at"])
    return account
