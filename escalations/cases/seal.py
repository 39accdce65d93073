"""Seals decisions: after something outside has happened, they cannot be undone."""

from approvals.models import ApprovalRequest
from approvals.requests import decide as deciding
from escalations.models import Escalation


def seal_decided(case: Escalation) -> None:
    """The customer was told, so no decision can be undone any more. The caller holds `lock_with_requests`."""
    _seal(case, {"decided_at__isnull": False})


def seal_granted(case: Escalation) -> None:
    """A grant is being carried out or was promised, so it cannot be undone; a declined request still can. Same locks."""
    _seal(case, {"state__in": ApprovalRequest.GRANTED})


def _seal(case: Escalation, which: dict[str, object]) -> None:
    # A request that was replaced before it was carried out never will be.
    open_to_it = case.requests.filter(sealed_at__isnull=True, **which).exclude(state=ApprovalRequest.REPLACED)
    rows = open_to_it.order_by("pk")
    for request_id in list(rows.values_list("pk", flat=True)):
        deciding.seal(request_id=request_id)
