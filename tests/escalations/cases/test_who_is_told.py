"""Everybody whose work changes is told: requests and decisions, undo, withdrawal, duties that move, people taken off."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from accounts.models import User
from approvals.models import ApprovalRequest
from approvals.requests import decide as deciding
from escalations import states
from escalations.cases import brief as briefing
from escalations.cases import closing, duties, handoffs
from escalations.cases import requests as asking
from escalations.clocks import verbs as clocks
from escalations.clocks.audit import differences
from escalations.models import Action, CasePerson, Clock, Escalation, HandOff
from ledger.now import now
from messaging.models import Notice
from tests.escalations.cases.builders import OPTIONS, TEXTS, accepted, asked, opened, waiting_handoff
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def told(user: User) -> list[str]:
    """What the bell of a person still has, oldest first."""
    return list(Notice.objects.filter(user=user, read_at=None).order_by("pk").values_list("text", flat=True))


def decide(case: Escalation, verdict: str = "approved", conditions: str = "") -> ApprovalRequest:
    """The person asked decides the newest request."""
    made = case.requests.latest("pk")
    words = deciding.Words("So be it", conditions)
    return deciding.decide(request_id=made.pk, by=made.approver, verdict=verdict, version=made.version, words=words)


def lead_of(case: Escalation, user: User) -> None:
    """Make somebody the communication lead."""
    handoffs.take_duty(case, user, CasePerson.COMMUNICATION, now())


def test_the_communication_lead_hears_of_the_request_and_of_the_decision(cast: Cast) -> None:
    case = accepted(cast)
    lead_of(case, cast.ae)
    case = asked_on(case, cast)
    assert any("requests a decision: Approve a 18 percent discount" in text for text in told(cast.ae))

    decide(case, "conditions", "A three-year term")

    assert any(text.startswith(f"{case.key}: Approved with conditions: ") for text in told(cast.ae))


def asked_on(case: Escalation, cast: Cast) -> Escalation:
    """The CSM asks for the discount on this case."""
    assert case.owner is not None
    briefing.save_parts(case_id=case.pk, by=case.owner, texts=TEXTS, options=OPTIONS, versions={})
    wanted = asking.CaseAsk("discount", Decimal(18), "USD", "Approve a 18 percent discount?")
    asking.ask(wanted, case_id=case.pk, by=cast.csm)
    return Escalation.objects.get(pk=case.pk)


def test_who_asked_and_who_is_asked_get_no_second_notice(cast: Cast) -> None:
    case = asked(cast)
    decide(case)
    for user in (cast.csm, cast.director):
        assert not Notice.objects.filter(user=user, key__startswith="requested:").exists()
        assert not Notice.objects.filter(user=user, key__startswith="case-decided:").exists()


def test_undo_tells_the_owner_and_takes_the_action_off_the_bell(cast: Cast) -> None:
    case = asked(cast)
    owner = case.owner
    assert owner is not None
    made = decide(case)
    assert any("Carry out" in text for text in told(owner))

    deciding.undo(request_id=made.pk, by=cast.director)

    assert not any("Carry out" in text for text in told(owner))
    assert any("undid the decision. Nothing is to be carried out" in text for text in told(owner))
    assert case.actions.get().state == Action.CANCELLED


@pytest.mark.parametrize("verdict", ["approved", "declined"])
def test_undo_lets_the_decision_clock_go_on(cast: Cast, verdict: str) -> None:
    case = asked(cast)
    before = case.clocks.live().get(kind=states.DECISION)
    with time_machine.travel(now() + timedelta(minutes=5), tick=False):
        made = decide(case, verdict)
    with time_machine.travel(now() + timedelta(minutes=9), tick=False):
        deciding.undo(request_id=made.pk, by=cast.director)

    case.refresh_from_db()
    made.refresh_from_db()
    after = case.clocks.live().get(kind=states.DECISION)
    assert (after.pk, after.due_at, after.warn_at) == (before.pk, before.due_at, before.warn_at)
    assert made.deadline == before.due_at
    assert case.state == states.APPROVING
    assert list(differences()) == []


def test_undo_keeps_the_pause_of_the_clock(cast: Cast) -> None:
    case = asked(cast)
    clock = case.clocks.live().get(kind=states.DECISION)
    clocks.hold(case_id=case.pk, clock_id=clock.pk, by=cast.ops, reason="The customer is away")
    made = decide(Escalation.objects.get(pk=case.pk))

    deciding.undo(request_id=made.pk, by=cast.director)

    after = case.clocks.live().get(kind=states.DECISION)
    assert (after.pk, after.state, after.held) == (clock.pk, Clock.PAUSED, True)
    assert list(differences()) == []


def test_withdrawal_tells_the_people_and_empties_their_bells(cast: Cast) -> None:
    case = opened(cast)
    asked_to_own = waiting_handoff(case).to_user
    assert f"Accept {case.key}: {case.title}" in told(asked_to_own)

    named = list(CasePerson.objects.filter(case=case).exclude(user=cast.csm).select_related("user"))
    assert {row.user for row in named} >= {asked_to_own}

    closing.withdraw(case_id=case.pk, by=cast.csm, reason="The customer signed")

    assert not any(text.startswith(f"Accept {case.key}") for text in told(asked_to_own))
    for row in named:
        assert f"{case.key} is withdrawn: The customer signed" in told(row.user)
        assert f"{case.key} is open: {case.title}" not in told(row.user)


def test_who_loses_a_duty_is_told_when_it_is_asked_and_when_it_is_taken(cast: Cast) -> None:
    case = accepted(cast)
    lead_of(case, cast.csm)
    assert case.owner is not None
    handoffs.reassign(case_id=case.pk, by=case.owner, to=cast.ae, notes=handoffs.Notes(), duty=CasePerson.COMMUNICATION)
    assert any(f"asks {cast.ae.name} to take over as communication lead" in text for text in told(cast.csm))

    handoff = HandOff.objects.get(case=case, duty=CasePerson.COMMUNICATION, state=HandOff.WAITING)
    handoffs.accept(case_id=case.pk, handoff_id=handoff.pk, by=cast.ae)

    assert f"{cast.ae.name} accepted {case.key} as communication lead" in told(cast.csm)


def test_who_is_taken_off_is_told(cast: Cast) -> None:
    case = accepted(cast)
    row = case.people.create(user=cast.outsider, letter="I", since=now())
    wanted = duties.Letters(version=case.version, of={row.pk: ""})

    duties.set_letters(case_id=case.pk, by=cast.ops, wanted=wanted)

    notice = Notice.objects.get(user=cast.outsider, key__startswith="off:")
    assert (notice.text, notice.url) == (f"{cast.ops.name} took you off {case.key}", "/escalations/")
