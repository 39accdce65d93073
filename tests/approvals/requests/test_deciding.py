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
from tests.support.cast import Cast

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


def test_the_person_asked_approves(deciders: Cast, ask: Ask, told: list[str]) -> None:
    made = decide(ask(), deciders.director, channel="link")
    assert (made.state, made.decided_by, made.decided_level, made.version) == (
        "approved",
        deciders.director,
        "director",
        2,
    )
    entry = made.log.last()
    assert (entry.kind, entry.actor, entry.channel) == ("approved", deciders.director, "link")
    assert (entry.role, entry.limit, entry.rule_version, entry.terms_hash) == ("Director", "20%", 1, made.terms_hash)
    assert not entry.override
    assert made.seats.get().state == Seat.DECIDED
    assert told == ["asked", "approved"]
    assert Message.objects.filter(user=deciders.csm, subject__startswith="Approved: Northwind").count() == 1


def test_a_requester_cannot_approve_their_own_request(deciders: Cast, ask: Ask) -> None:
    made = ask(requester=deciders.director)
    made.seats.update(person=deciders.director)
    error = refused(made, deciders.director)
    assert isinstance(error, NotAllowed)
    assert "You requested this" in error.message
    refused(made, deciders.director, "declined", reason="No")


def test_a_committee_member_cannot_approve_their_own_request(deciders: Cast, ask: Ask) -> None:
    assert isinstance(refused(ask(requester=deciders.committee), deciders.committee, reason="Mine"), NotAllowed)


@pytest.mark.parametrize("name", ["lead", "csm", "ae", "outsider", "ops", "admin"])
def test_people_it_was_not_put_to_cannot_decide(deciders: Cast, ask: Ask, name: str) -> None:
    made = ask(requester=deciders.ae)
    assert isinstance(refused(made, getattr(deciders, name), reason="Because"), NotAllowed)


def test_an_equal_of_the_approver_cannot_decide_in_their_place(deciders: Cast, ask: Ask) -> None:
    made = ask()
    peer = type(deciders.director).objects.create_user("peer@desk.example", None, name="Pia Peer")
    peer.holdings.create(role=made.approver_role)
    assert "waits for Lena Ortiz" in refused(made, peer, reason="I can too").message


def test_higher_authority_may_decide_with_a_reason_and_it_is_an_override(deciders: Cast, ask: Ask) -> None:
    made = ask()
    assert refused(made, deciders.sponsor).field == "reason"
    made = decide(made, deciders.sponsor, reason="Lena is on a plane.")
    entry = made.log.last()
    assert (entry.override, entry.role, entry.limit, made.decided_level) == (
        True,
        "Executive sponsor",
        "35%",
        "executive",
    )
    assert Message.objects.filter(user=deciders.director, kind="approval_decided").exists()


@pytest.mark.parametrize("amount", ["19.99", "20"])
def test_up_to_the_limit_is_within_it(deciders: Cast, ask: Ask, amount: str) -> None:
    assert decide(ask(amount=D(amount)), deciders.director).state == "approved"


def test_beyond_the_limit_is_refused_even_for_the_person_asked(deciders: Cast, ask: Ask) -> None:
    made = ask(amount=D("20.01"))
    made.seats.update(person=deciders.director, role=deciders.director.holdings.get().role)
    error = refused(made, deciders.director)
    assert isinstance(error, NotAllowed)
    assert "Director has a limit of 20%, and the total is 20.01%. It goes to Executive sponsor." in error.message


def test_what_was_granted_since_counts_against_the_limit(deciders: Cast, ask: Ask) -> None:
    first, second = ask(concession="refund", amount=D(6000)), ask(concession="refund", amount=D("4000.01"))
    assert second.approver == deciders.director
    decide(first, deciders.director)
    error = refused(second, deciders.director)
    assert "total is $10,000.01 with the $6,000 granted in the last 90 days" in error.message
    assert decide(second, deciders.director, "declined", reason="Too much together.").state == "declined"


