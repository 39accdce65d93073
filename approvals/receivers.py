"""Is word about a request still wanted when it is about to leave?"""

from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from messaging import relevance


def _still_asked(rest: str) -> bool:
    """`<request>:<step>`: the question stands and that seat still waits."""
    request, _, step = rest.partition(":")
    seats = ApprovalStep.objects.filter(request=int(request), order=int(step), state=ApprovalStep.WAITING)
    return seats.filter(request__state=ApprovalRequest.OPEN).exists()


def _still_decided(rest: str) -> bool:
    """`<request>:<entry>`: nobody took the decision back since."""
    request, _, seq = rest.partition(":")
    return not DecisionEntry.objects.filter(
        request_id=int(request), seq__gt=int(seq), kind=DecisionEntry.UNDONE
    ).exists()


relevance.register("approval", _still_asked)
relevance.register("approval-decided", _still_decided)
