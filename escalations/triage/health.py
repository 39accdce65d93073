"""Account health with what only cases know: open cases, missed promises, overdue commitments."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from accounts.customers import health as account_verbs
from accounts.customers.rules.health import Health
from accounts.models import Account
from escalations.models import Clock, Commitment, Escalation

BREACHES_COUNT_FOR = timedelta(days=90)


def recompute(account: Account, *, at: datetime) -> Health | None:
    """Compute and keep the health of an account; None, and nothing changes, when too little is known."""
    known = account_verbs.known_inputs(account)
    tiers = Counter(Escalation.objects.open().filter(account=account).values_list("tier", flat=True))
    breaches = Clock.objects.filter(case__account=account, breached_at__gte=at - BREACHES_COUNT_FOR).count()
    overdue = Commitment.objects.filter(account=account, state=Commitment.OPEN, due_on__lt=at.date()).count()
    inputs = replace(known, open_escalations=dict(tiers), sla_breaches=breaches, overdue_commitments=overdue)
    return account_verbs.refresh(account=account, inputs=inputs)