def test_just_within_the_limit_together_is_granted(deciders: Cast, ask: Ask) -> None:
    first, second = ask(concession="refund", amount=D(6000)), ask(concession="refund", amount=D(4000))
    decide(first, deciders.director)
    assert decide(second, deciders.director).state == "approved"


def test_a_role_that_ended_carries_no_right(deciders: Cast, ask: Ask) -> None:
    made = ask()
    deciders.director.holdings.update(ends=now())
    assert "do not hold the role" in refused(made, deciders.director).message
    refused(made, deciders.director, "declined", reason="No")


def test_the_request_runs_on_the_version_it_was_made_on(deciders: Cast, ask: Ask) -> None:
    made = ask()
    made.authority.limits.all().update(up_to=D(1))
    assert isinstance(refused(made, deciders.director), NotAllowed)


def test_declining_needs_a_reason(deciders: Cast, ask: Ask) -> None:
    made = ask()
    assert refused(made, deciders.director, "declined").field == "reason"
    made = decide(made, deciders.director, "declined", reason="Not worth the margin.")
    assert (made.state, made.reason) == ("declined", "Not worth the margin.")
    assert made.log.last().override, "declining goes against the recommendation here"


def test_conditions_need_words_and_a_reason(deciders: Cast, ask: Ask) -> None:
    made = ask()
    assert refused(made, deciders.director, "conditions", reason="Fair").field == "conditions"
    assert refused(made, deciders.director, "conditions", conditions="3-year term").field == "reason"
    made = decide(made, deciders.director, "conditions", conditions="3-year term", reason="Fair")
    assert (made.state, made.conditions, made.log.last().conditions) == ("conditions", "3-year term", "3-year term")


def test_going_against_the_recommendation_needs_a_reason(deciders: Cast, ask: Ask) -> None:
    made = ask(options=[{"name": "Grant"}, {"name": "Nothing", "status_quo": True, "recommended": True}])
    assert "against the recommendation" in refused(made, deciders.director).message
    assert decide(made, deciders.director, reason="Strategic.").log.last().override


def test_a_verdict_nobody_knows_is_refused(deciders: Cast, ask: Ask) -> None:
    assert refused(ask(), deciders.director, "maybe").field == "verdict"


def test_a_second_decision_hears_who_was_first(deciders: Cast, ask: Ask) -> None:
    made = ask()
    decide(made, deciders.director)
    error = refused(made, deciders.sponsor, reason="Me too")
    assert isinstance(error, AlreadyDone)
    assert error.message.startswith("Already approved by Lena Ortiz at ")
    assert error.message.rstrip(".").endswith("ET")


def test_an_old_version_is_stale(deciders: Cast, ask: Ask) -> None:
    made = ask()
    ApprovalRequest.objects.filter(pk=made.pk).update(version=2)
    error = refused(made, deciders.director, version=1)
    assert isinstance(error, Stale)
    assert error.message.startswith("Terms changed at ")


def test_a_request_that_is_not_there_is_not_found(deciders: Cast) -> None:
    with pytest.raises(NotThere):
        deciding.decide(request_id=999, by=deciders.director, verdict="approved", version=1)


def test_passing_up_skips_nobody_who_covers_it_and_tells_the_one_passed_over(
    deciders: Cast, ask: Ask, told: list[str]
) -> None:
    made = seating.pass_up(request_id=ask().pk, reason="No decision by 3:00 PM ET.")
    assert (made.approver, made.authority_seat.number, made.version) == (deciders.sponsor, 2, 2)
    assert [seat.state for seat in made.seats.all()] == ["passed_up", "asked"]
    over = Message.objects.get(kind="approval_passed_up")
    assert over.user == deciders.director
    assert "nothing left for you to do" in over.text
    assert Message.objects.filter(key=f"approval:{made.pk}:2", user=deciders.sponsor).exists()
    assert told == ["asked", "passed_up"]
    error = refused(made, deciders.director, version=1, seat=1)
    assert isinstance(error, Stale)
    assert "escalated to Dana Whitfield" in error.message
    assert isinstance(refused(made, deciders.director), NotAllowed)
    assert decide(made, deciders.sponsor).decided_level == "executive"


