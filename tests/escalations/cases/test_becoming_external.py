"""A colleague becomes an external party: the work moves on, and every door of the desk closes."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from rest_framework.authtoken.models import Token

from accounts.models import Account, Departure, Role, RoleHolding, User
from accounts.people import leaving
from accounts.people.rules import Held, ends_up_outside
from approvals.models import DecisionLink, Seat
from approvals.requests import decide as deciding
from escalations.cases import handoffs, sharing, thread, tracker
from escalations.cases.queries import open_work
from escalations.models import Escalation
from ledger.errors import AlreadyDone, Invalid, NotAllowed
from ledger.now import now
from messaging.models import Message, Notice
from messaging.outbox import messages as outbox
from messaging.outbox import notices
from messaging.outbox.selection import EXTERNAL
from tests.escalations.cases.builders import accepted, asked, waiting_handoff
from tests.support.cast import Cast, person

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def role() -> Role:
    """The shipped role of external parties."""
    return Role.objects.get(sees=Role.SHARED)


def move_all(most: int = 3) -> None:
    """Let the engine move everything on."""
    while leaving.follow(most=most):
        pass


def become_external(user: User, by: User) -> User:
    """The verb and the engine; the person as read anew."""
    leaving.make_external(user_id=user.pk, role=role(), by=by)
    move_all()
    return User.objects.get(pk=user.pk)


def test_what_waits_for_the_person_moves_on_as_for_a_leaver(cast: Cast) -> None:
    case = asked(cast)
    owner = case.owner
    assert owner is not None
    tracker.add_action(case_id=case.pk, by=cast.ops, title="Call", owner=owner, due_at=now() + timedelta(days=1))
    owner = become_external(owner, cast.ops)
    assert owner.is_active
    assert owner.is_external
    assert open_work.of(owner) == []
    case = Escalation.objects.get(pk=case.pk)
    assert case.owner is None
    handoff = waiting_handoff(case)
    assert handoff.to_user != owner
    assert f"{owner.name} is an external party now" in handoff.why
    departure = Departure.objects.get(user=owner)
    assert (departure.kind, departure.finished_at is None) == (Departure.EXTERNAL, False)
    assert Notice.objects.filter(user=cast.ops, key__startswith=f"departure:{departure.pk}").exists()


def test_a_seat_goes_to_somebody_else_and_the_account_to_the_manager(cast: Cast) -> None:
    case = asked(cast)
    seat = Seat.objects.asked().filter(request__case_link__case=case).exclude(person=None).first()
    assert seat is not None
    decider = become_external(seat.person, cast.ops)
    assert not Seat.objects.asked().filter(person=decider).exists()
    csm = become_external(cast.csm, cast.ops)
    assert not Account.objects.filter(csm=csm).exists()
    assert Account.objects.get(pk=cast.northwind.pk).csm == cast.lead


def test_sessions_the_token_links_and_other_roles_end(cast: Cast) -> None:
    case = asked(cast)
    decider = Seat.objects.asked().filter(request__case_link__case=case)[0].person
    client = Client()
    client.force_login(decider, backend=BACKEND)
    key = Token.objects.create(user=decider).key
    soon = now() + timedelta(days=3)
    RoleHolding.objects.create(user=decider, role=cast.legal.roles[0], starts=soon)
    become_external(decider, cast.ops)
    assert not DecisionLink.objects.filter(approver=decider, dead_since=None).exists()
    assert not Session.objects.filter(pk=client.session.session_key).exists()
    assert Client(headers={"Authorization": f"Token {key}"}).get("/api/v1/escalations/").status_code == 401
    assert client.get("/dashboard/").status_code == 302
    held = RoleHolding.objects.filter(user=decider).filter(ends=None)
    assert [each.role.sees for each in held] == [Role.SHARED]


def named_but_outside(cast: Cast) -> tuple[Escalation, User]:
    """The moment before anything has moved: the owner of a case is an external party and still named on it."""
    case = asked(cast)
    assert case.owner is not None
    leaving.make_external(user_id=case.owner.pk, role=role(), by=cast.ops)
    return case, User.objects.get(pk=case.owner.pk)


def test_mail_and_notices_that_wait_for_the_person_are_not_sent(cast: Cast) -> None:
    case, owner = named_but_outside(cast)
    waiting = Message.objects.filter(user=owner, state=Message.PENDING)
    assert waiting.exists()
    shared = sharing.share(case_id=case.pk, by=cast.ops, party=owner, subject="Clause 7", text="Is it binding?")
    kept = Message.objects.get(key=f"shared:{shared.posts.get().pk}")
    notices.tell(users=[owner, cast.ops], key="x", kind="update", text="ARR 180,000 USD", url="/escalations/")
    assert not Notice.objects.filter(user=owner, key__startswith="x:").exists()
    assert Notice.objects.filter(user=cast.ops, key__startswith="x:").exists()
    outbox.send_due()
    kept.refresh_from_db()
    assert kept.state == Message.SENT
    others = Message.objects.filter(user=owner).exclude(pk=kept.pk)
    assert set(others.values_list("state", "note")) == {(Message.DROPPED, EXTERNAL)}


def test_no_notice_is_made_of_a_message_of_the_engine(cast: Cast) -> None:
    _, owner = named_but_outside(cast)
    draft = outbox.Draft("engine:1", "breach", owner.pk, owner.email, "ARR 180,000 USD", "", "ESC-1", "", "", "", "/e/")
    outbox.post_many([draft], at=now())
    notices.tell_waiting()
    assert not Notice.objects.filter(user=owner, key="engine:1").exists()


def test_the_verbs_of_a_case_refuse_the_person_though_still_named(cast: Cast) -> None:
    case, owner = named_but_outside(cast)
    mine = thread.post(case_id=case.pk, by=cast.csm, text="They would accept twelve percent.")
    action = tracker.add_action(
        case_id=case.pk, by=cast.ops, title="Call", owner=cast.director, due_at=now() + timedelta(days=1)
    )
    type(action).objects.filter(pk=action.pk).update(owner=owner)
    refused = [
        lambda: thread.post(case_id=case.pk, by=owner, text="Hello"),
        lambda: thread.correct(case_id=case.pk, event_id=mine.pk, by=owner, text="Hello"),
        lambda: thread.set_status(case_id=case.pk, by=owner, text="Hello", version=case.version),
        lambda: tracker.finish_action(action_id=action.pk, by=owner),
    ]
    for act in refused:
        with pytest.raises(NotAllowed):
            act()


def test_the_person_answers_no_hand_off(cast: Cast) -> None:
    case = accepted(cast)
    handoffs.reassign(case_id=case.pk, by=cast.ops, to=cast.lead, notes=handoffs.Notes("Away"), duty="communication")
    handoff = case.handoffs.get(to_user=cast.lead, state="waiting")
    leaving.make_external(user_id=cast.lead.pk, role=role(), by=cast.ops)
    lead = User.objects.get(pk=cast.lead.pk)
    with pytest.raises(NotAllowed, match="takes no duty"):
        handoffs.accept(case_id=case.pk, handoff_id=handoff.pk, by=lead)


def test_the_person_decides_nothing_though_still_seated(cast: Cast) -> None:
    case = asked(cast)
    seat = Seat.objects.asked().deciding().filter(request__case_link__case=case)[0]
    leaving.make_external(user_id=seat.person_id, role=role(), by=cast.ops)
    outside = User.objects.get(pk=seat.person_id)
    with pytest.raises(NotAllowed):
        deciding.decide(
            request_id=seat.request_id,
            by=outside,
            verdict="approved",
            version=seat.request.version,
            words=deciding.Words(reason="Fine"),
        )


def test_a_role_that_ends_by_itself_moves_the_work_too(cast: Cast) -> None:
    """Nobody presses a button: the inside role ends, the outside one is held."""
    case = accepted(cast)
    owner = case.owner
    assert owner is not None
    RoleHolding.objects.filter(user=owner).update(ends=now())
    RoleHolding.objects.create(user=owner, role=role(), starts=now())
    key = Token.objects.create(user=owner).key
    move_all()
    assert open_work.of(User.objects.get(pk=owner.pk)) == []
    assert not Token.objects.filter(key=key).exists()
    assert Departure.objects.get(user=owner).kind == Departure.EXTERNAL


def test_somebody_new_from_outside_is_no_departure_to_tell_of(cast: Cast) -> None:
    felix = person("felix@counsel.example", "Felix Brandt", "external")
    move_all()
    assert not Notice.objects.filter(text__contains="Felix Brandt").exists()
    client = Client()
    client.force_login(cast.ops, backend=BACKEND)
    assert "Felix Brandt" not in client.get("/people/departures/").content.decode()
    leaving.deactivate(user_id=felix.pk, by=cast.ops)
    move_all()
    assert "Felix Brandt" in client.get("/people/departures/").content.decode()


def test_who_comes_back_inside_can_become_external_again(cast: Cast) -> None:
    lead = become_external(cast.lead, cast.ops)
    with pytest.raises(AlreadyDone, match="already"):
        leaving.make_external(user_id=lead.pk, role=role(), by=cast.ops)
    RoleHolding.objects.create(user=lead, role=Role.objects.get(slug="team-lead"), starts=now())
    move_all()
    assert Departure.objects.get(user=lead).returned_at
    become_external(lead, cast.ops)
    assert Departure.objects.filter(user=lead).count() == 2


def test_shared_threads_stay_open(cast: Cast) -> None:
    case, owner = named_but_outside(cast)
    made = sharing.share(case_id=case.pk, by=cast.ops, party=owner, subject="Clause 7", text="Is it binding?")
    move_all()
    made.refresh_from_db()
    assert made.ended_at is None


def test_who_cannot_become_external(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        leaving.make_external(user_id=cast.csm.pk, role=role(), by=cast.director)
    with pytest.raises(Invalid, match="yourself"):
        leaving.make_external(user_id=cast.ops.pk, role=role(), by=cast.ops)
    with pytest.raises(Invalid, match="administrator"):
        leaving.make_external(user_id=cast.admin.pk, role=role(), by=_second_admin())
    with pytest.raises(Invalid, match="not a role of external parties"):
        leaving.make_external(user_id=cast.csm.pk, role=cast.csm.roles[0], by=cast.ops)


def _second_admin() -> User:
    return User.objects.create_superuser("second@desk.example", "x", name="Second Root")


def test_when_roles_leave_somebody_outside() -> None:
    at = now()
    day = timedelta(days=1)
    always, gone, later = Held(False, at - day), Held(False, at - 2 * day, at - day), Held(False, at - day, at + day)
    shared = Held(True, at - day)
    assert not ends_up_outside([always, shared], at)
    assert not ends_up_outside([always], at)
    assert ends_up_outside([gone, shared], at)
    assert ends_up_outside([later, shared], at)
    assert not ends_up_outside([later, Held(False, at + day), shared], at)
