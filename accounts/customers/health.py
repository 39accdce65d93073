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


KEPT = ("health", "health_computed", "health_counts", "health_parts")


def refresh(*, account: Account, inputs: HealthInputs, counts: str = Account.OUTSIDE) -> Health | None:
    """Computes the score and stores it with its parts if it changed, so that the history shows the trend. A score from
    outside stays; `counts` says which of the two is the health of the account. Returns None and changes nothing if too little
    is known for a score.
    """
    health = account_health(inputs)
    if health is None:
        return None
    before = [getattr(account, name) for name in KEPT]
    account.health_computed, account.health_parts, account.health_counts = health.score, parts_of(health), counts
    account.health = _counting(account)
    if before != [getattr(account, name) for name in KEPT]:
        account.save(update_fields=[*KEPT, "changed_at"])
    return health


def take_outside(account: Account, score: int | None) -> None:
    """Set the score of another system on an account, which the caller saves. It counts at once, unless the policy lets the
    computed one count."""
    account.health_outside = score
    account.health = _counting(account)


def _counting(account: Account) -> int | None:
    scores = [account.health_outside, account.health_computed]
    if account.health_counts == Account.COMPUTED:
        scores.reverse()
    return next((score for score in scores if score is not None), None)


def parts_of(health: Health) -> list[dict[str, object]]:
    """The rows stored with the score: the sentence first, then each part; a missing part has no points."""
    rows: list[dict[str, object]] = [{"name": "summary", "why": health.sentence}]
    rows += [part._asdict() for part in health.parts]
    rows += [{"name": name, "points": None, "weight": WEIGHTS[name], "why": "not known"} for name in health.missing]
    return rows