def test_passing_up_goes_on_to_the_top_and_then_stops(deciders: Cast, ask: Ask) -> None:
    made = ask()
    for person in (deciders.sponsor, deciders.committee):
        assert seating.pass_up(request_id=made.pk, reason="Late").approver == person
    with pytest.raises(Invalid, match="no higher authority"):
        seating.pass_up(request_id=made.pk, reason="Late")
    made.refresh_from_db()
    assert (made.approver, made.authority_seat.number) == (deciders.committee, 3)
    assert list(chain.breaks_in(made, made.log.all())) == []


def test_passing_up_skips_the_requester_and_people_left_out(deciders: Cast, ask: Ask) -> None:
    assert seating.pass_up(request_id=ask(requester=deciders.sponsor).pk, reason="Late").approver == deciders.committee
    assert (
        seating.pass_up(request_id=ask(exclude=[deciders.sponsor.pk]).pk, reason="Late").approver == deciders.committee
    )


def test_a_decided_request_is_not_passed_up(deciders: Cast, ask: Ask) -> None:
    made = decide(ask(), deciders.director)
    with pytest.raises(AlreadyDone):
        seating.pass_up(request_id=made.pk, reason="Late")


def test_the_requester_recalls_with_a_reason(deciders: Cast, ask: Ask) -> None:
    made = ask()
    with pytest.raises(Invalid):
        deciding.recall(request_id=made.pk, by=deciders.csm, reason=" ")
    with pytest.raises(NotAllowed):
        deciding.recall(request_id=made.pk, by=deciders.outsider, reason="Mine")
    deciding.recall(request_id=made.pk, by=deciders.csm, reason="Terms improved.")
    error = refused(made, deciders.director)
    assert error.message.startswith("Recalled by Priya Raman at ")
    assert Message.objects.filter(user=deciders.director, subject__startswith="Recalled").exists()


def test_a_manager_recalls_as_long_as_a_role_lets_them_see_it(deciders: Cast, ask: Ask) -> None:
    made = ask()
    # Asked herself, so that she sees it all the same.
    made = delegating.delegate(
        request_id=made.pk, by=deciders.director, to=deciders.sponsor, reason="Away", version=made.version
    )
    deciders.sponsor.holdings.all().delete()
    with pytest.raises(NotAllowed):
        deciding.recall(request_id=made.pk, by=User.objects.get(pk=deciders.sponsor.pk), reason="Solved")
    deciding.recall(request_id=made.pk, by=deciders.lead, reason="Solved")


def test_a_question_pauses_nothing_and_its_answer_comes_back(deciders: Cast, ask: Ask, told: list[str]) -> None:
    made = ask()
    talk.question(request_id=made.pk, by=deciders.director, text="Which year?")
    talk.answer(request_id=made.pk, by=deciders.csm, text="The first.")
    made.refresh_from_db()
    assert (made.state, made.version) == ("open", 1)
    assert told == ["asked", "question", "answer"]
    assert Message.objects.filter(user=deciders.csm, text__contains="Which year?").count() == 1
    assert Message.objects.filter(user=deciders.director, text__contains="The first.").count() == 1
    with pytest.raises(NotAllowed):
        talk.question(request_id=made.pk, by=deciders.outsider, text="Hm?")
    with pytest.raises(Invalid):
        talk.question(request_id=made.pk, by=deciders.director, text=" ")


def test_a_question_to_somebody_who_left_goes_to_their_manager(deciders: Cast, ask: Ask) -> None:
    made = ask()
    User.objects.filter(pk=made.requester_id).update(is_active=False)
    talk.question(request_id=made.pk, by=deciders.director, text="Which year?")
    told = Message.objects.get(text__contains="Which year?").user
    assert told == deciders.csm.manager
    talk.answer(request_id=made.pk, by=told, text="The first.")
    assert Message.objects.filter(user=deciders.director, text__contains="The first.").exists()


