"""From a customer's words to a closed case, verb by verb."""

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import Account, Signal
from accounts.signals import record as signals
from approvals.models import ApprovalRequest
from approvals.requests import decide as deciding
from escalations import states
from escalations.cases import closing, handoffs, tracker
from escalations.cases import requests as asking
from escalations.cases import thread as communication
from escalations.models import Clock, Escalation, Event, HandOff, Review
from ledger import chain
from ledger.errors import AlreadyDone, Invalid, NotAllowed
from ledger.now import now
from messaging.models import Message
from tests.escalations.cases.builders import accepted, asked, opened, waiting_handoff
from tests.support.cast import Cast
from tests.support.levels import DIRECTOR, EXECUTIVE

pytestmark = pytest.mark.both_databases


def case_of(case: Escalation) -> Escalation:
    """The case as it stands in the database."""
    return Escalation.objects.get(pk=case.pk)


def test_an_opened_case_is_triaged_routed_staffed_and_handed_off(cast: Cast) -> None:
    case = case_of(opened(cast))
    assert case.pk >= 1001
    assert case.state == states.HANDED_OFF
    assert case.tier == states.YELLOW
    assert case.level == DIRECTOR
    assert case.score_parts
    assert case.triage_reasons
    assert case.route_reasons
    assert case.matrix_row
    letters = list(case.people.values_list("letter", flat=True))
    assert letters.count("A") == 1
    assert {"owner", "authority", "communication", "scribe"} <= set(case.people.values_list("duty", flat=True))
    kinds = set(case.clocks.filter(state=Clock.RUNNING).values_list("kind", flat=True))
    assert {states.ACCEPTANCE, states.DECISION, states.CUSTOMER_UPDATE, states.RESOLUTION} <= kinds
    handoff = waiting_handoff(case)
    assert Message.objects.filter(kind="handoff", user=handoff.to_user).exists()
    assert case.sla_due_at is not None


def test_only_the_addressee_accepts_and_only_once(cast: Cast) -> None:
    case = opened(cast)
    handoff = waiting_handoff(case)
    with pytest.raises(NotAllowed):
        handoffs.accept(case_id=case.pk, handoff_id=handoff.pk, by=cast.outsider)
    handoffs.accept(case_id=case.pk, handoff_id=handoff.pk, by=handoff.to_user)
    with pytest.raises(AlreadyDone):
        handoffs.accept(case_id=case.pk, handoff_id=handoff.pk, by=handoff.to_user)
    case = case_of(case)
    assert case.owner == handoff.to_user
    assert case.state == states.DIAGNOSING
    assert case.clocks.get(kind=states.ACCEPTANCE).state == Clock.MET


def test_a_refusal_needs_a_reason_and_the_case_finds_another_owner(cast: Cast) -> None:
    case = opened(cast)
    handoff = waiting_handoff(case)
    with pytest.raises(Invalid):
        handoffs.refuse(case_id=case.pk, handoff_id=handoff.pk, by=handoff.to_user, reason=" ")
    handoffs.refuse(case_id=case.pk, handoff_id=handoff.pk, by=handoff.to_user, reason="Brief is incomplete")
    following = waiting_handoff(case)
    assert following.to_user != handoff.to_user
    assert case_of(case).state == states.HANDED_OFF


def test_an_ask_with_gaps_in_the_brief_is_refused_and_names_them(cast: Cast) -> None:
    case = accepted(cast)
    terms = {"concession": "discount", "amount": 18, "currency": "USD", "question": "Approve?"}
    with pytest.raises(Invalid, match="Recommendation"):
        asking_case(case, cast, terms)
    assert not ApprovalRequest.objects.exists()


def asking_case(case: Escalation, cast: Cast, values: dict[str, object]) -> None:
    """Ask with the deadline of the decision clock."""
    wanted = asking.CaseAsk(**values)  # type: ignore[arg-type]
    asking.ask(wanted, case_id=case.pk, by=cast.csm)


