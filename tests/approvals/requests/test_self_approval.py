"""No self-approval by any road, through the page and over the API alike."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from allauth.account.models import EmailAddress

from accounts.models import Role, User
from approvals.absence import delegations as delegating
from approvals.models import ApprovalRequest, AuthorityVersion, Committee
from approvals.requests.permissions import for_user
from ledger.now import now
from tests.approvals.requests.test_chains import person, plain_matrix
from tests.approvals.test_api import LIST, caller
from tests.approvals.test_pages import signed_in, url
from tests.support.cast import Cast

__all__ = ["plain_matrix"]
Ask = Callable[..., ApprovalRequest]
Road = Callable[[Any, Ask], tuple[ApprovalRequest, User]]


def own_request(deciders: Cast, ask: Ask) -> tuple[ApprovalRequest, User]:
    """The director asks, with a limit that would do."""
    return ask(requester=deciders.director), deciders.director


def as_delegate_of_the_requester(deciders: Cast, ask: Ask) -> tuple[ApprovalRequest, User]:
    """Priya asks; Lena, who is asked, stands in for Priya at that time."""
    made, at = ask(), now()
    hour = timedelta(hours=1)
    delegating.make(
        delegating.StandIn(to=deciders.director, starts_at=at - hour, ends_at=at + hour),
        user=deciders.csm,
        by=deciders.csm,
    )
    return made, deciders.director


def as_stand_in_of_the_approver(deciders: Cast, ask: Ask) -> tuple[ApprovalRequest, User]:
    """Priya asks and stands in for Lena, who is asked."""
    at, hour = now(), timedelta(hours=1)
    delegating.make(
        delegating.StandIn(to=deciders.csm, starts_at=at - hour, ends_at=at + hour),
        user=deciders.director,
        by=deciders.director,
    )
    return ask(), deciders.csm


def through_a_group(deciders: Cast, ask: Ask) -> tuple[ApprovalRequest, User]:
    """A committee of directors, one of whom asks."""
    role = Role.objects.get(slug="director")
    Committee.objects.create(version=AuthorityVersion.objects.get(), role=role, quorum="any")
    ada = person("ada", "director")
    made = ask(requester=ada)
    assert [seat.person for seat in made.seats.all()] == [deciders.director]
    return made, ada


def through_an_alias(deciders: Cast, ask: Ask) -> tuple[ApprovalRequest, User]:
    """Priya has a second user with a higher role; its address is his with a tag."""
    return ask(), person("priya+boss", "executive-sponsor", is_superuser=True)


def through_a_second_address(deciders: Cast, ask: Ask) -> tuple[ApprovalRequest, User]:
    """The second user has verified the address of the first as its own."""
    other = person("other", "executive-sponsor", is_superuser=True)
    EmailAddress.objects.create(user=other, email="priya+two@desk.example", verified=True)
    return ask(), other


def through_a_service_of_ones_own(deciders: Cast, ask: Ask) -> tuple[ApprovalRequest, User]:
    """A service that Priya answers for, with a role."""
    return ask(), person("robot", "executive-sponsor", kind="service", manager=deciders.csm, is_superuser=True)


def what_ones_own_service_asked_for(deciders: Cast, ask: Ask) -> tuple[ApprovalRequest, User]:
    """The service asks, the director it belongs to would decide."""
    return ask(requester=person("robot", kind="service", manager=deciders.director)), deciders.director


def as_beneficiary(deciders: Cast, ask: Ask) -> tuple[ApprovalRequest, User]:
    """Priya asks for what Lena gains by."""
    return ask(beneficiary=deciders.director), deciders.director


def as_the_beneficiarys_manager_alone(deciders: Cast, ask: Ask) -> tuple[ApprovalRequest, User]:
    """Olga asks for Tom, who reports to Lena."""
    return ask(requester=deciders.outsider, beneficiary=deciders.lead), deciders.director


ROADS: list[Road] = [
    own_request,
    as_delegate_of_the_requester,
    as_stand_in_of_the_approver,
    through_a_group,
    through_an_alias,
    through_a_second_address,
    through_a_service_of_ones_own,
    what_ones_own_service_asked_for,
    as_beneficiary,
    as_the_beneficiarys_manager_alone,
]


@pytest.mark.parametrize("road", ROADS, ids=lambda road: road.__name__)
def test_no_road_leads_to_ones_own_approval(deciders: Cast, ask: Ask, road: Road) -> None:
    made, user = road(deciders, ask)
    # Whatever the list shows, the deepest door must hold too: nobody barred was asked, and superusers may open every page.
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    user = User.objects.get(pk=user.pk)
    made.refresh_from_db()
    before = (made.version, made.log_count)
    right = for_user(made, user, now())
    assert (right.may_decide, right.may_decline) == (False, False)
    seat = made.seats.filter(state="asked").first()
    number = seat.number if seat else made.authority_seat.number
    for verdict in ("approved", "declined"):
        wanted = {"verdict": verdict, "version": made.version, "seat": number, "reason": "Mine", "conditions": ""}
        page = signed_in(user).post(url("decide", made), wanted)
        answer = caller(user).post(f"{LIST}{made.pk}/decide/", wanted, format="json")
        assert (page.status_code, answer.status_code, answer.json()["code"]) == (403, 403, "not_allowed")
    made.refresh_from_db()
    assert (made.state, made.version, made.log_count) == ("open", *before)


@pytest.mark.parametrize("road", ROADS[3:], ids=lambda road: road.__name__)
def test_who_would_approve_for_themselves_is_never_asked(deciders: Cast, ask: Ask, road: Road) -> None:
    made, user = road(deciders, ask)
    assert not made.seats.filter(person=user).exists()
    assert made.approver != user


def test_when_everybody_left_would_approve_for_themselves_the_request_is_refused(deciders: Cast, ask: Ask) -> None:
    deciders.committee.is_active = False
    deciders.committee.save()
    answer = caller(deciders.csm).get("/api/v1/authority/who/", {"concession": "discount", "amount": "40"})
    assert answer.status_code == 422
    with pytest.raises(Exception, match="Nobody else holds a role"):
        ask(requester=deciders.sponsor, amount=Decimal(30))


def test_an_unverified_address_is_nobodys_alias(deciders: Cast, ask: Ask) -> None:
    other = person("other", "executive-sponsor")
    EmailAddress.objects.create(user=other, email="priya@desk.example", verified=False)
    assert for_user(ask(), other, now()).may_decide
