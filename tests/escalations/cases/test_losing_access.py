"""Who loses access loses the page, the row of the queue and the counter at once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.customers import accounts
from accounts.models import Account, RoleHolding, User
from escalations.cases import access_rows
from escalations.models import CaseAccess, CasePerson, Escalation, HandOff
from ledger.now import moved_to, now
from tests.escalations.cases.builders import accepted, asked, opened
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db


def seen(user: User, case: Escalation) -> tuple[bool, bool, bool, int]:
    """The page of the case, its page in the API, its row in the queue, and the counter beside the queue."""
    client = Client()
    client.force_login(User.objects.get(pk=user.pk), backend="allauth.account.auth_backends.AuthenticationBackend")
    queue: Any = client.get("/escalations/")
    return (
        client.get(f"/escalations/{case.key}/").status_code == 200,
        client.get(f"/api/v1/escalations/{case.key}/").status_code == 200,
        case.key in queue.content.decode(),
        queue.context["nav"].queue_count,
    )


ALL, NOTHING = (True, True, True, 1), (False, False, False, 0)
Change = Callable[[Cast, Escalation], None]


def role_ends(cast: Cast, case: Escalation) -> None:
    RoleHolding.objects.filter(user=cast.sponsor).update(ends=now())


def other_manager(cast: Cast, case: Escalation) -> None:
    User.objects.filter(pk=cast.lead.pk).update(manager=None)


def other_team(cast: Cast, case: Escalation) -> None:
    account = Account.objects.get(pk=case.account_id)
    account.ae = cast.outsider
    accounts.save(account)


def taken_off(cast: Cast, case: Escalation) -> None:
    CasePerson.objects.filter(case=case, user=cast.legal).delete()
    access_rows.keep([case.pk])


@pytest.mark.parametrize(
    ("who", "change"), [("sponsor", role_ends), ("director", other_manager), ("ae", other_team), ("legal", taken_off)]
)
def test_access_ends_with_its_reason(cast: Cast, who: str, change: Change) -> None:
    case, user = opened(cast, confidential=who == "legal"), getattr(cast, who)
    CasePerson.objects.filter(case=case, user=user).delete()
    HandOff.objects.filter(case=case, to_user=user).delete()
    if who == "legal":
        CasePerson.objects.create(case=case, user=user, letter="C", since=now())
    access_rows.keep([case.pk])
    assert seen(user, case) == ALL
    change(cast, case)
    assert seen(user, case) == NOTHING


def test_a_role_that_ends_takes_the_cases_away_without_any_change(cast: Cast) -> None:
    case, at = opened(cast), now()
    CaseAccess.objects.filter(user=cast.sponsor).delete()
    RoleHolding.objects.filter(user=cast.sponsor).update(ends=at + timedelta(hours=1))
    assert Escalation.objects.visible_to(User.objects.get(pk=cast.sponsor.pk)).filter(pk=case.pk).exists()
    with moved_to(at + timedelta(hours=1)):
        assert not Escalation.objects.visible_to(User.objects.get(pk=cast.sponsor.pk)).exists()


def test_a_confidential_case_hides_from_the_lead_and_the_addressee_at_once(cast: Cast) -> None:
    case = accepted(cast)
    assert cast.lead == case.owner
    CasePerson.objects.filter(case=case).delete()
    access_rows.keep([case.pk])
    assert seen(cast.lead, case) == seen(cast.director, case) == ALL
    Escalation.objects.filter(pk=case.pk).update(confidential=True)
    for user in (cast.lead, cast.director, cast.sponsor, cast.csm, cast.ops):
        assert seen(user, case) == NOTHING


def test_a_planned_decider_who_is_replaced_no_longer_sees_the_case(cast: Cast) -> None:
    case = asked(cast)
    seat = case.requests.get().seats.get(authority=True)
    seat.state, seat.asked_at = "planned", None
    seat.save()
    CasePerson.objects.filter(case=case, user=seat.person).delete()
    HandOff.objects.filter(case=case, to_user=seat.person).delete()
    User.objects.filter(pk=cast.lead.pk).update(manager=None)
    RoleHolding.objects.filter(user=seat.person).delete()
    access_rows.keep([case.pk])
    assert seen(seat.person, case) == ALL
    # Approvals gives the seat to another person.
    case.requests.get().seats.filter(pk=seat.pk).update(person=cast.lead)
    access_rows.keep([case.pk])
    assert seen(seat.person, case) == NOTHING
