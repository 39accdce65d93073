"""Deciding: whose right it is, what must be said, what is written, and how it is taken back."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from approvals.absence import delegations as delegating
from approvals.events import log_appended
from approvals.models import ApprovalRequest, Seat
from approvals.requests import decide as deciding
from approvals.requests import seats as seating
from approvals.requests import talk
from approvals.requests.permissions import for_user
from ledger import chain
from ledger.errors import AlreadyDone, Invalid, NotAllowed, NotThere, Refused, Stale
from ledger.now import now
from messaging.kinds import kind_of
from messaging.models import Message

pytestmark = pytest.mark.both_databases

D = Decimal
Ask = Callable[..., ApprovalRequest]


def decide(made: ApprovalRequest, by: Any, verdict: str = "approved", **values: Any) -> ApprovalRequest:
    """Decide what the person sees now."""
    made.refresh_from_db()
    wanted = {"version": made.version, "seat": made.authority_seat.number}
    words = deciding.Words(values.pop("reason", ""), values.pop("conditions", ""))
    return deciding.decide(request_id=made.pk, by=by, verdict=verdict, words=words, **{**wanted, **values})


def refused(made: ApprovalRequest, by: Any, verdict: str = "approved", **values: Any) -> Refused:
    """The refusal, and proof that nothing was written."""
    made.refresh_from_db()
    before = (made.state, made.version, made.decided_by_id, made.log_count, Message.objects.count())
    with pytest.raises(Refused) as caught:
        decide(made, by, verdict, **values)
    made.refresh_from_db()
    assert (made.state, made.version, made.decided_by_id, made.log_count, Message.objects.count()) == before
    assert list(chain.breaks_in(made, made.log.all())) == []
    return caught.value


def test_the_person_asked_approves(world: Any, ask: Ask, told: list[str]) -> None:
    made = decide(ask(), world.lena, channel="link")
    assert (made.state, made.decided_by, made.decided_level, made.version) == ("approved", world.lena, "director", 2)
    entry = made.log.last()
    assert (entry.kind, entry.actor, entry.channel) == ("approved", world.lena, "link")
    assert (entry.role, entry.limit, entry.rule_version, entry.terms_hash) == ("Director", "20%", 1, made.terms_hash)
    assert not entry.override
    assert made.seats.get().state == Seat.DECIDED
    assert told == ["asked", "approved"]
    assert Message.objects.filter(user=world.marcus, subject__startswith="Approved: Northwind").count() == 1


def test_a_requester_cannot_approve_their_own_request(world: Any, ask: Ask) -> None:
    made = ask(requester=world.lena)
    made.seats.update(person=world.lena)
    error = refused(made, world.lena)
    assert isinstance(error, NotAllowed)
    assert "You requested this" in error.message
    refused(made, world.lena, "declined", reason="No")


def test_a_committee_member_cannot_approve_their_own_request(world: Any, ask: Ask) -> None:
    assert isinstance(refused(ask(requester=world.ruth), world.ruth, reason="Mine"), NotAllowed)


@pytest.mark.parametrize("name", ["tina", "marcus", "priya", "omar", "sana", "aisha"])
def test_people_it_was_not_put_to_cannot_decide(world: Any, ask: Ask, name: str) -> None:
    made = ask(requester=world.priya)
    assert isinstance(refused(made, getattr(world, name), reason="Because"), NotAllowed)


def test_an_equal_of_the_approver_cannot_decide_in_their_place(world: Any, ask: Ask) -> None:
    made = ask()
    peer = type(world.lena).objects.create_user("peer@desk.example", None, name="Pia Peer")
    peer.holdings.create(role=made.approver_role)
    assert "waits for Lena Ortiz" in refused(made, peer, reason="I can too").message


def test_higher_authority_may_decide_with_a_reason_and_it_is_an_override(world: Any, ask: Ask) -> None:
    made = ask()
    assert refused(made, world.dana).field == "reason"
    made = decide(made, world.dana, reason="Lena is on a plane.")
    entry = made.log.last()
    assert (entry.override, entry.role, entry.limit, made.decided_level) == (
        True,
        "Executive sponsor",
        "35%",
        "executive",
    )
    assert Message.objects.filter(user=world.lena, kind="approval_decided").exists()


@pytest.mark.parametrize("amount", ["19.99", "20"])
def test_up_to_the_limit_is_within_it(world: Any, ask: Ask, amount: str) -> None:
    assert decide(ask(amount=D(amount)), world.lena).state == "approved"


def test_beyond_the_limit_is_refused_even_for_the_person_asked(world: Any, ask: Ask) -> None:
    made = ask(amount=D("20.01"))
    made.seats.update(person=world.lena, role=world.lena.holdings.get().role)
    error = refused(made, world.lena)
    assert isinstance(error, NotAllowed)
    assert "Director has a limit of 20%, and the total is 20.01%. It goes to Executive sponsor." in error.message


def test_what_was_granted_since_counts_against_the_limit(world: Any, ask: Ask) -> None:
    first, second = ask(concession="refund", amount=D(6000)), ask(concession="refund", amount=D("4000.01"))
    assert second.approver == world.lena
    decide(first, world.lena)
    error = refused(second, world.lena)
    assert "total is $10,000.01 with the $6,000 granted in the last 90 days" in error.message
    assert decide(second, world.lena, "declined", reason="Too much together.").state == "declined"


def test_just_within_the_limit_together_is_granted(world: Any, ask: Ask) -> None:
    first, second = ask(concession="refund", amount=D(6000)), ask(concession="refund", amount=D(4000))
    decide(first, world.lena)
    assert decide(second, world.lena).state == "approved"


def test_a_role_that_ended_carries_no_right(world: Any, ask: Ask) -> None:
    made = ask()
    world.lena.holdings.update(ends=now())
    assert "do not hold the role" in refused(made, world.lena).message
    refused(made, world.lena, "declined", reason="No")


def test_the_request_runs_on_the_version_it_was_made_on(world: Any, ask: Ask) -> None:
    made = ask()
    made.authority.limits.all().update(up_to=D(1))
    assert isinstance(refused(made, world.lena), NotAllowed)


def test_declining_needs_a_reason(world: Any, ask: Ask) -> None:
    made = ask()
    assert refused(made, world.lena, "declined").field == "reason"
    made = decide(made, world.lena, "declined", reason="Not worth the margin.")
    assert (made.state, made.reason) == ("declined", "Not worth the margin.")
    assert made.log.last().override, "declining goes against the recommendation here"


def test_conditions_need_words_and_a_reason(world: Any, ask: Ask) -> None:
    made = ask()
    assert refused(made, world.lena, "conditions", reason="Fair").field == "conditions"
    assert refused(made, world.lena, "conditions", conditions="3-year term").field == "reason"
    made = decide(made, world.lena, "conditions", conditions="3-year term", reason="Fair")
    assert (made.state, made.conditions, made.log.last().conditions) == ("conditions", "3-year term", "3-year term")


def test_going_against_the_recommendation_needs_a_reason(world: Any, ask: Ask) -> None:
    made = ask(options=[{"name": "Grant"}, {"name": "Nothing", "status_quo": True, "recommended": True}])
    assert "against the recommendation" in refused(made, world.lena).message
    assert decide(made, world.lena, reason="Strategic.").log.last().override


def test_a_verdict_nobody_knows_is_refused(world: Any, ask: Ask) -> None:
    assert refused(ask(), world.lena, "maybe").field == "verdict"


def test_a_second_decision_hears_who_was_first(world: Any, ask: Ask) -> None:
    made = ask()
    decide(made, world.lena)
    error = refused(made, world.dana, reason="Me too")
    assert isinstance(error, AlreadyDone)
    assert error.message.startswith("Already approved by Lena Ortiz at ")
    assert error.message.rstrip(".").endswith("ET")


def test_an_old_version_is_stale(world: Any, ask: Ask) -> None:
    made = ask()
    ApprovalRequest.objects.filter(pk=made.pk).update(version=2)
    error = refused(made, world.lena, version=1)
    assert isinstance(error, Stale)
    assert error.message.startswith("Terms changed at ")


def test_a_request_that_is_not_there_is_not_found(world: Any) -> None:
    with pytest.raises(NotThere):
        deciding.decide(request_id=999, by=world.lena, verdict="approved", version=1)


def test_passing_up_skips_nobody_who_covers_it_and_tells_the_one_passed_over(
    world: Any, ask: Ask, told: list[str]
) -> None:
    made = seating.pass_up(request_id=ask().pk, reason="No decision by 3:00 PM ET.")
    assert (made.approver, made.authority_seat.number, made.version) == (world.dana, 2, 2)
    assert [seat.state for seat in made.seats.all()] == ["passed_up", "asked"]
    over = Message.objects.get(kind="approval_passed_up")
    assert over.user == world.lena
    assert "nothing left for you to do" in over.text
    assert Message.objects.filter(key=f"approval:{made.pk}:2", user=world.dana).exists()
    assert told == ["asked", "passed_up"]
    error = refused(made, world.lena, version=1, seat=1)
    assert isinstance(error, Stale)
    assert "escalated to Dana Whitfield" in error.message
    assert isinstance(refused(made, world.lena), NotAllowed)
    assert decide(made, world.dana).decided_level == "executive"


def test_passing_up_goes_on_to_the_top_and_then_stops(world: Any, ask: Ask) -> None:
    made = ask()
    for person in (world.dana, world.ruth):
        assert seating.pass_up(request_id=made.pk, reason="Late").approver == person
    with pytest.raises(Invalid, match="no higher authority"):
        seating.pass_up(request_id=made.pk, reason="Late")
    made.refresh_from_db()
    assert (made.approver, made.authority_seat.number) == (world.ruth, 3)
    assert list(chain.breaks_in(made, made.log.all())) == []


def test_passing_up_skips_the_requester_and_people_left_out(world: Any, ask: Ask) -> None:
    assert seating.pass_up(request_id=ask(requester=world.dana).pk, reason="Late").approver == world.ruth
    assert seating.pass_up(request_id=ask(exclude=[world.dana.pk]).pk, reason="Late").approver == world.ruth


def test_a_decided_request_is_not_passed_up(world: Any, ask: Ask) -> None:
    made = decide(ask(), world.lena)
    with pytest.raises(AlreadyDone):
        seating.pass_up(request_id=made.pk, reason="Late")


def test_the_requester_recalls_with_a_reason(world: Any, ask: Ask) -> None:
    made = ask()
    with pytest.raises(Invalid):
        deciding.recall(request_id=made.pk, by=world.marcus, reason=" ")
    with pytest.raises(NotAllowed):
        deciding.recall(request_id=made.pk, by=world.omar, reason="Mine")
    deciding.recall(request_id=made.pk, by=world.marcus, reason="Terms improved.")
    error = refused(made, world.lena)
    assert error.message.startswith("Recalled by Marcus Lee at ")
    assert Message.objects.filter(user=world.lena, subject__startswith="Recalled").exists()


def test_a_manager_recalls_as_long_as_a_role_lets_them_see_it(world: Any, ask: Ask) -> None:
    made = ask()
    # Asked herself, so that she sees it all the same.
    made = delegating.delegate(request_id=made.pk, by=world.lena, to=world.dana, reason="Away", version=made.version)
    world.dana.holdings.all().delete()
    with pytest.raises(NotAllowed):
        deciding.recall(request_id=made.pk, by=User.objects.get(pk=world.dana.pk), reason="Solved")
    deciding.recall(request_id=made.pk, by=world.tina, reason="Solved")


def test_a_question_pauses_nothing_and_its_answer_comes_back(world: Any, ask: Ask, told: list[str]) -> None:
    made = ask()
    talk.question(request_id=made.pk, by=world.lena, text="Which year?")
    talk.answer(request_id=made.pk, by=world.marcus, text="The first.")
    made.refresh_from_db()
    assert (made.state, made.version) == ("open", 1)
    assert told == ["asked", "question", "answer"]
    assert Message.objects.filter(user=world.marcus, text__contains="Which year?").count() == 1
    assert Message.objects.filter(user=world.lena, text__contains="The first.").count() == 1
    with pytest.raises(NotAllowed):
        talk.question(request_id=made.pk, by=world.omar, text="Hm?")
    with pytest.raises(Invalid):
        talk.question(request_id=made.pk, by=world.lena, text=" ")


def test_a_reminder_is_mailed_again_but_not_every_minute(world: Any, ask: Ask) -> None:
    made = ask()
    talk.remind(request_id=made.pk, by=world.marcus)
    assert Message.objects.filter(user=world.lena, subject__startswith="Reminder 1: decision needed").count() == 1
    with pytest.raises(Stale):
        talk.remind(request_id=made.pk, by=world.marcus)
    talk.remind(request_id=made.pk)
    assert made.seats.get().reminded == 2
    with pytest.raises(NotAllowed):
        talk.remind(request_id=made.pk, by=world.lena)


def test_a_decision_is_undone_within_ten_minutes(world: Any, ask: Ask, told: list[str]) -> None:
    made = decide(ask(), world.lena)
    deciding.undo(request_id=made.pk, by=world.lena)
    made.refresh_from_db()
    assert (made.state, made.decided_by, made.version, made.approver) == ("open", None, 3, world.lena)
    assert told == ["asked", "approved", "undone"]
    decided_mail = Message.objects.get(kind="approval_decided")
    assert not kind_of(decided_mail).still_wanted(decided_mail)
    made = decide(made, world.lena, "declined", reason="On reflection.")
    assert made.state == "declined"
    assert list(chain.breaks_in(made, made.log.all())) == []


def test_undo_is_for_the_one_who_decided_in_time_and_before_the_seal(world: Any, ask: Ask) -> None:
    made = decide(ask(), world.lena)
    with pytest.raises(NotAllowed):
        deciding.undo(request_id=made.pk, by=world.dana)
    deciding.seal(request_id=made.pk)
    count = deciding.seal(request_id=made.pk).log_count
    assert made.log.count() == count == 3
    with pytest.raises(Stale, match="too late"):
        deciding.undo(request_id=made.pk, by=world.lena)
    late = decide(ask(account=world.brightline), world.lena)
    ApprovalRequest.objects.filter(pk=late.pk).update(decided_at=now() - timedelta(minutes=10, seconds=1))
    with pytest.raises(Stale, match="too late"):
        deciding.undo(request_id=late.pk, by=world.lena)


def test_what_is_open_or_granted_by_rule_cannot_be_sealed_or_undone(world: Any, ask: Ask) -> None:
    with pytest.raises(Stale):
        deciding.seal(request_id=ask().pk)
    band = ask(amount=D(5), tier="green")
    with pytest.raises(Stale):
        deciding.undo(request_id=band.pk, by=world.marcus)
    assert deciding.seal(request_id=band.pk).sealed_at


def test_the_question_is_no_longer_wanted_once_it_is_answered(world: Any, ask: Ask) -> None:
    made = ask()
    question = Message.objects.get(kind="approval", source=f"approval:{made.pk}:1")
    assert kind_of(question).still_wanted(question)
    decide(made, world.lena)
    assert not kind_of(question).still_wanted(question)


def test_standing_says_why_not(world: Any, ask: Ask) -> None:
    made = ask()
    at = now()
    assert "your own request" in for_user(made, world.marcus, at).words
    assert for_user(made, world.tina, at).kind == "outside"
    # A CSM, but of another account.
    assert for_user(made, world.omar, at).kind == "not_asked"
    assert for_user(made, world.sana, at).kind == "not_asked"
    assert for_user(made, world.dana, at).override


def test_a_changed_entry_of_the_log_is_found(world: Any, ask: Ask) -> None:
    made = decide(ask(), world.lena, reason="Fine.")
    entries = list(made.log.all())
    entries[-1].rationale = "Something else."
    assert [found.what for found in chain.breaks_in(made, entries)] == ["content was changed"]


def test_those_who_hear_of_passing_up_find_the_new_approver(world: Any, ask: Ask) -> None:
    made, found = ask(), []

    def hear(entry: Any, **_: Any) -> None:
        found.append((entry.seat, ApprovalRequest.objects.get(pk=entry.request_id).approver))

    log_appended.connect(hear)
    try:
        seating.pass_up(request_id=made.pk, reason="Late")
    finally:
        log_appended.disconnect(hear)
    assert found == [(1, world.dana)]
