"""Account health with the facts of cases: open cases, missed targets, overdue commitments."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Value

from accounts.customers import health as account_verbs
from accounts.customers.rules.health import Health
from accounts.models import Account
from escalations.models import Clock, Commitment, Escalation

BREACHES_COUNT_FOR = timedelta(days=90)


def recompute(account: Account, *, at: datetime) -> Health | None:
    """Compute and store the health of an account; returns None and changes nothing if too little is known."""
    known = account_verbs.known_inputs(account)
    open_cases = Escalation.objects.open().filter(account=account).order_by().values_list(Value("tier"), "tier")
    breached = Clock.objects.filter(case__account=account, breached_at__gte=at - BREACHES_COUNT_FOR).order_by()
    overdue = Commitment.objects.filter(account=account, state=Commitment.OPEN, due_on__lt=at.date()).order_by()
    # One query for the three counts, because health is computed for every mail and every step of a clock.
    rows = open_cases.union(
        breached.values_list(Value("breach"), "kind"), overdue.values_list(Value("overdue"), "state"), all=True
    )
    found = Counter(what for what, _ in rows)
    tiers = Counter(tier for what, tier in rows if what == "tier")
    inputs = replace(
        known,
        open_escalations=dict(tiers),
        sla_breaches=found["breach"],
        overdue_commitments=found["overdue"],
    )
    return account_verbs.refresh(account=account, inputs=inputs)
