"""A case is handed off while a request waits: the decision counts whenever it comes."""

import pytest

from approvals.models import ApprovalRequest
from approvals.requests import decide as deciding
from escalations import states
from escalations.cases import handoffs, tracker
from escalations.models import Action, Escalation, HandOff
from messaging.models import Notice
from tests.escalations.cases.builders import asked, waiting_handoff
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
NOTES = handoffs.Notes("Tom is on leave", "Called twice", "The signature", "Close it")


def handed_off(cast: Cast) -> Escalation:
    """A case with an open request, and its account executive asked to own it."""
    case = asked(cast)
    assert case.owner is not None
    handoffs.reassign(case_id=case.pk, by=case.owner, to=cast.ae, notes=NOTES)
    return Escalation.objects.get(pk=case.pk)


def decide(case: Escalation, verdict: str = "approved") -> ApprovalRequest:
    """The person asked decides the request of the case."""
    made = case.requests.get()
    words = deciding.Words(reason="So be it")
    return deciding.decide(request_id=made.pk, by=made.approver, verdict=verdict, version=made.version, words=words)


def accept(case: Escalation) -> Escalation:
    """The account executive accepts."""
    handoff: HandOff = waiting_handoff(case)
    return handoffs.accept(case_id=case.pk, handoff_id=handoff.pk, by=handoff.to_user)


def test_an_approval_during_the_hand_off_is_carried_out_by_the_new_owner(cast: Cast) -> None:
    case = handed_off(cast)
    made = decide(case)

    case = accept(case)

    assert case.state == states.EXECUTING
    action = case.actions.get()
    assert (action.request, action.owner, action.execution) == (made, cast.ae, True)
    assert Notice.objects.filter(user=cast.ae, key__startswith=f"action:{action.pk}:").exists()


def test_a_request_that_still_waits_is_waited_for_after_the_acceptance(cast: Cast) -> None:
    case = handed_off(cast)

    case = accept(case)

    assert case.state == states.APPROVING
    decide(case)
    case.refresh_from_db()
    assert case.state == states.EXECUTING
    assert case.actions.get().owner == cast.ae


def test_a_declined_request_leads_back_to_diagnose(cast: Cast) -> None:
    case = handed_off(cast)
    decide(case, "declined")
    assert accept(case).state == states.DIAGNOSING


def test_a_case_in_execute_stays_there_with_its_one_action(cast: Cast) -> None:
    case = asked(cast)
    decide(case)
    case.refresh_from_db()
    assert case.owner is not None
    handoffs.reassign(case_id=case.pk, by=case.owner, to=cast.ae, notes=NOTES)

    case = accept(Escalation.objects.get(pk=case.pk))

    assert case.state == states.EXECUTING
    assert case.actions.filter(state=Action.OPEN).count() == 1


def test_what_was_carried_out_is_not_asked_for_again(cast: Cast) -> None:
    case = asked(cast)
    decide(case)
    action = case.actions.get()
    tracker.finish_action(action_id=action.pk, by=action.owner, proof="Credit note 4711")
    case.refresh_from_db()
    assert case.owner is not None
    handoffs.reassign(case_id=case.pk, by=case.owner, to=cast.ae, notes=NOTES)

    accept(Escalation.objects.get(pk=case.pk))

    assert case.actions.count() == 1
