"""What new terms, delegating and asking again do to the case."""

from decimal import Decimal

from approvals.absence import delegations as delegating
from approvals.requests import decide as deciding
from approvals.requests import terms as changing
from escalations import states
from escalations.models import Action, CasePerson, Clock, Escalation
from ledger.now import now
from tests.escalations.cases.builders import asked
from tests.support.cast import Cast
from tests.support.levels import EXECUTIVE


def case_of(case: Escalation) -> Escalation:
    """The case as it stands in the database."""
    return Escalation.objects.get(pk=case.pk)


def authority(case: Escalation) -> str:
    """Who has the duty to decide."""
    return case.people.get(duty=CasePerson.AUTHORITY).user.name


def test_worse_terms_lift_the_case_to_the_level_that_may_grant_them(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    changing.change_terms(
        request_id=made.pk,
        by=cast.csm,
        version=made.version,
        reason="More",
        wanted=changing.NewTerms(amount=Decimal(30)),
    )
    case = case_of(case)
    assert (case.level, case.state) == (EXECUTIVE, states.APPROVING)
    made.refresh_from_db()
    assert made.approver is not None
    assert authority(case) == made.approver.name
    assert case.clocks.filter(kind=states.DECISION, state=Clock.RUNNING).count() == 1


def test_delegating_hands_the_duty_on(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    delegating.delegate(request_id=made.pk, by=cast.director, to=cast.lead, reason="Away")
    assert authority(case_of(case)) == cast.lead.name


def test_worse_terms_after_the_approval_call_the_execution_off_and_ask_again(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    deciding.decide(request_id=made.pk, by=cast.director, verdict="approved", version=made.version)
    assert case_of(case).state == states.EXECUTING
    made.refresh_from_db()
    newer = changing.change_terms(
        request_id=made.pk,
        by=cast.csm,
        version=made.version,
        reason="They want more",
        wanted=changing.NewTerms(amount=Decimal(19)),
    )
    case = case_of(case)
    assert case.state == states.APPROVING
    assert set(case.requests.values_list("pk", "state")) == {(made.pk, "replaced"), (newer.pk, "open")}
    assert case.actions.get(execution=True).state == Action.CANCELLED
    assert case.clocks.filter(kind=states.DECISION, state=Clock.RUNNING).exists()
    deciding.decide(request_id=newer.pk, by=cast.director, verdict="approved", version=newer.version)
    assert case_of(case).state == states.EXECUTING


def test_a_recalled_request_asked_again_stands_on_its_case(cast: Cast) -> None:
    case = asked(cast)
    made = case.requests.get()
    deciding.recall(request_id=made.pk, by=cast.csm, reason="A word is missing")
    newer = changing.resubmit(request_id=made.pk, by=cast.csm)
    case = case_of(case)
    assert (case.state, newer in case.requests.all()) == (states.APPROVING, True)
    assert newer.deadline > now()
