"""A decision is undone until something outside has happened."""

from datetime import timedelta
from typing import Any

import pytest

from approvals.models import ApprovalRequest
from approvals.requests import decide as deciding
from escalations import states
from escalations.cases import thread as communication
from escalations.cases import tracker
from escalations.models import Action, Commitment, Escalation
from ledger import chain
from ledger.errors import AlreadyDone, Stale
from ledger.now import now
from tests.escalations.cases.builders import asked
from tests.support.cast import Cast


def decided(cast: Cast, verdict: str = "approved") -> tuple[Escalation, ApprovalRequest]:
    """A case whose request the director has just decided."""
    case = asked(cast)
    made = case.requests.get()
    deciding.decide(
        request_id=made.pk,
        by=cast.director,
        verdict=verdict,
        version=made.version,
        words=deciding.Words(reason="So be it"),
    )
    return Escalation.objects.get(pk=case.pk), made


def undo(cast: Cast, made: ApprovalRequest) -> ApprovalRequest:
    """The director takes the decision back."""
    return deciding.undo(request_id=made.pk, by=cast.director)


def test_no_undo_once_it_was_carried_out(cast: Cast) -> None:
    case, made = decided(cast)
    action = case.actions.get()
    tracker.finish_action(action_id=action.pk, by=action.owner, proof="Credit note 4711")
    with pytest.raises(Stale, match="too late"):
        undo(cast, made)
    made.refresh_from_db()
    assert made.sealed_at
    assert list(chain.breaks_in(made, made.log.all())) == []
    case.refresh_from_db()
    assert list(chain.breaks_in(case, case.events.order_by("seq"))) == []


def test_no_undo_once_we_promised_the_customer_something(cast: Cast) -> None:
    case, made = decided(cast)
    values: dict[str, Any] = {"case_id": case.pk, "by": cast.csm, "text": "18 percent by Friday", "owner": cast.ae}
    tracker.promise(**values, due_on=now().date() + timedelta(days=2))
    with pytest.raises(Stale, match="too late"):
        undo(cast, made)


def test_no_undo_of_any_decision_once_the_customer_was_told(cast: Cast) -> None:
    case, made = decided(cast, "declined")
    communication.customer_update(case_id=case.pk, by=cast.csm, text="We keep the price.", contacts=[cast.contact])
    with pytest.raises(Stale, match="too late"):
        undo(cast, made)


def test_other_work_and_promises_of_the_customer_leave_the_undo(cast: Cast) -> None:
    case, made = decided(cast)
    due = now() + timedelta(days=1)
    call = tracker.add_action(case_id=case.pk, by=cast.csm, title="Call counsel", owner=cast.ae, due_at=due)
    tracker.finish_action(action_id=call.pk, by=cast.ae)
    values: dict[str, Any] = {"case_id": case.pk, "by": cast.csm, "text": "They sign", "owner": cast.ae}
    tracker.promise(**values, due_on=due.date(), who=Commitment.THEM)
    assert undo(cast, made).is_open


def test_a_declined_request_may_be_undone_though_other_work_was_proven(cast: Cast) -> None:
    case, made = decided(cast, "declined")
    due = now() + timedelta(days=1)
    values: dict[str, Any] = {"case_id": case.pk, "by": cast.csm, "title": "Old credit", "owner": cast.ae}
    action = tracker.add_action(**values, due_at=due, execution=True)
    tracker.finish_action(action_id=action.pk, by=cast.ae, proof="CN-1")
    assert undo(cast, made).is_open


def test_what_an_undo_called_off_is_not_carried_out_any_more(cast: Cast) -> None:
    case, made = decided(cast)
    action = case.actions.get()
    undo(cast, made)
    with pytest.raises(AlreadyDone, match="was cancelled"):
        tracker.finish_action(action_id=action.pk, by=action.owner, proof="Credit note 4711")
    action.refresh_from_db()
    assert action.state == Action.CANCELLED
    case.refresh_from_db()
    assert case.state == states.APPROVING
