"""Chains that move: passed up, reminded, recalled, previewed, and what is too late."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import User
from approvals.mail import links
from approvals.matrix.totals import Ask as WhatIsAsked
from approvals.models import ApprovalRequest, DecisionLink
from approvals.requests import decide as deciding
from approvals.requests import plan as planning
from approvals.requests import seats as seating
from approvals.requests import talk
from ledger.errors import Invalid, NotAllowed, Stale
from ledger.now import now
from messaging.models import Message
from tests.approvals.requests.test_chains import asked, committee, lawyer, person, plain_matrix, rule, vote
from tests.support.cast import Cast

__all__ = ["committee", "lawyer", "plain_matrix"]

Ask = Callable[..., ApprovalRequest]


def test_passing_up_moves_the_authority_and_leaves_the_functions(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal", "beside")
    made = ask()
    old = {link.approver_id: link for link in DecisionLink.objects.all()}
    made = seating.pass_up(request_id=made.pk, reason="Late")
    assert sorted(asked(made)) == ["Aisha Okafor", "Dana Whitfield"]
    assert (made.approver, made.version, made.authority_seat.number) == (deciders.sponsor, 2, 3)
    assert links.is_alive(DecisionLink.objects.select_related("request").get(pk=old[lawyer.pk].pk), now())
    assert not links.is_alive(
        DecisionLink.objects.select_related("request").get(pk=old[deciders.director.pk].pk), now()
    )
    vote(made, deciders.sponsor)
    assert vote(made, lawyer).state == "approved"


def test_passing_up_while_a_function_is_waited_for_reminds_it_and_asks_the_higher_authority_after_it(
    deciders: Cast, ask: Ask, lawyer: User
) -> None:
    rule("legal")
    made = seating.pass_up(request_id=ask().pk, reason="Late")
    assert (asked(made), made.approver) == (["Aisha Okafor"], deciders.sponsor)
    assert Message.objects.filter(user=lawyer, subject__startswith="Reminder 1").count() == 1
    assert not Message.objects.filter(user=deciders.director).exists()
    vote(made, lawyer)
    assert asked(made) == ["Dana Whitfield"]
    assert vote(made, deciders.sponsor).state == "approved"


def test_passing_up_a_committee_discards_the_votes_it_gave(deciders: Cast, ask: Ask, committee: list[User]) -> None:
    made = ask()
    vote(made, committee[1])
    made = seating.pass_up(request_id=made.pk, reason="Late")
    assert asked(made) == ["Dana Whitfield"]
    assert vote(made, deciders.sponsor).state == "approved"


def test_once_the_authority_has_agreed_there_is_nothing_to_pass_up(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal", "after")
    made = ask()
    vote(made, deciders.director)
    with pytest.raises(Invalid, match=r"The authority has agreed\. This waits for Aisha Okafor"):
        seating.pass_up(request_id=made.pk, reason="Late")


def test_every_waiting_seat_is_reminded(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal", "beside")
    made = ask()
    talk.remind(request_id=made.pk, by=deciders.csm)
    assert Message.objects.filter(subject__startswith="Reminder 1").count() == 2
    with pytest.raises(NotAllowed):
        talk.remind(request_id=made.pk, by=lawyer)


def test_a_grant_beyond_the_limit_by_then_is_refused_even_to_the_function_that_speaks_last(
    deciders: Cast, ask: Ask, lawyer: User
) -> None:
    rule("legal", "after")
    first, second = (ask(concession="refund", amount=Decimal(6000)) for _ in range(2))
    vote(first, deciders.director)
    vote(second, deciders.director)
    vote(first, lawyer)
    with pytest.raises(NotAllowed, match="Director has a limit of \\$10,000, and the total is \\$12,000"):
        vote(second, lawyer)
    second.refresh_from_db()
    assert second.is_open


def test_recall_ends_every_seat_and_tells_everybody_asked(deciders: Cast, ask: Ask, committee: list[User]) -> None:
    made = deciding.recall(request_id=ask().pk, by=deciders.csm, reason="Better terms.")
    assert set(made.seats.values_list("state", flat=True)) == {"recalled"}
    assert Message.objects.filter(subject__startswith="Recalled").count() == 4


def test_the_preview_is_the_plan_that_is_then_kept(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal")
    rule("deal-desk", "after", part="consult")
    person("fay", "deal-desk")
    values = {"concession": "discount", "amount": Decimal(15), "currency": "USD", "account": deciders.northwind}
    found = planning.preview(WhatIsAsked(**values), requester=deciders.csm)
    assert planning.stages_of(ask()) == found.stages
    assert found.answer.person == deciders.director
    assert [stage.name for stage in found.stages] == ["Legal", "Director"]
    assert [group.words for group in found.stages[1].groups] == ["", "consulted, does not block"]


def test_too_late_to_undo_a_vote_after_ten_minutes(deciders: Cast, ask: Ask, committee: list[User]) -> None:
    made = ask()
    vote(made, committee[1])
    made.seats.filter(said_by=committee[1]).update(ended_at=now() - timedelta(minutes=10, seconds=1))
    with pytest.raises(Stale):
        deciding.undo(request_id=made.pk, by=committee[1])
