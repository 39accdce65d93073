"""Seats of people who cannot decide any more: the next holder of the role is asked, and the log says why."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from approvals.absence import delegations as delegating
from approvals.mail import links
from approvals.models import ApprovalRequest, DecisionLink, Seat
from approvals.requests import decide as deciding
from approvals.requests import seats as seating
from approvals.requests import talk
from approvals.requests import terms as changing
from approvals.requests.permissions import for_user
from ledger import chain
from ledger.errors import Invalid, Stale
from ledger.now import now
from messaging.models import Message
from tests.approvals.requests.test_chains import asked, committee, kinds, lawyer, person, plain_matrix, rule, vote
from tests.approvals.test_pages import text
from tests.support.cast import Cast

__all__ = ["committee", "lawyer", "plain_matrix"]

Ask = Callable[..., ApprovalRequest]


def leaves(user: User) -> None:
    """They cannot sign in any more."""
    user.is_active = False
    user.save()


def loses(user: User, role: str) -> None:
    """The role is taken away."""
    user.holdings.filter(role__slug=role).delete()


def stands_in(to: User, user: User) -> None:
    """From now for a day."""
    start = now()
    delegating.make(delegating.StandIn(to=to, starts_at=start, ends_at=start + timedelta(days=1)), user=user, by=user)


AWAY: list[Callable[[Any, User], None]] = [
    lambda deciders, user: leaves(user),
    lambda deciders, user: loses(user, "legal"),
    lambda deciders, user: stands_in(user, deciders.csm),
]


@pytest.mark.parametrize("gone", AWAY, ids=["left", "lost the role", "stands in for the requester"])
def test_a_seat_that_opens_goes_to_somebody_who_can_decide(
    deciders: Cast, ask: Ask, lawyer: User, gone: Callable[[Any, User], None]
) -> None:
    rule("legal", "after")
    made = ask()
    other = person("otto", "legal")
    gone(deciders, lawyer)
    vote(made, deciders.director)
    assert asked(made) == ["Otto More"]
    assert for_user(made, other, now()).may_decide
    entry = made.log.get(kind="reassigned")
    assert entry.rationale == "Aisha Okafor can no longer decide this as Legal, so Otto More is asked."
    assert (entry.actor, entry.channel, entry.role) == (None, "rule", "Legal")
    assert (entry.facts["from"], entry.facts["to"]) == (lawyer.pk, other.pk)
    assert Message.objects.filter(user=other).count() == 1
    assert not Message.objects.filter(user=lawyer).exists()
    assert vote(made, other).state == "approved"
    made.refresh_from_db()
    assert list(chain.breaks_in(made, list(made.log.all()))) == []


def test_with_nobody_else_the_seat_waits_for_the_one_who_was_named(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal", "after")
    made = ask()
    loses(lawyer, "legal")
    vote(made, deciders.director)
    assert (asked(made), "reassigned" in kinds(made)) == (["Aisha Okafor"], False)
    with pytest.raises(Invalid, match="This waits for Aisha Okafor"):
        seating.pass_up(request_id=made.pk, reason="Late")
    # Somebody is made a lawyer: the clock finds them.
    person("otto", "legal")
    seating.pass_up(request_id=made.pk, reason="Late")
    assert (asked(made), kinds(made)[-1]) == (["Otto More"], "reassigned")


def test_an_authority_that_comes_later_is_the_next_holder_too(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal")
    made = ask()
    mia = person("mia", "director")
    loses(deciders.director, "director")
    made = vote(made, lawyer)
    assert (asked(made), made.approver, made.rule.get("decided_role")) == (["Mia More"], mia, None)
    assert vote(made, mia).state == "approved"


def test_whoever_changed_the_terms_is_not_asked_later(deciders: Cast, ask: Ask, lawyer: User) -> None:
    """A planned seat does not keep somebody from wording the terms; it goes to somebody else then."""
    rule("legal", "after")
    made = ask()
    person("otto", "legal")
    deciders.csm.manager = lawyer
    deciders.csm.save()
    lawyer.holdings.create(role=deciders.director.holdings.get().role)
    lawyer = User.objects.get(pk=lawyer.pk)
    changing.change_terms(
        request_id=made.pk,
        by=lawyer,
        version=made.version,
        reason="They came down",
        wanted=changing.NewTerms(amount=made.amount - 1),
    )
    vote(made, deciders.director)
    assert asked(made) == ["Otto More"]


def test_nobody_takes_two_seats_by_it(deciders: Cast, ask: Ask, lawyer: User) -> None:
    """The other lawyer is the authority of this request."""
    rule("legal", "after")
    made = ask()
    deciders.director.holdings.create(role=lawyer.holdings.get().role)
    loses(lawyer, "legal")
    vote(made, deciders.director)
    assert asked(made) == ["Aisha Okafor"]


def test_a_reminder_asks_the_next_holder_and_tells_the_old_one(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal", "beside")
    made = ask()
    other = person("otto", "legal")
    loses(lawyer, "legal")
    old = DecisionLink.objects.get(approver=lawyer)
    made = talk.remind(request_id=made.pk, by=deciders.csm)
    assert sorted(asked(made)) == ["Lena Ortiz", "Otto More"]
    assert kinds(made) == ["asked", "reassigned", "reminded"]
    assert made.log.last().facts == {"seats": [made.seats.get(person=deciders.director).number]}
    assert made.version == 2
    assert not links.is_alive(DecisionLink.objects.select_related("request").get(pk=old.pk), now())
    alive = [link.approver for link in DecisionLink.objects.select_related("request") if links.is_alive(link, now())]
    assert set(alive) == {deciders.director, other}
    told = Message.objects.filter(user=lawyer).order_by("pk").last()
    assert told is not None
    assert told.subject.startswith("Nothing left to do")
    with pytest.raises(Stale, match="Legal was reassigned to another person"):
        deciding.decide(request_id=made.pk, by=lawyer, version=1, verdict="approved")
    vote(made, other)
    assert vote(made, deciders.director).state == "approved"


def test_the_list_names_whoever_is_asked_now(deciders: Cast, ask: Ask, lawyer: User, client: Client) -> None:
    rule("legal")
    made = ask()
    person("otto", "legal")
    client.force_login(deciders.csm)
    assert "· Aisha Okafor" in text(client.get("/approvals/?tab=waiting"))
    loses(lawyer, "legal")
    talk.remind(request_id=made.pk, by=deciders.csm)
    assert "· Otto More" in text(client.get("/approvals/?tab=waiting"))
    page = text(client.get(f"/approvals/{made.pk}/"))
    assert "Aisha Okafor</span> was asked, could not decide any more" in page
    log = page[page.index("Decision log") :]
    assert "Reassigned</span> Rule to Otto More" in log
    assert "Aisha Okafor can no longer decide this as Legal, so Otto More is asked." in log


def test_a_reminder_to_nobody_is_none(deciders: Cast, ask: Ask) -> None:
    """The only one asked was replaced: nobody was reminded, and the log says so."""
    made = ask()
    mia = person("mia", "director")
    loses(deciders.director, "director")
    made = talk.remind(request_id=made.pk, by=deciders.csm)
    assert (asked(made), made.approver, kinds(made)) == (["Mia More"], mia, ["asked", "reassigned"])
    assert vote(made, mia).state == "approved"


def test_who_still_can_keeps_the_seat(deciders: Cast, ask: Ask, lawyer: User) -> None:
    """Also by another role that covers it, or with the authority of who delegated it."""
    rule("legal", "beside")
    made = ask()
    person("otto", "legal")
    person("mia", "director")
    deciders.director.holdings.create(role=deciders.sponsor.holdings.get().role)
    loses(deciders.director, "director")
    delegating.delegate(request_id=made.pk, by=lawyer, to=deciders.lead, reason="Away")
    talk.remind(request_id=made.pk, by=deciders.csm)
    assert kinds(made) == ["asked", "delegated", "reminded"]
    assert sorted(asked(made)) == ["Lena Ortiz", "Tom Becker"]


def test_a_delegated_seat_goes_on_when_the_delegator_loses_the_role(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal", "beside")
    made = ask()
    person("otto", "legal")
    delegating.delegate(request_id=made.pk, by=lawyer, to=deciders.lead, reason="Away")
    loses(lawyer, "legal")
    talk.remind(request_id=made.pk, by=deciders.csm)
    assert sorted(asked(made)) == ["Lena Ortiz", "Otto More"]
    seat = made.seats.get(person__name="Otto More")
    assert (seat.stands_for, seat.role.slug) == (None, "legal")


def test_passing_up_reassigns_the_function_that_is_waited_for(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal")
    made = ask()
    person("otto", "legal")
    leaves(lawyer)
    made = seating.pass_up(request_id=made.pk, reason="Late")
    assert (asked(made), made.approver) == (["Otto More"], deciders.sponsor)
    assert kinds(made) == ["asked", "passed_up", "reassigned"]
    assert made.seats.get(person=deciders.sponsor).state == Seat.PLANNED
    vote(made, User.objects.get(email="otto@desk.example"))
    assert asked(made) == ["Dana Whitfield"]


def test_whoever_delegated_it_hears_that_it_was_passed_up(deciders: Cast, ask: Ask) -> None:
    made = ask()
    delegating.delegate(request_id=made.pk, by=deciders.director, to=deciders.lead, reason="Away")
    seating.pass_up(request_id=made.pk, reason="Late")
    told = Message.objects.filter(subject__startswith="Nothing left to do").values_list("user__name", flat=True)
    assert sorted(told) == ["Lena Ortiz", "Tom Becker"]


def test_time_being_up_asks_somebody_beside_where_nobody_is_above(deciders: Cast, ask: Ask) -> None:
    made = ask(concession="refund", amount=Decimal(500_000))
    assert made.approver == deciders.committee
    person("ann", "steering-committee")
    leaves(deciders.committee)
    made = seating.pass_up(request_id=made.pk, reason="Late")
    assert (asked(made), kinds(made)) == (["Ann More"], ["asked", "reassigned"])


def test_passing_up_reassigns_the_function_beside_the_authority_too(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal", "beside")
    made = ask()
    person("otto", "legal")
    leaves(lawyer)
    made = seating.pass_up(request_id=made.pk, reason="Late")
    assert sorted(asked(made)) == ["Dana Whitfield", "Otto More"]


def test_a_delegated_seat_falls_back_to_whoever_delegated_it(deciders: Cast, ask: Ask) -> None:
    made = ask()
    person("mia", "director")
    delegating.delegate(request_id=made.pk, by=deciders.director, to=deciders.lead, reason="Away")
    leaves(deciders.lead)
    made = talk.remind(request_id=made.pk, by=deciders.csm)
    assert (asked(made), made.seats.latest("number").stands_for) == (["Lena Ortiz"], None)
    assert vote(made, deciders.director).state == "approved"


def test_better_terms_by_somebody_the_approver_stands_in_for_go_to_another(deciders: Cast, ask: Ask) -> None:
    made = ask()
    mia = person("mia", "director")
    stands_in(deciders.director, deciders.ae)
    changing.change_terms(
        request_id=made.pk,
        by=deciders.ae,
        version=1,
        reason="They came down",
        wanted=changing.NewTerms(amount=made.amount - 1),
    )
    made.refresh_from_db()
    assert (asked(made), made.approver, kinds(made)) == (["Mia More"], mia, ["asked", "amended", "reassigned"])
    assert vote(made, mia).state == "approved"


def test_whoever_spoke_for_somebody_else_makes_room_in_the_next_stage(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal", "after")
    made = ask()
    person("otto", "legal")
    stands_in(lawyer, deciders.director)
    vote(made, lawyer)
    assert asked(made) == ["Otto More"]


def test_a_form_that_is_open_meanwhile_is_told_what_happened(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal", "beside")
    made = ask()
    person("otto", "legal")
    leaves(lawyer)
    talk.remind(request_id=made.pk, by=deciders.csm)
    with pytest.raises(Stale, match="Another part of this was reassigned"):
        deciding.decide(request_id=made.pk, by=deciders.director, version=1, verdict="approved")


def test_a_committee_member_who_left_is_replaced_by_a_new_one(deciders: Cast, ask: Ask, committee: list[User]) -> None:
    made = ask()
    leaves(committee[1])
    person("dee", "director")
    talk.remind(request_id=made.pk, by=deciders.csm)
    assert sorted(asked(made)) == ["Bo More", "Cy More", "Dee More", "Lena Ortiz"]
    assert made.seats.get(person=committee[1]).state == Seat.REASSIGNED
