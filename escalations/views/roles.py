"""Who does what on a case: duties, RACI, hand-offs."""

from typing import NamedTuple

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from accounts.signed_in import SignedIn
from escalations.models import CasePerson, Escalation, HandOff
from escalations.views.loading import load_case, render_case

ANSWER_MARKS = {HandOff.WAITING: "wait", HandOff.ACCEPTED: "grn", HandOff.REPLACED: "none"}


@require_safe
def board(request: SignedIn, key: str) -> HttpResponse:
    """Named duties, letters, the stakeholder matrix of the tier, the log of hand-offs."""
    case = load_case(request, key)
    sent = list(case.handoffs.select_related("from_user", "to_user", "to_role").order_by("-number"))
    context = {
        "duties": _duties(case, sent),
        "stakeholders": case.policy.stakeholders.filter(tier=case.tier).select_related("role"),
        "sent": [{"handoff": each, "mark": ANSWER_MARKS.get(each.state, "red")} for each in sent],
        "mine": next(
            (each for each in sent if each.state == HandOff.WAITING and each.to_user_id == request.user.pk), None
        ),
    }
    return render_case(request, case, "roles", "escalations/roles.html", context)


class Duty(NamedTuple):
    """A duty with its person and the hand-off that waits for an answer."""

    duty: str
    name: str
    person: CasePerson | None
    waiting: HandOff | None


def _duties(case: Escalation, sent: list[HandOff]) -> list[Duty]:
    """The four duties, each with its person and the hand-off that waits for an answer."""
    people = {person.duty: person for person in case.people.all() if person.duty}
    waiting = {handoff.duty: handoff for handoff in sent if handoff.state == HandOff.WAITING}
    return [Duty(duty, name, people.get(duty), waiting.get(duty)) for duty, name in CasePerson.DUTIES]
