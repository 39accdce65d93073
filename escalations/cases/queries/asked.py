"""The requests of a case as its frame needs them: their state, and the people whose decision is waited for."""

from dataclasses import dataclass, field

from approvals.models import ApprovalRequest, Seat
from escalations.models import Escalation


@dataclass(frozen=True)
class Asked:
    """A request of the case. `people`: the names, by id, of those whose decision is waited for, in the order of the seats."""

    pk: int
    state: str
    requester_id: int
    people: dict[int, str] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether a decision is still possible."""
        return self.state == ApprovalRequest.OPEN


def asked_of(case: Escalation) -> list[Asked]:
    """All requests of the case, the newest first; one query of few columns."""
    seat = ("seats__state", "seats__part", "seats__person", "seats__person__name")
    rows = ApprovalRequest.objects.filter(case_link__case=case).order_by("-pk", "seats__number")
    found: dict[int, Asked] = {}
    for pk, state, requester, seat_state, part, person, name in rows.values_list("pk", "state", "requester", *seat):
        request = found.setdefault(pk, Asked(pk, state, requester))
        if (seat_state, part) == Seat.WAITING:
            request.people[person] = name
    return list(found.values())
