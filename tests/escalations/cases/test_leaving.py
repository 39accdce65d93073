"""Somebody leaves: whatever is open and names the person moves on, and everybody concerned is told."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client
from rest_framework.authtoken.models import Token

from accounts.models import Departure, MovedOn, RoleHolding, User
from accounts.people import leaving
from approvals.absence import delegations as delegating
from approvals.models import ApprovalRequest, CalendarFeed, Seat
from escalations import states
from escalations.cases import closing, handoffs, tracker
from escalations.cases import leaving as cases_leaving
from escalations.cases.queries import open_work, queue
from escalations.models import Action, CasePerson, Escalation, HandOff
from ledger.errors import AlreadyDone, Invalid, NotAllowed
from ledger.now import now
from messaging.models import Message, Notice
from tests.escalations.cases.builders import accepted, asked, opened, waiting_handoff
from tests.support.cast import Cast, person

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def leave(user: User, by: User) -> Departure:
    """Deactivate somebody, and let the engine move everything on."""
    departure = leaving.deactivate(user_id=user.pk, by=by)
    while leaving.follow(most=3):
        pass
    departure.refresh_from_db()
    assert departure.finished_at
    return departure


def moved(departure: Departure) -> dict[str, str]:
    """Where each piece went."""
    return {row.what: row.to.name if row.to else row.state for row in departure.moved.select_related("to")}


def test_a_case_whose_owner_left_needs_an_owner_and_the_next_one_is_asked(cast: Cast) -> None:
    case = accepted(cast)
    owner = case.owner
    assert owner is not None
    departure = leave(owner, cast.ops)
    case = Escalation.objects.get(pk=case.pk)
    assert case.owner is None
    found = queue.open_cases(cast.ops).filter(queue.view_conditions(cast.ops, now())["unowned"])
    assert list(found) == [case]
    handoff = waiting_handoff(case)
    assert handoff.to_user.is_active
    assert handoff.to_user != owner
    assert f"{owner.name} has left" in handoff.why
    assert open_work.of(owner) == []
    assert moved(departure)[f"{case.key}: escalation owner, asked to accept"] == handoff.to_user.name
    assert Message.objects.filter(user=handoff.to_user, source=f"handoff:{handoff.pk}").exists()
    handoffs.accept(case_id=case.pk, handoff_id=handoff.pk, by=handoff.to_user)
    assert Escalation.objects.get(pk=case.pk).owner == handoff.to_user


def test_nothing_that_is_open_names_somebody_who_left(cast: Cast) -> None:
    """Every person of the desk but the administrator leaves in turn, with all kinds of open work."""
    at = now()
    case, second = asked(cast), accepted(cast, issue_type="technical-outage", concession="", amount=None)
    for user in (cast.csm, cast.lead, cast.director, cast.legal):
        tracker.add_action(
            case_id=case.pk, by=cast.ops, title=f"Call of {user}", owner=user, due_at=at + timedelta(days=1)
        )
        tracker.promise(
            case_id=second.pk, by=cast.ops, text="A plan", owner=user, due_on=(at + timedelta(days=3)).date()
        )
    delegating.make(
        delegating.StandIn(to=cast.director, starts_at=at, ends_at=at + timedelta(days=2)),
        user=cast.sponsor,
        by=cast.ops,
    )
    CalendarFeed.objects.create(user=cast.sponsor, url="https://cal.example/a.ics", stand_in=cast.lead)
    for user in (cast.lead, cast.director, cast.csm, cast.legal, cast.finance, cast.ae):
        departure = leave(user, cast.ops)
        assert not departure.moved.filter(state=MovedOn.FAILED).exists()
        assert open_work.of(user) == []
        assert not Seat.objects.filter(person=user, state=Seat.ASKED, request__state=ApprovalRequest.OPEN).exists()
    for each in Escalation.objects.all():
        assert each.people.filter(letter="A").count() <= 1
        assert not each.people.filter(user__is_active=False).exists()


def test_a_decision_goes_to_the_next_who_can_decide_and_the_requester_is_told(cast: Cast) -> None:
    case = asked(cast)
    request = case.requests.get()
    asks = request.approver
    assert asks is not None
    leave(asks, cast.ops)
    request = ApprovalRequest.objects.get(pk=request.pk)
    assert request.approver is not None
    assert request.approver.is_active
    assert request.approver != asks
    assert Notice.objects.filter(user=cast.csm, text__contains=f"to {request.approver}").exists()
    assert Escalation.objects.get(pk=case.pk).people.get(duty=CasePerson.AUTHORITY).user == request.approver


def test_the_customer_can_be_written_to_after_the_communication_lead_left(cast: Cast) -> None:
    case = accepted(cast)
    assert case.people.get(duty=CasePerson.COMMUNICATION).user == cast.csm
    leave(cast.csm, cast.ops)
    lead = case.people.get(duty=CasePerson.COMMUNICATION)
    cast.northwind.refresh_from_db()
    assert lead.user == cast.northwind.csm == cast.lead
    assert HandOff.objects.filter(case=case, duty=CasePerson.COMMUNICATION, to_user=cast.lead, state="waiting").exists()


def test_operations_and_the_manager_get_one_summary(cast: Cast) -> None:
    for _ in range(3):
        opened(cast)
    departure = leave(cast.csm, cast.admin)
    summaries = Notice.objects.filter(key__startswith=f"departure:{departure.pk}")
    assert {notice.user for notice in summaries} >= {cast.ops, cast.lead}
    assert summaries.filter(user=cast.ops).count() == 1
    assert "Priya Raman has left" in summaries.filter(user=cast.ops).get().text


def test_sessions_and_the_api_token_end(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.lead, backend=BACKEND)
    other = Client()
    other.force_login(cast.director, backend=BACKEND)
    Token.objects.create(user=cast.lead)
    leaving.deactivate(user_id=cast.lead.pk, by=cast.ops)
    assert Session.objects.count() == 1
    assert not Token.objects.filter(user=cast.lead).exists()
    leaving.reactivate(user_id=cast.lead.pk, by=cast.ops)
    assert client.get("/escalations/").status_code == 302
    assert other.get("/escalations/").status_code == 200


def test_reactivating_moves_nothing_back(cast: Cast) -> None:
    case = accepted(cast)
    owner = case.owner
    assert owner is not None
    leave(owner, cast.ops)
    leaving.reactivate(user_id=owner.pk, by=cast.ops)
    assert leaving.follow() == 0
    assert open_work.of(owner) == []
    assert Escalation.objects.get(pk=case.pk).owner is None
    with pytest.raises(AlreadyDone):
        leaving.reactivate(user_id=owner.pk, by=cast.ops)
    leave(User.objects.get(pk=owner.pk), cast.ops)
    assert owner.departures.count() == 2


def test_the_last_of_operations_and_the_last_administrator_stay(cast: Cast) -> None:
    with pytest.raises(Invalid, match="yourself"):
        leaving.deactivate(user_id=cast.ops.pk, by=cast.ops)
    with pytest.raises(NotAllowed):
        leaving.deactivate(user_id=cast.csm.pk, by=cast.director)
    with pytest.raises(NotAllowed, match="administrator"):
        leaving.deactivate(user_id=cast.admin.pk, by=cast.ops)
    second = person("ada@desk.example", "Ada Admin", "pmo", is_superuser=True)
    leaving.deactivate(user_id=cast.admin.pk, by=second)
    third = person("ines@desk.example", "Ines Ops", "pmo")
    with pytest.raises(NotAllowed):
        leaving.deactivate(user_id=second.pk, by=third)
    leaving.deactivate(user_id=cast.ops.pk, by=second)
    leaving.deactivate(user_id=third.pk, by=second)
    with pytest.raises(Invalid, match="yourself"):
        leaving.deactivate(user_id=second.pk, by=second)
    with pytest.raises(AlreadyDone):
        leaving.deactivate(user_id=third.pk, by=second)
    assert leaving.why_not(second, third) == f"{second} is the last active administrator. Appoint another one first."


def test_a_service_is_not_the_last_of_operations(cast: Cast) -> None:
    cast.admin.holdings.update(ends=now())
    person("bot@desk.example", "Robot", "pmo", kind=User.SERVICE)
    assert leaving.why_not(cast.ops, cast.admin).endswith("Give somebody else the role first.")


def test_somebody_made_inactive_by_another_way_is_treated_alike(cast: Cast) -> None:
    case = accepted(cast)
    owner = case.owner
    assert owner is not None
    User.objects.filter(pk=owner.pk).update(is_active=False)
    while leaving.follow():
        pass
    assert open_work.of(owner) == []
    assert owner.departures.get().finished_at


def test_an_interrupted_departure_goes_on_where_it_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = [accepted(cast) for _ in range(5)]
    owner = opened[0].owner
    assert owner is not None
    cases = [case for case in opened if case.owner == owner]
    leaving.deactivate(user_id=owner.pk, by=cast.ops)
    while (left := Escalation.objects.filter(owner=owner).count()) == len(cases):
        leaving.follow(most=1)
    assert 0 < left < len(cases)
    while leaving.follow(most=1):
        pass
    assert open_work.of(owner) == []
    for case in cases:
        assert case.events.filter(kind="left", data__user=owner.pk).count() == 1


def test_a_case_that_cannot_be_moved_does_not_hold_up_the_others(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = accepted(cast), accepted(cast)
    owner = good.owner
    assert owner is not None
    real = cases_leaving.leave

    def fails(case_id: int, departure: Departure) -> None:
        if case_id == bad.pk:
            raise ArithmeticError
        real(case_id, departure)

    monkeypatch.setattr(cases_leaving, "leave", fails)
    departure = leave(owner, cast.ops)
    assert departure.moved.filter(state=MovedOn.FAILED).get().url == f"/escalations/{bad.key}/"
    assert Escalation.objects.get(pk=good.pk).owner is None


def test_a_case_that_is_reopened_after_its_owner_left_goes_to_the_next(cast: Cast) -> None:
    case = accepted(cast, concession="", amount=None)
    owner = case.owner
    assert owner is not None
    closing.skip_to_execute(case_id=case.pk, by=owner, reason="No approval is needed")
    ending = closing.Ending(states.OUTCOMES[0][0], "Price", "Settled", customer_told=True)
    closing.resolve(case_id=case.pk, by=owner, ending=ending)
    leave(owner, cast.ops)
    case = Escalation.objects.get(pk=case.pk)
    assert case.review_record.reviewer != owner
    closing.reopen(case_id=case.pk, by=cast.ops, reason="It is back")
    case = Escalation.objects.get(pk=case.pk)
    assert case.owner is None
    assert waiting_handoff(case).to_user.is_active


def test_two_hundred_open_things_move_in_many_transactions(cast: Cast) -> None:
    at = now()
    cases = [opened(cast) for _ in range(8)]
    Action.objects.bulk_create(
        Action(case=case, title=f"Step {number}", owner=cast.legal, due_at=at + timedelta(days=1), made_at=at)
        for case in cases
        for number in range(25)
    )
    departure = leaving.deactivate(user_id=cast.legal.pk, by=cast.ops)
    passes = 0
    while leaving.follow(most=2):
        passes += 1
    assert passes >= 4
    assert open_work.of(cast.legal) == []
    assert departure.moved.filter(what__endswith=": action").count() == 200


def test_a_case_that_met_another_process_moves_with_the_next_pass(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    case = accepted(cast)
    owner = case.owner
    assert owner is not None
    real, collisions = cases_leaving.leave, [OperationalError("database is locked")]

    def collides(case_id: int, departure: Departure) -> None:
        if collisions:
            raise collisions.pop()
        real(case_id, departure)

    monkeypatch.setattr(cases_leaving, "leave", collides)
    departure = leave(owner, cast.ops)
    assert not collisions
    assert not departure.moved.filter(state=MovedOn.FAILED).exists()
    assert Escalation.objects.get(pk=case.pk).owner is None


def test_a_case_that_another_process_has_moved_gets_no_second_entry(cast: Cast) -> None:
    case = accepted(cast)
    owner = case.owner
    assert owner is not None
    departure = leave(owner, cast.ops)
    cases_leaving.leave(case.pk, departure)
    assert case.events.filter(kind="left").count() == 1


def test_work_that_nobody_can_take_is_noted_once_and_ends_the_passes(cast: Cast) -> None:
    case = accepted(cast)
    Action.objects.create(case=case, title="Lonely", owner=cast.legal, due_at=now(), made_at=now())
    User.objects.filter(pk=cast.legal.pk).update(manager=None)
    Escalation.objects.filter(pk=case.pk).update(owner=None)
    case.handoffs.filter(state=HandOff.WAITING).update(state=HandOff.REPLACED)
    User.objects.exclude(pk__in=[cast.legal.pk, cast.admin.pk]).filter(holdings__role__operations=True).update(
        is_active=False
    )
    RoleHolding.objects.filter(user=cast.admin).delete()
    leaving.deactivate(user_id=cast.legal.pk, by=cast.admin)
    for _ in range(20):
        if not leaving.follow():
            break
    else:
        pytest.fail("the passes do not end")
    departure = cast.legal.departures.get()
    assert departure.finished_at
    assert departure.moved.filter(state=MovedOn.NEEDS_SOMEBODY, what__endswith=": action").count() == 1


def test_a_reopened_case_has_no_duty_with_somebody_who_left(cast: Cast) -> None:
    case = accepted(cast, concession="", amount=None)
    owner = case.owner
    assert owner is not None
    closing.skip_to_execute(case_id=case.pk, by=owner, reason="No approval is needed")
    lead = case.people.get(duty=CasePerson.COMMUNICATION).user
    closing.resolve(
        case_id=case.pk, by=owner, ending=closing.Ending(states.OUTCOMES[0][0], "Price", "Settled", customer_told=True)
    )
    leave(lead, cast.ops)
    closing.reopen(case_id=case.pk, by=cast.ops, reason="The customer wrote again")
    case = Escalation.objects.get(pk=case.pk)
    held = case.people.get(duty=CasePerson.COMMUNICATION).user
    assert held.is_active
    assert not case.people.filter(user__is_active=False).exists()
    assert case.events.filter(kind="left", data__user=lead.pk).exists()


def test_a_departure_names_nobody_on_a_confidential_case(cast: Cast, client: Client) -> None:
    case = accepted(cast, confidential=True)
    assert case.owner is not None
    case.people.create(user=cast.outsider, letter="C", since=now())
    before = set(case.people.values_list("user", flat=True))

    departure = leave(cast.outsider, cast.ops)

    assert set(case.people.values_list("user", flat=True)) == before - {cast.outsider.pk}
    assert moved(departure)[f"{case.key}: named as stakeholder"] == MovedOn.ENDED
    client.force_login(cast.ops, backend=BACKEND)
    page = client.get(leaving.page_of(cast.outsider)).content.decode()
    assert case.key not in page
    assert "A case that you may not open" in page


def test_health_counts_no_confidential_case(cast: Cast) -> None:
    accepted(cast, confidential=True)
    cast.northwind.refresh_from_db()
    assert "open (" not in cast.northwind.health_parts[0]["why"]
    accepted(cast)
    cast.northwind.refresh_from_db()
    assert "1 escalation open (1 yellow tier)" in cast.northwind.health_parts[0]["why"]