def test_a_reminder_is_mailed_again_but_not_every_minute(deciders: Cast, ask: Ask) -> None:
    made = ask()
    talk.remind(request_id=made.pk, by=deciders.csm)
    assert (
        Message.objects.filter(user=deciders.director, subject__startswith="Reminder 1: decision needed").count() == 1
    )
    with pytest.raises(Stale):
        talk.remind(request_id=made.pk, by=deciders.csm)
    talk.remind(request_id=made.pk)
    assert made.seats.get().reminded == 2
    with pytest.raises(NotAllowed):
        talk.remind(request_id=made.pk, by=deciders.director)


def test_a_decision_is_undone_within_ten_minutes(deciders: Cast, ask: Ask, told: list[str]) -> None:
    made = decide(ask(), deciders.director)
    deciding.undo(request_id=made.pk, by=deciders.director)
    made.refresh_from_db()
    assert (made.state, made.decided_by, made.version, made.approver) == ("open", None, 3, deciders.director)
    assert told == ["asked", "approved", "undone"]
    decided_mail = Message.objects.get(kind="approval_decided")
    assert not kind_of(decided_mail).still_wanted(decided_mail)
    made = decide(made, deciders.director, "declined", reason="On reflection.")
    assert made.state == "declined"
    assert list(chain.breaks_in(made, made.log.all())) == []


def test_undo_is_for_the_one_who_decided_in_time_and_before_the_seal(deciders: Cast, ask: Ask) -> None:
    made = decide(ask(), deciders.director)
    with pytest.raises(NotAllowed):
        deciding.undo(request_id=made.pk, by=deciders.sponsor)
    deciding.seal(request_id=made.pk)
    count = deciding.seal(request_id=made.pk).log_count
    assert made.log.count() == count == 3
    with pytest.raises(Stale, match="too late"):
        deciding.undo(request_id=made.pk, by=deciders.director)
    late = decide(ask(account=deciders.elsewhere), deciders.director)
    ApprovalRequest.objects.filter(pk=late.pk).update(decided_at=now() - timedelta(minutes=10, seconds=1))
    with pytest.raises(Stale, match="too late"):
        deciding.undo(request_id=late.pk, by=deciders.director)


def test_what_is_open_or_granted_by_rule_cannot_be_sealed_or_undone(deciders: Cast, ask: Ask) -> None:
    with pytest.raises(Stale):
        deciding.seal(request_id=ask().pk)
    band = ask(amount=D(5), tier="green")
    with pytest.raises(Stale):
        deciding.undo(request_id=band.pk, by=deciders.csm)
    assert deciding.seal(request_id=band.pk).sealed_at


def test_the_question_is_no_longer_wanted_once_it_is_answered(deciders: Cast, ask: Ask) -> None:
    made = ask()
    question = Message.objects.get(kind="approval", source=f"approval:{made.pk}:1")
    assert kind_of(question).still_wanted(question)
    decide(made, deciders.director)
    assert not kind_of(question).still_wanted(question)


def test_standing_says_why_not(deciders: Cast, ask: Ask) -> None:
    made = ask()
    at = now()
    assert "your own request" in for_user(made, deciders.csm, at).words
    assert for_user(made, deciders.lead, at).kind == "outside"
    # A CSM, but of another account.
    assert for_user(made, deciders.outsider, at).kind == "not_asked"
    assert for_user(made, deciders.ops, at).kind == "not_asked"
    assert for_user(made, deciders.sponsor, at).override


def test_a_changed_entry_of_the_log_is_found(deciders: Cast, ask: Ask) -> None:
    made = decide(ask(), deciders.director, reason="Fine.")
    entries = list(made.log.all())
    entries[-1].rationale = "Something else."
    assert [found.what for found in chain.breaks_in(made, entries)] == ["content was changed"]


def test_those_who_hear_of_passing_up_find_the_new_approver(deciders: Cast, ask: Ask) -> None:
    made, found = ask(), []

    def hear(entry: Any, **_: Any) -> None:
        found.append((entry.seat, ApprovalRequest.objects.get(pk=entry.request_id).approver))

    log_appended.connect(hear)
    try:
        seating.pass_up(request_id=made.pk, reason="Late")
    finally:
        log_appended.disconnect(hear)
    assert found == [(1, deciders.sponsor)]
