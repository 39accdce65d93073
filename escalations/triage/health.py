"""Account health with the facts of cases: open cases, missed targets, overdue commitments. Confidential cases are left out:
everybody who sees the account reads the score with its counts, and would learn of them.
"""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Value

from accounts.customers import health as account_verbs
from accounts.customers.rules.health import Health
from accounts.models import Account
from escalations.models import Clock, Commitment, Escalation, HealthScore, PolicyVersion

BREACHES_COUNT_FOR = timedelta(days=90)


def locked_account(case_id: int) -> Account:
    """The account of a case, locked; call it before the case is locked, because accounts come first."""
    return Account.objects.select_for_update(of=("self",), no_key=True).get(escalations=case_id)


def recompute(account: Account, *, at: datetime) -> Health | None:
    """Compute and store the health of an account; returns None and changes nothing if too little is known. Everybody who sees
    the account reads its health, so confidential cases do not count."""
    known = account_verbs.known_inputs(account)
    told = Escalation.objects.open().filter(account=account, confidential=False).order_by()
    breached = Clock.objects.filter(case__account=account, case__confidential=False).order_by()
    overdue = Commitment.objects.filter(account=account).exclude(case__confidential=True).order_by()
    counting = HealthScore.objects.filter(version=PolicyVersion.objects.in_force(at)).order_by()
    # One query for all, because health is computed for every mail and every step of a clock.
    rows = told.values_list(Value("tier"), "tier").union(
        breached.filter(breached_at__gte=at - BREACHES_COUNT_FOR).values_list(Value("breach"), "kind"),
        overdue.filter(state=Commitment.OPEN, due_on__lt=at.date()).values_list(Value("overdue"), "state"),
        counting.values_list(Value("counts"), "counts"),
        all=True,
    )
    found = Counter(what for what, _ in rows)
    tiers = Counter(tier for what, tier in rows if what == "tier")
    inputs = replace(
        known,
        open_escalations=dict(tiers),
        sla_breaches=found["breach"],
        overdue_commitments=found["overdue"],
    )
    counts = next((value for what, value in rows if what == "counts"), Account.OUTSIDE)
    return account_verbs.refresh(account=account, inputs=inputs, counts=counts)
