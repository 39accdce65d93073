"""Keeps the explained health score of accounts."""

from datetime import timedelta

from accounts.customers.rules.health import WEIGHTS, Health, HealthInputs, account_health
from accounts.models import Account, Signal
from ledger.now import now

SIGNALS_READ = 20
RECENT = timedelta(days=90)


def known_inputs(account: Account) -> HealthInputs:
    """The inputs of an account's health in this app: recent tone and the renewal. Apps above add the rest."""
    moment = now()
    recent = Signal.objects.filter(account=account, at__gt=moment - RECENT).order_by("-at", "-id")
    tones = list(recent.exclude(text="").values_list("sentiment", flat=True)[:SIGNALS_READ])
    renewal = account.renewal_date if account.kind == Account.CUSTOMER else None
    days = (renewal - moment.date()).days if renewal else None
    return HealthInputs(sentiment=tones, days_to_renewal=days)


def refresh(*, account: Account, inputs: HealthInputs) -> Health | None:
    """Computes the score and stores it with its parts if it changed, so that the history shows the trend. Returns None
    and changes nothing if too little is known for a score.
    """
    health = account_health(inputs)
    if health is None:
        return None
    parts = parts_of(health)
    if (account.health, account.health_parts) != (health.score, parts):
        account.health, account.health_parts = health.score, parts
        account.save(update_fields=["health", "health_parts", "changed_at"])
    return health


def parts_of(health: Health) -> list[dict[str, object]]:
    """The rows stored with the score: the sentence first, then each part; a missing part has no points."""
    rows: list[dict[str, object]] = [{"name": "summary", "why": health.sentence}]
    rows += [part._asdict() for part in health.parts]
    rows += [{"name": name, "points": None, "weight": WEIGHTS[name], "why": "not known"} for name in health.missing]
    return rows