def test_an_approved_request_moves_the_case_to_execute_with_an_action(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    assert case.state == states.APPROVING
    assert made.approver == cast.director
    deciding.decide(request_id=made.pk, by=cast.director, verdict="approved", version=made.version)
    case = case_of(case)
    assert case.state == states.EXECUTING
    assert case.decided_level == "director"
    assert case.clocks.filter(kind=states.DECISION).latest("generation").state == Clock.MET
    assert case.actions.get().execution
    assert Event.objects.filter(case=case, kind="decision_log").exists()


def test_a_bigger_ask_raises_the_level_and_the_executive_decides(cast: Cast) -> None:
    case = asked(cast, amount=30)
    assert case.level == EXECUTIVE
    made = case.requests.get()
    assert made.approver == cast.sponsor
    deciding.decide(
        request_id=made.pk,
        by=cast.sponsor,
        verdict="conditions",
        version=made.version,
        words=deciding.Words(reason="Fits", conditions="3 years"),
    )
    assert case_of(case).state == states.EXECUTING


def test_a_case_names_no_figures_of_earlier_grants(cast: Cast) -> None:
    made = asked(cast).requests.get()
    deciding.decide(request_id=made.pk, by=cast.director, verdict="approved", version=made.version)
    case = opened(cast, amount=Decimal(2))
    words = " ".join([case.authority_reason, *case.route_reasons])
    assert "Grants of the last 90 days are included." in words
    assert case.level == DIRECTOR
    mails = " ".join(Message.objects.values_list("text", flat=True))
    for figure in ("18% granted", "the last that fits"):
        assert figure not in words + mails


def test_a_declined_request_goes_back_to_diagnose(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    deciding.decide(
        request_id=made.pk,
        by=cast.director,
        verdict="declined",
        version=made.version,
        words=deciding.Words(reason="Too much"),
    )
    assert case_of(case).state == states.DIAGNOSING


def finished(cast: Cast) -> Escalation:
    """A case decided and carried out, ready to resolve."""
    case = asked(cast)
    made = case.requests.get()
    deciding.decide(request_id=made.pk, by=cast.director, verdict="approved", version=made.version)
    action = case.actions.get()
    with pytest.raises(Invalid, match="proof"):
        tracker.finish_action(action_id=action.pk, by=action.owner)
    tracker.finish_action(action_id=action.pk, by=action.owner, proof="Order form 4711")
    return case_of(case)


ENDING = closing.Ending("renewed", "Price above market", "Signed for three years.", True)


def test_a_case_is_resolved_reviewed_closed_and_reopened(cast: Cast) -> None:
    case = finished(cast)
    closing.resolve(case_id=case.pk, by=cast.csm, ending=ENDING)
    with pytest.raises(Invalid, match="review"):
        closing.close(case_id=case.pk, by=cast.csm)
    answers = {"worked": "Early word", "change": "Ask sooner", "root_cause": "Price", "lessons": "Look at the market"}
    closing.write_review(case_id=case.pk, by=cast.csm, answers={**answers, "timeline_checked": True})
    closing.sign_review(case_id=case.pk, by=cast.csm)
    closing.close(case_id=case.pk, by=cast.csm)
    case = case_of(case)
    assert case.state == states.CLOSED
    assert Review.objects.get(case=case).state == Review.DONE
    assert not case.clocks.live().exists()
    closing.reopen(case_id=case.pk, by=cast.csm, reason="They are back")
    case = case_of(case)
    assert case.state == states.DIAGNOSING
    assert case.reopened_count == 1
    assert case.clocks.live().exists()


def test_the_log_of_a_whole_case_verifies(cast: Cast) -> None:
    case = finished(cast)
    closing.resolve(case_id=case.pk, by=cast.csm, ending=ENDING)
    case = case_of(case)
    events = Event.objects.filter(case=case).order_by("seq")
    assert case.log_count == events.count() > 15
    assert list(chain.breaks_in(case, events)) == []


def test_a_customer_update_is_mailed_by_the_communication_lead_only(cast: Cast) -> None:
    case = accepted(cast)
    with pytest.raises(NotAllowed):
        communication.customer_update(case_id=case.pk, by=cast.director, text="Soon", contacts=[cast.contact])
    communication.customer_update(case_id=case.pk, by=cast.csm, text="We decide by Friday.", contacts=[cast.contact])
    mail = Message.objects.get(kind="customer_update")
    assert mail.address == "jonas@northwind.example"
    assert "We decide by Friday." in mail.text
    clocks = case_of(case).clocks.filter(kind=states.CUSTOMER_UPDATE).order_by("generation")
    assert [clock.state for clock in clocks] == [Clock.MET, Clock.RUNNING]


def test_waiting_on_the_customer_pauses_clocks_and_nobody_resumes_them(cast: Cast) -> None:
    case = accepted(cast)
    communication.wait_on(case_id=case.pk, by=cast.csm, whom="customer", reason="Counsel reads the draft")
    decision = Clock.objects.get(case=case, kind=states.DECISION, state=Clock.PAUSED)
    assert decision.due_at is None
    communication.wait_on(case_id=case.pk, by=cast.csm, whom="nobody", reason="")
    decision.refresh_from_db()
    assert decision.state == Clock.RUNNING
    assert decision.due_at is not None


def test_a_refund_above_the_limit_opens_a_case_by_itself(cast: Cast) -> None:
    signals.record(
        signals.Observed(kind=Signal.EMAIL, text="We demand a refund of $12,400 for the outage.", contact=cast.contact),
        account=cast.northwind,
    )
    case = Escalation.objects.get()
    assert case.trigger
    assert case.concession == "refund"
    assert case.tier == states.RED
    assert case.level == EXECUTIVE
    assert "12,400" in case.trigger_text


def test_cancellation_words_near_the_renewal_open_a_case(cast: Cast) -> None:
    signals.record(
        signals.Observed(kind=Signal.EMAIL, text="We will cancel our contract.", contact=cast.contact),
        account=cast.northwind,
    )
    assert Escalation.objects.get().trigger
    signals.record(
        signals.Observed(kind=Signal.EMAIL, text="Again: we will cancel our contract.", contact=cast.contact),
        account=cast.northwind,
    )
    assert Escalation.objects.count() == 1
    Account.objects.filter(pk=cast.elsewhere.pk).update(renewal_date=(now() + timedelta(days=200)).date())
    signals.record(
        signals.Observed(kind=Signal.EMAIL, text="We will cancel our contract."),
        account=Account.objects.get(pk=cast.elsewhere.pk),
    )
    assert Escalation.objects.count() == 1


def test_three_counterproposals_without_a_concession_open_a_case(cast: Cast) -> None:
    for number in range(3):
        assert not Escalation.objects.exists()
        words = f"Round {number}: no change"
        signals.record(
            signals.Observed(kind=Signal.COUNTERPROPOSAL, text=words), account=cast.northwind, logged_by=cast.csm
        )
    assert Escalation.objects.get().trigger


def test_a_concession_starts_the_count_of_rounds_again(cast: Cast) -> None:
    for conceded in (False, False, True, False, False):
        signals.record(
            signals.Observed(kind=Signal.COUNTERPROPOSAL, text="A round", with_concession=conceded),
            account=cast.northwind,
        )
    assert not Escalation.objects.exists()


def test_a_handoff_replaced_by_a_newer_one_is_no_longer_answerable(cast: Cast) -> None:
    case = opened(cast)
    old = waiting_handoff(case)
    notes = handoffs.Notes(tried="Called", open_points="Price", ask="Take it", both="Both on purpose")
    handoffs.reassign(case_id=case.pk, by=cast.csm, to=cast.director, notes=notes)
    assert HandOff.objects.get(pk=old.pk).state == HandOff.REPLACED
    with pytest.raises(AlreadyDone):
        handoffs.accept(case_id=case.pk, handoff_id=old.pk, by=old.to_user)
