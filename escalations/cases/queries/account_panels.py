"""Blocks of the account page that only cases can fill: open escalations and commitments."""

from accounts.customers.panels import Panel
from accounts.models import Account, User
from escalations.models import Commitment, Escalation
from ledger.now import now

SHOWN = 10


def open_cases(account: Account, user: User) -> Panel:
    """Cases of the account that the person may see, the soonest due first; ended ones are counted."""
    seen = Escalation.objects.visible_to(user).filter(account=account).select_related("issue_type", "owner", "policy")
    rows = list(seen.open().order_by("sla_due_at", "-id")[:SHOWN])
    at = now()
    cases = [{"case": case, "state": case.sla_status(at)} for case in rows]
    ended = seen.exclude(pk__in=[case.pk for case in rows]).count()
    return Panel(
        title="Open escalations",
        template="escalations/panels/open_cases.html",
        context={"cases": cases, "ended": ended, "at": at, "account": account},
    )


def commitments(account: Account, user: User) -> Panel | None:
    """What we and they promised, open ones first; None when nothing was promised on cases the person may see."""
    seen = Escalation.objects.visible_to(user).filter(account=account).values("pk")
    promised = Commitment.objects.filter(account=account, case__in=seen).select_related("owner", "case")
    rows = sorted(promised.order_by("-due_on")[:SHOWN], key=lambda made: (made.state != Commitment.OPEN, made.due_on))
    if not rows:
        return None
    return Panel(
        title="Commitments",
        template="escalations/panels/commitments.html",
        context={"commitments": rows, "today": now().date()},
    )
