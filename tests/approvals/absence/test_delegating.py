"""Delegating one request, and stand-ins for a time: one hop, never above the delegator, never to who asks."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from approvals.absence import delegations as delegating
from approvals.mail import links
from approvals.models import ApprovalRequest, DecisionLink, Delegation
from approvals.requests import decide as deciding
from approvals.requests import lists
from approvals.requests import seats as seating
from approvals.requests.permissions import for_user
from ledger.errors import Invalid, NotAllowed, NotThere, Stale
from ledger.now import now
from messaging.models import Message, Notice
from tests.approvals.requests.test_chains import lawyer, person, plain_matrix, rule, vote
from tests.support.cast import Cast

pytestmark = pytest.mark.both_databases

__all__ = ["lawyer", "plain_matrix"]
Ask = Callable[..., ApprovalRequest]
HOUR = timedelta(hours=1)


def stand_in(user: Any, to: Any, start: timedelta = -HOUR, end: timedelta = HOUR, **values: Any) -> Delegation:
    """From an hour ago for two hours, unless told."""
    at = now()
    by, starts_at, ends_at = (
        values.pop("by", user),
        values.pop("starts_at", at + start),
        values.pop("ends_at", at + end),
    )
    kept = {name: values.pop(name) for name in ("source", "uid") if name in values}
    wanted = delegating.StandIn(to, starts_at, ends_at, **values)
    return delegating.make(wanted, user=user, by=by, **kept)


def hand_over(made: ApprovalRequest, by: Any, to: Any, **values: Any) -> ApprovalRequest:
    """Delegate this request."""
    return delegating.delegate(request_id=made.pk, by=by, to=to, **{"reason": "On leave.", **values})


def test_a_request_is_delegated_with_the_delegators_limit_and_both_names_in_the_log(deciders: Cast, ask: Ask) -> None:
    made = hand_over(ask(), deciders.director, deciders.lead)
    assert (made.approver, made.approver_role.slug, made.authority_seat.number, made.version) == (
        deciders.lead,
        "director",
        2,
        2,
    )
    assert for_user(made, deciders.lead, now()).limit == "20%"
    entry = made.log.last()
    assert (entry.kind, entry.actor, entry.facts["to"]) == ("delegated", deciders.director, deciders.lead.pk)
    assert Message.objects.filter(user=deciders.lead, text__contains="Lena Ortiz delegated it to you").count() == 1
    made = vote(made, deciders.lead)
    assert (made.state, made.decided_by, made.decided_level) == ("approved", deciders.lead, "director")
    entry = made.log.last()
    assert (entry.actor, entry.on_behalf_of, entry.role, entry.limit) == (
        deciders.lead,
        deciders.director,
        "Director",
        "20%",
    )
    assert Message.objects.filter(user=deciders.director, subject__startswith="Approved").count() == 1


def test_what_was_delegated_is_not_delegated_on_and_no_longer_the_delegators(deciders: Cast, ask: Ask) -> None:
    made = hand_over(ask(), deciders.director, deciders.lead)
    with pytest.raises(NotAllowed, match="Lena Ortiz delegated this to you"):
        hand_over(made, deciders.lead, deciders.ae)
    with pytest.raises(Stale, match="You delegated this"):
        deciding.decide(request_id=made.pk, by=deciders.director, verdict="approved", version=1, seat=1)
    stand_in(deciders.lead, deciders.outsider)
    assert not for_user(made, deciders.outsider, now()).may_decide


def test_a_delegation_dies_with_the_delegators_role(deciders: Cast, ask: Ask) -> None:
    made = hand_over(ask(), deciders.director, deciders.lead)
    deciders.director.holdings.update(ends=now())
    assert "Lena Ortiz does not hold the role Director" in for_user(made, deciders.lead, now()).words


@pytest.mark.parametrize("who", ["director", "csm"])
def test_nobody_delegates_to_themselves_or_the_requester(deciders: Cast, ask: Ask, who: str) -> None:
    made = ask()
    with pytest.raises(Invalid) as caught:
        hand_over(made, deciders.director, getattr(deciders, who))
    assert caught.value.field == "to"


def test_nobody_delegates_to_who_is_away_left_out_seated_or_a_service(deciders: Cast, ask: Ask, lawyer: Any) -> None:
    rule("legal", "after")
    made = ask(exclude=[deciders.outsider.pk])
    gone = person("gone", "director", is_active=False)
    robot = person("robot", kind="service")
    for to in (gone, robot, deciders.outsider, lawyer):
        with pytest.raises(Invalid):
            hand_over(made, deciders.director, to)
    with pytest.raises(NotAllowed):
        hand_over(made, deciders.sponsor, deciders.lead)
    with pytest.raises(Invalid, match="reason"):
        hand_over(made, deciders.director, deciders.lead, reason=" ")
    with pytest.raises(Stale):
        hand_over(made, deciders.director, deciders.lead, version=7)


def test_beyond_the_limit_nothing_can_be_delegated(deciders: Cast, ask: Ask) -> None:
    first, second = (ask(concession="refund", amount=Decimal(6000)) for _ in range(2))
    vote(first, deciders.director)
    with pytest.raises(NotAllowed, match="outside your authority"):
        hand_over(second, deciders.director, deciders.lead)


def test_delegating_one_seat_leaves_the_links_of_the_others_alive(deciders: Cast, ask: Ask, lawyer: Any) -> None:
    rule("legal", "beside")
    hand_over(ask(), deciders.director, deciders.lead)
    alive = {link.approver for link in DecisionLink.objects.select_related("request") if links.is_alive(link, now())}
    assert alive == {lawyer, deciders.lead}


def test_a_stand_in_decides_and_the_one_they_stand_in_for_hears_of_it(deciders: Cast, ask: Ask) -> None:
    stand_in(deciders.director, deciders.lead)
    made = ask()
    assert {each.user for each in Message.objects.all()} == {deciders.director, deciders.lead}
    assert made in lists.needs_you(deciders.lead)
    right = for_user(made, deciders.lead, now())
    assert (right.may_decide, right.on_behalf_of, right.limit, right.override) == (
        True,
        deciders.director,
        "20%",
        False,
    )
    made = vote(made, deciders.lead)
    entry = made.log.last()
    assert (entry.actor, entry.on_behalf_of, made.decided_by) == (deciders.lead, deciders.director, deciders.lead)
    assert Message.objects.filter(user=deciders.director, subject__startswith="Approved").exists()


def test_passing_up_skips_who_stands_in_for_the_requester_by_now(deciders: Cast, ask: Ask) -> None:
    made = ask()
    stand_in(deciders.csm, deciders.sponsor)
    assert seating.pass_up(request_id=made.pk, reason="Late").approver == deciders.committee


def test_the_delegator_still_may(deciders: Cast, ask: Ask) -> None:
    stand_in(deciders.director, deciders.lead)
    assert vote(ask(), deciders.director).state == "approved"


def test_a_stand_in_sees_and_decides_only_while_it_is_in_force(deciders: Cast, ask: Ask) -> None:
    given = stand_in(deciders.director, deciders.outsider)
    made = ask()
    assert ApprovalRequest.objects.visible_to(deciders.outsider).filter(pk=made.pk).exists()
    delegating.end(delegation_id=given.pk, by=deciders.director)
    on_the_next_page = User.objects.get(pk=deciders.outsider.pk)
    assert not ApprovalRequest.objects.visible_to(on_the_next_page).filter(pk=made.pk).exists()
    assert not for_user(made, deciders.outsider, now()).may_decide
    assert delegating.end(delegation_id=given.pk, by=deciders.director).ended_by == deciders.director


def test_what_waits_already_is_mailed_to_a_new_stand_in(deciders: Cast, ask: Ask) -> None:
    ask()
    stand_in(deciders.director, deciders.outsider)
    assert Message.objects.filter(user=deciders.outsider, text__contains="you stand in for Lena Ortiz").count() == 1
    assert Notice.objects.filter(kind="delegation").count() == 2


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        ({"concessions": ["discount"]}, True),
        ({"concessions": ["refund"]}, False),
        ({"up_to_usd": Decimal(5)}, False),
    ],
)
def test_a_stand_in_has_their_scope_only(deciders: Cast, ask: Ask, scope: dict[str, Any], may: bool) -> None:
    stand_in(deciders.director, deciders.outsider, **scope)
    made = ask()
    assert for_user(made, deciders.outsider, now()).may_decide == may
    assert ApprovalRequest.objects.waiting_on(deciders.outsider).filter(pk=made.pk).exists() == may
    assert ApprovalRequest.objects.visible_to(deciders.outsider).filter(pk=made.pk).exists() == may


@pytest.mark.parametrize(("amount", "may"), [("4000", True), ("4000.01", False)])
def test_a_stand_in_decides_money_up_to_the_amount_given(deciders: Cast, ask: Ask, amount: str, may: bool) -> None:
    stand_in(deciders.director, deciders.outsider, up_to_usd=Decimal(4000))
    made = ask(concession="refund", amount=Decimal(amount))
    assert for_user(made, deciders.outsider, now()).may_decide == may
    assert ApprovalRequest.objects.waiting_on(deciders.outsider).filter(pk=made.pk).exists() == may


def test_a_stand_in_never_decides_beyond_the_delegator(deciders: Cast, ask: Ask) -> None:
    made = ask(concession="refund", amount=Decimal(6000))
    other = ask(concession="refund", amount=Decimal(6000))
    stand_in(deciders.director, deciders.outsider)
    vote(made, deciders.outsider)
    with pytest.raises(NotAllowed, match="outside your authority"):
        vote(other, deciders.outsider)


def test_one_hop_only(deciders: Cast, ask: Ask) -> None:
    stand_in(deciders.director, deciders.lead)
    stand_in(deciders.lead, deciders.outsider)
    assert not for_user(ask(), deciders.outsider, now()).may_decide


def test_the_requesters_delegate_never_decides_not_even_their_own_seat(deciders: Cast, ask: Ask) -> None:
    made = ask()
    stand_in(deciders.csm, deciders.director)
    right = for_user(made, deciders.director, now())
    assert "you stand in for them" in right.words
    with pytest.raises(NotAllowed):
        vote(made, deciders.director)
    assert ask(concession="contract-term", amount=None).approver == deciders.sponsor


def test_a_stand_in_who_asked_does_not_decide_for_the_approver(deciders: Cast, ask: Ask) -> None:
    stand_in(deciders.director, deciders.csm)
    made = ask()
    with pytest.raises(NotAllowed, match="You requested this"):
        vote(made, deciders.csm)
    assert made not in lists.needs_you(deciders.csm)
    assert not Message.objects.filter(user=deciders.csm, kind="approval").exists()


def test_nobody_votes_twice_as_themselves_and_as_a_stand_in(deciders: Cast, ask: Ask, lawyer: Any) -> None:
    rule("legal", "beside")
    stand_in(lawyer, deciders.director)
    made = vote(ask(), deciders.director)
    with pytest.raises(NotAllowed, match="You have decided your part"):
        vote(made, deciders.director)
    assert made.is_open


@pytest.mark.parametrize(
    ("start", "end"), [(timedelta(hours=-3), timedelta(hours=-2)), (timedelta(hours=2), timedelta(hours=1))]
)
def test_the_past_and_an_end_before_the_start_are_refused(deciders: Cast, start: timedelta, end: timedelta) -> None:
    with pytest.raises(Invalid):
        stand_in(deciders.director, deciders.lead, start, end)


def test_two_stand_ins_for_the_same_at_once_are_refused_and_for_different_concessions_not(deciders: Cast) -> None:
    stand_in(deciders.director, deciders.lead, concessions=["discount"])
    stand_in(deciders.director, deciders.outsider, concessions=["refund"])
    with pytest.raises(Invalid, match="already"):
        stand_in(deciders.director, deciders.outsider, concessions=["discount", "credit"])
    with pytest.raises(Invalid, match="already"):
        stand_in(deciders.director, deciders.outsider)
    assert stand_in(deciders.director, deciders.outsider, HOUR, 2 * HOUR).pk


def test_loops_oneself_services_strangers_and_unknown_concessions_are_refused(deciders: Cast) -> None:
    stand_in(deciders.director, deciders.lead)
    with pytest.raises(Invalid, match="You are this person's stand-in") as refused:
        stand_in(deciders.lead, deciders.director)
    assert refused.value.field == "to"
    assert stand_in(deciders.lead, deciders.director, HOUR, 2 * HOUR).pk
    with pytest.raises(Invalid, match="someone else"):
        stand_in(deciders.sponsor, deciders.sponsor)
    with pytest.raises(Invalid, match="service"):
        stand_in(deciders.sponsor, person("robot", kind="service"))
    with pytest.raises(NotAllowed):
        stand_in(deciders.sponsor, deciders.committee, by=deciders.csm)
    with pytest.raises(Invalid, match="does not list"):
        stand_in(deciders.sponsor, deciders.committee, concessions=["free-lunch"])
    assert stand_in(deciders.sponsor, deciders.committee, by=deciders.ops).created_by == deciders.ops


def test_strangers_do_not_end_a_delegation(deciders: Cast) -> None:
    given = stand_in(deciders.director, deciders.lead)
    with pytest.raises(NotThere):
        delegating.end(delegation_id=given.pk, by=deciders.csm)
    assert delegating.end(delegation_id=given.pk, by=deciders.ops).ended_at


def test_undoing_a_stand_ins_decision_asks_the_approver_again(deciders: Cast, ask: Ask) -> None:
    stand_in(deciders.director, deciders.lead)
    made = vote(ask(), deciders.lead)
    deciding.undo(request_id=made.pk, by=deciders.lead)
    before: datetime = now()
    assert vote(made, deciders.director).decided_at >= before - HOUR
