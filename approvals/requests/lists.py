"""The three lists of the approvals page."""

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from accounts.models import User
from approvals.models import ApprovalRequest

NEEDS_YOU, WAITING, DECIDED = "needs-you", "waiting", "decided"


def needs_you(user: User) -> QuerySet[ApprovalRequest]:
    """Open and waiting for this person, or for a person they stand in for, the soonest due first."""
    return ApprovalRequest.objects.waiting_on(user).with_seats().order_by("deadline", "id")


def waiting_on_others(user: User) -> QuerySet[ApprovalRequest]:
    """Open, visible and waiting for somebody else."""
    mine = ApprovalRequest.objects.waiting_on(user).values("pk")
    requests = ApprovalRequest.objects.visible_to(user).open().exclude(pk__in=mine)
    return requests.with_seats().order_by("deadline", "id")


def decided(user: User) -> QuerySet[ApprovalRequest]:
    """Visible and ended, the latest first."""
    requests = ApprovalRequest.objects.visible_to(user).exclude(state=ApprovalRequest.OPEN)
    return requests.with_seats().order_by(Coalesce("decided_at", "asked_since").desc(), "-id")


LISTS = {NEEDS_YOU: needs_you, WAITING: waiting_on_others, DECIDED: decided}


def counts(user: User) -> dict[str, int]:
    """The number of requests in each tab, by names that a template can use."""
    return {key.replace("-", "_"): make(user).count() for key, make in LISTS.items()}
