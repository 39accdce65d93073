"""Is word about a request still wanted when it is about to leave?"""

from approvals.models import ApprovalRequest, DecisionEntry
from messaging import relevance


def _still_asked(rest: str) -> bool:
    """`<request>:<step>`: the question stands and waits for the same person."""
    request, _, step = rest.partition(":")
    return ApprovalRequest.objects.open().filter(pk=int(request), step=int(step)).exists()


def _still_decided(rest: str) -> bool:
    """`<request>:<entry>`: nobody took the decision back since."""
    request, _, seq = rest.partition(":")
    return not DecisionEntry.objects.filter(
        request_id=int(request), seq__gt=int(seq), kind=DecisionEntry.UNDONE
    ).exists()


relevance.register("approval", _still_asked)
relevance.register("approval-decided", _still_decided)
