"""Seats of one request decided at once: each counts once, the last one needed ends the request, once."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from accounts.models import Role, User
from approvals.absence import delegations as delegating
from approvals.models import ApprovalRequest, AuthorityVersion, Committee
from approvals.requests import decide as deciding
from approvals.requests import terms as changing
from ledger import chain
from ledger.errors import Refused
from tests.approvals.conftest import make_request
from tests.approvals.requests.test_races import at_once, desk

__all__ = ["desk"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.prove, pytest.mark.both_databases]


@pytest.fixture
def members(desk: Any) -> list[User]:
    """Four directors of whom two settle it."""
    role = Role.objects.get(slug="director")
    version = AuthorityVersion.objects.get()
    version.committees.filter(role=role).delete()
    Committee.objects.create(version=version, role=role, quorum="number", quorum_of=2)
    people = [
        User.objects.create_user(f"{key}@desk.example", None, name=key.capitalize()) for key in ("ada", "bo", "cy")
    ]
    for person in people:
        person.holdings.create(role=role)
    return [desk.director, *people]


def said(made: ApprovalRequest, by: User, verdict: str = "approved") -> Any:
    """One vote, to be called in a thread."""
    return partial(deciding.decide, request_id=made.pk, by=by, verdict=verdict, version=1, words=deciding.Words("Mine"))


def test_votes_at_once_each_count_and_one_ends_it(desk: Any, members: list[User]) -> None:
    made = make_request(desk)
    answers = at_once(*[said(made, member) for member in (*members, *members)])
    made.refresh_from_db()
    kinds = [entry.kind for entry in made.log.all()]
    assert (made.state, made.version) == ("approved", 2)
    assert kinds == ["asked", "vote", "vote", "approved"]
    assert sum(isinstance(answer, Refused) for answer in answers) == 6
    assert list(chain.breaks_in(made, made.log.all())) == []


def test_the_same_seat_is_taken_once_by_its_holder_and_from_above(desk: Any, members: list[User]) -> None:
    made = make_request(desk)
    at_once(said(made, members[1]), said(made, members[1]), said(made, desk.sponsor, "declined"))
    made.refresh_from_db()
    votes = [entry.facts["seat"] for entry in made.log.filter(kind="vote")]
    assert len(votes) == len(set(votes)) or made.state == "declined"
    assert made.seats.filter(said_by=members[1], state="decided").count() <= 1
    assert list(chain.breaks_in(made, made.log.all())) == []


def test_terms_delegating_and_a_vote_at_once_leave_one_story(desk: Any, members: list[User]) -> None:
    made = make_request(desk)
    worse = partial(
        changing.change_terms,
        request_id=made.pk,
        by=desk.csm,
        version=1,
        wanted=changing.NewTerms(amount=Decimal(18)),
        reason="More",
    )
    given = partial(delegating.delegate, request_id=made.pk, by=members[1], to=desk.lead, reason="Away")
    at_once(said(made, members[0]), worse, given)
    made.refresh_from_db()
    assert made.is_open
    assert made.seats.filter(state="asked").count() + made.seats.filter(state="decided").count() == 4
    assert list(chain.breaks_in(made, made.log.all())) == []
