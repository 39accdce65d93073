"""When a decision is due. A request of a case is due when its decision clock is; other requests keep their own deadline."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from accounts.calendars.rules.deadlines import warns_at
from approvals.mail import links
from approvals.models import ApprovalRequest, DecisionLink


@dataclass(frozen=True)
class Due:
    """When a decision is due, when that warns, and since when its clock is paused."""

    due_at: datetime
    warn_at: datetime
    paused_at: datetime | None = None


def due_from(start: datetime, due_at: datetime) -> Due:
    """For a deadline without a clock: the warning is sent when a quarter of the time is left."""
    return Due(due_at, warns_at(start, due_at))


def keep_to(request: ApprovalRequest, due: Due) -> None:
    """Give one open request another deadline, on the instance too. The caller has locked it."""
    if (request.deadline, request.warn_at, request.paused_at) == (due.due_at, due.warn_at, due.paused_at):
        return
    request.deadline, request.warn_at, request.paused_at = due.due_at, due.warn_at, due.paused_at
    keep_all_to(ApprovalRequest.objects.filter(pk=request.pk), due)


def keep_all_to(requests: QuerySet[ApprovalRequest], due: Due) -> None:
    """Give these open requests, which the caller has locked, another deadline. Links that would end too early are extended."""
    if not requests.update(deadline=due.due_at, warn_at=due.warn_at, paused_at=due.paused_at):
        return
    ends_at = due.due_at + links.LIFE_AFTER_DEADLINE
    alive = DecisionLink.objects.filter(request__in=requests, dead_since=None, expires_at__lt=ends_at)
    alive.update(expires_at=ends_at)


def show_paused(requests: QuerySet[ApprovalRequest], paused_at: datetime) -> None:
    """Show these open requests as paused; they keep their last deadline until `keep_to`. The caller has locked the requests."""
    requests.update(paused_at=paused_at)
